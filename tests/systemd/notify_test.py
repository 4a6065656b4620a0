"""What the daemon tells the service manager, and a socket that it is handed."""

import pathlib
import socket
import subprocess
import unittest

from support import PATIENCE_S, EndToEnd

# Puts the listening socket where sd_listen_fds(3) expects it, and becomes the daemon.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"] = "1", str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class ServiceManager(EndToEnd):
    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(self.folder.name + "/notify")
        self.manager.settimeout(PATIENCE_S)

    def told(self, word):
        """Waits until the daemon says it."""
        while True:
            said = self.manager.recv(4096).decode()
            if word in said.split("\n"):
                return said

    def watched(self, period_ms=200):
        daemon = self.daemon(start=False)
        daemon.environment |= {"NOTIFY_SOCKET": self.folder.name + "/notify",
                               "WATCHDOG_USEC": str(period_ms * 1000)}
        return daemon.start()

    def test_ready_then_alive_then_stopping(self):
        daemon = self.watched()
        self.assertIn("STATUS=serving 2 keys", self.told("READY=1"))
        self.told("WATCHDOG=1")
        self.told("WATCHDOG=1")
        self.assertEqual(daemon.stop(), 0)
        self.assertIn("EXTEND_TIMEOUT_USEC=45000000", self.told("STOPPING=1"))  # 30 s to drain

    def test_a_reload_is_announced_and_ends(self):
        daemon = self.watched(period_ms=60_000)
        self.told("READY=1")
        self.assertTrue(self.client(daemon).ask("reload")["ok"])
        self.assertIn("MONOTONIC_USEC=", self.told("RELOADING=1"))
        self.told("READY=1")

    def test_a_request_sent_before_the_start_is_answered_through_the_socket_handed_over(self):
        daemon = self.daemon(start=False)
        path = daemon.endpoint.removeprefix("ipc://")
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(listening.close)
        listening.bind(path)
        listening.listen(16)
        client = self.client(daemon)
        client.send("ping")
        fd = listening.fileno()
        process = subprocess.Popen(
            ["/usr/bin/python3", "-c", ACTIVATE, str(fd), *map(str, daemon.command())],
            env=daemon.environment, pass_fds=[fd], stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.assertTrue(client.receive()["ok"])
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assertTrue(pathlib.Path(path).is_socket(), "it is the service manager's")


if __name__ == "__main__":
    unittest.main()
