"""Ends routerd_crash with SIGKILL again and again under load, and checks what the next one knows.

A round: a daemon starts on what the last one left, is asked again what was not answered, gets new
turns until it dies (at a named point of storage/crash_point.h, or at any moment), and so on. What
must hold is in Book: no acknowledged turn lost or doubled, order kept, and every request that the
provider billed is counted, or its outcome is said to be unknown.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import msgpack
import zmq

from support import BIN, PATIENCE_S, Daemon, Simulator, key

POINTS = ("reserved", "logged", "sent", "answered", "committing", "committed")
CONVERSATIONS = 5
TURNS = 10  # of a conversation, before the next one takes its place
UID = os.getuid()


class Broken(AssertionError):
    """A promise that was not kept."""


def require(holds, *what):
    if not holds:
        raise Broken(" ".join(str(part) for part in what))


@dataclasses.dataclass
class Turn:
    """A request and what became of it."""

    request_id: str
    body: dict
    crashes: int = 0  # while it was under way
    reply: dict = None

    @property
    def prompt(self):
        return self.body["prompt"]

    @property
    def unknown(self):
        return any("unknown outcome" in text for text in self.reply["warnings"])


class Book:
    """What was asked and acknowledged, and whether the daemon and the provider agree."""

    def __init__(self, name):
        self.name = name
        self.open = collections.OrderedDict()  # request id -> Turn, in the order sent
        self.done = []
        self.acknowledged = collections.defaultdict(list)  # conv_id -> [Turn]
        self.replayed = 0
        self.made = 0

    def new_turn(self, line):
        """The next turn of conversation `line`; None: a one-shot."""
        self.made += 1
        body = {"prompt": f"{self.name} says {self.made}"}
        if line is not None:
            body["conv_id"] = line
        turn = Turn(f"{self.name}-{self.made}", body)
        self.open[turn.request_id] = turn
        return turn

    def answer(self, reply):
        turn = self.open.pop(reply["id"])
        require(reply["ok"], "refused:", reply)
        turn.reply = reply["body"]
        self.done.append(turn)
        self.replayed += turn.reply["replayed"]
        if "conv_id" in turn.body:
            require(turn.reply["persisted"], "not persisted:", reply)
            self.acknowledged[turn.body["conv_id"]].append(turn)

    def crashed(self):
        for turn in self.open.values():
            turn.crashes += 1

    def check_conversation(self, conv_id, messages):
        """Acknowledged turns are there, once, in order; those under way may be, after them."""
        texts = [message["content"] for message in messages]
        acknowledged = self.acknowledged[conv_id]
        expected = [text for turn in acknowledged for text in (turn.prompt, turn.reply["content"])]
        require(texts[:len(expected)] == expected, conv_id, "has", texts, "not", expected)
        under_way = [turn.prompt for turn in self.open.values()
                     if turn.body.get("conv_id") == conv_id]
        more = texts[len(expected)::2]
        require(more == under_way[:len(more)], conv_id, "has", more, "of", under_way)
        require(len(texts) % 2 == 0, conv_id, "has half a turn")

    def check_bill(self, billed, usage, counted, listed):
        """Nothing is open any more: `billed` {prompt: times} by the provider, the daemon's usage
        row, the attempts that its day count holds, and the ids that it listed as unknown."""
        for turn in self.done:
            times = billed.get(turn.prompt, 0)
            require(times >= 1, turn.prompt, "was answered and never billed")
            require(times == 1 or turn.unknown, turn.prompt, "was billed twice, unsaid")
            require(times <= 1 + turn.crashes, turn.prompt, "was billed", times, "times")
        # One-shots are answered before they are recorded; where that failed, the next daemon lists
        # them as requests of unknown outcome.
        doubtful = [turn for turn in self.done if "conv_id" not in turn.body
                    and turn.request_id in listed]
        requests = usage["requests"] - usage["errors"]
        require(len(self.done) - len(doubtful) <= requests <= len(self.done), "usage", usage,
                "of", len(self.done), "requests,", len(doubtful), "of them in doubt")
        for name, token in (("input_tokens", "input"), ("output_tokens", "output")):
            most = sum(turn.reply["tokens"][token] for turn in self.done)
            least = most - sum(turn.reply["tokens"][token] for turn in doubtful)
            require(least <= usage[name] <= most, name, usage[name], "of", least, "to", most)
        unknown = sum(turn.crashes for turn in self.done if turn.unknown) + len(doubtful)
        total = sum(billed.values())
        require(total <= counted <= total + unknown, "counted", counted, "billed", total,
                "unknown", unknown)


class Link:
    """A DEALER socket to one daemon."""

    def __init__(self, endpoint):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 5)
        self.socket.connect(endpoint)

    def send(self, request_id, op, body=None):
        self.socket.send_multipart(
            [b"", msgpack.packb({"v": 1, "id": request_id, "op": op, "body": body or {}})])

    def receive(self, patience_ms):
        if not self.socket.poll(patience_ms):
            return None
        return msgpack.unpackb(self.socket.recv_multipart()[-1])

    def ask(self, op, body=None):
        self.send(op, op, body)
        reply = self.receive(PATIENCE_S * 1000)
        require(reply and reply["id"] == op and reply["ok"], op, "was answered by", reply)
        return reply["body"]

    def close(self):
        self.socket.close()


class Worker:
    """Rounds with a folder, a simulator and a Book of its own."""

    def __init__(self, name, seed):
        self.random = random.Random(seed)
        self.folder = tempfile.TemporaryDirectory(prefix="rr-crash-")
        self.simulator = Simulator("--key", "s1:rpm=1000000,tpm=1000000000,rpd=100000000")
        self.simulator.control(latency_ms=1, latency_jitter_ms=8)
        self.daemon = Daemon(self.folder.name, self.simulator,
                             [key("k1", rpm=1_000_000, tpm=1_000_000_000, rpd=100_000_000)],
                             {"k1": "s1"})
        self.book = Book(name)
        self.lines = [f"{name}-{i}" for i in range(CONVERSATIONS)]
        self.kills = collections.Counter()

    def close(self):
        self.simulator.stop()
        self.folder.cleanup()

    def start(self, crash_at=""):
        command = self.daemon.command("--log-level", "warning")
        command[0] = BIN / "routerd_crash"
        with open(self.folder.name + "/routerd.log", "a", encoding="utf-8") as log:
            return subprocess.Popen(command, stderr=log, env={**self.daemon.environment,
                                                              "REQUESTROUTER_CRASH_AT": crash_at})

    def order(self):
        """Where to end this time: a point's order, or None and a number of answers and seconds."""
        point = self.random.choice(POINTS + (None, None, None))
        self.kills[point or "at random"] += 1
        if point is None:
            return "", self.random.randrange(1, 15), self.random.random() * 0.01
        delay = self.random.randrange(0, 8) if point == "sent" else 0
        return f"{point}:{self.random.randrange(1, 12)}:{delay}", None, None

    def round(self):
        crash_at, answers, delay = self.order()
        process = self.start(crash_at)
        link = Link(self.daemon.endpoint)
        try:
            self.ask_again(link)
            while process.poll() is None:
                if answers is not None and answers <= 0:
                    time.sleep(delay)
                    process.kill()
                    break
                if self.answer_one(link) and answers is not None:
                    answers -= 1
            self.take_what_came(link)
        finally:
            link.close()
            process.kill()
            code = process.wait()
        require(code == -9, "routerd ended with", code, self.daemon.log_text())
        self.book.crashed()

    def ask_again(self, link):
        """The histories are read; then what the last daemon left open is sent again, in order."""
        for conv_id in self.lines:
            self.check_history(link, conv_id)
        for turn in self.book.open.values():
            link.send(turn.request_id, "chat", turn.body)
        busy = {turn.body.get("conv_id") for turn in self.book.open.values()}
        for conv_id in self.lines + [None]:
            if conv_id not in busy:
                self.say(link, conv_id)

    def say(self, link, conv_id):
        for _ in range(self.random.choice((1, 1, 2))):
            turn = self.book.new_turn(conv_id)
            link.send(turn.request_id, "chat", turn.body)

    def answer_one(self, link):
        """Takes one reply, and says the next thing. False: there was none for a while."""
        reply = link.receive(20)
        if reply is None:
            return False
        conv_id = self.book.open[reply["id"]].body.get("conv_id")
        self.book.answer(reply)
        if any(turn.body.get("conv_id") == conv_id for turn in self.book.open.values()):
            return True
        if conv_id and len(self.book.acknowledged[conv_id]) >= TURNS:
            index = self.lines.index(conv_id)
            self.lines[index] = conv_id = f"{self.book.name}-{self.book.made}"
        self.say(link, conv_id)
        return True

    def check_history(self, link, conv_id):
        link.send(conv_id, "conversation.get", {"conv_id": conv_id})
        reply = link.receive(PATIENCE_S * 1000)
        require(reply, "no answer about", conv_id)
        if not reply["ok"]:
            require(reply["error"]["type"] == "not_found", reply)
        self.book.check_conversation(conv_id, reply["body"]["messages"] if reply["ok"] else [])

    def take_what_came(self, link):
        """Replies that the daemon sent before it died."""
        while reply := link.receive(0):
            self.book.answer(reply)

    def finish(self):
        """The last daemon answers everything and is asked for everything."""
        process = self.start()
        link = Link(self.daemon.endpoint)
        try:
            for turn in list(self.book.open.values()):
                link.send(turn.request_id, "chat", turn.body)
            while self.book.open:
                reply = link.receive(PATIENCE_S * 1000)
                require(reply is not None, "no answer to", list(self.book.open))
                self.book.answer(reply)
            for conv_id, turns in self.book.acknowledged.items():
                if turns:
                    messages = link.ask("conversation.get", {"conv_id": conv_id})["messages"]
                    self.book.check_conversation(conv_id, messages)
            [usage] = link.ask("usage")["rows"]
            [k1] = link.ask("keys.list")["keys"]
            [model] = k1["usage"].values()
            billed = self.simulator.stats()["prompts"]
            listed = set(re.findall(r'unknown outcome: request "([^"]+)"', self.daemon.log_text()))
            self.book.check_bill(billed, usage, model["rpd"]["used"], listed)
            process.terminate()
            require(process.wait(PATIENCE_S) == 0, "the last daemon did not stop cleanly")
        finally:
            link.close()
            process.kill()
            process.wait()
        return self.summary(billed, usage)

    def summary(self, billed, usage):
        done = self.book.done
        return {"kills": dict(self.kills), "turns": sum(map(len, self.book.acknowledged.values())),
                "requests": len(done), "replayed": self.book.replayed,
                "billed": sum(billed.values()), "counted": usage["requests"] - usage["errors"],
                "unknown": {turn.request_id: billed[turn.prompt] for turn in done if turn.unknown}}


def run_worker(name, rounds, seed):
    worker = Worker(name, seed)
    try:
        for _ in range(rounds):
            worker.round()
        return worker.finish()
    except Broken as broken:
        raise Broken(f"{name}, seed {seed}: {broken}\n{worker.daemon.log_text()[-2000:]}") from None
    finally:
        worker.close()


def run(rounds, jobs, seed):
    """All rounds, split over `jobs` processes; the sums of their summaries."""
    shares = [rounds // jobs + (i < rounds % jobs) for i in range(jobs)]
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        futures = [pool.submit(run_worker, f"w{i}", share, seed + i)
                   for i, share in enumerate(shares)]
        summaries = [future.result() for future in futures]
    total = {"rounds": rounds, "seed": seed, "kills": collections.Counter(), "unknown": {}}
    for summary in summaries:
        total["kills"].update(summary.pop("kills"))
        total["unknown"].update(summary.pop("unknown"))
        for name, count in summary.items():
            total[name] = total.get(name, 0) + count
    total["kills"] = dict(total["kills"])
    return total


def report(total):
    kills = ", ".join(f"{name} {count}" for name, count in sorted(total["kills"].items()))
    unknown = total["billed"] - total["counted"]
    return (f"{total['rounds']} kills (seed {total['seed']}): {kills}\n"
            f"turns acknowledged {total['turns']}: lost 0, doubled 0, out of order 0\n"
            f"requests answered {total['requests']}, counted {total['counted']},"
            f" from the records {total['replayed']}\n"
            f"billed {total['billed']} = counted {total['counted']} + {unknown} of unknown outcome,"
            f" which routerd listed and said in the answers to {len(total['unknown'])} requests")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    total = run(arguments.rounds, arguments.jobs, arguments.seed)
    print(json.dumps(total) if arguments.json else report(total))
    return 0


if __name__ == "__main__":
    sys.exit(main())
