"""The Debian packages: installed, upgraded, removed and purged in a root of the test's own.

Under a booted systemd where the machine allows it, else in a chroot without services.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import container
import units

DAEMON = "requestrouter"
LIBRARY = "librequestrouter1"
DIRECT = "librequestrouter-direct1"
HEADERS = "librequestrouter-dev"
PYTHON = "python3-requestrouter"
PACKAGES = (DAEMON, LIBRARY, DIRECT, HEADERS, PYTHON)
DATABASE = "/var/lib/requestrouter/requestrouter.db"
CONFIG = "/etc/requestrouter/keys.json"


def make_packages(folder, version):
    """{name: path} of the packages of one version."""
    folder.mkdir()
    subprocess.run(["cpack", "--config", units.BUILD / "CPackConfig.cmake", "-B", folder,
                    "-D", f"CPACK_PACKAGE_VERSION={version}",
                    "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip",
                    "-D", f"CPACK_DEBIAN_DIRECT_PACKAGE_DEPENDS={LIBRARY} (= {version})",
                    "-D", "CPACK_DEBIAN_DEV_PACKAGE_DEPENDS="
                          f"{LIBRARY} (= {version}), {DIRECT} (= {version})"],
                   check=True, capture_output=True, cwd=units.BUILD)
    return {path.name.split("_")[0]: path for path in folder.glob("*.deb")}


def prepare(root):
    """No trace of what the machine itself may have installed."""
    policy = root / "usr/sbin/policy-rc.d"
    policy.unlink(missing_ok=True)


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="rr-packages-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.old = make_packages(cls.folder / "old", "0.1.0")
        cls.new = make_packages(cls.folder / "new", "0.1.1")

    def setUp(self):
        self.box = container.Container(prepare)
        self.addCleanup(self.box.close)
        if os.environ.get("REQUESTROUTER_NO_BOOT") or self.box.boot():
            self.box.stay_chroot()
        self.booted = self.box.leader is not None

    def dpkg(self, *words):
        done = self.box.run("dpkg", *words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def install(self, packages, *names):
        paths = []
        for name in names:
            path = self.box.path("/var/tmp") / packages[name].name
            path.write_bytes(packages[name].read_bytes())
            paths.append("/var/tmp/" + path.name)
        return self.dpkg("--install", *paths)

    def fields(self, name, *fields):
        """Those of the package's control file; all of them where none is named."""
        return subprocess.run(["dpkg-deb", "--field", self.old[name], *fields], check=True,
                              capture_output=True, text=True).stdout

    def exists(self, path):
        return self.box.run("test", "-e", path).returncode == 0

    def is_active(self, unit):
        return self.box.run("systemctl", "is-active", unit).stdout.strip() == "active"

    def assert_running(self, yes):
        if self.booted:
            self.box.wait(lambda: self.is_active("routerd.service") == yes,
                          "routerd.service does not " + ("start" if yes else "stop"))
            self.assertEqual(self.is_active("routerd.socket"), yes)

    def test_from_the_installation_to_the_purge(self):
        said = self.install(self.old, DAEMON)
        self.assertIn("has no keys yet", said)
        self.assert_running(True)
        checked = self.box.run("routerd", "--config", CONFIG, "--check-config")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn("there are no keys yet", checked.stderr)
        for path in ("/usr/share/man/man8/routerd.8.gz", "/usr/share/man/man1/routerctl.1.gz",
                     "/usr/share/man/man5/keys.json.5.gz",
                     "/usr/share/requestrouter/monitoring/alerts.yml",
                     "/usr/share/requestrouter/monitoring/dashboard.json",
                     "/usr/share/bash-completion/completions/routerctl"):
            self.assertTrue(self.exists(path), path)

        mine = {"keys": [], "config": {"max_retries": 7}}
        self.box.path(CONFIG).write_text(json.dumps(mine), encoding="utf-8")
        if not self.booted:
            self.box.path(DATABASE).write_text("a database", encoding="utf-8")
        inode = self.box.path(DATABASE).stat().st_ino
        self.install(self.new, DAEMON)
        self.assertIn("0.1.1", self.dpkg("--status", DAEMON))
        self.assert_running(True)
        self.assertEqual(json.loads(self.box.path(CONFIG).read_text(encoding="utf-8")), mine)
        self.assertEqual(self.box.path(DATABASE).stat().st_ino, inode)

        self.dpkg("--remove", DAEMON)
        self.assert_running(False)
        self.assertFalse(self.exists("/usr/sbin/routerd"))
        self.assertTrue(self.exists(CONFIG))
        self.assertTrue(self.exists(DATABASE))

        self.dpkg("--purge", DAEMON)
        for path in ("/etc/requestrouter", "/var/lib/requestrouter", "/run/requestrouter"):
            self.assertFalse(self.exists(path), path)
        self.assertEqual(self.box.run("dpkg", "--status", DAEMON).returncode, 1)

    def test_an_upgrade_refuses_nobody(self):
        if not self.booted:
            self.skipTest("systemd does not come up in a container here")
        self.install(self.old, DAEMON)
        self.assert_running(True)
        before = self.box.show("routerd.service", "MainPID")
        with self.box.connecting() as connects:
            self.install(self.new, DAEMON)
        self.assertNotEqual(self.box.show("routerd.service", "MainPID"), before)
        self.assertGreater(connects.count, 100)
        self.assertEqual(connects.refused, 0)

    def test_a_removal_and_a_new_installation_continue_with_the_old_state(self):
        self.install(self.old, DAEMON)
        self.box.path(CONFIG).write_text('{"keys": [], "config": {}}', encoding="utf-8")
        self.dpkg("--remove", DAEMON)
        self.assertNotIn("has no keys yet", self.install(self.new, DAEMON))
        self.assertEqual(self.box.path(CONFIG).read_text(encoding="utf-8"),
                         '{"keys": [], "config": {}}')
        self.assert_running(True)

    def test_secrets_and_state_are_closed_to_others(self):
        self.install(self.old, DAEMON)
        for path, mode in (("/etc/requestrouter", "750"), ("/etc/requestrouter/credentials", "700"),
                           (CONFIG, "640"), ("/var/lib/requestrouter", "700")):
            self.assertEqual(self.box.run("stat", "-c", "%a", path).stdout.strip(), mode, path)

    def test_the_library_serves_python_c_and_cmake(self):
        self.install(self.old, LIBRARY, DIRECT, HEADERS, PYTHON)
        python = self.box.run("/usr/bin/python3", "-c",
                              "import requestrouter as r; print(r.get_request_router()."
                              "health_check()['healthy'])")
        self.assertEqual(python.stdout.strip(), "False", python.stderr)
        flags = self.box.run("pkg-config", "--cflags", "--libs", "requestrouter").stdout.split()
        self.assertIn("-lrequestrouter", flags)
        self.assertIn("-lrequestrouter_direct", self.box.run(
            "pkg-config", "--libs", "requestrouter_direct").stdout.split())
        program = '#include <requestrouter/requestrouter.h>\nint main(void) { return 0; }\n'
        built = self.box.run("cc", "-x", "c", "-", "-o", "/var/tmp/program", *flags, input=program)
        self.assertEqual(built.returncode, 0, built.stderr)

    def test_each_says_what_it_is_and_needs(self):
        for name in PACKAGES:
            fields = self.fields(name)
            self.assertIn(f"Package: {name}\n", fields)
            self.assertRegex(fields, r"Depends: \S")
            self.assertRegex(fields, r"Description: \S.*\n \S")
        self.assertIn("libzmq5", self.fields(DAEMON, "Depends"))

    def test_direct_mode_alone_brings_an_http_library(self):
        self.assertNotIn("curl", self.fields(LIBRARY, "Depends"))
        self.assertIn("curl", self.fields(DIRECT, "Depends"))
        for name in (DIRECT, HEADERS):
            self.assertIn(LIBRARY + " (= ", self.fields(name, "Depends"))
        self.assertIn(DIRECT + " (= ", self.fields(HEADERS, "Depends"))
        self.assertIn(DIRECT, self.fields(PYTHON, "Recommends"))
        self.assertNotIn(DIRECT, self.fields(PYTHON, "Depends"))

    def test_python_without_direct_mode_says_which_package_has_it(self):
        self.install(self.old, LIBRARY, PYTHON)
        said = self.box.run("env", "LLM_MULTI_KEY_ROUTER_ENABLED=false", "GEMINI_API_KEY=s",
                            "/usr/bin/python3", "-c", "import requestrouter as r; "
                            "print(r.get_request_router().send_one_shot('Hello'))")
        self.assertIn(DIRECT, said.stdout + said.stderr)


if __name__ == "__main__":
    if missing := container.why_not_a_root():
        print("skipped: " + missing)
        sys.exit(77)
    unittest.main(verbosity=2)
