"""Writing mdoc(7): what both generators of manual pages share."""

import re

SPECIAL = {"\\": r"\e", "…": "...", "±": r"\(+-", "→": r"\(->", "×": r"\(mu", "–": r"\(en",
           "’": "'"}


def escape(line):
    """The text as it is, whatever characters it has; never a macro or a request."""
    escaped = "".join(SPECIAL.get(character, character) for character in line)
    return r"\&" + escaped if escaped.startswith((".", "'")) else escaped


def arguments(words):
    """Words of a macro's line, where a quotation mark is a delimiter."""
    return " ".join(escape(word).replace('"', r"\(dq") for word in words.split())


def text(paragraph):
    """A paragraph as lines, a sentence a line as mdoc wants it."""
    sentences = re.split(r"(?<=[a-zA-Z0-9)`\"][.?!]) +(?=[A-Z`])", paragraph.strip())
    return [escape(sentence) for sentence in sentences if sentence]


def fill(template, makers, version, date):
    """The template with each line `.\\" NAME` replaced by the lines of makers[NAME]()."""
    lines = []
    with open(template, encoding="utf-8") as file:
        for line in file.read().replace("@VERSION@", version).replace("@DATE@", date).splitlines():
            name = line[4:] if line.startswith('.\\" ') else None
            lines += makers[name]() if name in makers else [line]
    return "\n".join(lines) + "\n"
