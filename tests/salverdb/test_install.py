#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs libsalverdb to a fresh prefix, builds the example against nothing but that, with the
shared and the static library, as C and as C++, and runs it: records are there after kill -9, and
no name but those of the public header is visible.

    test_install.py SOURCE_DIR BUILD_DIR CC CXX FLAGS
"""
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile

SOURCE, BUILD = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
CC, CXX, FLAGS = sys.argv[3], sys.argv[4], shlex.split(sys.argv[5])


def run(*command, status=0, **more):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120, **more)
    assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def pkg_config(prefix, *options):
    folder = next(prefix.rglob("salverdb.pc")).parent
    found = run("pkg-config", *options, "salverdb",
                env={**os.environ, "PKG_CONFIG_PATH": str(folder)})
    return shlex.split(found)


def declared_names(header):
    """Functions of the public header that are not defined in it."""
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
    return set(re.findall(r"(?:SDB_API|SDB_CHECKED)[^;{]*?\b(sdb_\w+)\(", text))


def names_are_those_of_the_header(prefix):
    want = declared_names(prefix / "include/salverdb.h")
    assert len(want) > 30, want
    shared = next(prefix.rglob("libsalverdb.so"))
    exported = {line.split()[-1].split("@")[0] for line in
                run("nm", "-D", "--defined-only", shared).splitlines() if " T " in line}
    assert exported == want, f"exported and declared differ: {exported ^ want}"
    archive = next(prefix.rglob("libsalverdb.a"))
    visible = {line.split()[-1] for line in run("nm", "--defined-only", "-g", archive).splitlines()
               if re.search(r" [TDBRV] ", line) and "asan" not in line}
    assert visible == want, f"the archive shows {visible ^ want}"


def the_manual_names_every_function(prefix):
    manual = (prefix / "share/man/man3/libsalverdb.3").read_text()
    missing = {name for name in declared_names(prefix / "include/salverdb.h") if name not in manual}
    assert not missing, f"not in libsalverdb.3: {missing}"


def book(program, folder, *words, status=0, env=None):
    return run(program, folder / "book", *words, status=status, env=env)


def phone_book_works(program, folder, env):
    def say(*words, status=0):
        return book(program, folder, *words, status=status, env=env)
    say("add", "Ann Lee", "555-0100", "London", "Paris")
    say("add", "Bob", "555-0101", "Paris")
    say("add", "Eve", "555-0100", status=1)  # the number is Ann's
    say("note", "Ann Lee", '{"likes": ["tea"]}')
    say("note", "Bob", '{"likes": [tea]}', status=1)
    ann = 'Ann Lee\t555-0100\tLondon\tParis\n\t{"likes": ["tea"]}\n'
    assert say("number", "555-0100") == "1 of 2\n" + ann
    assert say("city", "Paris") == "2 of 2\n" + ann + "Bob\t555-0101\tParis\n"
    say("remove", "Bob")
    say("remove", "Bob", status=1)
    say("add", "Eve", "555-0101", "Rome")
    assert say("list") == "2 of 2\n" + ann + "Eve\t555-0101\tRome\n"
    say("check")


def acknowledged_records_survive_a_kill(program, folder, env):
    for acknowledged in (1, 17, 200):
        with subprocess.Popen([program, folder / f"kill{acknowledged}", "fill", "100000"], text=True,
                              stdout=subprocess.PIPE, env=env) as filler:
            names = [filler.stdout.readline().rstrip("\n") for _ in range(acknowledged)]
            filler.send_signal(signal.SIGKILL)
            names += filler.stdout.read().split("\n")[:-1]
        listed = run(program, folder / f"kill{acknowledged}", "list", env=env).splitlines()[1:]
        listed = [line.split("\t")[0] for line in listed]
        assert listed[:len(names)] == names, f"lost: {set(names) - set(listed)}"
        assert len(listed) <= len(names) + 1, "more than was under way"
        run(program, folder / f"kill{acknowledged}", "check", env=env)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        prefix = folder / "usr"
        run("cmake", "--install", BUILD, "--component", "salverdb", "--prefix", prefix)
        names_are_those_of_the_header(prefix)
        the_manual_names_every_function(prefix)
        example = SOURCE / "examples/phonebook.c"
        flags = pkg_config(prefix, "--cflags", "--libs")
        archive = next(prefix.rglob("libsalverdb.a"))
        static = [f for f in pkg_config(prefix, "--static", "--cflags", "--libs")
                  if f != "-lsalverdb"]
        env = {**os.environ, "LD_LIBRARY_PATH": str(archive.parent)}
        run(*shlex.split(CC), *FLAGS, "-std=c11", "-Wall", "-Wextra", "-Werror", example, "-o",
            folder / "shared", *flags)
        run(*shlex.split(CC), *FLAGS, example, archive, "-o", folder / "static", *static)
        (folder / "header.cpp").write_text(
            "#include <salverdb.h>\nint main() { return sdb_err_text(SDB_OK)[0] != 'o'; }\n")
        run(*shlex.split(CXX), *FLAGS, "-Wall", "-Wextra", "-Wpedantic", "-Werror",
            folder / "header.cpp", "-o", folder / "cpp", *flags)
        run(folder / "cpp", env=env)
        for kind in ("shared", "static"):
            (folder / f"{kind}.d").mkdir()
            phone_book_works(folder / kind, folder / f"{kind}.d", env)
        acknowledged_records_survive_a_kill(folder / "shared", folder, env)


main()
