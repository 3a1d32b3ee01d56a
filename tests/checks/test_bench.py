# SPDX-License-Identifier: MIT
"""Tests of how the benches judge what they measured."""
import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import sys
import unittest

BENCH = pathlib.Path(__file__).resolve().parent.parent.parent / "bench"


def load(name):
    sys.dont_write_bytecode = True  # it would lie beside the tool
    loader = importlib.machinery.SourceFileLoader(f"bench_{name}", str(BENCH / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


compare = load("compare")
instructions = load("instructions")


def line(engine, op, value, number=0, cpus=1, canary=1.0, **more):
    return {"engine": engine, "cpus": cpus, "op": op, "value": value, "round": number,
            "canary_us": canary, **more}


def quietly(function, *arguments):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        result = function(*arguments)
    return result, out.getvalue()


class Ratios(unittest.TestCase):
    def test_ratio_is_the_median_of_those_of_each_round(self):
        figures = compare.Figures(
            [line("salver", "insert", v, r) for r, v in enumerate((100, 600, 30))] +
            [line("lmdb", "insert", v, r) for r, v in enumerate((10, 100, 10))])
        self.assertEqual(figures.get("salver", "insert", over="lmdb"), (6, ""))

    def test_round_on_cold_memory_is_left_out_where_there_is_a_warm_one(self):
        figures = compare.Figures([line("salver", "insert", 100, 0, canary=9.0),
                                   line("salver", "insert", 500, 1)])
        self.assertEqual(figures.get("salver", "insert"), (500, ""))

    def test_cold_rounds_alone_are_marked(self):
        figures = compare.Figures([line("salver", "insert", 100, canary=9.0)])
        self.assertEqual(figures.get("salver", "insert"), (100, "!"))

    def test_cold_rival_spoils_a_ratio(self):
        figures = compare.Figures([line("salver", "insert", 100), line("lmdb", "insert", 10, canary=3)])
        self.assertEqual(figures.get("salver", "insert", over="lmdb"), (10, "!"))

    def test_rounds_without_the_rival_do_not_count(self):
        figures = compare.Figures([line("salver", "insert", 100), line("lmdb", "insert", 10, 1)])
        self.assertIsNone(figures.get("salver", "insert", over="lmdb"))

    def test_processors_are_told_apart(self):
        figures = compare.Figures([line("salver", "insert", 100), line("salver", "insert", 170, cpus=2),
                                   line("lmdb", "insert", 10)])
        self.assertEqual(figures.get("salver", "insert", 2, "lmdb"), (17, ""))


class Goals(unittest.TestCase):
    def judged(self, *lines, rows=1000000, order="scan"):
        return quietly(compare.print_goals, compare.Figures(lines), rows, order)[1]

    def test_goal_is_met_at_its_bound_and_missed_beyond(self):
        for value, word in ((6.0, "met"), (5.9, "MISSED")):
            text = self.judged(line("salver", "insert", value), line("lmdb", "insert", 1))
            self.assertRegex(text, rf"insert / LMDB \| at least 6 \| [\d.]+ \|  \| {word}")

    def test_less_time_is_better(self):
        for value, word in ((0.6, "met"), (0.7, "MISSED")):
            text = self.judged(line("salver", "read.get_id", value), line("lmdb", "read.get_id", 1))
            self.assertRegex(text, rf"get by id / LMDB \| at most 0.6 \| [\d.]+ \|  \| {word}")

    def test_memory_is_judged_in_mebibytes(self):
        self.assertIn("all goals met", self.judged(line("salver", "rss_anon.insert", 6 << 20)))
        self.assertIn("1 goals missed", self.judged(line("salver", "rss_anon.insert", 7 << 20)))

    def test_goals_of_other_orders_are_not_asked(self):
        lines = line("salver", "insert", 1), line("lmdb", "insert", 1)
        self.assertNotIn("random", self.judged(*lines))
        self.assertIn("random", self.judged(*lines, order="random"))


class Digests(unittest.TestCase):
    def test_engines_that_agree_are_fine(self):
        self.assertEqual(compare.digest_faults([line("salver", "read.x", 1, digest="a", found=2),
                                                line("lmdb", "read.x", 1, digest="a", found=2)]), [])

    def test_other_answer_is_named(self):
        for other in ({"digest": "b", "found": 2}, {"digest": "a", "found": 1}):
            faults = compare.digest_faults([line("salver", "read.x", 1, digest="a", found=2),
                                            line("lmdb", "read.x", 1, **other)])
            self.assertEqual(len(faults), 1)
            self.assertIn("lmdb", faults[0])


class Baseline(unittest.TestCase):
    def test_more_instructions_than_allowed_fail(self):
        for now, slower in ((1040, []), (1060, ["salver"])):
            found, _ = quietly(instructions.check, {"salver": {"insert": now}},
                               {"salver": {"insert": 1000}})
            self.assertEqual(found, slower)

    def test_rivals_and_unknown_operations_do_not_fail(self):
        found, text = quietly(instructions.check, {"lmdb": {"insert": 9}, "salver": {"new": 9}},
                              {"lmdb": {"insert": 1}})
        self.assertEqual(found, [])
        self.assertIn("not in the baseline", text)

    def test_lines_of_the_annotation_are_understood(self):
        match = instructions.LINE.match("1,234 ( 5.00%)  ./string/../a.S:__memcmp_avx2 [/usr/lib/c.so]")
        self.assertEqual((match[1], match[2]), ("1,234", "__memcmp_avx2"))


if __name__ == "__main__":
    outcome = unittest.main(exit=False, verbosity=0).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad - len(outcome.skipped)} passed, {bad} failed, "
          f"{len(outcome.skipped)} skipped")
    sys.exit(1 if bad else 0)
