"""Peers that mean harm, on the daemon's socket: it lives, and others are served meanwhile."""

import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
import unittest

import msgpack
import zmq

from support import BIN, SANITIZED, EndToEnd, key

# ZMTP 3.0: signature, version, mechanism NULL (https://rfc.zeromq.org/spec/23/).
GREETING = (b"\xff" + b"\x00" * 8 + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\x00")
            + b"\x00" * 32)
READY = b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"

IDLE = 3_000

# Asks as the arguments say, and waits to be killed.
ASKER = """
import sys; sys.path.insert(0, sys.argv[1]); import zmq, support
client = support.Client(sys.argv[2], kind=zmq.DEALER)
exec(sys.argv[4])
client.send('chat', eval(sys.argv[3]), id=sys.argv[6])
if sys.argv[5] in ('answered', 'streaming'): client.receive()
print('there', flush=True)
sys.stdin.read()
"""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Attack(EndToEnd):
    def setUp(self):
        super().setUp()
        self.router = self.daemon()

    def raw(self):
        peer = socket.socket(socket.AF_UNIX)
        self.addCleanup(peer.close)
        peer.connect(self.router.endpoint.removeprefix("ipc://"))  # waits while the queue is full
        peer.settimeout(5)
        return peer

    def send(self, peer, data):
        """The daemon may hang up at any time."""
        try:
            peer.sendall(data)
        except OSError:
            pass

    def assert_serves(self):
        self.assertIsNone(self.router.process.poll(), self.router.log_text())
        self.assertTrue(self.client(self.router).ask("ping")["ok"])

    def test_random_bytes_do_no_harm(self):
        chance = random.Random(20260131)
        for length in [1, 9, 10, 11, 63, 64, 65, 300, 5_000] * 20:
            peer = self.raw()
            self.send(peer, chance.randbytes(length))
            peer.close()
        self.assert_serves()

    def test_random_bytes_after_each_step_of_the_handshake_do_no_harm(self):
        chance = random.Random(20260201)
        for start in (GREETING[:10], GREETING[:12], GREETING, GREETING + READY) * 20:
            peer = self.raw()
            self.send(peer, start + chance.randbytes(200))
            peer.close()
        self.assert_serves()

    def test_half_greetings_are_given_up(self):
        peers = [self.raw() for _ in range(50)]
        for length, peer in enumerate(peers):
            self.send(peer, GREETING[:length])
        self.assert_serves()
        for peer in peers:
            peer.settimeout(20)
            try:
                while peer.recv(4_096):
                    pass
            except ConnectionError:
                pass  # a reset ends it as well

    def test_a_peer_that_sends_a_byte_at_a_time_delays_nobody(self):
        peer = self.raw()
        for byte in GREETING:
            self.send(peer, bytes([byte]))
            self.assert_serves()

    def test_a_frame_that_claims_any_size_is_not_waited_for(self):
        for size in (1 << 26, 1 << 40, (1 << 63) - 1, (1 << 64) - 1):
            peer = self.raw()
            self.send(peer, GREETING + READY + b"\x02" + size.to_bytes(8, "big") + b"x" * 100)
            self.assert_serves()

    def test_a_message_of_many_frames_is_dropped_and_the_next_is_understood(self):
        client = self.client(self.router, kind=zmq.DEALER)
        client.socket.send_multipart([b"x"] * 100_000 + [b"", b"y"])
        client.send("ping")
        self.assertTrue(client.receive()["ok"])

    def test_thousands_of_idle_connections_leave_room_for_others(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = IDLE + 200 if hard == resource.RLIM_INFINITY else min(IDLE + 200, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(wanted - 200):
            self.send(self.raw(), GREETING + READY)
        self.assert_serves()

    def test_a_client_that_never_reads_holds_up_nobody_and_fills_no_memory(self):
        self.client(self.router).chat("x" * 500_000, conv_id="long")
        before = self.memory_kb()
        deaf = self.deaf()
        while "does not read" not in self.router.log_text():
            try:
                deaf.socket.send_multipart([b"", msgpack.packb(
                    {"v": 1, "id": "x", "op": "conversation.get", "body": {"conv_id": "long"}})],
                    zmq.NOBLOCK)
            except zmq.Again:
                self.assert_serves()
        # 64 MiB in the outbox, a hundred replies of a megabyte in libzmq, and what malloc keeps.
        self.assertLess(self.memory_kb() - before, 400_000)
        self.assert_serves()

    def test_a_client_that_never_reads_does_not_hold_up_the_stop(self):
        self.sim.control(answer_bytes=1_000_000)
        deaf, other = self.deaf(), self.client(self.router)
        for _ in range(120):  # 100 of their replies go to libzmq
            deaf.send("chat", {"prompt": "hello"})
        self.until(lambda: self.sim.requests() == 120, "all to be asked")
        self.until(lambda: not other.ask("queue")["body"]["in_flight"], "all to be answered")
        self.assertEqual(self.router.stop(), 0)  # in less than the drain time

    def deaf(self):
        return self.client(self.router, kind=zmq.DEALER, receive_queue=1)

    def memory_kb(self):
        with open(f"/proc/{self.router.process.pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def test_a_flood_of_one_caller_leaves_the_other_served(self):
        flood = self.client(self.router, kind=zmq.DEALER)
        for _ in range(50_000):
            flood.send("ping", id="flood")
        reply = self.client(self.router).chat("hello")
        self.assertTrue(reply["ok"], reply)
        self.assert_serves()

    def test_a_process_that_reads_without_waiting_is_refused_and_others_read_meanwhile(self):
        self.client(self.router).chat("x" * 500_000, conv_id="long")
        greedy = self.client(self.router, kind=zmq.DEALER)
        for _ in range(300):
            greedy.send("conversation.get", {"conv_id": "long"})
        replies = [greedy.receive() for _ in range(300)]
        self.assertGreaterEqual(sum(reply["ok"] for reply in replies), 64)
        self.assertEqual({reply["error"]["type"] for reply in replies if not reply["ok"]},
                         {"overloaded"})
        self.assertTrue(greedy.ask("conversation.get", {"conv_id": "long"})["ok"])

    def test_who_asks_once_is_not_behind_everything_that_another_has_asked_before(self):
        self.router.stop()
        self.router = self.daemon(keys=[{**key("k1", rpm=100_000), "max_in_flight": 1}],
                                  secrets={"k1": "s1"})
        self.sim.control(latency_ms=20, limits={"key": "s1", "rpm": 100_000})
        flood = self.client(self.router, kind=zmq.DEALER)
        for i in range(50):
            flood.send("chat", {"prompt": "flood", "agent": "flood"}, id=f"flood-{i}")
        flood.receive()  # so that all of it waits
        self.assertTrue(self.client(self.router).chat("hello", agent="other")["ok"])
        served = 0
        while flood.socket.poll(0):
            flood.receive()
            served += 1
        self.assertLess(served, 40)

    def asker(self, body, prepare="", state="", request_id="asked"):
        child = subprocess.Popen(
            [sys.executable, "-c", ASKER, os.path.dirname(__file__) or ".", self.router.endpoint,
             repr(body), prepare, state, request_id],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(child.stdout.readline(), "there\n")
        return child

    def killed_in(self, state, body, prepare="", until=None):
        """Kills a process that asks when `until` holds of the numbers of requests."""
        child = self.asker(body, prepare, state)
        client = self.client(self.router)
        self.until(lambda: until(self.numbers(client)), state)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        return client

    def stopped_at(self, state):
        """In the place of the router: one that stops itself (SIGSTOP) in that state."""
        self.router.stop()
        self.router = self.daemon(start=False)
        command = self.router.command
        self.router.command = lambda *words: [BIN / "routerd_crash", *command(*words)[1:]]
        self.router.environment["REQUESTROUTER_STOP_AT"] = state
        self.router.start()

    def killed_while_stopped(self, body, request_id="asked"):
        """Kills a process that asks when the router has stopped itself, which then goes on."""
        child = self.asker(body, request_id=request_id)
        stat = f"/proc/{self.router.process.pid}/stat"
        self.until(lambda: read(stat).rpartition(")")[2].split()[0] == "T", "the router has stopped")
        child.send_signal(signal.SIGKILL)
        child.communicate()
        self.router.process.send_signal(signal.SIGCONT)
        return self.client(self.router)

    def numbers(self, client):
        return client.ask("health")["body"]["queue"]

    def assert_forgotten(self, client):
        self.until(lambda: self.numbers(client) == {"waiting": 0, "in_flight": 0}, "all is over")

    def test_a_client_that_is_killed_while_its_turn_is_held_back_is_forgotten(self):
        self.sim.control(latency_ms=2_000)
        client = self.killed_in("held back", {"prompt": "x", "conv_id": "talk"},
                                "client.send('chat', {'prompt': 'first', 'conv_id': 'talk'})",
                                until=lambda queue: queue == {"waiting": 1, "in_flight": 1})
        self.assert_forgotten(client)
        self.wait_until_written(client)  # the first turn's answer is stored, for a successor
        messages = client.ask("conversation.get", {"conv_id": "talk"})["body"]["messages"]
        self.assertEqual([m["content"] for m in messages[::2]], ["first"])

    def test_a_client_that_is_killed_while_it_waits_for_capacity_is_forgotten(self):
        self.router.stop()
        self.router = self.daemon(keys=[key("k1", rpm=1)], secrets={"k1": "s1"})
        self.client(self.router).chat("the only one of this minute")
        client = self.killed_in("waiting", {"prompt": "x"},
                                until=lambda queue: queue["waiting"] == 1)
        self.assert_forgotten(client)
        self.assertEqual(self.sim.requests(), 1)

    def test_a_client_that_is_killed_while_its_request_is_in_flight_is_answered_to_its_successor(self):
        self.sim.control(latency_ms=500)
        client = self.killed_in("in flight", {"prompt": "x", "conv_id": "talk"},
                                until=lambda queue: queue["in_flight"] == 1)
        answer = client.ask("chat", {"prompt": "x", "conv_id": "talk"}, id="asked")
        self.assertTrue(answer["ok"], answer)
        self.assert_forgotten(client)
        self.assertEqual(self.sim.requests(), 1)

    def test_a_client_that_is_killed_in_the_middle_of_a_stream_stops_paying_for_it(self):
        self.sim.control(stream_delta_ms=100, stream_deltas=1_000, answer_bytes=10_000)
        client = self.killed_in("streaming", {"prompt": "x", "stream": True},
                                until=lambda queue: queue["in_flight"] == 1)
        self.assert_forgotten(client)
        self.until(lambda: self.sim.stats()["totals"]["client_left"] == 1, "the stream is cut off")

    def test_a_client_that_is_killed_in_a_short_state_is_answered_to_its_successor_at_the_cost_of_one(self):
        for state in ("loading", "reserved", "logged", "sent", "answered", "committing",
                      "committed"):
            with self.subTest(state):
                self.client(self.router).chat("before", conv_id=state)
                self.stopped_at(state)
                body = {"prompt": "x", "conv_id": state}
                asked = self.sim.requests()
                client = self.killed_while_stopped(body, request_id=state)
                answer = client.ask("chat", body, id=state)
                self.assertTrue(answer["ok"], answer)
                self.assert_forgotten(client)
                self.assertEqual(self.sim.requests() - asked, 1)
                messages = client.ask("conversation.get", {"conv_id": state})["body"]["messages"]
                self.assertEqual(len(messages), 4)

    def test_a_client_that_is_killed_when_it_is_answered_is_forgotten(self):
        client = self.killed_in("answered", {"prompt": "x"}, until=lambda queue: True)
        self.assert_forgotten(client)


class WhatLibzmqDoesNotSurvive(EndToEnd):
    """Too few descriptors or too little memory end the process, as the unit's limits would: the
    next one has lost nothing."""

    SURVIVES = ["one", "two"]

    def limited(self, *limits):
        """A daemon under `limits` of prlimit(1), with a conversation of two turns."""
        daemon = self.daemon(start=False)
        command = daemon.command
        daemon.command = lambda *words: ["prlimit", *limits, "--", *command(*words)]
        daemon.start()
        client = self.client(daemon)
        for prompt in self.SURVIVES:
            self.assertTrue(client.chat(prompt, conv_id="talk")["body"]["persisted"])
        daemon.command = command
        return daemon

    def assert_nothing_lost(self, daemon):
        if daemon.process.poll() is None:
            daemon.kill()  # it has survived, this time
        daemon.start()
        client = self.client(daemon)
        messages = client.ask("conversation.get", {"conv_id": "talk"})["body"]["messages"]
        self.assertEqual([m["content"] for m in messages[::2]], self.SURVIVES)
        self.assertTrue(client.chat("three", conv_id="talk")["body"]["persisted"])
        self.assertEqual(client.ask("check")["body"]["problems"], [])
        self.assertEqual(client.ask("usage")["body"]["rows"][0]["requests"], 3)

    def test_no_more_descriptors(self):
        daemon = self.limited("--nofile=64:64")
        peers = []
        self.addCleanup(lambda: [peer.close() for peer in peers])
        for _ in range(200):
            peers.append(socket.socket(socket.AF_UNIX))
            peers[-1].setblocking(False)
            try:
                peers[-1].connect(daemon.endpoint.removeprefix("ipc://"))
                peers[-1].send(GREETING + READY)
            except OSError:
                pass  # it is gone, or takes nobody in
            if daemon.process.poll() is not None:
                break
        self.assert_nothing_lost(daemon)

    @unittest.skipIf(SANITIZED, "sanitizers need more address space than that")
    def test_a_message_without_an_end(self):
        daemon = self.limited(f"--as={1 << 30}")
        peer = socket.socket(socket.AF_UNIX)
        self.addCleanup(peer.close)
        peer.connect(daemon.endpoint.removeprefix("ipc://"))
        frame = b"\x03" + (1 << 20).to_bytes(8, "big") + b"x" * (1 << 20)  # long, more to come
        with self.assertRaises(OSError):
            peer.sendall(GREETING + READY)
            while True:
                peer.sendall(frame)
        self.assert_nothing_lost(daemon)


if __name__ == "__main__":
    unittest.main()
