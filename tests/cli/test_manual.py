#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs the manual of salver to a fresh prefix: it has every command and option that the program
knows, every setting with its default, and none besides.

    test_manual.py BUILD_DIR SALVER
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BUILD, SALVER = sys.argv[1], sys.argv[2]


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def same(what, known, told):
    assert known, f"the program names no {what}"
    assert known == told, f"{what} that one has and the other has not: {known ^ told}"


def section(page, name):
    return re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH |\Z)", page, re.S | re.M).group(1)


def options(text):
    return set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", text.replace(r"\-", "-")))


def main():
    with tempfile.TemporaryDirectory() as prefix:
        run("cmake", "--install", BUILD, "--component", "salver", "--prefix", prefix)
        installed = pathlib.Path(prefix) / "share/man/man1/salver.1"
        page = installed.read_text()
        if shutil.which("groff"):
            run("groff", "-man", "-ww", "-z", "-Tutf8", installed)
    usage, config = run(SALVER, "--help"), run(SALVER, "--dump-config")
    same("commands", set(re.findall(r"^  salver \[?([a-z]+)", usage, re.M)),
         set(re.findall(r"^\.B ([a-z]+)", section(page, "COMMANDS").split("\n.PP\n")[0], re.M)) - {"salver", "sound"})
    listed = set()
    for line in re.findall(r"^\.TP\n(.*)", section(page, "OPTIONS"), re.M):
        listed |= options(line)
    same("options", options(usage), listed - {"-h", "-V"})
    keys, at = {}, ""
    for line in config.splitlines():
        at = line[1:-1] if line.startswith("[") else at
        default = re.match(r"# Default: (\[.*\]|[^ .;]*)", line)  # without its unit
        value = default.group(1) if default else keys.pop("next", None)
        if default:
            keys["next"] = value
        elif re.match(r"\w+ = ", line):
            keys[f"{at}.{line.split(' = ')[0]}"] = value
    told = dict(re.findall(r'^\.BR (\w+\.\w+) " = \\fB(.*)\\fR"$', section(page, "CONFIGURATION"), re.M))
    same("settings", set(keys.items()), {(k, v.replace(r"\(dq", '"')) for k, v in told.items()})


main()
