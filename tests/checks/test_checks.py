# SPDX-License-Identifier: MIT
"""Tests of the checkers: each finds a planted fault in a small tree, and nothing in a clean one."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent.parent.parent / "tools"
HEAD = "/* SPDX-License-Identifier: MIT */\n/* A file of a small tree. */\n"


class Checks(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="salver-test-")
        self.addCleanup(holder.cleanup)
        self.root = pathlib.Path(holder.name)

    def write(self, path, text, head=HEAD):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(head + text)

    def check(self, tool, *more):
        run = subprocess.run([sys.executable, TOOLS / tool, *more, self.root], capture_output=True,
                             text=True)
        return run.returncode, run.stdout

    def expect(self, tool, fault):
        status, text = self.check(tool)
        self.assertEqual(status, 1, text)
        self.assertIn(fault, text)

    def test_clean_tree_passes(self):
        self.write("src/web/a.c", '#include "library/library.h"\n#include "schema/media_fb.h"\n')
        self.write("src/main.c", '#include "app/app.h"\n')
        for tool in ("check-layers", "check-banned", "check-spdx"):
            self.assertEqual(self.check(tool), (0, ""))

    def test_sibling_include_is_found(self):
        self.write("src/web/a.c", '\n#include "dlna/dlna.h"\n')
        self.expect("check-layers", "src/web/a.c:4: web may not include dlna")

    def test_upward_include_is_found(self):
        self.write("src/base/a.h", '#  include "db/db.h"\n')
        self.expect("check-layers", "base may not include db")

    def test_store_that_knows_media_is_found(self):
        self.write("src/db/a.c", '#include "schema/media_fb.h"\n')
        self.expect("check-layers", "db may not include schema")

    def test_private_header_of_another_folder_is_found(self):
        self.write("src/dlna/a.c", '#include "http/http_priv.h"\n')
        self.expect("check-layers", "private to http")

    def test_library_outside_its_home_is_found(self):
        self.write("src/web/a.c", "#include <microhttpd.h>\n")
        self.expect("check-layers", "belongs to http only")

    def test_unknown_folder_is_found(self):
        self.write("src/new/a.c", "")
        self.expect("check-layers", "not in the layer table")

    def test_banned_call_is_found_with_its_line(self):
        self.write("src/base/a.c", "void f(char *a)\n{\n\tstrcpy (a, a);\n}\n")
        self.expect("check-banned", "src/base/a.c:5: strcpy() is banned")

    def test_goto_is_found(self):
        self.write("src/base/a.c", "void f(void)\n{\n\tgoto out;\nout:;\n}\n")
        self.expect("check-banned", "goto is banned")

    def test_banned_names_in_text_and_in_longer_names_pass(self):
        self.write("src/base/a.c", '/* strcpy( goto */ // atoi(\nconst char *a = "system(1) goto";\n'
                                   "void my_strcpy(void);\n")
        self.assertEqual(self.check("check-banned"), (0, ""))

    def test_missing_licence_line_is_found(self):
        self.write("src/base/a.c", "int a;\n", head="")
        self.expect("check-spdx", "src/base/a.c: the first line")

    def test_missing_purpose_is_found(self):
        self.write("src/base/a.c", "int a;\n", head="/* SPDX-License-Identifier: MIT */\n")
        self.expect("check-spdx", "does not say the purpose")

    def test_header_that_needs_another_is_found(self):
        self.write("src/base/a.h", "#pragma once\nsize_t f(void);\n")
        status, text = self.check("check-headers", self.root)
        self.assertEqual(status, 1)
        self.assertIn("src/base/a.h does not compile alone", text)


if __name__ == "__main__":
    outcome = unittest.main(exit=False, verbosity=0).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad - len(outcome.skipped)} passed, {bad} failed, "
          f"{len(outcome.skipped)} skipped")
    sys.exit(1 if bad else 0)
