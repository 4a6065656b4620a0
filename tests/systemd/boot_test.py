"""The service under a real systemd: start, activation, reload, watchdog, crash, restart, stop."""

import json
import os
import re
import signal
import sys
import unittest

import container
import units

SERVICE = "routerd.service"
SOCKET = "routerd.socket"
CONFIG = "/etc/requestrouter/keys.json"

# A provider of OpenAI's kind that takes its time; it says when it has a request.
SLOW_PROVIDER = """
import http.server, json, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        print("asked", flush=True)
        time.sleep(1.5)
        body = {"choices": [{"message": {"content": "the answer"}, "finish_reason": "stop"}]}
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
print(server.server_port, flush=True)
server.serve_forever()
"""


def prepare(root):
    """A short watchdog, a key whose secret is a credential, one who may connect and one who not."""
    units.install(root)
    folder = root / "etc/systemd/system/routerd.service.d"
    folder.mkdir(parents=True)
    (folder / "test.conf").write_text("[Unit]\nWants=\nAfter=\n[Service]\nWatchdogSec=2\n"
                                      "RestartSec=200ms\n")
    config = root / CONFIG[1:]
    config.parent.mkdir(exist_ok=True)
    config.write_text((root / "usr/share/requestrouter/keys.json").read_text())
    with open(root / "usr/lib/sysusers.d/requestrouter.conf", "a", encoding="utf-8") as file:
        file.write("u rr-agent - \"\" /home/rr-agent\nu rr-stranger -\nm rr-agent requestrouter\n")


class Booted(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.box = container.Container(prepare)
        cls.addClassCleanup(cls.box.close)
        if trouble := cls.box.boot():
            print("skipped: systemd does not come up in a container here:\n" + trouble, flush=True)
            cls.box.close()
            os._exit(77)
        for command in (("systemd-sysusers",), ("systemd-tmpfiles", "--create", "--prefix=/etc",
                                                "--prefix=/run", "--prefix=/var/lib")):
            cls.box.run(*command)

    def setUp(self):
        self.assertEqual(self.systemctl("start", SOCKET), "")
        self.addCleanup(self.box.run, "systemctl", "stop", SOCKET, SERVICE)

    def systemctl(self, *words):
        """What it has to say: nothing, where all is well."""
        done = self.box.run("systemctl", *words)
        why = self.box.journal("--lines=20") if done.returncode else ""
        return (done.stdout + done.stderr + why).strip()

    def ctl(self, *words, user=None):
        return self.box.run("routerctl", "--timeout", "30", *words, user=user)

    def pid(self):
        return int(self.box.show(SERVICE, "MainPID"))

    def wait_for_another(self, pid):
        def another():
            return self.pid() not in (0, pid) and self.box.show(SERVICE, "ActiveState") == "active"
        self.box.wait(another, "no restart")

    def signal(self, number):
        self.box.run("kill", f"-{int(number)}", str(self.pid()))

    def configure(self, text):
        config = self.box.path(CONFIG)
        self.addCleanup(config.write_text, config.read_text(encoding="utf-8"))
        config.write_text(text, encoding="utf-8")

    def test_starts_without_keys_and_says_what_to_do(self):
        self.assertEqual(self.systemctl("start", SERVICE), "")
        self.assertIn("serving 0 keys", self.box.show(SERVICE, "StatusText"))
        self.assertIn("there are no keys yet", self.box.journal())

    def test_the_first_client_starts_it(self):
        self.assertEqual(self.box.show(SERVICE, "ActiveState"), "inactive")
        self.assertEqual(self.ctl("ping").returncode, 0)
        self.assertEqual(self.box.show(SERVICE, "ActiveState"), "active")

    def test_members_of_the_group_may_connect_and_strangers_may_not(self):
        self.assertEqual(self.ctl("ping", user="rr-agent").returncode, 0)
        stranger = self.ctl("ping", user="rr-stranger")
        self.assertNotEqual(stranger.returncode, 0)
        self.assertIn("add it to the group", stranger.stderr)
        self.assertEqual(self.ctl("reload", user="rr-agent").returncode, 1)

    def test_a_reload_takes_effect_and_reads_a_credential(self):
        secret = self.box.path("/etc/requestrouter/credentials/one")
        secret.write_text("sk-of-the-credential\n", encoding="utf-8")
        secret.chmod(0o600)
        self.assertEqual(self.systemctl("start", SERVICE), "")
        pid = self.pid()
        self.configure(json.dumps({"keys": [{"key_id": "one", "provider": "gemini",
                                             "model_name": "gemini-2.5-flash"}]}))
        self.assertEqual(self.systemctl("reload", SERVICE), "")
        keys = json.loads(self.ctl("keys", "--json").stdout)["keys"]
        self.assertEqual([(key["key_id"], key["state"]) for key in keys], [("one", "ready")])
        self.assertEqual(self.pid(), pid)

    def test_a_service_that_asks_is_shown_by_its_name(self):
        self.configure(json.dumps({
            "keys": [{"key_id": "one", "provider": "gemini", "model_name": "m"}],
            "providers": {"gemini": {"base_url": "http://127.0.0.1:9"}}}))
        secret = self.box.path("/etc/requestrouter/credentials/one")
        secret.write_text("sk-of-the-credential\n", encoding="utf-8")
        self.assertEqual(self.systemctl("start", SERVICE), "")
        asking = self.box.start("systemd-run", "--quiet", "--unit=planner", "--collect",
                                "--property=User=rr-agent", "routerctl", "chat", "hello")
        self.addCleanup(asking.stdout.close)
        self.addCleanup(self.box.run, "systemctl", "stop", "planner.service")
        self.addCleanup(asking.wait, container.PATIENCE_S)

        def shown():
            queue = json.loads(self.ctl("--json", "queue").stdout)
            return [one["caller"] for one in queue["waiting"] + queue["in_flight"]]
        caller = self.box.wait(shown, "no request")[0]
        self.assertRegex(caller, r"^uid \d+ \(rr-agent\) pid \d+ \(planner.service\)$")

    def test_a_bad_reload_fails_says_why_and_changes_nothing(self):
        self.assertEqual(self.systemctl("start", SERVICE), "")
        pid = self.pid()
        self.configure('{"keys": [{"key_id": "one", "provider": "gemni", "model_name": "m"}]}')
        self.assertIn("did you mean \"gemini\"", self.systemctl("reload", SERVICE))
        self.assertEqual(self.box.show(SERVICE, "ActiveState"), "active")
        self.assertEqual(self.pid(), pid)

    def test_a_loop_that_stands_still_is_killed_and_started_again(self):
        self.assertEqual(self.systemctl("start", SERVICE), "")
        pid = self.pid()
        self.signal(signal.SIGSTOP)
        self.wait_for_another(pid)
        self.assertIn("atchdog timeout", self.box.run("journalctl", "--no-pager").stdout)
        self.assertEqual(self.ctl("ping").returncode, 0)

    def test_a_crash_is_followed_by_a_start_however_often(self):
        self.assertEqual(self.systemctl("start", SERVICE), "")
        for _ in range(6):
            pid = self.pid()
            self.signal(signal.SIGKILL)
            self.wait_for_another(pid)
        self.assertEqual(self.ctl("ping").returncode, 0)

    def test_no_connect_is_refused_over_a_restart(self):
        self.assertEqual(self.systemctl("start", SERVICE), "")
        with self.box.connecting() as connects:
            self.assertEqual(self.systemctl("restart", SERVICE), "")
        self.assertGreater(connects.count, 100)
        self.assertEqual(connects.refused, 0)

    def test_a_daemon_that_cannot_start_does_not_end_activation(self):
        self.configure("{")
        waiting = self.box.start("routerctl", "--timeout", "30", "ping")
        self.addCleanup(waiting.stdout.close)
        self.box.wait(lambda: int(self.box.show(SERVICE, "NRestarts")) >= 6, "no retries")
        self.assertEqual(self.box.show(SOCKET, "ActiveState"), "active")
        self.box.path(CONFIG).write_text('{"keys": []}', encoding="utf-8")
        self.assertEqual(waiting.wait(container.PATIENCE_S), 0)

    def test_a_request_is_in_the_journal_field_by_field_and_metrics_are_served(self):
        self.configure(json.dumps({"keys": [], "config": {"metrics_listen": "127.0.0.1:0"}}))
        self.assertEqual(self.systemctl("start", SERVICE), "")
        self.ctl("chat", "hello")

        def entries():
            lines = self.box.run("journalctl", "--output=json", "CALLER_UID=0").stdout
            return [json.loads(line) for line in lines.splitlines()]
        entry = self.box.wait(entries, "no entry of a request")[-1]
        self.assertEqual(entry["_SYSTEMD_UNIT"], SERVICE)
        self.assertEqual((entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"]), ("6", "routerd"))
        self.assertTrue(entry["REQUEST_ID"])
        self.assertTrue(entry["MESSAGE"].startswith("request failed request_id="))
        address = re.search(r"served at (http://\S+)", self.box.journal())[1]
        got = self.box.run("/usr/bin/python3", "-c",
                           "import sys, urllib.request as request;"
                           "print(request.urlopen(sys.argv[1]).read().decode())", address)
        self.assertIn("requestrouter_healthy 0", got.stdout, got.stderr)

    def test_a_user_may_run_a_daemon_of_their_own(self):
        uid = self.box.run("id", "-u", "rr-agent").stdout.strip()
        config = self.box.path("/home/rr-agent/.config/requestrouter/keys.json")
        config.parent.mkdir(parents=True)
        config.write_text('{"keys": []}', encoding="utf-8")
        self.box.run("chown", "-R", "rr-agent:", "/home/rr-agent")
        if self.systemctl("start", f"user@{uid}.service"):
            self.skipTest("no user manager comes up here")
        self.addCleanup(self.box.run, "systemctl", "stop", f"user@{uid}.service")
        own = ("env", f"XDG_RUNTIME_DIR=/run/user/{uid}", "HOME=/home/rr-agent")
        started = self.box.run(*own, "systemctl", "--user", "start", SOCKET, user="rr-agent")
        self.assertEqual(started.returncode, 0, started.stderr)
        pinged = self.box.run(*own, "routerctl", "--timeout", "30", "ping", user="rr-agent")
        self.assertEqual(pinged.returncode, 0, pinged.stderr + self.box.run("journalctl").stdout)
        active = self.box.run(*own, "systemctl", "--user", "is-active", SERVICE, user="rr-agent")
        self.assertEqual(active.stdout, "active\n")
        self.assertTrue(self.box.path("/home/rr-agent/.local/state/requestrouter").is_dir())
        self.assertEqual(self.box.show(SERVICE, "ActiveState"), "inactive", "not the system's")

    def test_a_stop_waits_for_the_answer_of_a_request_in_flight(self):
        provider = self.box.start("/usr/bin/python3", "-c", SLOW_PROVIDER)
        self.addCleanup(provider.stdout.close)
        self.addCleanup(provider.wait, container.PATIENCE_S)
        self.addCleanup(provider.kill)
        port = int(provider.stdout.readline())
        self.configure(json.dumps({
            "keys": [{"key_id": "one", "provider": "slow", "model_name": "m"}],
            "providers": {"slow": {"kind": "openai", "base_url": f"http://127.0.0.1:{port}/v1"}}}))
        secret = self.box.path("/etc/requestrouter/credentials/one")
        secret.write_text("sk-of-the-credential\n", encoding="utf-8")
        self.assertEqual(self.systemctl("start", SERVICE), "")
        asking = self.box.start("routerctl", "chat", "hello")
        self.addCleanup(asking.stdout.close)
        self.assertEqual(provider.stdout.readline(), "asked\n")
        self.assertEqual(self.systemctl("stop", SOCKET, SERVICE), "")
        self.assertEqual(asking.wait(container.PATIENCE_S), 0)
        self.assertIn("the answer", asking.stdout.read())
        self.assertEqual(self.box.show(SERVICE, "Result"), "success")

    def test_who_asks_while_it_crashes_is_answered_by_the_next_one(self):
        self.assertEqual(self.systemctl("start", SERVICE), "")
        pid = self.pid()
        self.signal(signal.SIGSTOP)
        asking = self.box.start("routerctl", "--timeout", "30", "ping")
        self.addCleanup(asking.stdout.close)
        self.signal(signal.SIGKILL)
        self.wait_for_another(pid)
        self.assertEqual(asking.wait(container.PATIENCE_S), 0)

    def test_a_stop_is_clean_and_leaves_the_socket_to_systemd(self):
        self.assertEqual(self.systemctl("start", SERVICE), "")
        self.systemctl("stop", SERVICE)
        self.assertEqual(self.box.show(SERVICE, "Result"), "success")
        self.assertEqual(self.box.show(SERVICE, "ExecMainStatus"), "0")
        self.assertEqual(self.box.show(SOCKET, "ActiveState"), "active")
        self.assertEqual(self.box.run("test", "-S", "/run/requestrouter/router.sock").returncode, 0)
        self.assertEqual(self.systemctl("stop", SOCKET), "")
        self.assertEqual(self.box.run("test", "-e", "/run/requestrouter/router.sock").returncode, 1)


if __name__ == "__main__":
    if missing := container.why_not():
        print("skipped: " + missing)
        sys.exit(77)
    unittest.main(verbosity=2)
