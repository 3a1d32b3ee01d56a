# SPDX-License-Identifier: MIT
"""The DLNA device as a control point sees it: documents, Browse, faults, events, restarts."""
import http.client
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree

from salver import CDS, NAMES, Server, at_end, equal, need, sample, sample_copy, wait_for

DEVICE = "{urn:schemas-upnp-org:device-1-0}"
SCPD = "{urn:schemas-upnp-org:service-1-0}"
XML = 'text/xml; charset="utf-8"'
CM = "urn:schemas-upnp-org:service:ConnectionManager:1"
MRR = "urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1"


def fields(node):
    return {child.tag.split("}")[1]: child.text or "" for child in node}


def services_of(server):
    root = ElementTree.fromstring(server.get("/description.xml")[2])
    return [fields(node) for node in root.iter(DEVICE + "service")]


def fault_code(reply):
    """(status, root) of Server.soap() -> its errorCode; 0 where it is an answer."""
    status, root = reply
    if status == 200:
        return 0
    equal(500, status, "status of a fault")
    return int(root.find(".//{urn:schemas-upnp-org:control-1-0}errorCode").text)


# ---- documents ----------------------------------------------------------------------------------


def test_description_and_scpds_are_served_and_agree():
    server = Server(sample())
    status, headers, body = server.get("/description.xml")
    equal(200, status)
    equal(XML, headers["Content-Type"])
    equal(str(len(body)), headers["Content-Length"])
    status, head, nothing = server.get("/description.xml", method="HEAD")
    equal((200, str(len(body)), b""), (status, head["Content-Length"], nothing), "HEAD")

    device = ElementTree.fromstring(body).find(DEVICE + "device")
    assert re.fullmatch(r"uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                        device.find(DEVICE + "UDN").text)
    equal([CDS, CM, MRR], [s["serviceType"] for s in services_of(server)], "services")
    for service in services_of(server):
        check_scpd(server, service)


def check_scpd(server, service):
    status, headers, body = server.get(service["SCPDURL"])
    equal((200, XML), (status, headers["Content-Type"]), service["SCPDURL"])
    root = ElementTree.fromstring(body)
    variables = {fields(v)["name"] for v in root.iter(SCPD + "stateVariable")}
    for action in root.iter(SCPD + "action"):
        name = action.find(SCPD + "name").text
        arguments = [fields(a) for a in action.iter(SCPD + "argument")]
        assert {a["relatedStateVariable"] for a in arguments} <= variables, name
        code = fault_code(server.soap(name, {}, service["serviceType"]))
        wanted = [a for a in arguments if a["direction"] == "in"]
        equal(402 if wanted else 0, code, f"{name} without arguments")
        if not wanted:
            _, reply = server.soap(name, {}, service["serviceType"])
            answer = reply.find(f".//{{{service['serviceType']}}}{name}Response")
            equal([a["name"] for a in arguments], [child.tag for child in answer], f"outs of {name}")
    equal(401, fault_code(server.soap("NoSuchAction", {}, service["serviceType"])))


def test_icons_decode():
    need("ffprobe")
    server = Server(sample())
    root = ElementTree.fromstring(server.get("/description.xml")[2])
    icons = [fields(node) for node in root.iter(DEVICE + "icon")]
    equal(4, len(icons), "icons")
    for icon in icons:
        status, headers, body = server.get(icon["url"])
        equal((200, icon["mimetype"]), (status, headers["Content-Type"]), icon["url"])
        said = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of",
                               "json", "-"], input=body, capture_output=True, check=True).stdout
        stream = json.loads(said)["streams"][0]
        equal((icon["width"], icon["height"]), (str(stream["width"]), str(stream["height"])))


# ---- Browse -------------------------------------------------------------------------------------


def text_of(node):
    return ElementTree.tostring(node)


def check_container(server, container):
    """Pages agree with the whole, metadata with the listing; returns the child containers."""
    root, returned, total, update_id, _ = server.browse(container)
    children = list(root)
    equal((total, total), (returned, len(children)), f"children of {container}")
    for size in (1, 3, 7):
        paged, start = [], 0
        while True:
            page, page_n, page_total, page_update, _ = server.browse(container, start, size)
            equal((total, update_id, len(page)), (page_total, page_update, page_n), container)
            if page_n == 0:
                break
            paged += list(page)
            start += page_n
        equal([text_of(c) for c in children], [text_of(c) for c in paged], f"pages of {container}")
    for child in children:
        equal(container, child.get("parentID"), child.get("id"))
        equal("title", child[0].tag.split("}")[1], "first element")
        alone, *numbers, child_update, _ = server.browse(child.get("id"), flag="BrowseMetadata")
        equal([1, 1], numbers, "metadata counts")
        equal(text_of(child), text_of(alone[0]), f"metadata of {child.get('id')}")
        if child.tag.endswith("container"):
            _, _, child_total, listed_update, _ = server.browse(child.get("id"), 0, 1)
            equal(child.get("childCount"), str(child_total), f"childCount of {child.get('id')}")
            equal(child_update, listed_update, f"UpdateID of {child.get('id')}")
    return [child.get("id") for child in children if child.tag.endswith("container")]


def test_the_whole_tree_pages_and_agrees_with_its_metadata():
    server = Server(sample())
    due, seen = ["0"], set()
    while due:
        container = due.pop()
        assert container not in seen, f"{container} has two parents"
        seen.add(container)
        due += check_container(server, container)
    assert {"A", "AT", "AR", "AA", "AL", "AG", "AY", "AN", "AF", "V", "VT", "VN", "VF", "I", "IT", "ID", "IN", "IF",
            "F"} <= seen, seen
    years = {i for i in seen if i.startswith("py")}
    months = {i for i in seen if i.startswith("pm") and "/" not in i}
    assert years and {m[2:6] for m in months} == {y[2:] for y in years}, (years, months)
    root = server.browse("0", flag="BrowseMetadata")[0][0]
    equal("-1", root.get("parentID"))


def check_resources(server):
    seen = 0
    for container in ("AT", "VT", "IT"):
        for item in server.browse(container)[0].findall("d:item", NAMES):
            res, *others = item.findall("d:res", NAMES)
            assert res.text.startswith(server.url + "/media/"), res.text
            path = urllib.parse.urlsplit(res.text).path
            status, headers, _ = server.get(path, method="HEAD")
            equal((200, res.get("size")), (status, headers["Content-Length"]), path)
            _, _, mime, features = res.get("protocolInfo").split(":", 3)
            equal((mime, features), (headers["Content-Type"], headers["contentFeatures.dlna.org"]), path)
            seen += 1
            for art in item.findall("upnp:albumArtURI", NAMES):
                equal(200, server.get(urllib.parse.urlsplit(art.text).path)[0], art.text)
            for other in others:
                status, headers, _ = server.get(urllib.parse.urlsplit(other.text).path, method="HEAD")
                equal(200, status, other.text)
                mime = other.get("protocolInfo").split(":")[2]
                assert headers["Content-Type"].startswith(mime), (mime, headers["Content-Type"])
    assert seen > 3


def test_resources_are_there_and_as_described():
    check_resources(Server(sample()))


def test_films_of_television_are_called_by_their_profiles():
    """From the packets on the disk to protocolInfo and Content-Type."""
    need("ffmpeg")
    media = sample_copy()
    lines = ["-f", "lavfi", "-i", "testsrc=size=720x576:rate=25:duration=2", "-f", "lavfi", "-i",
             "sine=duration=2:sample_rate=48000", "-ac", "2", "-b:v", "4M", "-flags", "+ildct+ilme"]
    mpeg2 = lines + ["-c:v", "mpeg2video"]
    h264 = lines + ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    expected = {
        "program.vob": (mpeg2 + ["-c:a", "mp2", "-f", "dvd"], "video/mpeg", "MPEG_PS_PAL"),
        "plain.ts": (mpeg2 + ["-c:a", "mp2"], "video/mpeg", "MPEG_TS_SD_EU_ISO"),
        "stamped.m2ts": (mpeg2 + ["-c:a", "ac3", "-mpegts_m2ts_mode", "1"], "video/vnd.dlna.mpeg-tts",
                         "MPEG_TS_SD_EU_T"),
        "advanced.ts": (h264 + ["-c:a", "aac"], "video/mpeg", "AVC_TS_MP_SD_AAC_MULT5_ISO"),
        "advanced-stamped.m2ts": (h264 + ["-c:a", "ac3", "-mpegts_m2ts_mode", "1"], "video/vnd.dlna.mpeg-tts",
                      "AVC_TS_MP_SD_AC3_T"),
    }
    for name, (arguments, _, _) in expected.items():
        subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", *arguments, media / name], check=True)
    server = Server(media)
    check_resources(server)
    told = {}
    for item in server.browse("VT")[0].findall("d:item", NAMES):
        _, _, mime, features = item.find("d:res", NAMES).get("protocolInfo").split(":", 3)
        told[item.find("dc:title", NAMES).text] = mime, features.split(";")[0]
    for name, (_, mime, profile) in expected.items():
        equal((mime, "DLNA.ORG_PN=" + profile), told[name.split(".")[0]], name)


def kinds_of(server):
    """Of all songs, films and pictures: (where listed, mime type, extension of the URL), sorted."""
    return sorted((container, res.get("protocolInfo").split(":")[2], pathlib.Path(res.text).suffix)
                  for container in ("AT", "VT", "IT")
                  for res in (item.find("d:res", NAMES)
                              for item in server.browse(container)[0].findall("d:item", NAMES)))


def test_files_without_an_extension_are_served_as_what_they_are():
    media = sample_copy()
    named = Server(media)
    want = kinds_of(named)
    named.stop()
    suffixes = {suffix for _, _, suffix in want}
    for path in media.rglob("*"):
        if path.suffix in suffixes and path.stem not in ("cover", "folder"):
            path.rename(path.with_name(path.stem.replace(".", "_")))
    nameless = Server(media)
    equal(want, kinds_of(nameless), "types")
    check_resources(nameless)


def test_devices_get_the_types_that_they_were_told():
    server = Server(sample())
    for agent, info in (("DLNADOC/1.50 SEC_HHP_[TV] Samsung 7 Series (55)/1.0", ""),
                        ("Linux/2.6.35 UPnP/1.0 DLNADOC/1.50 LGE_DLNA_SDK/1.5.0", ""),
                        ("", 'av=5.0; cn="Sony Corporation"; mn="Blu-ray Disc Player"; mv="2.0";')):
        server.sends = {"User-Agent": agent, "X-AV-Client-Info": info}
        check_resources(server)
    types = {item.find("d:res", NAMES).get("protocolInfo").split(":")[2]
             for item in server.browse("VT")[0].findall("d:item", NAMES)}
    assert "video/divx" in types and "video/x-matroska" not in types, types


def test_a_play_that_was_acknowledged_outlives_a_power_cut():
    server = Server(sample())
    film = server.browse("VT")[0].find("d:item", NAMES)
    assert film.find("upnp:playbackCount", NAMES) is None
    seen = "<upnp:lastPlaybackPosition>{}</upnp:lastPlaybackPosition>,<upnp:playCount>{}</upnp:playCount>"
    for n in range(1, 20):
        status, _ = server.soap("UpdateObject", {
            "ObjectID": film.get("id"), "CurrentTagValue": seen.format(0, n - 1),
            "NewTagValue": seen.format(10 * n, n)})
        equal(200, status)
    server.kill()
    again = Server(sample(), database=server.database)
    film = again.browse(film.get("id"), flag="BrowseMetadata")[0].find("d:item", NAMES)
    equal("19", film.findtext("upnp:playbackCount", None, NAMES))
    equal("0:03:10.000", film.findtext("upnp:lastPlaybackPosition", None, NAMES))
    equal(711, fault_code(again.soap("UpdateObject", {
        "ObjectID": "VT", "CurrentTagValue": "", "NewTagValue": ""})))


def test_faults():
    server = Server(sample())
    ask = {"ObjectID": "0", "BrowseFlag": "BrowseDirectChildren", "Filter": "*", "StartingIndex": 0,
           "RequestedCount": 0, "SortCriteria": ""}
    item = server.browse("AT")[0].find("d:item", NAMES).get("id")
    for change, want in (({}, 0), ({"ObjectID": ""}, 701), ({"ObjectID": "x9"}, 701),
                         ({"ObjectID": item}, 402), ({"BrowseFlag": "Browse"}, 402),
                         ({"StartingIndex": "x"}, 402), ({"RequestedCount": "-1"}, 402),
                         ({"RequestedCount": "4294967296"}, 402), ({"SortCriteria": "+no:such"}, 709)):
        equal(want, fault_code(server.soap("Browse", {**ask, **change})), f"code of {change}")
    del ask["Filter"]
    equal(402, fault_code(server.soap("Browse", ask)), "code of a missing argument")
    equal(706, fault_code(server.soap("GetCurrentConnectionInfo", {"ConnectionID": 5}, CM)))

    path = server.control_path(CDS)
    equal("", server.get(path, method="POST", body=b"<Envelope><Body><GetSystemUpdateID/></Body></Envelope>")
          [1].get("EXT", "missing").strip(), "EXT")
    equal(400, server.get(path, method="POST", body=b"<broken")[0])
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]><Envelope><Body>&a;</Body></Envelope>'
    equal(400, server.get(path, method="POST", body=bomb)[0])
    equal(413, server.get(path, method="POST", body=b"<a>" * 100000)[0])
    equal(405, server.get(path)[0], "GET of a control URL")


# ---- events -------------------------------------------------------------------------------------


class Subscriber:
    """An HTTP server on loopback that keeps the events it gets."""

    def __init__(self):
        events = self.events = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_NOTIFY(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                events.append((self.headers, ElementTree.fromstring(body), time.monotonic()))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.callback = f"<http://127.0.0.1:{self.http.server_port}/evt>"
        thread = threading.Thread(target=self.http.serve_forever)
        thread.start()
        at_end(thread.join)
        at_end(self.http.server_close)
        at_end(self.http.shutdown)

    def values(self, at):
        return {v.tag: v.text or "" for p in self.events[at][1] for v in p}


def gena(server, method, path, headers):
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)
    connection.request(method, path, headers=headers)
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.status, reply.headers


def subscribe(server, subscriber, service_type=CDS):
    path = {s["serviceType"]: s["eventSubURL"] for s in services_of(server)}[service_type]
    status, headers = gena(server, "SUBSCRIBE", path, {
        "CALLBACK": subscriber.callback, "NT": "upnp:event", "TIMEOUT": "Second-300"})
    equal((200, "Second-1800"), (status, headers["TIMEOUT"]), "SUBSCRIBE")
    assert headers["SID"].startswith("uuid:") and headers["Server"] and headers["Date"], headers
    return path, headers["SID"]


def test_every_service_sends_its_initial_event():
    server = Server(sample())
    for service_type, want in ((CDS, {"SystemUpdateID", "ContainerUpdateIDs"}),
                               (CM, {"SourceProtocolInfo", "SinkProtocolInfo", "CurrentConnectionIDs"}),
                               (MRR, {"AuthorizationGrantedUpdateID", "AuthorizationDeniedUpdateID",
                                      "ValidationSucceededUpdateID", "ValidationRevokedUpdateID"})):
        subscriber = Subscriber()
        _, sid = subscribe(server, subscriber, service_type)
        wait_for("the initial event", lambda s=subscriber: s.events, 5)
        headers = subscriber.events[0][0]
        equal((sid, "0", "upnp:event", "upnp:propchange"),
              (headers["SID"], headers["SEQ"], headers["NT"], headers["NTS"]), "headers")
        equal(want, set(subscriber.values(0)), "evented variables")


def test_a_new_file_is_told_within_seconds():
    media = sample_copy()
    server = Server(media)
    subscriber = Subscriber()
    path, sid = subscribe(server, subscriber)
    wait_for("the initial event", lambda: subscriber.events, 5)
    equal("", subscriber.values(0)["ContainerUpdateIDs"])
    time.sleep(2.1)  # out of the moderation of the first

    before = {c: server.browse(c)[3] for c in ("0", "AT", "IT")}
    song = next(p for p in sorted(media.rglob("*.mp3")))
    shutil.copy(song, song.with_name("zz new song.mp3"))
    wait_for("an event", lambda: len(subscriber.events) > 1, 10)
    wait_for("the song", lambda: server.browse("AT")[3] != before["AT"], 10)
    wait_for("its event", lambda: any("AT" in subscriber.values(i)["ContainerUpdateIDs"].split(",")
                                      for i in range(1, len(subscriber.events))), 10)
    equal([str(i) for i in range(len(subscriber.events))],
          [e[0]["SEQ"] for e in subscriber.events], "SEQ")
    last = subscriber.values(-1)
    equal(last["SystemUpdateID"], str(server.browse("0")[3]), "SystemUpdateID")
    pairs = last["ContainerUpdateIDs"].split(",")
    told = dict(zip(pairs[::2], pairs[1::2]))
    for container, update_id in told.items():
        equal(update_id, str(server.browse(container)[3]), f"UpdateID of {container}")
    equal(before["IT"], server.browse("IT")[3], "UpdateID of what did not change")

    equal(200, gena(server, "SUBSCRIBE", path, {"SID": sid})[0], "renewal")
    equal(200, gena(server, "UNSUBSCRIBE", path, {"SID": sid})[0])
    equal(412, gena(server, "UNSUBSCRIBE", path, {"SID": sid})[0], "again")


def test_subscriptions_are_refused_as_the_standard_says():
    server = Server(sample())
    path = services_of(server)[0]["eventSubURL"]
    good = {"CALLBACK": "<http://127.0.0.1:1/>", "NT": "upnp:event"}
    for headers, want in (({**good, "SID": "uuid:x"}, 400), ({**good, "NT": "other"}, 412),
                          ({"NT": "upnp:event"}, 412), ({"SID": "uuid:unknown"}, 412), ({}, 412),
                          ({**good, "CALLBACK": "<http://192.0.2.1/>"}, 412),
                          ({**good, "CALLBACK": "<http://example.org/>"}, 412)):
        equal(want, gena(server, "SUBSCRIBE", path, headers)[0], f"SUBSCRIBE {headers}")
    statuses = [gena(server, "SUBSCRIBE", path, {**good, "CALLBACK": f"<http://127.0.0.1:1/{i}>"})[0]
                for i in range(10)]
    equal([200] * 8 + [503] * 2, statuses, "the limit per address")


# ---- restart ------------------------------------------------------------------------------------


def test_a_restart_gives_the_same_bytes():
    media = sample_copy()
    first = Server(media)
    before = first.walk()
    first.stop()
    second = Server(media, database=first.database)
    after = second.walk()
    same = {k: v.replace(second.url, first.url) for k, v in after.items()}
    equal(before, same, "DIDL after a restart")
