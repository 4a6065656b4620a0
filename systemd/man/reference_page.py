"""Makes keys.json(5) of the configuration reference, so that there is one text of it.

    reference_page.py TEMPLATE REFERENCE.md VERSION DATE > PAGE

Reads the Markdown that the reference uses: headings, paragraphs, fenced code, tables, `code`,
**bold** and links. A table becomes a list: the first column is the tag, the others its text.
"""

import re
import sys

from mdoc import arguments, escape, fill, text

# Columns whose cell says what it is only together with its heading.
LABELLED = {"default", "variable", "labels", "cached_counts", "rpd_reset"}


def plain(line):
    """Without links and emphasis; what is `code` stays marked."""
    line = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line)
    return re.sub(r"\*\*([^*]*)\*\*", r"\1", line)


def lines_of(words):
    return [re.sub(r"`([^`]*)`", r"\\fB\1\\fR", line) for line in text(plain(words))]


def cells(row):
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def labelled(head, cell):
    return f"{head} {cell}" if head in LABELLED and not cell.startswith("required") else cell


def finished(words):
    words = words[0].upper() + words[1:]
    return words if words.endswith((".", "?", "!")) else words + "."


def entry(heads, row):
    """What kind of value it is, its default and variable in one sentence; its meaning in others."""
    first, *rest = cells(row)
    facts = [labelled(head, cell) for head, cell in zip(heads[1:], rest[:-1]) if cell]
    words = [finished("; ".join(facts))] if facts else []
    if rest[-1]:
        words.append(finished(labelled(heads[-1], rest[-1])))
    return [".It Ic " + arguments(first.replace("`", "")), *lines_of(" ".join(words))]


def table(rows):
    heads = cells(rows[0])
    lines = [".Bl -tag -width Ds"]
    for row in rows[2:]:
        lines += entry(heads, row)
    return lines + [".El"]


def heading(line):
    level, title = re.match(r"(#+) (.*)", line).groups()
    title = title.replace("`", "")
    if level == "###":
        return [".Ss " + escape(title)]
    return [".Sh " + escape(title.upper() if title[0].isupper() else title)]


def block(lines):
    """One block of the reference: lines between empty ones."""
    if lines[0].startswith("# "):
        return []
    if lines[0].startswith("#"):
        return heading(lines[0])
    if lines[0].startswith("```"):
        return [".Bd -literal -offset indent", *map(escape, lines[1:-1]), ".Ed"]
    if lines[0].startswith("|"):
        return table(lines)
    return [".Pp", *lines_of(" ".join(lines))]


def blocks(markdown):
    return [part.splitlines() for part in re.split(r"\n\s*\n", markdown.strip())]


def without_needless_breaks(lines):
    """A paragraph's break right behind a heading says nothing."""
    return [line for before, line in zip([""] + lines, lines)
            if not (line == ".Pp" and before.startswith((".Sh", ".Ss")))]


def reference(path):
    with open(path, encoding="utf-8") as file:
        made = [line for part in blocks(file.read()) for line in block(part)]
    return without_needless_breaks([".Sh DESCRIPTION"] + made)


def main(template, path, version, date):
    sys.stdout.write(fill(template, {"REFERENCE": lambda: reference(path)}, version, date))


if __name__ == "__main__":
    main(*sys.argv[1:])
