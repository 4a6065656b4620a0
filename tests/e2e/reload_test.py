"""A reload, seen from outside: what it changes at once, what it leaves alone, what it says."""

import json
import pathlib
import signal
import threading
import time
import unittest

from support import PATIENCE_S, Client, EndToEnd, Simulator, key

MODEL = "gemini-2.5-flash"


class Reload(EndToEnd):
    def write(self, daemon, keys, config=None, **blocks):
        daemon.config.write_text(json.dumps({"keys": keys, "config": config or {}, **blocks}))

    def reload(self, daemon, keys, config=None, **blocks):
        self.write(daemon, keys, config, **blocks)
        reply = self.client(daemon).ask("reload")
        self.assertTrue(reply["ok"], reply)
        return reply["body"]

    def keys_of(self, client):
        return {one["key_id"]: one for one in client.ask("keys.list")["body"]["keys"]}

    def in_flight(self, daemon, **body):
        """A request that has reached the provider; the client that waits for its answer."""
        client, before = self.client(daemon), self.sim.requests()
        client.send("chat", {"prompt": "hello", **body})
        self.until(lambda: self.sim.requests() > before, "nothing sent")
        return client

    def test_under_load_loses_no_request_and_no_window(self):
        daemon = self.daemon(keys=[key("k1", rpm=100)])
        ended, failed = threading.Event(), []

        def agent():
            client = Client(daemon.endpoint)
            while not ended.is_set():
                reply = client.chat("hello", max_wait_ms=0)
                if not reply["ok"] and reply["error"]["type"] != "all_keys_exhausted":
                    failed.append(reply)
            client.close()

        agents = [threading.Thread(target=agent) for _ in range(4)]
        for one in agents:
            one.start()
        try:
            for turn in range(10):
                both = [key("k1", rpm=100), key("k2", rpm=100, tags={"priority": turn})]
                self.reload(daemon, both)
                self.reload(daemon, both[:1])
        finally:
            ended.set()
            for one in agents:
                one.join()
        self.assertEqual(failed, [])
        self.assertGreater(self.sim.requests(), 10)
        self.assertEqual(self.sim.rate_limited(), 0, "a window was lost")

    def test_a_request_in_flight_with_a_key_that_is_removed_gets_its_answer(self):
        daemon = self.daemon(keys=[key("k1", rpm=100)])
        self.sim.control(latency_ms=1_000)
        asking = self.in_flight(daemon)
        self.assertEqual(self.reload(daemon, [key("k2", rpm=100)])["changed"],
                         ["key k2 added", "key k1 removed"])
        self.sim.control(latency_ms=0)
        client = self.client(daemon)
        self.assertEqual(client.chat("hello")["body"]["key_id"], "k2")
        reply = asking.receive()
        self.assertTrue(reply["ok"], reply)
        self.assertEqual(reply["body"]["key_id"], "k1")
        self.assertEqual(list(self.keys_of(client)), ["k2"])

    def test_a_key_that_comes_back_has_its_window_still(self):
        daemon = self.daemon(keys=[key("k1", rpm=5), key("k2", rpm=5)])
        client = self.client(daemon)
        self.assertTrue(client.ask("keys.disable", {"key_id": "k2"})["ok"])
        self.assertEqual(client.chat("hello")["body"]["key_id"], "k1")
        self.reload(daemon, [key("k2", rpm=5)])
        self.reload(daemon, [key("k1", rpm=5), key("k2", rpm=5)])
        self.assertEqual(self.keys_of(client)["k1"]["usage"][MODEL]["rpm"]["used"], 1)
        self.assertEqual(self.keys_of(client)["k2"]["state"], "disabled")

    def test_other_limits_hold_at_once_for_what_was_used_before(self):
        daemon = self.daemon(keys=[key("k1", rpm=2)])
        client = self.client(daemon)
        for _ in range(2):
            self.assertTrue(client.chat("hello", max_wait_ms=0)["ok"])
        self.assert_error(client.chat("hello", max_wait_ms=0), "all_keys_exhausted")
        waiting = self.client(daemon)
        waiting.send("chat", {"prompt": "hello"})
        self.until(lambda: client.ask("queue")["body"]["waiting"], "it does not wait")
        self.assertEqual(self.reload(daemon, [key("k1", rpm=4)])["changed"], ["key k1 changed"])
        self.assertTrue(waiting.receive()["ok"], "who waits is let go")
        rpm = self.keys_of(client)["k1"]["usage"][MODEL]["rpm"]
        self.assertEqual((rpm["used"], rpm["limit"]), (3, 4))
        self.reload(daemon, [key("k1", rpm=1)])
        self.assert_error(client.chat("hello", max_wait_ms=0), "all_keys_exhausted")

    def test_another_address_of_a_provider_holds_from_the_next_attempt_on(self):
        daemon = self.daemon(keys=[key("k1", rpm=100)], start=False)
        url = daemon.environment.pop("ROUTERD_GEMINI_BASE_URL")
        self.write(daemon, [key("k1", rpm=100)], providers={"gemini": {"base_url": url}})
        daemon.start()
        other = Simulator(*self.SIM)
        self.addCleanup(other.stop)
        self.sim.control(latency_ms=1_000)
        asking = self.in_flight(daemon)
        self.assertEqual(self.reload(daemon, [key("k1", rpm=100)],
                                     providers={"gemini": {"base_url": other.url}})["changed"],
                         ["provider gemini changed"])
        self.assertTrue(self.client(daemon).chat("hello")["ok"])
        self.assertTrue(asking.receive()["ok"])
        self.assertEqual((self.sim.requests(), other.requests()), (1, 1))

    def test_what_only_a_start_reads_is_said_until_there_is_one(self):
        daemon = self.daemon(keys=[key("k1")], secrets={"k1": "s1"})
        warnings = ["config.max_nesting is read at a start only: restart routerd for the new value "
                    "to hold"]
        body = self.reload(daemon, [key("k1")], {"max_nesting": 64})
        self.assertEqual(body, {"changed": ["config.max_nesting changed"], "warnings": warnings})
        body = self.reload(daemon, [key("k1")], {"max_nesting": 64, "max_retries": 1})
        self.assertEqual(body, {"changed": ["config.max_retries changed"], "warnings": warnings})
        daemon.stop()
        daemon.start()
        body = self.reload(daemon, [key("k1")], {"max_nesting": 64})
        self.assertEqual(body, {"changed": ["config.max_retries changed"], "warnings": []})

    def test_another_log_level_holds_at_once(self):
        daemon = self.daemon(keys=[key("k1")], config={"log_level": "error"})
        self.assertNotIn("listens on", daemon.log_text())
        self.reload(daemon, [key("k1")], {"log_level": "info"})
        self.until(lambda: "reloaded: 1 changes" in daemon.log_text(), "not logged")

    def test_a_bad_file_changes_nothing_and_says_why_in_every_way(self):
        daemon = self.daemon(keys=[key("k1", rpm=7)])
        client = self.client(daemon)
        before = self.keys_of(client)
        for text, word in (("{", "keys.json:1:1"), ('{"keys": [{"key_id": 7}]}', "keys[0].key_id"),
                           (json.dumps({"keys": [key("k1", "gemni")]}), 'did you mean "gemini"'),
                           ("", "is empty")):
            daemon.config.write_text(text)
            self.assertIn(word, self.assert_error(client.ask("reload"),
                                                  "invalid_request")["message"])
            told = daemon.ctl("reload")
            self.assertEqual(told.returncode, 1)
            self.assertIn(word, told.stdout + told.stderr)
            daemon.process.send_signal(signal.SIGHUP)
            self.until(lambda: any("reload changed nothing" in line and word in line
                                  for line in daemon.log_text().splitlines()), word)
        daemon.config.unlink()
        self.assertIn("does not exist", self.assert_error(client.ask("reload"),
                                                          "invalid_request")["message"])
        self.assertEqual(self.keys_of(client), before)
        self.assertTrue(client.chat("hello")["ok"])

    def test_a_signal_does_the_same(self):
        daemon = self.daemon(keys=[key("k1")])
        self.write(daemon, [key("k1"), key("k2")])
        daemon.process.send_signal(signal.SIGHUP)
        client = self.client(daemon)
        self.until(lambda: "k2" in self.keys_of(client), "no reload")


class SourcesThatAreAway(EndToEnd):
    """A command stands for what may be away for a while; Vault goes the same way."""

    def commanded(self, text):
        source = pathlib.Path(self.folder.name) / "source"
        if text:
            source.write_text(text, encoding="utf-8")
        return source, [key("k1", secret=f"command:cat {source}")]

    def state(self, client):
        return client.ask("keys.list")["body"]["keys"][0]["state"]

    def test_at_a_start_are_asked_again_until_they_answer(self):
        source, keys = self.commanded(None)
        daemon = self.daemon(keys=keys)
        client = self.client(daemon)
        self.assertEqual(self.state(client), "no_secret")
        self.assert_error(client.chat("hello"), "upstream_auth")
        source.write_text("s1", encoding="utf-8")
        end = time.monotonic() + 3 * PATIENCE_S
        while self.state(client) != "ready" and time.monotonic() < end:
            pass
        self.assertTrue(client.chat("hello")["ok"])

    def test_at_a_reload_leave_the_key_the_secret_that_it_has(self):
        source, keys = self.commanded("s1")
        daemon = self.daemon(keys=keys, secrets={})
        client = self.client(daemon)
        source.unlink()
        warnings = client.ask("reload")["body"]["warnings"]
        self.assertEqual(len(warnings), 2, warnings)
        self.assertIn('key "k1" keeps the secret it has', warnings)
        self.assertTrue(client.chat("hello")["ok"])
        source.write_text("s2", encoding="utf-8")
        self.assertEqual(client.ask("reload")["body"]["warnings"], [])
        self.sim.control(revoke=["s1"])
        self.assertTrue(client.chat("hello")["ok"])

    def test_one_that_is_no_more_in_the_env_file_is_gone(self):
        daemon = self.daemon(keys=[key("k1")], secrets={"k1": "s1"})
        client = self.client(daemon)
        daemon.env_file.write_text("")
        self.assertTrue(client.ask("reload")["ok"])
        self.assertEqual(self.state(client), "no_secret")


if __name__ == "__main__":
    unittest.main()
