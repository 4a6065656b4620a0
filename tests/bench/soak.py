#!/usr/bin/python3
"""An hour of steady, mixed load on routerd, and what it holds meanwhile.

Chats of every sort (stored, one-shot, streamed, joined by a second sender, cancelled) come from
separate processes at a steady rate. Everything that is kept for a while is kept for a short one
here (conversations two minutes, results one), so that what is held must stop growing: memory,
threads, descriptors and the database are sampled, and a line is fitted to the second half.
Fails where one of them still grows by more than 5 % an hour (memory and database: and 4 MB).
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

from support import Client, Daemon, Simulator, key  # noqa: E402

PROCESSES = 4
CONFIG = {"conversation_ttl_seconds": 120, "result_ttl_seconds": 60}
# What is watched: unit, and how much an hour is none, beside 5 % of the mean.
WATCHED = {"rss_kb": 4096, "threads": 0.5, "descriptors": 1, "database_kb": 4096}


def kilobytes(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def sample(daemon, client, began):
    pid = daemon.process.pid
    database = daemon.folder / "state" / "requestrouter.db"  # its log comes and goes beside it
    queue = client.ask("health")["body"]["queue"]
    return {"minute": round((time.monotonic() - began) / 60, 2),
            "rss_kb": kilobytes(pid, "VmRSS"),
            "threads": len(os.listdir(f"/proc/{pid}/task")),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "database_kb": database.stat().st_size // 1024,
            "log_kb": database.with_name(database.name + "-wal").stat().st_size // 1024,
            "waiting": queue["waiting"], "in_flight": queue["in_flight"]}


def slope_an_hour(samples, name):
    """Least squares, over the second half of the samples."""
    half = samples[len(samples) // 2:]
    xs, ys = [s["minute"] / 60 for s in half], [s[name] for s in half]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / spread if spread else 0
    return slope, mean_y


def start_agents(daemon, rate):
    return [subprocess.Popen(
        [sys.executable, ROOT / "tests/e2e/agent.py", "--endpoint", daemon.endpoint,
         "--name", f"soak{i}", "--seed", str(i), "--rate", str(rate / PROCESSES), "--mix", "calm"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for i in range(PROCESSES)]


def show(row, stream=sys.stdout):
    print("".join(f"{str(value):>13}" for value in row), file=stream, flush=True)


def soak(options, folder, simulator):
    daemon = Daemon(folder, simulator, [key("k1")], {"k1": "s1"}, config=CONFIG).start()
    client = Client(daemon.endpoint)
    began, samples = time.monotonic(), []
    every = max(2, options.minutes * 60 / 240)
    agents = start_agents(daemon, options.rate)
    try:
        while time.monotonic() - began < options.minutes * 60:
            time.sleep(every)
            samples.append(sample(daemon, client, began))
            if len(samples) == 1 and not options.json:
                show(samples[0])
            if len(samples) % 12 == 0 and not options.json:
                show(samples[-1].values())
    finally:
        for agent in agents:
            agent.stdin.close()
        reports = [json.loads(agent.stdout.read()) for agent in agents]
        for agent in agents:
            agent.stdout.close()
            agent.wait()
        client.close()
        daemon.stop()
    return samples, sum(r["asked"] for r in reports), sum(r["answered"] for r in reports)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench soak", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=100, help="requests a second")
    parser.add_argument("--quick", action="store_true", help="two minutes: tells little")
    parser.add_argument("--json", action="store_true", help="all samples, and the slopes")
    options = parser.parse_args()
    if options.quick:
        options.minutes = 2
    simulator = Simulator("--key", "s1:rpm=100000000,tpm=1000000000000", "--latency-ms", "20",
                          "--latency-jitter-ms", "60")
    try:
        with tempfile.TemporaryDirectory(prefix="rr-soak-") as folder:
            samples, asked, answered = soak(options, folder, simulator)
    finally:
        simulator.stop()
    slopes, flat = {}, True
    for name, nothing in WATCHED.items():
        slope, mean = slope_an_hour(samples, name)
        slopes[name] = round(slope, 1)
        is_flat = slope <= max(nothing, 0.05 * mean)
        flat = flat and is_flat
        if not options.json:
            print(f"{name}: {samples[0][name]} at first, {samples[-1][name]} at last, "
                  f"{slope:+.1f} an hour over the second half: {'flat' if is_flat else 'GROWS'}")
    if options.json:
        print(json.dumps({"minutes": options.minutes, "asked": asked, "answered": answered,
                          "slopes_an_hour": slopes, "flat": flat, "samples": samples}))
    else:
        print(f"{asked} requests asked, {answered} answers in {options.minutes:g} minutes")
    # A soak of two minutes is still filling what is kept for a while.
    return 0 if flat or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())
