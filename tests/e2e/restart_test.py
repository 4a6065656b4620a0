"""What survives a stop, a kill -9 and a lost client."""

import json
import os
import unittest

import zmq

from support import Client, EndToEnd, key


class Restart(EndToEnd):
    def test_kill_9_keeps_the_conversation_the_cooldown_and_the_counters(self):
        daemon = self.daemon(keys=[key("k1", rpm=5, tags={"priority": "high"}), key("k2", rpm=5)])
        client = self.client(daemon)
        self.assertTrue(client.chat("My name is Ada.", conv_id="talk")["body"]["persisted"])
        self.sim.control(faults=[{"kind": "rate_limit", "match": {"key": "s1"},
                                  "retry_after_ms": 55_000}])
        self.assertEqual(client.chat("again")["body"]["key_id"], "k2")
        self.wait_until_written(client)
        daemon.kill()
        client = self.client(daemon.start())
        keys = {k["key_id"]: k for k in client.ask("keys.list")["body"]["keys"]}
        self.assertEqual(keys["k1"]["state"], "cooling")
        self.assertEqual(keys["k1"]["usage"]["gemini-2.5-flash"]["rpm"]["used"], 2)
        self.assertEqual(keys["k2"]["usage"]["gemini-2.5-flash"]["rpm"]["used"], 1)
        reply = client.chat("What is my name?", conv_id="talk")
        self.assertEqual(reply["body"]["content"], "Your name is Ada.")

    def test_a_stored_answer_is_replayed_by_the_next_daemon(self):
        daemon = self.daemon()
        client = self.client(daemon)
        client.chat("hello", conv_id="talk", id="same")
        daemon.kill()
        reply = self.client(daemon.start()).chat("hello", conv_id="talk", id="same")
        self.assertTrue(reply["body"]["replayed"])
        self.assertEqual(self.sim.requests(), 1)

    def test_an_outcome_that_the_crash_left_unknown_is_said_or_refused(self):
        self.sim.control(latency_ms=60_000)
        daemon = self.daemon()
        client = self.client(daemon, kind=zmq.DEALER)
        client.send("chat", {"prompt": "hello"}, id="resend")
        client.send("chat", {"prompt": "hello", "on_unknown": "fail"}, id="fail")
        self.until(lambda: self.sim.requests() == 2, "both at the provider")
        daemon.kill()
        self.sim.control(latency_ms=0)
        client = self.client(daemon.start())
        reply = client.chat("hello", id="resend")
        self.assertIn("unknown outcome", " ".join(reply["body"]["warnings"]))
        error = self.assert_error(client.chat("hello", on_unknown="fail", id="fail"),
                                  "upstream_unavailable")
        self.assertEqual(error["details"]["outcome"], "unknown")
        self.assertFalse(error["retryable"])

    def test_a_disabled_key_stays_disabled(self):
        daemon = self.daemon()
        self.client(daemon).ask("keys.disable", {"key_id": "k1"})
        daemon.kill()
        keys = self.client(daemon.start()).ask("keys.list")["body"]["keys"]
        self.assertEqual([k["state"] for k in keys], ["disabled", "ready"])

    def test_sigterm_answers_what_is_in_flight_and_ends_with_0(self):
        self.sim.control(latency_ms=500)
        daemon = self.daemon()
        client = self.client(daemon)
        client.send("chat", {"prompt": "slow"})
        self.until(lambda: self.sim.requests() == 1, "the request at the provider")
        self.assertEqual(daemon.stop(), 0)
        self.assertTrue(client.receive()["ok"])

    def test_a_stale_socket_file_does_not_keep_the_daemon_from_starting(self):
        daemon = self.daemon()
        daemon.kill()
        self.assertTrue(os.path.exists(f"{self.folder.name}/router.sock"))
        self.assertTrue(self.client(daemon.start()).chat("hello")["ok"])

    def test_a_reload_adds_a_key_and_keeps_the_windows(self):
        daemon = self.daemon(keys=[key("k1", rpm=2)])
        client = self.client(daemon)
        client.chat("one")
        daemon.config.write_text(json.dumps({"keys": [key("k1", rpm=2), key("k2", rpm=9)]}))
        self.assertEqual(client.ask("reload")["body"]["changed"], ["key k2 added"])
        keys = {k["key_id"]: k for k in client.ask("keys.list")["body"]["keys"]}
        self.assertEqual(keys["k1"]["usage"]["gemini-2.5-flash"]["rpm"]["used"], 1)
        self.assertEqual(keys["k2"]["state"], "ready")
        daemon.config.write_text('{"keys": [{"key_id": 7}]}')
        self.assert_error(client.ask("reload"), "invalid_request")
        self.assertEqual(len(client.ask("keys.list")["body"]["keys"]), 2)


if __name__ == "__main__":
    unittest.main()
