"""What is measured: routerd, the bare loop, and the provider itself without a router."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from process import Process, PATIENCE_S, cores, rss_kb

BIN = pathlib.Path(os.environ["REQUESTROUTER_BIN"])
MODEL = "gpt-5-mini"


class Upstream:
    """bench_upstream, on the clients' core."""

    def __init__(self, delay_ms=0, model=MODEL, answer_bytes=200):
        self.process = Process([BIN / "bench_upstream", "--delay-ms", delay_ms,
                                "--answer-bytes", answer_bytes], cores()[1],
                               stdout=subprocess.PIPE)
        self.url = self.process.child.stdout.readline().split()[-1] + "/v1"
        self.model, self.secret = model, "bench"

    def costs(self):
        return self.process.costs()

    def stop(self):
        self.process.end()
        self.process.child.stdout.close()


class Remote:
    """Any OpenAI-compatible provider. Its key is in the environment, not in an argument."""

    def __init__(self, url, model, secret):
        self.url, self.model, self.secret = url.rstrip("/"), model, secret

    def costs(self):
        return None

    def stop(self):
        pass


class Direct:
    """The provider itself."""

    name = "direct"

    def __init__(self, upstream):
        self.client = ["--url", upstream.url + "/chat/completions", "--model", upstream.model]

    def costs(self):
        return None

    def rss_kb(self):
        return None

    def stop(self):
        pass


class Bare:
    """The bare loop."""

    name = "bare"

    def __init__(self, folder, upstream):
        folder.mkdir()
        endpoint = f"ipc://{folder}/router.sock"
        self.process = Process(
            [BIN / "bare_loop", "--endpoint", endpoint, "--url",
             upstream.url + "/chat/completions", "--state-dir", folder, "--model", upstream.model],
            cores()[0])
        self.client = ["--endpoint", endpoint]

    def costs(self):
        return self.process.costs()

    def rss_kb(self):
        return rss_kb(self.process.pid)

    def kill(self):
        self.process.end(signal.SIGKILL)

    stop = kill


class Routerd:
    """The daemon, with `keys` keys of the upstream's model, and one of the upstream `more`."""

    name = "routerd"

    def __init__(self, folder, upstream, keys=1, more=None):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.endpoint = f"ipc://{folder}/router.sock"
        self.client = ["--endpoint", self.endpoint]
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        upstreams = {"main": upstream} | ({"more": more} if more else {})
        key_ids = [(f"k{number + 1}", "main") for number in range(keys)]
        key_ids += [("more", "more")] if more else []
        (folder / "keys.json").write_text(json.dumps({
            "keys": [{"key_id": key_id, "provider": name, "model_name": upstreams[name].model}
                     for key_id, name in key_ids],
            "providers": {name: {"kind": "openai", "base_url": one.url}
                          for name, one in upstreams.items()}}))
        secrets = folder / ".env"
        secrets.touch(0o600)
        secrets.write_text("".join(f"API_KEY_{key_id}={upstreams[name].secret}\n"
                                   for key_id, name in key_ids))
        self.process = None
        self.start()

    def command(self):
        return [BIN / "routerd", "--config", self.folder / "keys.json", "--env-file",
                self.folder / ".env", "--endpoint", self.endpoint, "--state-dir",
                self.folder / "state"]

    def start(self):
        """Returns seconds until READY=1, as systemd would see it."""
        notices = self.folder / "notify.sock"
        notices.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener, \
                open(self.folder / "routerd.log", "a", encoding="utf-8") as log:
            listener.bind(str(notices))
            listener.settimeout(PATIENCE_S)
            environment = {**self.environment, "NOTIFY_SOCKET": str(notices)}
            self.process = Process(self.command(), cores()[0], environment, stderr=log)
            try:
                while b"READY=1" not in listener.recv(4096):
                    pass
            except TimeoutError:
                raise RuntimeError("routerd did not start: " + self.log_text()) from None
            return time.monotonic() - self.process.started

    def log_text(self):
        return (self.folder / "routerd.log").read_text(encoding="utf-8")

    def costs(self):
        return self.process.costs()

    def rss_kb(self):
        return rss_kb(self.process.pid)

    def stop(self):
        self.process.end()

    def kill(self):
        self.process.end(signal.SIGKILL)
