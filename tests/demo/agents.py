"""A team at work: planner, architect, then coders in parallel, each a process of its own. They share
three small keys through one daemon and hold none themselves.

A minute of the keys is made shorter here, so that watching does not take long. The provider is
simulated; it enforces the keys' limits by its own clock and tells how often it had to refuse.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("REQUESTROUTER_BIN", ROOT / "build/bin"))
MODEL = "gemini-2.5-flash"
KEYS = ("key-1", "key-2", "key-3")
RPM = 4
REFRESH_S = 0.5
PATIENCE_S = 20


class Host:
    """The simulated provider and routerd, in a folder that goes with them."""

    def __init__(self, window_s):
        self.folder = tempfile.TemporaryDirectory(prefix="requestrouter-agents-")
        self.path = pathlib.Path(self.folder.name)
        self.processes = []
        self.environment = {**os.environ,
                            "REQUESTROUTER_ENDPOINT": f"ipc://{self.path}/router.sock"}
        self.url = self.start_provider(window_s)
        self.start_daemon(window_s)

    def start_provider(self, window_s):
        command = [BIN / "provider_sim", "--port", "0"]
        for name in KEYS:
            command += ["--key", f"secret-{name}:rpm={RPM},tpm=250000,minute_ms={window_s * 1000}"]
        provider = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.processes.append(provider)
        return provider.stdout.readline().split()[-1]

    def start_daemon(self, window_s):
        keys = [{"key_id": name, "provider": "gemini", "model_name": MODEL, "rpm": RPM,
                 "tpm": 250000, "window_seconds": window_s} for name in KEYS]
        (self.path / "keys.json").write_text(json.dumps({"keys": keys}))
        env_file = self.path / ".env"
        env_file.touch(0o600)
        env_file.write_text("".join(f"API_KEY_{name}=secret-{name}\n" for name in KEYS))
        log = open(self.path / "routerd.log", "w", encoding="utf-8")
        self.processes.append(subprocess.Popen(
            [BIN / "routerd", "--config", self.path / "keys.json", "--env-file", env_file,
             "--endpoint", self.environment["REQUESTROUTER_ENDPOINT"],
             "--state-dir", self.path / "state"],
            env={**self.environment, "ROUTERD_GEMINI_BASE_URL": self.url}, stderr=log))
        log.close()
        end = time.monotonic() + PATIENCE_S
        while self.run("routerctl", "health").returncode != 0:
            if time.monotonic() > end or self.processes[-1].poll() is not None:
                sys.exit("demo: routerd did not start:\n" + (self.path / "routerd.log").read_text())

    def provider(self, path, **control):
        data = json.dumps(control).encode() if control else None
        with urllib.request.urlopen(self.url + path, data=data, timeout=PATIENCE_S) as reply:
            return json.load(reply)

    def run(self, program, *arguments):
        return subprocess.run([BIN / program, *arguments], env=self.environment, text=True,
                              capture_output=True, check=False)

    def queue(self):
        asked = self.run("routerctl", "--json", "queue")
        return json.loads(asked.stdout) if asked.returncode == 0 else {"waiting": [],
                                                                       "in_flight": []}

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        self.processes[0].stdout.close()
        self.folder.cleanup()


class Coder:
    """One coder's process, and what is known of it."""

    def __init__(self, host, number, tasks):
        self.name = f"coder-{number}"  # also the label that the queue shows
        self.tasks, self.begun = tasks, time.monotonic()
        self.output = host.path / f"{self.name}.log"
        files = [word for place, task in enumerate(tasks, 1)
                 for word in (host.path / f"{self.name}-{place}.txt", task)]
        with open(self.output, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([BIN / "coder", "--agent", str(number), *files], stdout=log,
                                            stderr=subprocess.STDOUT, env=host.environment)
        self.took = None

    def written(self):
        return self.output.read_text(encoding="utf-8").count("wrote ")

    def state(self, queue):
        if self.process.poll() is not None:
            self.took = self.took or time.monotonic() - self.begun
            return f"done after {self.took:.0f} s" if self.process.returncode == 0 else "failed"
        for request in queue["waiting"]:
            if request.get("agent") == self.name:
                eta = request.get("eta_ms")
                soon = f", about {eta / 1000:.0f} s to go" if eta is not None else ""
                return f"waits for a key: place {request['position']}{soon}"
        if any(request.get("agent") == self.name for request in queue["in_flight"]):
            return "is being answered"
        return "works"


class Board:
    """The table: redrawn in place on a terminal, elsewhere a line for each change."""

    def __init__(self):
        self.live = sys.stdout.isatty()
        self.drawn = 0
        self.before = {}

    def show(self, rows):
        if self.live:
            lines = [f"  {name:<8} {files:>5}  {state}" for name, files, state in rows]
            up = f"\x1b[{self.drawn}A" if self.drawn else ""
            print(up + "".join(f"\x1b[2K{line}\n" for line in lines), end="", flush=True)
            self.drawn = len(lines)
            return
        for name, files, state in rows:
            # Without the place and the time, which change all the time.
            kind = (files, state.split(":")[0])
            if self.before.get(name) != kind:
                self.before[name] = kind
                print(f"  {name:<8} {files:>5}  {state}", flush=True)


def said(heading, done):
    if done.returncode != 0:
        sys.exit(f"demo: {done.args[0].name} failed:\n{done.stderr}")
    print(f"{heading} ({done.stderr.strip()}):")
    return json.loads(done.stdout)


def plan(host, coders, files):
    """The planner's todos, one for each file. The simulated provider is told what to invent."""
    titles = [f"Write part {number} of the shop" for number in range(1, coders * files + 1)]
    todos = {"todos": [{"title": title, "done": False} for title in titles]}
    host.provider("/_sim/control", answer_text=json.dumps(todos))
    answer = said("1. The planner makes a TodoList", host.run("planner", "Build a small web shop"))
    titles = [todo["title"] for todo in answer["todos"]]
    print(f"  {len(titles)} todos, from \"{titles[0]}\" on\n")
    return titles


def design(host):
    contract = {"name": "Basket", "purpose": "What a customer is about to buy",
                "functions": [{"signature": "add(article, count) -> total",
                               "promise": "fails with OutOfStock and changes nothing"}]}
    host.provider("/_sim/control", answer_text=json.dumps(contract))
    contract = said("2. The architect writes the contract that all of them keep",
                    host.run("architect", "The basket of a web shop"))
    for function in contract["functions"]:
        print(f"  {contract['name']}.{function['signature']}: {function['promise']}\n")


def code(host, titles, options):
    host.provider("/_sim/control", answer_text=None, latency_ms=800)
    print(f"3. {options.coders} coders write {options.files} files each, in parallel. Who finds no"
          f" room waits in routerd:\n\n  {'AGENT':<8} {'FILES':>5}  STATE")
    team = [Coder(host, number + 1, titles[number * options.files:(number + 1) * options.files])
            for number in range(options.coders)]
    board, running = Board(), True
    try:
        while running:
            running = any(coder.process.poll() is None for coder in team)
            queue = host.queue()
            board.show([(coder.name, f"{coder.written()}/{len(coder.tasks)}", coder.state(queue))
                        for coder in team])
            time.sleep(REFRESH_S if running else 0)
    finally:
        for coder in team:
            coder.process.kill()
            coder.process.wait()
    failed = [coder for coder in team if coder.process.returncode != 0]
    for coder in failed:
        print(coder.output.read_text(encoding="utf-8"), file=sys.stderr)
    return not failed


def main():
    parser = argparse.ArgumentParser(prog="./dev demo agents", description=__doc__)
    parser.add_argument("--coders", type=int, default=8, help="default 8")
    parser.add_argument("--files", type=int, default=3, help="of each coder; default 3")
    parser.add_argument("--window", type=int, default=20, metavar="SECONDS",
                        help="how long a minute of the keys lasts; default 20")
    options = parser.parse_args()
    if min(options.coders, options.files, options.window) < 1:
        parser.error("--coders, --files and --window are 1 or more")

    requests = 2 + options.coders * options.files
    rounds = (requests - 1) // (len(KEYS) * RPM)
    print(f"{len(KEYS)} keys allow {RPM} requests each in {options.window} s; the team needs"
          f" {requests}, so this takes about {rounds * options.window + 5} s.\n")
    host = Host(options.window)
    try:
        titles = plan(host, options.coders, options.files)
        design(host)
        done = code(host, titles, options)
        written = len(list(host.path.glob("coder-*.txt")))
        refused = sum(key["rate_limited"] for key in host.provider("/_sim/stats")["keys"])
    finally:
        host.stop()
    print(f"\n{written} of {options.coders * options.files} files written. The provider had to"
          f" refuse {refused} requests (429): who had to wait, waited before sending.")
    return 0 if done and refused == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
