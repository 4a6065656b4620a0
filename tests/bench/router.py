#!/usr/bin/python3
"""routerd against the bare loop of its four libraries and against the provider without a router.

Clients are processes of their own, on one core with the provider; routerd, or the loop, has the
other. Rounds go through the targets in turn, and every ratio is taken within a round.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
os.environ.setdefault("REQUESTROUTER_BIN", str(HERE.parents[1] / "build/bin"))
sys.path.insert(0, str(HERE / "router"))

import process  # noqa: E402
from load import Load, run  # noqa: E402
from targets import Bare, Direct, Routerd, Upstream  # noqa: E402


def say(text):
    print(text, file=sys.stderr, flush=True)


def medians(rounds):
    """Of each number of the rows."""
    out = dict(rounds[0])
    for name, value in rounds[0].items():
        if isinstance(value, (int, float)):
            out[name] = statistics.median(row[name] for row in rounds)
    return out


def main():
    parser = argparse.ArgumentParser(prog="./dev bench router", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--nice", type=int, default=0, metavar="N",
                        help="priority of what is measured; -15, as root, on a machine that others use")
    options = parser.parse_args()
    process.niceness = options.nice
    os.setpriority(os.PRIO_PROCESS, 0, options.nice)
    seconds = options.seconds or (1 if options.quick else 3)
    count = options.rounds or (3 if options.quick else 7)
    rows = {}
    with tempfile.TemporaryDirectory(prefix="rr-bench-") as name:
        folder = pathlib.Path(name)
        upstream = Upstream()
        targets = [Bare(folder / "bare", upstream), Routerd(folder / "routerd", upstream),
                   Direct(upstream)]
        try:
            for number in range(count):
                for stored in (True, False):
                    load = Load(in_flight=options.in_flight, stored=stored)
                    for target in targets:
                        if stored and target.name == "direct":
                            continue
                        row = run(target, upstream, load, seconds)
                        rows.setdefault((str(load), target.name), []).append(row)
                        say(f"round {number + 1} {target.name:8} {load}: "
                            f"{row['per_second']:.0f}/s, {row.get('cpu_us', 0):.1f} us CPU, waited "
                            f"for its core {row.get('waited', 0):.0%}, clients and upstream "
                            f"{row['clients_cpu']:.0%} + {row['upstream_cpu']:.0%}, others "
                            f"{row['others_cpu']:.0%} {row['failed'] or ''} {row['error']}")
        finally:
            for target in targets:
                target.stop()
            upstream.stop()
    table = [dict(medians(rounds), target=target) for (_, target), rounds in rows.items()]
    if options.json:
        print(json.dumps(table))
    names = ("target", "load", "per_second", "p50_us", "p99_us", "cpu_us", "switches", "waited",
             "clients_cpu", "upstream_cpu", "others_cpu", "failed")
    if not options.json:
        for row in [dict(zip(names, names)), *table]:
            cells = (row.get(name, "") for name in names)
            print("  ".join(f"{cell:>12.2f}" if isinstance(cell, float) else f"{str(cell):>12}"
                            for cell in cells))
    for load in dict.fromkeys(load for load, _ in rows):
        for what in ("per_second", "cpu_us"):
            ratios = [r[what] / b[what] for r, b in zip(rows[load, "routerd"], rows[load, "bare"])]
            print(f"{load}: {what} of the bare loop's: {statistics.median(ratios):.2f} "
                  f"({min(ratios):.2f}..{max(ratios):.2f})", file=sys.stderr)


if __name__ == "__main__":
    main()
