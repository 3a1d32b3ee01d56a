#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the icons again: a covered dish on a round plate. Needs ffmpeg; the results are committed."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
BACK, DOME, TRAY = (24, 78, 119), (244, 241, 222), (242, 166, 90)


def colour(x, y):
    """Of the point (x, y) in a square from -1 to 1."""
    if (x / 0.86) ** 2 + ((y - 0.42) / 0.12) ** 2 <= 1:
        return TRAY
    if y <= 0.30 and (x / 0.66) ** 2 + ((y - 0.30) / 0.74) ** 2 <= 1:
        in_play = -0.16 <= x <= 0.28 and abs(y + 0.02) <= (0.28 - x) * 0.62
        return BACK if in_play else DOME
    if x ** 2 + (y + 0.53) ** 2 <= 0.11 ** 2:
        return TRAY
    return BACK


def draw(size, samples=6):
    out = bytearray()
    for py in range(size):
        for px in range(size):
            total = [0, 0, 0]
            for s in range(samples * samples):
                x = (px + (s % samples + 0.5) / samples) / size * 2 - 1
                y = (py + (s // samples + 0.5) / samples) / size * 2 - 1
                for i, v in enumerate(colour(x, y)):
                    total[i] += v
            out += bytes(v // (samples * samples) for v in total)
    return bytes(out)


for size in (48, 120):
    rgb = draw(size)
    for args in (["-pix_fmt", "rgb24", f"{size}.png"], ["-q:v", "2", "-pix_fmt", "yuvj420p", f"{size}.jpg"]):
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size}x{size}",
             "-i", "-", "-map_metadata", "-1", "-bitexact", "-vf", "setsar=1", "-frames:v", "1", "-update", "1", *args],
            input=rgb, check=True, cwd=HERE)
