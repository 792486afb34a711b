"""What a child prints, in the file to which its standard output and error go."""

from __future__ import annotations

import contextlib
import os
import sys

OUTPUT_LIMIT = 1 << 20
"""Bytes of output after which a child forgets what it has printed so far."""


def tail(descriptor: int, limit: int) -> str:
    """The last ``limit`` bytes of a file, as text."""
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, limit, max(0, size - limit)).decode("utf-8", "replace")


def output_tail(limit: int = 4_000) -> str:
    """The last of what this child printed, also by programs it started."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        return tail(1, limit)
    return ""


def forget_output() -> None:
    """Keep the file of what is printed small: beyond the limit it begins again."""
    with contextlib.suppress(OSError, ValueError):
        if os.fstat(1).st_size > OUTPUT_LIMIT:
            os.ftruncate(1, 0)
