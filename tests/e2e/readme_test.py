"""What README.md says is tried as a newcomer would: every command in it runs here."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

from support import BIN, EndToEnd, PATIENCE_S, key

SOURCE = pathlib.Path(__file__).resolve().parents[2]
README = (SOURCE / "README.md").read_text(encoding="utf-8")
BUILD = BIN.parent


def section(title):
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.M | re.S).group(1)


def indented(text):
    """The command lines of a section, without what a person adds after a #."""
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    return [re.sub(r"\s{2,}#.*", "", line) for line in lines]


def fenced(text, language):
    return re.search(rf"^```{language}\n(.*?)^```", text, re.M | re.S).group(1)


def steady(text):
    """Without what differs from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"127\.0\.0\.1:\d+|ipc://\S+", "ADDRESS", text)
    return re.sub(r"up \d+\w+|waited \d+ ms", "SOON", text)


class Developer(unittest.TestCase):
    def test_every_dev_command_and_preset_exists(self):
        usage = subprocess.run([SOURCE / "dev"], capture_output=True, text=True, check=True).stdout
        commands = re.findall(r"\./dev (\w+)(?: ([\w-]+))?", README)
        self.assertGreater(len(commands), 5)
        presets = [p["name"] for p in
                   json.loads((SOURCE / "CMakePresets.json").read_text())["buildPresets"]]
        for command, word in commands:
            self.assertRegex(usage, rf"(?m)^  {command}\b")
            if command in ("build", "test") and word:
                self.assertIn(word, presets)
            if command == "bench":
                self.assertTrue(os.access(SOURCE / f"tests/bench/{word}.sh", os.X_OK), word)
            if command == "fuzz":
                self.assertTrue((SOURCE / "tests/fuzz/corpus" / word).is_dir(), word)
            if command == "demo" and word:
                self.assertTrue((SOURCE / f"tests/demo/{word}.sh").is_file(), word)

    def test_the_pattern_and_the_binary_of_one_test_exist(self):
        pattern = re.search(r"-R (\w+)", README).group(1)
        listed = subprocess.run(["ctest", "--test-dir", BUILD, "-N", "-R", pattern],
                                capture_output=True, text=True, check=True).stdout
        self.assertNotIn("Total Tests: 0", listed)
        binary, wanted = re.search(r"build/(tests/\w+) --gtest_filter='([^']+)'", README).groups()
        listed = subprocess.run([BUILD / binary, "--gtest_list_tests", f"--gtest_filter={wanted}"],
                                capture_output=True, text=True, check=True).stdout
        self.assertGreater(len(listed.splitlines()), 2, listed)

    def test_the_files_and_names_that_a_developer_is_sent_to_exist(self):
        files = subprocess.run(["git", "ls-files"], cwd=SOURCE, capture_output=True, text=True,
                               check=False).stdout.split()
        if not files:
            self.skipTest("needs git and the repository: the tree's files are listed by it")
        sources = "\n".join((SOURCE / name).read_text(encoding="utf-8") for name in files
                            if name.endswith((".cc", ".h")) and not name.startswith("tests/"))
        for word in re.findall(r"`([\w./]+)`", section("How it is built")):
            if "/" in word:
                self.assertTrue((SOURCE / word).exists(), word)
            elif re.search(r"\.(cc|h|md)$", word):
                self.assertTrue([name for name in files if name.endswith("/" + word)], word)
            elif re.fullmatch(r"(k?[A-Z][a-z]+[A-Z]?)\w*", word):
                self.assertRegex(sources, rf"\b{word}\b")

    def test_the_demo_prints_what_is_shown_of_it(self):
        environment = {**os.environ, "REQUESTROUTER_BIN": str(BIN)}
        done = subprocess.run([SOURCE / "tests/demo/demo.sh"], env=environment, text=True,
                              capture_output=True, timeout=10 * PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        printed = steady(done.stdout)
        position = 0
        for line in steady(fenced(README, "console")).splitlines():
            if line in ("", "…"):
                continue
            found = printed.find(line + "\n", position)
            self.assertGreaterEqual(found, 0, f"not printed: {line}\n{printed}")
            position = found + len(line)


class Newcomer(EndToEnd):
    SIM = ("--accept-any-key",)

    def shell(self, lines, daemon):
        environment = {**daemon.environment, "REQUESTROUTER_ENDPOINT": daemon.endpoint}
        return subprocess.run(["bash", "-euc", "\n".join(lines)], cwd=self.folder.name,
                              env=environment, text=True, capture_output=True,
                              timeout=2 * PATIENCE_S, check=False)

    def test_the_lines_for_a_real_key_end_in_an_answer(self):
        daemon = self.daemon(start=False)
        (pathlib.Path(self.folder.name) / "build").symlink_to(BUILD)
        lines = indented(section("Use it with a real key"))
        self.assertEqual(len(lines), 4)
        daemon.config.unlink()
        daemon.env_file.unlink()
        starts = next(i for i, line in enumerate(lines) if line.endswith("&"))
        # A person types more slowly than a daemon starts.
        lines.insert(starts + 1, "until build/bin/routerctl health >/dev/null 2>&1; do :; done")
        lines[starts] += "\ntrap 'kill $!; wait $!' EXIT"
        done = self.shell(lines, daemon)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("You said: Hello", done.stdout)

    def test_the_configuration_is_accepted(self):
        daemon = self.daemon(start=False)
        daemon.config.write_text(fenced(section("Configuration"), "json"))
        daemon.env_file.write_text("API_KEY_gemini-flash-01=s1\n")
        options = re.search(r"`routerd (--config .*?--check-config)`", README).group(1)
        self.assertEqual(options, "--config keys.json --env-file .env --check-config")
        done = daemon.run("--check-config")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_python_lines_get_an_answer(self):
        daemon = self.daemon(keys=[key("k1")], secrets={"k1": "s1"})
        program = fenced(section("Use it from a program"), "python")
        self.assertIn("ipc:///run/requestrouter/router.sock", program)
        program = program.replace("ipc:///run/requestrouter/router.sock", daemon.endpoint)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        self.assertIn("You said: Hello", done.stdout, done.stderr)

    def test_every_routerctl_command_works(self):
        daemon = self.daemon(keys=[key("k1")], secrets={"k1": "s1"})
        self.client(daemon).chat("hello", id="asked", conv_id="talk")
        cells = re.findall(r"^\| (`routerctl .*?) \|", section("Ask it"), re.M)
        commands = [c for cell in cells for c in re.findall(r"`(?:routerctl )?([^`]+)`", cell)
                    if not c.startswith("--")]
        self.assertGreater(len(commands), 9)
        words = {"ID": "talk", "KEY": "k1", "…": "Hello", "FILE": self.folder.name + "/backup.db"}
        for command in commands:
            arguments = [words.get(word, word) for word in command.split()]
            if arguments[0] == "explain":
                arguments[1] = "asked"
            done = daemon.ctl(*arguments)
            self.assertEqual(done.returncode, 0, (command, done.stderr))
            self.assertNotEqual(done.stdout, "", command)


class Administrator(EndToEnd):
    def test_the_lines_of_the_installation_find_their_files(self):
        lines = indented(section("Install it as a service"))
        prefix = re.match(r"\./dev install (\S+)", lines[0]).group(1)
        root = pathlib.Path(self.folder.name) / "root"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True,
                       env={**os.environ, "DESTDIR": str(root)}, stdout=subprocess.DEVNULL)
        example = next(line.split()[1] for line in lines if line.startswith("cp "))
        self.assertTrue((root / example[1:]).is_file(), example)
        unit = re.search(r"systemctl enable --now (\w+)", "\n".join(lines)).group(1)
        self.assertTrue(list(root.rglob(f"systemd/system/{unit}.service")))
        self.assertTrue(list(root.rglob("sysusers.d/*.conf")))
        self.assertTrue(list(root.rglob("tmpfiles.d/*.conf")))
        daemon = self.daemon(start=False)
        daemon.config.write_text((root / example[1:]).read_text())
        self.assertEqual(daemon.run("--check-config").returncode, 0)


if __name__ == "__main__":
    unittest.main()
