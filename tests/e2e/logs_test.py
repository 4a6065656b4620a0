"""The log: a line a request, in text or JSON, to stderr, a file or the journal."""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import unittest

from support import EndToEnd, PATIENCE_S, key

HOSTILE = 'evil\n2026-01-01T00:00:00.000Z error forged key_id=k9 "\\ \x1b[31m\x7f\u009b2J \x1f=\x1e'
LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\w+) (.*)$")
FIELD = re.compile(r' ([a-z_]+)=("(?:[^"\\]|\\.)*"|\S*)')


class LogTest(EndToEnd):
    SIM = ("--key", "s1:rpm=100,tpm=1000000", "--key", "s2:rpm=1,tpm=1000000")

    def started(self, environment=None, keys=None, **config):
        daemon = self.daemon(start=False, config=config, keys=keys)
        daemon.environment |= environment or {}
        return daemon.start()

    def log_of(self, daemon):
        """All of it, from a daemon that has stopped and so written all."""
        self.assertEqual(daemon.stop(), 0)
        return daemon.log_text()

    def requests(self, text):
        """The fields of each line about a request, with its level and message."""
        found = []
        for line in text.splitlines():
            level, rest = LINE.match(line).groups()
            if rest.startswith("request "):
                fields = dict(FIELD.findall(rest))
                found.append({"level": level, "message": rest.split(" request_id=")[0], **fields})
        return found


class Logs(LogTest):
    def test_each_request_is_one_line_with_all_that_an_operator_asks_for(self):
        daemon = self.started()
        client = self.client(daemon)
        answer = client.chat("a secret prompt", id="plan-1", conv_id="talk", agent="planner",
                             user_id="ada", system_prompt="a secret instruction")["body"]
        client.chat("hello", id="plan-2", model_preference="none", allow_fallback=False)
        text = self.log_of(daemon)
        first, second = self.requests(text)
        self.assertEqual((first["level"], first["message"]), ("info", "request answered"))
        self.assertEqual(first["request_id"], "plan-1")
        self.assertEqual(first["outcome"], "ok")
        self.assertIn(f"uid {os.getuid()}", first["caller"])
        self.assertEqual(first["caller_uid"], str(os.getuid()))
        self.assertEqual((first["agent"], first["user_id"], first["conversation"]),
                         ("planner", "ada", "talk"))
        self.assertEqual((first["model"], first["key_id"], first["provider"]),
                         (answer["model"], answer["key_id"], "gemini"))
        self.assertEqual((first["attempts"], first["waited_ms"], first["finish_reason"]),
                         ("1", "0", "stop"))
        self.assertEqual((int(first["input_tokens"]), int(first["output_tokens"])),
                         (answer["tokens"]["input"], answer["tokens"]["output"]))
        self.assertGreaterEqual(int(first["duration_ms"]), int(first["upstream_ms"]))
        self.assertEqual((second["message"], second["request_id"], second["outcome"]),
                         ("request failed", "plan-2", "not_found"))
        self.assertIn("none", second["error"])
        for private in ("a secret prompt", "a secret instruction", answer["content"]):
            self.assertNotIn(private, text)

    def test_whatever_a_caller_writes_stays_one_line_and_in_its_field(self):
        daemon = self.started()
        client = self.client(daemon)
        client.chat("hello", id=HOSTILE, agent=HOSTILE, user_id=HOSTILE, conv_id=HOSTILE,
                    model_preference=HOSTILE, allow_fallback=False)
        client.chat("hello", id="x" * 128, agent="y" * 256)
        text = self.log_of(daemon)
        self.assertNotRegex(text, r"[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f]")
        self.assertNotRegex(text, r"(?m)^2026-01-01")
        hostile, long = self.requests(text)
        self.assertEqual(hostile["outcome"], "not_found")
        self.assertNotIn("key_id", hostile)
        self.assertIn(r"evil\n2026", hostile["request_id"])
        self.assertIn(r"\x1b[31m\x7f\x9b2J", hostile["request_id"])
        self.assertEqual(long["request_id"], "x" * 128)
        self.assertEqual(long["agent"], "y" * 256)

    def test_as_json_every_line_is_an_object(self):
        daemon = self.started({"LOG_FORMAT": "json"})
        client = self.client(daemon)
        client.chat("hello", id=HOSTILE, agent="planner")
        lines = [json.loads(line) for line in self.log_of(daemon).splitlines()]
        for line in lines:
            self.assertEqual(list(line)[:3], ["time", "level", "message"])
        request = next(line for line in lines if line["message"] == "request answered")
        self.assertEqual(request["agent"], "planner")
        self.assertEqual(request["attempts"], 1)
        self.assertEqual(request["caller_uid"], os.getuid())
        # The separators of fields are the only characters that do not come through.
        self.assertEqual(request["request_id"], HOSTILE.replace("\x1f", "?").replace("\x1e", "?"))

    def test_levels_decide_what_is_said(self):
        expected = {"warning": (False, False), "info": (True, False), "debug": (True, True)}
        for level, (requests, attempts) in expected.items():
            with self.subTest(level):
                daemon = self.started(log_level=level)
                (pathlib.Path(self.folder.name) / "routerd.log").write_text("")
                self.client(daemon).chat("hello", id=f"at-{level}")
                text = self.log_of(daemon)
                self.assertEqual("request answered" in text, requests)
                self.assertEqual(bool(re.search("attempt ended request_id=at-.* outcome=ok", text)),
                                 attempts)

    def test_a_reload_changes_level_and_format_but_not_a_level_of_the_command_line(self):
        daemon = self.started(log_level="warning")
        client = self.client(daemon)
        client.chat("hello", id="before")
        config = json.loads(daemon.config.read_text(encoding="utf-8"))
        config["config"] = {"log_level": "info", "log_format": "json"}
        daemon.config.write_text(json.dumps(config), encoding="utf-8")
        self.assertEqual(daemon.ctl("reload").returncode, 0)
        client.chat("hello", id="after")
        lines = self.log_of(daemon).splitlines()
        ids = [json.loads(line).get("request_id") for line in lines if line.startswith("{")]
        self.assertIn("after", ids)
        self.assertNotIn("before", "".join(lines))

        command = daemon.command
        daemon.command = lambda *more: command("--log-level", "error", *more)
        (pathlib.Path(self.folder.name) / "routerd.log").write_text("")
        daemon.start()
        self.assertEqual(daemon.ctl("reload").returncode, 0)
        self.client(daemon).chat("hello")
        self.assertEqual(self.log_of(daemon), "")

    def test_a_key_that_is_put_aside_is_told_with_its_reason(self):
        daemon = self.started(keys=[key("k2", rpm=2)])
        client = self.client(daemon)
        client.chat("one")
        client.chat("two", max_wait_ms=0)
        text = self.log_of(daemon)
        self.assertRegex(text, r"info key state changed key_id=k2 state=cooling"
                               r" until=\S+ reason=.*429.* cause=minute_quota")

    def test_what_an_administrator_has_done_is_told_with_who_it_was(self):
        daemon = self.started()
        self.assertEqual(daemon.ctl("disable", "k1").returncode, 0)
        self.assertEqual(daemon.ctl("enable", "none").returncode, 1)
        text = self.log_of(daemon)
        self.assertRegex(text, r"info admin operation operation=keys.disable target=k1 outcome=ok"
                               r" caller=.uid \d+ .*pid \d+ \(routerctl\). caller_uid=\d+")
        self.assertRegex(text, r"warning key state changed key_id=k1 state=disabled")
        self.assertRegex(text, r"warning admin operation operation=keys.enable target=none"
                               r" outcome=not_found")

    def test_a_key_that_its_provider_refuses_is_a_warning(self):
        daemon = self.daemon(secrets={"k1": "wrong", "k2": "wrong"})
        self.client(daemon).chat("hello")
        self.assertRegex(self.log_of(daemon), r"warning key state changed key_id=k1 state=disabled")

    def test_a_file_rotates_and_keeps_as_many_as_told(self):
        folder = pathlib.Path(self.folder.name)
        daemon = self.started(log_file=str(folder / "own.log"), log_file_bytes=4096, log_files=2)
        client = self.client(daemon)
        for i in range(60):
            client.chat("hello", id=f"request-{i}")
        self.assertEqual(self.log_of(daemon), "")
        self.assertEqual(sorted(path.name for path in folder.glob("own*")),
                         ["own.1.log", "own.2.log", "own.log"])
        for path in folder.glob("own*"):
            self.assertLessEqual(path.stat().st_size, 4096)
            self.assertEqual(path.stat().st_mode & 0o777, 0o640)
        self.assertIn("request_id=request-59", (folder / "own.log").read_text(encoding="utf-8"))

    def test_a_reload_opens_a_file_again_that_was_moved_away(self):
        folder = pathlib.Path(self.folder.name)
        daemon = self.started(log_file=str(folder / "own.log"))
        client = self.client(daemon)
        client.chat("hello", id="first")
        (folder / "own.log").rename(folder / "old")
        self.assertEqual(daemon.ctl("reload").returncode, 0)
        client.chat("hello", id="second")
        self.assertEqual(daemon.stop(), 0)
        self.assertIn("request_id=second", (folder / "own.log").read_text(encoding="utf-8"))
        self.assertNotIn("request_id=second", (folder / "old").read_text(encoding="utf-8"))

    def test_a_file_that_cannot_be_written_is_an_error_at_the_start_and_a_warning_on_reload(self):
        path = self.folder.name + "/keys.json/own.log"  # below what is no folder
        daemon = self.daemon(start=False, config={"log_file": path})
        refused = daemon.run()
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, "config.log_file: .*own.log.*; let routerd's user write")
        config = json.loads(daemon.config.read_text(encoding="utf-8"))
        daemon.config.write_text(json.dumps({**config, "config": {}}), encoding="utf-8")
        daemon.start()
        daemon.config.write_text(json.dumps(config), encoding="utf-8")
        reloaded = daemon.ctl("reload")
        self.assertIn("config.log_file", reloaded.stdout + reloaded.stderr)
        self.client(daemon).chat("hello", id="still")
        self.assertIn("request_id=still", self.log_of(daemon))

    def test_what_reads_the_log_may_stand_still(self):
        daemon = self.daemon(start=False)
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"full")
        os.set_blocking(writer, True)
        process = subprocess.Popen(daemon.command(), env=daemon.environment, stderr=writer)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(writer)
        client = self.client(daemon)
        for _ in range(20):
            self.assertTrue(client.chat("hello")["ok"])

    def test_what_reads_the_log_may_leave(self):
        daemon = self.daemon(start=False)
        reader, writer = os.pipe()
        process = subprocess.Popen(daemon.command(), env=daemon.environment, stderr=writer)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(writer)
        os.close(reader)
        self.assertTrue(self.client(daemon).chat("hello")["ok"])
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_S), 0)


class FakeJournal:
    """systemd-journald's socket, for one program: what it is sent, as dictionaries."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(PATIENCE_S)

    def receive(self):
        data, fields = self.socket.recv(1 << 20), {}
        while data:
            line, _, rest = data.partition(b"\n")
            name, equals, value = line.partition(b"=")
            if not equals:  # with a length, because it holds a newline
                size = int.from_bytes(rest[:8], "little")
                value, rest = rest[8:8 + size], rest[8 + size + 1:]
            fields[name.decode()] = value.decode()
            data = rest
        return fields

    def close(self):
        self.socket.close()


@unittest.skipUnless(subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL,
                                    check=False).returncode == 0,
                     "needs to mount a journal's socket of its own, as root may")
class Journal(LogTest):
    """A service's stderr leads to the journal: then that is told directly, field by field."""

    # In a mount namespace of its own, where the journal's socket is the test's.
    WRAP = ("mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal &&"
            ' mount --bind "$0" /run/systemd/journal && exec "$@"')

    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.folder.name) / "journal"
        folder.mkdir()
        self.journal = FakeJournal(folder / "socket")
        self.addCleanup(self.journal.close)
        self.wrapped = ["unshare", "--mount", "sh", "-c", self.WRAP, folder]

    def start_as_service(self, stream=None):
        daemon = self.daemon(start=False)
        log = pathlib.Path(self.folder.name) / "routerd.log"
        log.touch()
        stat = log.stat()
        daemon.environment["JOURNAL_STREAM"] = stream or f"{stat.st_dev}:{stat.st_ino}"
        command = daemon.command
        daemon.command = lambda *more: [*self.wrapped, *command(*more)]
        return daemon.start()

    def test_every_field_is_one_of_the_journals(self):
        daemon = self.start_as_service()
        self.client(daemon).chat("hello", id=HOSTILE, agent="planner", conv_id="talk")
        entry = self.journal.receive()
        while "REQUEST_ID" not in entry:
            self.assertEqual(entry["SYSLOG_IDENTIFIER"], "routerd")
            entry = self.journal.receive()
        self.assertRegex(entry["MESSAGE"], r"^request answered request_id=.* agent=planner ")
        self.assertNotIn("\n", entry["MESSAGE"])
        self.assertEqual(entry["PRIORITY"], "6")
        self.assertTrue(entry["REQUEST_ID"].startswith("evil\n2026"))
        self.assertEqual((entry["OUTCOME"], entry["AGENT"], entry["CONVERSATION"]),
                         ("ok", "planner", "talk"))
        self.assertEqual(entry["CALLER_UID"], str(os.getuid()))
        self.assertLessEqual({"KEY_ID", "MODEL", "WAITED_MS", "INPUT_TOKENS", "DURATION_MS"},
                             set(entry))
        self.assertEqual(self.log_of(daemon), "")

    def test_a_stderr_that_is_not_the_journals_gets_the_log_itself(self):
        daemon = self.start_as_service(stream="1:2")
        self.client(daemon).chat("hello", id="seen")
        self.assertIn("request_id=seen", self.log_of(daemon))

    def test_a_journal_that_is_gone_does_not_swallow_lines(self):
        self.journal.close()
        (pathlib.Path(self.folder.name) / "journal/socket").unlink()
        daemon = self.start_as_service()
        self.client(daemon).chat("hello", id="seen")
        self.assertIn("request_id=seen", self.log_of(daemon))


if __name__ == "__main__":
    unittest.main()
