# SPDX-License-Identifier: MIT
"""What a hostile or broken client sends and what a damaged disk holds: the server says no in the
protocol's words and goes on."""
import os
import random
import re
import socket
import subprocess
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree

from salver import (BIN, CDS, NAMES, Server, at_end, equal, need, raw, sample, sample_copy, skip, soap_body,
                    wait_for)

CONTROL = "/control/ContentDirectory"
LIMIT_BYTES = 64 << 10  # of a body


def status_of(reply):
    """Of the first answer in these bytes; 0 where the server only closed."""
    return int(reply.split(b" ", 2)[1]) if reply.startswith(b"HTTP/1.") else 0


def goes_on(server):
    """It still answers a good request, in time and rightly."""
    start = time.monotonic()
    equal(4, server.browse("0")[2], "children of the root")
    assert time.monotonic() - start < 2, "slow"


def post(server, body, path=CONTROL, headers=""):
    if isinstance(body, str):
        body = body.encode()
    return raw(server, (f"POST {path} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
                        f'Content-Type: text/xml; charset="utf-8"\r\nConnection: close\r\n'
                        f'SOAPACTION: "{CDS}#Browse"\r\n{headers}'
                        f"Content-Length: {len(body)}\r\n\r\n").encode() + body)


BROWSE = {"ObjectID": "0", "BrowseFlag": "BrowseDirectChildren", "Filter": "*", "StartingIndex": 0,
          "RequestedCount": 0, "SortCriteria": ""}


# ---- XML and SOAP ---------------------------------------------------------------------------------


def bombs():
    yield "entities", '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY a{i} "&a{i - 1 if i else ""};&a{i - 1 if i else ""};">' for i in range(40)) + \
        "]><l>&a39;</l>"
    yield "an outside entity", '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>' \
        "<Envelope><Body><Browse><ObjectID>&a;</ObjectID></Browse></Body></Envelope>"
    yield "an outside DTD", '<!DOCTYPE l SYSTEM "http://127.0.0.1:1/x.dtd"><l/>'
    yield "deep", "<a>" * 20000
    yield "deep in an envelope", "<Envelope><Body>" + "<a>" * 15000
    yield "many attributes", "<l " + " ".join(f'a{i}="1"' for i in range(6000)) + "/>"
    yield "one long name", "<" + "x" * 60000 + "/>"
    yield "half a document", soap_body("Browse", BROWSE)[:200]
    yield "two documents", soap_body("Browse", BROWSE) * 2
    yield "nothing", ""
    yield "no XML", "ObjectID=0"
    yield "UTF-16 without a mark", soap_body("Browse", BROWSE).encode("utf-16-le")
    yield "invalid UTF-8", soap_body("Browse", BROWSE).encode().replace(b">0<", b">\xff\xfe<")
    yield "NUL", soap_body("Browse", BROWSE).replace(">0<", ">\0<")
    yield "another envelope", "<html><body>Browse</body></html>"
    yield "no action", '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/>' \
        "</s:Envelope>"


def test_broken_xml_is_refused():
    server = Server(sample())
    for what, body in bombs():
        start = time.monotonic()
        status = status_of(post(server, body))
        assert 400 <= status <= 500, f"{what}: {status}"
        assert time.monotonic() - start < 2, f"{what}: slow"
        goes_on(server)
    assert server.memory_kib() < 12 << 10, f"{server.memory_kib()} KiB"


def test_bodies_over_the_limit_are_refused():
    server = Server(sample())
    filler = LIMIT_BYTES - len(soap_body("Browse", {**BROWSE, "Filter": ""}))
    fits = soap_body("Browse", {**BROWSE, "Filter": "x" * filler})
    equal(LIMIT_BYTES, len(fits))
    equal(200, status_of(post(server, fits)), "a body of just the limit")
    equal(413, status_of(post(server, fits + " ")), "one byte more")
    equal(413, status_of(post(server, "<a>" * 100000)), "100,000 nested elements")
    for claimed in ("99999999999", "18446744073709551615", "99999999999999999999999", "-1", "x", "1e3"):
        reply = raw(server, f"POST {CONTROL} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
                    f"Connection: close\r\nContent-Length: {claimed}\r\n\r\nabc".encode())
        assert status_of(reply) in (0, 400, 413), f"{claimed}: {reply[:100]}"
    goes_on(server)


def test_arguments_that_no_client_sends():
    server = Server(sample())
    for change in ({"ObjectID": "x" * 30000}, {"ObjectID": "../../etc/passwd"}, {"ObjectID": "d" + "9" * 40},
                   {"ObjectID": "i18446744073709551616"}, {"ObjectID": "ar1/al"}, {"ObjectID": "%00"},
                   {"ObjectID": "AT/AT/AT"}, {"StartingIndex": "4294967295"}, {"Filter": "," * 30000},
                   {"Filter": "res@" * 5000}, {"SortCriteria": "+dc:title," * 3000},
                   {"SortCriteria": "+" * 30000}, {"RequestedCount": " 1"}, {"StartingIndex": "0x10"}):
        status, _ = server.soap("Browse", {**BROWSE, **change})
        assert status in (200, 500), f"{change}: {status}"
    goes_on(server)


# ---- HTTP -----------------------------------------------------------------------------------------


def test_broken_requests_are_refused():
    server = Server(sample())
    host = f"Host: {server.host}:{server.port}\r\n"
    for what, data, allowed in (
            ("garbage", bytes(random.Random(1).randbytes(5000)), (0, 400)),
            ("only newlines", b"\r\n" * 10000, (0, 400, 408, 431)),
            ("no version", b"GET /\r\n\r\n", (0, 200, 400, 505)),
            ("an unknown version", b"GET / HTTP/9.9\r\n\r\n", (0, 400, 505)),
            ("an unknown method", f"BREW / HTTP/1.1\r\n{host}Connection: close\r\n\r\n".encode(),
             (400, 404, 405, 501)),
            ("CONNECT", f"CONNECT example.org:443 HTTP/1.1\r\n{host}Connection: close\r\n\r\n".encode(),
             (400, 404, 405, 501)),
            ("a long line", b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n", (0, 400, 414, 431)),
            ("a long header", f"GET / HTTP/1.1\r\n{host}X: {'a' * 200000}\r\n\r\n".encode(),
             (0, 400, 413, 431)),
            ("many headers", f"GET / HTTP/1.1\r\n{host}".encode() + b"X: y\r\n" * 20000 + b"\r\n",
             (0, 400, 413, 431)),
            ("a header without colon", f"GET / HTTP/1.1\r\n{host}nonsense\r\nConnection: close\r\n\r\n"
             .encode(), (0, 200, 400)),
            ("NUL in the path", f"GET /\0x HTTP/1.1\r\n{host}Connection: close\r\n\r\n".encode(),
             (0, 200, 400, 404)),
            ("up and out", f"GET /../../etc/passwd HTTP/1.1\r\n{host}Connection: close\r\n\r\n".encode(),
             (400, 403, 404)),
            ("up and out, escaped", f"GET /media/%2e%2e%2fetc%2fpasswd HTTP/1.1\r\n{host}"
             "Connection: close\r\n\r\n".encode(), (400, 403, 404))):
        try:
            reply = raw(server, data, 1)
        except TimeoutError:  # it waits for the rest
            reply = b""
        assert status_of(reply) in allowed, f"{what}: {reply[:200]}"
        assert b"root:" not in reply, what
        goes_on(server)


def test_a_foreign_host_is_refused():
    server = Server(sample())
    for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1.evil.example", "[::1", "a" * 300,
                 f"127.0.0.1:{server.port}@evil.example"):
        for path in ("/", "/description.xml", "/api/v1/status"):
            reply = raw(server, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            assert status_of(reply) in (400, 403, 421), f"{host}{path}: {reply[:100]}"
    goes_on(server)


def test_broken_chunked_bodies_are_refused():
    server = Server(sample())
    body = soap_body("Browse", BROWSE)
    good = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"
    for what, chunks, allowed in (
            ("good", good, (200,)), ("no number", f"xyz\r\n{body}\r\n0\r\n\r\n", (0, 400)),
            ("too long a number", f"{'f' * 40}\r\n{body}", (0, 400, 413)),
            ("a wrong number", f"5\r\n{body}\r\n0\r\n\r\n", (0, 400)),
            ("a negative number", f"-5\r\n{body}\r\n0\r\n\r\n", (0, 400)),
            ("more than the limit", f"1000\r\n{'a' * 4096}\r\n" * 17 + "0\r\n\r\n", (413,))):
        reply = raw(server, (
            f"POST {CONTROL} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nConnection: close\r\n"
            f'SOAPACTION: "{CDS}#Browse"\r\nContent-Type: text/xml\r\n'
            f"Transfer-Encoding: chunked\r\n\r\n{chunks}").encode())
        assert status_of(reply) in allowed, f"{what}: {reply[:200]}"
        goes_on(server)


def test_slow_and_silent_clients_stop_no_one():
    server = Server(sample())
    idle = [socket.create_connection((server.host, server.port)) for _ in range(100)]
    for connection in idle:
        at_end(connection.close)
    drip = idle[0]
    drip.sendall(b"GET / HTTP/1.1\r\n")
    for number in range(20):  # a header that never ends
        drip.sendall(f"X-{number}: ".encode())
        if number % 5 == 0:
            goes_on(server)
        time.sleep(0.01)
    for connection in idle[1:50]:  # a body that never comes
        connection.sendall(f"POST {CONTROL} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
                           f"Content-Length: {LIMIT_BYTES}\r\n\r\n<a".encode())
    goes_on(server)
    equal(100, sum(1 for c in idle if c.fileno() >= 0))
    server.stop()  # and it ends in time in spite of them


def test_clients_that_leave_in_the_middle_of_a_stream():
    server = Server(sample())
    item = server.browse("VT")[0].find("d:item/d:res", NAMES).text
    path = urllib.parse.urlsplit(item).path

    def leave(n):
        with socket.create_connection((server.host, server.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n\r\n".encode())
            connection.recv(n)
    threads = [threading.Thread(target=leave, args=(n,)) for n in (1, 100, 5000, 20000) * 10]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    goes_on(server)
    wait_for("the end of these streams", lambda: open_films(server) == 0, 10)


def open_films(server):
    """How many films the server holds open."""
    folder = f"/proc/{server.process.pid}/fd"
    targets = []
    for name in os.listdir(folder):
        try:
            targets.append(os.readlink(f"{folder}/{name}"))
        except FileNotFoundError:
            pass
    return sum("/sample/Video/" in target for target in targets)


# ---- a damaged disk -------------------------------------------------------------------------------


def damage(folder):
    """Adds files with the endings of media and broken contents."""
    chance = random.Random(2)
    bad = folder / "Bad"
    bad.mkdir()
    for source in [p for ext in ("mp3", "flac", "ogg", "m4a", "mp4", "mkv", "jpg")
                   for p in sorted(folder.rglob(f"*.{ext}"))[:1]]:
        data = source.read_bytes()
        for share in (0, 1, 10, 50, 99):
            (bad / f"cut {share}{source.suffix}").write_bytes(data[:len(data) * share // 100])
        flipped = bytearray(data)
        for _ in range(200):
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        (bad / f"flipped{source.suffix}").write_bytes(flipped)
    for ext in ("mp3", "flac", "ogg", "m4a", "mp4", "mkv", "jpg", "png", "wav", "avi", "aac", "wma"):
        (bad / f"zeroes.{ext}").write_bytes(bytes(20000))
        (bad / f"random.{ext}").write_bytes(chance.randbytes(20000))
    for ext in ("mp3", "mp4", "jpg"):
        (bad / f"empty.{ext}").touch()


ODD_NAMES = (
    b"new\nline.mp3", b"tab\tand\x01\x1f.mp3", b"invalid \xff\xfe\xc3.mp3", b"quote\"s and 's.mp3",
    b"<&> ]]> &amp; &#0;.mp3", b"%41%00%2f.mp3", b"\xef\xbf\xbf\xed\xa0\x80.mp3", b" .mp3", b"-.mp3",
    b"a" * 251 + b".mp3", b"\\..\\x.mp3", "\u202egnp.mp3".encode())


def odd_names(folder):
    song = sorted(folder.rglob("*.mp3"))[0].read_bytes()
    odd = os.fsencode(folder) + b"/Odd"
    os.mkdir(odd)
    for name in ODD_NAMES:
        with open(odd + b"/" + name, "wb") as file:
            file.write(song)
        os.mkdir(odd + b"/" + name[:-4] + b" d")
        with open(odd + b"/" + name[:-4] + b" d/x.mp3", "wb") as file:
            file.write(song)
    return len(ODD_NAMES)


def no_files(folder):
    """Names with media endings that are no files."""
    other = folder / "Other"
    (other / "a folder.mp3").mkdir(parents=True)
    os.mkfifo(other / "pipe.mp3")
    (other / "nowhere.mp3").symlink_to("/nonexistent/x.mp3")
    (other / "me.mp3").symlink_to("me.mp3")
    (other / "up").symlink_to("..")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(other / "s.mp3"))


def check_tree(server):
    """Every DIDL is well-formed; every listed item can be fetched. Returns {dc:title of an item}."""
    titles = set()
    for text in server.walk().values():
        for item in ElementTree.fromstring(text).findall("d:item", NAMES):
            titles.add(item[0].text)
            file, *thumbnails = item.findall("d:res", NAMES)
            path = urllib.parse.urlsplit(file.text).path
            status, headers, _ = server.get(path, method="HEAD")
            equal((200, file.get("size")), (status, headers["Content-Length"]), path)
            for res in thumbnails:  # a broken picture has none, and is told so
                path = urllib.parse.urlsplit(res.text).path
                status, headers, _ = server.get(path, method="HEAD")
                assert (status, headers["Content-Type"]) == (200, "image/jpeg") or status == 404, (path, status)
    return titles


def test_broken_files_are_listed_by_name_and_stop_nothing():
    folder = sample_copy()
    damage(folder)
    no_files(folder)
    server = Server(folder)
    progress = server.status()["scan"]
    print(f"{progress['found']} found, {progress['stored']} stored, {progress['failed']} failed")
    equal(progress["found"], progress["stored"] + progress["failed"], "every file is accounted for")
    titles = check_tree(server)
    assert {"Une dernière valse", "random", "cut 10"} <= titles, titles
    server.stop()
    server = Server(folder, database=server.database)
    equal(0, server.status()["scan"]["stored"], "nothing is stored again when nothing changed")


def test_unreadable_files_are_counted_and_named():
    need("setpriv")
    if os.geteuid() != 0:
        skip("needs root, to become somebody else")
    folder = sample_copy()
    for path in (folder.parent, folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)
    song, album = sorted(folder.rglob("*.mp3"))[0], sorted((folder / "Music").iterdir())[-1]
    for path in (song, album):
        path.chmod(0)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", BIN, "scan", "--database",
         folder.parent / "db", folder], capture_output=True, text=True, timeout=30,
        stdin=subprocess.DEVNULL)
    if not done.stdout and "salver: " not in done.stderr:
        skip("another user cannot run the binary where it is")
    equal(0, done.returncode, done.stderr)
    assert re.search(r", 1 failed$", done.stdout.strip()), done.stdout
    for path in (song, album):
        assert path.name in done.stderr, f"no {path.name} in {done.stderr}"


def test_odd_names_make_well_formed_documents():
    folder = sample_copy()
    number = odd_names(folder)
    server = Server(folder)
    progress = server.status()["scan"]
    equal(0, progress["failed"], server.log())
    equal(30 + 2 * number, progress["stored"], "files stored")
    check_tree(server)
    listing = server.json("/api/v1/status")
    assert listing
    server.stop()
    server = Server(folder, database=server.database)
    equal(30 + 2 * number, server.status()["scan"]["unchanged"], "after a restart")


def test_files_that_break_while_they_are_served():
    folder = sample_copy()
    server = Server(folder)
    items = server.browse("AT")[0].findall("d:item", NAMES)
    song = urllib.parse.urlsplit(items[0].find("d:res", NAMES).text).path
    for path in sorted((folder / "Music").rglob("*")):
        if path.is_file():
            os.truncate(path, 100)
    status, _, body = server.get(song)
    assert status in (200, 404, 410, 500) and len(body) <= 100 or status != 200, (status, len(body))
    for path in sorted((folder / "Music").rglob("*")):
        if path.is_file():
            path.unlink()
    wait_for("the removal", lambda: server.browse("AT")[2] == 0, 15)
    assert server.get(song)[0] in (404, 410), "a file that is gone"
    goes_on(server)
