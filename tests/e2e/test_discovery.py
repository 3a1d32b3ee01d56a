# SPDX-License-Identifier: MIT
"""SSDP as a control point sees it: salver-discovery and the server that starts it, in two private
network namespaces."""
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import salver

HELPER = pathlib.Path(salver.BIN).parent / "salver-discovery"
UDN = "uuid:11111111-2222-3333-4444-555555555555"
SERVICES = ("urn:schemas-upnp-org:service:ContentDirectory:1",
            "urn:schemas-upnp-org:service:ConnectionManager:1",
            "urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1")
DEVICE = "urn:schemas-upnp-org:device:MediaServer:1"

HTTP = """
import http.server, sys
body = sys.argv[2].encode()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", 'text/xml; charset="utf-8"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.HTTPServer((sys.argv[1], 8250), Handler).serve_forever()
"""

# Sends each datagram to each target, prints {name: [answers as [seconds, text]]}.
ASK = """
import json, select, socket, sys, time
source, searches, wait_s = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
asked, answers = {}, {}
for name, (target, text) in searches.items():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((source, 0))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
    s.sendto(text.encode(), (target, 1900))
    asked[s] = (name, time.monotonic())
    answers[name] = []
    time.sleep(0.02)
end = time.monotonic() + wait_s
while time.monotonic() < end:
    for s in select.select(list(asked), [], [], end - time.monotonic())[0]:
        name, start = asked[s]
        answers[name].append([time.monotonic() - start, s.recv(4096).decode()])
print(json.dumps(answers))
"""


def description():
    services = "".join(
        f"<service><serviceType>{s}</serviceType><serviceId>id{i}</serviceId><SCPDURL>/s{i}</SCPDURL>"
        f"<controlURL>/c{i}</controlURL><eventSubURL>/e{i}</eventSubURL></service>"
        for i, s in enumerate(SERVICES))
    return ('<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion>'
            f"<major>1</major><minor>0</minor></specVersion><device><deviceType>{DEVICE}</deviceType>"
            "<friendlyName>t</friendlyName><manufacturer>m</manufacturer><modelName>m</modelName>"
            f"<UDN>{UDN}</UDN><serviceList>{services}</serviceList></device></root>")


def search(line="M-SEARCH * HTTP/1.1", man='"ssdp:discover"', mx="1", st="ssdp:all"):
    fields = {"HOST": "239.255.255.250:1900", "MAN": man, "MX": mx, "ST": st}
    return line + "\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items() if v is not None) + "\r\n"


def ask(ns, searches, wait_s=1.5, source=None):
    return json.loads(ns.run([sys.executable, "-c", ASK, source or ns.client_address,
                              json.dumps(searches), wait_s]))


def listing(ns):
    """A control point that listens in the client's namespace."""
    salver.need("gssdp-discover")
    process = subprocess.Popen(
        ns.command(ns.client, ["stdbuf", "-oL", "gssdp-discover", "-i", "veth0", "-m", "all"]),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    salver.at_end(salver.end_process, process)
    return process


class Helper:
    """salver-discovery with a description to announce; `control` is the server's end."""

    def __init__(self, ns):
        if not HELPER.exists():
            salver.skip(f"{HELPER} is not built")
        http = subprocess.Popen(ns.command(ns.server, [
            sys.executable, "-c", HTTP, ns.server_address, description()]))
        salver.at_end(salver.end_process, http)
        salver.wait_for("the description", lambda: ns.run(
            ["curl", "-fs", f"http://{ns.server_address}:8250/"], check=False))
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen(
            ns.command(ns.server, ["sh", "-c", f'exec "$@" 3<&{theirs.fileno()}', "sh", HELPER, "veth0",
                                   ns.server_address, "255.255.255.0", "8250"]),
            pass_fds=(theirs.fileno(),))
        theirs.close()
        salver.at_end(salver.end_process, self.process)
        self.control.settimeout(15)
        salver.equal(b"R", self.control.recv(16), "the helper's message")


def test_all_six_names_are_found_with_the_right_location():
    ns = salver.Namespaces()
    helper = Helper(ns)
    answers = ask(ns, {"all": ("239.255.255.250", search())})["all"]
    names = [re.search(r"USN: (.*)\r", text)[1] for _, text in answers]
    salver.equal(sorted([UDN, f"{UDN}::upnp:rootdevice", f"{UDN}::{DEVICE}"] +
                        [f"{UDN}::{s}" for s in SERVICES]), sorted(names), "USNs")
    for _, text in answers:
        for wanted in ("HTTP/1.1 200 OK\r\n", "EXT:\r\n", "CACHE-CONTROL: max-age=1800\r\n",
                       f"LOCATION: http://{ns.server_address}:8250/description.xml\r\n", "DATE: "):
            if wanted not in text:
                raise AssertionError(f"no {wanted!r} in {text!r}")
    helper.control.close()


def test_a_control_point_sees_alive_and_byebye():
    ns = salver.Namespaces()
    point = listing(ns)
    helper = Helper(ns)
    time.sleep(1.5)
    helper.process.send_signal(signal.SIGTERM)
    salver.equal(0, helper.process.wait(2), "exit status")
    time.sleep(0.5)
    point.terminate()
    seen = point.communicate(timeout=5)[0]
    for state in ("available", "unavailable"):
        found = set(re.findall(rf"resource {state}\s+USN:\s+(\S+)", seen))
        salver.equal(6, len(found), f"resources {state} in\n{seen}")
    if f"http://{ns.server_address}:8250/description.xml" not in seen:
        raise AssertionError(f"no location in\n{seen}")


def test_the_helper_ends_when_the_server_is_gone():
    ns = salver.Namespaces()
    helper = Helper(ns)
    helper.control.close()
    salver.equal(0, helper.process.wait(2), "exit status")


def test_malformed_and_distant_searches_are_met_with_silence():
    ns = salver.Namespaces()
    Helper.kept = Helper(ns)  # its control socket stays open
    bad = {"MAN without quotes": search(man="ssdp:discover"), "no MAN": search(man=None),
           "other MAN": search(man='"ssdp:x"'), "no MX": search(mx=None), "empty MX": search(mx=""),
           "negative MX": search(mx="-1"), "MX not a number": search(mx="soon"),
           "no ST": search(st=None), "empty ST": search(st=""), "unknown ST": search(st="urn:x:y:1"),
           "newer device": search(st=DEVICE[:-1] + "2"), "other URI": search("M-SEARCH /x HTTP/1.1"),
           "HTTP/1.0": search("M-SEARCH * HTTP/1.0"), "no version": search("M-SEARCH *"),
           "garbage": "\0\1\2", "empty": ""}
    searches = {f"{name} to {to}": (to, text) for name, text in bad.items()
                for to in ("239.255.255.250", ns.server_address)}
    for name, answers in ask(ns, searches, 2.5).items():
        salver.equal([], answers, name)
    good = ask(ns, {to: (to, search(st="upnp:rootdevice")) for to in
                    ("239.255.255.250", ns.server_address)})
    for to, answers in good.items():
        salver.equal(1, len(answers), f"answers to a good search to {to}")
    # from another subnet
    ns._ip("-n", ns.client, "addr", "add", "10.77.9.2/24", "dev", "veth0")
    ns._ip("-n", ns.server, "route", "add", "10.77.9.0/24", "dev", "veth0")
    distant = ask(ns, {to: (to, search()) for to in ("239.255.255.250", ns.server_address)}, 2,
                  "10.77.9.2")
    for to, answers in distant.items():
        salver.equal([], answers, f"answers to a distant search to {to}")


def test_answers_are_spread_over_mx():
    ns = salver.Namespaces()
    Helper.kept = Helper(ns)
    searches = {str(i): ("239.255.255.250", search(mx="10", st="upnp:rootdevice")) for i in range(8)}
    delays = [a[0][0] for a in ask(ns, searches, 10.5).values() if a]
    salver.equal(8, len(delays), "answers")
    mean = sum(delays) / len(delays)
    deviation = (sum((d - mean) ** 2 for d in delays) / (len(delays) - 1)) ** 0.5
    if deviation < 1.2 or max(delays) > 10:
        raise AssertionError(f"delays {delays}")


def test_the_helper_listens_on_no_tcp_port_and_has_no_privileges():
    ns = salver.Namespaces()
    helper = Helper(ns)
    listeners = subprocess.run(ns.command(ns.server, ["ss", "-ltnp"]), capture_output=True,
                               text=True).stdout
    if "salver-discover" in listeners:
        raise AssertionError(listeners)
    status = pathlib.Path(f"/proc/{helper.process.pid}/status").read_text()
    salver.equal("0000000000000000", re.search(r"CapEff:\s*(\S+)", status)[1], "capabilities")
    salver.equal("1", re.search(r"NoNewPrivs:\s*(\S+)", status)[1], "no_new_privs")


def test_the_server_is_announced():
    ns = salver.Namespaces()
    if not pathlib.Path(salver.BIN).exists():
        salver.skip("salver is not built")
    media = salver.tmpdir() / "empty"
    media.mkdir()
    server = salver.Server(media, namespaces=ns, wait=False)

    def found():
        return ask(ns, {"all": ("239.255.255.250", search())})["all"]
    answers = salver.wait_for("the announcement", found, 20)
    salver.equal(6, len(answers), "answers")
    location = f"LOCATION: http://{ns.server_address}:{server.port}/description.xml\r\n"
    salver.equal(6, sum(location in text for _, text in answers), "right locations")
    point = listing(ns)
    time.sleep(4)
    server.stop()
    time.sleep(0.5)
    point.terminate()
    seen = point.communicate(timeout=5)[0]
    salver.equal(6, len(set(re.findall(r"resource unavailable\s+USN:\s+(\S+)", seen))), seen)
