"""Everything that goes wrong in a chaos run, one method each; those that last are undone later.

The stage (chaos.py) has the daemon, the simulator, the agents and the disk. Chance is seeded.
"""

import heapq
import itertools
import json
import signal
import struct
import time

FAULTS = [
    {"kind": "status", "status": 500}, {"kind": "status", "status": 503}, {"kind": "html"},
    {"kind": "rate_limit", "retry_after_ms": 300}, {"kind": "invalid_key"}, {"kind": "hang"},
    {"kind": "reset"}, {"kind": "reset_mid_body"}, {"kind": "truncated"},
    {"kind": "hang_mid_body"}, {"kind": "slow_drip", "pace_ms": 1}, {"kind": "bad_json"},
    {"kind": "empty"}, {"kind": "wrong_content_type"}, {"kind": "gzip"},
    {"kind": "error_mid_stream"},
]
FAULT_SHARE = 0.02  # of the requests, each fault
CLOCK_JUMP_S = 3_600


class Clock:
    """The wall clock of a routerd that preloads clock_offset.so."""

    def __init__(self, folder, library):
        self.library, self.path = library, folder / "clock"
        self.set(0)

    def environment(self, given):
        """Beside what is `given`. A sanitizer would insist on being loaded first."""
        return {"LD_PRELOAD": str(self.library), "REQUESTROUTER_CLOCK": str(self.path),
                "ASAN_OPTIONS": given.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def set(self, offset_ms):
        """In place: the daemon has it mapped."""
        with open(self.path, "r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("<q", offset_ms))


class Mishaps:
    def __init__(self, stage, random):
        self.stage, self.random = stage, random
        self.undo = []  # heap of (when, number, what)
        self.numbers = itertools.count()
        self.kinds = [self.faults, self.slow_provider, self.key_revoked, self.key_without_credit,
                      self.provider_tightens, self.reload, self.bad_reload, self.daemon_stopped,
                      self.provider_stopped, self.agent_stopped, self.agent_killed,
                      self.deaf_agent, self.daemon_killed, self.daemon_restarted, self.backup]
        if stage.clock:
            self.kinds.append(self.clock_jump)
        if stage.disk:
            self.kinds.append(self.disk_full)

    def later(self, seconds, what):
        heapq.heappush(self.undo, (time.monotonic() + seconds, next(self.numbers), what))

    def undo_due(self, everything=False):
        while self.undo and (everything or self.undo[0][0] <= time.monotonic()):
            heapq.heappop(self.undo)[2]()

    def happen(self, kind):
        kind()
        self.stage.count(kind.__name__)

    def shuffled(self):
        """Every kind once, in an order of chance."""
        return self.random.sample(self.kinds, len(self.kinds))

    # ---- the provider

    def faults(self):
        chosen = self.random.sample(FAULTS, 8)
        self.stage.simulator.control(clear_faults=True, faults=[
            {**fault, "probability": FAULT_SHARE, "count": 0} for fault in chosen])
        # Keys that seemed invalid stay disabled until somebody looks at them.
        self.later(2, lambda: self.stage.routerctl("reset-cooldown", "--all"))

    def slow_provider(self):
        latency = self.random.choice((0, 50, 300))
        self.stage.simulator.control(latency_ms=latency, latency_jitter_ms=2 * latency,
                                     stream_delta_ms=latency // 10)
        self.later(3, lambda: self.stage.simulator.control(latency_ms=5, latency_jitter_ms=20,
                                                           stream_delta_ms=0))

    def key_revoked(self):
        secret = self.random.choice(list(self.stage.secrets.values()))
        self.stage.simulator.control(revoke=secret)
        self.later(2, lambda: self.key_restored(restore=secret))

    def key_without_credit(self):
        secret = self.random.choice(list(self.stage.secrets.values()))
        self.stage.simulator.control(no_credit=secret)
        self.later(2, lambda: self.key_restored(credit=secret))

    def key_restored(self, **control):
        """All are reset: one that was refused and went with a reload is disabled when it is back."""
        self.stage.simulator.control(**control)
        self.stage.routerctl("reset-cooldown", "--all")

    def provider_tightens(self):
        """True 429s: routerd is not told."""
        secret = self.random.choice(list(self.stage.secrets.values()))
        self.stage.simulator.control(limits={"key": secret, "rpm": 20})
        self.later(3, lambda: self.stage.simulator.control(
            limits={"key": secret, "rpm": 1_000_000}))

    def provider_stopped(self):
        self.stage.simulator.process.send_signal(signal.SIGSTOP)
        time.sleep(self.random.uniform(0.1, 1.5))
        self.stage.simulator.process.send_signal(signal.SIGCONT)

    # ---- the operator

    def reload(self):
        """A key goes, or comes back with other limits."""
        text = json.loads(self.stage.daemon.config.read_text())
        whole = self.stage.keys
        kept = self.random.randrange(len(whole) - 2, len(whole) + 1)
        text["keys"] = self.random.sample(whole, kept)
        self.stage.daemon.config.write_text(json.dumps(text))
        self.stage.daemon.process.send_signal(signal.SIGHUP)

    def bad_reload(self):
        good = self.stage.daemon.config.read_text()
        self.stage.daemon.config.write_text(good[:self.random.randrange(1, len(good) - 1)])
        done = self.stage.routerctl("reload")
        self.stage.require(done.returncode != 0, "a broken configuration was taken")
        self.stage.daemon.config.write_text(good)

    def backup(self):
        path = self.stage.folder / f"backup-{next(self.numbers)}.db"
        if self.stage.routerctl("backup", str(path)).returncode == 0:
            path.unlink()

    # ---- processes

    def daemon_stopped(self):
        self.stage.daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(self.random.uniform(0.1, 1.5))
        self.stage.daemon.process.send_signal(signal.SIGCONT)

    def daemon_killed(self):
        self.stage.disk_has_room()
        self.stage.daemon.kill()
        self.stage.daemon.start()

    def daemon_restarted(self):
        self.stage.disk_has_room()
        code = self.stage.daemon.stop()
        self.stage.require(code == 0, "routerd stopped with", code)
        self.stage.daemon.start()

    def agent_stopped(self):
        agent = self.random.choice(self.stage.agents)
        agent.process.send_signal(signal.SIGSTOP)
        self.later(1.5, lambda: agent.process.send_signal(signal.SIGCONT))

    def agent_killed(self):
        """A successor takes its place, half the time with its open requests."""
        agent = self.random.choice(self.stage.agents)
        self.stage.replace(agent, inherit=self.random.random() < 0.5)

    def deaf_agent(self):
        """One that asks and never reads."""
        deaf = self.stage.start_deaf()
        self.later(3, deaf.kill)

    # ---- the machine

    def clock_jump(self):
        self.stage.clock.set(self.random.randrange(-CLOCK_JUMP_S, CLOCK_JUMP_S) * 1000)

    def disk_full(self):
        self.stage.disk.fill()
        self.later(1.5, self.stage.disk.free)
