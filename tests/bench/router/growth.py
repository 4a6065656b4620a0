"""Whether what a request costs grows with what waits, is configured or is stored."""

import signal

import database
from load import Load, begin, run
from memory import settle
from report import say
from targets import Routerd, Upstream

SLOW_MS = 2000
WAITING = (10, 100, 1000, 5000)


def limit_growth(report, what, low, high):
    """`low` and `high`: rows of the same rounds."""
    ratios = [h["cpu_us"] / l["cpu_us"] for l, h in zip(low, high)
              if "cpu_us" in h and "cpu_us" in l]
    if not ratios:
        report.note(f"CPU per request, {what}: nothing was answered")
        return
    report.goal(f"CPU per request, {what}", ratios, 1.15, " x", short="CPU, " + what)
    worst = max(row["failed"] for row in high)
    if worst:
        report.note(f"CPU per request, {what}: up to {worst} requests failed in a round, so this "
                    "cost is of a daemon that does not keep up")


def waiting(bench, report):
    """10 to 5,000 in flight at a 2 s upstream: the rate that keeps so many there. At 10 a request
    has every wake-up to itself; from there on it can only grow by what is waiting."""
    upstream = Upstream(SLOW_MS)
    target = Routerd(bench.folder / "waiting", upstream)
    rows = {count: [] for count in WAITING}
    try:
        for number in range(max(1, bench.rounds // 2)):
            for count in WAITING:
                load = Load(rate=count * 1000 / SLOW_MS, processes=1 if count < 100 else 4)
                row = run(target, upstream, load, 4 if count >= 100 else 8, warm_up=2.5)
                rows[count].append(row | {"load": f"{count} in flight, {SLOW_MS // 1000} s each"})
                bench.progress(number, target, rows[count][-1])
    finally:
        target.kill()
        upstream.stop()
    for count in WAITING:
        report.add("growth", "routerd", rows[count])
    limit_growth(report, "10 to 5,000 in flight", rows[10], rows[5000])
    limit_growth(report, "100 to 5,000 in flight", rows[100], rows[5000])


def parked(bench, report):
    """The same load on two daemons, one of which holds 5,000 requests of a provider that does not
    answer."""
    slow = Upstream(600_000, "slow-model")
    idle = Routerd(bench.folder / "idle", bench.upstream, more=slow)
    busy = Routerd(bench.folder / "busy", bench.upstream, more=slow)
    waiting_ones = begin(busy, Load(in_flight=5000, processes=1, model=slow.model), 3600)
    try:
        settle(busy)
        compare(bench, report, "64 in flight, beside none to beside 5,000 that wait",
                Load(in_flight=64, model=bench.upstream.model),
                [("beside none", idle), ("beside 5,000", busy)])
    finally:
        for client in waiting_ones:
            client.end(signal.SIGKILL)
        slow.stop()


def compare(bench, report, what, load, targets):
    """Two daemons in turn, `targets`: [(name, Routerd)]."""
    rows = {name: [] for name, _ in targets}
    try:
        for number in range(bench.rounds):
            for name, target in targets:
                row = run(target, bench.upstream, load, bench.seconds)
                row["load"] += ", " + name
                rows[name].append(row)
                bench.progress(number, target, row)
    finally:
        for _, target in targets:
            target.kill()
    for rounds in rows.values():
        report.add("growth", "routerd", rounds)
    limit_growth(report, what, *rows.values())


def keys(bench, report):
    """1 and 1,000 keys of one model."""
    compare(bench, report, "1 to 1,000 keys", Load(in_flight=64),
            [("1 key", Routerd(bench.folder / "key", bench.upstream)),
             ("1,000 keys", Routerd(bench.folder / "keys", bench.upstream, keys=1000))])


def messages(bench, report):
    """0 and 1,000,000 stored messages."""
    folder = database.filled(bench, bench.messages)
    say("growth: stored messages")
    compare(bench, report, f"0 to {bench.messages:,} stored messages",
            Load(in_flight=64, stored=True),
            [("0 messages", Routerd(bench.folder / "empty", bench.upstream)),
             (f"{bench.messages:,} messages", Routerd(folder, bench.upstream))])
