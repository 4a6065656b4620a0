"""What was measured, what was promised, and how the two compare."""

import json
import pathlib
import shutil
import statistics
import subprocess
import sys

COLUMNS = (("load", "load"), ("target", "target"), ("per_second", "req/s"), ("p50_us", "p50 us"),
           ("p99_us", "p99 us"), ("p999_us", "p99.9"), ("cpu_us", "cpu us"),
           ("switches", "switches"), ("rss_kb", "RSS kB"), ("cpu", "core"),
           ("clients_cpu", "clients"), ("upstream_cpu", "upstream"), ("others_cpu", "others"),
           ("failed", "failed"))
SHARES = {"cpu", "clients_cpu", "upstream_cpu", "others_cpu"}


def say(text):
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def median(rounds):
    """One row of many: of each number the median, failures in all."""
    row = dict(rounds[-1])
    for name, value in row.items():
        values = [r[name] for r in rounds if isinstance(r.get(name), (int, float))]
        if isinstance(value, (int, float)) and values:
            row[name] = statistics.median(values)
    row["failed"] = sum(r["failed"] for r in rounds)
    row["error"] = next((r["error"] for r in rounds if r["error"]), "")
    return row


class Goal:
    """A promise: the median of `values` is at most (or at least) `limit`."""

    def __init__(self, name, values, limit, unit="", at_least=False, short=None):
        self.short = short or name
        self.name, self.values, self.limit, self.unit = name, values, limit, unit
        self.at_least = at_least
        self.value, self.low, self.high = statistics.median(values), min(values), max(values)

    @property
    def met(self):
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def certain(self):
        """All rounds agree."""
        met = [value >= self.limit if self.at_least else value <= self.limit
               for value in self.values]
        return all(met) or not any(met)

    def as_dict(self):
        return {"name": self.name, "value": self.value, "low": self.low, "high": self.high,
                "limit": self.limit, "unit": self.unit, "at_least": self.at_least,
                "rounds": len(self.values), "met": self.met, "certain": self.certain}

    def cells(self):
        spread = f"{number(self.low)} – {number(self.high)}" if len(self.values) > 1 else ""
        return (self.name, f"{number(self.value)}{self.unit}", spread,
                f"at {'least' if self.at_least else 'most'} {number(self.limit)}{self.unit}",
                ("met" if self.met else "NOT MET") + ("" if self.certain else ", but not always"))


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def table(rows, aligned_left=1):
    """Lines of columns as wide as they need to be."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) if i < aligned_left else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip()


class Report:
    """Collects rows and goals; prints them at the end."""

    def __init__(self):
        self.rows = []
        self.goals = []
        self.notes = []
        self.plot = None

    def add(self, part, target, rounds):
        """The rounds of one load on one target. Returns the row."""
        row = {"part": part, "target": target, "rounds": len(rounds)} | median(rounds)
        self.rows.append(row)
        return row

    def goal(self, *arguments, **options):
        self.goals.append(Goal(*arguments, **options))

    def note(self, text):
        self.notes.append(text)

    def print_json(self):
        print(json.dumps({"rows": self.rows, "goals": [goal.as_dict() for goal in self.goals],
                          "notes": self.notes, "plot": self.plot}))

    def print_tables(self):
        for part in dict.fromkeys(row["part"] for row in self.rows):
            cells = [[title for _, title in COLUMNS]]
            for row in self.rows:
                if row["part"] == part:
                    cells.append([self.cell(row, name) for name, _ in COLUMNS])
            print(f"\n{part}")
            for line in table(cells, aligned_left=2):
                print("  " + line)
        if self.goals:
            print("\ngoals (medians; the spread over the rounds)")
            for line in table([goal.cells() for goal in self.goals], aligned_left=1):
                print("  " + line)
        for text in self.notes:
            print(text)
        if self.plot:
            print(f"plot: {self.plot}")

    def print_ratios(self):
        """All goals in one line, the last."""
        print("in short: " + "; ".join(
            f"{goal.short} {number(goal.value)}{goal.unit}{'' if goal.met else ' (!)'}"
            for goal in self.goals))

    @staticmethod
    def cell(row, name):
        value = row.get(name)
        if name in SHARES and value is not None:
            return f"{value:.0%}"
        return number(value) if isinstance(value, (int, float)) else str(value or "-")


def draw(rows, folder):
    """p50 and p99 against the offered load, one pair of lines a target. Returns the picture's path,
    or None where there is no gnuplot; the numbers are beside it either way."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for target in dict.fromkeys(row["target"] for row in rows):
        data = folder / f"latency-{target}.dat"
        data.write_text("# offered/s  answered/s  p50 us  p99 us\n" + "".join(
            f"{row['offered']} {row['per_second']:.0f} {row['p50_us']} {row['p99_us']}\n"
            for row in rows if row["target"] == target and row["p50_us"]))
        lines += [f"'{data}' using 1:3 with linespoints title '{target} p50'",
                  f"'{data}' using 1:4 with linespoints dashtype 2 title '{target} p99'"]
    gnuplot = shutil.which("gnuplot")
    if not gnuplot:
        return None
    picture = folder / "latency.png"
    subprocess.run([gnuplot], check=True, text=True, input=f"""
set terminal pngcairo size 1000,700
set output '{picture}'
set title 'Latency from the scheduled send against offered load'
set xlabel 'requests per second, offered'
set ylabel 'microseconds'
set logscale y
set grid
set key left top
plot {', '.join(lines)}
""")
    return str(picture)
