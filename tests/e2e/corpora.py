# SPDX-License-Identifier: MIT
"""Files that were made to hurt: the samples of TagLib and ExifTool, mutated copies, tags by hand."""
import os
import pathlib
import random
import shutil
import struct
import subprocess
import zlib

from salver import need, skip

PACKAGES = ["taglib", "libimage-exiftool-perl"]
SAMPLE_FOLDERS = ["*/tests/data", "*/t/images"]
FETCH_LIMIT_S = 60
MUTATED_MAX_BYTES = 1 << 20  # larger samples are used as they are
CHANGED_BYTES_MAX = 16
HEAD_BYTES = 512  # half of the changes fall in here: that is where formats are told
OTHER_NAMES = [".mp3", ".m4a", ".mkv", ".jpg", ".ts", ".flac", ".wma", ".avi"]


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "salver/corpora"


def fetch():
    """The sample files, from Debian's source packages; fetched once per machine."""
    path = cache()
    if (path / ".complete-1").exists():
        return path
    need("apt-get", "tar")
    sources = pathlib.Path("/etc/apt/sources.list.d/debian.sources")
    shutil.rmtree(path, ignore_errors=True)
    (path / "lists/partial").mkdir(parents=True)
    if sources.exists():
        text = sources.read_text().replace("Types: deb\n", "Types: deb-src\n")
        own = path / "own.sources"
    else:
        sources = pathlib.Path("/etc/apt/sources.list")
        text = "".join("deb-src " + line[4:] for line in sources.read_text().splitlines(True)
                       if line.startswith("deb ")) if sources.exists() else ""
        own = path / "own.list"
    own.write_text(text)
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::sourcelist={own}", "-o", "Dir::Etc::sourceparts=-",
           "-o", f"Dir::State::lists={path}/lists", "-o", "APT::Sandbox::User=", "-o",
           "Acquire::Retries=1", "-o", "Acquire::http::Timeout=10"]
    for command in ["update"], ["source", "--download-only", *PACKAGES]:
        try:
            done = subprocess.run(apt + command, cwd=path, capture_output=True, text=True,
                                  timeout=FETCH_LIMIT_S)
        except subprocess.TimeoutExpired:
            skip("no network: the source packages of Debian cannot be fetched")
        if done.returncode != 0:
            skip(f"no network: {done.stderr.strip().splitlines()[-1:]}")
    for archive in path.glob("*.orig.tar.*"):
        subprocess.run(["tar", "-xf", archive, "-C", path], check=True)
    (path / ".complete-1").touch()
    return path


def samples():
    """Every sample file, sorted."""
    path = fetch()
    found = sorted(f for pattern in SAMPLE_FOLDERS for folder in path.glob(pattern)
                   for f in folder.rglob("*") if f.is_file())
    assert len(found) > 200, f"only {len(found)} sample files"
    return found


def changed(rng, data):
    data = bytearray(data)
    for _ in range(rng.randint(1, CHANGED_BYTES_MAX)):
        if data:
            reach = min(len(data), HEAD_BYTES) if rng.random() < 0.5 else len(data)
            data[rng.randrange(reach)] = rng.choice((0, 0xff, 0x7f, 0x80, rng.randrange(256)))
    return bytes(data)


def copies(rng, file, count):
    """[(name, bytes)]: the file, `count` mutated copies: bytes changed, cut, named as another."""
    data = file.read_bytes()
    stem, suffix = f"{file.parent.parent.name}-{file.name.replace('.', '-')}", file.suffix
    made = [(f"{stem}{suffix}", data)]
    if len(data) > MUTATED_MAX_BYTES:
        return made
    for i in range(count):
        kind = i % 4
        if kind == 2:
            made.append((f"{stem}-{i}-cut{suffix}", data[:rng.randrange(len(data) + 1)]))
        elif kind == 3:
            made.append((f"{stem}-{i}-named{rng.choice(OTHER_NAMES)}", changed(rng, data)))
        else:
            made.append((f"{stem}-{i}-changed{suffix}", changed(rng, data)))
    return made


# ---- by hand ---------------------------------------------------------------------------------------

def synchsafe(n):
    return bytes((n >> 21 & 127, n >> 14 & 127, n >> 7 & 127, n & 127))


def frame(name, body, flags=b"\0\0", size=None):
    return name + synchsafe(len(body) if size is None else size) + flags + body


def id3(*frames, size=None):
    body = b"".join(frames)
    return b"ID3\4\0\0" + synchsafe(len(body) if size is None else size) + body


def box(name, body):
    return struct.pack(">I", len(body) + 8) + name + body


def nested(make, levels, inner=b""):
    for _ in range(levels):
        inner = make(inner)
    return inner


def by_hand(sound):
    """{name: bytes}; `sound`: frames of MPEG audio."""
    bomb = zlib.compress(b"\0" * (64 << 20), 9)
    artists = b"\3" + b"\0".join(b"Artist %d" % i for i in range(10000))
    picture = b"\0image/jpeg\0\3\0\xff\xd8\xff\xe0" + b"x" * (8 << 20)
    chapter = b"ch\0" + b"\0" * 16
    return {
        "control.mp3": id3(frame(b"TIT2", b"\3a\n\r\x1b[31mb\x00\x07\xe2\x80\xaec")) + sound,
        "long-title.mp3": id3(frame(b"TIT2", b"\3" + b"long " * 200000)) + sound,
        "many-artists.mp3": id3(frame(b"TPE1", artists)) + sound,
        "many-frames.mp3": id3(*[frame(b"TPE1", b"\3Artist %d" % i) for i in range(10000)]) + sound,
        "many-texts.mp3": id3(*[frame(b"TXXX", b"\3K%d\0V" % i) for i in range(50000)]) + sound,
        "bomb.mp3": id3(frame(b"TIT2", struct.pack(">I", 64 << 20) + bomb, b"\0\x09")) + sound,
        "huge-picture.mp3": id3(frame(b"APIC", picture)) + sound,
        "picture-beyond-end.mp3": id3(frame(b"APIC", b"\0image/jpeg\0\3\0\xff\xd8", size=0xfffffff)) + sound,
        "tag-beyond-end.mp3": id3(frame(b"TIT2", b"\3x"), size=0xfffffff) + sound,
        "empty-frames.mp3": id3(b"TIT2\0\0\0\0\0\0" * 100000) + sound,
        "tags-in-a-row.mp3": id3(frame(b"TIT2", b"\3x")) * 20000 + sound,
        "chapters.mp3": id3(nested(lambda b: frame(b"CHAP", chapter + b), 3000)) + sound,
        "boxes.mp4": box(b"ftyp", b"isom\0\0\0\0isom") + nested(lambda b: box(b"moov", b), 3000),
        "boxes.m4a": box(b"ftyp", b"M4A \0\0\0\0M4A ") + nested(lambda b: box(b"moov", b), 3000),
        "box-of-itself.m4a": box(b"ftyp", b"M4A \0\0\0\0M4A ") + struct.pack(">I", 0) + b"moov"
        + box(b"udta", b"") * 1000,
        "comment-without-end.flac": b"fLaC\x84\xff\xff\xff" + b"\xff" * 100000,
        "blocks.flac": b"fLaC" + b"\x01\0\0\0" * 500000,
        "pages.ogg": (b"OggS\0\2" + b"\0" * 20 + b"\1\0") * 30000,
        "chunks.wav": b"RIFF\xff\xff\xff\xffWAVE" + b"LIST\0\0\0\0" * 100000,
        "chunks.avi": b"RIFF\xff\xff\xff\xffAVI " + nested(
            lambda b: b"LIST" + struct.pack("<I", len(b) + 4) + b"hdrl" + b, 3000),
        "objects.wma": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + b"\x1e" + b"\0" * 7
        + b"\xff\xff\xff\x7f\1\2" + b"\0" * 100000,
        "masters.mkv": b"\x1a\x45\xdf\xa3\x80" + nested(
            lambda b: b"\x18\x53\x80\x67" + struct.pack(">Q", (1 << 56) | len(b)) + b, 3000),
        "empty.mp3": b"", "empty.mkv": b"", "empty.jpg": b"",
    }


def zeros(folder):
    """Sparse files of 4 GB without anything in them, under many names."""
    for suffix in ("mp3 flac ogg m4a mp4 wma wav aiff aac ape wv mkv avi ts m2ts mpg vob flv jpg png webp "
                   "bmp tif heic").split():
        path = folder / f"zeros.{suffix}"
        with open(path, "wb") as f:
            f.truncate(4 << 30)
        yield path
