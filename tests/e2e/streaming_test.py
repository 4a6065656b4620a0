"""Long answers, slow readers, readers that leave, and providers that stop speaking."""

import json
import os
import pty
import subprocess
import sys
import textwrap
import unittest

import zmq

from support import BIN, PATIENCE_S, SANITIZED, EndToEnd, key

MODELS = {"gemini": "gemini-2.5-flash", "openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5"}

# Asks for a stream, says so on stdout when the first piece is there, and then reads no more.
SILENT_READER = textwrap.dedent("""
    import sys, time, msgpack, zmq
    socket = zmq.Context().socket(zmq.DEALER)
    socket.setsockopt(zmq.RCVHWM, 1)
    socket.connect(sys.argv[1])
    socket.send_multipart([b"", msgpack.packb({"v": 1, "id": "left", "op": "chat", "body": {
        "prompt": "speak", "stream": sys.argv[2] == "stream"}})])
    if sys.argv[2] == "stream":
        socket.recv_multipart()
    print("reading", flush=True)
    time.sleep(1000)
""")


class Streaming(EndToEnd):
    SIM = ("--key", "s1", "--key", "s2")

    def one_key_each(self, **provider):
        daemon = self.daemon(keys=[key(p, p, m) for p, m in MODELS.items()],
                             secrets=dict.fromkeys(MODELS, "s1"), start=False,
                             config={"max_retries": 0, "enable_fallback": False})
        config = json.loads(daemon.config.read_text())
        config["providers"] = {p: provider for p in MODELS}
        daemon.config.write_text(json.dumps(config))
        return daemon.start()

    def read(self, client):
        """The pieces of the text, and the final message."""
        pieces = []
        while True:
            reply = client.receive()
            if reply["final"]:
                return pieces, reply
            self.assertEqual(reply["body"]["seq"], len(pieces))
            pieces.append(reply["body"]["delta"]["text"])

    def in_flight(self):
        return self.sim.stats()["in_flight"]


class LongAnswers(Streaming):
    def test_a_mebibyte_in_ten_thousand_pieces_arrives_whole(self):
        client = self.client(self.one_key_each(), kind=zmq.DEALER)
        self.sim.control(answer_bytes=1 << 20, stream_deltas=10_000)
        for provider, model in MODELS.items():
            with self.subTest(provider=provider):
                client.send("chat", {"prompt": "long", "stream": True, "conv_id": provider,
                                     "model_preference": model, "max_output_tokens": 500_000})
                pieces, final = self.read(client)
                self.assertTrue(final["ok"], final)
                self.assertEqual(len(pieces), 10_000)
                self.assertEqual(len(final["body"]["content"]), 1 << 20)
                self.assertEqual("".join(pieces), final["body"]["content"])
                self.assertTrue(final["body"]["persisted"])

    def test_a_second_sender_of_the_same_id_gets_every_piece_from_the_first_on(self):
        daemon = self.one_key_each()
        self.sim.control(answer_bytes=4000, stream_deltas=40, stream_delta_ms=10)
        first, second = (self.client(daemon, kind=zmq.DEALER) for _ in range(2))
        first.send("chat", {"prompt": "long", "stream": True}, id="same")
        first.receive()
        second.send("chat", {"prompt": "long", "stream": True}, id="same")
        pieces, final = self.read(second)
        self.assertEqual("".join(pieces), final["body"]["content"])
        self.assertEqual(len(pieces), 40)
        self.assertEqual(self.sim.requests(), 1)


class SlowReaders(Streaming):
    MEBIBYTES = 48

    def flood(self, daemon, **extra):
        """A stream that nobody reads, in pieces of 4 KiB; returns its client."""
        self.sim.control(answer_bytes=self.MEBIBYTES << 20, stream_deltas=self.MEBIBYTES << 8)
        client = self.client(daemon, kind=zmq.DEALER, receive_queue=10)
        client.send("chat", {"prompt": "flood", "stream": True}, **extra)
        self.until(lambda: self.sim.requests() == 1, "the call to begin")
        return client

    def memory(self, daemon):
        """In MiB."""
        with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) >> 10

    def test_a_reader_that_pauses_holds_the_answer_up_and_loses_nothing(self):
        daemon = self.one_key_each()
        other = self.client(daemon)
        at_first = self.memory(daemon)
        client = self.flood(daemon, deadline_ms=600_000)
        before = None
        while before != (before := self.memory(daemon)):  # until it grows no more
            for _ in range(200):
                other.ask("ping")
        if not SANITIZED:  # which gives no memory back
            self.assertLess(before - at_first, self.MEBIBYTES * 2 // 3)
        self.assertEqual(len(other.ask("queue")["body"]["in_flight"]), 1)
        pieces, final = self.read(client)
        self.assertTrue(final["ok"], final)
        self.assertEqual(sum(map(len, pieces)), self.MEBIBYTES << 20)

    def test_a_reader_that_never_reads_ends_with_its_deadline(self):
        daemon = self.one_key_each()
        client = self.flood(daemon, deadline_ms=1_000)
        other = self.client(daemon)
        self.until(lambda: other.ask("queue")["body"]["in_flight"] == [], "the deadline")
        pieces, final = self.read(client)
        self.assert_error(final, "deadline_exceeded")
        self.assertLess(sum(map(len, pieces)), self.MEBIBYTES << 20)


class ReadersThatLeave(Streaming):
    def leave(self, daemon, how):
        reader = subprocess.Popen([sys.executable, "-c", SILENT_READER, daemon.endpoint, how],
                                  stdout=subprocess.PIPE)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        reader.stdout.readline()
        self.until(lambda: self.in_flight() == 1, "the call to begin")
        reader.kill()

    def test_a_streams_call_is_cancelled_and_its_reservation_kept(self):
        daemon = self.one_key_each()
        self.sim.control(answer_bytes=10_000, stream_deltas=10_000, stream_delta_ms=5)
        self.leave(daemon, "stream")
        self.until(lambda: self.in_flight() == 0, "the call to be cancelled")
        self.assertEqual(self.sim.stats()["totals"]["client_left"], 1)
        client = self.client(daemon)
        self.until(lambda: client.ask("queue")["body"]["in_flight"] == [], "the request to end")
        told = client.ask("explain", {"id": "left"})["body"]
        self.assertEqual(told["state"], "cancelled")
        [row] = client.ask("usage")["body"]["rows"]
        self.assertEqual((row["requests"], row["errors"]), (1, 1))

    def test_a_cancelled_stream_is_settled_from_what_the_provider_had_said_of_it(self):
        daemon = self.one_key_each()
        self.sim.control(answer_bytes=10_000, stream_deltas=10_000, stream_delta_ms=5)
        client = self.client(daemon, kind=zmq.DEALER)
        client.send("chat", {"prompt": "speak", "stream": True, "user_id": "u",
                             "model_preference": MODELS["anthropic"]}, id="cut")
        client.receive()
        client.send("cancel", {"id": "cut"})
        final = client.receive()
        while not final["final"] or final["id"] != "cut":
            final = client.receive()
        self.assert_error(final, "cancelled")
        self.until(lambda: self.in_flight() == 0, "the call to be cancelled")
        other = self.client(daemon)

        def counted():
            rows = other.ask("usage", {"by": ["key"]})["body"]["rows"]
            return sum(row["input_tokens"] for row in rows)
        self.until(counted, "the usage")
        self.assertEqual(counted(), self.sim.stats()["totals"]["input_tokens"])

    def test_an_answer_that_is_not_streamed_waits_for_who_asks_again(self):
        daemon = self.one_key_each()
        self.sim.control(latency_ms=500)
        self.leave(daemon, "whole")
        client = self.client(daemon)
        reply = client.ask("chat", {"prompt": "speak", "stream": False}, id="left")
        self.assertTrue(reply["ok"], reply)
        self.assertEqual(self.sim.requests(), 1)


class Silence(Streaming):
    """Each time-out by itself; the others are far away."""

    def ask(self, timeout, fault, stream, after_ms=200, **control):
        daemon = self.one_key_each(**{timeout: after_ms})
        self.sim.control(faults=[fault] if fault else [], **control)
        client = self.client(daemon, kind=zmq.DEALER)
        client.send("chat", {"prompt": "one two three four five", "stream": stream,
                             "model_preference": MODELS["openai"]})
        return self.read(client)

    def test_until_the_first_token(self):
        pieces, final = self.ask("first_token_timeout_ms", {"kind": "hang"}, True)
        self.assertEqual(pieces, [])
        error = self.assert_error(final, "upstream_unavailable")
        self.assertTrue(error["retryable"])
        self.assertNotIn("interrupted", error.get("details", {}))

    def test_between_two_pieces(self):
        pieces, final = self.ask("idle_timeout_ms", {"kind": "hang_mid_body"}, True)
        self.assertTrue(pieces)
        error = self.assert_error(final, "upstream_unavailable")
        self.assertTrue(error["details"]["interrupted"])

    def test_in_total(self):
        pieces, final = self.ask("total_timeout_ms", None, True, after_ms=int(PATIENCE_S * 100),
                                 stream_delta_ms=20, answer_bytes=10_000, stream_deltas=5_000)
        self.assertTrue(pieces)
        error = self.assert_error(final, "upstream_unavailable")
        self.assertTrue(error["details"]["interrupted"])

    def test_one_providers_time_out_is_not_anothers(self):
        daemon = self.one_key_each(first_token_timeout_ms=200)
        config = json.loads(daemon.config.read_text())
        del config["providers"]["openai"]
        daemon.config.write_text(json.dumps(config))
        self.assertEqual(daemon.ctl("reload").returncode, 0)
        self.sim.control(latency_ms=600)
        client = self.client(daemon)
        for provider, answers in (("gemini", False), ("openai", True)):
            reply = client.chat("hi", model_preference=MODELS[provider], allow_fallback=False)
            self.assertEqual(reply["ok"], answers, reply)


class Terminal(Streaming):
    """`routerctl chat` as a person uses it."""

    def test_it_streams_an_answer_takes_a_system_prompt_a_picture_and_standard_input(self):
        daemon = self.one_key_each()
        told = daemon.ctl("chat", "--system", "Be brief.", "What are your instructions?")
        self.assertEqual((told.returncode, told.stdout), (0, "My instructions are: Be brief.\n"))
        told = daemon.ctl("chat", "-", stdin="from a pipe")
        self.assertEqual(told.stdout, "You said: from a pipe; this is turn 1.\n")
        picture = daemon.folder / "cat.png"
        picture.write_bytes(b"12345")
        told = daemon.ctl("chat", "--image", str(picture), "What is this?")
        self.assertEqual(told.stdout, "I see 1 image of 5 bytes.\n")
        for prompt, answer in (("My name is Ada.", None), ("What is my name?", "Your name is Ada.\n")):
            told = daemon.ctl("chat", "--conversation", "c", "--model", MODELS["anthropic"], prompt)
            self.assertIn(answer, (None, told.stdout))
        sent = self.sim.stats()["recent"]
        self.assertTrue(all(r["stream"] for r in sent))

    def test_it_says_how_long_the_wait_is(self):
        daemon = self.daemon(keys=[key("k1", rpm=1, window_seconds=2)])
        self.assertEqual(daemon.ctl("chat", "first").returncode, 0)
        terminal, end = pty.openpty()
        self.addCleanup(os.close, terminal)
        waited = subprocess.run(
            [BIN / "routerctl", "--endpoint", daemon.endpoint, "chat", "second"], stderr=end,
            stdout=subprocess.PIPE, env=daemon.environment, text=True, timeout=PATIENCE_S,
            check=True)
        os.close(end)
        self.assertEqual(waited.stdout, "You said: second; this is turn 1.\n")
        self.assertIn("(position 1)", os.read(terminal, 1000).decode())


if __name__ == "__main__":
    unittest.main()
