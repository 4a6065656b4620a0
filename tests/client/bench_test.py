"""`./dev bench client` runs, and compares every form in one run."""

import json
import pathlib
import subprocess
import sys
import unittest

BENCH = pathlib.Path(__file__).parents[1] / "bench" / "client.py"


class BenchClient(unittest.TestCase):
    def test_every_form_is_measured_beside_the_raw_socket(self):
        done = subprocess.run([sys.executable, BENCH, "--quick", "--json"], text=True,
                              capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = {row["form"]: row for row in json.loads(done.stdout)["rows"]}
        self.assertEqual(list(rows), ["raw", "cpp", "c", "pyraw", "python"])
        for row in rows.values():
            self.assertGreater(row["p50_us"], 0)
        self.assertEqual(rows["cpp"]["beside"], "raw")
        self.assertEqual(rows["python"]["beside"], "pyraw")

    def test_help_says_what_is_compared(self):
        done = subprocess.run([sys.executable, BENCH, "--help"], text=True, capture_output=True,
                              timeout=60, check=True)
        self.assertIn("raw socket", done.stdout)


if __name__ == "__main__":
    unittest.main()
