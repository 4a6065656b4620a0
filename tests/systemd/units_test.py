"""The units, as systemd itself judges them, without one that runs."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import units


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="rr-units-")
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name)
        units.install(cls.root)

    def unit(self, name, where=units.SYSTEM):
        return (self.root / where / name).read_text(encoding="utf-8")

    def settings(self, name, where=units.SYSTEM):
        lines = self.unit(name, where).splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")

    def copies(self, where):
        """The units with the programs where they are now: verify looks whether they are there."""
        folder = self.root / ("verify-" + pathlib.Path(where).name)
        folder.mkdir(exist_ok=True)
        for path in (self.root / where).iterdir():
            text = path.read_text(encoding="utf-8")
            for bin in ("/usr/sbin/", "/usr/bin/"):
                text = text.replace("=" + bin, f"={self.root}{bin}")
            (folder / path.name).write_text(text, encoding="utf-8")
        return sorted(folder.iterdir())

    def verify(self, where, *options):
        done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", *options,
                               *self.copies(where)], capture_output=True, text=True, check=False,
                              env={**os.environ, "XDG_RUNTIME_DIR": str(self.root)})
        return done.stdout + done.stderr

    def exposure_within(self, tenths, text):
        path = self.root / "routerd.service"
        path.write_text(text, encoding="utf-8")
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                               f"--threshold={tenths}", path], capture_output=True, text=True,
                              check=False)
        return done.returncode == 0, done.stdout[-200:] + done.stderr

    def test_systemd_has_nothing_to_say_about_the_units(self):
        self.assertEqual(self.verify(units.SYSTEM), "")
        self.assertEqual(self.verify(units.USER, "--user"), "")

    def test_systemd_does_speak_up_about_a_misspelt_setting(self):
        path = self.root / units.SYSTEM / "routerd.service"
        text = path.read_text(encoding="utf-8")
        self.addCleanup(path.write_text, text)
        path.write_text(text.replace("WatchdogSec", "WatchdgSec"), encoding="utf-8")
        self.assertIn("WatchdgSec", self.verify(units.SYSTEM))

    def test_the_exposure_is_at_most_1_5(self):
        within, said = self.exposure_within(15, self.unit("routerd.service"))
        self.assertTrue(within, said)

    def test_without_hardening_it_would_not_be(self):
        bare = [line for line in self.unit("routerd.service").splitlines()
                if not line.startswith(("Protect", "Restrict", "Private"))]
        self.assertFalse(self.exposure_within(15, "\n".join(bare))[0])

    def test_resources_are_bounded_and_the_service_is_watched(self):
        for where in (units.SYSTEM, units.USER):
            service = self.settings("routerd.service", where)
            self.assertEqual(service["Type"], "notify")
            for name in ("MemoryMax", "LimitNOFILE", "WatchdogSec", "Restart", "TimeoutStopSec"):
                self.assertIn(name, service)
            self.assertEqual(service["LimitCORE"], "0")
            self.assertEqual(service["StartLimitIntervalSec"], "0")

    def test_the_service_listens_where_the_socket_unit_does(self):
        for where in (units.SYSTEM, units.USER):
            path = self.settings("routerd.socket", where)["ListenStream"]
            self.assertIn(f"--endpoint ipc://{path}",
                          self.settings("routerd.service", where)["ExecStart"])

    def test_only_the_group_may_connect(self):
        socket = self.settings("routerd.socket")
        self.assertEqual((socket["SocketGroup"], socket["SocketMode"]), ("requestrouter", "0660"))
        self.assertEqual(self.settings("routerd.socket", units.USER)["SocketMode"], "0600")

    def test_credentials_are_loaded_from_a_folder_of_roots_own(self):
        self.assertEqual(self.settings("routerd.service")["LoadCredential"],
                         "key:/etc/requestrouter/credentials")
        rules = (self.root / "usr/lib/tmpfiles.d/requestrouter.conf").read_text(encoding="utf-8")
        self.assertIn("d /etc/requestrouter/credentials 0700 root root -", rules)

    def test_a_new_root_has_the_user_the_groups_and_the_folders(self):
        if not shutil.which("systemd-sysusers"):
            self.skipTest("no systemd-sysusers")
        (self.root / "etc").mkdir(exist_ok=True)
        subprocess.run(["systemd-sysusers", f"--root={self.root}"], check=True,
                       capture_output=True)
        groups = (self.root / "etc/group").read_text(encoding="utf-8")
        self.assertIn("requestrouter:", groups)
        self.assertIn("requestrouter-admin:", groups)
        self.assertIn("/var/lib/requestrouter",
                      (self.root / "etc/passwd").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
