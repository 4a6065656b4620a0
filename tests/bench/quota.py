#!/usr/bin/python3
"""How much of the allowed quota is used, and at what price: routerd beside what routers usually do.

Each scenario offers several times what the keys allow, to two stand-ins for the provider at once:
one through routerd, the other through the usual policy (round robin, counters that begin anew with
the clock's window, a pause for a key that answered 429, retries on the next). The provider's own
windows slide, as the real ones do; they are shortened so that several pass. Nothing is asserted.
"""

import argparse
import asyncio
import json
import os
import pathlib
import random
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("REQUESTROUTER_BIN", str(ROOT / "build/bin"))
os.environ.setdefault("REQUESTROUTER_EXAMPLES", str(ROOT / "tests/golden/config"))
sys.path.insert(0, str(ROOT / "tests/e2e"))

import msgpack  # noqa: E402
import zmq  # noqa: E402
import zmq.asyncio  # noqa: E402

from support import Daemon, Simulator, key  # noqa: E402

AGENTS = 8
FLASH, PRO = "gemini-2.5-flash", "gemini-2.5-pro"


class Key:
    """A key as it is at the provider, and as the configuration believes it to be."""

    def __init__(self, name, rpm=None, tpm=None, model=FLASH, group=None, believed=1.0, tags=None):
        self.name, self.rpm, self.tpm, self.model = name, rpm, tpm, model
        self.group, self.believed, self.tags = group, believed, tags or {}

    def for_simulator(self, window_s):
        limits = [f"{name}={value}" for name, value in (("rpm", self.rpm), ("tpm", self.tpm))
                  if value]
        group = [f"group={self.group}"] if self.group else []
        return f"secret-{self.name}:" + ",".join(
            limits + group + [f"minute_ms={int(window_s * 1000)}", f"models={self.model}"])

    def for_daemon(self, window_s):
        believed = {name: int(value * self.believed)
                    for name, value in (("rpm", self.rpm), ("tpm", self.tpm)) if value}
        group = {"quota_group": self.group} if self.group else {}
        return key(self.name, model=self.model, window_seconds=int(window_s), tags=self.tags,
                   **believed, **group)


class Scenario:
    def __init__(self, name, keys, tokens=(5, 15), tiers=False, revoke=None, kill=False):
        self.name, self.keys, self.tokens = name, keys, tokens
        self.tiers, self.revoke, self.kill = tiers, revoke, kill

    def capacity(self):
        """Requests in a window, and so many prompts of mean size."""
        mean = sum(self.tokens) / 2
        groups = {}
        for one in self.keys:
            groups[one.group or one.name] = min(one.rpm or 1e9, (one.tpm or 1e9) / mean)
        return sum(groups.values())


def scenarios():
    light = {"workload": "light"}
    heavy = {"workload": "heavy"}
    return [
        Scenario("rpm-bound", [Key(f"k{i}", rpm=60) for i in range(3)]),
        Scenario("tpm-bound", [Key(f"k{i}", tpm=12_000) for i in range(3)], tokens=(20, 400)),
        Scenario("mixed tiers", [Key("flash1", rpm=60, tags=light), Key("flash2", rpm=60, tags=light),
                                 Key("pro1", rpm=30, model=PRO, tags=heavy)], tiers=True),
        Scenario("shared quota groups", [Key(f"k{i}", rpm=60, group=f"project-{i % 2}")
                                         for i in range(4)]),
        Scenario("a key revoked midway", [Key(f"k{i}", rpm=60) for i in range(3)], revoke="k2"),
        Scenario("limits 30% lower than configured",
                 [Key(f"k{i}", rpm=60, believed=1 / 0.7) for i in range(3)]),
        Scenario("kill -9 midway", [Key(f"k{i}", rpm=60) for i in range(3)], kill=True),
    ]


class Load:
    """What is offered, the same to both: prompts of mixed sizes from equal agents, evenly."""

    def __init__(self, scenario, window_s, windows, times, seed):
        self.random = random.Random(seed)
        self.scenario, self.window_s = scenario, window_s
        self.seconds = window_s * windows - 0.25
        self.interval = window_s / (scenario.capacity() * times)
        self.answered = dict.fromkeys(range(AGENTS), 0)
        self.waits, self.refused, self.failed = [], 0, 0

    def requests(self):
        for number in range(int(self.seconds / self.interval)):
            tokens = self.random.randint(*self.scenario.tokens)
            prompt = f"{number} ".ljust(tokens * 4, "x")
            model = self.random.choice((FLASH, FLASH, FLASH, PRO)) if self.scenario.tiers else FLASH
            yield number, number % AGENTS, model, prompt

    def jain(self):
        counts = list(self.answered.values())
        return sum(counts) ** 2 / (len(counts) * sum(c * c for c in counts) or 1)


class Routed:
    """Through routerd."""

    def __init__(self, load, daemon):
        self.load, self.daemon = load, daemon
        self.context = zmq.asyncio.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, 0)
        self.socket.connect(daemon.endpoint)
        self.agents = {}

    async def offer(self, number, agent, model, prompt):
        self.agents[str(number)] = agent
        await self.socket.send_multipart([b"", msgpack.packb({
            "v": 1, "id": str(number), "op": "chat",
            "body": {"prompt": prompt, "model_preference": model, "agent": f"agent-{agent}",
                     "max_output_tokens": 16, "max_wait_ms": int(self.load.window_s * 1500)}})])

    async def collect(self):
        while True:
            reply = msgpack.unpackb((await self.socket.recv_multipart())[-1])
            if reply["ok"]:
                self.load.answered[self.agents[reply["id"]]] += 1
                self.load.waits.append(reply["body"]["waited_ms"])
            elif reply["error"]["type"] == "all_keys_exhausted":
                self.load.refused += 1
            else:
                self.load.failed += 1

    def close(self):
        self.socket.close()
        self.context.term()


class Usual:
    """The usual policy, in front of a provider of its own."""

    def __init__(self, load, simulator):
        self.load, self.port = load, int(simulator.url.rsplit(":", 1)[1])
        self.keys = list(load.scenario.keys)
        self.paused = dict.fromkeys((k.name for k in self.keys), 0.0)
        self.counts = {}
        self.next = 0
        self.tasks = set()

    def pick(self, model, tokens, tried):
        now = time.time()
        window = int(now / self.load.window_s)
        for offset in range(len(self.keys)):
            one = self.keys[(self.next + offset) % len(self.keys)]
            requests, used = self.counts.get((one.group or one.name, window), (0, 0))
            fits = ((not one.rpm or requests < int(one.rpm * one.believed)) and
                    (not one.tpm or used + tokens <= int(one.tpm * one.believed)))
            if one.model == model and fits and self.paused[one.name] <= now and one not in tried:
                self.next = (self.next + offset + 1) % len(self.keys)
                self.counts[one.group or one.name, window] = (requests + 1, used + tokens)
                return one
        return None

    async def call(self, one, prompt):
        body = json.dumps({"contents": [{"role": "user", "parts": [{"text": prompt}]}],
                           "generationConfig": {"maxOutputTokens": 16}}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"POST /v1beta/models/{one.model}:generateContent HTTP/1.1\r\nHost: x\r\n"
                     f"x-goog-api-key: secret-{one.name}\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        status = int((await reader.read()).split(b" ", 2)[1])
        writer.close()
        return status

    async def run(self, agent, model, prompt):
        began = time.monotonic()
        tried = []
        while time.monotonic() - began < 1.5 * self.load.window_s:
            one = self.pick(model, len(prompt) // 4, tried)
            if one is None:
                await asyncio.sleep(0.02)
                continue
            waited = time.monotonic() - began
            status = await self.call(one, prompt)
            if status == 200:
                self.load.answered[agent] += 1
                self.load.waits.append(waited * 1000)
                return
            self.paused[one.name] = time.time() + (self.load.window_s if status == 429 else 1e9)
            tried.append(one)
            if len(tried) > 3:
                break
        self.load.refused += 1

    async def offer(self, _number, agent, model, prompt):
        task = asyncio.create_task(self.run(agent, model, prompt))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def collect(self):
        await asyncio.Event().wait()

    def close(self):
        for task in self.tasks:
            task.cancel()


async def drive(side, load, events):
    collector = asyncio.create_task(side.collect())
    began = time.monotonic()
    for request in load.requests():
        await asyncio.sleep(max(0, began + request[0] * load.interval - time.monotonic()))
        while events and time.monotonic() - began >= events[0][0]:
            await asyncio.get_running_loop().run_in_executor(None, events.pop(0)[1])
        await side.offer(*request)
    await asyncio.sleep(max(0, began + load.seconds - time.monotonic()))
    collector.cancel()


def result(load, simulator, windows):
    """Of what the provider allowed in the windows, how much was used; and what it refused."""
    stats = simulator.stats()
    groups = {}
    for one in load.scenario.keys:
        entry = next(k for k in stats["keys"] if k["key"] == f"secret-{one.name}")
        share = windows - windows // 2 if load.scenario.revoke == one.name else windows
        for model in entry["models"].values():
            for name, limit in model["limits"].items():
                groups[one.group or one.name, name] = (limit["taken"], limit["limit"] * share)
    taken = sum(t for t, _ in groups.values())
    allowed = sum(a for _, a in groups.values())
    waits = sorted(load.waits) or [0]
    return {"yield": min(1.0, taken / allowed) if allowed else 0,
            "refused_by_provider": stats["totals"]["rate_limited"],
            "wait_p50_ms": round(statistics.median(waits)),
            "wait_p99_ms": round(waits[int(len(waits) * 0.99) - 1]),
            "jain": round(load.jain(), 4), "answered": sum(load.answered.values()),
            "refused_at_once": load.refused, "failed": load.failed}


def run(scenario, options):
    window_s, windows = options.window, options.windows
    arguments = ["--latency-ms", "50", "--latency-jitter-ms", "100"]
    for one in scenario.keys:
        arguments += ["--key", one.for_simulator(window_s)]
    simulators = [Simulator(*arguments), Simulator(*arguments)]
    with tempfile.TemporaryDirectory(prefix="rr-bench-") as folder:
        daemon = Daemon(folder, simulators[0],
                        keys=[one.for_daemon(window_s) for one in scenario.keys],
                        config={"fallback_saves_ms": int(window_s / 12 * 1000)},
                        secrets={one.name: f"secret-{one.name}" for one in scenario.keys}).start()
        try:
            loads = [Load(scenario, window_s, windows, options.times, options.seed)
                     for _ in range(2)]
            asyncio.run(both(scenario, loads, daemon, simulators))
            return [result(load, simulator, windows)
                    for load, simulator in zip(loads, simulators)]
        finally:
            daemon.kill()
            for simulator in simulators:
                simulator.stop()


async def both(scenario, loads, daemon, simulators):
    sides = [Routed(loads[0], daemon), Usual(loads[1], simulators[1])]
    half = loads[0].window_s * (-(-int(loads[0].seconds / loads[0].window_s + 1) // 2))
    events = [[], []]
    if scenario.revoke:
        for number, simulator in enumerate(simulators):
            events[number].append((half - 0.25, lambda s=simulator: s.control(
                revoke=f"secret-{scenario.revoke}")))
    if scenario.kill:
        events[0].append((half * 0.9, lambda: (daemon.kill(), daemon.start())))
    await asyncio.gather(*(drive(side, load, todo)
                           for side, load, todo in zip(sides, loads, events)))
    for side in sides:
        side.close()


def main():
    parser = argparse.ArgumentParser(prog="./dev bench quota", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="within a minute or so")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--window", type=float, default=12, help="seconds that stand for a minute")
    parser.add_argument("--windows", type=int, default=4)
    parser.add_argument("--times", type=float, default=3, help="offered, of what is allowed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    options = parser.parse_args()
    if options.quick:
        options.window, options.windows = 4, 2
    rows = []
    if not options.json:
        print(f"{options.times:g} times the capacity from {AGENTS} equal agents, {options.windows} "
              f"windows of {options.window:g} s, answers after 50 to 150 ms\n")
        print(f"{'SCENARIO':34}{'POLICY':10}{'YIELD':>7}{'429s':>6}{'ANSWERED':>10}"
              f"{'WAIT P50':>11}{'P99':>10}{'JAIN':>8}")
    for scenario in scenarios():
        if options.only not in scenario.name:
            continue
        for policy, row in zip(("routerd", "usual"), run(scenario, options)):
            rows.append({"scenario": scenario.name, "policy": policy, **row})
            if not options.json:
                print(f"{scenario.name if policy == 'routerd' else '':34}{policy:10}"
                      f"{row['yield']:7.3f}{row['refused_by_provider']:6}{row['answered']:10}"
                      f"{row['wait_p50_ms']:8} ms{row['wait_p99_ms']:7} ms{row['jain']:8.3f}",
                      flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
