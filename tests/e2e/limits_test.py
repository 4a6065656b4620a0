"""What callers may use, and what is known of the keys' limits, seen from outside."""

import datetime
import json
import os
import unittest

import zmq

from support import EndToEnd, key

MODEL, OTHER = "gemini-2.5-flash", "claude-sonnet-4-5"
FOREVER = 86_400_000


class Limits(EndToEnd):
    SIM = ("--key", "s1", "--key", "s2")

    def serve(self, keys=None, environment=None, start=True, **blocks):
        """A daemon whose keys.json has these blocks beside `keys`."""
        config = blocks.pop("config", None)
        daemon = self.daemon(keys=keys or [key("k1"), key("k2", "anthropic", OTHER)],
                             config=config, start=False)
        written = json.loads(daemon.config.read_text())
        daemon.config.write_text(json.dumps({**written, **blocks}))
        daemon.environment.update(environment or {})
        return daemon.start() if start else daemon

    def used(self, client, key_id, model=MODEL):
        keys = {k["key_id"]: k for k in client.ask("keys.list")["body"]["keys"]}
        return keys[key_id]["usage"][model]


class CallerRates(Limits):
    def test_a_user_may_burst_and_then_waits_for_its_rate(self):
        client = self.client(self.serve(environment={"USER_RPM_DEFAULT": "60",
                                                     "USER_BURST_DEFAULT": "2"}))
        waits = [client.chat("hi", user_id="ada")["body"]["waited_ms"] for _ in range(3)]
        self.assertLess(max(waits[:2]), 500)
        self.assertGreater(waits[2], 500)
        self.assertLess(client.chat("hi", user_id="bob")["body"]["waited_ms"], 500)
        self.assertLess(client.chat("hi")["body"]["waited_ms"], 500)  # without a user_id: no limit

    def test_who_cannot_wait_so_long_is_rate_limited_with_the_time_to_come_back(self):
        client = self.client(self.serve(environment={"USER_RPM_DEFAULT": "2",
                                                     "USER_BURST_DEFAULT": "1"}))
        self.assertTrue(client.chat("hi", user_id="ada")["ok"])
        error = self.assert_error(client.chat("hi", user_id="ada", max_wait_ms=1000),
                                  "rate_limited")
        self.assertTrue(error["retryable"])
        self.assertTrue(25_000 < error["retry_after_ms"] <= 30_000, error)
        self.assertEqual(self.sim.requests(), 1)

    def test_the_host_as_a_whole_has_a_rate(self):
        client = self.client(self.serve(environment={"GLOBAL_RPM_MAX": "60",
                                                     "GLOBAL_BURST_MAX": "1"}))
        self.assertLess(client.chat("hi")["body"]["waited_ms"], 500)
        self.assertGreater(client.chat("hi")["body"]["waited_ms"], 500)

    def test_without_the_variables_there_is_no_limit(self):
        client = self.client(self.serve())
        for _ in range(30):
            self.assertLess(client.chat("hi", user_id="ada")["body"]["waited_ms"], 500)


class Budgets(Limits):
    def test_of_tokens_end_with_the_day_and_survive_a_restart(self):
        self.sim.control(answer_bytes=800)  # 200 tokens
        daemon = self.serve(callers=[{"uid": os.getuid(), "tokens_per_day": 250}])
        client = self.client(daemon)
        ask = {"expected_completion_tokens": 1}
        self.assertTrue(client.chat("hi", **ask)["ok"])
        self.assertTrue(client.chat("hi", **ask)["ok"])  # by its estimate it fitted
        error = self.assert_error(client.chat("hi", **ask), "rate_limited")
        self.assertIn("tokens", error["message"])
        self.assertTrue(0 < error["retry_after_ms"] <= FOREVER)
        self.wait_until_written(client)
        daemon.kill()
        daemon.start()
        self.assert_error(self.client(daemon).chat("hi", **ask), "rate_limited")
        self.assertEqual(self.sim.requests(), 2)

    def test_of_money_by_the_prices_of_the_models(self):
        self.sim.control(answer_bytes=4000)  # 1,000 tokens
        client = self.client(self.serve(
            callers=[{"usd_per_day": 0.0015}],
            models={MODEL: {"input_usd_per_mtok": 0, "output_usd_per_mtok": 1}}))
        ask = {"expected_completion_tokens": 1, "model_preference": MODEL}
        first = client.chat("hi", **ask)
        self.assertAlmostEqual(first["body"]["cost_usd"], 0.001)
        self.assertTrue(client.chat("hi", **ask)["ok"])
        error = self.assert_error(client.chat("hi", **ask), "rate_limited")
        self.assertIn("dollars", error["message"])

    def test_hold_what_is_under_way_at_its_estimate(self):
        self.sim.control(latency_ms=300)
        client = self.client(self.serve(callers=[{"tokens_per_day": 1000}]), kind=zmq.DEALER)
        for _ in range(5):
            client.send("chat", {"prompt": "hi", "expected_completion_tokens": 300})
        replies = [client.receive() for _ in range(5)]
        self.assertEqual(sorted(r["ok"] for r in replies), [False, False, True, True, True])

    def test_of_others_are_others(self):
        client = self.client(self.serve(callers=[{"uid": os.getuid() + 1, "tokens_per_day": 1}]))
        self.assertTrue(client.chat("hi")["ok"])


class Models(Limits):
    def test_are_restricted_to_those_that_the_uid_may_use(self):
        client = self.client(self.serve(callers=[{"uid": os.getuid(), "models": ["claude-*"]}]))
        self.assertEqual(client.chat("hi")["body"]["model"], OTHER)
        reply = client.chat("hi", model_preference=MODEL)
        self.assertEqual((reply["body"]["model"], reply["body"]["fallback"]), (OTHER, True))
        self.assert_error(client.chat("hi", model_preference=MODEL, allow_fallback=False),
                          "permission_denied")

    def test_none_at_all_shut_a_uid_out(self):
        client = self.client(self.serve(callers=[{"uid": os.getuid(), "models": []}]))
        self.assert_error(client.chat("hi"), "permission_denied")
        self.assert_error(client.chat("hi", model_preference=MODEL), "permission_denied")
        self.assertEqual(self.sim.requests(), 0)

    def test_are_restricted_by_group_and_for_everybody_else(self):
        client = self.client(self.serve(callers=[{"group": os.getgid(), "models": ["nothing"]}, {}]))
        self.assert_error(client.chat("hi"), "permission_denied")
        self.assertEqual(self.sim.requests(), 0)

    def test_a_rule_for_the_uid_goes_before_one_for_its_group_and_a_reload_changes_both(self):
        daemon = self.serve(callers=[{"models": ["nothing"]},
                                     {"group": os.getgid(), "models": ["nothing"]},
                                     {"uid": os.getuid()}])
        client = self.client(daemon)
        self.assertTrue(client.chat("hi")["ok"])
        written = json.loads(daemon.config.read_text())
        written["callers"].pop()
        daemon.config.write_text(json.dumps(written))
        self.assertEqual(daemon.ctl("reload").returncode, 0)
        self.assert_error(client.chat("hi"), "permission_denied")


class Weights(Limits):
    def test_an_agent_of_twice_the_weight_gets_twice_as_much(self):
        daemon = self.serve(keys=[key("k1", rpm=6, window_seconds=1)],
                            agents={"planner": {"weight": 2}})
        client = self.client(daemon, kind=zmq.DEALER)
        names = {}
        for i in range(60):
            agent = ("planner", "coder")[i % 2]
            names[client.send("chat", {"prompt": "hi", "agent": agent})] = agent
        first = [names[client.receive()["id"]] for _ in range(24)]
        share = first.count("planner") / len(first)
        self.assertTrue(0.58 < share < 0.75, first)


class Counters(Limits):
    def test_what_the_provider_says_is_left_corrects_the_window(self):
        self.sim.stop()
        self.sim.__init__("--key", "s1:rpm=100")
        daemon = self.serve(keys=[key("k1", "anthropic", OTHER, rpm=100)])
        client = self.client(daemon)
        self.sim.control(limits={"key": "s1", "rpm": 5})
        client.chat("hi")
        self.assertGreaterEqual(self.used(client, "k1", OTHER)["rpm"]["used"], 96)
        for _ in range(4):
            self.assertTrue(client.chat("hi")["ok"])
        self.assert_error(client.chat("hi", max_wait_ms=500), "all_keys_exhausted")
        self.assertEqual(self.sim.rate_limited(), 0)

    def test_reset_cooldown_with_counters_clears_the_windows_too(self):
        daemon = self.serve(keys=[key("k1", rpm=1, rpd=1)])
        client = self.client(daemon)
        self.assertTrue(client.chat("hi")["ok"])
        self.assertEqual(self.used(client, "k1")["rpd"]["used"], 1)
        self.assertEqual(daemon.ctl("reset-cooldown", "k1").returncode, 0)
        self.assert_error(client.chat("hi", max_wait_ms=0), "all_keys_exhausted")
        self.assertEqual(daemon.ctl("reset-cooldown", "k1", "--counters").returncode, 0)
        self.assertEqual(self.used(client, "k1")["rpd"]["used"], 0)
        self.assertTrue(client.chat("hi", max_wait_ms=0)["ok"])


class Restart(Limits):
    def test_in_mid_minute_keeps_windows_and_days(self):
        daemon = self.serve(keys=[key("k1", rpm=3, rpd=10, tpm=1_000_000)])
        client = self.client(daemon)
        for _ in range(3):
            self.assertTrue(client.chat("hi")["ok"])
        before = self.used(client, "k1")
        self.wait_until_written(client)
        daemon.kill()
        daemon.start()
        client = self.client(daemon)
        after = self.used(client, "k1")
        for limit in ("rpm", "rpd", "tpm"):
            self.assertEqual(after[limit]["used"], before[limit]["used"], limit)
        error = self.assert_error(client.chat("hi", max_wait_ms=1000), "all_keys_exhausted")
        self.assertGreater(error["retry_after_ms"], 30_000)

    def test_keeps_cooldowns_with_their_reason(self):
        daemon = self.serve(keys=[key("k1")])
        client = self.client(daemon)
        self.sim.control(faults=[{"kind": "rate_limit", "limit": "rpd"}])
        self.assert_error(client.chat("hi", max_wait_ms=500), "all_keys_exhausted")
        [before] = client.ask("keys.list")["body"]["keys"]
        self.assertEqual(before["state"], "cooling")
        self.wait_until_written(client)
        daemon.kill()
        daemon.start()
        [after] = self.client(daemon).ask("keys.list")["body"]["keys"]
        self.assertEqual(after["state"], "cooling")
        self.assertEqual(after["cooldown"]["reason"], before["cooldown"]["reason"])
        until, was = (datetime.datetime.fromisoformat(k["cooldown"]["until"].rstrip("Z"))
                      for k in (after, before))
        self.assertLess(abs(until - was), datetime.timedelta(seconds=1))
        self.assertEqual(self.sim.requests(), 1)

    def test_gives_a_key_that_was_refused_one_trial(self):
        def state(client):
            return {k["key_id"]: k["state"] for k in client.ask("keys.list")["body"]["keys"]}["k1"]
        daemon = self.serve()
        self.sim.control(revoke="s1")
        client = self.client(daemon)
        client.chat("hi", model_preference=MODEL)
        self.assertEqual(state(client), "disabled")
        self.wait_until_written(client)
        daemon.kill()
        daemon.start()  # secrets are read anew, as on a reload
        client = self.client(daemon)
        self.assertEqual(state(client), "trial")
        for _ in range(2):
            client.chat("hi", model_preference=MODEL)
        self.assertEqual(state(client), "disabled")
        self.assertEqual(self.sim.stats()["totals"]["rejected"], 2)


class Breaker(Limits):
    def test_the_same_fault_on_several_keys_is_the_providers(self):
        daemon = self.serve(keys=[key("k1"), key("k2")])
        client = self.client(daemon)
        self.sim.control(faults=[{"kind": "status", "status": 503, "count": 0}])
        self.assert_error(client.chat("hi", deadline_ms=8_000), "upstream_unavailable")
        states = {k["state"] for k in client.ask("keys.list")["body"]["keys"]}
        self.assertNotIn("disabled", states)
        self.sim.control(clear_faults=True)
        reply = client.chat("hi", deadline_ms=60_000)
        self.assertTrue(reply["ok"], reply)


if __name__ == "__main__":
    unittest.main()
