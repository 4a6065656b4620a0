"""The team of `./dev demo agents`, with a short minute."""

import os
import pathlib
import pty
import subprocess
import unittest

DEMO = pathlib.Path(__file__).parents[1] / "demo" / "agents.sh"
SMALL = ("--coders", "4", "--files", "3", "--window", "3")


class Demo(unittest.TestCase):
    def test_a_team_shares_three_keys_and_everything_is_finished_without_a_429(self):
        done = subprocess.run([DEMO, *SMALL], text=True, capture_output=True, timeout=120,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("12 of 12 files written", done.stdout)
        self.assertIn("refuse 0 requests (429)", done.stdout)
        self.assertIn("waits for a key: place", done.stdout)
        for number in range(1, 5):
            self.assertRegex(done.stdout, rf"coder-{number} +3/3  done after")
        self.assertNotIn("\x1b", done.stdout)

    def test_on_a_terminal_the_table_is_redrawn_in_place(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([DEMO, "--coders", "2", "--files", "1", "--window", "3"],
                                   stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # how a terminal says that nobody writes any more
            pass
        os.close(ours)
        self.assertEqual(process.wait(), 0, shown)
        self.assertIn(b"\x1b[2A", shown)

    def test_wrong_numbers_are_refused(self):
        done = subprocess.run([DEMO, "--coders", "0"], text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("1 or more", done.stderr)


if __name__ == "__main__":
    unittest.main()
