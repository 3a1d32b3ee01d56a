# SPDX-License-Identifier: MIT
"""The command line: what a person sees who gives it something wrong, and the commands that work
beside a server or alone."""
import fcntl
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import threading
import xml.etree.ElementTree as ElementTree

from salver import BIN, NAMES, Server, at_end, equal, free_port, need, sample, skip, tmpdir, wait_for

FAILED, USAGE = 1, 2
F_OFD_SETLK = 37  # which Python 3.11 does not name


class Outcome:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    def is_refusal(self, status, *parts):
        """One line on stderr that has all of `parts`, and this exit status."""
        equal(status, self.status, f"exit status ({self.err!r})")
        lines = [line for line in self.err.splitlines() if line.startswith("salver: ")]
        equal(1, len(lines), f"lines for the user in {self.err!r}")
        for part in parts:
            assert str(part) in lines[0], f"no {part!r} in {lines[0]!r}"


def salver(*arguments, limit_s=20, before=(), **environment):
    home = tmpdir()
    return Outcome(subprocess.run(
        [*before, BIN, *map(str, arguments)], capture_output=True, text=True, timeout=limit_s,
        stdin=subprocess.DEVNULL, errors="replace",
        env={"PATH": os.environ["PATH"], "HOME": str(home), **environment}))


def serve(*arguments, **more):
    """Of a server that must refuse to start."""
    return salver("serve", "--interface", "lo", "--port", free_port(), "--database",
                  tmpdir() / "db", *arguments, **more)


# ---- options --------------------------------------------------------------------------------------


def test_version_and_help():
    version = salver("--version")
    equal((0, ""), (version.status, version.err))
    assert re.fullmatch(r"salver \d+\.\d+\.\d+\n", version.out), version.out
    told = salver("--help")
    equal((0, ""), (told.status, told.err))
    for word in ("serve", "scan", "check", "stats", "backup", "restore", "repair", "compact", "cleanup", "playlists", "export",
                 "--report", "--json", "--retry", "--force", "--config", "--database", "--interface", "--port", "--name", "--dump-config"):
        assert word in told.out, word


def test_unknown_and_incomplete_options():
    salver("--nosuch").is_refusal(USAGE, '"--nosuch"', "--help")
    salver("serve", "--nosuch=3", "/tmp").is_refusal(USAGE, '"--nosuch=3"')
    salver("serve", "-z").is_refusal(USAGE, '"-z"')
    salver("serve", "--port").is_refusal(USAGE, "--port needs a value")
    for bad in ("65536", "-1", "http", "", "8250x"):
        salver("serve", "--port", bad).is_refusal(USAGE, "--port", "0 to 65535", f'"{bad}"')
    salver("--" + "x" * 5000).is_refusal(USAGE, "unknown option")


# ---- directories ----------------------------------------------------------------------------------


def test_no_directory_at_all():
    salver("serve").is_refusal(USAGE, "nothing to serve", "media.roots")
    salver("scan").is_refusal(USAGE, "nothing to serve")
    salver().is_refusal(USAGE, "nothing to serve")


def test_a_directory_that_is_missing_or_a_file():
    folder = tmpdir()
    missing, file = folder / "missing", folder / "a file"
    file.write_text("x")
    serve(missing).is_refusal(USAGE, f'"{missing}"', "No such file or directory")
    serve(file).is_refusal(USAGE, f'"{file}"', "not a directory")
    serve(sample(), missing).is_refusal(USAGE, f'"{missing}"')
    salver("scan", "--database", folder / "db", missing).is_refusal(USAGE, f'"{missing}"')
    serve(folder / "line\nbreak").is_refusal(USAGE, "line\\x0Abreak")


def test_a_directory_that_this_user_may_not_read():
    need("setpriv")
    if os.geteuid() != 0:
        skip("needs root, to become somebody else")
    other = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if subprocess.run([*other, BIN, "--version"], capture_output=True).returncode != 0:
        skip("another user cannot run the binary where it is")
    base = pathlib.Path("/tmp") / f"salver-e2e-closed-{os.getpid()}"
    base.mkdir(mode=0o755)
    try:
        closed = base / "closed"
        closed.mkdir(mode=0o700)
        database = base / "db"
        database.mkdir()
        os.chown(database, 65534, 65534)
        done = salver("scan", "--database", database, closed, before=other)
        done.is_refusal(USAGE, f'"{closed}"', "Permission denied", "right to read")
        done = salver("scan", "--database", base / "new", base, before=other)
        done.is_refusal(FAILED, f'"{base}/new"', "Permission denied")
    finally:
        shutil.rmtree(base)


# ---- configuration --------------------------------------------------------------------------------


def conf(text):
    path = tmpdir() / "salver.toml"
    path.write_text(text)
    return path


def test_a_bad_configuration_names_its_place_and_what_was_expected():
    for text, place, *parts in (
            ("[network]\nport = \n", "2:8", "expected"),
            ("[network\nport = 1\n", "1:9", "expected"),
            ("[network]\nport = \"x\"\n", "2:8", "network.port", "expected a whole number", "a string"),
            ("[network]\nport = 70000\n", "2:8", "network.port", "from 0 to 65535", "found 70000"),
            ("[network]\n\n  port = -1\n", "3:10", "from 0 to 65535", "found -1"),
            ("[scanner]\nworkers = 9\n", "2:11", "from 0 to 8", "found 9"),
            ("[scanner]\nwatch = 1\n", "2:9", "scanner.watch", "true or false", "a whole number"),
            ("[media]\nroots = \"/tmp\"\n", "2:9", "media.roots", "expected"),
            ("[media]\nroots = [1]\n", "2:", "media.roots", "expected"),
            ("[logging]\nlevel = \"loud\"\n", "2:9", '"info"', '"loud"'),
            ("[server]\nname = 1979-01-01\n", "2:8", "expected a string")):
        path = conf(text)
        salver("serve", "--config", path).is_refusal(USAGE, f"{path}:{place}", *parts)


def test_a_configuration_that_cannot_be_read():
    folder = tmpdir()
    salver("--config", folder / "none.toml").is_refusal(USAGE, "none.toml", "No such file")
    salver("--config", folder).is_refusal(USAGE, str(folder), "Is a directory")
    path = folder / "binary.toml"
    path.write_bytes(bytes(range(256)) * 40)
    salver("--config", path).is_refusal(USAGE, "binary.toml:1:")


def test_an_unknown_key_is_a_warning_with_the_nearest_name():
    path = conf("[network]\nprot = 1234\n")
    done = salver("--config", path, "--dump-config")
    equal(0, done.status, done.err)
    assert f"{path}:2:" in done.err and '"network.prot"' in done.err and '"network.port"' in done.err, \
        done.err


def test_a_dumped_configuration_loads_back():
    name = 'He said "ä\\b" <&>'
    first = salver("--dump-config", "--port", 8251, "--name", name, "--interface", "lo", "/tmp", "/var")
    equal(0, first.status, first.err)
    second = salver("--config", conf(first.out), "--dump-config")
    equal((0, "", first.out), (second.status, second.err, second.out), "dumped again")
    assert "port = 8251" in second.out and '"/tmp", "/var"' in second.out, second.out
    by_default = salver("--dump-config")
    equal(by_default.out, salver("--config", conf(by_default.out), "--dump-config").out)


# ---- port, lock, interface ------------------------------------------------------------------------


def test_a_port_that_is_taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = salver("serve", "--interface", "lo", "--port", port, "--database", tmpdir() / "db",
                      sample())
        done.is_refusal(FAILED, f"port {port}", "--port")


def test_a_second_process_on_the_same_database():
    server = Server(sample())
    for command in ("serve", "scan"):
        done = salver(command, "--interface", "lo", "--port", 0, "--database", server.database,
                      sample())
        done.is_refusal(FAILED, f'"{server.database}"', "another salver", f"pid {server.process.pid}")
    equal(200, server.get("/description.xml")[0], "the first goes on")


def hold_lock(database, pid):
    """Locks the database as the process `pid` would; returns the file, whose close() ends it."""
    lock = open(database / "lock", "w+")
    lock.write(f"{pid}\n")
    lock.flush()
    fcntl.fcntl(lock, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    at_end(lock.close)
    return lock


def test_a_lock_that_a_killed_server_leaves_for_a_moment():
    """Held by a child that the server had just forked and that has not yet become its program."""
    database = scanned()
    gone = subprocess.Popen(["true"])
    gone.wait()
    lock = hold_lock(database, gone.pid)
    threading.Timer(0.3, lock.close).start()
    done = salver("scan", "--database", database, sample())
    equal(0, done.status, done.err)

    hold_lock(database, gone.pid)  # and one that stays
    done = salver("scan", "--database", database, sample())
    done.is_refusal(FAILED, f'"{database}"', "another salver", f"pid {gone.pid}")


def test_an_interface_without_multicast_is_a_warning():
    server = Server(sample())
    assert 'interface "lo" cannot multicast' in server.log(), server.log()
    equal(200, server.get("/description.xml")[0])


def test_an_interface_that_is_not_there_yet_is_a_warning():
    server = Server(sample(), options=("--interface", "nosuch0"))
    assert 'interface "nosuch0" is not up' in server.log(), server.log()


# ---- scan, check, stats ---------------------------------------------------------------------------


def scanned():
    database = tmpdir() / "db"
    done = salver("scan", "--database", database, sample())
    equal(0, done.status, done.err)
    equal("30 files found, 0 unchanged, 30 stored, 0 removed, 0 failed\n", done.out)
    return database


def counts(database):
    done = salver("stats", "--database", database)
    equal((0, ""), (done.status, done.err))
    library = json.loads(done.out)["library"]
    return library["audio"], library["videos"], library["images"]


def test_scan_check_and_stats_alone():
    database = scanned()
    equal((20, 4, 6), counts(database))
    done = salver("check", "--database", database)
    equal((0, "sound\n", ""), (done.status, done.out, done.err))
    done = salver("scan", "--database", database, sample())
    assert done.out.startswith("30 files found, 30 unchanged, 0 stored"), done.out


def test_cleanup_forgets_what_a_scan_keeps():
    media, database = tmpdir() / "media", tmpdir() / "db"
    shutil.copytree(sample(), media)
    equal(0, salver("scan", "--database", database, media).status)
    aside = media.parent / "aside"
    media.rename(aside)
    media.mkdir()  # as a disk that is not mounted looks
    equal(0, salver("scan", "--database", database, media).status)
    equal((20, 4, 6), counts(database))
    done = salver("cleanup", "--database", database, media.parent / "other")
    assert done.out.endswith(": 0 files, 0 of them not there and forgotten\n"), done.out
    kept = next(aside.rglob("*.mp3"))
    (media / kept.relative_to(aside)).parent.mkdir(parents=True)
    kept.rename(media / kept.relative_to(aside))
    done = salver("cleanup", "--database", database, media)
    equal((0, ""), (done.status, done.err))
    assert done.out.endswith(": 30 files, 29 of them not there and forgotten\n"), done.out
    equal((1, 0, 0), counts(database))
    equal((0, "sound\n"), (lambda d: (d.status, d.out))(salver("check", "--database", database)))
    media.rename(media.parent / "gone")
    done = salver("cleanup", "--database", database, media)
    assert done.out.endswith(": 1 files, 1 of them not there and forgotten\n"), done.out
    salver("cleanup", "--database", database).is_refusal(USAGE, "cleanup needs directories")


def test_check_and_stats_beside_a_server():
    server = Server(sample())
    equal((20, 4, 6), counts(server.database))
    stats = json.loads(salver("stats", "--database", server.database).out)
    assert {"library", "http", "dlna", "scan"} <= stats.keys(), stats
    writes = stats["library"]["writes"]
    assert writes["commits"] >= 1 and writes["changes"] >= 30, writes
    equal(writes["commits"], sum(writes["commitsByMicros"]))
    equal({}, writes["errors"])
    done = salver("check", "--database", server.database)
    equal((0, "sound\n", ""), (done.status, done.out, done.err))


def listen_and_hang_up(database, times):
    """A control socket whose server hangs up that many times and then is gone."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(database / "control"))
    listener.listen()

    def hang_up():
        for number in range(times):
            connection = listener.accept()[0]
            if number == times - 1:
                listener.close()  # first, or the next try may still find it
            connection.close()
    thread = threading.Thread(target=hang_up)
    thread.start()
    at_end(thread.join)


def test_the_report_is_the_same_alone_and_beside_a_server():
    media, database = tmpdir() / "media", tmpdir() / "db"
    shutil.copytree(sample(), media)
    (media / "notes.txt").write_text("x")
    (media / "odd\nname \udcff.xyz").write_text("x")
    (media / "broken.mp3").write_text("x")
    os.mkfifo(media / "pipe.mp3")
    done = salver("scan", "--report", "--json", "--database", database, media)
    equal(0, done.status, f"exit status ({done.err})")
    alone = json.loads(done.out)
    got = {entry["path"].removeprefix(str(media) + "/"): entry["reason"] for entry in alone["files"]}
    equal("otherType", got["notes.txt"])
    equal("special", got["pipe.mp3"])
    assert got["broken.mp3"] in ("notMedia", "broken"), got
    equal("otherType", got["odd\nname \ufffd.xyz"])
    equal(len(got), sum(alone["counts"].values()), "the sum of the counts")
    server = Server(media, database=database)
    done = salver("scan", "--report", "--json", "--database", database, media)
    equal((0, alone), (done.status, json.loads(done.out)))
    done = salver("scan", "--report", "--database", database, media)
    equal(0, done.status)
    assert f'special "{media}/pipe.mp3"\n' in done.out, done.out
    assert 'odd\\x0Aname \\xFF.xyz"\n' in done.out, done.out
    assert re.search(rf"^ +{len(got)} in all$", done.out, re.M), done.out
    server.stop()
    salver("scan", "--json", "--database", database, media).is_refusal(USAGE, "--json", "--report")
    salver("--report", "--database", database, media).is_refusal(USAGE, "--report", "salver scan")


def test_stats_beside_a_server_that_has_just_ended():
    database = scanned()
    listen_and_hang_up(database, 1)  # as one that was killed while a child had its socket
    equal((20, 4, 6), counts(database))
    (database / "control").unlink()
    listen_and_hang_up(database, 2)
    salver("stats", "--database", database).is_refusal(FAILED, str(database), "cannot ask the server")


def test_check_and_stats_without_a_database():
    missing = tmpdir() / "none"
    for command in ("check", "stats"):
        salver(command, "--database", missing).is_refusal(FAILED, f'"{missing}"', "No such file")
        assert not missing.exists(), "a look must not create"
    empty = tmpdir()
    salver("check", "--database", empty).is_refusal(FAILED, f'"{empty}"', "there is no database")


# ---- a damaged store ------------------------------------------------------------------------------


def flip(path, at, n=64):
    with open(path, "r+b") as file:
        file.seek(at)
        old = file.read(n)
        file.seek(at)
        file.write(bytes(b ^ 0xa5 for b in old))


def truncate(path, n):
    os.truncate(path, n)


def copy_of(database):
    path = tmpdir() / "db"
    shutil.copytree(database, path)
    return path


def look_around(server):
    """Browses whatever can still be reached. What was damaged is missing from its folder, or the
    folder answers with a fault; never is there no answer."""
    answered, due = set(), ["0"]
    while due:
        container = due.pop()
        status, reply = server.soap("Browse", {
            "ObjectID": container, "BrowseFlag": "BrowseDirectChildren", "Filter": "*",
            "StartingIndex": 0, "RequestedCount": 0, "SortCriteria": ""})
        assert status in (200, 500), f"Browse({container}): {status}"
        if status == 200:
            answered.add(container)
            didl = ElementTree.fromstring(reply.find(".//Result").text)
            due += [node.get("id") for node in didl.findall("d:container", NAMES)]
    assert {"0", "A", "V", "I"} <= answered, answered


def survives(database, what, named=None):
    """`check` ends without a crash and names the damage; then the server opens the store and lists
    (True), or says in one line why it does not (False)."""
    check = salver("check", "--database", database)
    assert check.status in (0, 1), f"{what}: check ended with {check.status}: {check.err}"
    if named:
        equal(1, check.status, f"{what}: check said {check.out!r} {check.err!r}")
        assert re.search(named, check.out + check.err), f"{what}: {check.out!r} {check.err!r}"
    server = Server(sample(), database=database, wait=False)
    wait_for("an answer or the end", lambda: server.process.poll() is not None or server.answers())
    if server.process.poll() is not None:
        server.ended = True
        equal(FAILED, server.process.returncode, what)
        last = server.log().splitlines()[-1]
        assert last.startswith("salver: ") and str(database) in last, last
        return False
    server.wait_scanned()
    look_around(server)
    server.stop()
    return True


def test_damage_in_a_log_segment_is_named():
    whole = scanned()
    segment = whole / "media-00001.fb"
    used = segment.stat().st_size
    for at in (0, 2048, 4096, 4096 + 200, 8192, used // 2, used - 200):
        database = copy_of(whole)
        flip(database / segment.name, at)
        survives(database, f"bytes flipped at {at}")


def test_a_flipped_record_is_named_by_check():
    database = scanned()
    segment = database / "media-00001.fb"
    at = segment.read_bytes().index("/Norðurljós.flac".encode()[1:])
    flip(segment, at, 4)
    survives(database, "a flipped record", r"log segment 1: the chunk at byte \d+ is damaged")


def test_a_run_that_is_missing_cut_or_has_a_damaged_header_is_rebuilt():
    whole = scanned()
    for run in sorted(whole.glob("index-*.run")):
        for damage in (pathlib.Path.unlink, lambda r: truncate(r, 0), lambda r: truncate(r, 100),
                       lambda r: truncate(r, r.stat().st_size - 1), lambda r: flip(r, 0),
                       lambda r: flip(r, 40), lambda r: flip(r, 1100)):
            database = copy_of(whole)
            damage(database / run.name)
            assert survives(database, f"{run.name}"), "opens"
            equal((20, 4, 6), counts(database), f"{run.name}")
            equal("sound\n", salver("check", "--database", database).out)


def test_damage_inside_a_run_is_named_and_mended():
    whole = scanned()
    for run in sorted(whole.glob("index-*.run")):
        size = run.stat().st_size
        for at in (1200, 1200 + (size - 1200) // 2, size - 70):
            database = copy_of(whole)
            flip(database / run.name, at)
            survives(database, f"{run.name} flipped at {at}", rf"index.* {int(run.stem[6:])}\b")
            equal((20, 4, 6), counts(database), f"{run.name} flipped at {at}")
            equal("sound\n", salver("check", "--database", database).out)


def test_a_damaged_manifest_is_replaced():
    whole = scanned()
    for damage in (lambda m: flip(m, 0), lambda m: flip(m, 100), lambda m: flip(m, 0, 4096),
                   lambda m: truncate(m, 0), lambda m: truncate(m, 100), pathlib.Path.unlink,
                   lambda m: m.write_bytes(b"garbage\n" * 2000)):
        database = copy_of(whole)
        damage(database / "manifest")
        assert survives(database, "manifest"), "opens"
        equal((20, 4, 6), counts(database), "counts with a damaged manifest")


def test_a_truncated_or_foreign_log_opens_or_explains():
    whole = scanned()
    segment = whole / "media-00001.fb"
    size = segment.stat().st_size
    for damage in (lambda m: truncate(m, 0), lambda m: truncate(m, 1000), lambda m: truncate(m, 4096),
                   lambda m: truncate(m, size // 2), lambda m: truncate(m, size - 1),
                   pathlib.Path.unlink, lambda m: m.write_bytes(b"garbage\n" * 5000),
                   lambda m: m.write_bytes(bytes(size))):
        database = copy_of(whole)
        damage(database / segment.name)
        survives(database, "log")


def test_foreign_files_in_the_database_directory_are_left_alone():
    database = scanned()
    for name in ("index-99999999.run", "media-99999.fb", "media-x.fb", "notes.txt", "index-1.run"):
        (database / name).write_bytes(b"not ours\n" * 1000)
    survives(database, "foreign files")
    assert (database / "notes.txt").read_bytes() == b"not ours\n" * 1000
