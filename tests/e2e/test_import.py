# SPDX-License-Identifier: MIT
"""salver import from a database that MiniDLNA itself has made of the same files."""
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess

import salver
from salver import (BIN, NAMES, Namespaces, Server, at_end, end_process, equal, need, sample_copy,
                    tmpdir, wait_for)
from test_cli import FAILED, USAGE, salver as run_salver

NORTHERN = "Music/Ásgerður Þórsdóttir/Norðurljós (2004)"


class MiniDLNA:
    """minidlnad in a network namespace of its own; ended when the case ends."""

    def __init__(self, media):
        if not shutil.which("minidlnad", path="/usr/sbin:/usr/bin"):
            salver.skip("minidlnad is not installed")
        need("curl")
        self.ns = Namespaces()
        self.folder = tmpdir()
        self.database = self.folder / "files.db"
        (self.folder / "conf").write_text(
            f"media_dir={media}\ndb_dir={self.folder}\nlog_dir={self.folder}\n"
            "network_interface=veth0\nport=8200\ninotify=no\n")
        self.start()
        log = self.folder / "minidlna.log"
        wait_for("MiniDLNA's scan", lambda: log.exists() and
                 "Finished parsing playlists" in log.read_text(errors="replace"))

    def start(self):
        self.process = subprocess.Popen(
            self.ns.command(self.ns.server, [
                shutil.which("minidlnad", path="/usr/sbin:/usr/bin"), "-S", "-f",
                self.folder / "conf", "-P", self.folder / "pid"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        at_end(end_process, self.process)

    def stop(self):
        end_process(self.process)

    def detail(self, name):
        """(DETAIL_ID, OBJECT_ID) of the file of this name."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as db:
            return db.execute("SELECT d.ID, o.OBJECT_ID FROM DETAILS d JOIN OBJECTS o ON "
                              "o.DETAIL_ID = d.ID WHERE d.PATH LIKE ?", (f"%/{name}",)).fetchone()

    def set_bookmark(self, object_id, seconds):
        """As a Samsung TV does. Started anew: while it makes its database, it cannot read it."""
        self.stop()
        self.start()
        body = salver.soap_body("X_SetBookmark", {"CategoryType": "", "RID": "0",
                                                  "ObjectID": object_id, "PosSecond": seconds})
        command = ["curl", "-fsS", "-H", 'Content-Type: text/xml; charset="utf-8"', "-H",
                   f'SOAPAction: "{salver.CDS}#X_SetBookmark"', "--data-binary", body,
                   f"http://{self.ns.server_address}:8200/ctl/ContentDir"]
        wait_for("MiniDLNA", lambda: self.ns.run(command, check=False))


def media_with_playlists():
    media = sample_copy()
    (media / NORTHERN / "evening.m3u").write_text(
        "#EXTM3U\n02 Vetrarnótt.flac\n01 Ís og eldur.flac\nmissing.flac\n")
    (media / "Music" / "mix.pls").write_text(
        "[playlist]\nFile1=Marie Dubois/Café de nuit (1998)/03 Ça ira mieux demain.mp3\n"
        "File2=Various Artists/Summer Mixtape (2020)/02 Blåbær.mp3\nNumberOfEntries=2\nVersion=2\n")
    return media


def without_probe():
    """The server without the program that reads files: it shows what is stored."""
    path = tmpdir() / "salver"
    shutil.copy(BIN, path)
    return path


def counts(database):
    found = run_salver("stats", "--database", database)
    equal(0, found.status, found.err)
    library = json.loads(found.out)["library"]
    return {key: library[key] for key in library if key in (
        "audio", "video", "images", "artists", "albums", "genres")}


def items(server, container):
    """What a listing shows of its items, by title."""
    root = server.browse(container)[0]
    found = {}
    for item in root.findall("d:item", NAMES):
        def text(tag, item=item):
            node = item.find(tag, NAMES)
            return node.text if node is not None else None
        res = item.find("d:res", NAMES)
        found[text("dc:title")] = {
            "artist": text("upnp:artist"), "album": text("upnp:album"),
            "genre": text("upnp:genre"), "track": text("upnp:originalTrackNumber"),
            "size": res.get("size"), "duration": res.get("duration"),
            "resolution": res.get("resolution")}
    return found


def same_facts(scanned, imported):
    """Every title, and for each the same facts; durations by the second: MiniDLNA reads some
    files' headers only."""
    equal(sorted(scanned), sorted(imported), "titles")
    for title, facts in scanned.items():
        got = dict(imported[title])
        for f in (facts, got):
            f["duration"] = f["duration"] and f["duration"].split(".")[0]
        equal(facts, got, title)


def test_what_minidlna_knows_is_what_a_scan_finds():
    media = media_with_playlists()
    other = MiniDLNA(media)
    detail, object_id = other.detail("02 Vetrarnótt.flac")
    other.set_bookmark(object_id, 61)
    other.stop()
    before = other.database.read_bytes()
    with sqlite3.connect(other.database) as db:
        equal((61,), db.execute("SELECT SEC FROM BOOKMARKS WHERE ID = ?", (detail,)).fetchone())

    database = tmpdir() / "db"
    look = run_salver("import", "--dry-run", "--database", database, other.database, media)
    equal(0, look.status, look.err)
    assert not database.exists(), "a dry run stores nothing"
    done = run_salver("import", "--database", database, other.database, media)
    equal((0, ""), (done.status, done.err))
    print(done.out)
    equal(look.out.replace("would be stored", "stored"), done.out.split("Imported files")[0])
    for line in (r"MiniDLNA, schema version \d+", r"32 items: 29 stored, 0 known already, 3 skipped",
                 r"2 playlists with 4 entries stored, 0 known already, 0 skipped",
                 r"1 bookmarks stored, 0 known already, 0 skipped"):
        assert re.search(f"^{line}$", done.out, re.M), f"no {line!r} in {done.out}"
    equal(before, other.database.read_bytes(), "the source")

    # again, nothing comes twice
    again = run_salver("import", "--database", database, other.database, media).out
    assert "0 playlists with 0 entries stored, 2 known already" in again, again
    assert "0 bookmarks stored, 1 known already" in again, again

    scanned = Server(media)
    copy = tmpdir() / "db"
    shutil.copytree(database, copy)
    salver.BIN, real = str(without_probe()), salver.BIN
    try:
        imported = Server(media, database=copy)
    finally:
        salver.BIN = real
    same_facts(items(scanned, "AT"), items(imported, "AT"))
    films, theirs = items(scanned, "VT"), items(imported, "VT")
    theirs["Big Wheel"] = theirs.pop("Big Wheel (2022)")  # MiniDLNA reads no titles in Matroska
    same_facts(films, theirs)
    pictures, theirs = items(scanned, "IT"), items(imported, "IT")
    theirs["cover"] = pictures["cover"]  # of a folder without music, left to the scan
    equal(pictures, theirs, "pictures")
    scanned.stop()
    imported.stop()

    # the next scan reads every file once; then the library is as if it had never been imported
    first = run_salver("scan", "--database", database, media)
    assert re.search(r"^30 files found, 0 unchanged, 30 stored, 0 removed, 0 failed$", first.out,
                     re.M), first.out
    second = run_salver("scan", "--database", database, media)
    assert re.search(r"^30 files found, 30 unchanged, 0 stored", second.out, re.M), second.out
    equal(counts(scanned.database), counts(database), "the library")
    after = run_salver("import", "--database", database, other.database).out
    assert "0 stored, 29 known already, 3 skipped" in after, after
    equal("sound\n", run_salver("check", "--database", database).out)

    # and the playlists are what they were
    server = Server(media, database=database)
    lists = {c.find("dc:title", NAMES).text: list(items(server, c.get("id")))
             for c in server.browse("P")[0].findall("d:container", NAMES)}
    equal({"evening": ["Vetrarnótt", "Ís og eldur"], "mix": ["Ça ira mieux demain", "Blåbær"]},
          lists, "playlists")


def test_damaged_databases_of_minidlna_do_no_harm():
    media = media_with_playlists()
    other = MiniDLNA(media)
    other.stop()
    whole, damaged = other.database.read_bytes(), tmpdir() / "files.db"
    chance = random.Random(int(os.environ.get("SALVER_SEED", "1")))
    refused = 0
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 40)):
            page = chance.randrange(len(data) // 4096) * 4096
            at = page + chance.randrange(4096 if chance.random() < 0.5 else 100)
            data[at] = chance.randrange(256)
        damaged.write_bytes(data)
        done = run_salver("import", "--database", tmpdir() / "db", damaged, media)
        assert done.status in (0, FAILED), f"status {done.status}: {done.err}"
        if done.status == FAILED:
            done.is_refusal(FAILED, damaged)
            refused += 1
    print(f"{refused} of 150 damaged databases were refused")
    assert refused > 10, "they were hardly damaged"


def test_import_is_refused_while_a_server_holds_the_library():
    media = sample_copy()
    server = Server(media)
    source = pathlib.Path(tmpdir() / "media.db")
    with sqlite3.connect(source) as db:
        db.execute("CREATE TABLE media_files (id INTEGER PRIMARY KEY, path TEXT, mime_type TEXT)")
        db.execute("CREATE TABLE database_metadata (key TEXT, value TEXT)")
        db.execute("INSERT INTO media_files (path, mime_type) VALUES (?, 'video/mp4')",
                   (str(media / "Video/Séries/Épisode 1.mp4"),))
    db.close()
    run_salver("import", "--database", server.database, source, media).is_refusal(
        FAILED, server.database)
    # to look is allowed
    look = run_salver("import", "--dry-run", "--database", server.database, source, media)
    equal(0, look.status, look.err)
    assert "1 items: 0 would be stored, 1 known already, 0 skipped" in look.out, look.out
    server.stop()
    done = run_salver("import", "--database", server.database, source, media)
    equal(0, done.status, done.err)


def test_import_says_what_is_wrong():
    media = sample_copy()
    database = tmpdir() / "db"
    run_salver("import").is_refusal(USAGE, "needs a file")
    run_salver("import", "--as", "plex", "x.db").is_refusal(USAGE, '"plex"', "minidlna or vuio")
    run_salver("import", "--database", database, "/nowhere/files.db", media).is_refusal(
        FAILED, "/nowhere/files.db", "No such file")
    run_salver("import", "--database", database, "/nowhere/files.db", "/nowhere").is_refusal(
        USAGE, "/nowhere")
    text = tmpdir() / "files.db"
    text.write_text("no database\n" * 100)
    run_salver("import", "--database", database, text, media).is_refusal(
        FAILED, text, "no SQLite database")
    with sqlite3.connect(text.with_name("other.db")) as db:
        db.execute("CREATE TABLE t (a)")
    db.close()
    run_salver("import", "--database", database, text.with_name("other.db"), media).is_refusal(
        FAILED, "other.db", "no database of MiniDLNA or VuIO")
    run_salver("import", "--database", database, text.with_name("other.db")).is_refusal(
        FAILED, "no database of")
