"""Whether what the agents were told, what the provider billed, and what routerd recorded agree.

Pure: journals (agent.py), the simulator's ledger and routerd's own statements in, a list of what
does not balance out. The rules:

  - every request that was sent has a final message, unless its process died; never more final
    messages than it was sent times
  - a turn that was said to be persisted is in its conversation once, in order, with its answer;
    none is there twice, and none that was refused
  - tokens billed = tokens recorded + those of attempts spoilt on their way or given up, as routerd's
    log says of each, + those of requests that it listed as of unknown outcome; request by request
  - no secret in any file that was written
"""

import collections
import dataclasses
import json
import pathlib
import re

LISTED = re.compile(r'(unknown outcome: request "([^"]+)" of uid .*)')
# Attempts that routerd says it gave up, whatever the provider said: its log at level debug.
GIVEN_UP = re.compile(r"attempt ended request_id=(\S+) .* outcome=(?!ok )")


@dataclasses.dataclass
class Request:
    """What the journals say of one id of one uid."""

    uid: int
    request_id: str
    body: dict
    owner: str  # the process that sent it first
    number: int  # its place in the order in which that process asked
    sent: int = 0
    finals: list = dataclasses.field(default_factory=list)
    open: bool = True  # at its process, at the end

    @property
    def answers(self):
        return [final["body"] for final in self.finals if final["ok"]]

    @property
    def persisted(self):
        return any(answer["persisted"] for answer in self.answers)

    @property
    def errors(self):
        return {final["error"]["type"] for final in self.finals if not final["ok"]}


@dataclasses.dataclass
class Journal:
    """One process: its uid, its file, and whether it was killed."""

    name: str
    uid: int
    path: pathlib.Path
    killed: bool = False


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)


class Books:
    def __init__(self):
        self.requests = {}  # (uid, id) -> Request
        self.wrong = []
        self.kinds = collections.Counter()

    def require(self, holds, *what):
        if not holds:
            self.wrong.append(" ".join(str(part) for part in what))

    def read(self, journal):
        still_open = set()
        for line in read_lines(journal.path):
            if "sent" in line:
                at = journal.uid, line["sent"]
                request = self.requests.setdefault(at, Request(
                    *at, line["body"], journal.name, len(self.requests)))
                request.sent += 1
                still_open.add(at)
            elif "again" in line:
                self.requests[journal.uid, line["again"]].sent += 1
            elif "gave_up" in line:
                self.require(False, "never answered:", line["gave_up"])
            else:
                at = journal.uid, line["reply"]["id"]
                self.take(self.requests[at], line)
                still_open.discard(at)
        self.require(journal.killed or not still_open, journal.name, "ended with open requests")

    def take(self, request, line):
        reply = line["reply"]
        request.finals.append(reply)
        request.open = False
        self.kinds["answered" if reply["ok"] else reply["error"]["type"]] += 1
        if reply["ok"] and "pieces" in line:
            self.require(line["pieces"] == reply["body"]["content"], request.request_id,
                         "was streamed as", repr(line["pieces"]), "and ended as",
                         repr(reply["body"]["content"]))

    def read_all(self, journals):
        for journal in journals:
            self.read(journal)
        for request in self.requests.values():
            self.require(len(request.finals) <= request.sent, request.request_id, "was sent",
                         request.sent, "times and has", len(request.finals), "final messages")
            contents = {answer["content"] for answer in request.answers}
            self.require(len(contents) <= 1, request.request_id, "has answers", contents)

    # ---- conversations

    def conversations(self):
        """(uid, conv_id) of every one that a request named."""
        return sorted({(r.uid, r.body["conv_id"]) for r in self.requests.values()
                       if "conv_id" in r.body})

    def check_conversation(self, uid, conv_id, messages):
        of = {r.body["prompt"]: r for r in self.requests.values()
              if r.uid == uid and r.body.get("conv_id") == conv_id}
        prompts = [m["content"] for m in messages[::2]]
        self.require([m["role"] for m in messages] == ["user", "assistant"] * len(prompts),
                     conv_id, "is not made of whole turns")
        times = collections.Counter(prompts)
        for prompt, count in times.items():
            self.require(count == 1, conv_id, "has", repr(prompt), count, "times")
            self.require(prompt in of, conv_id, "has", repr(prompt), "which nobody sent")
        for message, answer in zip(messages[::2], messages[1::2]):
            request = of.get(message["content"])
            if request is None:
                continue
            refused = request.finals and not request.answers and request.sent == 1
            self.require(not refused, conv_id, "has", request.request_id, "which was refused with",
                         request.errors)
            for told in request.answers:
                self.require(told["content"] == answer["content"], conv_id, request.request_id,
                             "was answered otherwise than stored")
        for request in of.values():
            if request.persisted:
                self.require(times[request.body["prompt"]] >= 1, "lost:", request.request_id, "of",
                             conv_id, "was acknowledged as persisted")
        self.check_order(conv_id, [of[p] for p in prompts if p in of])

    def check_order(self, conv_id, turns):
        """Each process has one turn of a conversation at a time, so its own are in order."""
        by_owner = collections.defaultdict(list)
        for turn in turns:
            by_owner[turn.owner].append(turn.number)
        for owner, numbers in by_owner.items():
            self.require(numbers == sorted(numbers), conv_id, "has the turns of", owner,
                         "in another order:", numbers)

    # ---- tokens

    def check_bill(self, calls, usage, log):
        """`calls`: the simulator's ledger; `usage`: {user_id: routerd's usage row}, the user_id
        being the request's id; `log`: routerd's. Returns the sums of the equation."""
        of_prompt = collections.defaultdict(list)
        for call in calls:
            of_prompt[call["prompt"]].append(call)
        # Each start lists what is still unknown: the same line is the same attempt.
        listings = collections.Counter(name for _, name in set(LISTED.findall(log)))
        given_up = collections.Counter(GIVEN_UP.findall(log))
        sums = collections.Counter(listed=sum(listings.values()))
        for request in self.requests.values():
            name = request.request_id
            self.check_request(request, of_prompt.pop(request.body["prompt"], []),
                               usage.get(name, {}), listings[name], given_up[name], sums)
        for prompt, left in of_prompt.items():
            self.require(not any(call["billed"] for call in left), "billed, and sent by nobody:",
                         repr(prompt))
        return sums

    def check_request(self, request, calls, row, listed, given_up, sums):
        name, billed = request.request_id, [call for call in calls if call["billed"]]
        if request.answers:
            self.require(billed, name, "was answered and never billed")
            counted = row.get("requests", 0) - row.get("errors", 0)
            self.require(counted >= 1 or listed, name, "was answered and is not counted:", row)
        self.require(row.get("requests", 0) <= request.sent, name, "was sent", request.sent,
                     "times and is counted", row.get("requests", 0))
        whole = [c for c in billed if c["outcome"] == "answered" and not c["client_left"]]
        # Each call that is spoilt was given up, too.
        excused = max(0, given_up - (len(calls) - len(whole))) + listed
        for kind in ("input_tokens", "output_tokens"):
            most, recorded = sum(c[kind] for c in billed), row.get(kind, 0)
            least = sum(sorted(c[kind] for c in whole)[:max(0, len(whole) - excused)])
            self.require(least <= recorded <= most, name, "has", recorded, kind, "recorded;",
                         most, "were billed,", least, "of them without doubt:",
                         [c["outcome"] for c in calls], "errors:", request.errors,
                         "sent:", request.sent, "listed:", listed, "given up:", given_up)
            sums["billed"] += most
            sums["recorded"] += recorded
            sums["unknown" if listed else "cut off"] += most - recorded

    # ---- secrets

    def check_secrets(self, secrets, paths):
        """`paths`: files. Their bytes are searched, whatever they are."""
        searched = 0
        for path in paths:
            content = path.read_bytes()
            searched += len(content)
            for secret in secrets:
                self.require(secret.encode() not in content, "a secret is in", path)
        return searched
