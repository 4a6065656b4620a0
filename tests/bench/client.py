#!/usr/bin/python3
"""What a chat costs through the C++, C and Python forms of the client library, beside the raw socket.

Every form sends one chat after the other to one daemon, which answers from its records, so that no
provider's time is in it. The forms take turns in rounds, so that what else the machine does hits
all of them alike; a row is the median of all its chats. `added` and `ratio` compare with the raw
ZeroMQ socket of the same language: libzmq and MessagePack in C++, pyzmq and msgpack in Python.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("REQUESTROUTER_BIN", ROOT / "build/bin")).parent
os.environ.setdefault("REQUESTROUTER_BIN", str(BUILD / "bin"))
os.environ.setdefault("REQUESTROUTER_EXAMPLES", str(ROOT / "tests/golden/config"))
os.environ.setdefault("REQUESTROUTER_LIBRARY", str(BUILD / "lib/librequestrouter.so.1"))
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "client_lib/python")]

import zmq  # noqa: E402
from requestrouter import RequestRouter  # noqa: E402
from support import BIN, Client, Daemon, Simulator, key  # noqa: E402

PROMPT = "Hello from a bench"
# The form, what it is called, and the form it is compared with.
FORMS = (("raw", "raw socket, C++", None), ("cpp", "Client::Chat", "raw"),
         ("c", "rr_call_start/next", "raw"), ("pyraw", "raw socket, Python", "raw"),
         ("python", "send_chat", "pyraw"))


class Program:
    """The forms of clientbench."""

    def __init__(self, endpoint):
        self.process = subprocess.Popen([BIN / "clientbench", "--endpoint", endpoint], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def measure(self, form, count):
        self.process.stdin.write(f"{form} {count}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Python:
    """The forms of this process."""

    def __init__(self, endpoint):
        self.socket = Client(endpoint, kind=zmq.DEALER)
        self.router = RequestRouter(endpoint)

    def measure(self, form, count):
        chat = self.raw if form == "pyraw" else self.send_chat
        micros = []
        for _ in range(count):
            begun = time.perf_counter()
            chat()
            micros.append((time.perf_counter() - begun) * 1e6)
        return micros

    def raw(self):
        reply = self.socket.chat(PROMPT, id="bench-pyraw")
        assert reply["ok"], reply

    def send_chat(self):
        answer = self.router.send_chat(None, PROMPT, request_id="bench-python")
        assert answer["success"], answer

    def close(self):
        self.socket.close()


def measure(endpoint, rounds, count):
    """All latencies of each form."""
    program, python = Program(endpoint), Python(endpoint)
    of_form = {"raw": program, "cpp": program, "c": program, "pyraw": python, "python": python}
    micros = {form: [] for form in of_form}
    try:
        for form, where in of_form.items():
            where.measure(form, 20)  # connects, and has the answer recorded
        for number in range(rounds):
            # Each round in another order: nobody is always the one after the same other.
            order = list(of_form)[number % len(of_form):] + list(of_form)[:number % len(of_form)]
            for form in order:
                micros[form] += of_form[form].measure(form, count)
    finally:
        program.close()
        python.close()
    return micros


def rows(micros):
    median = {form: statistics.median(values) for form, values in micros.items()}
    for form, name, beside in FORMS:
        base = median[beside] if beside else median[form]
        yield {"form": form, "name": name, "p50_us": round(median[form], 1),
               "p99_us": round(sorted(micros[form])[int(len(micros[form]) * 0.99)], 1),
               "beside": beside, "added_us": round(median[form] - base, 1),
               "ratio": round(median[form] / base, 2)}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench client", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", action="store_true", help="the rows as JSON")
    options = parser.parse_args()
    rounds, count = (5, 50) if options.quick else (40, 200)
    simulator = Simulator("--key", "s1:rpm=1000000,tpm=1000000000")
    with tempfile.TemporaryDirectory(prefix="rr-bench-") as folder:
        daemon = Daemon(folder, simulator, [key("k1")], {"k1": "s1"}).start()
        try:
            table = list(rows(measure(daemon.endpoint, rounds, count)))
        finally:
            daemon.stop()
            simulator.stop()
    if options.json:
        print(json.dumps({"chats": rounds * count, "rows": table}))
        return
    print(f"{rounds * count} chats of each form, in {rounds} rounds; microseconds")
    print(f"{'FORM':<22}{'P50':>9}{'P99':>9}{'ADDED':>9}{'RATIO':>7}  BESIDE")
    for row in table:
        print(f"{row['name']:<22}{row['p50_us']:>9.1f}{row['p99_us']:>9.1f}{row['added_us']:>9.1f}"
              f"{row['ratio']:>7.2f}  {row['beside'] or ''}")


if __name__ == "__main__":
    main()
