#!/usr/bin/env python3
"""Checks that the boxes include each other exactly as the README's table says.

Usage: include_directions.py TREE | --self-test
"""

import pathlib
import re
import sys

# Headers that are not of this tree, and the only boxes that may use them.
THIRD_PARTY = {
    re.compile(r"^msgpack"): {"ipc"},
    re.compile(r"^zmq"): {"ipc", "client_lib"},
    re.compile(r"^sqlite3"): {"storage"},
    re.compile(r"^curl/"): {"daemon/upstream", "daemon/config", "daemon/secrets"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)
HEADING = "| box | what it is | includes |"


def read_table(readme):
    """{box: the boxes it may include, besides itself}, from the table below HEADING."""
    lines = iter(readme.splitlines())
    if HEADING not in lines:
        raise SystemExit(f"README.md has no table \"{HEADING}\"")
    next(lines)
    boxes = {}
    for line in lines:
        if not line.startswith("|"):
            break
        box, _, includes = (cell.strip() for cell in line.strip("|").split("|"))
        boxes[box.strip("`/")] = {name.strip("`/") for name in re.findall(r"`[^`]+`", includes)}
    return boxes


class Tree:
    """A box is the longest prefix of a file's path."""

    def __init__(self, boxes):
        self.boxes = boxes
        self.seen = {box: set() for box in boxes}  # what each includes in truth

    def box_of(self, path):
        """The box of a path inside the tree, or None for headers of other projects."""
        return max((box for box in self.boxes if path.startswith(box + "/")), key=len, default=None)

    def violations(self, path, text):
        """What is wrong with the includes of one file, a sentence each."""
        box = self.box_of(path)
        if box is None:
            return [f"{path}: is in no box of README.md's table"]
        found = []
        for quote, header in INCLUDE.findall(text):
            target = self.box_of(header)
            if target and target != box:
                self.seen[box].add(target)
                if target not in self.boxes[box]:
                    found.append(f"{path}: {box} may not include {header}")
            if box == "daemon/policy" and quote == '"' and target != "daemon/policy":
                found.append(f"{path}: policy includes the standard library only, not {header}")
            if box == "daemon/policy" and quote == "<" and ("/" in header
                                                            or header.endswith(".hpp")):
                found.append(f"{path}: policy includes the standard library only, not <{header}>")
            for pattern, users in THIRD_PARTY.items():
                if pattern.match(header) and box not in users:
                    found.append(f"{path}: only {', '.join(sorted(users))} may include <{header}>")
        return found

    def untrue(self):
        """What the table says of includes that are not there, a sentence each."""
        return [f"README.md: {box} includes {target}, says the table, but no file of it does"
                for box in self.boxes for target in sorted(self.boxes[box] - self.seen[box])]


def check(folder):
    tree = Tree(read_table((folder / "README.md").read_text(encoding="utf-8")))
    found = []
    for top in ("threads", "ipc", "storage", "daemon", "client_lib"):
        for path in sorted((folder / top).rglob("*")):
            if path.suffix in (".h", ".cc", ".cpp", ".hpp"):
                found += tree.violations(path.relative_to(folder).as_posix(),
                                         path.read_text(encoding="utf-8"))
    return found + tree.untrue()


def self_test():
    boxes = read_table(f"""# A tree
{HEADING}
|---|---|---|
| `ipc/` | the wire | nothing of ours |
| `storage/` | the database | nothing of ours |
| `daemon/policy/` | decides | nothing of ours |
| `daemon/router/` | does | `ipc`, `daemon/policy` |

| `later/` | another table | `ipc` |
""")
    assert boxes == {"ipc": set(), "storage": set(), "daemon/policy": set(),
                     "daemon/router": {"ipc", "daemon/policy"}}
    tree = Tree(boxes)
    assert tree.violations("ipc/a.h", '#include "ipc/b.h"\n#include <vector>\n') == []
    assert tree.violations("ipc/a.h", '#include "storage/store.h"\n')
    assert tree.violations("storage/a.cc", '#include "daemon/router/a.h"\n')
    assert tree.violations("daemon/policy/a.h", "#include <nlohmann/json.hpp>\n")
    assert tree.violations("daemon/policy/a.h", '#include "ipc/chat.h"\n')
    assert tree.violations("daemon/router/a.h", '#include "ipc/chat.h"\n') == []
    assert tree.violations("daemon/router/a.cc", "#include <sqlite3.h>\n")
    assert tree.violations("elsewhere/a.cc", "")
    (untrue,) = tree.untrue()
    assert "daemon/router includes daemon/policy" in untrue
    tree.violations("daemon/router/a.h", '#include "daemon/policy/a.h"\n')
    assert tree.untrue() == []


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    found = check(pathlib.Path(sys.argv[1]))
    print("\n".join(found) or "every include follows the architecture, as README.md's table has it")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
