"""Who may connect, who is an administrator, whose conversations are whose: by the kernel's word.

Needs root, to be several users; they exist only in a user database of the test's own.
"""

import ctypes
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from support import BIN, PATIENCE_S, Daemon, EndToEnd, key

SKIPPED = 77
USERS = """root:x:0:0::/:/bin/sh
rr-daemon:x:61000:61000::/:/bin/sh
ada:x:61001:61001::/:/bin/sh
bob:x:61002:61002::/:/bin/sh
eve:x:61003:61003::/:/bin/sh
"""
# Ada is an administrator by a supplementary group.
GROUPS = """root:x:0:
rr-daemon:x:61000:
ada:x:61001:
bob:x:61002:
eve:x:61003:
rr-users:x:61010:ada,bob
rr-admins:x:61011:ada
"""


def own_user_database():
    """Puts it in place for this process and its children. What kept it from that, or None."""
    if os.geteuid() != 0:
        return "only root can be several users"
    if ctypes.CDLL(None, use_errno=True).unshare(0x20000) != 0:  # CLONE_NEWNS
        return "no mount namespace: " + os.strerror(ctypes.get_errno())
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for name, text in (("passwd", USERS), ("group", GROUPS)):
        with tempfile.NamedTemporaryFile("w", prefix="rr-users-") as file:
            file.write(text)
            file.flush()
            os.chmod(file.name, 0o644)
            if subprocess.run(["mount", "--bind", file.name, "/etc/" + name],
                              check=False).returncode != 0:
                return "files cannot be mounted"
    return None


def as_user(user, *command, groups=("--init-groups",), group=None):
    return ["setpriv", "--reuid", user, "--regid", group or user, *groups, "--", *command]


class Confined(Daemon):
    """Runs as its own user, with the group of those who may connect."""

    def command(self, *arguments):
        return as_user("rr-daemon", *super().command(*arguments), group="rr-users")


class Access(EndToEnd):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.folder.name)
        self.routerd = Confined(folder, self.sim, [key("k1", rpm=100)], {"k1": "s1"},
                                config={"admin_group": "rr-admins"})
        self.addCleanup(self.stop_cleanly, self.routerd)
        for path in (folder, *folder.iterdir()):
            os.chown(path, 61000, 61010)
        folder.chmod(0o755)
        self.routerd.start()

    def ask(self, user, *words):
        return subprocess.run(as_user(user, str(BIN / "routerctl"), "--endpoint",
                                      self.routerd.endpoint, *words),
                              env=self.routerd.environment, capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)

    def assert_exit(self, done, code, word=""):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(word, done.stdout + done.stderr)

    def conversations(self, user, *words):
        listed = self.ask(user, "--json", "conversations", *words)
        self.assert_exit(listed, 0)
        return [one["conv_id"] for one in json.loads(listed.stdout)["conversations"]]

    def test_the_group_may_connect_and_others_may_not(self):
        for user in ("root", "rr-daemon", "ada", "bob"):
            self.assert_exit(self.ask(user, "ping"), 0)
        self.assert_exit(self.ask("eve", "ping"), 1, "may not connect")

    def test_administrators_are_root_the_daemons_uid_and_the_admin_group(self):
        for user in ("root", "rr-daemon", "ada"):
            self.assert_exit(self.ask(user, "disable", "k1"), 0)
            self.assert_exit(self.ask(user, "enable", "k1"), 0)
        for words in (("disable", "k1"), ("enable", "k1"), ("reset-cooldown", "--all"),
                      ("reload",), ("backup", "/tmp/none"), ("restore", "/tmp/none"), ("check",),
                      ("conversations", "--uid", "61001")):
            self.assert_exit(self.ask("bob", *words), 1, "permission_denied")

    def test_conversations_belong_to_their_uid(self):
        self.assert_exit(self.ask("bob", "chat", "-c", "notes", "I am Bob"), 0)
        self.assert_exit(self.ask("ada", "chat", "-c", "notes", "I am Ada"), 0)
        self.assert_exit(self.ask("bob", "chat", "-c", "bobs", "a secret"), 0)
        self.assertEqual(self.conversations("ada"), ["notes"])
        self.assertIn("I am Bob", self.ask("bob", "conversation", "notes").stdout)
        self.assertNotIn("I am Ada", self.ask("bob", "conversation", "notes").stdout)
        self.assert_exit(self.ask("root", "conversation", "bobs"), 1, "not_found")
        self.assertEqual(sorted(self.conversations("ada", "--uid", "61002")), ["bobs", "notes"])
        self.assert_exit(self.ask("ada", "conversation", "notes", "--delete"), 0)
        self.assertEqual(sorted(self.conversations("bob")), ["bobs", "notes"])

    def test_requests_of_others_are_not_to_be_seen_nor_cancelled(self):
        self.sim.control(latency_ms=10_000)
        asking = subprocess.Popen(as_user("bob", str(BIN / "routerctl"), "--endpoint",
                                          self.routerd.endpoint, "chat", "hello"),
                                  env=self.routerd.environment, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(asking.wait, PATIENCE_S)
        self.addCleanup(asking.terminate)
        caller = f"uid 61002 (bob) pid {asking.pid} (routerctl)"  # named as soon as it is looked up

        def of_caller():
            queue = json.loads(self.ask("ada", "--json", "queue").stdout)
            return [one for one in queue["in_flight"] if one["caller"] == caller]

        [request] = self.until(of_caller, "bob's request, with his name")
        self.assert_exit(self.ask("eve", "queue"), 1)
        self.assert_exit(self.ask("root", "cancel", request["id"]), 1)
        self.assert_exit(self.ask("ada", "explain", request["id"]), 1, "not_found")
        explained = self.ask("ada", "explain", "--uid", "61002", request["id"])
        self.assert_exit(explained, 0, "uid 61002 (bob)")
        self.assert_exit(self.ask("bob", "cancel", request["id"]), 0)


if __name__ == "__main__":
    if why_not := own_user_database():
        print("skipped: " + why_not)
        sys.exit(SKIPPED)
    unittest.main()
