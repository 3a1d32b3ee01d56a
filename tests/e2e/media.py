# SPDX-License-Identifier: MIT
"""Libraries of many small real files, made in about a second from the sample's."""
import pathlib
import shutil
import struct

from salver import sample, tmpdir

ALBUM_TRACKS = 10
ARTIST_ALBUMS = 5
MP3_FRAMES_BYTES = 4096


def id3(title, artist, album, track, year):
    """An ID3v2.3 tag."""
    frames = b""
    for name, value in ((b"TIT2", title), (b"TPE1", artist), (b"TALB", album), (b"TRCK", str(track)),
                        (b"TYER", str(year)), (b"TCON", ("Rock", "Jazz", "Folk")[year % 3])):
        text = b"\1" + value.encode("utf-16")
        frames += name + struct.pack(">IH", len(text), 0) + text
    n = len(frames)
    return b"ID3\3\0\0" + bytes((n >> 21 & 127, n >> 14 & 127, n >> 7 & 127, n & 127)) + frames


def mp3_frames():
    """The first frames of a sample track, without its tag."""
    data = next(iter(sorted((sample() / "Music").rglob("*.mp3")))).read_bytes()
    n = data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]
    return data[10 + n:10 + n + MP3_FRAMES_BYTES]


def song(number, frames):
    """(path below the music folder, bytes) of track `number`."""
    album, track = divmod(number, ALBUM_TRACKS)
    artist = album // ARTIST_ALBUMS
    tag = id3(f"Song {number}", f"Artist {artist}", f"Album {album}", track + 1, 1960 + album % 60)
    return f"Artist {artist}/Album {album}/{track + 1:02} Song {number}.mp3", tag + frames


def many(songs_n=2400, images_n=500, videos_n=100):
    """A folder of that many files, each with a name of its own; the songs with tags of their own."""
    root = tmpdir() / "many"
    frames = mp3_frames()
    for number in range(songs_n):
        path, data = song(number, frames)
        path = root / "Music" / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for folder, source, n in (("Pictures", "Pictures/pattern 10.jpg", images_n),
                              ("Video", "Video/Séries/Épisode 1.mp4", videos_n)):
        source = sample() / source
        for number in range(n):
            path = root / folder / f"{number // 50:02}" / f"{source.stem} {number}{source.suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, path)
    return root


def media_files(root):
    """What of these trees the library should list."""
    return sorted(p for p in pathlib.Path(root).rglob("*")
                  if p.suffix in (".mp3", ".flac", ".ogg", ".m4a", ".mp4", ".mkv", ".jpg")
                  and p.stem not in ("cover", "folder"))
