"""Secrets: from every source, and nowhere to be found afterwards, whatever goes wrong."""

import http.server
import json
import os
import pathlib
import re
import resource
import signal
import threading
import unittest
import urllib.parse

from support import SANITIZED, EndToEnd, key

# Where each secret comes from. They hold what a URL must encode.
PLANTED = {name: f"planted/{name}+0123456789abcdef=" for name in (
    "hyphen-env", "under-env", "upper-env", "dotenv", "file", "credential", "folder", "vault",
    "command")}
MODELS = {"gemini": "gemini-2.5-flash", "openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5"}
FAULTS = ("status:500", "status:503", "html", "reset", "reset_mid_body", "truncated", "bad_json",
          "empty", "wrong_content_type", "gzip", "error_mid_stream")


class Vault(http.server.BaseHTTPRequestHandler):
    """KV version 2 as HashiCorp Vault answers it, with one token and one secret."""

    secrets = {}

    def do_GET(self):
        if self.headers.get("X-Vault-Token") != "hvs.the-token":
            return self.answer(403, {"errors": ["permission denied"]})
        secret = self.secrets.get(self.path)
        if secret is None:
            return self.answer(404, {"errors": []})
        return self.answer(200, {"data": {"data": {"api_key": secret}, "metadata": {"version": 1}}})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Echo(http.server.BaseHTTPRequestHandler):
    """A provider that puts the key it was given wherever a provider says anything about a request:
    into every text of an error, every header, every name and reason of an answer. `shape` chooses.
    """

    shape = ("error", 400)

    def secret(self):
        for name in ("x-goog-api-key", "x-api-key", "authorization"):
            if value := self.headers.get(name):
                return value.removeprefix("Bearer ")
        return ""

    def bodies(self, key):
        """An answer of each kind, with the key beside the content."""
        return {
            "gemini": {"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": key,
                                       "safetyRatings": [{"category": key, "probability": key}]}],
                       "modelVersion": key, "responseId": key},
            "blocked": {"promptFeedback": {"blockReason": key, "blockReasonMessage": key,
                                           "safetyRatings": [{"category": key}]}},
            "openai": {"id": key, "model": key, "system_fingerprint": key,
                       "choices": [{"message": {"content": None, "refusal": key},
                                    "finish_reason": key}]},
            "anthropic": {"id": key, "type": "message", "model": key, "stop_reason": key,
                          "stop_sequence": key, "content": [{"type": key, "text": "hi"}]},
        }

    def error(self, key):
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": key,
                    "domain": key, "metadata": {"key": key}},
                   {"@type": "type.googleapis.com/google.rpc.QuotaFailure",
                    "violations": [{"quotaId": key, "quotaMetric": key}]},
                   {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": key}]
        return {"type": "error", "error": {"code": key, "type": key, "status": key, "param": key,
                                           "message": f"no such key: {key} {key[:4]}",
                                           "details": details}}

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        key, (shape, status) = self.secret(), self.shape
        if shape == "text":
            data = f"<html>{key} {urllib.parse.quote(key, safe='')}</html>".encode()
        else:
            body = self.error(key) if shape == "error" else self.bodies(key)[shape]
            data = json.dumps(body).encode()
        self.send_response(status, key)
        for name in ("Retry-After", "x-request-id", "x-ratelimit-remaining-requests",
                     "x-ratelimit-reset-tokens", "anthropic-ratelimit-requests-reset"):
            self.send_header(name, key)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def core_image(pid):
    """What a core dump would hold: the readable memory that is not marked to be left out."""
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as file:
        maps = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) r\S+ .*\n(?:(?!VmFlags).*\n)*VmFlags: (.*)$",
                          file.read(), re.MULTILINE)
    image = []
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for begin, end, flags in maps:
            if "dd" in flags.split():
                continue
            try:
                memory.seek(int(begin, 16))
                image.append(memory.read(int(end, 16) - int(begin, 16)))
            except OSError:  # the kernel's own pages
                continue
    return b"".join(image)


class Secrets(EndToEnd):
    SIM = tuple(word for secret in PLANTED.values()
                for word in ("--key", f"{secret}:rpm=10000,tpm=100000000"))

    def planted(self, **config):
        """A daemon, not started, with a key for each source."""
        folder = pathlib.Path(self.folder.name)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vault)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        Vault.secrets = {"/v1/secret/data/llm/vault": PLANTED["vault"]}
        for name, text in (("secret-file", PLANTED["file"]), ("command", PLANTED["command"])):
            (folder / name).write_text(text + "\n", encoding="utf-8")
            (folder / name).chmod(0o600)
        credentials = folder / "credentials"
        credentials.mkdir()
        (credentials / "passed").write_text(PLANTED["credential"], encoding="utf-8")
        (credentials / "key_folder").write_text(PLANTED["folder"], encoding="utf-8")
        sources = {"file": "file:secret-file", "credential": "credential:passed",
                   "vault": "vault:secret/llm/vault", "command": f"command:cat {folder}/command"}
        kinds = list(MODELS.items())
        keys = [key(name, *kinds[i % 3], **({"secret": sources[name]} if name in sources else {}))
                for i, name in enumerate(PLANTED)]
        daemon = self.daemon(keys=keys, secrets={"dotenv": PLANTED["dotenv"]}, start=False,
                             config={"log_level": "trace", "base_backoff_ms": 5, "max_retries": 1,
                                     **config})
        daemon.environment |= {
            "API_KEY_hyphen-env": PLANTED["hyphen-env"],
            "API_KEY_under_env": PLANTED["under-env"], "API_KEY_UPPER_ENV": PLANTED["upper-env"],
            "CREDENTIALS_DIRECTORY": str(credentials), "VAULT_TOKEN": "hvs.the-token",
            "VAULT_ADDR": f"http://127.0.0.1:{server.server_port}"}
        return daemon

    def assert_none(self, text, where):
        """None of the planted secrets, as it is or URL-encoded."""
        data = text if isinstance(text, bytes) else text.encode()
        for name, secret in (*PLANTED.items(), ("token", "hvs.the-token")):
            for form in (secret, urllib.parse.quote(secret, safe="")):
                self.assertNotIn(form.encode(), data, f"{name} in {where}")

    def state_of(self, client, key_id):
        keys = client.ask("keys.list")["body"]["keys"]
        return next(key["state"] for key in keys if key["key_id"] == key_id)

    def test_come_from_every_source_and_serve(self):
        client = self.client(self.planted().start())
        keys = client.ask("keys.list")["body"]["keys"]
        self.assertEqual({one["key_id"]: one["state"] for one in keys},
                         dict.fromkeys(PLANTED, "ready"))
        for model in MODELS.values():
            for _ in range(3):
                self.assertTrue(client.chat("hi", model_preference=model)["ok"])

    def test_are_nowhere_after_every_error(self):
        daemon = self.planted().start()
        client = self.client(daemon)
        replies = []
        for fault in FAULTS:
            self.sim.control(clear_faults=True, faults=[{"kind": fault}])
            for model in MODELS.values():
                replies.append(client.chat("hi", model_preference=model, stream=False,
                                           deadline_ms=1_000))
        self.sim.control(clear_faults=True, revoke=list(PLANTED.values()))
        replies += [client.chat("hi", model_preference=model, deadline_ms=1_000)
                    for model in MODELS.values()]
        self.sim.control(restore=list(PLANTED.values()), no_credit=list(PLANTED.values()))
        client.ask("keys.reset", {"all": True})
        replies += [client.chat("hi", model_preference=model, deadline_ms=1_000)
                    for model in MODELS.values()]
        self.sim.control(credit=list(PLANTED.values()))
        (pathlib.Path(self.folder.name) / "secret-file").write_text(
            PLANTED["file"] + "\n" + PLANTED["dotenv"], encoding="utf-8")
        (pathlib.Path(self.folder.name) / "command").unlink()
        replies += [client.ask("reload"), client.chat("hi", conv_id="talk")]
        daemon.config.write_text("{")
        replies += [client.ask("reload")]
        replies += [client.ask(op) for op in ("health", "keys.list", "models", "queue", "metrics",
                                              "usage")]
        replies += [client.ask("explain", {"id": reply["id"]}) for reply in replies[:40]]
        self.assertGreater(sum(not reply["ok"] for reply in replies), 5)
        self.assert_none(repr(replies), "replies")
        for words in (("keys",), ("health",), ("metrics",), ("queue",), ("usage",)):
            done = daemon.ctl(*words)
            self.assert_none(done.stdout + done.stderr, "routerctl " + words[0])
        for path in (pathlib.Path(self.folder.name) / "state").iterdir():
            self.assert_none(path.read_bytes(), path.name)
        self.assertTrue((pathlib.Path(self.folder.name) / "state/requestrouter.db-wal").exists())
        daemon.stop()
        log = daemon.log_text()
        self.assertIn("no secret for key", log)
        self.assert_none(log, "the log")

    def test_a_provider_that_says_its_key_aloud_is_not_repeated(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        daemon = self.planted()
        for name in ("GEMINI", "OPENAI", "ANTHROPIC"):
            daemon.environment[f"ROUTERD_{name}_BASE_URL"] = (
                f"http://127.0.0.1:{server.server_port}/" + name.lower())
        daemon.start()
        client = self.client(daemon)
        said, ended = [], []
        shapes = [("error", status) for status in (400, 401, 403, 404, 413, 429, 500, 529)]
        shapes += [("text", 200), ("text", 502), ("blocked", 200)]
        shapes += [(kind, 200) for kind in MODELS]
        for number, Echo.shape in enumerate(shapes):
            client.ask("keys.reset", {"all": True, "counters": True})
            for model in MODELS.values():
                for stream in (False, True):
                    client.send("chat", {"prompt": "hi", "model_preference": model,
                                         "stream": stream, "conv_id": f"talk-{number}"},
                                deadline_ms=500)
                    said.append(client.receive())
                    ended.append(said[-1]["id"])
                    said.append(client.ask("keys.list"))
        said += [client.ask(op) for op in ("health", "queue", "metrics", "usage")]
        said += [client.ask("explain", {"id": one}) for one in ended]
        said += [client.ask("conversation.get", {"conv_id": f"talk-{number}"})
                 for number in range(len(shapes))]
        self.assertGreater(len(ended), 80)
        self.assert_none(repr(said), "replies")
        for path in (pathlib.Path(self.folder.name) / "state").iterdir():
            self.assert_none(path.read_bytes(), path.name)
        daemon.stop()
        self.assert_none(daemon.log_text(), "the log")

    def test_a_start_without_them_says_nothing_of_them(self):
        daemon = self.planted()
        daemon.environment["API_KEY_upper-env"] = "another/0123456789abcdef="
        for words in ((), ("--check-config",)):
            config = daemon.config.read_text() if words else "{"
            before = daemon.config.read_text()
            daemon.config.write_text(config)
            done = daemon.run(*words)
            daemon.config.write_text(before)
            self.assert_none(done.stdout + done.stderr, "what a start says")
        self.assertNotIn("another/", done.stderr)
        self.assertIn("upper-env", done.stderr)

    def test_are_in_no_core_image_nor_in_the_environment(self):
        daemon = self.planted().start()
        if os.geteuid() != 0:
            self.skipTest("only root can look")
        if SANITIZED:
            self.skipTest("the sanitizers keep what is freed")
        client = self.client(daemon)
        for model in MODELS.values():
            self.assertTrue(client.chat("hi", model_preference=model)["ok"])
        self.assertTrue(client.ask("reload")["ok"])
        pid = daemon.process.pid
        image = core_image(pid)
        self.assertIn(b"gemini-2.5-flash", image)  # it is the daemon's memory
        self.assert_none(image, "the core image")
        self.assert_none(pathlib.Path(f"/proc/{pid}/environ").read_bytes(), "the environment")
        locked = re.search(r"VmLck:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
        self.assertGreater(int(locked[1]), 0, "secrets are not swapped")

    def test_a_crash_writes_no_core(self):
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        daemon = self.planted().start()
        pid = daemon.process.pid
        os.kill(pid, signal.SIGABRT)
        _, status = os.waitpid(pid, 0)
        daemon.process.returncode = -signal.SIGABRT
        daemon.process = None
        daemon.log.close()
        self.assertEqual(os.WTERMSIG(status), signal.SIGABRT)
        self.assertFalse(os.WCOREDUMP(status))

    def test_one_that_a_provider_refuses_is_fetched_again(self):
        daemon = self.planted().start()
        client = self.client(daemon)
        command = pathlib.Path(self.folder.name) / "command"
        others = [one["key_id"] for one in client.ask("keys.list")["body"]["keys"]
                  if one["key_id"] != "command"]
        for other in others:
            self.assertTrue(client.ask("keys.disable", {"key_id": other})["ok"])
        self.sim.control(revoke=[PLANTED["command"]])
        command.write_text(PLANTED["file"], encoding="utf-8")  # the operator has replaced it
        model = next(one["models"][0] for one in client.ask("keys.list")["body"]["keys"]
                     if one["key_id"] == "command")
        client.chat("hi", model_preference=model, deadline_ms=1_000)
        self.until(lambda: self.state_of(client, "command") == "ready", "the key is ready")
        self.assertTrue(client.chat("hi", model_preference=model)["ok"])
        daemon.stop()
        daemon.wait_for_log("has been fetched again")


if __name__ == "__main__":
    unittest.main()
