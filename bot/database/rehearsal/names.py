"""Names of what a rehearsal makes: they say what it is, who made it and when, so that whoever finds
one can tell whether it was left behind."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PREFIX = "mbot_rehearsal_"
DAY = 86_400.0
"""Seconds after which it was left behind, whatever it looks like."""
_TIME = "%Y%m%dt%H%M%S"
_NAME = re.compile(
    rf"^{PREFIX}(\d{{8}}t\d{{6}})_([0-9a-f]{{8}})_(\d+)_([0-9a-f]{{8}})_[0-9a-f]{{6}}$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Who made it: a process on a machine. ``born`` tells it from a later one with the same id."""

    made_at: datetime
    machine: str
    pid: int
    born: str

    @property
    def is_here(self) -> bool:
        """Whether it was made by a process of this machine, so that one can look for it."""
        return self.machine == machine()

    @property
    def is_gone(self) -> bool:
        """Whether that process has ended; only where ``is_here``. One that is there and lets
        nobody see when it began may be it."""
        return born(self.pid) not in (self.born, UNSEEN)

    def left_behind(
        self, now: datetime, seconds: float, is_used: Callable[[], bool] | None = None
    ) -> bool:
        """Whether nobody uses it any more.

        On this machine its process says so. Elsewhere ``is_used`` does, once it is older than
        ``seconds``: whether anybody has it open. Where that cannot be asked only a day proves it,
        for other projects have other settings and other machines other clocks.
        """
        age = (now - self.made_at).total_seconds()
        if age > max(seconds, DAY):
            return True
        if self.is_here:
            return self.is_gone
        return age > seconds and is_used is not None and not is_used()


def new_name() -> str:
    """A name no other has: ``mbot_rehearsal_20261126t070000_5f3a9c01_4711_0b1c2d3e_a1b2c3``."""
    made = datetime.now(UTC).strftime(_TIME)
    pid = os.getpid()
    return f"{PREFIX}{made}_{machine()}_{pid}_{born(pid)}_{secrets.token_hex(3)}"


def maker_of(name: str) -> Maker | None:
    """Who made what has this name; None when it is none of ours."""
    found = _NAME.match(name)
    if found is None:
        return None
    made_at = datetime.strptime(found[1], _TIME).replace(tzinfo=UTC)
    return Maker(made_at=made_at, machine=found[2], pid=int(found[3]), born=found[4])


def machine() -> str:
    """8 hex digits for this machine since it was started, and for this namespace of processes."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        parts.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115 it is no path
    except OSError:
        pass  # Not on Linux; the name is what is left.
    return _digest(" ".join(parts))


def born(pid: int) -> str:
    """8 hex digits for the process that has this id now; empty when there is none, or one that has
    ended and that nobody has collected."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass  # It is somebody else's, and there.
    try:
        facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if facts[0] in "ZX":
            return ""
        started = facts[19]
    except OSError:
        started = ""
    return _digest(started)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


UNSEEN = _digest("")
"""What ``born`` says where nobody can see when a process began."""
