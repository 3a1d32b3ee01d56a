# SPDX-License-Identifier: MIT
"""kill -9 during a scan, many times: nothing that was acknowledged is lost, the rest is made up."""
import collections
import json
import os
import random
import subprocess
import time

import media
from salver import BIN, Server, equal, tmpdir

ROUNDS = 50
SEED = int(os.environ.get("SALVER_SEED", time.time_ns() % 1000000))
LATEST_KILL_S = 0.8  # of a slow machine, so that the case stays bounded


def run(command, database):
    done = subprocess.run([BIN, command, "--database", str(database)], capture_output=True, text=True,
                          timeout=30)
    equal(0, done.returncode, f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def counts(library):
    return library["audio"], library["videos"], library["images"]


def commit_and_counts(library):
    return library["commit"], *counts(library)


def acknowledged(server, until):
    """Asks for the status until then; what the last answer said was stored, or None."""
    last = None
    while time.monotonic() < until:
        if server.answers():
            status = server.status()
            last = commit_and_counts(status["server"]["library"]) if status else last
        else:
            time.sleep(0.002)
    return last


def round_of(folder, database, delay_s):
    """One scan that is killed after delay_s; what it had acknowledged."""
    server = Server(folder, database=database, wait=False)
    told = acknowledged(server, server.started + delay_s)
    server.kill()
    return told


def listed(server):
    """({path of a folder below Browse Folders: its files}, ids of all files)"""
    files_n, ids, due = collections.Counter(), [], [("", "F")]
    while due:
        path, container = due.pop()
        didl, returned, total, _, _ = server.browse(container)
        equal(total, returned, f"children of {container}")
        for node in didl:
            if node.tag.endswith("container"):
                due.append((f"{path}/{node[0].text}", node.get("id")))
            else:
                files_n[path] += 1
                ids.append(node.get("id"))
    return files_n, ids


def whole_scan_s(folder):
    """How long it takes here from the fork to a complete library."""
    server = Server(folder)
    took_s = time.monotonic() - server.started
    server.stop()
    return took_s


def change(folder, chance):
    """New times for a third of the files, so that the next scans have work again."""
    for path in media.media_files(folder):
        if chance.random() < 1 / 3:
            moment = time.time_ns() - chance.randrange(10**15)
            os.utime(path, ns=(moment, moment))


def test_kill_during_a_scan_50_times():
    print(f"seed {SEED} (SALVER_SEED)")
    chance = random.Random(SEED)
    folder = media.many()
    files = media.media_files(folder)
    latest_s = min(whole_scan_s(folder), LATEST_KILL_S)
    database = tmpdir() / "db"
    floor, complete, in_scan = (0, 0, 0, 0), 0, 0
    for number in range(ROUNDS):
        told = round_of(folder, database, chance.uniform(0, latest_s))
        if not (database / "manifest").exists():
            equal(None, told, "an answer without a database")
            continue
        found = commit_and_counts(json.loads(run("stats", database))["library"])
        for before in filter(None, (floor, told)):
            assert all(a <= b for a, b in zip(before, found)), \
                f"round {number}: {before} was acknowledged, {found} is there"
        equal("sound\n", run("check", database), f"round {number}: check")
        in_scan += floor != found
        floor = found
        if sum(found[1:]) == len(files):
            complete += 1
            if complete % 2 == 0:  # from nothing again
                database, floor = tmpdir() / "db", (0, 0, 0, 0)
            else:
                change(folder, chance)
    print(f"kills within {latest_s * 1000:.0f} ms: {in_scan} of {ROUNDS} rounds stored something, "
          f"{complete} left a complete library")
    assert in_scan > ROUNDS / 10, "the kills missed the scans"

    server = Server(folder, database=database)
    found, ids = listed(server)
    on_disk = collections.Counter("/" + str(path.parent.relative_to(folder)) for path in files)
    equal(on_disk, found, "files in each folder")
    equal(len(files), len(set(ids)), "different ids")
    equal(len(files), sum(counts(server.status()["server"]["library"])), "counts")
    equal((2400, 100, 500), tuple(server.browse(c, 0, 1)[2] for c in ("AT", "VT", "IT")), "totals")
    server.stop()
    equal("sound\n", run("check", database))
