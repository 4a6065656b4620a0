"""Bash completion, driven from bash as readline would, against the real programs."""

import os
import pathlib
import subprocess
import unittest

from support import BIN, EndToEnd

COMPLETION = pathlib.Path(os.environ["REQUESTROUTER_SOURCE"]) / "systemd/completion"

# Calls the function that `complete` has for the program, with what readline would have set.
SCRIPT = r"""
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
read -ra COMP_WORDS <<<"${COMP_LINE//:/ : }"
[[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
name=$(complete -p "${COMP_WORDS[0]}" | sed 's/.* -F \([^ ]*\) .*/\1/')
"$name"
printf '%s\n' "${COMPREPLY[@]}"
"""


class Completion(EndToEnd):
    def complete(self, line, endpoint="ipc:///nowhere", folder="/"):
        environment = {"PATH": f"{BIN}:/usr/bin:/bin", "REQUESTROUTER_ENDPOINT": endpoint}
        done = subprocess.run(["bash", "-c", SCRIPT, "bash", COMPLETION / line.split()[0], line],
                              env=environment, cwd=folder, capture_output=True, text=True,
                              check=True, timeout=60)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_commands(self):
        self.assertEqual(self.complete("routerctl he"), ["health"])
        self.assertEqual(self.complete("routerctl --json conv"), ["conversations", "conversation"])
        self.assertIn("queue", self.complete("routerctl "))

    def test_options_of_the_program_and_of_the_command(self):
        self.assertEqual(self.complete("routerctl --en"), ["--endpoint"])
        self.assertEqual(self.complete("routerctl chat --sy"), ["--system"])
        self.assertEqual(self.complete("routerctl chat --no"), ["--no-stream"])
        self.assertEqual(self.complete("routerctl chat --js"), ["--json"])
        self.assertEqual(self.complete("routerctl health --sy"), [])

    def test_values_that_help_lists(self):
        self.assertEqual(self.complete("routerctl chat --workload "),
                         ["light", "medium", "heavy", "auto"])
        self.assertEqual(self.complete("routerctl usage --by mo"), ["model"])

    def test_files_where_a_file_is_wanted(self):
        (pathlib.Path(self.folder.name) / "copy.db").touch()
        self.assertEqual(self.complete("routerctl restore co", folder=self.folder.name),
                         ["copy.db"])

    def test_keys_and_conversations_of_the_daemon(self):
        daemon = self.daemon()
        client = self.client(daemon)
        self.assertTrue(client.chat("hello", conv_id="notes:1")["ok"])
        self.assertEqual(self.complete("routerctl disable ", daemon.endpoint), ["k1", "k2"])
        self.assertEqual(self.complete("routerctl conversation no", daemon.endpoint), ["notes:1"])
        self.assertEqual(self.complete("routerctl conversation notes:", daemon.endpoint), ["1"])
        self.assertEqual(self.complete(f"routerctl --endpoint {daemon.endpoint} disable k"),
                         ["k1", "k2"])

    def test_requests_that_wait(self):
        daemon = self.daemon()
        self.sim.control(latency_ms=10_000)
        client = self.client(daemon)
        request = client.send("chat", {"prompt": "hello"})
        asking = self.client(daemon)
        while not any(one["id"] == request for one in asking.ask("queue")["body"]["in_flight"]):
            pass
        self.assertEqual(self.complete("routerctl cancel ", daemon.endpoint), [request])
        self.assertEqual(daemon.ctl("cancel", request).returncode, 0)

    def test_without_a_daemon_there_are_no_words(self):
        self.assertEqual(self.complete("routerctl disable "), [])

    def test_the_daemons_options(self):
        self.assertEqual(self.complete("routerd --conf"), ["--config"])
        self.assertEqual(self.complete("routerd --log-level de"), ["debug"])
        self.assertEqual(self.complete("routerd --metrics-listen "), ["127.0.0.1:9464"])
        (pathlib.Path(self.folder.name) / "keys.json").touch()
        self.assertEqual(self.complete("routerd --config k", folder=self.folder.name),
                         ["keys.json"])


if __name__ == "__main__":
    unittest.main()
