"""How long a start takes: to READY with many stored messages, and to an answer after kill -9."""

import signal
import time

import msgpack
import zmq

import database
from load import HEAD_START_S, Load, begin
from report import say
from targets import Routerd


def ready(bench, report):
    """READY=1 at NOTIFY_SOCKET, after a clean stop."""
    target = Routerd(database.filled(bench, bench.messages), bench.upstream)
    times = []
    for _ in range(bench.rounds):
        target.stop()
        times.append(target.start() * 1000)
        say(f"start to READY with {bench.messages:,} messages: {times[-1]:.0f} ms")
    target.stop()
    report.goal(f"start to READY, {bench.messages:,} stored messages", times, 100, " ms", short="READY")


def after_crash(bench, report):
    """kill -9 under stored load, then from exec to the answer of a chat that waits for it."""
    folder = database.filled(bench, bench.messages)
    target = Routerd(folder, bench.upstream)
    times = []
    for number in range(bench.rounds):
        context = zmq.Context()
        client = context.socket(zmq.DEALER)
        client.setsockopt(zmq.LINGER, 0)
        client.setsockopt(zmq.RECONNECT_IVL, 1)
        kill_under_load(target)
        client.connect(target.endpoint)
        request = {"v": 1, "id": f"first-{number}-{time.time_ns()}", "op": "chat",
                   "body": {"prompt": "Hello", "conv_id": f"first-{number}"}}
        client.send_multipart([b"", msgpack.packb(request)])
        target.start()
        answered = client.poll(20_000)
        times.append((time.monotonic() - target.process.started) * 1000)
        if not answered or not msgpack.unpackb(client.recv_multipart()[-1])["ok"]:
            raise RuntimeError("no answer after a crash: " + target.log_text())
        client.close()
        context.term()
        say(f"start to the first answer after kill -9: {times[-1]:.0f} ms")
    target.stop()
    report.goal(f"start to the first answer after kill -9, {bench.messages:,} stored messages",
                times, 300, " ms", short="answer after crash")


def kill_under_load(target):
    """Ends the daemon in the middle of a stored load."""
    clients = begin(target, Load(in_flight=64, stored=True), 60)
    time.sleep(HEAD_START_S + 0.5)
    target.kill()
    for client in clients:
        client.end(signal.SIGKILL)
