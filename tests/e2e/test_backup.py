# SPDX-License-Identifier: MIT
"""salver backup, restore and repair: beside a server, alone, and with what can go wrong."""
import json
import os
import re
import shutil
import threading

from salver import Server, equal, sample, tmpdir
from test_cli import FAILED, USAGE, counts, flip, salver, scanned

WHOLE = (20, 4, 6)


def told(done):
    equal(0, done.status, done.out + done.err)
    return done.out


def sound(database):
    equal("sound\n", told(salver("check", "--database", database)), f"check of {database}")


def names(path):
    return sorted(entry.name for entry in path.iterdir())


def test_backup_and_restore_alone():
    database, place = scanned(), tmpdir()
    copy = place / "copy"
    assert re.fullmatch(r"commit \d+ of the library is in .*copy\n",
                        told(salver("backup", "--database", database, copy)))
    sound(copy)
    equal(WHOLE, counts(copy))
    assert not (place / "copy.partial").exists()
    shutil.rmtree(database)
    assert "is as of commit" in told(salver("restore", "--database", database, copy))
    sound(database)
    equal(WHOLE, counts(database))
    again = salver("scan", "--database", database, sample())
    assert again.out.startswith("30 files found, 30 unchanged, 0 stored"), again.out


def test_backup_beside_a_server_goes_on_while_it_serves():
    server = Server(sample())
    place = tmpdir()
    stop = threading.Event()
    failures = []

    def browse():
        while not stop.is_set():
            try:
                server.browse("AT")
            except Exception as error:  # whatever it is, it is told below
                failures.append(error)
                return
    thread = threading.Thread(target=browse)
    thread.start()
    for number in range(3):
        told(salver("backup", "--database", server.database, place / f"copy{number}"))
    stop.set()
    thread.join()
    equal([], failures)
    # relative to where the person is, not to where the server is
    told(salver("backup", "--database", server.database, "here", before=("env", "-C", place)))
    sound(place / "here")
    for number in range(3):
        sound(place / f"copy{number}")
        equal(WHOLE, counts(place / f"copy{number}"))
    done = salver("restore", "--force", "--database", server.database, place / "copy0")
    done.is_refusal(FAILED, "another salver", f"pid {server.process.pid}", "stop it first")
    done = salver("repair", "--database", server.database)
    done.is_refusal(FAILED, "another salver", "stop it first")
    equal(200, server.get("/description.xml")[0])


def test_what_is_in_the_way_is_not_touched():
    database, place = scanned(), tmpdir()
    (place / "full").mkdir()
    (place / "full" / "mine").write_text("x")
    salver("backup", "--database", database, place / "full").is_refusal(
        FAILED, f'"{place}/full"', "not an empty directory")
    salver("backup", "--database", database, place / "no" / "such").is_refusal(
        FAILED, "No such file or directory")
    server = Server(sample())
    salver("backup", "--database", server.database, place / "full").is_refusal(
        FAILED, f'"{place}/full"', "not an empty directory")
    equal(["mine"], names(place / "full"))
    told(salver("backup", "--database", database, place / "copy"))
    salver("restore", "--database", database, place / "copy").is_refusal(
        FAILED, f'"{database}"', "--force")
    before = names(database.parent)
    told(salver("restore", "--force", "--database", database, place / "copy"))
    equal(before, names(database.parent), "nothing is left beside it")
    equal(WHOLE, counts(database))
    salver("restore", "--force", "--database", database, place / "full").is_refusal(
        FAILED, "there is no database")
    equal(WHOLE, counts(database))


def compacted(database):
    out = told(salver("compact", "--database", database))
    match = re.fullmatch(r"(\d+) kB of records before, (\d+) kB after\n", out)
    assert match and int(match[2]) <= int(match[1]), out


def test_compact_alone_and_beside_a_server():
    folder = tmpdir() / "media"
    shutil.copytree(sample(), folder)
    database = tmpdir() / "db"
    for moment in range(4):  # everything is stored anew each time
        for path in folder.rglob("*"):
            os.utime(path, (moment * 1e6, moment * 1e6))
        told(salver("scan", "--database", database, folder))
    compacted(database)
    sound(database)
    equal(WHOLE, counts(database))
    server = Server(folder, database=database)
    before = server.walk()
    compacted(database)
    equal(before, server.walk(), "what is listed")
    sound(database)
    server.stop()
    sound(database)
    salver("compact", "--database", tmpdir() / "none").is_refusal(FAILED, "No such file")


def test_wrong_words():
    salver("compact", "/a").is_refusal(USAGE, '"/a"', "--database")
    salver("backup").is_refusal(USAGE, "backup needs a directory")
    salver("restore").is_refusal(USAGE, "restore needs a directory")
    salver("backup", "/a", "/b").is_refusal(USAGE, '"/b"', "--database")
    salver("repair", "/a").is_refusal(USAGE, '"/a"', "--database")
    salver("check", "--force").is_refusal(USAGE, "--force goes with salver restore only")


def damaged():
    """A library with a record of Norðurljós.flac that cannot be read any more."""
    database = scanned()
    segment = database / "media-00001.fb"
    flip(segment, segment.read_bytes().index("/Norðurljós.flac".encode()[1:]) + 2, 2)
    return database


def test_a_damaged_backup_is_refused():
    database, copy = scanned(), damaged()
    done = salver("restore", "--force", "--database", database, copy)
    done.is_refusal(FAILED, "is damaged; nothing was changed", "salver repair")
    assert "is damaged (commit" in done.out, done.out
    sound(database)


def test_a_backup_of_a_damaged_library_says_so():
    place = tmpdir()
    done = salver("backup", "--database", damaged(), place / "copy")
    done.is_refusal(FAILED, "complete", "salver repair")
    assert (place / "copy" / "manifest").exists()


def test_repair_names_what_is_lost_and_a_scan_brings_it_back():
    database = damaged()
    equal(FAILED, salver("check", "--database", database).status)
    out = told(salver("repair", "--database", database))
    assert re.search(r"log segment 1: bytes \d+ to \d+ are lost \(commit \d+, \d+ records of table media",
                     out), out
    assert 'lost: record ' in out and "places were damaged" in out, out
    aside = database.with_name(database.name + ".damaged")
    assert (aside / "media-00001.fb").exists(), names(database.parent)
    done = salver("scan", "--database", database, sample())
    equal(0, done.status, done.err)
    sound(database)
    equal(WHOLE, counts(database))
    equal("sound: there is nothing to repair\n", told(salver("repair", "--database", database)))


def test_repair_of_a_library_that_does_not_open():
    """Both headers of the only segment and the manifest are gone: nothing says what it is."""
    database = scanned()
    (database / "manifest").unlink()
    flip(database / "media-00001.fb", 0)
    flip(database / "media-00001.fb", 2048)
    salver("check", "--database", database).is_refusal(FAILED, "salver repair")
    out = told(salver("repair", "--database", database))
    assert "a new server" in out, out
    sound(database)
    equal(WHOLE, counts(database))
    assert json.loads(salver("stats", "--database", database).out)


def test_nothing_to_repair_or_restore():
    missing = tmpdir() / "none"
    salver("repair", "--database", missing).is_refusal(FAILED, f'"{missing}"', "No such file")
    assert not missing.exists()
    empty = tmpdir()
    salver("repair", "--database", empty).is_refusal(FAILED, f'"{empty}"', "there is no database")
    salver("restore", "--database", missing, empty).is_refusal(FAILED, "there is no database")
    assert not os.path.exists(missing)
