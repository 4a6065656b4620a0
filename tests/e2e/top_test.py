"""`routerctl top` in a terminal and without one, against the real daemon."""

import json
import signal
import unittest

from support import BIN, PATIENCE_S, EndToEnd
from terminal import Terminal


class Top(EndToEnd):

    def top(self, daemon, *arguments, columns=120, rows=40, **environment):
        environment = {**daemon.environment, "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment}
        command = [BIN / "routerctl", "--endpoint", daemon.endpoint, "top", "--interval", "0.2",
                   *arguments]
        terminal = Terminal(command, environment, columns, rows, PATIENCE_S)
        self.addCleanup(terminal.close)
        return terminal

    def states(self, daemon):
        return {k["key_id"]: k["state"]
                for k in json.loads(daemon.ctl("--json", "keys").stdout)["keys"]}

    def test_it_shows_keys_and_requests_and_quits_leaving_the_terminal_as_it_was(self):
        daemon = self.daemon()
        self.assertTrue(self.client(daemon).chat("Hello", id="shown-by-top")["ok"])
        terminal = self.top(daemon)
        terminal.wait_for("shown-by-top")
        text = terminal.wait_for("q quit")  # the last line to be drawn
        for part in ("healthy", "k1", "k2", "1/100 █░", "answered", "q quit"):
            self.assertIn(part, text)
        terminal.press("?")
        terminal.wait_for("reset the selected key")
        terminal.press("q")
        self.assertEqual(terminal.wait(), 0)
        self.assertTrue(terminal.is_as_before())

    def test_a_key_is_disabled_and_enabled_after_a_question(self):
        daemon = self.daemon()
        terminal = self.top(daemon)
        terminal.wait_for("k2")
        terminal.press("j")
        terminal.press("d")
        terminal.wait_for("Disable k2? (y/n)")
        terminal.press("n")
        terminal.wait_for("Nothing done")
        self.assertEqual(self.states(daemon)["k2"], "ready")
        terminal.press("d")
        terminal.wait_for("Disable k2? (y/n)")
        terminal.press("y")
        terminal.wait_for("k2 is disabled")
        self.assertEqual(self.states(daemon), {"k1": "ready", "k2": "disabled"})
        terminal.press("e")
        terminal.wait_for("Enable k2? (y/n)")
        terminal.press("y")
        terminal.wait_for("k2 is ready")

    def test_a_press_resets_the_cooldown_of_the_selected_key(self):
        daemon = self.daemon(keys=[{"key_id": "k1", "provider": "gemini",
                                    "model_name": "gemini-2.5-flash"}],
                             secrets={"k1": "s1"})
        self.sim.control(faults=[{"kind": "rate_limit", "match": {"key": "s1"},
                                  "retry_after_ms": 600_000}])
        self.client(daemon).chat("Hello", deadline_ms=1000)
        self.assertEqual(self.states(daemon)["k1"], "cooling")
        terminal = self.top(daemon)
        terminal.wait_for("cooling")
        terminal.press("r")
        terminal.wait_for("Reset k1? (y/n)")
        terminal.press("y")
        terminal.wait_for("k1 was reset")
        self.assertNotEqual(self.states(daemon)["k1"], "cooling")

    def test_it_follows_the_size_of_the_terminal(self):
        terminal = self.top(self.daemon())
        terminal.wait_for("CALLERS")
        terminal.resize(40, 6)
        text = terminal.wait_for("KEYS")
        self.assertNotIn("CALLERS", text)
        terminal.resize(120, 40)
        terminal.wait_for("CALLERS")

    def test_it_says_when_the_daemon_is_gone_and_goes_on_when_it_is_back(self):
        daemon = self.daemon()
        terminal = self.top(daemon)
        terminal.wait_for("healthy")
        daemon.stop()
        terminal.wait_for("no daemon")
        daemon.start()
        terminal.wait_for(lambda text: text.startswith("healthy"))

    def test_a_signal_ends_it_with_the_terminal_in_order(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal=number):
                daemon = self.daemon() if number == signal.SIGTERM else daemon
                terminal = self.top(daemon)
                terminal.wait_for("healthy")
                terminal.process.send_signal(number)
                self.assertEqual(terminal.wait(), 0)
                self.assertTrue(terminal.is_as_before())

    def test_no_color_and_another_locale_are_kept_to(self):
        daemon = self.daemon()
        terminal = self.top(daemon, NO_COLOR="1", LC_ALL="C")
        text = terminal.wait_for("healthy")
        self.assertTrue(text.isascii(), text)
        self.assertNotRegex(terminal.raw, r"\x1b\[3[0-7]m")

    def test_what_is_no_screen_gets_text_once(self):
        daemon = self.daemon()
        printed = daemon.ctl("top")
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.assertIn("KEYS", printed.stdout)
        self.assertNotIn("\x1b", printed.stdout)
        twice = daemon.ctl("--json", "top", "--count", "2", "--interval", "0.1").stdout
        self.assertEqual([sorted(json.loads(line)) for line in twice.splitlines()],
                         [["health", "keys", "queue"]] * 2)
        dumb = self.top(daemon, "--count", "1", TERM="dumb")
        dumb.wait_for("KEYS")
        self.assertEqual(dumb.wait(), 0)
        self.assertNotIn("\x1b", dumb.raw)

    def test_without_a_daemon_the_exit_code_says_so(self):
        self.assertEqual(self.daemon(start=False).ctl("top").returncode, 3)


if __name__ == "__main__":
    unittest.main()
