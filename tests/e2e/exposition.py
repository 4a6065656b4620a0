"""Prometheus' text exposition format, read without a library."""

import dataclasses
import re
import shutil
import subprocess

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')
PROMTOOL = shutil.which("promtool")


@dataclasses.dataclass
class Family:
    kind: str = ""
    help: str = ""
    samples: list = dataclasses.field(default_factory=list)  # (name, labels, value)


class Exposition:
    """Every family by its name."""

    def __init__(self, text):
        self.text = text
        self.families = {}
        family = None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                _, _, name, help_text = line.split(" ", 3)
                family = self.families.setdefault(name, Family())
                family.help = help_text
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                family = self.families.setdefault(name, Family())
                family.kind = kind
            elif line:
                name, labels, value = SAMPLE.match(line).groups()
                family.samples.append((name, dict(LABEL.findall(labels or "")), float(value)))

    def samples(self):
        return [sample for family in self.families.values() for sample in family.samples]

    def series(self, name):
        """Of a metric, or of a histogram's _bucket, _sum or _count: (labels, value)."""
        return [(labels, value) for found, labels, value in self.samples() if found == name]

    def value(self, name, **labels):
        """Of the one series that has these labels, among others; None where there is none."""
        found = [value for has, value in self.series(name) if labels.items() <= has.items()]
        if len(found) > 1:
            raise AssertionError(f"{name}{labels} is {len(found)} series")
        return found[0] if found else None


def check_metrics(text):
    """What promtool's linter says against it; empty: nothing."""
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, text=True,
                          capture_output=True, check=False, timeout=60)
    return "" if done.returncode == 0 else done.stdout + done.stderr
