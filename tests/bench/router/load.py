"""One load on one target: client processes that begin together, and what it cost meanwhile."""

import dataclasses
import json
import subprocess
import time

from process import Process, cores
from targets import BIN

HEAD_START_S = 0.2  # for the clients to start and connect
TAIL_S = 0.2  # of load after what is measured, for costs to be read in


@dataclasses.dataclass(frozen=True)
class Load:
    """Closed loop (`in_flight`) or open loop (`rate` a second)."""

    in_flight: int = 0
    rate: float = 0
    stored: bool = False
    processes: int = 4
    bytes: int = 1024
    model: str = ""  # asked for

    def __str__(self):
        pace = f"{self.rate:g}/s" if self.rate else f"{self.in_flight} in flight"
        return pace + (", stored" if self.stored else "")


class Histogram:
    """Counts by lower end in ns, as routerbench prints them."""

    def __init__(self, parts):
        counts = {}
        for part in parts:
            for value, count in part:
                counts[value] = counts.get(value, 0) + count
        self.buckets = sorted(counts.items())
        self.total = sum(counts.values())

    def at(self, share):
        """In microseconds; None where nothing was counted."""
        left = share * self.total
        for value, count in self.buckets:
            left -= count
            if left <= 0:
                return value / 1000
        return self.buckets[-1][0] / 1000 if self.buckets else None


def busy_ns():
    """CPU time of all processes of the machine (without interrupts)."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system = stat.readline().split()[1:4]
    return (int(user) + int(nice) + int(system)) * 10_000_000


def share_out(load):
    """The arguments of each client process."""
    count = load.processes if load.rate else min(load.processes, load.in_flight)
    for number in range(count):
        if load.rate:
            yield ["--rate", load.rate / count]
        else:
            yield ["--in-flight", (load.in_flight + number) // count]


def begin(target, load, seconds, start=None, warm_up=0.3, patience=10):
    """The client processes, at work from `start` on."""
    start = start or time.monotonic() + HEAD_START_S
    clients = []
    for number, pace in enumerate(share_out(load)):
        turn = number / load.rate if load.rate else 0  # open-loop clients take turns
        clients.append(Process(
            [BIN / "routerbench", *target.client, *pace, "--start-ns", int((start + turn) * 1e9),
             "--warm-up", warm_up, "--seconds", seconds, "--tail", TAIL_S, "--patience", patience,
             "--bytes", load.bytes, *(["--stored"] if load.stored else []),
             *(["--model", load.model] if load.model and target.name != "direct" else [])],
            cores()[1], stdout=subprocess.PIPE))
    return clients


def run(target, upstream, load, seconds, warm_up=0.3, patience=10):
    """Returns a dictionary of what was measured; see the README for its words."""
    start = time.monotonic() + HEAD_START_S
    clients = begin(target, load, seconds, start, warm_up, patience)

    def costs():
        return target.costs(), upstream.costs(), busy_ns()

    time.sleep(max(0, start + warm_up - time.monotonic()))
    began, before = time.monotonic(), costs()
    time.sleep(max(0, start + warm_up + seconds - time.monotonic()))
    after, wall = costs(), time.monotonic() - began
    size = target.rss_kb()
    reports = [json.loads(client.child.communicate()[0]) for client in clients]
    return summary(load, reports, before, after, wall, seconds) | {"rss_kb": size}


def summary(load, reports, before, after, wall, seconds):
    latency = Histogram([report["latency"] for report in reports])
    answered = sum(report["in_time"] for report in reports)
    row = {
        "load": str(load), "per_second": answered / seconds,
        "p50_us": latency.at(0.5), "p90_us": latency.at(0.9), "p99_us": latency.at(0.99),
        "p999_us": latency.at(0.999), "max_us": latency.at(1),
        "late_p99_us": Histogram([report["late"] for report in reports]).at(0.99),
        "failed": sum(r["failed"] + r["unanswered"] for r in reports),
        "error": next((r["error"] for r in reports if r["error"]), "")}
    row["clients_cpu"] = sum(report["cpu"] for report in reports)
    ours = row["clients_cpu"] * wall * 1e9
    for name, one, other in zip(("", "upstream_"), before, after):
        if one is None:
            continue
        used = other - one
        ours += used.cpu_ns
        row[name + "cpu"] = used.cpu_ns / wall / 1e9
        row[name + "waited"] = used.waited_ns / wall / 1e9
        if not name and answered:
            row["cpu_us"] = used.cpu_ns / 1000 / wall / row["per_second"]
            row["switches"] = used.switches / wall / row["per_second"]
    row["others_cpu"] = max(0, after[2] - before[2] - ours) / wall / 1e9
    return row
