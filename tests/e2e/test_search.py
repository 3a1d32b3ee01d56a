# SPDX-License-Identifier: MIT
"""Search as control points use it: by SOAP against what Browse shows, and by mpd."""
import json
import os
import shutil
import subprocess
import unicodedata
import urllib.parse
import xml.etree.ElementTree as ElementTree

from salver import (NAMES, Namespaces, Server, at_end, end_process, equal, need, sample, sample_copy,
                    tmpdir, wait_for)

AUDIO = 'upnp:class derivedfrom "object.item.audioItem"'


def search(server, container, criteria, start=0, count=0, sort=""):
    """(DIDL root, NumberReturned, TotalMatches), or the error code of a fault."""
    status, reply = server.soap("Search", {
        "ContainerID": container, "SearchCriteria": criteria, "Filter": "*", "StartingIndex": start,
        "RequestedCount": count, "SortCriteria": sort})
    if status == 500:
        return int(reply.find(".//{urn:schemas-upnp-org:control-1-0}errorCode").text)
    equal(200, status, criteria)
    field = {node.tag: node.text for node in reply.iter() if node.text}
    return (ElementTree.fromstring(field["Result"]), int(field["NumberReturned"]),
            int(field["TotalMatches"]))


def ids(root):
    return [node.get("id") for node in root]


def home_ids(server, container, keep=lambda item: True):
    """Ids at home of the items that Browse lists there, where keep() says so."""
    items = server.browse(container)[0].findall("d:item", NAMES)
    return sorted(item.get("refID") or item.get("id") for item in items if keep(item))


def fold(text):
    """Without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


def texts(item, name):
    return [fold(node.text) for node in item.findall(name, NAMES)]


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_search_is_advertised_and_finds_what_browse_shows():
    server = Server(sample())
    _, reply = server.soap("GetSearchCapabilities", {})
    caps = reply.find(".//SearchCaps").text.split(",")
    assert {"dc:title", "upnp:class", "upnp:artist", "upnp:album", "upnp:genre", "@refID"} <= set(caps)
    assert "<name>Search</name>" in server.get("/scpd/ContentDirectory.xml")[2].decode()

    # WMP, Denon, Xbox
    found, _, total = search(server, "0", f"{AUDIO} and @refID exists false")
    equal((home_ids(server, "AT"), len(found)), (sorted(ids(found)), total))
    equal([None], list({item.get("refID") for item in found}))
    for container, kind in (("VT", "videoItem"), ("IT", "imageItem")):
        found = search(server, "0", f'upnp:class derivedfrom "object.item.{kind}"')[0]
        equal(home_ids(server, container), sorted(ids(found)), kind)

    song = server.browse("AT")[0].findall("d:item", NAMES)[0]
    for name in ("upnp:artist", "upnp:album", "upnp:genre", "dc:title"):
        text = song.find(name, NAMES).text
        want = home_ids(server, "AT", lambda item: fold(text) in texts(item, name))
        found = search(server, "A", f"{AUDIO} and {name} = {quoted(text.upper())}")[0]
        equal(want, sorted(ids(found)), f"{name} = {text}")
        part = fold(text[:3])
        want = home_ids(server, "AT", lambda item: any(part in t for t in texts(item, name)))
        found = search(server, "A", f"{AUDIO} and {name} contains {quoted(part)}")[0]
        equal(want, sorted(ids(found)), f"{name} contains {part}")


def typed(server, text, **more):
    """What the page gets while somebody types."""
    query = urllib.parse.urlencode({"q": text, **more}, quote_via=urllib.parse.quote)
    status, _, body = server.get(f"/api/v1/search?{query}")
    equal(200, status, text)
    return json.loads(body)


def test_what_is_typed_finds_what_has_every_word():
    server = Server(sample())
    for song in server.browse("AT")[0].findall("d:item", NAMES):
        title, artist = (song.find(name, NAMES) for name in ("dc:title", "upnp:artist"))
        if artist is None:
            continue
        words = f"{fold(title.text)[:4]}  {artist.text.upper()}"
        found = typed(server, words, kind="audio")
        assert song.get("refID") in [item["id"] for item in found["children"]], words
        equal(found["total"], len(found["children"]), words)
        equal(0, typed(server, words + " qqqq")["total"], words)


def metric(server, name):
    line = next(l for l in server.get("/metrics")[2].decode().splitlines() if l.startswith(name + " "))
    return int(line.split()[1])


def test_a_page_is_kept_until_its_container_changes():
    media = sample_copy()
    server = Server(media)
    before = [server.browse("AT") for _ in range(3)]
    equal([ElementTree.tostring(before[0][0])] * 3, [ElementTree.tostring(b[0]) for b in before])
    assert metric(server, "salver_page_cache_hits_total") >= 2
    song = next(os.path.join(d, f) for d, _, files in os.walk(media) for f in files
                if f.endswith((".mp3", ".flac")))
    end = os.path.splitext(song)[1]
    shutil.copy(song, os.path.join(media, "one more" + end))
    wait_for("the new song", lambda: len(server.browse("AT")[0]) == len(before[0][0]) + 1)


def test_containers_are_found_by_class():
    server = Server(sample())
    for container, kind in (("AR", "person.musicArtist"), ("AL", "album.musicAlbum"),
                            ("AG", "genre.musicGenre")):
        found = search(server, "0", f'upnp:class = "object.container.{kind}"')[0]
        want = server.browse(container)[0]
        equal([ElementTree.tostring(c) for c in want], [ElementTree.tostring(c) for c in found], kind)


def test_pages_of_a_search_are_the_whole():
    server = Server(sample())
    for criteria in ("*", AUDIO, 'dc:title contains "e"'):
        whole, returned, total = search(server, "0", criteria)
        equal((total, total), (returned, len(whole)), criteria)
        for size in (1, 3, 7):
            paged = []
            while len(paged) < total:
                page, page_n, page_total = search(server, "0", criteria, len(paged), size)
                equal((total, len(page)), (page_total, page_n), criteria)
                assert page_n > 0, (criteria, len(paged))
                paged += ids(page)
            equal(ids(whole), paged, criteria)
        equal((0, total), search(server, "0", criteria, total + 5, 3)[1:], "beyond the end")


def test_a_folder_holds_only_what_is_below_it():
    server = Server(sample())
    for folder in server.browse("F")[0].findall("d:container", NAMES):
        want, due = [], [folder.get("id")]
        while due:
            container = due.pop()
            children = server.browse(container)[0]
            due += [c.get("id") for c in children.findall("d:container", NAMES)]
            want += [c.get("id") for c in children.findall("d:item", NAMES)]
        found = search(server, folder.get("id"), 'upnp:class derivedfrom "object.item"')[0]
        equal(sorted(want), sorted(ids(found)), folder.get("id"))


def test_wrong_searches_have_their_codes():
    server = Server(sample())
    equal(708, search(server, "0", "dc:title like 'x'"))
    equal(708, search(server, "0", "(" * 5000))
    equal(709, search(server, "0", "*", sort="-dc:title"))
    equal(710, search(server, "nowhere", "*"))
    status, _ = server.soap("Search", {"ContainerID": "0"})
    equal(500, status, "without its arguments")


# ---- mpd ------------------------------------------------------------------------------------------


def start_mpd(ns):
    """Returns what to put before an mpc command."""
    folder = tmpdir()
    config = folder / "mpd.conf"
    config.write_text(f"""
database {{
  plugin "upnp"
  interface "veth0"
}}
audio_output {{
  type "null"
  name "nothing"
}}
input {{
  plugin "curl"
}}
state_file "{folder}/state"
bind_to_address "127.0.0.1"
port "6699"
""")
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(ns.command(ns.client, ["mpd", "--no-daemon", "--stderr", config]),
                                   stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)})
    at_end(end_process, process)
    return ["mpc", "-h", "127.0.0.1", "-p", "6699"]


def test_mpd_searches_finds_and_adds():
    need("mpd", "mpc")
    ns = Namespaces()
    media = sample_copy()
    Server(media, namespaces=ns)
    # There, and no longer tentative: libupnp cannot bind to one that is.
    wait_for("an IPv6 address", lambda: "fe80" in (text := ns.run(
        ["ip", "-6", "address", "show", "dev", "veth0"])) and "tentative" not in text, 15)
    mpc = start_mpd(ns)
    wait_for("the server in mpd", lambda: ns.run(mpc + ["ls"], check=False).strip(), 30)
    artists = {}
    for line in ns.run(mpc + ["-f", "%artist%\t%title%", "search", "title", ""]).splitlines():
        artist, title = line.split("\t")
        artists.setdefault(artist, []).append(title)
    artist = max(artists, key=lambda name: (bool(name), len(artists[name])))
    for how in ("search", "find"):
        found = ns.run(mpc + ["-f", "%title%", how, "artist", artist]).splitlines()
        assert set(artists[artist]) <= set(found), (how, artist, found)
    ns.run(mpc + ["findadd", "artist", artist])
    added = ns.run(mpc + ["-f", "%title%", "playlist"]).splitlines()
    assert set(artists[artist]) <= set(added), added
    ns.run(mpc + ["play"])
    wait_for("mpd playing", lambda: "[playing]" in ns.run(mpc + ["status"]), 15)
    ns.run(mpc + ["stop"])
