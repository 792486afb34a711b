"""Where a subcommand says things: results on stdout, words for people and progress on stderr."""

from __future__ import annotations

import json
import os
import shutil
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.management.progress import Progress
from bot.route.findings import Risk
from bot.route.visible import visible

LOG_WIDTH = 100
"""Columns where there is no terminal to ask."""
NARROWEST, WIDEST = 40, 120


class Stream(Protocol):
    """What is needed of Django's OutputWrapper."""

    def write(self, msg: str = "", style_func: Any = None, ending: str | None = None) -> Any: ...
    def flush(self) -> Any: ...
    def isatty(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The two streams of one command and how they are written to.

    ``style`` is Django's set of colours; ``coloured`` says whether they are wanted.
    ``clock`` counts seconds.
    """

    out: Stream
    err: Stream
    style: Any
    as_json: bool = False
    quiet: bool = False
    force_colour: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @property
    def coloured(self) -> bool:
        if self.force_colour:
            return True
        return self.out.isatty() and not self.environment.get("NO_COLOR")

    @property
    def width(self) -> int:
        """Columns to write in: the terminal's, between 40 and 120."""
        if not self.out.isatty():
            return LOG_WIDTH
        return max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))

    def write(self, text: str) -> None:
        """A result for people, on stdout."""
        if not self.quiet:
            self.out.write(text)

    def document(self, value: Any) -> None:
        """The one JSON document of a command that was asked for ``--json``."""
        self.out.write(json.dumps(value, indent=2, ensure_ascii=True))

    def say(self, text: str) -> None:
        """Words for whoever watches, on stderr."""
        if not self.quiet:
            self.err.write(text)
            self.err.flush()

    def progress(self, label: str) -> Progress:
        """A bar on a terminal, now and then a line in a log."""
        return Progress(self.err, label=label, clock=self.clock, quiet=self.quiet)

    # Styles

    def heading(self, text: str) -> str:
        return self._styled(self.style.MIGRATE_HEADING, text)

    def strong(self, text: str) -> str:
        return self._styled(self.style.MIGRATE_LABEL, text)

    def good(self, text: str) -> str:
        return self._styled(self.style.SUCCESS, text)

    def warn(self, text: str) -> str:
        return self._styled(self.style.WARNING, text)

    def bad(self, text: str) -> str:
        return self._styled(self.style.ERROR, text)

    def risk(self, risk: Risk, text: str = "") -> str:
        """``text``, or the risk's name, in the colour of the risk."""
        paint = {Risk.SAFE: self.good, Risk.CAUTION: self.warn, Risk.DANGEROUS: self.bad}[risk]
        return paint(text or str(risk))

    def _styled(self, paint: Callable[[str], str], text: str) -> str:
        return paint(text) if self.coloured else text

    # Layout

    def wrapped(self, text: str, *, indent: str = "", first: str | None = None) -> list[str]:
        """One paragraph that others may have written, in lines that fit, hidden characters shown.

        ``first`` stands before the first line instead of ``indent``.
        """
        return textwrap.wrap(
            visible(" ".join(text.split())),
            width=self.width,
            initial_indent=indent if first is None else first,
            subsequent_indent=indent,
            break_on_hyphens=False,
        ) or [indent if first is None else first]
