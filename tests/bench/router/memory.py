"""RSS: idle, with requests in flight, over time under load, and when clients stop reading."""

import os
import signal
import statistics
import threading
import time

import msgpack
import zmq

from load import Load, begin, run
from process import PATIENCE_S
from report import say
from targets import Bare, Routerd, Upstream

MORE = 5000
UNREAD, UNREAD_BYTES, UNREAD_RATE = 32_000, 16_384, 1_500


class Sampler:
    """Reads a target's RSS until it is left."""

    def __init__(self, target, every_s):
        self.target, self.every_s = target, every_s
        self.samples = []  # (seconds, kB)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.sample)

    def sample(self):
        start = time.monotonic()
        while not self.over.wait(self.every_s):
            self.samples.append((time.monotonic() - start, self.target.rss_kb()))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def hold(target, count):
    """Client processes with so many requests of 1 KiB in flight at a provider that does not answer."""
    clients = begin(target, Load(in_flight=count), 3600)
    wanted = descriptors(target) + count
    end = time.monotonic() + PATIENCE_S
    while descriptors(target) < wanted:  # each call has a connection
        if time.monotonic() > end:
            raise RuntimeError(f"{target.name} holds only {descriptors(target)} of {wanted} calls")
        time.sleep(0.1)
    settle(target)
    return clients


def descriptors(target):
    return len(os.listdir(f"/proc/{target.process.pid}/fd"))


def sizes(bench, kind):
    """Idle, with 1,000 and with MORE in flight, in kB."""
    upstream = Upstream(3_600_000)
    target = kind(bench.folder / f"memory-{kind.name}", upstream)
    clients = []
    try:
        settle(target)
        idle_kb = target.rss_kb()
        clients += hold(target, 1000)
        thousand_kb = target.rss_kb()
        clients += hold(target, MORE - 1000)
        more_kb = target.rss_kb()
    finally:
        for client in clients:
            client.end(signal.SIGKILL)
        target.kill()
        upstream.stop()
    say(f"memory, {kind.name}: idle {idle_kb} kB, 1,000 in flight {thousand_kb} kB, "
        f"{MORE:,} in flight {more_kb} kB")
    return idle_kb, thousand_kb, (more_kb - thousand_kb) / (MORE - 1000)


def in_flight(bench, report):
    """Idle, 1,000 and 5,000 in flight; the bare loop for comparison."""
    idle_kb, thousand_kb, each_kb = sizes(bench, Bare)
    report.note(f"RSS of the bare loop: idle {idle_kb / 1000:.1f} MB, 1,000 in flight "
                f"{thousand_kb / 1000:.1f} MB, each further one {each_kb:.1f} kB")
    idle_kb, thousand_kb, each_kb = sizes(bench, Routerd)
    report.goal("RSS, idle", [idle_kb / 1000], 15, " MB", short="idle")
    report.goal("RSS, 1,000 in flight of 1 KiB", [thousand_kb / 1000], 60, " MB",
                short="1,000 in flight")
    report.goal(f"RSS of each further one, to {MORE:,}", [each_kb], 25, " kB", short="each more")


def slope(samples):
    """kB a minute, by least squares."""
    times, sizes = [t / 60 for t, _ in samples], [kb for _, kb in samples]
    if len(samples) < 2:
        return 0.0
    return statistics.linear_regression(times, sizes).slope


def soak(bench, report):
    """Stored load for --minutes; the slope of RSS over the second half, when caches are full."""
    target = Routerd(bench.folder / "soak", bench.upstream)
    try:
        with Sampler(target, max(0.5, bench.minutes * 60 / 600)) as sampler:
            row = run(target, bench.upstream, Load(rate=bench.soak_rate, stored=True),
                      bench.minutes * 60, warm_up=1)
    finally:
        target.stop()
    report.add("soak", "routerd", [row])
    half = [sample for sample in sampler.samples if sample[0] > bench.minutes * 30]
    middle = half[0][1] if half else 0
    report.goal(f"RSS's slope over {bench.minutes / 2:g} minutes of load, of {middle / 1000:.0f} MB",
                [slope(half)], 0.01 * middle, " kB a minute")


def unread(bench, report):
    """A client that sends and never reads, at a pace that the daemon keeps up with: what waits for
    it is bounded, so RSS is the same after twice as many answers of 16 KiB."""
    upstream = Upstream(answer_bytes=UNREAD_BYTES)
    target = Routerd(bench.folder / "unread", upstream)
    context = zmq.Context()
    client = context.socket(zmq.DEALER)
    sizes_kb, sent = [], 0
    try:
        for option, value in ((zmq.LINGER, 0), (zmq.RCVHWM, 1), (zmq.SNDTIMEO, 2000)):
            client.setsockopt(option, value)
        client.connect(target.endpoint)
        for wanted in (UNREAD // 2, UNREAD):
            sent = send_unread(client, sent, wanted)
            settle(target)
            sizes_kb.append(target.rss_kb())
            say(f"unread: {sent:,} sent, RSS {sizes_kb[-1]:,} kB")
    finally:
        client.close()
        context.term()
        target.kill()
        upstream.stop()
    report.goal(f"RSS from {UNREAD // 2:,} to {UNREAD:,} unread answers of 16 KiB "
                f"({sizes_kb[-1] / 1000:.0f} MB)", [sizes_kb[1] / sizes_kb[0]], 1.15, " x",
                short="RSS, unread")


def send_unread(client, sent, wanted):
    """Until `wanted` are sent, or the daemon takes no more. Returns how many were."""
    while sent < wanted:
        request = {"v": 1, "id": f"unread-{sent}", "op": "chat", "body": {"prompt": "x" * 1024}}
        try:
            client.send_multipart([b"", msgpack.packb(request)])
        except zmq.Again:
            break
        sent += 1
        time.sleep(1 / UNREAD_RATE)
    return sent


def settle(target):
    """Waits until the target has nothing to do."""
    last = -1
    while last != (last := target.costs().cpu_ns // 5_000_000):
        time.sleep(0.3)
