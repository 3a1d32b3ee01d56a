# SPDX-License-Identifier: MIT
"""Playlist files from the disk to players, and back to the disk."""
import os
import subprocess

from media import mp3_frames, song
from salver import BIN, NAMES, Server, equal, tmpdir, wait_for


def make_media():
    media = tmpdir() / "media"
    frames = mp3_frames()
    for folder, number in (("A", 1), ("A", 2), ("B", 3)):
        (media / folder).mkdir(parents=True, exist_ok=True)
        (media / folder / f"{number}.mp3").write_bytes(song(number, frames)[1])
    return media


def playlists(server):
    """{title: container id} of what a TV finds under Playlists."""
    return {node.find("dc:title", NAMES).text: node.get("id")
            for node in server.browse("P")[0].findall("d:container", NAMES)}


def streams(server, container):
    return [node.find("d:res", NAMES).text for node in server.browse(container)[0].findall("d:item", NAMES)]


def two_ids(server):
    ids = [p["playlistId"] for p in server.json("/api/v1/playlists")["playlists"]]
    return ids if len(ids) == 2 else None


def run(*arguments, cwd=None):
    done = subprocess.run([BIN, *map(str, arguments)], capture_output=True, text=True, timeout=30, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


def test_playlist_file_is_a_container_in_its_order_and_follows_the_file():
    media = make_media()
    mix = media / "mix.m3u"
    mix.write_text("#EXTM3U\n#PLAYLIST:Abendmusik\n../media/B/3.mp3\nA/1.mp3\ngone.mp3\n"
                   "http://radio.example/x\nB/3.mp3\n")
    server = Server(media)
    container = playlists(server)["Abendmusik"]
    names = {url: node.find("dc:title", NAMES).text for node in server.browse("AT")[0].findall("d:item", NAMES)
             for url in [node.find("d:res", NAMES).text]}
    wanted = streams(server, container)
    equal(3, len(wanted), "entries that can be played")
    equal(wanted[0], wanted[2], "the entry that is there twice")
    ids = [node.get("id") for node in server.browse(container)[0].findall("d:item", NAMES)]
    equal(3, len(set(ids)), "ids of entries")
    assert set(wanted) <= set(names), "streams of the playlist are those of the files"
    for at, want in enumerate(ids):  # page by page
        equal(want, server.browse(container, at, 1)[0].find("d:item", NAMES).get("id"), "page")

    status, headers, body = server.get(f"/playlist/{container[2:]}.m3u8")
    equal((200, "audio/x-mpegurl; charset=utf-8"), (status, headers["Content-Type"]))
    lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
    equal(wanted[:2] + ["http://radio.example/x"] + wanted[2:], lines, "what players get")

    mix.write_text("A/2.mp3\n")
    wait_for("the changed playlist", lambda: playlists(server) == {"mix": container})
    equal(1, len(streams(server, container)), "entries after the change")
    mix.unlink()
    wait_for("the end of the playlist", lambda: not playlists(server))


def test_playlists_are_listed_and_written_beside_a_server_and_alone():
    media = make_media()
    (media / "lists").mkdir()
    (media / "lists/x.pls").write_text("[playlist]\nFile1=../A/2.mp3\nFile2=../B/3.mp3\nTitle2=x\n"
                                       "File3=http://radio.example/x\nTitle3=Radio\nFile4=../A/2.mp3\n")
    server = Server(media)
    database = ("--database", server.database)
    number = playlists(server)["x"][2:]
    equal((0, f'{number}: "x", 4 entries, 3 of them there, from "{media}/lists/x.pls"\n', ""),
          run("playlists", *database), "list")
    beside = tmpdir() / "out.m3u8"
    equal((0, "", ""), run("export", *database, number, beside), "export beside the server")
    places = [line for line in beside.read_text().splitlines() if not line.startswith("#")]
    files = [os.path.normpath(beside.parent / place) for place in places if "://" not in place]
    equal([str(media / name) for name in ("A/2.mp3", "B/3.mp3", "A/2.mp3")], files, "places")
    equal("http://radio.example/x", places[2])

    # What was written into the media is read again, and says the same.
    equal((0, "", ""), run("export", *database, number, "again.m3u8", cwd=media / "A"))
    ids = wait_for("the exported playlist", lambda: two_ids(server))
    wait_for("its entries", lambda: len({tuple(streams(server, f"pl{n}")) for n in ids}) == 1)
    equal(3, len(streams(server, f"pl{ids[0]}")), "entries of both")
    assert not list(media.rglob("*.part"))
    server.stop()
    equal((0, beside.read_text(), ""), run("export", *database, number, cwd=beside.parent), "export alone")
    status, out, err = run("export", *database, 99, beside)
    equal((1, ""), (status, out))
    assert "no such playlist" in err and "playlists" in err, err
    equal(1, run("export", *database, number, tmpdir() / "no/such/x.m3u8")[0], "no directory")
    equal(2, run("export", *database)[0], "usage")


def test_hostile_playlist_files_cost_nothing_but_themselves():
    media = make_media()
    (media / "ok.m3u").write_text("A/1.mp3\n")
    with open(media / "huge.m3u", "wb") as f:
        f.truncate(1 << 30)
    (media / "lines.m3u").write_bytes(b"a\n" * 2_000_000)
    (media / "nul.m3u").write_bytes(b"\0" * 3_000_000)
    (media / "slashes.m3u").write_bytes((b"/" + b"a/" * 2000 + b"\n") * 1000)
    (media / "drives.pls").write_bytes(b"".join(b"File%d=C:\\x\\y\\z\\%d.mp3\n" % (i, i) for i in range(50000)))
    (media / "dir.m3u").mkdir()
    os.mkfifo(media / "fifo.m3u")
    (media / "a.m3u").write_text("b.m3u\n")
    (media / "b.m3u").write_text("a.m3u\n")
    server = Server(media)
    equal(1, len(streams(server, playlists(server)["ok"])), "entries of the good one")
    found = server.json("/api/v1/playlists")
    names = {p["name"]: p["entries"] for p in found["playlists"]}
    equal({"ok": 1, "lines": 100000, "nul": 0, "slashes": 1000, "drives": 50000, "a": 0, "b": 0}, names)
    assert "huge.m3u" in server.log() and server.memory_kib() < 64 * 1024, server.memory_kib()
    print(f"    RssAnon {server.memory_kib()} KiB")
