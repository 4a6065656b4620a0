"""./dev bench router itself: does it measure what it says, in little time."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from load import Histogram, Load, share_out  # noqa: E402
from memory import slope  # noqa: E402
from report import Goal, number  # noqa: E402


def bench(*arguments):
    return subprocess.run(["/usr/bin/python3", HERE.parent / "router.py", *arguments], text=True,
                          capture_output=True, timeout=200, check=False)


class RealRun(unittest.TestCase):
    maxDiff = None

    def test_a_short_run_measures_all_three_targets_and_judges_the_goals(self):
        with tempfile.TemporaryDirectory() as plots:
            run = bench("--quick", "--rounds", "1", "--seconds", "1", "--messages", "1000",
                        "--json", "--only", "throughput,start", "--plots", plots)
        self.assertEqual(run.returncode, 0, run.stderr)
        report = json.loads(run.stdout)
        targets = {row["target"] for row in report["rows"]}
        self.assertEqual(targets, {"bare", "routerd", "direct"})
        for row in report["rows"]:
            self.assertEqual(row["failed"], 0, row)
            self.assertGreater(row["per_second"], 0, row)
        names = " ".join(goal["name"] for goal in report["goals"])
        for promised in ("throughput", "start to READY", "kill -9"):
            self.assertIn(promised, names)

    def test_the_last_line_of_a_run_sums_it_up(self):
        run = bench("--quick", "--rounds", "1", "--messages", "1000", "--only", "start")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout.splitlines()[-1],
                         r"^in short: READY [\d.,]+ ms( \(!\))?; answer after crash [\d.,]+ ms")

    def test_a_part_that_does_not_exist_is_named_with_those_that_do(self):
        run = bench("--only", "speed")
        self.assertEqual(run.returncode, 2)
        self.assertIn('no part "speed"; there are: throughput, latency', run.stderr)

    def test_a_part_that_needs_its_own_provider_is_refused_with_a_real_one(self):
        run = bench("--upstream", "http://127.0.0.1:9/v1", "--model", "m", "--only", "memory")
        self.assertEqual(run.returncode, 2)
        self.assertIn('part "memory" needs a provider of its own', run.stderr)

    def test_the_help_says_what_the_columns_mean(self):
        self.assertIn("from the instant a request was due", bench("--help").stdout)


class Arithmetic(unittest.TestCase):
    def test_percentiles_are_of_all_clients_together(self):
        both = Histogram([[[1000, 98], [5000, 1]], [[9000, 1]]])
        self.assertEqual([both.at(0.5), both.at(0.99), both.at(1)], [1, 5, 9])
        self.assertIsNone(Histogram([]).at(0.5))

    def test_clients_share_a_load_without_rest(self):
        paces = [pace[1] for pace in share_out(Load(in_flight=6))]
        self.assertEqual(sum(paces), 6)
        self.assertEqual(len(list(share_out(Load(in_flight=1)))), 1)
        self.assertEqual(sum(pace[1] for pace in share_out(Load(rate=500))), 500)

    def test_a_goal_is_judged_by_the_median_and_says_where_rounds_disagree(self):
        goal = Goal("latency", [1.0, 1.3, 1.4], 1.3)
        self.assertTrue(goal.met)
        self.assertFalse(goal.certain)
        self.assertFalse(Goal("throughput", [0.74], 0.75, at_least=True).met)
        self.assertTrue(Goal("throughput", [0.75], 0.75, at_least=True).met)

    def test_the_slope_of_memory_is_in_kilobytes_a_minute(self):
        self.assertAlmostEqual(slope([(0, 1000), (60, 1100), (120, 1200)]), 100)

    def test_numbers_are_short(self):
        self.assertEqual([number(n) for n in (0, 0.1234, 12.34, 1234.5, None)],
                         ["0", "0.123", "12.3", "1,234", "-"])


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    unittest.main()
