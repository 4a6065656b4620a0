"""A program in a pseudo-terminal, and what its screen shows: as much of xterm as ncurses needs."""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

SEQUENCE = re.compile(r"\x1b(?:\[([?>]?[0-9;]*)([@-~])|[()][0-9A-Za-z]|[=>78cM])")


class Screen:
    """Rows of characters, one column each."""

    def __init__(self, columns, rows):
        self.resize(columns, rows)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.last = " "

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.cells)

    def feed(self, text):
        """Returns what is not whole yet."""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self.put(text[at])
                at += 1
                continue
            match = SEQUENCE.match(text, at)
            if not match:
                return text[at:]
            if match[2]:
                self.control(match[1], match[2])
            at = match.end()
        return ""

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row = min(self.row + 1, self.rows - 1)
        elif character == "\b":
            self.column = max(self.column - 1, 0)
        elif character >= " ":
            if self.column < self.columns:
                self.cells[self.row][self.column] = character
            self.column += 1
            self.last = character

    def control(self, parameters, final):
        if parameters[:1] in ("?", ">"):
            return
        numbers = [int(n) if n else 0 for n in parameters.split(";")]
        first = max(numbers[0], 1)
        row = self.cells[self.row]
        here = min(self.column, self.columns)
        if final == "H":
            self.row = min(first, self.rows) - 1
            self.column = max(numbers[1], 1) - 1 if len(numbers) > 1 else 0
        elif final == "d":
            self.row = min(first, self.rows) - 1
        elif final == "G":
            self.column = first - 1
        elif final in "ABCD":
            self.row = min(max(self.row + {"A": -first, "B": first}.get(final, 0), 0),
                           self.rows - 1)
            self.column = max(self.column + {"C": first, "D": -first}.get(final, 0), 0)
        elif final == "J":
            if numbers[0] == 2:
                self.cells = [[" "] * self.columns for _ in range(self.rows)]
            else:
                row[here:] = [" "] * (self.columns - here)
                for below in range(self.row + 1, self.rows):
                    self.cells[below] = [" "] * self.columns
        elif final == "K":
            begin, end = (here, self.columns) if numbers[0] == 0 else (0, here + 1)
            row[begin:end] = [" "] * (min(end, self.columns) - begin)
        elif final == "X":
            end = min(here + first, self.columns)
            row[here:end] = [" "] * (end - here)
        elif final == "P":
            row[here:] = (row[here + first:] + [" "] * self.columns)[:self.columns - here]
        elif final == "@":
            row[here:] = ([" "] * first + row[here:])[:self.columns - here]
        elif final == "b":
            for _ in range(first):
                self.put(self.last)


class Terminal:
    """Runs `command` in a terminal of this size."""

    def __init__(self, command, environment, columns=120, rows=40, patience_s=20):
        self.patience_s = patience_s
        self.screen = Screen(columns, rows)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.rest = ""
        self.raw = ""
        self.master, self.slave = pty.openpty()
        self.set_size(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(command, env=environment, stdin=self.slave,
                                        stdout=self.slave, stderr=self.slave,
                                        start_new_session=True)

    def set_size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.screen.resize(columns, rows)
        self.set_size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    def press(self, keys):
        os.write(self.master, keys.encode())

    def read(self):
        if not select.select([self.master], [], [], 0.05)[0]:
            return
        text = self.decoder.decode(os.read(self.master, 65536))
        self.raw += text
        self.rest = self.screen.feed(self.rest + text)

    def wait_for(self, condition):
        """`condition` is a text to be seen, or takes the screen's text. Returns that text."""
        seen = condition if callable(condition) else lambda text: condition in text
        end = time.monotonic() + self.patience_s
        while not seen(self.screen.text()):
            if time.monotonic() > end:
                raise AssertionError(f"never seen: {condition}\n{self.screen.text()}")
            self.read()
        return self.screen.text()

    def wait(self):
        """Returns the exit code."""
        end = time.monotonic() + self.patience_s
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        self.read()
        return self.process.wait(0.1)

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
