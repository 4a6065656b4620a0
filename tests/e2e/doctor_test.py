"""routerctl doctor against the real daemon: what it finds, and that it says what to do."""

import json
import os
import pathlib
import pty
import select
import shutil
import socket
import subprocess
import unittest

from support import BIN, PATIENCE_S, EndToEnd, key


class Doctor(EndToEnd):
    def files(self, daemon):
        return ["--config", str(daemon.config), "--env-file", str(daemon.env_file),
                "--state-dir", str(daemon.folder / "state")]

    def doctor(self, daemon, *arguments):
        """The exit code and the findings."""
        done = daemon.ctl("--json", "doctor", *self.files(daemon), *arguments)
        self.assertEqual(done.stderr, "")
        return done.returncode, json.loads(done.stdout)["findings"]

    def of(self, findings, check, verdict):
        return [f for f in findings if (f["check"], f["verdict"]) == (check, verdict)]

    def the(self, findings, check, verdict):
        found = self.of(findings, check, verdict)
        self.assertEqual(len(found), 1, findings)
        return found[0]

    def read_until(self, terminal, text):
        said = ""
        while text not in said:
            self.assertTrue(select.select([terminal], [], [], PATIENCE_S)[0], said)
            said += os.read(terminal, 4096).decode()

    def test_of_a_healthy_host_nothing_is_wrong_and_nothing_is_sent_unasked(self):
        daemon = self.daemon()
        code, findings = self.doctor(daemon)
        self.assertEqual([f for f in findings if f["verdict"] == "wrong"], [])
        self.assertEqual(code, 0)
        self.assertEqual({f["check"] for f in findings},
                         {"configuration", "socket", "permissions", "clock", "disk", "daemon",
                          "keys", "providers"})
        self.assertEqual(self.the(findings, "keys", "fine")["text"], "2 of 2 keys are ready")
        self.assertIn("--probe", self.the(findings, "providers", "not checked")["remedy"])
        self.assertEqual(self.sim.requests(), 0)

    def test_speaks_to_people_in_lines_with_a_verdict(self):
        done = self.daemon().ctl("doctor")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"(?m)^fine +socket +something listens at /")
        self.assertRegex(done.stdout, r"(?m)^not checked +providers ")
        self.assertRegex(done.stdout.splitlines()[-1], r"^nothing is wrong")

    def test_a_probe_goes_through_each_key_and_finds_the_revoked_one(self):
        daemon = self.daemon(keys=[key("k1", rpm=100, tags={"priority": 1}), key("k2", rpm=100)])
        self.sim.control(revoke="s2")
        code, findings = self.doctor(daemon, "--probe")
        self.assertEqual(code, 1)
        self.assertIn("k1 was answered", self.the(findings, "providers", "fine")["text"])
        wrong = self.the(findings, "providers", "wrong")
        self.assertIn("k2", wrong["text"])
        self.assertIn("replace its secret", wrong["remedy"])
        usage = self.client(daemon).ask("usage", {"by": ["key", "agent"]})["body"]["rows"]
        self.assertIn(("k1", "routerctl doctor"), [(r["key"], r["agent"]) for r in usage])
        # The daemon has learned it too, and does not ask again.
        code, findings = self.doctor(daemon, "--probe")
        self.assertIn("k2", self.the(findings, "keys", "wrong")["text"])
        self.assertEqual(self.of(findings, "providers", "wrong"), [])

    def test_a_probe_takes_no_other_key_where_its_own_has_no_room(self):
        daemon = self.daemon(keys=[key("k1", rpm=100), key("k2", rpm=1)])
        asked = self.client(daemon).chat("hello", key_id="k2")
        self.assertEqual(asked["body"]["key_id"], "k2")
        _, findings = self.doctor(daemon, "--probe")
        self.assertIn("k2 has no room", self.the(findings, "providers", "doubtful")["text"])

    def test_on_a_terminal_it_asks_before_it_sends(self):
        daemon = self.daemon()
        for answer, sent in (("n", 0), ("y", 2)):
            with self.subTest(answer=answer):
                ours, theirs = pty.openpty()
                self.addCleanup(os.close, ours)
                doctor = subprocess.Popen([BIN / "routerctl", "--endpoint", daemon.endpoint,
                                           "doctor"], stdin=theirs, stdout=theirs,
                                          env=daemon.environment)
                os.close(theirs)
                self.read_until(ours, "with each of 2 keys. Go on? [y/N]")
                os.write(ours, answer.encode() + b"\n")
                self.read_until(ours, "nothing is wrong")
                self.assertEqual(doctor.wait(PATIENCE_S), 0)
                self.assertEqual(self.sim.requests(), sent)

    def test_without_a_daemon_it_checks_what_needs_none_and_exits_with_3(self):
        daemon = self.daemon(start=False)
        code, findings = self.doctor(daemon)
        self.assertEqual(code, 3)
        self.assertIn("start", self.the(findings, "socket", "wrong")["remedy"])
        self.assertIn("2 keys", self.the(findings, "configuration", "fine")["text"])
        self.the(findings, "keys", "not checked")

    def test_a_socket_that_a_killed_daemon_left_is_stale(self):
        daemon = self.daemon()
        daemon.kill()
        code, findings = self.doctor(daemon)
        self.assertEqual(code, 3)
        self.assertIn("stale", self.the(findings, "socket", "wrong")["text"])

    def test_a_socket_path_may_be_too_long_or_something_else(self):
        daemon = self.daemon(start=False)
        daemon.endpoint = "ipc:///tmp/" + "x" * 103
        self.assertIn("too long", self.the(self.doctor(daemon)[1], "socket", "wrong")["text"])
        daemon.endpoint = f"ipc://{daemon.config}"
        self.assertIn("not a socket", self.the(self.doctor(daemon)[1], "socket", "wrong")["text"])

    def test_mistakes_of_the_configuration_are_told_as_routerd_tells_them(self):
        daemon = self.daemon()
        daemon.config.write_text('{"keys": [{"key_id": "k1", "provider": "gemini",\n'
                                 ' "model_name": "m", "rpm": -1}]}')
        code, findings = self.doctor(daemon)
        self.assertEqual(code, 1)
        wrong = self.the(findings, "configuration", "wrong")
        self.assertIn(f"{daemon.config}:2", wrong["text"])
        self.assertIn("rpm", wrong["text"])
        self.assertIn("routerctl reload", wrong["remedy"])

    def test_files_that_others_may_read_are_wrong(self):
        daemon = self.daemon()
        daemon.env_file.chmod(0o644)
        (daemon.folder / "state").chmod(0o755)
        code, findings = self.doctor(daemon)
        self.assertEqual(code, 1)
        remedies = [f["remedy"] for f in self.of(findings, "permissions", "wrong")]
        self.assertIn(f"chmod 700 {daemon.folder}/state", remedies)
        self.assertTrue(any(r.startswith(f"chmod 600 {daemon.env_file}") for r in remedies),
                        remedies)

    def test_a_key_without_a_secret_says_where_to_put_it(self):
        daemon = self.daemon(secrets={"k1": "s1"})
        code, findings = self.doctor(daemon)
        self.assertEqual(code, 1)
        self.assertIn("API_KEY_k2", self.the(findings, "keys", "wrong")["remedy"])

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to be somebody else")
    def test_somebody_who_may_not_connect_is_told_which_group_to_join(self):
        daemon = self.daemon()
        os.chmod(self.folder.name, 0o755)
        # A build's folder may be closed to others.
        program = pathlib.Path(self.folder.name) / "routerctl"
        shutil.copy(BIN / "routerctl", program)
        done = subprocess.run([program, "--endpoint", daemon.endpoint, "--json", "doctor"],
                              user="nobody", group="nogroup", extra_groups=[],
                              env=daemon.environment, cwd="/", text=True, capture_output=True,
                              timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        wrong = self.the(json.loads(done.stdout)["findings"], "socket", "wrong")
        self.assertIn("nobody may not connect", wrong["text"])
        self.assertIn("usermod -aG requestrouter nobody", wrong["remedy"])

    def test_something_that_listens_but_does_not_answer_is_told(self):
        daemon = self.daemon(start=False)
        with socket.socket(socket.AF_UNIX) as mute:
            mute.bind(daemon.endpoint.removeprefix("ipc://"))
            mute.listen()
            code, findings = self.doctor(daemon)
        self.the(findings, "daemon", "wrong")
        self.assertIn(code, (1, 3))


if __name__ == "__main__":
    unittest.main()
