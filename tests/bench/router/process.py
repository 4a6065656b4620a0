"""A measured process: started on one core, its costs read from /proc."""

import contextlib
import ctypes
import os
import pathlib
import re
import signal
import subprocess
import time

PATIENCE_S = 20
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1  # linux/prctl.h
niceness = 0  # of every process that is measured


def cores():
    """The two cores that are used: the daemon's, and the clients' and provider's (the same where
    there is only one)."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[1 % len(allowed)]


def placed(core):
    """For preexec_fn: on its core, and ended with the harness, however that ends."""
    def place():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, {core})
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    return place


@contextlib.contextmanager
def priority(nice):
    """Of this process and its children. Where the kernel groups processes by session, niceness is
    only within the group, so the group gets it too, for as long as it takes."""
    global niceness
    niceness = nice
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    group = pathlib.Path("/proc/self/autogroup")
    before = group.read_text().split()[-1] if nice and group.exists() else None
    if before is not None:
        group.write_text(str(nice))
    try:
        yield
    finally:
        if before is not None:
            group.write_text(before)


class Costs:
    """What a process has used so far; the difference of two is what it used in between."""

    def __init__(self, cpu_ns=0, waited_ns=0, switches=0):
        self.cpu_ns = cpu_ns
        self.waited_ns = waited_ns  # ready to run while others had the core
        self.switches = switches

    @staticmethod
    def of(pid):
        costs = Costs()
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            try:
                used, waited, _ = (task / "schedstat").read_text().split()
                switches = re.findall(r"ctxt_switches:\s+(\d+)", (task / "status").read_text())
            except (FileNotFoundError, ProcessLookupError):  # the thread has ended
                continue
            costs.cpu_ns += int(used)
            costs.waited_ns += int(waited)
            costs.switches += sum(map(int, switches))
        return costs

    def __sub__(self, earlier):
        return Costs(self.cpu_ns - earlier.cpu_ns, self.waited_ns - earlier.waited_ns,
                     self.switches - earlier.switches)


def rss_kb(pid):
    """Resident memory."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


class Process:
    """A child on one core. `command` is run as it is."""

    def __init__(self, command, core, env=None, stderr=None, stdout=subprocess.DEVNULL):
        self.started = time.monotonic()
        self.child = subprocess.Popen([str(word) for word in command], env=env, stdout=stdout,
                                      stderr=stderr, text=True, preexec_fn=placed(core))
        self.pid = self.child.pid

    def costs(self):
        return Costs.of(self.pid)

    def end(self, how=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(how)
        self.child.wait(PATIENCE_S)
