"""The manual pages: complete, and without a complaint from those who format them."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

BIN = pathlib.Path(os.environ["REQUESTROUTER_BIN"])
MAN = pathlib.Path(os.environ["REQUESTROUTER_BUILD"]) / "systemd/man"
SOURCE = pathlib.Path(os.environ["REQUESTROUTER_SOURCE"])
sys.path.insert(0, str(SOURCE / "systemd/man"))

import help_page  # noqa: E402

PAGES = ("routerd.8", "routerctl.1", "keys.json.5")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def rendered(page):
    """As a reader sees it, without emphasis and with the line breaks of the window taken out."""
    plain = re.sub(".\b", "", output("mandoc", "-Tutf8", "-O", "width=1000", MAN / page))
    return plain.replace("\u2010", "-").replace("\u2212", "-")


def option_names(help_text):
    lines = [line for line in help_text.splitlines() if line.startswith("  -")]
    return {name for line in lines
            for name in re.sub(r"\{\w+\}", "", line.split()[0]).split(",")}


def commands(help_text):
    block = help_text.split("Commands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z][\w-]*)", block, re.MULTILINE)


class Manual(unittest.TestCase):
    def assert_has(self, words, name, where):
        self.assertRegex(words, r"(?<![\w-])" + re.escape(name) + r"(?![\w-])", where)

    def test_the_formatters_complain_of_nothing(self):
        for page in PAGES:
            lint = subprocess.run(["mandoc", "-Tlint", "-W", "warning", MAN / page],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, ""))

    def test_a_formatter_does_complain_of_a_bad_page(self):
        lint = subprocess.run(["mandoc", "-Tlint", "-W", "warning"], input=".Dd\n.Nope\n",
                              capture_output=True, text=True, check=False)
        self.assertNotEqual(lint.returncode, 0)

    def test_every_option_of_the_daemon_is_there(self):
        page = rendered("routerd.8")
        for name in option_names(output(BIN / "routerd", "--help")):
            self.assert_has(page, name, "routerd(8)")

    def test_every_command_of_routerctl_and_all_its_options_are_there(self):
        page = rendered("routerctl.1")
        names = commands(output(BIN / "routerctl", "--help"))
        self.assertIn("health", names)
        for name in names:
            section = re.search(rf"^   {name}\n(.*?)(?=^   \S|^\S)", page, re.M | re.S)
            self.assertIsNotNone(section, name)
            for option in option_names(output(BIN / "routerctl", name, "--help")) - {"-h", "--help"}:
                self.assert_has(section[1], option, f"routerctl {name}")
        for option in option_names(output(BIN / "routerctl", "--help")):
            self.assert_has(page, option, "routerctl(1)")

    def test_an_option_with_a_default_is_one_of_the_list_and_not_only_of_the_examples(self):
        source = (MAN / "routerctl.1").read_text(encoding="utf-8")
        for option in ("interval", "by"):
            self.assertRegex(source, rf"(?m)^\.It Fl [^\n]*-{option}\b")
        self.assertIn("Default: key,model.", rendered("routerctl.1"))

    def test_both_wordings_of_a_default_are_understood(self):
        for older, newer in (
                ("  --interval FLOAT:FLOAT in [0.1 - 86400]=2", "  --interval FLOAT:FLOAT in [0.1 - 86400] [2] "),
                ("  --by TEXT:{a,b}=[a,b] ...", "  --by TEXT:{a,b} [[a,b]]  ..."),
                ("  --config TEXT=/etc/x-y  The file [1] of all", "  --config TEXT [/etc/x-y] The file [1] of all"),
                ("  --count INT:INT in [1 - 9]", "  --count INT:INT in [1 - 9]")):
            entries = [[], []]
            for place, line in zip(entries, (older, newer)):
                help_page.add_entry(place, line)
            self.assertEqual(*entries)

    def test_every_field_of_the_reference_is_there(self):
        page = rendered("keys.json.5")
        reference = (SOURCE / "daemon/config/REFERENCE.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| (`[^|]*) \|", reference, re.MULTILINE)
        fields = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
        self.assertIn("enable_fallback", fields)
        for field in fields:
            self.assertIn(field.replace("…", "..."), page)

    def test_nothing_of_the_notation_shows(self):
        for page in PAGES:
            self.assertNotRegex(rendered(page), r"@[A-Z]+@|\\f|\]\(|\*\*")


if __name__ == "__main__":
    unittest.main()
