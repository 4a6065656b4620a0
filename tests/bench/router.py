#!/usr/bin/python3
"""routerd under load, beside a bare loop of its four libraries (no policy, no checks: the limit to
approach) and beside the provider without a router.

Clients are processes of their own; they share one core with the provider, and routerd, or the loop,
has the other. Rounds go through the targets in turn; what is printed are medians over the rounds,
and every ratio is taken within a round.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
os.environ.setdefault("REQUESTROUTER_BIN", str(HERE.parents[1] / "build/bin"))
sys.path.insert(0, str(HERE / "router"))

import growth  # noqa: E402
import memory  # noqa: E402
import pace  # noqa: E402
import process  # noqa: E402
import starts  # noqa: E402
from report import Report, number, say  # noqa: E402
from targets import Remote, Upstream  # noqa: E402

# In the order measured. The first three of them make a --quick run.
PARTS = {
    "throughput": "64 in flight, stored and one-shot, against the bare loop",
    "latency": "added at 1, 16 and 64 in flight and at 500 and 5,000 a second",
    "memory": "RSS idle, with 1,000 and with 5,000 requests in flight",
    "start": "to READY with --messages stored, and to an answer after kill -9",
    "curve": "latency against offered load, and a picture of it where gnuplot is installed",
    "in-flight": "CPU per request from 10 to 5,000 in flight",
    "keys": "CPU per request with 1 and 1,000 keys",
    "messages": "CPU per request with none and with --messages stored",
    "unread": "RSS when a client does not read its replies",
    "soak": "RSS over --minutes of load (only where asked for)",
}
REMOTE = ("throughput", "latency", "curve")  # with --upstream, too
QUICK = ("throughput", "latency", "memory", "start")

HOW_TO_READ = """
parts:
""" + "\n".join(f"  {name:11} {what}" for name, what in PARTS.items()) + """

columns:
  req/s      answers a second while measured
  p50, p99   latency in microseconds; in an open loop (N/s) from the instant a request was due, so
             that a slow answer also counts for those that had to wait behind it
  cpu us     CPU of the target for each request, all its threads; switches likewise
  core       CPU of the target; clients, upstream, others: theirs. Two cores are 200%. Where clients
             and upstream come near 100% they set the pace, not the target; what others use (other
             programs of this machine) spoils throughput and tails, and CPU per request least
  goals      are met, or not, by the median; "but not always": the rounds do not agree

a machine that others use: --nice -15 (as root) and more --rounds.
a real provider: --upstream URL --model NAME, with its key in BENCH_API_KEY; throughput, latency and
curve only. It is asked thousands of times.
"""


class Bench:
    """What every part needs."""

    def __init__(self, options, folder, upstream):
        self.quick = options.quick
        self.rounds = options.rounds or (3 if self.quick else 5)
        self.seconds = options.seconds or (0.5 if self.quick else 2)
        self.messages = options.messages or (10_000 if self.quick else 1_000_000)
        self.minutes, self.soak_rate = options.minutes, options.soak_rate
        self.plots = options.plots
        self.folder, self.upstream = folder, upstream

    def progress(self, round_number, target, row):
        cpu = f", {row['cpu_us']:.1f} us CPU each" if "cpu_us" in row else ""
        failed = f", {row['failed']} failed: {row['error']}" if row["failed"] else ""
        say(f"[{round_number + 1}/{self.rounds}] {target.name}, {row['load']}: "
            f"{row['per_second']:,.0f}/s, p50 {number(row['p50_us'])} us{cpu}{failed}")


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench router", description=__doc__,
                                     epilog=HOW_TO_READ,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help=f"within a minute: {', '.join(QUICK)}, shorter and on a small database")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--only", metavar="PART,…", help="parts to measure, of those below")
    parser.add_argument("--rounds", type=int, metavar="N", help="3 with --quick, otherwise 5")
    parser.add_argument("--seconds", type=float, metavar="S", help="of one load in one round")
    parser.add_argument("--messages", type=int, metavar="N", help="stored ones, 1,000,000")
    parser.add_argument("--minutes", type=float, metavar="N", default=30, help="of the soak, 30")
    parser.add_argument("--soak-rate", type=float, metavar="N", default=500, help="a second, 500")
    parser.add_argument("--nice", type=int, default=0, metavar="N", help="of what is measured")
    parser.add_argument("--upstream", metavar="URL", help="an OpenAI-compatible provider, with /v1")
    parser.add_argument("--model", help="that --upstream is asked for")
    parser.add_argument("--dir", metavar="DIR",
                        help="a folder on the disk to measure; the temporary one by default")
    parser.add_argument("--plots", metavar="DIR", help="for the picture and its numbers",
                        default=str(pathlib.Path(os.environ["REQUESTROUTER_BIN"]).parent / "bench"))
    options = parser.parse_args()
    if bool(options.upstream) != bool(options.model):
        parser.error("--upstream and --model belong together")
    named = options.only.split(",") if options.only else None
    if wrong := sorted(set(named or ()) - set(PARTS)):
        parser.error(f"no part \"{wrong[0]}\"; there are: {', '.join(PARTS)}")
    default = QUICK if options.quick else [name for name in PARTS if name != "soak"]
    if options.upstream:
        default = [name for name in default if name in REMOTE]
        if unfit := sorted(set(named or ()) - set(REMOTE)):
            parser.error(f"part \"{unfit[0]}\" needs a provider of its own; with --upstream there "
                         f"are: {', '.join(REMOTE)}")
    options.parts = [name for name in PARTS if name in (named or default)]
    return options


def measure(bench, report, parts):
    if {"throughput", "latency"} & set(parts):
        pace.measure(bench, report, parts)
    for name, part in (("memory", memory.in_flight), ("start", starts.ready),
                       ("start", starts.after_crash), ("curve", pace.curve),
                       ("in-flight", growth.waiting), ("in-flight", growth.parked),
                       ("keys", growth.keys), ("messages", growth.messages),
                       ("unread", memory.unread), ("soak", memory.soak)):
        if name in parts:
            part(bench, report)


def main():
    options = arguments()
    began = time.monotonic()
    report = Report()
    with process.priority(options.nice), \
            tempfile.TemporaryDirectory(prefix="rr-bench-", dir=options.dir) as folder:
        upstream = (Remote(options.upstream, options.model, os.environ.get("BENCH_API_KEY", ""))
                    if options.upstream else Upstream())
        try:
            measure(Bench(options, pathlib.Path(folder), upstream), report, options.parts)
        finally:
            upstream.stop()
    say(f"measured in {time.monotonic() - began:.0f} s")
    if options.json:
        report.print_json()
    else:
        report.print_tables()
        report.print_ratios()


if __name__ == "__main__":
    main()
