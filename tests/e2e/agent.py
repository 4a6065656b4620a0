"""One agent process of many: asks routerd for chats of every sort at a given rate, and writes down
what it asked and what it was told.

Each line of the journal is one JSON object, written at once, so that a process that is killed
leaves all of it: {"sent": ID, "body": …}, {"again": ID}, {"reply": …, "pieces": TEXT?},
{"gave_up": ID}. Ends when its standard input does, and everything is answered.
"""

import argparse
import dataclasses
import json
import os
import random
import select
import sys
import time

import msgpack
import zmq

TURNS = 6  # of a conversation, before the next one takes its place
MOST_OPEN = {"chaos": 100, "calm": 15}  # then the rate is not kept
CROWD_S = 20  # how long the processes of a uid share one conversation
ANSWER_S = 120  # after which a request that nobody answers is given up

# What is asked, and how often. See Agent.new_body.
MIXES = {
    "chaos": {"one_shot": 4, "stream": 3, "turn": 4, "stream_turn": 3, "crowd": 1, "joined": 1,
              "cancelled": 1, "hurried": 1},
    "calm": {"one_shot": 5, "stream": 2, "turn": 4, "stream_turn": 1, "joined": 1, "cancelled": 1},
}


@dataclasses.dataclass
class Open:
    """A request that is not answered yet."""

    body: dict
    deadline_ms: int
    began: float
    sent: float
    clean: bool = True  # sent once, so its pieces come once
    pieces: dict = dataclasses.field(default_factory=dict)  # seq -> text


class Agent:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.journal = options.journal and os.open(
            options.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # Two connections: a second sender of the same id is another peer.
        self.sockets = [self.connect(), self.connect()]
        self.open = {}
        self.joining = {}  # ids whose answer the second connection waits for, too
        self.conversations = [f"{options.name}-c{i}" for i in range(4)]
        self.turns = dict.fromkeys(self.conversations, 0)
        self.made = 0
        self.answered = 0
        mix = MIXES[options.mix]
        self.kinds, self.weights = list(mix), list(mix.values())

    def connect(self):
        made = zmq.Context.instance().socket(zmq.DEALER)
        made.setsockopt(zmq.LINGER, 0)
        made.setsockopt(zmq.RECONNECT_IVL, 10)
        if self.options.deaf:
            made.setsockopt(zmq.RCVHWM, 1)
        made.connect(self.options.endpoint)
        return made

    def write(self, **line):
        if self.journal:
            os.write(self.journal, (json.dumps(line, default=repr) + "\n").encode())

    # ---- asking

    def send(self, request_id, op, body, deadline_ms, over=0):
        payload = msgpack.packb({"v": 1, "id": request_id, "op": op, "deadline_ms": deadline_ms,
                                 "body": body})
        try:
            self.sockets[over].send_multipart([b"", payload], zmq.NOBLOCK)
        except zmq.Again:
            pass  # routerd is away, and the queue is full: asked again later

    def free_conversation(self):
        busy = {request.body.get("conv_id") for request in self.open.values()}
        free = [one for one in self.conversations if one not in busy]
        if not free:
            return None
        chosen = self.random.choice(free)
        self.turns[chosen] += 1
        if self.turns[chosen] == TURNS:
            successor = f"{self.options.name}-c{self.made}"
            self.conversations[self.conversations.index(chosen)] = successor
            self.turns[successor] = 0
            del self.turns[chosen]
        return chosen

    def new_body(self, kind, request_id):
        body = {"prompt": f"{request_id} says hello", "agent": self.options.name,
                "stream": kind.startswith("stream")}
        if self.options.journal:
            body["user_id"] = request_id  # so that usage can be asked for request by request
        if self.options.models:
            body["model_preference"] = self.random.choice(self.options.models)
        conv_id = None
        if kind.endswith("turn"):
            conv_id = self.free_conversation()
        elif kind == "crowd":
            conv_id = f"crowd-{int(time.time() / CROWD_S)}"
            if any(r.body.get("conv_id", "").startswith("crowd") for r in self.open.values()):
                conv_id = None  # one turn of its own at a time, so that their order is known
        if conv_id:
            body["conv_id"] = conv_id
        return body

    def ask(self):
        kind = self.random.choices(self.kinds, self.weights)[0]
        self.made += 1
        request_id = f"{self.options.name}-{self.made}"
        body = self.new_body(kind, request_id)
        deadline_ms = self.random.randrange(20, 1000) if kind == "hurried" else 20_000
        now = time.monotonic()
        self.open[request_id] = Open(body, deadline_ms, now, now)
        self.write(sent=request_id, body=body)
        self.send(request_id, "chat", body, deadline_ms)
        if kind == "joined":
            self.write(again=request_id)
            self.joining[request_id] = now
            self.send(request_id, "chat", body, deadline_ms, over=1)
        if kind == "cancelled":
            self.send("cancel-" + request_id, "cancel", {"id": request_id}, 20_000)

    def ask_again(self):
        """What got no answer for a while: routerd may have died with it."""
        now = time.monotonic()
        for request_id, request in list(self.open.items()):
            if now - request.began > ANSWER_S:
                self.write(gave_up=request_id)
                del self.open[request_id]
            elif now - request.sent > self.options.patience:
                request.sent, request.clean = now, False
                self.write(again=request_id)
                self.send(request_id, "chat", request.body, request.deadline_ms)
        for request_id, since in list(self.joining.items()):
            if now - since > 5 * self.options.patience:
                del self.joining[request_id]  # its request was lost with a routerd

    def inherit(self, path):
        """Asks again what a process that died had open, with its ids."""
        sent, answered = {}, set()
        with open(path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                if "sent" in line:
                    sent[line["sent"]] = line["body"]
                elif "reply" in line:
                    answered.add(line["reply"]["id"])
        now = time.monotonic()
        for request_id, body in sent.items():
            if request_id not in answered:
                self.open[request_id] = Open(body, 20_000, now, now, clean=False)
                self.write(sent=request_id, body=body)
                self.send(request_id, "chat", body, 20_000)

    # ---- being told

    def take(self, reply, over):
        request = self.open.get(reply["id"])
        if not reply["final"]:
            if request and over == 0 and "delta" in reply["body"]:
                request.pieces[reply["body"]["seq"]] = reply["body"]["delta"].get("text", "")
            return
        if reply["id"].startswith("cancel-"):
            return
        self.answered += 1
        line = {"reply": reply, "over": over}
        if over == 1:
            self.joining.pop(reply["id"], None)
        elif request:
            if request.body["stream"] and request.clean:
                line["pieces"] = "".join(text for _, text in sorted(request.pieces.items()))
            del self.open[reply["id"]]
        self.write(**line)

    def receive(self, timeout_ms):
        waiting, _, _ = zmq.select([*self.sockets], [], [], timeout_ms / 1000)
        for over, one in enumerate(self.sockets):
            while one in waiting and one.getsockopt(zmq.EVENTS) & zmq.POLLIN:
                self.take(msgpack.unpackb(one.recv_multipart()[-1]), over)

    def run_deaf(self):
        """Asks, also for what has long answers, and never reads."""
        while not select.select([sys.stdin], [], [], 1 / self.options.rate)[0]:
            self.ask()
            for _ in range(20):
                self.send(f"list-{self.made}", "keys.list", {}, 20_000)

    def run(self):
        due, going, last_look = time.monotonic(), True, time.monotonic()
        while going or self.open or self.joining:
            now = time.monotonic()
            while going and due <= now:
                due = max(due + 1 / self.options.rate, now - 1)
                if len(self.open) < MOST_OPEN[self.options.mix]:
                    self.ask()
            self.receive(min(100, max(0, (due - now) * 1000)) if going else 100)
            if now - last_look > 0.2:
                last_look = now
                self.ask_again()
                going = going and not select.select([sys.stdin], [], [], 0)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--name", required=True, help="the beginning of every id")
    parser.add_argument("--journal", default="", help="where to write; none: nothing is kept")
    parser.add_argument("--inherit", default="", help="the journal of one that died")
    parser.add_argument("--rate", type=float, default=10, help="requests a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=4, help="seconds before asking again")
    parser.add_argument("--mix", choices=MIXES, default="chaos")
    parser.add_argument("--deaf", action="store_true", help="never read an answer")
    parser.add_argument("--models", nargs="*", default=[])
    agent = Agent(parser.parse_args())
    if agent.options.inherit:
        agent.inherit(agent.options.inherit)
    if agent.options.deaf:
        return agent.run_deaf()
    agent.run()
    print(json.dumps({"asked": agent.made, "answered": agent.answered}))
    return None


if __name__ == "__main__":
    main()
