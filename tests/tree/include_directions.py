#!/usr/bin/env python3
"""Checks that the boxes include each other only as the README's picture shows.

Usage: include_directions.py TREE | --self-test
"""

import pathlib
import re
import sys

# Box -> the boxes it may include, besides itself. A box is the longest prefix of a file's path.
ALLOWED = {
    "ipc": set(),
    "storage": set(),
    "daemon/policy": set(),
    "daemon/upstream": {"ipc"},
    "daemon/faults": {"ipc", "daemon/policy", "daemon/upstream"},
    "daemon/config": {"daemon/policy", "daemon/upstream", "ipc"},
    "daemon/secrets": {"daemon/config", "daemon/policy", "daemon/upstream", "ipc"},
    "daemon/router": {"ipc", "storage", "daemon/faults", "daemon/policy", "daemon/upstream",
                      "daemon/config", "daemon/secrets"},
    "daemon/ops": {"ipc", "storage", "daemon/policy", "daemon/upstream", "daemon/config",
                   "daemon/secrets", "daemon/router"},
    "daemon": {"ipc", "storage", "daemon/policy", "daemon/upstream", "daemon/config",
               "daemon/secrets", "daemon/router", "daemon/ops"},
    "client_lib": {"ipc"},
    # The client's direct mode is a target of its own: it uses the providers' encodings, and says of
    # failures what the daemon says.
    "client_lib/direct": {"ipc", "client_lib", "daemon/faults", "daemon/policy",
                          "daemon/upstream"},
}

# Headers that are not of this tree, and the only boxes that may use them.
THIRD_PARTY = {
    re.compile(r"^msgpack"): {"ipc"},
    re.compile(r"^zmq"): {"ipc", "client_lib"},
    re.compile(r"^sqlite3"): {"storage"},
    re.compile(r"^curl/"): {"daemon/upstream", "daemon/config", "daemon/secrets"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def box_of(path):
    """The box of a path inside the tree, or None for headers of other projects."""
    boxes = [box for box in ALLOWED if path.startswith(box + "/")]
    return max(boxes, key=len, default=None)


def violations(path, text):
    """What is wrong with the includes of one file, a sentence each."""
    box = box_of(path)
    found = []
    for quote, header in INCLUDE.findall(text):
        target = box_of(header)
        if target and target != box and target not in ALLOWED[box]:
            found.append(f"{path}: {box} may not include {header}")
        if box == "daemon/policy" and quote == '"' and target != "daemon/policy":
            found.append(f"{path}: policy includes the standard library only, not {header}")
        if box == "daemon/policy" and quote == "<" and ("/" in header or header.endswith(".hpp")):
            found.append(f"{path}: policy includes the standard library only, not <{header}>")
        for pattern, users in THIRD_PARTY.items():
            if pattern.match(header) and box not in users:
                found.append(f"{path}: only {', '.join(sorted(users))} may include <{header}>")
    return found


def check(tree):
    found = []
    for box in ("ipc", "storage", "daemon", "client_lib"):
        for path in sorted((tree / box).rglob("*")):
            if path.suffix in (".h", ".cc", ".cpp", ".hpp"):
                name = path.relative_to(tree).as_posix()
                found += violations(name, path.read_text(encoding="utf-8"))
    return found


def self_test():
    assert violations("ipc/a.h", '#include "ipc/b.h"\n#include <vector>\n') == []
    assert violations("ipc/a.h", '#include "storage/store.h"\n')
    assert violations("storage/a.cc", '#include "daemon/app.h"\n')
    assert violations("daemon/policy/a.h", "#include <nlohmann/json.hpp>\n")
    assert violations("daemon/policy/a.h", '#include "ipc/chat.h"\n')
    assert violations("daemon/upstream/a.h", '#include "ipc/chat.h"\n') == []
    assert violations("daemon/upstream/a.h", '#include "daemon/router/clock.h"\n')
    assert violations("client_lib/src/a.cc", '#include "daemon/upstream/client.h"\n')
    assert violations("client_lib/direct/a.cc", '#include "daemon/upstream/client.h"\n') == []
    assert violations("daemon/router/a.cc", "#include <sqlite3.h>\n")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    found = check(pathlib.Path(sys.argv[1]))
    print("\n".join(found) or "every include follows the architecture")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
