"""PostgreSQL's programs on this machine: which there are, and of which version."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_PLACES = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/usr/local", "pgsql/bin"),
    ("/usr/local/opt", "postgresql*/bin"),
    ("/opt/homebrew/opt", "postgresql*/bin"),
    ("/Applications/Postgres.app/Contents/Versions", "*/bin"),
)
"""Debian, Red Hat, from source, Homebrew on both kinds of Mac, Postgres.app."""
_WRAPPER = "pg_wrapper"
_SECONDS = 10


@dataclass(frozen=True)
class Program:
    """A program of PostgreSQL's."""

    path: Path

    @cached_property
    def version(self) -> tuple[int, int]:
        """As ``--version`` says it: (15, 19); (0, 0) where it says none."""
        try:
            said = subprocess.run(
                [self.path, "--version"],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return (0, 0)
        found = re.search(r"\)\s+(\d+)(?:\.(\d+))?", said)
        return (int(found[1]), int(found[2] or 0)) if found else (0, 0)

    @property
    def folder(self) -> Path:
        return self.path.parent


def programs(name: str) -> list[Program]:
    """Every program of this name: the one on PATH, then those where systems keep them.

    Debian's wrapper in /usr/bin is passed over: it starts Perl to choose one of the others.
    """
    found: dict[Path, None] = {}
    on_path = shutil.which(name)
    if on_path and Path(on_path).resolve().name != _WRAPPER:
        found[Path(on_path)] = None
    for place, pattern in _PLACES:
        for folder in sorted(Path(place).glob(pattern)):
            if os.access(folder / name, os.X_OK):
                found[folder / name] = None
    return [Program(path) for path in found]


def server_folder(major: int) -> Path | None:
    """Where initdb and postgres stand side by side: of this major version, else the nearest newer
    one; None where there is none that is new enough."""
    known: dict[int, Path] = {}
    for program in programs("initdb"):
        folder = program.path.resolve().parent
        if (folder / "postgres").exists() and program.version[0] >= major:
            known.setdefault(program.version[0], folder)
    return known[min(known)] if known else None
