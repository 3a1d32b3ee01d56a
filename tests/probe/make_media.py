#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make the media files that the tests of salver-probe read: every format that ffmpeg writes, tags
with several values by mutagen, the rest by hand. Usage: make_media.py DIRECTORY"""

import os
import pathlib
import struct
import subprocess
import sys

import mutagen
import mutagen.aiff
import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.id3 as id3
import mutagen.mp3
import mutagen.mp4
import mutagen.oggopus
import mutagen.oggvorbis
import mutagen.wave
import mutagen.wavpack

SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2:sample_rate=44100", "-ac", "2"]
PICTURES = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=25:duration=2"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
PLAIN = ["-metadata", "title=Plain Title"]

# Fields one after the other, as PAL television has them.
LINES = ["-f", "lavfi", "-i", "testsrc=size=720x576:rate=25:duration=2", *SOUND[:-2], "-ar", "48000", "-ac", "2",
         "-b:v", "4M", "-flags", "+ildct+ilme", "-top", "1"]

# name: arguments
FILES = {
    "cbr.mp3": SOUND + ["-b:a", "128k", "-write_xing", "0"],
    "vbr.mp3": SOUND + ["-q:a", "4"],
    "layer2.mp2": SOUND + ["-c:a", "mp2", "-b:a", "192k"],
    "sound.flac": SOUND + ["-sample_fmt", "s16"],
    "deep.flac": SOUND + ["-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-ar", "96000"],
    "sound.ogg": SOUND + ["-c:a", "libvorbis"],
    "flac.oga": SOUND + ["-c:a", "flac", "-sample_fmt", "s16", "-f", "ogg"],
    "sound.opus": SOUND + ["-c:a", "libopus", "-ar", "48000"],
    "sound.spx": SOUND + ["-c:a", "libspeex", "-ar", "16000"] + PLAIN,
    "sound.m4a": SOUND + ["-c:a", "aac", "-b:a", "96k"],
    "book.m4b": SOUND + ["-c:a", "aac", "-f", "ipod"],
    "lossless.m4a": SOUND + ["-c:a", "alac", "-sample_fmt", "s16p"],
    "sound.aac": SOUND + ["-c:a", "aac", "-b:a", "96k"],
    "sound.wav": SOUND,
    "deep.wav": SOUND + ["-c:a", "pcm_s24le"],
    "rf64.wav": SOUND + ["-rf64", "always"],
    "float.wav": SOUND + ["-c:a", "pcm_f32le"],
    "sound.aiff": SOUND,
    "sound.aif": SOUND,
    "sound.wma": SOUND + ["-c:a", "wmav2"],
    "sound.wv": SOUND + ["-c:a", "wavpack", "-sample_fmt", "s16p"],
    "sound.tta": SOUND + ["-c:a", "tta", "-sample_fmt", "s16"],
    "sound.mka": SOUND + PLAIN + ["-c:a", "libvorbis"],
    "soundonly.mp4": SOUND + ["-c:a", "aac"],
    "film.mp4": PICTURES + SOUND + H264 + ["-profile:v", "baseline", "-level", "3.1"] + PLAIN
    + ["-c:a", "aac", "-metadata", "creation_time=2020-05-06T07:08:09Z"],
    "hevc.mp4": PICTURES + ["-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1",
                            "-pix_fmt", "yuv420p"],
    "film.m4v": PICTURES + SOUND + H264 + ["-c:a", "aac"],
    "film.mov": PICTURES + SOUND + H264 + ["-c:a", "pcm_s16le"],
    "film.mkv": PICTURES + SOUND + SOUND[:-2] + ["-map", "0", "-map", "1", "-map", "2", "-c:v",
                                                 "libx264", "-preset", "ultrafast", "-pix_fmt",
                                                 "yuv420p", "-profile:v", "high", "-c:a:0", "ac3",
                                                 "-c:a:1", "aac", "-metadata:s:a:0", "language=eng",
                                                 "-metadata:s:a:1", "language=fre"] + PLAIN,
    "film.webm": PICTURES + SOUND + ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a",
                                     "libopus", "-ar", "48000"],
    "film.avi": PICTURES + SOUND + ["-c:v", "mpeg4", "-c:a", "libmp3lame"],
    "film.divx": PICTURES + SOUND + ["-c:v", "mpeg4", "-vtag", "DX50", "-c:a", "libmp3lame", "-f",
                                     "avi"],
    "film.wmv": PICTURES + SOUND + ["-c:v", "wmv2", "-c:a", "wmav2"],
    "film.asf": PICTURES + SOUND + ["-c:v", "wmv2", "-c:a", "wmav2"],
    "film.flv": PICTURES + SOUND + H264 + ["-c:a", "aac"],
    "film.ts": PICTURES + SOUND + H264 + ["-c:a", "aac"],
    "film.m2ts": PICTURES + SOUND + H264 + ["-c:a", "ac3", "-mpegts_m2ts_mode", "1"],
    "film.mpg": PICTURES + SOUND + ["-c:v", "mpeg2video", "-c:a", "mp2"],
    "film.vob": PICTURES + SOUND + ["-c:v", "mpeg2video", "-c:a", "mp2", "-f", "vob"],
    "film.3gp": PICTURES + SOUND + H264 + ["-c:a", "aac"],
    "film.ogv": PICTURES + SOUND + ["-c:v", "libtheora", "-c:a", "libvorbis"],
    "lines.mpg": LINES + ["-c:v", "mpeg2video", "-c:a", "mp2", "-f", "dvd"],
    "lines.ts": LINES + ["-c:v", "mpeg2video", "-c:a", "mp2"],
    "lines-h264.ts": LINES + H264 + ["-c:a", "aac"],
    "picture.jpg": PICTURES + ["-frames:v", "1"],
    "picture.png": PICTURES + ["-frames:v", "1"],
    "picture.gif": PICTURES + ["-frames:v", "1"],
    "picture.webp": PICTURES + ["-frames:v", "1"],
    "picture.bmp": PICTURES + ["-frames:v", "1"],
    "picture.tif": PICTURES + ["-frames:v", "1"],
}


def ffmpeg(path, arguments):
    subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-bitexact",
                    *arguments, str(path)], check=True)


def copy(directory, source, target):
    data = (directory / source).read_bytes()
    (directory / target).write_bytes(data)
    return directory / target


def tag_id3(path, tags):
    """Three artists, two genres, picture: the same facts in every format."""
    tags.add(id3.TIT2(encoding=3, text="Title \u00e9\u4e2d"))
    tags.add(id3.TPE1(encoding=3, text=["One", "Two & Co", "Three"]))
    tags.add(id3.TPE2(encoding=3, text="Album Artist"))
    tags.add(id3.TALB(encoding=3, text="The Album"))
    tags.add(id3.TCON(encoding=3, text=["Rock", "Metal"]))
    tags.add(id3.TCOM(encoding=3, text="The Composer"))
    tags.add(id3.TRCK(encoding=3, text="3/12"))
    tags.add(id3.TPOS(encoding=3, text="2/2"))
    tags.add(id3.TDRC(encoding=3, text="1999-12-31"))
    tags.add(id3.TCMP(encoding=3, text="1"))
    tags.add(id3.APIC(encoding=3, mime="image/png", type=4, desc="back", data=b"\x89PNG\r\n\x1a\nback"))
    tags.add(id3.APIC(encoding=3, mime="image/jpeg", type=3, desc="front", data=picture(path)))


def picture(path):
    return (path.parent / "picture.jpg").read_bytes()


def vorbis_tags(path, f):
    f["title"] = "Title \u00e9\u4e2d"
    f["artist"] = ["One", "Two & Co", "Three"]
    f["albumartist"] = "Album Artist"
    f["album"] = "The Album"
    f["genre"] = ["Rock", "Metal"]
    f["composer"] = "The Composer"
    f["tracknumber"] = "3/12"
    f["discnumber"] = "2"
    f["date"] = "1999-12-31"
    f["compilation"] = "1"


def flac_picture(path):
    pic = mutagen.flac.Picture()
    pic.type = 3
    pic.mime = "image/jpeg"
    pic.data = picture(path)
    return pic


def tagged(d):
    import base64

    f = mutagen.mp3.MP3(copy(d, "vbr.mp3", "tagged.mp3"))
    if f.tags is None:
        f.add_tags()
    tag_id3(d / "tagged.mp3", f.tags)
    f.save()
    for name, cls in (("sound.aiff", mutagen.aiff.AIFF), ("sound.wav", mutagen.wave.WAVE)):
        path = copy(d, name, "tagged" + os.path.splitext(name)[1])
        f = cls(path)
        if f.tags is None:
            f.add_tags()
        tag_id3(path, f.tags)
        f.save()
    path = copy(d, "sound.flac", "tagged.flac")
    f = mutagen.flac.FLAC(path)
    vorbis_tags(path, f)
    f.add_picture(flac_picture(path))
    f.save()
    for name, cls in (("sound.ogg", mutagen.oggvorbis.OggVorbis),
                      ("sound.opus", mutagen.oggopus.OggOpus)):
        path = copy(d, name, "tagged" + os.path.splitext(name)[1])
        f = cls(path)
        vorbis_tags(path, f)
        f["metadata_block_picture"] = base64.b64encode(flac_picture(path).write()).decode()
        f.save()
    path = copy(d, "sound.m4a", "tagged.m4a")
    f = mutagen.mp4.MP4(path)
    f["\u00a9nam"] = "Title \u00e9\u4e2d"
    f["\u00a9ART"] = ["One", "Two & Co", "Three"]
    f["aART"] = "Album Artist"
    f["\u00a9alb"] = "The Album"
    f["\u00a9gen"] = ["Rock", "Metal"]
    f["\u00a9wrt"] = "The Composer"
    f["trkn"] = [(3, 12)]
    f["disk"] = [(2, 2)]
    f["\u00a9day"] = "1999-12-31"
    f["cpil"] = True
    f["covr"] = [mutagen.mp4.MP4Cover(picture(path), mutagen.mp4.MP4Cover.FORMAT_JPEG)]
    f.save()
    path = copy(d, "sound.wma", "tagged.wma")
    f = mutagen.asf.ASF(path)
    f["Title"] = "Title \u00e9\u4e2d"
    f["Author"] = ["One", "Two & Co", "Three"]
    f["WM/AlbumArtist"] = "Album Artist"
    f["WM/AlbumTitle"] = "The Album"
    f["WM/Genre"] = ["Rock", "Metal"]
    f["WM/Composer"] = "The Composer"
    f["WM/TrackNumber"] = "3"
    f["WM/PartOfSet"] = "2"
    f["WM/Year"] = "1999"
    f["WM/IsCompilation"] = "1"
    image = picture(path)
    f["WM/Picture"] = mutagen.asf.ASFByteArrayAttribute(
        struct.pack("<bI", 3, len(image)) + "image/jpeg\0\0".encode("utf-16-le") + image)
    f.save()
    for name in ("sound.wv", "sound.ape", "sound.mpc"):
        path = copy(d, name, "tagged" + os.path.splitext(name)[1])
        f = mutagen.apev2.APEv2()
        f["Title"] = "Title \u00e9\u4e2d"
        f["Artist"] = ["One", "Two & Co", "Three"]
        f["Album Artist"] = "Album Artist"
        f["Album"] = "The Album"
        f["Genre"] = ["Rock", "Metal"]
        f["Composer"] = "The Composer"
        f["Track"] = "3/12"
        f["Disc"] = "2"
        f["Year"] = "1999"
        f["Compilation"] = "1"
        f["Cover Art (Front)"] = mutagen.apev2.APEValue(b"cover.jpg\0" + picture(path),
                                                        mutagen.apev2.BINARY)
        f.save(path)
    # Big pictures: larger than a packet, larger than a reply.
    for name, size in (("bigart.mp3", 600000), ("hugeart.mp3", 3000000)):
        f = mutagen.mp3.MP3(copy(d, "vbr.mp3", name))
        if f.tags is None:
            f.add_tags()
        f.tags.add(id3.APIC(encoding=3, mime="image/jpeg", type=3,
                            data=b"\xff\xd8\xff\xe0" + b"x" * size))
        f.save()


def odd_tags(d):
    f = mutagen.mp3.MP3(copy(d, "vbr.mp3", "control.mp3"))
    if f.tags is None:
        f.add_tags()
    f.tags.add(id3.TIT2(encoding=3, text="a\x01b\tc\u202ed\x7f  e"))
    f.tags.add(id3.TPE1(encoding=3, text="x" * 100000))
    f.save()
    # What taggers write into ID3v2.3, which has no place for several values; numbers of genres.
    f = mutagen.mp3.MP3(copy(d, "vbr.mp3", "semicolons.mp3"))
    if f.tags is None:
        f.add_tags()
    f.tags.add(id3.TPE1(encoding=1, text="AC/DC; Earth, Wind & Fire; A;B"))
    f.tags.add(id3.TCON(encoding=1, text="(17);Pop; Hip-Hop/Rap"))
    f.tags.add(id3.TYER(encoding=0, text="1999"))
    f.tags.add(id3.TDAT(encoding=0, text="3112"))
    f.save(v1=0, v2_version=3)
    for name, key, date in (("year.flac", "year", "2001"), ("day.flac", "date", "31.12.1999"),
                            ("digits.flac", "date", "20040506")):
        f = mutagen.flac.FLAC(copy(d, "sound.flac", name))
        f[key] = date
        f["discnumber"] = "1/3"
        f.save()
    # CP1251 bytes labelled Latin-1, and UTF-8 bytes labelled Latin-1.
    for name, raw in (("cp1251.mp3", "\u041a\u0438\u043d\u043e".encode("cp1251")),
                      ("utf8inlatin1.mp3", "Bj\u00f6rk \u4e2d".encode("utf-8")),
                      ("sjis.mp3", "\u6d5c\u5d0e\u3042\u3086\u307f".encode("cp932")),
                      ("gbk.mp3", "\u5468\u6770\u4f26".encode("gbk")),
                      ("latin1.mp3", "Mot\u00f6rhead".encode("latin-1"))):
        f = mutagen.mp3.MP3(copy(d, "vbr.mp3", name))
        if f.tags is None:
            f.add_tags()
        f.tags.add(id3.TIT2(encoding=0, text=raw.decode("latin-1")))
        f.save(v1=0)


def by_hand(d):
    """What ffmpeg does not write: one second of nothing in a valid frame."""
    rate, channels = 2822400, 2
    data = b"\x69" * (rate // 8 * channels)
    head = b"DSD " + struct.pack("<QQQ", 28, 92 + len(data), 0)
    head += b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 2, channels, rate, 1, rate, 4096, 0)
    head += b"data" + struct.pack("<Q", 12 + len(data))
    (d / "sound.dsf").write_bytes(head + data)
    tag = id3.ID3()
    tag.add(id3.TIT2(encoding=3, text="In DSF"))
    tag.save(d / "only.id3")
    tag_bytes = (d / "only.id3").read_bytes()
    (d / "only.id3").unlink()
    tagged_head = b"DSD " + struct.pack("<QQQ", 28, 92 + len(data) + len(tag_bytes), 92 + len(data))
    (d / "tagged.dsf").write_bytes(tagged_head + head[28:] + data + tag_bytes)
    (d / "id3.aac").write_bytes(tag_bytes + (d / "sound.aac").read_bytes())
    (d / "id3.flac").write_bytes(tag_bytes + (d / "sound.flac").read_bytes())

    def chunk(name, body):
        return name + struct.pack(">Q", len(body)) + body + b"\0" * (len(body) & 1)

    prop = b"SND " + chunk(b"FS  ", struct.pack(">I", rate)) + chunk(
        b"CHNL", struct.pack(">H", 2) + b"SLFTSRGT") + chunk(b"CMPR", b"DSD \x0enot compressed\0")
    body = b"DSD " + chunk(b"FVER", struct.pack(">I", 0x01050000)) + chunk(b"PROP", prop) + chunk(
        b"DSD ", data) + chunk(b"ID3 ", tag_bytes)
    (d / "sound.dff").write_bytes(b"FRM8" + struct.pack(">Q", len(body)) + body)

    blocks = 73728
    ape = b"MAC " + struct.pack("<HHIIIIIII16s", 3990, 0, 52, 24, 4, 0, 1000, 0, 0, b"\0" * 16)
    ape += struct.pack("<HHIIIHHI", 2000, 0, blocks, 44100, 1, 16, 2, 44100)
    (d / "sound.ape").write_bytes(ape + b"\0" * 1004)
    mpc = b"MP+\x07" + struct.pack("<II", 77, 0) + b"\0" * 44
    (d / "sound.mpc").write_bytes(mpc + b"\x55" * 4000)


def trackers(d):
    """The smallest modules of four kinds: a title, and no notes."""
    (d / "module.mod").write_bytes(b"Amiga Song".ljust(20, b"\0") + b"\0" * 930 + b"\1\x7f" + b"\0" * 128
                                   + b"M.K." + b"\0" * 1024)
    s3m = b"Scream Song".ljust(28, b"\0") + b"\x1a\x10\0\0" + struct.pack("<HHHHHH", 2, 0, 1, 0, 0x1320, 2)
    s3m += b"SCRM" + bytes([64, 6, 125, 0x30, 0, 252]) + b"\0" * 10 + bytes(range(4)) + b"\xff" * 28
    (d / "module.s3m").write_bytes(s3m + b"\0\xff" + struct.pack("<H", 8) + b"\0" * 256)
    it = b"IMPM" + b"Impulse Song".ljust(26, b"\0") + b"\4\x10" + struct.pack("<HHHH", 1, 0, 0, 0)
    it += struct.pack("<HHHH", 0x214, 0x200, 9, 0) + bytes([128, 48, 6, 125, 128, 0]) + struct.pack("<HII", 0, 0, 0)
    (d / "module.it").write_bytes(it + b" " * 64 + b"@" * 64 + b"\xff" + b"\0" * 64)
    xm = b"Extended Module: " + b"Fast Song".ljust(20, b"\0") + b"\x1a" + b"salver".ljust(20, b"\0")
    xm += struct.pack("<HIHHHHHHHH", 0x104, 276, 1, 0, 4, 0, 0, 1, 6, 125) + b"\0" * 256
    (d / "module.xm").write_bytes(xm)


def tiff_exif(orientation):
    """A little-endian TIFF block: make, model, orientation, date."""
    make, model, date = b"Canon\0", b"Canon EOS 5D\0", b"2012:03:04 05:06:07\0"
    n_main = 4
    main = 8
    sub = main + 2 + 12 * n_main + 4
    heap = sub + 2 + 12 + 4
    texts = make + b"\0" * (len(make) & 1)
    model_at = heap + len(texts)
    texts += model + b"\0" * (len(model) & 1)
    date_at = heap + len(texts)
    texts += date
    out = b"II*\0" + struct.pack("<I", main) + struct.pack("<H", n_main)
    out += struct.pack("<HHII", 0x10f, 2, len(make), heap)
    out += struct.pack("<HHII", 0x110, 2, len(model), model_at)
    out += struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0)
    out += struct.pack("<HHII", 0x8769, 4, 1, sub)
    out += struct.pack("<I", 0)
    out += struct.pack("<H", 1) + struct.pack("<HHII", 0x9003, 2, len(date), date_at)
    out += struct.pack("<I", 0)
    return out + texts


def pictures(d):
    import zlib

    exif = tiff_exif(6)
    jpg = (d / "picture.jpg").read_bytes()
    app1 = b"Exif\0\0" + exif
    (d / "exif.jpg").write_bytes(jpg[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + jpg[2:])
    png = (d / "picture.png").read_bytes()
    body = b"eXIf" + exif
    chunk = struct.pack(">I", len(exif)) + body + struct.pack(">I", zlib.crc32(body))
    (d / "exif.png").write_bytes(png[:33] + chunk + png[33:])
    webp = (d / "picture.webp").read_bytes()
    vp8x = b"VP8X" + struct.pack("<I", 10) + b"\x08\0\0\0" + struct.pack("<I", 319)[:3] + struct.pack(
        "<I", 239)[:3]
    exif_chunk = b"EXIF" + struct.pack("<I", len(exif)) + exif + b"\0" * (len(exif) & 1)
    body = b"WEBP" + vp8x + webp[12:] + exif_chunk
    (d / "exif.webp").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    heifs(d, exif)


def box(name, body):
    return struct.pack(">I", len(body) + 8) + name + body


def full(name, version, body, flags=0):
    return box(name, struct.pack(">I", version << 24 | flags) + body)


class Heif:
    """HEIC by hand: items with bytes, properties that they share, references between them."""

    def __init__(self):
        self.items, self.properties, self.references = [], [], []

    def property(self, data):
        if data not in self.properties:
            self.properties.append(data)
        return self.properties.index(data) + 1

    def item(self, kind, data, properties=(), idat=False):
        self.items.append((kind, data, [self.property(p) for p in properties], idat))
        return len(self.items)

    def refer(self, kind, source, targets):
        self.references.append(box(kind, struct.pack(">HH", source, len(targets)) + b"".join(
            struct.pack(">H", t) for t in targets)))

    def meta(self, mdat_at, primary):
        infe, iloc, ipma, idat = b"", b"", b"", b""
        for i, (kind, data, properties, inside) in enumerate(self.items, 1):
            infe += full(b"infe", 2, struct.pack(">HH", i, 0) + kind + b"\0")
            at = len(idat) if inside else mdat_at
            iloc += struct.pack(">HHHHII", i, int(inside), 0, 1, at, len(data))
            ipma += struct.pack(">HB", i, len(properties)) + bytes(properties)
            if inside:
                idat += data
            else:
                mdat_at += len(data)
        n = len(self.items)
        return full(b"meta", 0, full(b"hdlr", 0, b"\0\0\0\0pict" + b"\0" * 13)
                    + full(b"pitm", 0, struct.pack(">H", primary))
                    + full(b"iloc", 1, b"\x44\x00" + struct.pack(">H", n) + iloc)
                    + full(b"iinf", 0, struct.pack(">H", n) + infe)
                    + full(b"iref", 0, b"".join(self.references))
                    + box(b"iprp", box(b"ipco", b"".join(self.properties))
                          + full(b"ipma", 0, struct.pack(">I", n) + ipma)) + box(b"idat", idat))

    def write(self, path, primary, brand=b"heic"):
        head = box(b"ftyp", brand + b"\0\0\0\0mif1" + brand)
        at = len(head) + len(self.meta(0, primary)) + 8
        mdat = b"".join(data for _, data, _, inside in self.items if not inside)
        path.write_bytes(head + self.meta(at, primary) + box(b"mdat", mdat))


def coded_still(d, source, config_name, arguments):
    """One key frame: (its configuration as a box, its bytes)."""
    path = d / "still"
    ffmpeg(path, source + ["-frames:v", "1", "-pix_fmt", "yuv420p", *arguments, "-f", "mp4"])
    data = path.read_bytes()
    path.unlink()
    at = data.index(config_name) - 4
    config = data[at:at + struct.unpack(">I", data[at:at + 4])[0]]
    size = struct.unpack(">I", data[data.index(b"stsz") + 8:][:4])[0]
    offset = struct.unpack(">I", data[data.index(b"stco") + 12:][:4])[0]
    return config, data[offset:offset + size]


def hevc_still(d, source):
    return coded_still(d, source, b"hvcC", ["-c:v", "libx265", "-x265-params", "log-level=none:keyint=1",
                                            "-tag:v", "hvc1"])


def ispe(width, height):
    return full(b"ispe", 0, struct.pack(">II", width, height))


def heifs(d, exif):
    """A grid of four tiles in the colours of quarters.png, turned, with EXIF and a small picture."""
    exif = struct.pack(">I", 6) + b"Exif\0\0" + exif
    tiles = [hevc_still(d, ["-f", "lavfi", "-i", f"color=c={c}:s=512x512"])
             for c in ("red", "lime", "blue", "white")]
    small = hevc_still(d, ["-i", str(d / "quarters.png"), "-vf", "scale=320:240"])
    turned = box(b"irot", b"\x03")
    # As EXIF's orientation 6 says: a quarter turn with the clock.
    h = Heif()
    main = h.item(b"grid", struct.pack(">BBBBHH", 0, 0, 1, 1, 1000, 750), [ispe(1000, 750), turned], True)
    ids = [h.item(b"hvc1", data, [config, ispe(512, 512)]) for config, data in tiles]
    h.refer(b"dimg", main, ids)
    h.refer(b"cdsc", h.item(b"Exif", exif), [main])
    h.write(d / "picture.heic", main)
    h.refer(b"thmb", h.item(b"hvc1", small[1], [small[0], ispe(320, 240), turned]), [main])
    h.write(d / "small-inside.heic", main)
    for name, properties in (("mirrored", [box(b"imir", b"\x01")]), ("flipped", [box(b"imir", b"\0")]),
                             ("turned-mirrored", [turned, box(b"imir", b"\x01")]),
                             ("mirrored-turned", [box(b"imir", b"\x01"), turned])):
        one = Heif()
        one.write(d / f"{name}.heic", one.item(b"hvc1", small[1], [small[0], ispe(320, 240)] + properties))
    config, data = coded_still(d, PICTURES, b"av1C", ["-c:v", "libaom-av1", "-cpu-used", "8"])
    one = Heif()
    main = one.item(b"av01", data, [config, ispe(320, 240), turned])
    one.refer(b"cdsc", one.item(b"Exif", exif), [main])
    one.write(d / "exif.avif", main, b"avif")
    ffmpeg(d / "picture.avif", ["-i", str(d / "quarters.png"), "-frames:v", "1", "-c:v", "libaom-av1",
                                "-still-picture", "1", "-cpu-used", "8", "-pix_fmt", "yuv420p"])


QUARTERS = ["-f", "lavfi", "-i", "color=c=red:s=200x150", "-f", "lavfi", "-i", "color=c=lime:s=200x150",
            "-f", "lavfi", "-i", "color=c=blue:s=200x150", "-f", "lavfi", "-i", "color=c=white:s=200x150",
            "-filter_complex", "xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0", "-frames:v", "1"]


def jpeg_by_hand(width, height, levels, progressive=False, adobe=None, data=True):
    """Flat 8x8 blocks of one colour each component (0..255), which ffmpeg does not write so: four
    components, progressive, sizes that are a lie."""
    n = len(levels)
    out = b"\xff\xd8"
    if adobe is not None:
        out += b"\xff\xee" + struct.pack(">H", 14) + b"Adobe\0\x64\0\0\0\0" + bytes([adobe])
    out += b"\xff\xdb" + struct.pack(">H", 67) + b"\0" + b"\1" * 64
    frame = bytes([8]) + struct.pack(">HHB", height, width, n) + b"".join(
        bytes([i + 1, 0x11, 0]) for i in range(n))
    out += (b"\xff\xc2" if progressive else b"\xff\xc0") + struct.pack(">H", len(frame) + 2) + frame
    # DC codes: every length from 0 to 11 as 4 bits; AC: the end of the block as 1 bit.
    dc = bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12))
    ac = bytes([1] + [0] * 15) + b"\0"
    out += b"\xff\xc4" + struct.pack(">H", 3 + len(dc)) + b"\0" + dc
    out += b"\xff\xc4" + struct.pack(">H", 3 + len(ac)) + b"\x10" + ac
    scan = bytes([n]) + b"".join(bytes([i + 1, 0]) for i in range(n)) + bytes([0, 0 if progressive else 63, 0])
    out += b"\xff\xda" + struct.pack(">H", len(scan) + 2) + scan
    bits = ""
    blocks = ((width + 7) // 8) * ((height + 7) // 8) if data else 1
    for block in range(blocks):
        for level in levels:
            value = (level - 128) * 8 if block == 0 else 0
            size = abs(value).bit_length()
            bits += f"{size:04b}" + (f"{value if value > 0 else value + (1 << size) - 1:0{size}b}" if size else "")
            bits += "" if progressive else "0"
    bits += "1" * (-len(bits) % 8)
    body = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
    return out + body.replace(b"\xff", b"\xff\0") + b"\xff\xd9"


def red_png(width, height):
    import zlib

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress((b"\0" + b"\xff\0\0" * width) * height)) + chunk(b"IEND", b""))


def thumbnails(d):
    """Pictures for the tests of thumbnails: each turned and coded in its own way."""
    plain = ["-i", str(d / "quarters.png")]
    for o in range(1, 9):
        ffmpeg(d / "q.jpg", plain + ["-q:v", "2"])
        jpg, app1 = (d / "q.jpg").read_bytes(), b"Exif\0\0" + tiff_exif(o)
        (d / f"quarters-{o}.jpg").write_bytes(
            jpg[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + jpg[2:])
    (d / "q.jpg").unlink()
    for name, arguments in {
            "quarters.gif": [], "quarters.bmp": [], "quarters.tif": [], "quarters.webp": ["-lossless", "1"],
            "deep.png": ["-pix_fmt", "rgb48be"], "grey.jpg": ["-pix_fmt", "gray"],
            "bits.png": ["-pix_fmt", "monob"], "palette.png": ["-pix_fmt", "pal8"],
            "see-through.png": ["-vf", "format=rgba,geq=r=0:g=0:b=0:a='if(lt(X,200),255,0)'"],
            "wide.png": ["-vf", "scale=8000:20"], "tall.png": ["-vf", "scale=20:8000"],
            "dot.png": ["-vf", "scale=1:1"], "small.png": ["-vf", "scale=100:75"],
            "large.jpg": ["-vf", "scale=12000:9000", "-q:v", "5"]}.items():
        ffmpeg(d / name, plain + arguments)
    for name, width, height in ("line.png", 30000, 1), ("column.png", 1, 30000):
        (d / name).write_bytes(red_png(width, height))
    moving = ["-loop", "1", "-t", "0.2", "-framerate", "10"] + plain
    ffmpeg(d / "moving.gif", moving)
    ffmpeg(d / "moving.webp", moving + ["-c:v", "libwebp_anim", "-lossless", "1"])
    ffmpeg(d / "dark-start.mp4", ["-f", "lavfi", "-i", "color=c=black:s=320x240:d=2", "-i", str(d / "film.mp4"),
                                  "-filter_complex", "[0:v][1:v]concat", "-an"] + H264 + ["-g", "10"])
    ffmpeg(d / "wide-pixels.mp4", ["-i", str(d / "film.mp4"), "-an", "-vf", "setsar=2"] + H264)
    ffmpeg(d / "head-first.mp4", ["-i", str(d / "film.mp4"), "-c", "copy", "-movflags", "faststart"])
    data = (d / "head-first.mp4").read_bytes()
    (d / "no-frames.mp4").write_bytes(data[:data.index(b"mdat") + 4])
    (d / "cmyk.jpg").write_bytes(jpeg_by_hand(320, 240, (255, 0, 0, 255), adobe=0))
    (d / "progressive.jpg").write_bytes(jpeg_by_hand(320, 240, (76, 85, 255), progressive=True))
    (d / "bomb.jpg").write_bytes(jpeg_by_hand(65500, 65500, (76, 85, 255), data=False))
    (d / "bomb-progressive.jpg").write_bytes(
        jpeg_by_hand(20000, 20000, (76, 85, 255), progressive=True, data=False))
    png = (d / "quarters.png").read_bytes()
    (d / "bomb.png").write_bytes(png[:16] + struct.pack(">II", 65000, 65000) + png[24:])
    gif = (d / "quarters.gif").read_bytes()
    (d / "bomb.gif").write_bytes(gif[:6] + b"\xff\xff\xff\xff" + gif[10:])
    bmp = (d / "quarters.bmp").read_bytes()
    (d / "bomb.bmp").write_bytes(bmp[:18] + struct.pack("<II", 60000, 60000) + bmp[26:])
    (d / "cut.jpg").write_bytes((d / "quarters-1.jpg").read_bytes()[:3000])
    (d / "cut.png").write_bytes(png[:len(png) // 2])


def covers(d):
    """Films with a picture inside: an attachment of Matroska, an item of MP4."""
    ffmpeg(d / "cover.mkv", ["-i", str(d / "film.mkv"), "-c", "copy", "-attach", str(d / "picture.jpg"),
                             "-metadata:s:t", "mimetype=image/jpeg", "-metadata:s:t",
                             "filename=cover.jpg"])
    f = mutagen.mp4.MP4(copy(d, "film.mp4", "cover.mp4"))
    f["covr"] = [mutagen.mp4.MP4Cover(picture(d / "cover.mp4"), mutagen.mp4.MP4Cover.FORMAT_JPEG)]
    f.save()


def packed(d):
    """The same film in the other kinds of packets, and sound that says it is HE-AAC."""
    data = (d / "film.m2ts").read_bytes()
    packets = [data[i + 4:i + 192] for i in range(0, len(data), 192)]
    (d / "zero-times.m2ts").write_bytes(b"".join(b"\0\0\0\0" + p for p in packets))
    (d / "no-times.m2ts").write_bytes(b"".join(packets))
    (d / "broadcast.ts").write_bytes(b"".join(p + b"\0" * 16 for p in packets))
    # LC at 44.1 kHz, and the same two bytes as SBR, as SBR with PS, and as LC at 22.05 kHz.
    for name, config in (("he.m4a", 0x2a12), ("he2.m4a", 0xea12), ("doubtful.m4a", 0x1390)):
        for source, target in (("sound.m4a", name), ("film.mp4", name[:-1] + "v")):
            data = bytearray((d / source).read_bytes())
            at = data.index(b"\x05\x80\x80\x80", data.index(b"esds")) + 5
            assert data[at:at + 2] in (b"\x12\x10", b"\x12\x08")
            data[at:at + 2] = struct.pack(">H", config)
            if name == "doubtful.m4a":  # nor does it deny that it is SBR
                data[at + 2:at + 5] = bytes(3)
            (d / target).write_bytes(data)


def turned(d):
    ffmpeg(d / "turned.mp4", ["-i", str(d / "film.mp4"), "-c", "copy", "-metadata:s:v:0", "rotate=90"])


def broken(d):
    """Files that are not what they seem, or not at all."""
    (d / "empty.mp3").write_bytes(b"")
    for name in ("zero.mp3", "zero.flac", "zero.mp4", "zero.jpg", "zero.mkv"):
        (d / name).write_bytes(b"\0" * 100000)
    (d / "text.ts").write_text("export const answer: number = 42;\n" * 100)
    (d / "text.mp3").write_text("#!/bin/sh\necho this is not music\n" * 100)
    for name in ("sound.flac", "film.mp4", "film.mkv", "picture.jpg", "sound.m4a", "film.avi"):
        data = (d / name).read_bytes()
        (d / ("cut-" + name)).write_bytes(data[:60])
        (d / ("half-" + name)).write_bytes(data[:len(data) // 2])
    copy(d, "sound.wav", "wav-named.mp3")
    copy(d, "film.mkv", "mkv-named.avi")
    copy(d, "picture.png", "png-named.jpg")
    copy(d, "cbr.mp3", "mp3-without-name")
    copy(d, "sound.m4a", "m4a-named.mp3")
    (d / "junk-before.mp3").write_bytes(b"\0" * 6000 + (d / "cbr.mp3").read_bytes())


def main():
    directory = pathlib.Path(sys.argv[1])
    stamp = directory / "made"
    me = pathlib.Path(__file__)
    if stamp.exists() and stamp.stat().st_mtime >= me.stat().st_mtime:
        return
    directory.mkdir(parents=True, exist_ok=True)
    for name, arguments in FILES.items():
        ffmpeg(directory / name, arguments)
    by_hand(directory)
    trackers(directory)
    tagged(directory)
    odd_tags(directory)
    ffmpeg(directory / "quarters.png", QUARTERS)
    pictures(directory)
    thumbnails(directory)
    covers(directory)
    turned(directory)
    packed(directory)
    broken(directory)
    stamp.write_text("")


main()
