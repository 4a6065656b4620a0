"""Fills a manual page's template with what a program says of itself in --help.

    help_page.py TEMPLATE PROGRAM VERSION DATE > PAGE

In the template, the line `.\\" OPTIONS` becomes the list of the program's options, and the line
`.\\" COMMANDS` that of its commands with theirs. So a page never lacks an option.
"""

import re
import subprocess
import sys

from mdoc import escape, fill, text

# "  -m,--model TEXT:{a,b} REQUIRED   What it is": the names, what the option takes, the description.
ENTRY = re.compile(r"^  (?P<name>[-\w]\S*)(?P<takes>(?: \S+)*?)(?:\s{2,}(?P<about>\S.*))?$")
CHOICES = re.compile(r"\{([^}]*)\}")
DEFAULT = re.compile(r"=\[([^\]]*)\]")
# CLI11 2.4 sets a default apart, "TEXT [2] " or "TEXT [[a,b]] ", where 2.3 wrote "TEXT=2".
DEFAULT_APART = re.compile(r"^(  \S+(?: \S+)*?)(?<! in) \[(\[[^\]]*\]|[^\]\[]*)\] ( \.\.\.)?")


def help_of(program, *command):
    return subprocess.run([program, *command, "--help"], check=True, capture_output=True,
                          text=True).stdout


def sections(help_text):
    """{"Options": [(name, takes, about)], …, "Examples": [line], …}, as CLI11 prints them."""
    found, title = {}, None
    for line in help_text.splitlines():
        if re.match(r"^[A-Z][\w ]*:$", line):
            title = line[:-1]
            found[title] = []
        elif not line.strip() or not line.startswith(" "):
            title = None
        elif title == "Examples":
            found[title].append(line.strip())
        elif title:
            add_entry(found[title], line)
    return found


def add_entry(entries, line):
    match = ENTRY.match(DEFAULT_APART.sub(r"\1=\2\3  ", line).rstrip())
    if match:
        entries.append([match["name"], match["takes"].strip(), match["about"] or ""])
    elif entries:
        entries[-1][2] = (entries[-1][2] + " " + line.strip()).strip()


def names_line(name, takes):
    """`-m,--model`, `TEXT:{a,b}` as mdoc's words of an .It line."""
    names = re.sub(r"\{\w+\}", "", name).split(",")
    flags = [f"Fl {escape(one[1:])}" if one.startswith("-") else f"Ar {escape(one)}"
             for one in names]
    value = re.match(r"[A-Z_]+", takes)
    if not name.startswith("-") or not value or takes.startswith(("REQUIRED", "Excludes")):
        return " , ".join(flags)
    return " , ".join(flags) + f" Ar {value[0].lower()}"


def about_lines(takes, about):
    sentences = [about + "." if about and about[-1] not in ".?!" else about]
    if choices := CHOICES.search(takes):
        sentences.append("One of " + ", ".join(choices[1].split(",")) + ".")
    if default := DEFAULT.search(takes):
        sentences.append(f"Default: {default[1]}.")
    return [line for sentence in sentences for line in text(sentence)]


def entry_list(entries):
    lines = [".Bl -tag -width Ds"]
    for name, takes, about in entries:
        lines += [".It " + names_line(name, takes), *about_lines(takes, about)]
    return lines + [".El"]


def options(program):
    return entry_list(sections(help_of(program))["Options"])


def examples(lines):
    return [".Bd -literal -compact", *map(escape, lines), ".Ed"] if lines else []


def command(program, name, about):
    parts = sections(help_of(program, name))
    entries = parts.get("Positionals", []) + [entry for entry in parts.get("Options", [])
                                              if entry[0] != "-h,--help"]
    positionals = [f"Ar {escape(entry[0].lower())}" for entry in parts.get("Positionals", [])]
    lines = [f".Ss {name}", f".Nm Ic {name}" + "".join(" " + one for one in positionals), ".Pp",
             *about_lines("", about)]
    if entries:
        lines += entry_list([[entry[0].lower() if not entry[0].startswith("-") else entry[0],
                              *entry[1:]] for entry in entries])
    return lines + [".Pp"] + examples(parts.get("Examples", []))


def commands(program):
    return [line for name, _, about in sections(help_of(program))["Commands"]
            for line in command(program, name, about)]


def main(template, program, version, date):
    makers = {"OPTIONS": lambda: options(program), "COMMANDS": lambda: commands(program)}
    sys.stdout.write(fill(template, makers, version, date))


if __name__ == "__main__":
    main(*sys.argv[1:])
