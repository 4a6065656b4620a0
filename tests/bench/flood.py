#!/usr/bin/python3
"""What one caller notices of another's flood.

A caller asks for one chat after another; then again while another process floods routerd: with
chats kept in flight, or with operations as fast as they go. Its p99 shall stay within twice that
of the quiet. All processes share the machine, so the simulator and the flood's own work count too:
with two cores each has one beside routerd. The provider takes 20 ms, as if far away.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("REQUESTROUTER_BIN", str(ROOT / "build/bin"))
os.environ.setdefault("REQUESTROUTER_EXAMPLES", str(ROOT / "tests/golden/config"))
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests/bench/router")]

import zmq  # noqa: E402

from load import Histogram  # noqa: E402
from support import BIN, Client, Daemon, Simulator, key  # noqa: E402


def bench(daemon, seconds, *arguments):
    return subprocess.Popen([BIN / "routerbench", "--endpoint", daemon.endpoint, "--seconds",
                             str(seconds), "--warm-up", "0.5", *arguments],
                            stdout=subprocess.PIPE, text=True)


def percentiles(report):
    latency = Histogram([report["latency"]])
    return {"asked": latency.total, "p50_us": round(latency.at(0.5)),
            "p99_us": round(latency.at(0.99)), "failed": report["failed"] + report["unanswered"]}


class Operations:
    """A process's worth of `health` questions, 32 of them open at any time."""

    def __init__(self, daemon):
        self.client = Client(daemon.endpoint, kind=zmq.DEALER)
        self.stopped = threading.Event()
        self.answers = 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        for _ in range(32):
            self.client.send("health")
        while not self.stopped.is_set():
            self.client.receive()
            self.answers += 1
            self.client.send("health")

    def stop(self):
        self.stopped.set()
        self.thread.join()
        self.client.close()
        return self.answers


def victim(daemon, seconds):
    return percentiles(json.loads(bench(daemon, seconds, "--in-flight", "1").communicate()[0]))


def under_chats(daemon, seconds, in_flight):
    flood = bench(daemon, seconds, "--in-flight", str(in_flight), "--tail", "1")
    row = victim(daemon, seconds)
    row["flood"] = json.loads(flood.communicate()[0])["in_time"]
    return row


def under_operations(daemon, seconds):
    flood = Operations(daemon)
    row = victim(daemon, seconds)
    row["flood"] = flood.stop()
    return row


def main():
    parser = argparse.ArgumentParser(prog="./dev bench flood", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seconds each, not ten")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seconds = 2 if options.quick else 10
    simulator = Simulator("--key", "s1:rpm=100000000,tpm=1000000000000", "--latency-ms", "20")
    with tempfile.TemporaryDirectory(prefix="rr-flood-") as folder:
        daemon = Daemon(folder, simulator, [key("k1")], {"k1": "s1"}).start()
        try:
            rows = {"quiet": victim(daemon, seconds)}
            for in_flight in (16, 64):
                rows[f"{in_flight} chats"] = under_chats(daemon, seconds, in_flight)
            rows["operations"] = under_operations(daemon, seconds)
        finally:
            daemon.stop()
            simulator.stop()
    for row in rows.values():
        row["times_quiet"] = round(row["p99_us"] / rows["quiet"]["p99_us"], 2)
    if options.json:
        print(json.dumps(rows))
        return
    names = ("asked", "p50_us", "p99_us", "times_quiet", "failed", "flood")
    for title, row in {"flood of": dict(zip(names, names)), **rows}.items():
        print(f"{title:>12}" + "".join(f"{str(row.get(name, '-')):>13}" for name in names))


if __name__ == "__main__":
    main()
