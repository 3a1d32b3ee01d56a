# SPDX-License-Identifier: MIT
"""Every key of the configuration changes something that can be seen from outside.

What the HTTP port, the name and the roots do, the other files show all the time.
"""
import json
import os
import shutil
import signal
import subprocess
import time

import salver
from media import mp3_frames
from salver import BIN, at_end, end_process, equal, wait_for


def setting(name, value):
    """A SALVER_ variable for the servers of this case."""
    before = os.environ.get(name)
    os.environ[name] = value
    at_end(lambda: os.environ.update({name: before}) if before is not None
           else os.environ.pop(name, None))


def test_workers_are_as_many_as_asked_for():
    for asked in 1, 3:
        setting("SALVER_SCANNER_WORKERS", str(asked))
        server = salver.Server(salver.sample())
        # They stay for ten seconds after their last file.
        equal(asked, len(server.helpers("salver-probe")), "probe workers")


def test_watch_follows_the_disk_or_not():
    for watch in True, False:
        setting("SALVER_SCANNER_WATCH", "true" if watch else "false")
        media = salver.sample_copy()
        server = salver.Server(media)
        before = server.browse("IT")[2]
        shutil.copy(media / "Pictures/pattern 1.jpg", media / "Pictures/new.jpg")
        if watch:
            wait_for("the new picture", lambda: server.browse("IT")[2] == before + 1, 10)
        else:
            time.sleep(3)
            equal(before, server.browse("IT")[2], "pictures")


def scan_of(media, *options):
    """What `salver scan` says of a new library: files found."""
    done = subprocess.run([BIN, "scan", "--database", salver.tmpdir() / "db", *options, media],
                          capture_output=True, text=True, timeout=60)
    equal(0, done.returncode, f"exit status ({done.stderr})")
    return int(done.stdout.split()[0])


def test_exclude_and_include_choose_files():
    media = salver.tmpdir()
    for name in "a.mp3", "b.flac", "@eaDir/c.jpg", "Trash/d.mp3":
        (media / name).parent.mkdir(exist_ok=True)
        (media / name).write_text("x")
    equal(3, scan_of(media), "by default")
    setting("SALVER_SCANNER_EXCLUDE", "Trash/:*.flac")
    equal(2, scan_of(media), "without trash and flac")
    setting("SALVER_SCANNER_EXCLUDE", "")
    equal(4, scan_of(media), "with nothing excluded")
    setting("SALVER_SCANNER_INCLUDE", "Trash/:*.flac")
    equal(2, scan_of(media), "only trash and flac")
    config = salver.tmpdir() / "salver.toml"
    config.write_text('[scanner]\nexclude = ["["]\n')
    del os.environ["SALVER_SCANNER_EXCLUDE"]
    done = subprocess.run([BIN, "scan", "--config", config, "--database", salver.tmpdir() / "db", media],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "scanner.exclude" in done.stderr, done.stderr


def test_tag_encoding_decides_what_old_tags_mean():
    title = "\u5468\u6770\u4f26"  # in GBK, labelled Latin-1
    frame = b"\0" + title.encode("gbk")
    tag = b"TIT2" + len(frame).to_bytes(4, "big") + b"\0\0" + frame
    media = salver.tmpdir() / "media"
    media.mkdir()
    (media / "a.mp3").write_bytes(b"ID3\3\0\0\0\0\0" + bytes([len(tag)]) + tag + mp3_frames())
    for encoding, want in ("gbk", title), ("auto", title.encode("gbk").decode("latin1")):
        setting("SALVER_SCANNER_TAG_ENCODING", encoding)
        server = salver.Server(media)
        titles = [e.text for e in server.browse("AT")[0].iter("{http://purl.org/dc/elements/1.1/}title")]
        equal([want], titles, f"titles by {encoding}")


def test_log_levels_show_more_and_more():
    lines = {}
    for level in "error", "info", "debug":
        setting("SALVER_LOGGING_LEVEL", level)
        server = salver.Server(salver.tmpdir())
        server.get("/nothing/here")
        server.stop()
        lines[level] = [line for line in server.log().split("\n")
                        if line.split(" ")[0] in ("error", "warn", "info", "debug")]
    equal([], lines["error"], "lines at level error")
    assert any(line.startswith("info scan:") for line in lines["info"]), lines["info"]
    assert not any(line.startswith("debug") for line in lines["info"]), lines["info"]


def test_host_names_open_the_door_to_a_browser():
    def status_of(host):
        return server.get("/api/v1/status", {"Host": f"{host}:{server.port}"})[0]

    server = salver.Server(salver.tmpdir())
    equal(421, status_of("media.example"), "a name that nobody set")
    setting("SALVER_NETWORK_HOST_NAMES", "media.example:other.example")
    server = salver.Server(salver.tmpdir())
    equal(200, status_of("media.example"), "a name that was set")
    equal(200, status_of("other.example"), "the second name that was set")
    equal(421, status_of("evil.example"), "another name")


def serve(*options, command=()):
    """A server with nothing on its command line but these; what it prints is in a file."""
    log = salver.tmpdir() / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen([*command, BIN, "serve", *map(str, options)], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=out)
    at_end(end_process, process)
    return process, log


def test_interfaces_in_the_file_are_those_that_serve():
    spaces = salver.Namespaces()
    for interface in "veth0", "lo":
        file = salver.tmpdir() / "salver.toml"
        file.write_text(f"""[network]
interfaces = ["{interface}"]
[media]
roots = ["{salver.tmpdir()}"]
[database]
directory = "{salver.tmpdir() / 'db'}"
""")
        process, log = serve("--config", file, command=spaces.command(spaces.server, []))
        wait_for("the server", lambda: "is serving" in log.read_text())
        got = spaces.run(["curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}",
                          f"http://{spaces.server_address}:8250/api/v1/status"], check=False)
        equal(interface == "veth0", got == "200", f"an answer by veth0 where {interface} serves")
        equal(0, end_process(process), "exit status")


def test_a_home_with_nothing_in_it_is_enough():
    home = salver.tmpdir()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run([BIN, "scan", salver.tmpdir()], env=environment, capture_output=True,
                          text=True, timeout=60)
    equal(0, done.returncode, f"exit status ({done.stderr})")
    assert (home / ".local/state/salver").is_dir()


def test_a_signal_while_it_starts_or_scans_ends_it_soon_and_well():
    database = salver.tmpdir() / "db"
    for delay in 0.01, 0.03, 0.1, 0.3, 1:
        process, log = serve("--interface", "lo", "--port", "0", "--database", database,
                             salver.sample())
        time.sleep(delay)
        begin = time.monotonic()
        process.terminate()
        status = process.wait(20)
        took = time.monotonic() - begin
        # Before it takes signals into its hands they end it, and there is nothing to lose yet.
        assert status == 0 or (status == -15 and "serving" not in log.read_text()), log.read_text()
        assert took < 3, f"{took:.1f} s after {delay} s"


def test_ctrl_c_during_a_scan_breaks_no_file():
    """The terminal signals the whole group: readers, too. Their files are not broken."""
    database = salver.tmpdir() / "db"
    for delay in 0.05, 0.1, 0.2, 0.3:
        command = [BIN, "serve", "--interface", "lo", "--port", "0", "--database", database,
                   salver.sample()]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(delay)
        os.killpg(process.pid, 2)
        process.wait(20)
    done = subprocess.run([BIN, "scan", "--database", database, salver.sample()],
                          capture_output=True, text=True, timeout=60)
    equal(0, done.returncode, "exit status")
    server = salver.Server(salver.sample(), database=database)
    equal(0, salver.find_progress(server.status())["failed"], "failed files")
    for container in "AT", "VT", "IT":
        for item in server.browse(container)[0]:
            assert item.find("d:res", salver.NAMES) is not None, item.get("id")


def test_memory_is_shared_and_sighup_changes_it():
    config = salver.tmpdir() / "salver.toml"
    config.write_text("[database]\nmemory = 20\n")
    server = salver.Server(salver.sample(), options=["--config", config])

    def pages():
        done = subprocess.run([BIN, "stats", "--database", server.database], capture_output=True,
                              check=True)
        return json.loads(done.stdout)["dlna"]["pages"]["maxBytes"]
    # Four fifths, once the store has no work.
    wait_for("the share of a budget of 20", lambda: pages() == (20 << 20) // 5 * 4, 10)
    config.write_text("[database]\nmemory = 5\n[logging]\nlevel = \"debug\"\n")
    server.process.send_signal(signal.SIGHUP)
    wait_for("the share of a budget of 5", lambda: pages() == (5 << 20) // 5 * 4, 10)
    config.write_text("[database]\nmemory = \"much\"\n")
    server.process.send_signal(signal.SIGHUP)
    wait_for("a word about it", lambda: "nothing is changed" in server.log(), 5)
    equal((5 << 20) // 5 * 4, pages(), "what was there before")
    server.stop()


def test_sighup_is_survived():
    server = salver.Server(salver.tmpdir())
    server.process.send_signal(1)
    wait_for("a word about it", lambda: "SIGHUP" in server.log(), 5)
    server.stop()


def test_thumbnails_are_kept_over_a_restart_within_their_limit_or_not():
    media, database = salver.tmpdir() / "media", salver.tmpdir() / "db"
    media.mkdir()
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                    "mandelbrot=size=1200x900:rate=1", "-frames:v", "40", "-pix_fmt", "yuvj420p",
                    media / "p%02d.jpg"], check=True)

    def figures(server):
        text = server.get("/metrics")[2].decode()
        return {name: int(text.split(f"\nsalver_thumbnail{name} ")[1].split("\n")[0])
                for name in ("s_made_total", "_cache_files", "_cache_bytes")}

    def ask_all(server):
        for item in server.browse("IT")[0]:
            status, headers, body = server.get(f"/thumb/{item.get('id').rsplit('/i', 1)[1]}.sm.jpg")
            equal((200, "image/jpeg"), (status, headers["Content-Type"]), "thumbnail")
            assert body[:3] == b"\xff\xd8\xff", body[:20]
        return figures(server)

    for limit_mib, made_again in ("256", 0), ("1", None), ("0", 40):
        setting("SALVER_WEB_THUMBNAIL_CACHE", limit_mib)
        server = salver.Server(media, database=database)
        if limit_mib == "256":
            equal(40, ask_all(server)["s_made_total"], "thumbnails made")
            server.stop()
            server = salver.Server(media, database=database)
        after = ask_all(server)
        print(f"limit {limit_mib} MiB: {after}")
        assert after["_cache_bytes"] <= int(limit_mib) << 20, after
        if made_again is not None:
            equal(made_again, after["s_made_total"], "thumbnails made again")
        equal(limit_mib != "0", any((database / "thumbnails").glob("*/*.sm")), "files on disk")
        server.stop()
