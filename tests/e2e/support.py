"""The real daemon against the provider simulator, driven by a client written from PROTOCOL.md alone.

Nothing here uses the project's own client or codec: a mistake in those does not hide here.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request
import uuid

import msgpack
import zmq

BIN = pathlib.Path(os.environ["REQUESTROUTER_BIN"])
EXAMPLES = pathlib.Path(os.environ["REQUESTROUTER_EXAMPLES"])
PATIENCE_S = float(os.environ.get("REQUESTROUTER_PATIENCE_S", "20"))
SANITIZED = bool(os.environ.get("REQUESTROUTER_SANITIZE"))  # the programs, as they were built


class Simulator:
    """A provider_sim process."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([BIN / "provider_sim", *arguments],
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def control(self, **what):
        data = json.dumps(what).encode()
        urllib.request.urlopen(self.url + "/_sim/control", data=data, timeout=PATIENCE_S).read()

    def stats(self):
        with urllib.request.urlopen(self.url + "/_sim/stats", timeout=PATIENCE_S) as reply:
            return json.load(reply)

    def requests(self):
        return sum(key["requests"] for key in self.stats()["keys"])

    def rate_limited(self):
        return sum(key["rate_limited"] for key in self.stats()["keys"])

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()


class Client:
    """A REQ (or DEALER) socket that speaks version 1."""

    def __init__(self, endpoint, kind=zmq.REQ, correlate=False, receive_queue=None):
        self.context = zmq.Context()
        self.socket = self.context.socket(kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        if receive_queue:
            self.socket.setsockopt(zmq.RCVHWM, receive_queue)
        if correlate:
            self.socket.setsockopt(zmq.REQ_CORRELATE, 1)
            self.socket.setsockopt(zmq.REQ_RELAXED, 1)
        self.dealer = kind == zmq.DEALER
        self.socket.connect(endpoint)

    def send_bytes(self, payload):
        self.socket.send_multipart([b"", payload] if self.dealer else [payload])

    def send(self, op, body=None, **extra):
        request = {"v": 1, "id": extra.pop("id", str(uuid.uuid4())), "op": op, **extra}
        if body is not None:
            request["body"] = body
        self.send_bytes(msgpack.packb(request))
        return request["id"]

    def receive(self, patience_s=PATIENCE_S):
        if not self.socket.poll(patience_s * 1000):
            raise TimeoutError("no reply from routerd")
        return msgpack.unpackb(self.socket.recv_multipart()[-1])

    def ask(self, op, body=None, **extra):
        self.send(op, body, **extra)
        return self.receive()

    def chat(self, prompt, **body):
        extra = {name: body.pop(name) for name in ("id", "deadline_ms") if name in body}
        return self.ask("chat", {"prompt": prompt, **body}, **extra)

    def close(self):
        self.socket.close()
        self.context.term()


def key(key_id, provider="gemini", model="gemini-2.5-flash", **limits):
    """One entry of keys.json."""
    return {"key_id": key_id, "provider": provider, "model_name": model, **limits}


class Daemon:
    """A routerd process with a folder of its own."""

    def __init__(self, folder, simulator, keys=None, secrets=None, config=None, files=None):
        self.folder = pathlib.Path(folder)
        self.endpoint = f"ipc://{self.folder}/router.sock"
        self.config = self.folder / "keys.json"
        self.env_file = self.folder / ".env"
        self.process = None
        if files:
            shutil.copy(files / "keys.json", self.config)
            shutil.copy(files / "dotenv", self.env_file)
        else:
            self.config.write_text(json.dumps({"keys": keys or [], "config": config or {}}))
            self.env_file.write_text("".join(f"API_KEY_{name}={value}\n"
                                             for name, value in (secrets or {}).items()))
        self.env_file.chmod(0o600)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        for provider, suffix in (("GEMINI", ""), ("OPENAI", "/v1"), ("ANTHROPIC", "")):
            self.environment[f"ROUTERD_{provider}_BASE_URL"] = simulator.url + suffix

    def command(self, *arguments):
        return [BIN / "routerd", "--config", self.config, "--env-file", self.env_file,
                "--endpoint", self.endpoint, "--state-dir", self.folder / "state", *arguments]

    def run(self, *arguments):
        """Runs to the end; for starts that are refused."""
        return subprocess.run(self.command(*arguments), env=self.environment, text=True,
                              capture_output=True, timeout=PATIENCE_S, check=False)

    def start(self):
        self.log = open(self.folder / "routerd.log", "a", encoding="utf-8")
        self.process = subprocess.Popen(self.command(), env=self.environment, stderr=self.log)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            client = Client(self.endpoint)
            try:
                client.send("ping")
                client.receive(0.5)
                return self
            except TimeoutError:
                if self.process.poll() is not None:
                    break
            finally:
                client.close()
        raise RuntimeError("routerd did not start:\n" + self.log_text())

    def log_text(self):
        return (self.folder / "routerd.log").read_text(encoding="utf-8")

    def wait_for_log(self, text):
        """Until the log, which is written by a thread of its own, has it."""
        end = time.monotonic() + PATIENCE_S
        while text not in self.log_text():
            if time.monotonic() > end:
                raise AssertionError(f"the log does not say {text!r}:\n{self.log_text()}")
            time.sleep(0.005)

    def stop(self):
        """Returns the exit code."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.process = None
        self.log.close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.process = None
        self.log.close()

    def ctl(self, *arguments, stdin=None):
        return subprocess.run([BIN / "routerctl", "--endpoint", self.endpoint, *arguments],
                              env=self.environment, text=True, capture_output=True, input=stdin,
                              timeout=PATIENCE_S, check=False)


def until(condition, what, patience_s=PATIENCE_S):
    """What condition() gives once that is true; fails, saying what did not come, after patience_s."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.005)
    raise AssertionError(f"still not: {what}")


class EndToEnd(unittest.TestCase):
    """A folder, a simulator with two generous keys, and a daemon that is not started yet."""

    maxDiff = None
    SIM = ("--key", "s1:rpm=100,tpm=1000000", "--key", "s2:rpm=100,tpm=1000000")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="rr-e2e-")
        self.addCleanup(self.folder.cleanup)
        self.sim = Simulator(*self.SIM)
        self.addCleanup(self.sim.stop)

    def daemon(self, keys=None, secrets=None, start=True, **more):
        keys = [key("k1", rpm=100), key("k2", rpm=100)] if keys is None else keys
        secrets = {"k1": "s1", "k2": "s2"} if secrets is None else secrets
        daemon = Daemon(self.folder.name, self.sim, keys, secrets, **more)
        self.addCleanup(self.stop_cleanly, daemon)
        return daemon.start() if start else daemon

    def stop_cleanly(self, daemon):
        """A sanitizer says by the exit code that it has found something, and what, in the log."""
        if daemon.stop() not in (None, 0):
            self.fail("routerd did not end well:\n" + daemon.log_text())

    def client(self, daemon, **how):
        client = Client(daemon.endpoint, **how)
        self.addCleanup(client.close)
        return client

    until = staticmethod(until)

    def wait_until_written(self, client):
        """What a one-shot leaves behind is written after its answer; usage is counted after that."""
        self.assertTrue(client.ask("usage", {"by": ["key"]})["ok"])

    def assert_error(self, reply, kind):
        self.assertFalse(reply["ok"], reply)
        self.assertEqual(reply["error"]["type"], kind, reply)
        return reply["error"]
