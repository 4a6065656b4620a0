#!/usr/bin/python3
"""routerd under load from separate client processes, against provider_sim on the other core.

Closed loop at several numbers in flight, and open loop at steady rates with latency counted from
the instant a request was due. CPU, context switches and memory are the daemon's, from /proc. The
simulator's CPU stands beside them: near 100 % means that it, not routerd, set the pace.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("REQUESTROUTER_BIN", str(ROOT / "build/bin"))
os.environ.setdefault("REQUESTROUTER_EXAMPLES", str(ROOT / "tests/golden/config"))
sys.path.insert(0, str(ROOT / "tests/e2e"))

from support import BIN, Daemon, Simulator, key  # noqa: E402

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def status(pid, *names):
    total = 0
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.split(":")[0] in names:
            total += int(line.split()[1])
    return total


def switches(pid):
    return sum(status(f"{pid}/task/{task}", "voluntary_ctxt_switches",
                      "nonvoluntary_ctxt_switches") for task in os.listdir(f"/proc/{pid}/task"))


def pin(pid, core):
    cores = sorted(os.sched_getaffinity(0))
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {cores[core % len(cores)]})


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))] if values else None


def measure(daemon, simulator, seconds, stored, in_flight=1, rate=0, processes=4):
    processes = min(processes, in_flight) if not rate else processes
    command = [BIN / "routerbench", "--endpoint", daemon.endpoint, "--seconds", str(seconds)]
    command += ["--rate", str(rate / processes)] if rate else [
        "--in-flight", str(in_flight // processes)]
    command += ["--stored"] if stored else []
    pids = daemon.process.pid, simulator.process.pid
    before, before_switches, start = [cpu_seconds(p) for p in pids], switches(pids[0]), time.time()
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
               for _ in range(processes)]
    for client in clients:
        pin(client.pid, 1)
    reports = [json.loads(client.communicate()[0]) for client in clients]
    wall = time.time() - start
    cpu = [cpu_seconds(p) - b for p, b in zip(pids, before)]
    latencies = sorted(us for report in reports for us in report["latencies_us"])
    answered = len(latencies)
    return {
        "load": f"{rate}/s" if rate else f"{in_flight} in flight",
        "stored": stored, "answered": answered,
        "failed": sum(r["failed"] + r["unanswered"] for r in reports),
        "error": next((r["error"] for r in reports if r["error"]), ""),
        "per_second": round(sum(r["answered"] / r["seconds"] for r in reports), 1),
        "p50_us": percentile(latencies, 0.5), "p99_us": percentile(latencies, 0.99),
        "cpu_us": round(cpu[0] / answered * 1e6, 1) if answered else None,
        "switches": round((switches(pids[0]) - before_switches) / answered, 2) if answered else None,
        "rss_kb": status(pids[0], "VmRSS"), "simulator_cpu": round(cpu[1] / wall, 2)}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench router", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer loads, one second each")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seconds = 1 if options.quick else 5
    loads = [{"in_flight": n} for n in ((1, 64) if options.quick else (1, 16, 64, 1000))]
    loads += [{"rate": r} for r in ((500,) if options.quick else (500, 5000))]
    simulator = Simulator("--key", "s1:rpm=100000000,tpm=1000000000000")
    rows = []
    with tempfile.TemporaryDirectory(prefix="rr-bench-") as folder:
        daemon = Daemon(folder, simulator, [key("k1")], {"k1": "s1"}).start()
        try:
            pin(daemon.process.pid, 0)
            pin(simulator.process.pid, 1)
            idle_kb = status(daemon.process.pid, "VmRSS")
            for load in loads:
                for stored in (False, True):
                    rows.append(measure(daemon, simulator, seconds, stored, **load))
        finally:
            daemon.stop()
            simulator.stop()
    if options.json:
        print(json.dumps({"idle_rss_kb": idle_kb, "rows": rows}))
        return
    names = ("load", "stored", "per_second", "p50_us", "p99_us", "cpu_us", "switches", "rss_kb",
             "simulator_cpu", "failed", "error")
    for row in [dict(zip(names, names)), *rows]:
        print("  ".join(f"{str(row[name])[:60]:>13}" for name in names))
    print(f"RSS idle {idle_kb} kB")


if __name__ == "__main__":
    main()
