"""A booted systemd of the test's own: systemd-nspawn on a throw-away overlay of the running root.

Needs root, systemd-nspawn and a kernel that lets it; `why_not()` says what is missing. All mounts
are in a mount namespace of this process, so nothing of them is seen or left outside.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import types

PATIENCE_S = 60
OWN_RUN = pathlib.Path("/run/systemd/nspawn")
CLONE_NEWNS = 0x20000
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
# Whoever has tried routerd on this machine may have left these, with an owner of their own.
LEFT_BY_OTHERS = ("etc/requestrouter", "var/lib/requestrouter")

# Connects again and again for two seconds at least and until its stdin ends; says how often, and how
# often it was refused.
CONNECT = """
import select, socket, sys, time
print("connecting", flush=True)
count = refused = 0
end = time.monotonic() + 2
while time.monotonic() < end or not select.select([sys.stdin], [], [], 0)[0]:
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect("/run/requestrouter/router.sock")
        except OSError:
            refused += 1
    count += 1
    time.sleep(0.002)
print(count, refused)
"""

# Only what the tests need: no login, no network, nothing of what else the machine runs.
TARGET = """[Unit]
Requires=basic.target
After=basic.target
AllowIsolate=yes
"""


def why_not_a_root():
    """What this machine lacks for a root of the test's own; None: nothing."""
    if os.geteuid() != 0:
        return "only root can mount a root of its own"
    if LIBC.unshare(CLONE_NEWNS) != 0:
        return "no mount namespace: " + os.strerror(ctypes.get_errno())
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=False).returncode != 0:
            return "tmpfs cannot be mounted"
        subprocess.run(["umount", folder], check=True)
    return None


def why_not():
    """What this machine lacks for booting one; None: nothing."""
    for program in ("systemd-nspawn", "nsenter"):
        if not shutil.which(program):
            return f"{program} is missing (apt-get install systemd-container)"
    return why_not_a_root()


def end_with_the_test():
    """For a child: a test that is killed leaves no machine running behind it."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Container:
    """Made of the root that runs and of what `prepare(root)` puts into the overlay."""

    def __init__(self, prepare):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rr-boot-"))
        self.root = self.folder / "root"
        self.process = None
        self.leader = None
        try:
            self.mount()
            target = self.root / "etc/systemd/system/test.target"
            target.write_text(TARGET, encoding="utf-8")
            prepare(self.root)
        except BaseException:
            self.close()
            raise

    def mount(self):
        # systemd-nspawn clears up after itself in /run only where that is no disk.
        OWN_RUN.mkdir(parents=True, exist_ok=True)
        for folder in (OWN_RUN, self.folder):
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
        for name in ("root", "upper", "work"):
            (self.folder / name).mkdir()
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir=/,upperdir={self.folder}/upper,workdir={self.folder}/work",
                        self.root], check=True, capture_output=True)
        for name in LEFT_BY_OTHERS:
            shutil.rmtree(self.root / name, ignore_errors=True)

    def boot(self):
        """None, or what kept it from coming up."""
        if not shutil.which("systemd-nspawn"):
            return "no systemd-nspawn"
        with open(self.folder / "console", "wb") as console:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--directory", self.root, "--machine",
                 f"rr-{os.getpid()}", "--register=no", "--keep-unit", "--private-network",
                 "--link-journal=no", "--console=pipe", "--boot", "systemd.unit=test.target"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
                preexec_fn=end_with_the_test)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and self.process.poll() is None:
            self.leader = self.child()  # the first one only makes the second, which stays
            if self.leader and self.run("systemctl", "is-active", "test.target").returncode == 0:
                return None
            time.sleep(0.1)
        said = (self.folder / "console").read_text(errors="replace")[-2000:]
        return said or f"systemd-nspawn ended without a word ({self.process.poll()})"

    def child(self):
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        children = path.read_text().split()
        return int(children[0]) if children else None

    def stay_chroot(self):
        """Gives up on booting: from now on commands run in a chroot, without services."""
        self.stop()
        self.leader = None
        subprocess.run(["mount", "-t", "proc", "proc", self.root / "proc"], check=True)

    def enter(self):
        if self.leader is None:
            return ["chroot", str(self.root)]
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "--"]

    def run(self, *command, user=None, **how):
        """Runs to the end inside, as root or `user`."""
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        return subprocess.run([*self.enter(), *as_user, *command], capture_output=True, text=True,
                              check=False, timeout=PATIENCE_S, **how)

    def start(self, *command, **how):
        """Starts a command inside, with its output in a pipe."""
        return subprocess.Popen([*self.enter(), *command], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, **how)

    @contextlib.contextmanager
    def connecting(self):
        """Connects to routerd's socket all the while; in the end `count` and `refused` are set."""
        connects = types.SimpleNamespace(count=0, refused=0)
        with self.start("/usr/bin/python3", "-c", CONNECT, stdin=subprocess.PIPE) as process:
            try:
                process.stdout.readline()
                yield connects
                process.stdin.close()
                connects.count, connects.refused = map(int, process.stdout.readline().split())
            finally:
                process.kill()

    def path(self, inside):
        """Where a file of the container is seen from outside."""
        root = f"/proc/{self.leader}/root" if self.leader else str(self.root)
        return pathlib.Path(root + inside)

    def show(self, unit, name):
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def wait(self, condition, what):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(0.05)
        raise TimeoutError(what + "\n" + self.journal())

    def journal(self, *which):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", "routerd.service",
                        *which).stdout

    def stop(self):
        if self.process and self.process.poll() is None:
            # The first process inside would outlive a systemd-nspawn that is killed.
            if leader := self.child():
                os.kill(leader, signal.SIGKILL)
            self.process.kill()
            self.process.wait(PATIENCE_S)

    def close(self):
        self.stop()
        for mounted in (self.root / "proc", self.root, self.folder, OWN_RUN):
            subprocess.run(["umount", "--lazy", mounted], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
