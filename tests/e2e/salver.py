# SPDX-License-Identifier: MIT
"""Helpers of the end-to-end tests: a server of one's own, requests, network namespaces.

Everything stays on loopback or in a pair of private network namespaces. What a helper starts it
also ends, by its pid, when the case ends; a server that ends badly then fails the case.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = os.environ.get("SALVER_BIN", str(ROOT / "build/release/salver"))

CDS = "urn:schemas-upnp-org:service:ContentDirectory:1"
NAMES = {"d": "urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/", "dc": "http://purl.org/dc/elements/1.1/",
         "upnp": "urn:schemas-upnp-org:metadata-1-0/upnp/"}

_at_end = []   # calls that undo what a case did, last first
_servers = []  # of the running case


class Skip(Exception):
    """Raised by skip(): the case cannot run here."""


def skip(why):
    raise Skip(why)


def need(*programs):
    """Skips where a program is missing."""
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed")


def at_end(call, *arguments):
    _at_end.append((call, arguments))


def clean_up():
    """Undoes what the case did; returns what went wrong on the way."""
    faults = []
    while _at_end:
        call, arguments = _at_end.pop()
        try:
            call(*arguments)
        except Exception as wrong:  # the rest must be undone all the same
            faults.append(f"cleaning up: {wrong}")
    _servers.clear()
    return faults


def show_logs():
    for server in _servers:
        print(f"--- log of the server on port {server.port}\n{server.log()}---")


def tmpdir():
    path = pathlib.Path(tempfile.mkdtemp(prefix="salver-e2e-"))
    at_end(shutil.rmtree, path, True)
    return path


def wait_for(what, condition, limit_s=30):
    """Polls until condition() is true; returns its value."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {limit_s} s")
        time.sleep(0.05)


def equal(want, got, what="value"):
    if want != got:
        raise AssertionError(f"{what}: want {want!r}, got {got!r}")


def sample():
    """The sample library that tools/serve shows, made once per machine. Do not write there."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = pathlib.Path(cache) / "salver/sample"
    if not (path / ".complete-1").exists():
        need("ffmpeg")
        subprocess.run([ROOT / "tools/make-sample", path], check=True)
    return path


def sample_copy():
    """A copy of the sample that the case may change."""
    path = tmpdir() / "media"
    shutil.copytree(sample(), path)
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def end_process(process, limit_s=10, first=signal.SIGTERM):
    """Ends a process that a test started; returns its exit status."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{process.args[0]} did not end within {limit_s} s") from None
    return process.returncode


class Namespaces:
    """Two network namespaces joined by veth: server 10.77.0.1, client 10.77.0.2."""
    count = 0
    server_address, client_address = "10.77.0.1", "10.77.0.2"

    def __init__(self):
        need("ip")
        if os.geteuid() != 0:
            skip("network namespaces need root")
        Namespaces.count += 1
        tag = f"{os.getpid()}-{Namespaces.count}"
        self.server, self.client = f"salver-s-{tag}", f"salver-c-{tag}"
        for name in (self.server, self.client):
            made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
            if made.returncode != 0:
                skip(f"no network namespaces here: {made.stderr.strip()}")
            at_end(subprocess.run, ["ip", "netns", "del", name])
        self._ip("link", "add", "veth0", "netns", self.server, "type", "veth", "peer", "name", "veth0",
                 "netns", self.client)
        for name, address in ((self.server, self.server_address), (self.client, self.client_address)):
            self._ip("-n", name, "link", "set", "lo", "up")
            self._ip("-n", name, "addr", "add", f"{address}/24", "dev", "veth0")
            self._ip("-n", name, "link", "set", "veth0", "up")
            self._ip("-n", name, "route", "add", "239.0.0.0/8", "dev", "veth0")

    @staticmethod
    def _ip(*arguments):
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            skip(f"ip {' '.join(arguments)}: {done.stderr.strip()}")

    def command(self, name, command):
        return ["ip", "netns", "exec", name, *map(str, command)]

    def run(self, command, limit_s=30, check=True):
        """Runs a client in its namespace; returns what it wrote to stdout."""
        done = subprocess.run(self.command(self.client, command), capture_output=True, timeout=limit_s)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: status {done.returncode}\n"
                                 f"{done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="replace")


def soap_body(action, arguments, service=CDS):
    return f"""<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
 s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>
<u:{action} xmlns:u="{service}">""" + "".join(
        f"<{k}>{escape(str(v))}</{k}>" for k, v in arguments.items()) + \
        f"</u:{action}></s:Body></s:Envelope>"


def raw(server, data, limit_s=10):
    """Sends these bytes on a connection of their own; whatever comes back until its end."""
    with socket.create_connection((server.host, server.port), limit_s) as connection:
        connection.settimeout(limit_s)
        reply = b""
        try:
            connection.sendall(data)
            while part := connection.recv(65536):
                reply += part
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may refuse before it has read everything
        return reply


class Server:
    """A running `salver serve`, ended with SIGTERM (exit status 0 expected) when the case ends."""

    def __init__(self, *dirs, options=(), database=None, namespaces=None, wait=True,
                 port=None):
        self.port = port or (8250 if namespaces else free_port())
        self.host = namespaces.server_address if namespaces else "127.0.0.1"
        self.url = f"http://{self.host}:{self.port}"
        self.namespaces = namespaces
        self.database = pathlib.Path(database) if database else tmpdir() / "db"
        self.log_file = tmpdir() / "log"
        command = [BIN, "serve", "--port", str(self.port), "--database", str(self.database),
                   "--interface", "veth0" if namespaces else "lo", *map(str, options), *map(str, dirs)]
        if namespaces:
            command = namespaces.command(namespaces.server, command)
        self.started = time.monotonic()
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.ended = False
        self.sends = {}  # headers of every request: those of some device
        at_end(self.stop)
        _servers.append(self)
        if wait:
            self.wait_scanned()

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def stop(self):
        """SIGTERM; the exit status must be 0."""
        if self.ended:
            return
        self.ended = True
        status = end_process(self.process)
        if status != 0:
            raise AssertionError(f"the server ended with status {status}\n{self.log()}")

    def kill(self):
        """SIGKILL, as a power cut would."""
        self.ended = True
        self.process.kill()
        self.process.wait()

    def get(self, path, headers=None, method="GET", body=None):
        """(status, headers, body); an HTTP error is a result, too."""
        if self.namespaces:
            raise AssertionError("the server is in a namespace: use namespaces.run(['curl', ...])")
        request = urllib.request.Request(self.url + path, data=body, method=method,
                                         headers={**self.sends, **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def json(self, path):
        if self.namespaces:
            return json.loads(self.namespaces.run(["curl", "-fsS", self.url + path]))
        status, _, body = self.get(path)
        equal(200, status, f"status of {path}")
        return json.loads(body)

    def status(self):
        """/api/v1/status, or None before the server answers."""
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended: status {self.process.returncode}\n{self.log()}")
        try:
            return self.json("/api/v1/status")
        except (OSError, AssertionError, ValueError):
            return None

    def answers(self):
        """Whether HTTP answers, without waiting for it."""
        try:
            return self.get("/description.xml")[0] == 200
        except OSError:
            return False

    def wait_scanned(self, limit_s=60):
        def scanned():
            status = self.status()
            progress = find_progress(status) if status else None
            return progress and not progress["scanning"] and \
                (progress.get("directories") or progress.get("elapsedMs"))
        wait_for("the first scan", scanned, limit_s)

    def first_browse(self, object_id="0", count=0):
        """Asks again and again from the start on; (ms from before the fork to the whole answer,
        its body). For a server made with wait=False."""
        body = soap_body("Browse", {
            "ObjectID": object_id, "BrowseFlag": "BrowseDirectChildren", "Filter": "*",
            "StartingIndex": 0, "RequestedCount": count, "SortCriteria": ""}).encode()
        request = (f"POST /control/ContentDirectory HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
                   'Content-Type: text/xml; charset="utf-8"\r\nConnection: close\r\n'
                   f'SOAPAction: "{CDS}#Browse"\r\nContent-Length: {len(body)}\r\n\r\n').encode()
        while True:
            try:
                reply = raw(self, request + body)
                return (time.monotonic() - self.started) * 1000, reply
            except ConnectionRefusedError:
                if time.monotonic() - self.started > 30:
                    raise
                time.sleep(0.001)

    def soap(self, action, arguments, service=CDS, path="/control/ContentDirectory"):
        """(status, root element of the reply). The path is looked up in the description."""
        body = soap_body(action, arguments, service)
        status, _, text = self.get(self.control_path(service) or path, {
            "Content-Type": 'text/xml; charset="utf-8"', "SOAPAction": f'"{service}#{action}"'},
            "POST", body.encode())
        return status, ElementTree.fromstring(text)

    def control_path(self, service):
        if not hasattr(self, "_description"):
            self._description = ElementTree.fromstring(self.get("/description.xml")[2])
        for node in self._description.iter("{urn:schemas-upnp-org:device-1-0}service"):
            fields = {child.tag.split("}")[1]: child.text for child in node}
            if fields.get("serviceType") == service:
                return fields["controlURL"]
        return None

    def browse(self, object_id, start=0, count=0, flag="BrowseDirectChildren", sort=""):
        """(DIDL root, NumberReturned, TotalMatches, UpdateID, DIDL text)."""
        status, reply = self.soap("Browse", {
            "ObjectID": object_id, "BrowseFlag": flag, "Filter": "*", "StartingIndex": start,
            "RequestedCount": count, "SortCriteria": sort})
        equal(200, status, f"status of Browse({object_id})")
        field = {node.tag: node.text for node in reply.iter() if node.text}
        return (ElementTree.fromstring(field["Result"]), int(field["NumberReturned"]),
                int(field["TotalMatches"]), int(field["UpdateID"]), field["Result"])

    def walk(self, object_id="0"):
        """{object id: DIDL text of its children}, the whole tree below object_id."""
        texts, due = {}, [object_id]
        while due:
            container = due.pop()
            root, returned, total, _, text = self.browse(container)
            equal(total, returned, f"children of {container}")
            texts[container] = text
            due += [node.get("id") for node in root.findall("d:container", NAMES)]
        return texts

    def memory_kib(self, field="RssAnon"):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().split("\n"):
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise AssertionError(f"no {field}")

    def helpers(self, name):
        """The processes called `name` that the server has started, by their pids."""
        found = []
        for thread in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                comm = pathlib.Path(f"/proc/{child}/comm")
                if comm.exists() and comm.read_text().strip() == name:
                    found.append(int(child))
        return found


def find_progress(value):
    """The scanner's progress, wherever it lies in the status."""
    if isinstance(value, dict):
        if "scanning" in value:
            return value
        for inner in value.values():
            found = find_progress(inner)
            if found:
                return found
    return None
