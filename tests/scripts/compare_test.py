"""tests/scripts/compare_test.py: benchmarks/compare without headstart and without peers, by contestants that are made up: who
is missing or wrong is a line and no number, promises are judged as they are, and the page keeps what it does not own."""

import functools
import pathlib
import shutil
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks/compare"))

# pylint: disable=wrong-import-position
import all as everything  # noqa: E402
import compare  # noqa: E402
import plot  # noqa: E402
import whole  # noqa: E402
import worker  # noqa: E402

compare.PAUSE_SECONDS = 0


class Contestant:
    def __init__(self, label, *seconds):
        self.label, self.seconds, self.closed = label, list(seconds), False

    def turn(self):
        if not self.seconds:
            raise RuntimeError("the result is wrong")
        return [self.seconds.pop(0)]

    def close(self):
        self.closed = True


def absent(error):
    def factory():
        raise error
    return factory


def table(**medians):
    """Of contestants name -> median, the first one the baseline."""
    ours = ("cold", "warm")
    contest = compare.Contest({name: functools.partial(Contestant, f"{'headstart' if name in ours else 'Keras'} {name}", median)
                               for name, median in medians.items()})
    contest.take_turns(1)
    return {**contest.table("key", "Title of it", "seconds"), "command": "benchmarks/compare/it"}


RESULT = {"command": "benchmarks/compare/all --quick",
          "context": {"machine": "a <b> & \"c\"", "threads": 2, "load": "0.1", "date": "2026-11-26", "commit": "abc"}}


class ContestTest(unittest.TestCase):
    def test_turns_are_taken_round_by_round_and_held_against_the_first(self):
        ours, peer = Contestant("headstart", 1, 3, 2), Contestant("Keras", 8, 9, 7)
        with compare.Contest({"ours": lambda: ours, "peer": lambda: peer}) as contest:
            contest.take_turns(3)
            made = contest.table("key", "Title", "milliseconds", 1000)
        self.assertEqual([row["values"] for row in made["contestants"]], [[1000, 3000, 2000], [8000, 9000, 7000]])
        self.assertEqual([(row["min"], row["median"]) for row in made["contestants"]], [(1000, 2000), (7000, 8000)])
        self.assertEqual([compare.ratio(made, row) for row in made["contestants"]], [1, 4])
        self.assertTrue(ours.closed and peer.closed)

    def test_who_is_missing_or_wrong_is_a_line_and_no_number(self):
        late = Contestant("late", 1)  # right in its first turn, wrong in its second
        with compare.Contest({"ours": lambda: Contestant("headstart", 1, 1), "late": lambda: late,
                              "absent": absent(worker.NotInstalled("No module named 'torch'")),
                              "wrong": absent(RuntimeError("relative L2 error 0.5"))}) as contest:
            contest.take_turns(2)
            made = contest.table("key", "Title", "seconds")
        self.assertEqual([row["name"] for row in made["contestants"]], ["ours"])
        self.assertEqual(made["missing"], {"absent": "No module named 'torch'"})
        self.assertEqual(made["failed"], {"wrong": "relative L2 error 0.5", "late": "the result is wrong"})
        self.assertEqual(compare.remarks(made), ["absent: not installed: No module named 'torch'",
                                                 "wrong: not timed: relative L2 error 0.5", "late: not timed: the result is wrong"])
        self.assertTrue(late.closed)

    def test_a_table_without_its_baseline_has_no_ratios(self):
        with compare.Contest({"ours": absent(RuntimeError("no such engine")), "peer": lambda: Contestant("Keras", 2)}) as contest:
            contest.take_turns(1)
            made = contest.table("key", "Title", "seconds")
        self.assertIsNone(compare.ratio(made, made["contestants"][0]))
        self.assertEqual(compare.cells(made)[1], [["Keras", "2.00", "2.00", ""]])


class WorkerTest(unittest.TestCase):
    def failure(self, text, returncode=1):
        with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
            log.write(text)
            return worker.failure(log, returncode)

    def test_a_module_that_is_missing_is_told_from_what_is_wrong(self):
        missing = self.failure("Traceback\n  import torch\nModuleNotFoundError: No module named 'torch'\n")
        self.assertIsInstance(missing, worker.NotInstalled)
        self.assertEqual(str(missing), "No module named 'torch'")
        wrong = self.failure("Loading\nthe result is wrong, not timed: relative L2 error 1.0e-01\n")
        self.assertNotIsInstance(wrong, worker.NotInstalled)
        self.assertEqual(str(wrong), "the result is wrong, not timed: relative L2 error 1.0e-01")
        self.assertEqual(str(self.failure("", -9)), "exit code -9")


class WholeTest(unittest.TestCase):
    def test_promises_are_met_or_not_or_not_measured(self):
        text = list(whole.promises(table(**{"cold": 10, "warm": 1, "keras-once": 29, "keras-script": 200})))
        self.assertIn("2.90 times as fast", text[0])
        self.assertTrue(text[0].endswith("at least 3: NOT MET"), text)
        self.assertTrue(text[1].endswith("at least 20: met"), text)
        self.assertTrue(text[2].endswith("at least 50: NOT MET"), text)
        self.assertEqual(list(whole.promises(table(cold=10)))[0], "cold at least 3 times as fast as keras-once: not measured")

    def test_a_run_that_is_not_the_recipe_is_not_timed(self):
        run = whole.Contestant()
        self.assertEqual(run.finish("keras-once", dict(whole.IMAGES), 0.64, [1, 2, 3, 4]), [10])
        with self.assertRaisesRegex(RuntimeError, "314"):
            run.finish("keras-once", {"training": 314, "validation": 79}, 0.64, [1, 2, 3, 4])
        for accuracy in (0.1, 0.99, float("nan")):
            with self.assertRaisesRegex(RuntimeError, "validation accuracy"):
                run.finish("keras-once", dict(whole.IMAGES), accuracy, [1, 2, 3, 4])


class PageTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def test_the_overview_has_the_fastest_of_each_family(self):
        text = everything.overview([table(**{"cold": 10, "warm": 1, "script": 500, "once": 45})])
        self.assertEqual(text.splitlines()[2], "| Title of it, seconds | **10.0** | 45.0 (4.50 x) |  |  |")

    def test_the_page_keeps_what_is_around_its_marks(self):
        page = self.folder / "page.md"
        page.write_text(f"# Before\n\n{everything.BEGIN}\nold\n{everything.END}\n\nAfter\n")
        for _ in range(2):
            everything.write_page("new\n", page)
        self.assertEqual(page.read_text(), f"# Before\n\n{everything.BEGIN}\n\nnew\n\n{everything.END}\n\nAfter\n")

    def test_a_page_without_marks_is_left_alone(self):
        page = self.folder / "page.md"
        page.write_text("# Mine\n")
        with self.assertRaisesRegex(SystemExit, "it needs the lines"):
            everything.write_page("new\n", page)
        self.assertEqual(page.read_text(), "# Mine\n")

    def test_the_page_of_this_repository_has_its_marks(self):
        text = everything.PAGE.read_text(encoding="utf-8")
        self.assertLess(text.index(everything.BEGIN), text.index(everything.END))

    def test_a_comparison_that_fails_is_in_the_text(self):
        failed = {**table(cold=1), "contestants": [], "failed": {"headstart": "compare: error: not built"}}
        text = everything.markdown({**RESULT, "tables": [failed]}, None, RESULT["command"])
        self.assertIn("- headstart: not timed: compare: error: not built", text)

    def test_a_busy_machine_is_said_to_be_busy(self):
        for load, busy in (("0.10 at the start", False), ("5.31 at the start", True)):
            result = {**RESULT, "context": {**RESULT["context"], "load": load}, "tables": [table(cold=1)]}
            self.assertEqual("was busy" in everything.markdown(result, None, "all"), busy)

    def test_every_row_is_a_bar(self):
        result = {**RESULT, "tables": [table(**{"cold": 10, "warm": 1, "once": 45}), {**table(cold=1), "contestants": []}]}
        script = plot.script(result)
        data = script.split("$bars << END\n")[1].split("\nEND")[0].splitlines()
        self.assertEqual([float(line.split()[0]) for line in data], [1, 0.1, 4.5])

    @unittest.skipUnless(shutil.which("gnuplot"), "no gnuplot")
    def test_the_picture_is_svg_with_every_label(self):
        result = {**RESULT, "tables": [table(**{"cold": 10, "warm": 1, "once": 45})]}
        self.assertTrue(plot.draw(result, self.folder / "plot.svg"))
        text = " ".join("".join(element.itertext()) for element in xml.etree.ElementTree.parse(self.folder / "plot.svg").iter())
        for words in ("headstart cold", "Keras once", "45.0  (4.50 x)", "Title of it, seconds", 'a <b> & "c"'):
            self.assertIn(words, text)


if __name__ == "__main__":
    unittest.main()
