# SPDX-License-Identifier: MIT
"""Tests of what tools/run-tests repeats at the end."""
import importlib.machinery
import importlib.util
import pathlib
import sys
import unittest

FILE = pathlib.Path(__file__).resolve().parent.parent.parent / "tools/run-tests"


def load():
    sys.dont_write_bytecode = True  # it would lie beside the tool
    loader = importlib.machinery.SourceFileLoader("run_tests", str(FILE))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_tests", loader))
    loader.exec_module(module)
    return module


tool = load()


def result(name, status, output):
    return tool.Result(tool.Test(name, ["test_x"]), status, output, 0.1)


class Digest(unittest.TestCase):
    def test_failed_case_is_named_with_the_lines_above_it(self):
        text = "seed 1\nok   a.b\nthis went wrong\nFAIL a.c: exit status 1\nok   a.d\n" \
               "2 passed, 1 failed, 0 skipped\n"
        self.assertEqual(tool.digest([result("dev/test_x", 1, text)]),
                         ["in dev/test_x:", "  this went wrong", "FAIL a.c: exit status 1"])

    def test_passed_programs_say_nothing(self):
        self.assertEqual(tool.digest([result("dev/test_x", 0, "ok   a.b\n1 passed, 0 failed\n"),
                                      result("dev/test_y", 77, "no browser\n")]), [])

    def test_program_without_cases_shows_its_last_lines(self):
        text = "".join(f"fault {i}\n" for i in range(40))
        lines = tool.digest([result("dev/check_x", 1, text)])
        self.assertEqual(lines[:2], ["in dev/check_x:", "  fault 28"])
        self.assertEqual(lines[-2:], ["  fault 39", "FAIL dev/check_x: exit status 1"])

    def test_program_that_was_cut_off_shows_where(self):
        text = "FAIL a.a: exit status 1\nok   a.b\nbegun\n\nnot done after 600 s\n"
        self.assertEqual(tool.digest([result("dev/test_x", 1, text)]),
                         ["in dev/test_x:", "FAIL a.a: exit status 1", "  begun",
                          "  not done after 600 s", "FAIL dev/test_x: exit status 1"])

    def test_crash_behind_the_last_case_shows_the_last_lines(self):
        text = "ok   a.b\n1 passed, 0 failed, 0 skipped\nleak of 3 bytes\n"
        self.assertEqual(tool.digest([result("dev/test_x", 1, text)])[-2:],
                         ["  leak of 3 bytes", "FAIL dev/test_x: exit status 1"])

    def test_many_failures_are_all_named_and_fit(self):
        for n in (1, 2, 3, 5, 18, 19, 200):
            text = "".join("why\n" * 20 + f"FAIL a.{i}: exit status 1\n" for i in range(n))
            text += f"0 passed, {n} failed\n"
            for results in ([result("dev/test_x", 1, text)],
                            [result("dev/test_x", 1, text), result("dev/test_y", 1, text)]):
                lines = tool.digest(results)
                named = [line for line in lines if line.startswith("FAIL ")]
                self.assertLessEqual(len(lines), tool.DIGEST_MAX)
                if n * len(results) <= 19:
                    self.assertEqual(len(named), n * len(results))
                else:
                    self.assertEqual(lines[-1], f"and {n * len(results) - len(named)} more")


if __name__ == "__main__":
    outcome = unittest.main(exit=False, verbosity=0).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad - len(outcome.skipped)} passed, {bad} failed, "
          f"{len(outcome.skipped)} skipped")
    sys.exit(1 if bad else 0)
