"""Metrics: by the operation, by routerctl, and over HTTP for Prometheus."""

import http.client
import json
import os
import re
import socket
import unittest
import urllib.error
import urllib.request

import exposition
from support import EndToEnd, PATIENCE_S, key

FLASH = "gemini-2.5-flash"


class Metrics(EndToEnd):
    SIM = ("--key", "s1:rpm=100,tpm=1000000", "--key", "s2:rpm=1,tpm=1000000")

    def metrics(self, client):
        return exposition.Exposition(client.ask("metrics")["body"]["text"])

    def test_every_metric_is_there_before_the_first_request_and_follows_the_conventions(self):
        daemon = self.daemon()
        text = daemon.ctl("metrics").stdout
        found = exposition.Exposition(text)
        self.assertEqual(found.value("requestrouter_requests_total", outcome="ok"), 0)
        self.assertEqual(found.value("requestrouter_requests_total", outcome="rate_limited"), 0)
        self.assertEqual(found.value("requestrouter_healthy"), 1)
        self.assertEqual(found.value("requestrouter_config_last_reload_successful"), 1)
        version = daemon.ctl("--version").stdout.split()[-1]
        self.assertEqual(found.value("requestrouter_build_info", version=version), 1)
        for name, family in found.families.items():
            self.assertTrue(name.startswith(("requestrouter_", "process_")), name)
            self.assertTrue(family.help.endswith("."), name)

    @unittest.skipUnless(exposition.PROMTOOL, "needs promtool (package prometheus)")
    def test_promtool_has_nothing_to_complain_of(self):
        client = self.client(self.daemon())
        self.assertTrue(client.chat("hello", conv_id="talk")["ok"])
        self.assertEqual(exposition.check_metrics(client.ask("metrics")["body"]["text"]), "")
        self.assertIn("_total", exposition.check_metrics(
            "# HELP wrong A counter.\n# TYPE wrong counter\nwrong 1\n"))

    def test_requests_attempts_tokens_and_cost_are_counted_where_they_belong(self):
        daemon = self.daemon(start=False)
        config = json.loads(daemon.config.read_text(encoding="utf-8"))
        config["models"] = {FLASH: {"input_usd_per_mtok": 1000, "output_usd_per_mtok": 2000}}
        daemon.config.write_text(json.dumps(config), encoding="utf-8")
        client = self.client(daemon.start())
        answers = [client.chat("hello", conv_id="talk")["body"] for _ in range(2)]
        one_shot = client.chat("hello", id="same")["body"]
        self.assertTrue(client.chat("hello", id="same")["body"]["replayed"])
        self.assert_error(client.chat("other", id="same"), "request_id_conflict")
        self.assert_error(client.chat("hello", model_preference="none", allow_fallback=False),
                          "not_found")
        client.send_bytes(b"nonsense")
        self.assertFalse(client.receive()["ok"])
        self.assert_error(client.ask("no-such-op"), "unknown_op")
        self.wait_until_written(client)

        found = self.metrics(client)
        outcomes = {labels["outcome"]: value
                    for labels, value in found.series("requestrouter_requests_total") if value}
        self.assertEqual(outcomes, {"ok": 3, "request_id_conflict": 1, "not_found": 1})
        self.assertEqual(found.value("requestrouter_replayed_requests_total"), 1)
        self.assertEqual(found.value("requestrouter_malformed_requests_total",
                                     reason="invalid_request"), 1)
        self.assertEqual(found.value("requestrouter_malformed_requests_total",
                                     reason="unknown_op"), 1)
        used = [one["tokens"] for one in (*answers, one_shot)]
        attempts = sum(value for labels, value in
                       found.series("requestrouter_upstream_attempts_total")
                       if labels["outcome"] == "ok")
        self.assertEqual(attempts, 3)
        tokens = {}
        for labels, value in found.series("requestrouter_tokens_total"):
            tokens[labels["kind"]] = tokens.get(labels["kind"], 0) + value
        self.assertEqual(tokens["input"] + tokens["cached_input"],
                         sum(one["input"] for one in used))
        self.assertEqual(tokens["output"] + tokens["reasoning"],
                         sum(one["output"] for one in used))
        cost = sum(value for _, value in found.series("requestrouter_cost_usd_total"))
        self.assertAlmostEqual(cost, sum(one["cost_usd"] for one in (*answers, one_shot)))
        self.assertEqual(found.value("requestrouter_conversations"), 1)
        self.assertEqual(found.value("requestrouter_wait_seconds_count"), 3)
        self.assertEqual(found.value("requestrouter_request_duration_seconds_count"), 4)
        self.assertEqual(found.value("requestrouter_overhead_seconds_count", stored="true"), 2)
        self.assertEqual(found.value("requestrouter_overhead_seconds_count", stored="false"), 1)
        self.assertEqual(found.value("requestrouter_upstream_duration_seconds_count",
                                     provider="gemini", model=FLASH), 3)
        self.assertGreater(found.value("requestrouter_storage_commit_seconds_count"), 0)
        self.assertGreater(found.value("requestrouter_storage_writes_total"), 0)
        self.assertEqual(found.value("requestrouter_key_quota_limit", key="k1", window="rpm"), 100)

    def test_a_providers_429_and_the_cooldown_it_leads_to_are_seen_by_key_model_and_quota(self):
        # Two requests a minute are configured where the provider allows one.
        client = self.client(self.daemon(keys=[key("k2", rpm=2)]))
        self.assertTrue(client.chat("one")["ok"])
        self.assert_error(client.chat("two", max_wait_ms=0), "all_keys_exhausted")
        found = self.metrics(client)
        refused = [(labels, value) for labels, value in
                   found.series("requestrouter_upstream_rate_limited_total") if value]
        self.assertEqual(len(refused), 1, refused)
        labels, value = refused[0]
        self.assertEqual((labels["key"], labels["model"], value), ("k2", FLASH, 1))
        self.assertIn(labels["quota"], ("minute", "rpm"))
        self.assertEqual(found.value("requestrouter_upstream_attempts_total", key="k2",
                                     outcome="minute_quota"), 1)
        self.assertEqual(found.value("requestrouter_cooldowns_total", key="k2",
                                     reason="minute_quota"), 1)
        self.assertEqual(found.value("requestrouter_key_up", key="k2"), 0)
        self.assertEqual(found.value("requestrouter_key_state", key="k2", state="cooling"), 1)
        self.assertEqual(found.value("requestrouter_key_state", key="k2", state="ready"), 0)
        self.assertGreater(
            found.value("requestrouter_key_cooldown_expiry_timestamp_seconds", key="k2"), 1e9)
        self.assertEqual(found.value("requestrouter_healthy"), 0)

    def test_no_label_and_no_text_comes_from_callers(self):
        client = self.client(self.daemon())
        planted = "planted-by-a-caller"
        client.chat(planted, agent=planted, user_id=planted, conv_id=planted, id=planted,
                    metadata={planted: planted}, system_prompt=planted)
        client.chat("hello", model_preference=planted)
        client.chat("hello", model_preference=planted, allow_fallback=False)
        client.ask(planted)
        text = client.ask("metrics")["body"]["text"]
        self.assertNotIn(planted, text)
        self.assertNotIn("s1", re.findall(r'"([^"]*)"', text))

    def test_a_reload_that_failed_is_seen_until_one_works(self):
        daemon = self.daemon()
        client = self.client(daemon)
        good = daemon.config.read_text(encoding="utf-8")
        daemon.config.write_text("{", encoding="utf-8")
        self.assertEqual(daemon.ctl("reload").returncode, 1)
        name = "requestrouter_config_last_reload_successful"
        self.assertEqual(self.metrics(client).value(name), 0)
        daemon.config.write_text(good, encoding="utf-8")
        self.assertEqual(daemon.ctl("reload").returncode, 0)
        self.assertEqual(self.metrics(client).value(name), 1)

    def test_the_process_is_described_as_by_every_exporter(self):
        daemon = self.daemon()
        found = self.metrics(self.client(daemon))
        self.assertGreater(found.value("process_resident_memory_bytes"), 1 << 20)
        self.assertGreater(found.value("process_cpu_seconds_total"), 0)
        self.assertGreater(found.value("process_open_fds"), 5)
        self.assertGreaterEqual(found.value("process_max_fds"), found.value("process_open_fds"))
        self.assertGreater(found.value("process_threads"), 4)
        started = found.value("process_start_time_seconds")
        self.assertAlmostEqual(started, os.stat(f"/proc/{daemon.process.pid}").st_ctime, delta=5)


class Listener(EndToEnd):
    def listening(self, daemon):
        """The address that the log names."""
        return re.search(r"metrics are served at http://(\S+)/metrics", daemon.log_text())[1]

    def started(self, *arguments, **config):
        daemon = self.daemon(start=False, config=config)
        command = daemon.command
        daemon.command = lambda *more: command(*arguments, *more)
        return daemon.start()

    def get(self, address, path="/metrics"):
        return urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE_S)

    def test_prometheus_gets_what_the_operation_says_at_the_port_that_was_free(self):
        daemon = self.started("--metrics-listen", "127.0.0.1:0")
        client = self.client(daemon)
        client.chat("hello")
        with self.get(self.listening(daemon)) as reply:
            self.assertTrue(reply.headers["Content-Type"].startswith("text/plain"))
            text = reply.read().decode()
        served = exposition.Exposition(text)
        asked = exposition.Exposition(client.ask("metrics")["body"]["text"])
        self.assertLessEqual(set(asked.families), set(served.families))
        self.assertEqual(served.value("requestrouter_requests_total", outcome="ok"), 1)
        self.assertEqual(served.value("requestrouter_router_responding"), 1)
        if exposition.PROMTOOL:
            self.assertEqual(exposition.check_metrics(text), "")

    def test_nothing_else_is_served(self):
        address = self.listening(self.started(metrics_listen="localhost:0"))
        for path in ("/", "/metrics/../keys.json", "/etc/passwd", "/_sim"):
            with self.subTest(path), self.assertRaises(urllib.error.HTTPError) as refused:
                self.get(address, path)
            refused.exception.close()
            self.assertIn(refused.exception.code, (403, 404))

    def test_many_scrapes_at_once_and_broken_ones_disturb_neither_requests_nor_the_stop(self):
        daemon = self.started("--metrics-listen", "127.0.0.1:0")
        client = self.client(daemon)
        host, port = self.listening(daemon).split(":")
        half = [socket.create_connection((host, int(port)), PATIENCE_S) for _ in range(5)]
        for one in half:
            one.sendall(b"GET /metr")
        self.assertTrue(client.chat("hello")["ok"])
        for one in half:
            one.close()
        for _ in range(20):
            connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)
            connection.request("GET", "/metrics")
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()
        self.assertEqual(daemon.stop(), 0)

    def test_an_address_that_others_could_reach_is_refused(self):
        daemon = self.daemon(start=False)
        for address in ("0.0.0.0:9464", "[::]:9464", "10.0.0.1:9464", "example.com:80", ":9464",
                        "9464", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1",
                        "127.0.0.1:9464,0.0.0.0:9464"):
            with self.subTest(address):
                refused = daemon.run("--metrics-listen", address)
                self.assertEqual(refused.returncode, 1)
                self.assertIn("--metrics-listen must be a loopback address", refused.stderr)
                self.assertIn(f'"{address}"', refused.stderr)

    def test_a_port_in_use_is_an_error_that_says_what_to_do(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            refused = self.daemon(start=False).run("--metrics-listen", address)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"cannot serve metrics on {address}: the port is in use", refused.stderr)


if __name__ == "__main__":
    unittest.main()
