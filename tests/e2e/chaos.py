"""Load on routerd while everything goes wrong, and then the books are checked.

Agents of several users (as root) ask for chats of every sort; the provider misbehaves, keys are
revoked, the disk fills up, the clock jumps, processes are stopped and killed, the configuration
changes. In the end every request is answered or its caller is gone, every turn that was
acknowledged is stored once, and what was billed is recorded or said to be unknown (balance.py).
"""

import argparse
import ctypes
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

from balance import Books, Journal, read_lines
from mishaps import Clock, Mishaps
from support import BIN, Client, Daemon, Simulator, key, until

MODELS = {"gemini": "gemini-2.5-flash", "openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5"}
CONFIG = {"base_backoff_ms": 20, "max_retries": 4,
          "log_level": "debug",  # says which attempts were given up
          "drain_ms": 5_000,  # shorter than what a caller that never reads can be waited for
          # Longer than any jump of the clock.
          "conversation_ttl_seconds": 30 * 86_400, "result_ttl_seconds": 86_400}
QUICK = {"first_token_timeout_ms": 1_500, "idle_timeout_ms": 1_500}
UIDS = (61_001, 61_002, 61_003)
CLONE_NEWNS = 0x20000
SETTLE_S = 180
WORKS_AGAIN_S = 60


class Disk:
    """A small file system of its own for the state; full when it is as large as what is there."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g,mode=0700", "tmpfs", path],
                       check=True, stderr=subprocess.DEVNULL)

    def fill(self):
        there = os.statvfs(self.path)
        self.resize((there.f_blocks - there.f_bfree) * there.f_frsize + 4096)

    def free(self):
        self.resize(1 << 30)

    def resize(self, size):
        # Refused where what is there has grown meanwhile; then it is not full this time.
        subprocess.run(["mount", "-o", f"remount,size={size}", self.path], check=False,
                       stderr=subprocess.DEVNULL)

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=False)


def own_mounts():
    """Whether this process may mount, out of others' sight."""
    return (os.geteuid() == 0 and ctypes.CDLL(None).unshare(CLONE_NEWNS) == 0 and
            subprocess.run(["mount", "--make-rprivate", "/"], check=False,
                           stderr=subprocess.DEVNULL).returncode == 0)


class Agent:
    """A agent.py process and its journal."""

    def __init__(self, stage, name, uid, *arguments):
        self.journal = Journal(name, uid, stage.journals / name)
        self.journal.path.touch()
        self.arguments = arguments
        identity = {}
        if uid != os.getuid():
            os.chown(self.journal.path, uid, os.getgid())
            identity = {"user": uid, "group": os.getgid(), "extra_groups": []}
        self.process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).with_name("agent.py"), "--endpoint",
             stage.daemon.endpoint, "--name", name, "--journal", self.journal.path,
             "--seed", str(stage.random.randrange(1 << 30)), "--models", *MODELS.values(),
             *arguments], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, **identity)

    def kill(self):
        self.journal.killed = True
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def finish(self, patience_s):
        """Whether it ended by itself, with everything answered."""
        try:
            self.process.stdin.close()
            return self.process.wait(patience_s) == 0
        except subprocess.TimeoutExpired:
            self.kill()
            return False


class Stage:
    def __init__(self, folder, seed, agents, rate, may_mount):
        self.random = random.Random(seed)
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o711)  # other users' agents reach the socket
        self.journals = self.folder / "journals"
        self.journals.mkdir(mode=0o711)
        self.books = Books()
        self.happened = {}
        self.left_out = []
        self.made = 0
        self.rate = str(rate / agents)
        self.disk = self.mount(may_mount)
        self.start_provider()
        self.start_daemon()
        uids = UIDS if os.geteuid() == 0 else (os.getuid(),)
        if len(uids) == 1:
            self.left_out.append("several users (only root can be them)")
        self.everyone = []
        self.agents = [self.start_agent(uids[i % len(uids)]) for i in range(agents)]
        self.mishaps = Mishaps(self, self.random)

    def mount(self, may_mount):
        if may_mount:
            try:
                return Disk(self.folder / "state")
            except subprocess.CalledProcessError:
                (self.folder / "state").rmdir()
        self.left_out.append("a full disk (no file system can be mounted)")
        return None

    def start_provider(self):
        self.secrets = {f"k{i}": f"sk-chaos-{self.random.randbytes(16).hex()}" for i in range(6)}
        self.simulator = Simulator(
            "--ledger", self.folder / "billed", "--latency-ms", "5", "--latency-jitter-ms", "20",
            *(word for secret in self.secrets.values() for word in ("--key", secret)))

    def start_daemon(self):
        self.keys = [key(f"k{i}", provider, MODELS[provider], rpm=1_000_000, tpm=1_000_000_000)
                     for i, provider in enumerate(list(MODELS) * 2)]
        self.daemon = Daemon(self.folder, self.simulator, self.keys, self.secrets, CONFIG)
        written = json.loads(self.daemon.config.read_text())
        written["providers"] = dict.fromkeys(MODELS, QUICK)
        self.daemon.config.write_text(json.dumps(written))
        library = BIN / "clock_offset.so"
        self.clock = Clock(self.folder, library) if library.exists() else None
        if self.clock:
            self.daemon.environment.update(self.clock.environment(self.daemon.environment))
        else:
            self.left_out.append(f"jumps of the clock (no {library})")
        self.daemon.start()

    # ---- what mishaps use

    def start_agent(self, uid, *arguments):
        self.made += 1
        agent = Agent(self, f"a{self.made}", uid, "--rate", self.rate, *arguments)
        self.everyone.append(agent)
        return agent

    def start_deaf(self):
        return self.start_agent(os.getuid(), "--deaf")

    def replace(self, agent, inherit):
        agent.kill()
        more = ("--inherit", str(agent.journal.path)) if inherit else ()
        self.agents[self.agents.index(agent)] = self.start_agent(agent.journal.uid, *more)

    def routerctl(self, *words):
        environment = {k: v for k, v in self.daemon.environment.items() if k != "LD_PRELOAD"}
        return subprocess.run([BIN / "routerctl", "--endpoint", self.daemon.endpoint, *words],
                              env=environment, capture_output=True, text=True, timeout=60,
                              check=False)

    def ask(self, op, body=None):
        client = Client(self.daemon.endpoint)
        try:
            reply = client.ask(op, body)
        finally:
            client.close()
        if not reply["ok"]:
            raise RuntimeError(f"{op}: {reply}")
        return reply["body"]

    def disk_has_room(self):
        if not self.disk:
            return
        self.disk.free()
        until(lambda: self.ask("health")["conversation_store"], "storage works again",
              WORKS_AGAIN_S)

    def count(self, name):
        self.happened[name] = self.happened.get(name, 0) + 1

    def require(self, holds, *what):
        self.books.require(holds, *what)

    # ---- the run

    def step(self, kind, pause):
        try:
            self.mishaps.happen(kind)
        except Exception as error:
            raise RuntimeError(f"in {kind.__name__}: {error}\n{self.daemon.log_text()[-3000:]}"
                               ) from error
        end = time.monotonic() + pause
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            self.mishaps.undo_due()
        self.require(self.daemon.process.poll() is None, "routerd ended by itself after",
                     kind.__name__, self.daemon.log_text()[-3000:])

    def settle(self):
        """Everything works again, and every agent gets its answers."""
        self.mishaps.undo_due(everything=True)
        self.disk_has_room()
        self.simulator.control(clear_faults=True, latency_ms=0, latency_jitter_ms=0,
                               restore=list(self.secrets.values()),
                               credit=list(self.secrets.values()))
        text = json.loads(self.daemon.config.read_text())
        text["keys"] = self.keys
        self.daemon.config.write_text(json.dumps(text))
        self.require(self.routerctl("reload").returncode == 0, "the last reload was refused")
        self.require(self.routerctl("reset-cooldown", "--all").returncode == 0, "no reset")
        for agent in self.agents:
            self.require(agent.finish(SETTLE_S), agent.journal.name, "was not answered")
        until(lambda: self.ask("health")["queue"] == {"waiting": 0, "in_flight": 0},
              "nothing is under way", WORKS_AGAIN_S)

    def balance(self):
        books = self.books
        books.read_all([agent.journal for agent in self.everyone])
        for uid, conv_id in books.conversations():
            books.check_conversation(uid, conv_id, self.messages(uid, conv_id))
        usage = {row["user"]: row for row in self.ask("usage", {"by": ["user"]})["rows"]}
        books.require(self.ask("check")["problems"] == [], "the database is damaged")
        (self.folder / "metrics").write_text(self.ask("metrics")["text"])
        (self.folder / "keys").write_text(json.dumps(self.ask("keys.list")))
        searched = [path for path in self.folder.rglob("*")
                    if path.is_file() and path.name not in (".env", "billed")]
        books.check_secrets(self.secrets.values(), searched)  # the write-ahead log is there still
        books.require(self.daemon.stop() == 0, "routerd did not stop cleanly")
        size = books.check_secrets(self.secrets.values(), searched_now(searched))
        self.simulator.stop()
        calls = list(read_lines(self.folder / "billed"))
        return self.report(books.check_bill(calls, usage, self.daemon.log_text()), calls, size)

    def messages(self, uid, conv_id):
        client = Client(self.daemon.endpoint)
        try:
            body = {"conv_id": conv_id}
            reply = client.ask("conversation.get", body if uid == os.getuid() else
                               {**body, "uid": uid})
        finally:
            client.close()
        if not reply["ok"]:
            self.require(reply["error"]["type"] == "not_found", reply)
            return []
        return reply["body"]["messages"]

    def report(self, sums, calls, size):
        requests = self.books.requests.values()
        return {"mishaps": self.happened, "left_out": self.left_out,
                "requests": len(requests), "answered": sum(not r.open for r in requests),
                "caller_gone": sum(r.open for r in requests), "ends": dict(self.books.kinds),
                "persisted": sum(r.persisted for r in requests),
                "conversations": len(self.books.conversations()),
                "calls": len(calls), "spoilt": sum(c["outcome"] != "answered" for c in calls),
                "tokens": dict(sums), "bytes_searched": size, "wrong": self.books.wrong}

    def close(self):
        for agent in self.everyone:
            if agent.process.poll() is None:
                agent.kill()
        if self.daemon.process:
            self.daemon.kill()
        if self.simulator.process.poll() is None:
            self.simulator.stop()
        if self.disk:
            self.disk.close()


def searched_now(paths):
    return [path for path in paths if path.exists()]


def copy_of(folder):
    """What is to be looked at when the books do not balance: journals, the log, the database."""
    kept = tempfile.mkdtemp(prefix="rr-chaos-kept-")
    shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("*.sock"), dirs_exist_ok=True)
    return kept


def run(seed, seconds=None, pause=1.5, agents=6, rate=60, say=None):
    """Mishaps in an order of chance until `seconds` are over; None: each once. The report."""
    may_mount = own_mounts()
    with tempfile.TemporaryDirectory(prefix="rr-chaos-") as folder:
        stage = Stage(folder, seed, agents, rate, may_mount)
        try:
            end = time.monotonic() + (seconds or 0)
            while True:
                for kind in stage.mishaps.shuffled():
                    if say:
                        say(kind.__name__)
                    stage.step(kind, pause)
                    if seconds and time.monotonic() > end:
                        break
                if time.monotonic() > end:
                    break
            stage.settle()
            report = {"seed": seed, **stage.balance()}
            if report["wrong"]:
                report["kept"] = copy_of(folder)
            return report
        finally:
            stage.close()


def text_of(report):
    tokens = report["tokens"]
    ends = ", ".join(f"{name} {count}" for name, count in sorted(report["ends"].items()))
    lines = [
        f"seed {report['seed']}",
        "went wrong: " + ", ".join(f"{re.sub('_', ' ', name)} {count}" for name, count
                                   in sorted(report["mishaps"].items())),
        *("left out: " + what for what in report["left_out"]),
        f"requests {report['requests']} = answered {report['answered']}"
        f" + caller gone {report['caller_gone']}",
        f"final messages: {ends}",
        f"turns acknowledged {report['persisted']} in {report['conversations']} conversations",
        f"calls at the provider {report['calls']}, of them spoilt or refused {report['spoilt']}",
        f"tokens billed {tokens.get('billed', 0)} = recorded {tokens.get('recorded', 0)}"
        f" + cut off or spoilt on their way {tokens.get('cut off', 0)}"
        f" + of unknown outcome {tokens.get('unknown', 0)}"
        f" ({tokens.get('listed', 0)} attempts listed by routerd)",
        f"searched for secrets: {report['bytes_searched']} bytes",
    ]
    for wrong in report["wrong"][:50]:
        lines.append("DOES NOT BALANCE: " + wrong)
    lines.append(f"{len(report['wrong'])} things do not balance; everything is kept in "
                 f"{report['kept']}" if report["wrong"] else
                 "everything balances: no turn lost or doubled, no secret anywhere")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench chaos", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--quick", action="store_true", help="one minute")
    parser.add_argument("--rate", type=float, default=60, help="requests a second")
    parser.add_argument("--agents", type=int, default=6, help="processes that ask")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--verbose", action="store_true", help="say what goes wrong as it does")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()

    def say(what):
        print(f"{time.monotonic() - began:7.1f} s  {what}", file=sys.stderr, flush=True)

    report = run(options.seed, 60 * (1 if options.quick else options.minutes),
                 agents=options.agents, rate=options.rate, say=say if options.verbose else None)
    print(json.dumps(report) if options.json else text_of(report))
    return 1 if report["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
