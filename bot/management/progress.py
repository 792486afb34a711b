"""How far something is: a bar that is redrawn on a terminal, a line now and then in a log."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

from bot.route.visible import visible

LINE_EVERY = 2.0
"""Seconds between two lines in a log; what is done sooner writes none."""
DRAW_EVERY = 0.05
BAR = 20


class _Stream(Protocol):
    def write(self, msg: str = "", style_func: Any = None, ending: str | None = None) -> Any: ...
    def flush(self) -> Any: ...
    def isatty(self) -> bool: ...


class Progress:
    """Shows ``done`` of ``total`` and what comes now. A context manager; leaving wipes the bar."""

    def __init__(
        self, stream: _Stream, *, label: str, clock: Callable[[], float], quiet: bool = False
    ) -> None:
        self._stream = stream
        self._label = label
        self._clock = clock
        self._quiet = quiet
        self.terminal = stream.isatty()
        self._started = self._drawn = clock()
        self._shown = False
        self._told: tuple[int, str] | None = None

    def update(self, done: int, total: int, words: str = "") -> None:
        """Say how far it is. Called as often as one likes: it draws only so often."""
        if self._quiet:
            return
        now = self._clock()
        if not self.terminal:
            if now - self._drawn >= LINE_EVERY and (done, words) != self._told:
                self._drawn, self._told = now, (done, words)
                self._stream.write(f"{self._label} {_count(done, total)} {visible(words)}".rstrip())
                self._stream.flush()
            return
        if self._shown and now - self._drawn < DRAW_EVERY and done < total:
            return
        self._drawn, self._shown = now, True
        self._draw(self.bar(done, total, words, columns=shutil.get_terminal_size().columns))

    def bar(self, done: int, total: int, words: str = "", *, columns: int) -> str:
        """The bar as one line that fits into ``columns``."""
        seconds = int(self._clock() - self._started)
        filled = BAR * done // total if total else 0
        line = f"{self._label} [{'#' * filled}{'.' * (BAR - filled)}] {_count(done, total)}"
        line += f" {seconds // 60}:{seconds % 60:02} {visible(words)}"
        room = max(10, columns - 1)
        return line if len(line) <= room else line[: room - 3] + "..."

    def line(self, text: str) -> None:
        """A line that stays, above the bar or in the log."""
        if self._quiet:
            return
        self.clear()
        self._stream.write(visible(text))
        self._stream.flush()

    def clear(self) -> None:
        """Wipe the bar."""
        if self._shown:
            self._draw("")
            self._shown = False

    def _draw(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}", ending="")
        self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()


def _count(done: int, total: int) -> str:
    return f"{done} of {total}" if total else ""
