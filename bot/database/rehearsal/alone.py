"""One rehearsal at a time on a machine: two would slow each other down and measure that."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.database.rehearsal.vendor import Deadline, NotRehearsed, nowhere

_PAUSE = 0.1
"""Seconds between two tries."""


def lock_file() -> Path:
    """A file of this user's own: one that somebody else made could not be locked."""
    return Path(tempfile.gettempdir()) / f"mbot_rehearsal-{os.getuid()}.lock"


@contextmanager
def alone(deadline: Deadline) -> Iterator[None]:
    """Wait for the rehearsals before this one. Raises NotRehearsed when the time is up, or where no
    file can be made.

    The kernel lets go of the lock when the process ends, however it does.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    file = lock_file()
    try:
        descriptor = os.open(file, flags, 0o600)
    except OSError as error:
        raise nowhere(file.parent, error) from error
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not deadline.left:
                    raise NotRehearsed(
                        f"Another rehearsal went on here for {deadline.seconds:g} s"
                        " (rehearsal_timeout). Ask for it again later."
                    ) from None
                time.sleep(_PAUSE)
            else:
                break
        yield
    finally:
        os.close(descriptor)
