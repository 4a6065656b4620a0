"""Chats through the whole road: socket, daemon, HTTP, database."""

import os
import pathlib
import threading
import unittest

import zmq

from support import EndToEnd, EXAMPLES, Daemon, key


class Chat(EndToEnd):
    def test_a_one_shot_request_is_answered_and_nothing_is_kept(self):
        client = self.client(self.daemon())
        reply = client.chat("hello")
        self.assertTrue(reply["ok"], reply)
        body = reply["body"]
        self.assertEqual(body["content"], "You said: hello; this is turn 1.")
        self.assertEqual(body["model"], "gemini-2.5-flash")
        self.assertEqual(body["provider"], "gemini")
        self.assertIn(body["key_id"], ("k1", "k2"))
        self.assertEqual(body["conversation_id"], "")
        self.assertFalse(body["persisted"])
        self.assertEqual(body["tokens"]["total"], body["tokens"]["input"] + body["tokens"]["output"])
        self.assertEqual(client.ask("conversation.list")["body"]["conversations"], [])

    def test_every_dialect_answers_with_history_and_system_prompt(self):
        daemon = self.daemon(
            keys=[key("g", "gemini", "gemini-2.5-flash"), key("o", "openai", "gpt-4o-mini"),
                  key("a", "anthropic", "claude-sonnet-4-5")],
            secrets={"g": "s1", "o": "s1", "a": "s1"})
        client = self.client(daemon)
        for model in ("gemini-2.5-flash", "gpt-4o-mini", "claude-sonnet-4-5"):
            with self.subTest(model=model):
                conv = "talk-" + model
                first = client.chat("My name is Ada.", conv_id=conv, model_preference=model,
                                    system_prompt="Be brief.")
                self.assertTrue(first["ok"], first)
                self.assertTrue(first["body"]["persisted"])
                second = client.chat("What is my name?", conv_id=conv, model_preference=model)
                self.assertEqual(second["body"]["content"], "Your name is Ada.")
                self.assertEqual(second["body"]["model"], model)

    def test_every_dialect_streams_the_same_answer_in_pieces(self):
        daemon = self.daemon(
            keys=[key("g", "gemini", "gemini-2.5-flash"), key("o", "openai", "gpt-4o-mini"),
                  key("a", "anthropic", "claude-sonnet-4-5")],
            secrets={"g": "s1", "o": "s1", "a": "s1"})
        client = self.client(daemon, kind=zmq.DEALER)
        for model in ("gemini-2.5-flash", "gpt-4o-mini", "claude-sonnet-4-5"):
            with self.subTest(model=model):
                client.send("chat", {"prompt": "hello there", "stream": True,
                                     "model_preference": model})
                pieces = []
                while True:
                    reply = client.receive()
                    if reply["final"]:
                        break
                    self.assertEqual(reply["body"]["seq"], len(pieces))
                    pieces.append(reply["body"]["delta"]["text"])
                self.assertTrue(reply["ok"], reply)
                self.assertGreater(len(pieces), 1)
                self.assertEqual("".join(pieces), reply["body"]["content"])

    def test_a_key_that_reaches_its_limit_hands_over_to_the_next_and_no_429_is_drawn(self):
        daemon = self.daemon(keys=[key("k1", rpm=3, tags={"priority": "high"}),
                                   key("k2", rpm=100, tags={"priority": "low"})])
        client = self.client(daemon)
        used = [client.chat(f"question {i}")["body"]["key_id"] for i in range(6)]
        self.assertEqual(used, ["k1"] * 3 + ["k2"] * 3)
        self.assertEqual(self.sim.rate_limited(), 0)

    def test_a_429_cools_the_key_and_another_answers(self):
        daemon = self.daemon(keys=[key("k1", tags={"priority": "high"}), key("k2")])
        self.sim.control(faults=[{"kind": "rate_limit", "match": {"key": "s1"},
                                  "retry_after_ms": 55_000}])
        client = self.client(daemon)
        reply = client.chat("hello")
        self.assertTrue(reply["ok"], reply)
        self.assertEqual(reply["body"]["key_id"], "k2")
        self.assertEqual(reply["body"]["attempts"], 2)
        state = {k["key_id"]: k for k in client.ask("keys.list")["body"]["keys"]}["k1"]
        self.assertEqual(state["state"], "cooling")
        self.assertGreater(state["cooldown"]["remaining_ms"], 50_000)
        self.assertEqual(client.ask("keys.reset", {"key_id": "k1"})["body"]["reset"], ["k1"])
        self.assertEqual(client.chat("again")["body"]["key_id"], "k1")

    def test_waiting_that_cannot_end_in_time_is_refused_at_once_with_the_time_to_come_back(self):
        client = self.client(self.daemon(keys=[key("k1", rpm=1)]))
        self.assertTrue(client.chat("first")["ok"])
        error = self.assert_error(client.chat("second", max_wait_ms=1000), "all_keys_exhausted")
        self.assertTrue(error["retryable"])
        self.assertGreater(error["retry_after_ms"], 50_000)

    def test_a_server_error_is_retried(self):
        client = self.client(self.daemon())
        self.sim.control(faults=[{"kind": "status", "status": 503}])
        reply = client.chat("hello")
        self.assertTrue(reply["ok"], reply)
        self.assertEqual(reply["body"]["attempts"], 2)

    def test_a_refused_key_is_disabled_and_the_others_serve(self):
        daemon = self.daemon(keys=[key("k1", tags={"priority": "high"}), key("k2")],
                             secrets={"k1": "wrong", "k2": "s2"})
        client = self.client(daemon)
        self.assertEqual(client.chat("hello")["body"]["key_id"], "k2")
        states = {k["key_id"]: k["state"] for k in client.ask("keys.list")["body"]["keys"]}
        self.assertEqual(states["k1"], "disabled")

    def test_where_every_key_is_refused_the_caller_is_told_so(self):
        client = self.client(self.daemon(keys=[key("k1")], secrets={"k1": "wrong"}))
        self.assertFalse(self.assert_error(client.chat("hello"), "upstream_auth")["retryable"])

    def test_turns_of_one_conversation_sent_at_once_stay_in_order(self):
        client = self.client(self.daemon(), kind=zmq.DEALER)
        for i in range(5):
            client.send("chat", {"prompt": f"turn {i}", "conv_id": "talk"}, id=f"r{i}")
        for _ in range(5):
            self.assertTrue(client.receive()["ok"])
        client.send("conversation.get", {"conv_id": "talk"})
        messages = client.receive()["body"]["messages"]
        self.assertEqual([m["content"] for m in messages if m["role"] == "user"],
                         [f"turn {i}" for i in range(5)])

    def test_a_repeated_id_is_answered_from_the_records(self):
        client = self.client(self.daemon())
        first = client.chat("hello", id="same")
        again = client.chat("hello", id="same")
        self.assertFalse(first["body"]["replayed"])
        self.assertTrue(again["body"]["replayed"])
        self.assertEqual(first["body"]["content"], again["body"]["content"])
        self.assertEqual(self.sim.requests(), 1)
        self.assert_error(client.chat("other", id="same"), "request_id_conflict")

    def test_a_request_in_flight_can_be_cancelled(self):
        self.sim.control(latency_ms=10_000)
        client = self.client(self.daemon(), kind=zmq.DEALER)
        client.send("chat", {"prompt": "slow"}, id="slow")
        while self.sim.requests() == 0:
            client.send("ping")
            client.receive()
        client.send("cancel", {"id": "slow"}, id="c")
        replies = {r["id"]: r for r in (client.receive(), client.receive())}
        self.assertTrue(replies["c"]["body"]["cancelled"])
        self.assert_error(replies["slow"], "cancelled")

    def test_the_threads_that_serve_the_router_do_not_take_its_processor(self):
        threads = pathlib.Path(f"/proc/{self.daemon().process.pid}/task")

        def serving():
            return {(thread / "comm").read_text(encoding="utf-8").strip()
                    for thread in threads.iterdir()
                    if os.sched_getscheduler(int(thread.name)) == os.SCHED_BATCH}
        self.until(lambda: serving() >= {"storage", "reader", "log", "ZMQbg/IO/0"}, "all of them")
        self.assertNotIn("routerd", serving())

    def test_the_example_files_of_existing_deployments_work_as_they_are(self):
        self.sim.control()
        daemon = Daemon(self.folder.name, self.sim, files=EXAMPLES)
        self.addCleanup(self.stop_cleanly, daemon)
        self.sim.stop()
        self.sim.__init__("--key", "test-secret-flash-01", "--key", "test-secret-flash-02",
                          "--key", "test-secret-pro-01")
        daemon.environment["ROUTERD_GEMINI_BASE_URL"] = self.sim.url
        client = self.client(daemon.start())
        self.assertEqual(client.chat("hi", workload="light")["body"]["model"], "gemini-2.5-flash")
        self.assertEqual(client.chat("hi", workload="heavy")["body"]["model"], "gemini-2.5-pro")
        health = client.ask("health")["body"]
        self.assertTrue(health["healthy"])
        self.assertEqual(health["key_manager"]["total_keys"], 3)
        self.assertEqual(health["key_manager"]["active_keys"], 3)


class Envelopes(EndToEnd):
    def test_req_with_and_without_correlation_dealer_and_a_proxy_all_work(self):
        daemon = self.daemon()
        for how in ({}, {"correlate": True}, {"kind": zmq.DEALER}):
            with self.subTest(**how):
                self.assertTrue(self.client(daemon, **how).chat("hello")["ok"])
        context = zmq.Context()
        front, back, control = (context.socket(kind) for kind in (zmq.ROUTER, zmq.DEALER, zmq.PAIR))
        stop = context.socket(zmq.PAIR)
        control.bind("inproc://stop")
        stop.connect("inproc://stop")
        front.bind(f"ipc://{self.folder.name}/proxy.sock")
        back.connect(daemon.endpoint)
        proxy = threading.Thread(target=zmq.proxy_steerable, args=(front, back, None, control))
        proxy.start()
        try:
            client = self.client(daemon)
            client.socket.disconnect(daemon.endpoint)
            client.socket.connect(f"ipc://{self.folder.name}/proxy.sock")
            self.assertTrue(client.chat("through a proxy")["ok"])
        finally:
            stop.send(b"TERMINATE")
            proxy.join()
            for socket in (front, back, control, stop):
                socket.close(0)
            context.term()


if __name__ == "__main__":
    unittest.main()
