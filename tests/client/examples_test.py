"""The example agents, without a daemon: direct mode against the provider simulator."""

import json
import os
import pathlib
import subprocess
import sys
import unittest
import urllib.request

BIN = pathlib.Path(os.environ["REQUESTROUTER_BIN"])
EXAMPLES = pathlib.Path(__file__).parents[2] / "client_lib" / "examples"


class Planner(unittest.TestCase):
    def setUp(self):
        self.simulator = subprocess.Popen(
            [BIN / "provider_sim", "--port", "0", "--key", "secret:rpm=100,tpm=1000000"],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.simulator.stdout.close)
        self.addCleanup(self.simulator.wait)
        self.addCleanup(self.simulator.terminate)
        self.url = self.simulator.stdout.readline().split()[-1]

    def plan(self):
        environment = dict(os.environ, ROUTERD_GEMINI_BASE_URL=self.url, GEMINI_API_KEY="secret",
                           LLM_MULTI_KEY_ROUTER_ENABLED="false")
        return subprocess.run([sys.executable, EXAMPLES / "planner.py", "Build a shed"],
                              env=environment, capture_output=True, text=True, timeout=60)

    def requests(self):
        with urllib.request.urlopen(self.url + "/_sim/stats") as reply:
            return sum(key["requests"] for key in json.load(reply)["keys"])

    def test_a_request_becomes_a_todo_list(self):
        done = self.plan()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("title", json.loads(done.stdout)["todos"][0])
        self.assertRegex(done.stderr, "planner_[0-9a-f]{8}")

    def test_an_invalid_answer_is_asked_for_again_until_the_attempts_are_used_up(self):
        control = json.dumps({"answer_text": "no JSON"}).encode()
        urllib.request.urlopen(self.url + "/_sim/control", data=control).read()
        done = self.plan()
        self.assertEqual(done.returncode, 1)
        self.assertIn("no valid TodoList after 3 answers", done.stderr)
        self.assertEqual(self.requests(), 3)


if __name__ == "__main__":
    unittest.main()
