# SPDX-License-Identifier: MIT
"""Clients that no one here wrote, across two private network namespaces joined by veth."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree

from salver import (BIN, CDS, NAMES, Namespaces, Server, at_end, end_process, equal, need, sample,
                    sample_copy, skip, soap_body, tmpdir, wait_for)

MEDIA_SERVER = "urn:schemas-upnp-org:device:MediaServer:1"
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's GObject packages belong to
GUPNP_CLIENT = pathlib.Path(__file__).with_name("gupnp_client.py")


def browse(server, container):
    """The children of a container, asked with curl from the client's namespace."""
    body = soap_body("Browse", {
        "ObjectID": container, "BrowseFlag": "BrowseDirectChildren", "Filter": "*", "StartingIndex": 0,
        "RequestedCount": 0, "SortCriteria": ""})
    reply = server.namespaces.run([
        "curl", "-sSf", "-H", 'Content-Type: text/xml; charset="utf-8"', "-H",
        f'SOAPACTION: "{CDS}#Browse"', "--data-binary", body, server.url + "/control/ContentDirectory"])
    return ElementTree.fromstring(ElementTree.fromstring(reply).find(".//Result").text)


def resource(server, container, ending):
    """(URL, size) of the first item there whose file has this ending."""
    for res in browse(server, container).iterfind("d:item/d:res", NAMES):
        if urllib.parse.urlsplit(res.text).path.endswith(ending):
            return res.text, int(res.get("size"))
    raise AssertionError(f"no {ending} in {container}")


def bytes_sent(server):
    """By the server, from its own figures: the control socket knows no network namespace."""
    done = subprocess.run([BIN, "stats", "--database", server.database], capture_output=True, check=True)
    return json.loads(done.stdout)["http"]["bytesSent"]


# ---- discovery and browsing -----------------------------------------------------------------------


def test_gssdp_discover_finds_the_media_server():
    need("gssdp-discover", "curl")
    ns = Namespaces()
    server = Server(sample(), namespaces=ns)
    seen = ns.run(["gssdp-discover", "-i", "veth0", "-n", "4", "-t", MEDIA_SERVER])
    assert re.search(rf"USN:\s+uuid:[0-9a-f-]{{36}}::{MEDIA_SERVER}", seen), seen
    location = re.search(r"Location:\s+(\S+)", seen)[1]
    equal(f"{server.url}/description.xml", location)
    assert MEDIA_SERVER in ns.run(["curl", "-sSf", location])


class GUPnP:
    """gupnp_client.py in the client's namespace; `said` is what it wrote so far."""

    def __init__(self, ns):
        modules = "gi.require_version('GUPnP', '1.6'); gi.require_version('GUPnPAV', '1.0')"
        if subprocess.run([SYSTEM_PYTHON, "-c", f"import gi; {modules}"], capture_output=True).returncode:
            skip("python3-gi or gir1.2-gupnp-* is not installed")
        self.out = tmpdir() / "said"
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen(
                ns.command(ns.client, [SYSTEM_PYTHON, GUPNP_CLIENT, "veth0"]), stdin=subprocess.PIPE,
                stdout=out)
        at_end(end_process, self.process)

    def said(self, word):
        return [line for line in map(json.loads, self.lines()) if word in line]

    def lines(self):
        equal([], [line for line in self.out.read_text().splitlines() if '"failed"' in line])
        return [line for line in self.out.read_text().split("\n")[:-1] if line]

    def wait(self, word, n=1, limit_s=15):
        return wait_for(f"{n} times {word} from GUPnP",
                        lambda: len(self.said(word)) >= n and self.said(word), limit_s)


def test_gupnp_browses_and_is_told_of_changes():
    ns = Namespaces()
    media = sample_copy()
    server = Server(media, namespaces=ns)
    client = GUPnP(ns)
    equal(1, len(client.wait("found")))
    client.wait("subscribed")
    check_gupnp_tree({line["container"]: line for line in client.said("container")})

    client.wait("event", 2)  # the initial ones
    first = {line["event"]: line["value"] for line in client.said("event")}
    equal("", first["ContainerUpdateIDs"])
    time.sleep(2.1)  # out of the moderation of the first
    told = len(client.said("event"))
    song = sorted(media.rglob("*.mp3"))[0]
    shutil.copy(song, song.with_name("zz new song.mp3"))
    wait_for("the event of All Music", lambda: any(
        "AT" in str(line["value"]).split(",") for line in client.said("event")[told:]), 15)
    last = [line["value"] for line in client.said("event") if line["event"] == "SystemUpdateID"][-1]
    assert last > first["SystemUpdateID"], (first, last)

    server.stop()
    client.wait("gone")


def check_gupnp_tree(tree):
    equal(["Music", "Video", "Pictures", "Browse Folders"],
          [c["title"] for c in tree["0"]["containers"]], "the root")
    equal(20, len(tree["AT"]["items"]), "All Music")
    for line in tree.values():
        equal(line["total"], len(line["containers"]) + len(line["items"]), line["container"])
        for container in line["containers"]:
            assert container["class"].startswith("object.container"), container
            if container["id"] in tree:
                equal(container["children"], tree[container["id"]]["total"], container["id"])
        for item in line["items"]:
            res = item["resources"][0]
            assert item["title"] and item["class"].startswith("object.item."), item
            assert res["size"] > 0 and res["operation"] == 1 and res["uri"].startswith("http://10.77."), item
    songs = {item["title"]: item for item in tree["AT"]["items"]}
    song = songs["Une dernière valse"]
    equal(("Marie Dubois", "Café de nuit", "MP3", "audio/mpeg"),
          (song["creator"], song["album"], song["resources"][0]["profile"], song["resources"][0]["mime"]))
    assert song["resources"][0]["duration"] > 0, song


# ---- MPD ------------------------------------------------------------------------------------------


class Mpd:
    PORT = 6699

    def __init__(self, ns, server):
        need("mpd", "mpc")
        self.ns = ns
        wait_for("the announcement: MPD searches when it starts, and does not soon again",
                 lambda: "announced on interface" in server.log())
        folder = tmpdir()
        (folder / "mpd.conf").write_text(f"""
bind_to_address "127.0.0.1"
port "{self.PORT}"
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
""")
        wait_for("an IPv6 address that is no longer tentative (libupnp cannot bind to one that is)",
                 lambda: not ns.run(["ip", "-6", "addr", "show", "dev", "veth0", "tentative"]))
        self.log_file = folder / "log"
        command = ["env", f"HOME={folder}", "mpd", "--no-daemon", "--stderr", folder / "mpd.conf"]
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(ns.command(ns.client, command), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        at_end(end_process, self.process)
        wait_for("mpd", self.answers, 15)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"mpd ended\n{self.log_file.read_text()}")
        return self.mpc("status", check=False)

    def mpc(self, *arguments, check=True):
        return self.ns.run(["mpc", "-h", "127.0.0.1", "-p", self.PORT, *arguments], check=check)


def test_mpd_lists_plays_and_seeks():
    ns = Namespaces()
    server = Server(sample(), options=("--name", "Salver of Tests"), namespaces=ns)
    mpd = Mpd(ns, server)
    wait_for("the server in MPD", lambda: "Salver of Tests" in mpd.mpc("ls", check=False), 20)
    equal(["Browse Folders", "Music", "Pictures", "Video"], sorted(
        line.split("/")[1] for line in mpd.mpc("ls", "Salver of Tests").splitlines()), "the root")
    songs = mpd.mpc("-f", "%file% %artist% - %title%", "ls", "Salver of Tests/Music/All Music").splitlines()
    equal(20, len(songs), "All Music")
    assert any("Marie Dubois - Une dernière valse" in song for song in songs), songs

    album = mpd.mpc("ls", "Salver of Tests/Music/Albums").splitlines()
    equal(6, len(album), "albums")
    sent = bytes_sent(server)
    mpd.mpc("add", "Salver of Tests/Music/Artists/Marie Dubois/Café de nuit")
    equal(4, len(mpd.mpc("playlist").splitlines()), "tracks of an album")
    mpd.mpc("play", "1")
    wait_for("playing", lambda: "[playing]" in mpd.mpc("status") and played_s(mpd) >= 1, 15)
    mpd.mpc("seek", "50%")
    wait_for("playing on", lambda: "[playing]" in mpd.mpc("status"), 5)
    mpd.mpc("stop")
    assert "ERROR" not in mpd.mpc("status"), mpd.mpc("status")
    assert bytes_sent(server) - sent > 50000, "MPD read the track"


def played_s(mpd):
    at = re.search(r"(\d+):(\d+)/\d", mpd.mpc("status"))
    return int(at[1]) * 60 + int(at[2]) if at else 0


# ---- players --------------------------------------------------------------------------------------


def test_ffmpeg_reads_every_kind_to_its_end():
    need("ffmpeg", "ffprobe")
    ns = Namespaces()
    server = Server(sample(), namespaces=ns)
    for container, ending, kind in (("AT", ".mp3", "mp3"), ("AT", ".flac", "flac"), ("AT", ".ogg", "vorbis"),
                                    ("AT", ".m4a", "aac"), ("VT", ".mp4", "h264"), ("VT", ".mkv", "h264"),
                                    ("IT", ".jpg", "mjpeg")):
        url, size = resource(server, container, ending)
        probed = json.loads(ns.run(["ffprobe", "-v", "error", "-of", "json", "-show_streams",
                                    "-show_format", url]))
        assert kind in [s["codec_name"] for s in probed["streams"]], f"{ending}: {probed['streams']}"
        if container != "IT":
            equal(str(size), probed["format"]["size"], ending)
        ns.run(["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", url, "-f", "null", "-"])
    film, _ = resource(server, "VT", ".mp4")
    ns.run(["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-ss", "2", "-i", film, "-frames:v", "1", "-f",
            "null", "-"])


def test_vlc_plays_a_film_and_a_song():
    need("cvlc", "setpriv")
    ns = Namespaces()
    server = Server(sample(), namespaces=ns)
    home = tmpdir()
    os.chmod(home, 0o777)
    for container, ending in (("AT", ".mp3"), ("VT", ".mp4")):
        url, size = resource(server, container, ending)
        sent = bytes_sent(server)
        ns.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", f"HOME={home}",
                "cvlc", "--no-dbus", "--aout", "adummy", "--vout", "dummy", "--rate", "8", "--play-and-exit",
                "--run-time", "20", url], 40)
        assert bytes_sent(server) - sent >= size, f"VLC read {bytes_sent(server) - sent} of {size} bytes"


# ---- curl -----------------------------------------------------------------------------------------


def curl(server, url, *options):
    """(status, {header: value}, body size)"""
    folder = tmpdir()
    out = server.namespaces.run(["curl", "-sS", "-D", "-", "-o", folder / "body", "-w", "%{size_download}",
                                 *options, url])
    head, _, size = out.rpartition("\r\n\r\n")
    lines = head.split("\r\n")
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
    return int(lines[0].split()[1]), headers, int(size)


def test_curl_gets_ranges():
    need("curl")
    ns = Namespaces()
    server = Server(sample(), namespaces=ns)
    url, size = resource(server, "VT", ".mp4")
    status, whole, got = curl(server, url)
    equal((200, str(size), size, "bytes", "video/mp4"), (
        status, whole["content-length"], got, whole["accept-ranges"], whole["content-type"]))
    for wanted, first, last in (("0-", 0, size - 1), ("0-99", 0, 99), ("-500", size - 500, size - 1),
                                (f"{size - 1}-", size - 1, size - 1), (f"100-{size * 2}", 100, size - 1),
                                (f"-{size * 2}", 0, size - 1)):
        status, headers, got = curl(server, url, "-H", f"Range: bytes={wanted}")
        equal((206, f"bytes {first}-{last}/{size}", last - first + 1),
              (status, headers["content-range"], got), f"bytes={wanted}")
    for wanted in (f"{size}-", f"{size + 5}-{size + 9}", "-0"):
        status, headers, _ = curl(server, url, "-H", f"Range: bytes={wanted}")
        equal((416, f"bytes */{size}"), (status, headers.get("content-range")), f"bytes={wanted}")
    for wanted in ("bytes=5-4", "bytes=x-", "bytes=", "lines=0-9", "bytes=0-9;"):
        status, _, _ = curl(server, url, "-H", f"Range: {wanted}")
        assert status in (200, 400, 416), f"{wanted}: {status}"

    tag = whole["etag"]
    status, _, got = curl(server, url, "-H", "Range: bytes=0-9", "-H", f"If-Range: {tag}")
    equal((206, 10), (status, got), "If-Range with the tag")
    status, _, got = curl(server, url, "-H", "Range: bytes=0-9", "-H", 'If-Range: "other"')
    equal((200, size), (status, got), "If-Range with another tag")
    status, headers, got = curl(server, url, "-I")
    equal((200, str(size), 0), (status, headers["content-length"], got), "HEAD")


def test_curl_gets_the_headers_of_dlna():
    need("curl")
    ns = Namespaces()
    server = Server(sample(), namespaces=ns)
    for container, ending, mode in (("VT", ".mp4", "Streaming"), ("AT", ".mp3", "Streaming"),
                                    ("IT", ".jpg", "Interactive")):
        url, _ = resource(server, container, ending)
        for options in ((), ("-I",), ("-r", "0-99")):
            status, headers, _ = curl(server, url, "-H", "getcontentFeatures.dlna.org: 1", "-H",
                                      f"transferMode.dlna.org: {mode}", *options)
            assert status in (200, 206), (status, url)
            equal(mode, headers["transfermode.dlna.org"], f"mode of {url}")
            features = headers["contentfeatures.dlna.org"]
            assert re.fullmatch(r"(DLNA\.ORG_PN=\w+;)?DLNA\.ORG_OP=01;DLNA\.ORG_CI=0;DLNA\.ORG_FLAGS=\w{32}",
                                features), features
    status, _, _ = curl(server, url, "-H", "transferMode.dlna.org: Streaming")
    equal(406, status, "a picture cannot be streamed")
