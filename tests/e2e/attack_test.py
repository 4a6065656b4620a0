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

from support import EndToEnd

# ZMTP 3.0: signature, version, mechanism NULL (https://rfc.zeromq.org/spec/23/).
GREETING = (b"\xff" + b"\x00" * 8 + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\x00")
            + b"\x00" * 32)
READY = b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"


class Attack(EndToEnd):
    def setUp(self):
        super().setUp()
        self.router = self.daemon()

    def raw(self):
        peer = socket.socket(socket.AF_UNIX)
        self.addCleanup(peer.close)
        peer.settimeout(5)
        peer.connect(self.router.endpoint.removeprefix("ipc://"))
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

    def test_a_thousand_idle_connections_leave_room_for_others(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 1_200 if hard == resource.RLIM_INFINITY else min(1_200, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1_000):
            self.send(self.raw(), GREETING + READY)
        self.assert_serves()

    def test_a_client_that_never_reads_holds_up_nobody(self):
        deaf = self.client(self.router, kind=zmq.DEALER, receive_queue=1)
        for _ in range(20_000):
            try:
                deaf.socket.send_multipart([b"", msgpack.packb(
                    {"v": 1, "id": "x", "op": "health"})], zmq.NOBLOCK)
            except zmq.Again:
                break
        self.assert_serves()

    def test_a_flood_of_one_caller_leaves_the_other_served(self):
        flood = self.client(self.router, kind=zmq.DEALER)
        for _ in range(50_000):
            flood.send("ping", id="flood")
        reply = self.client(self.router).chat("hello")
        self.assertTrue(reply["ok"], reply)
        self.assert_serves()

    def test_a_client_that_is_killed_in_any_state_is_forgotten(self):
        program = ("import sys; sys.path.insert(0, sys.argv[1]); import zmq, support\n"
                   "client = support.Client(sys.argv[2], kind=zmq.DEALER)\n"
                   "client.send('chat', {'prompt': 'x', 'stream': sys.argv[3] == 'stream'})\n"
                   "if sys.argv[3] == 'answered': client.receive()\n"
                   "print('there', flush=True)\n"
                   "sys.stdin.read()\n")
        for state in ("sent", "stream", "answered"):
            child = subprocess.Popen(
                [sys.executable, "-c", program, os.path.dirname(__file__) or ".",
                 self.router.endpoint, state],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.assertEqual(child.stdout.readline(), "there\n")
            child.send_signal(signal.SIGKILL)
            child.communicate()
        client = self.client(self.router)
        end = time.monotonic() + 20
        queue = client.ask("queue")["body"]
        while (queue["waiting"] or queue["in_flight"]) and time.monotonic() < end:
            queue = client.ask("queue")["body"]
        self.assertEqual((queue["waiting"], queue["in_flight"]), ([], []))


if __name__ == "__main__":
    unittest.main()
