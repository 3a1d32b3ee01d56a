# SPDX-License-Identifier: MIT
"""Bad files through the real workers and through a scan: nothing but the one file is ever lost.

The samples of TagLib and ExifTool are fetched from Debian's source packages, once per machine;
without a network those cases are skipped. SALVER_LONG=1: 20 mutated copies of each instead of 2.
SALVER_SEED repeats them. A helper that crashes costs its file and is said; more is a failure.
"""
import collections
import json
import os
import pathlib
import random
import subprocess
import time

import corpora
import salver
from media import mp3_frames
from salver import BIN, equal

LONG = bool(os.environ.get("SALVER_LONG"))
COPIES = 20 if LONG else 2
HELPER = str(pathlib.Path(BIN).parent / "salver-probe")
FILES_PER_CALL = 200
FILE_LIMIT_S = 15  # the watchdog's 10 s, a start of the worker, and a loaded machine
LOST_MAX = 5  # files that crash or hang a worker: none was seen with Debian 12's libraries


def write_all(folder, named):
    paths = []
    for name, data in named:
        path = folder / name
        path.write_bytes(data)
        paths.append(path)
    return paths


def probe(paths):
    """{path: status} by the real workers, and what they printed; exactly one answer for each."""
    statuses = {}
    for i in range(0, len(paths), FILES_PER_CALL):
        some = paths[i:i + FILES_PER_CALL]
        done = subprocess.run([HELPER, *some], capture_output=True, text=True,
                              timeout=FILE_LIMIT_S * len(some))
        equal(0, done.returncode, f"exit status of salver-probe ({done.stderr})")
        for line in done.stdout.splitlines():
            answer = json.loads(line)
            statuses[answer["path"]] = answer["status"]
    equal(len(paths), len(statuses), "answers")
    return statuses


def say(statuses):
    """Prints how many of each; returns the files that cost a worker."""
    print(", ".join(f"{n} {status}" for status, n in collections.Counter(statuses.values()).most_common()))
    lost = [path for path, status in statuses.items() if status in ("crashed", "timeout")]
    for path in lost:
        print(f"{statuses[path]}: {pathlib.Path(path).name}")
    return lost


def scan(folder):
    """`salver scan` of a new library: (found, stored, failed)."""
    done = subprocess.run([BIN, "scan", "--database", salver.tmpdir() / "db", folder],
                          capture_output=True, text=True, timeout=600)
    equal(0, done.returncode, f"exit status of salver scan ({done.stderr[-2000:]})")
    words = done.stdout.replace(",", "").split()
    return int(words[0]), int(words[words.index("stored") - 1]), int(words[words.index("failed") - 1])


def check(folder, paths):
    """All the files through workers and through a scan, which stores what the workers answer for."""
    start = time.monotonic()
    statuses = probe(paths)
    print(f"{len(paths)} files in {time.monotonic() - start:.1f} s: ", end="")
    lost = say(statuses)
    assert len(lost) <= LOST_MAX, f"{len(lost)} files cost a worker"
    good = folder / "good.mp3"
    good.write_bytes(corpora.id3(corpora.frame(b"TIT2", b"\3Still here")) + mp3_frames())
    start = time.monotonic()
    found, stored, failed = scan(folder)
    print(f"scan: {found} found, {stored} stored, {failed} failed, {time.monotonic() - start:.1f} s")
    equal(found, stored, "stored")
    equal("ok", probe([good])[str(good)], "the good one")


def test_samples_of_taglib_and_exiftool_and_mutants_cost_at_most_themselves():
    seed = int(os.environ.get("SALVER_SEED") or random.randrange(1 << 32))
    print(f"seed {seed}")
    rng = random.Random(seed)
    folder = salver.tmpdir() / "bad"
    folder.mkdir()
    check(folder, write_all(folder, [c for f in corpora.samples() for c in corpora.copies(rng, f, COPIES)]))


test_samples_of_taglib_and_exiftool_and_mutants_cost_at_most_themselves.limit_s = 900


def test_hostile_tags_cost_at_most_their_file():
    folder = salver.tmpdir() / "bad"
    folder.mkdir()
    paths = write_all(folder, corpora.by_hand(mp3_frames()).items())
    check(folder, paths)


def test_gigabytes_of_nothing_are_soon_seen_as_nothing():
    paths = list(corpora.zeros(salver.tmpdir()))
    start = time.monotonic()
    statuses = probe(paths)
    print(f"{len(paths)} files of 4 GB: {time.monotonic() - start:.1f} s")
    for path, status in statuses.items():
        assert status in ("broken", "not media"), f"{path}: {status}"


test_hostile_tags_cost_at_most_their_file.limit_s = 300
