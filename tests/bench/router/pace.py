"""Throughput and latency of routerd beside the bare loop and the provider alone."""

import itertools
import statistics

from load import Load, run
from report import draw, number, say
from targets import Bare, Direct, Routerd

THROUGHPUT = [Load(in_flight=64, stored=stored) for stored in (True, False)]
LATENCY = [Load(stored=stored, **pace) for stored in (True, False)
           for pace in ({"in_flight": 1}, {"in_flight": 16}, {"in_flight": 64}, {"rate": 500},
                        {"rate": 5000})]
QUICK_LATENCY = [Load(in_flight=1, stored=True), Load(in_flight=16, stored=True)]
RATES = (250, 500, 1000, 2000, 3000, 4000, 5000, 6000, 8000, 10000, 12500, 15000)


def in_turns(bench, loads):
    """Every load on every target in every round; a provider stores nothing, so alone it is asked
    once for stored and one-shot. Returns {(load, target): rows by round}."""
    rows = {}
    targets = [Bare(bench.folder / "bare", bench.upstream),
               Routerd(bench.folder / "routerd", bench.upstream), Direct(bench.upstream)]
    try:
        for number in range(bench.rounds):
            for load, place in itertools.product(loads, range(len(targets))):
                target = targets[(place + number) % len(targets)]
                as_asked = Load(load.in_flight, load.rate) if target.name == "direct" else load
                if len(rows.get((as_asked, target.name), ())) > number:
                    continue
                row = run(target, bench.upstream, as_asked, bench.seconds)
                rows.setdefault((as_asked, target.name), []).append(row)
                bench.progress(number, target, row)
    finally:
        for target in targets:
            target.stop()
    return rows


def throughput(report, rows):
    """Goals of 64 in flight."""
    for load in THROUGHPUT:
        rounds = complete(report, load, rows[load, "routerd"], rows[load, "bare"])
        if not rounds:
            continue
        report.goal(f"throughput, {load}: of the bare loop's",
                    [r["per_second"] / b["per_second"] for r, b in rounds], 0.75, at_least=True,
                    short=f"of bare, {load}:")
        cpu = statistics.median(r["cpu_us"] / b["cpu_us"] for r, b in rounds)
        report.note(f"CPU per request, {load}: {cpu:.2f} x the bare loop's")


def latency(report, rows, loads):
    """Goals of what is added to a direct call."""
    for load in loads:
        rounds = complete(report, load, rows[load, "routerd"], rows[load, "bare"],
                          rows[Load(load.in_flight, load.rate), "direct"])
        if not rounds:
            continue
        report.goal(f"latency added, {load}: of the bare loop's p50",
                    [(r["p50_us"] - d["p50_us"]) / b["p50_us"] for r, b, d in rounds], 1.3,
                    short=f"added, {load}:")
        report.note(breakdown(load, rounds))
        if load == Load(in_flight=16, stored=True):
            report.goal(f"p99, {load}", [r["p99_us"] / 1000 for r, _, _ in rounds], 3, " ms",
                        short="p99")
            p99 = statistics.median(b["p99_us"] for _, b, _ in rounds)
            report.note(f"p99, {load}: the bare loop's is {p99 / 1000:.2f} ms")


def complete(report, load, *targets):
    """The rounds in which every target answered."""
    rounds = list(zip(*targets))
    good = [one for one in rounds if all(row["per_second"] > 0 and row["p50_us"] for row in one)]
    if len(good) < len(rounds):
        report.note(f"{load}: {len(rounds) - len(good)} of {len(rounds)} rounds are left out, "
                    "because a target answered nothing while it was measured")
    return good


def breakdown(load, rounds):
    """Of p50, in a sentence."""
    routerd, bare, direct = (statistics.median(row["p50_us"] for row in rows)
                             for rows in zip(*rounds))
    added = statistics.median((r["p50_us"] - d["p50_us"]) / (b["p50_us"] - d["p50_us"])
                              for r, b, d in rounds)
    return (f"p50, {load}: direct {number(direct)} us, bare loop {number(bare)}, routerd "
            f"{number(routerd)}; routerd adds {added:.2f} x what the bare loop adds")


def measure(bench, report, parts):
    """The parts "throughput" and "latency", whose loads overlap."""
    latencies = QUICK_LATENCY if bench.quick else LATENCY
    loads = (THROUGHPUT if "throughput" in parts else []) + (latencies if "latency" in parts else [])
    rows = in_turns(bench, list(dict.fromkeys(loads)))
    for (_, target), rounds in rows.items():
        report.add("throughput and latency", target, rounds)
    if "throughput" in parts:
        throughput(report, rows)
    if "latency" in parts:
        latency(report, rows, latencies)


def curve(bench, report):
    """Latency against offered load, one-shot, until a target no longer keeps up."""
    rows = []
    targets = [Bare(bench.folder / "bare", bench.upstream),
               Routerd(bench.folder / "routerd", bench.upstream), Direct(bench.upstream)]
    try:
        for target in targets:
            for rate in RATES:
                row = run(target, bench.upstream, Load(rate=rate), bench.seconds)
                rows.append(report.add("latency against offered load", target.name, [row])
                            | {"offered": rate})
                bench.progress(0, target, row)
                if row["per_second"] < 0.9 * rate:
                    break
    finally:
        for target in targets:
            target.stop()
    report.plot = draw(rows, bench.plots)
    if not report.plot:
        say(f"no gnuplot here, so no picture; its numbers are in {bench.plots}")
