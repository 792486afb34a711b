"""What benchmarks tell: one line each as it is measured, and a table at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. ``ours`` and ``theirs`` are in ``unit``; a smaller ratio is better."""

    benchmark: str
    what: str
    ours: float
    theirs: float
    than: str
    unit: str
    at_most: float | None

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs if self.theirs else float("inf")

    @property
    def kept(self) -> bool:
        """Whether the promise holds; one without a limit always does."""
        return self.at_most is None or self.ratio <= self.at_most

    @property
    def line(self) -> str:
        limit = "" if self.at_most is None else f" (at most {self.at_most:g})"
        word = "" if self.kept else "  TOO MUCH"
        return (
            f"{self.benchmark}: {self.what}: {self.ours:.3g} {self.unit} against "
            f"{self.theirs:.3g} {self.unit} {self.than}: {self.ratio:.2f}{limit}{word}"
        )


@dataclass(slots=True)
class Report:
    """Collects rows and prints each at once. ``benchmark`` is the name of the one that runs now."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    benchmark: str = ""
    rows: list[Row] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def compare(
        self,
        what: str,
        ours: float,
        theirs: float,
        *,
        than: str,
        unit: str = "s",
        at_most: float | None = None,
    ) -> None:
        """Keep and print ``ours`` against ``theirs``; ``at_most`` is the ratio that is promised."""
        row = Row(
            benchmark=self.benchmark,
            what=what,
            ours=ours,
            theirs=theirs,
            than=than,
            unit=unit,
            at_most=at_most,
        )
        self.rows.append(row)
        print(row.line, file=self.out, flush=True)

    def miss(self, because: str) -> None:
        """Say that something could not be measured here, and why; the table repeats it."""
        self.missed.append(f"{self.benchmark}: not measured here: {because}")
        print(self.missed[-1], file=self.out, flush=True)

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return all(row.kept for row in self.rows)

    def print_table(self) -> None:
        """All rows as a Markdown table, then what could not be measured."""
        head = ("benchmark", "what", "ours", "theirs", "ratio", "promised", "")
        body = [
            (
                row.benchmark,
                row.what,
                f"{row.ours:.3g} {row.unit}",
                f"{row.theirs:.3g} {row.unit} ({row.than})",
                f"{row.ratio:.2f}",
                "" if row.at_most is None else f"<= {row.at_most:g}",
                "kept" if row.kept else "TOO MUCH",
            )
            for row in self.rows
        ]
        if body:
            widths = [max(len(line[at]) for line in (head, *body)) for at in range(len(head))]
            lines = [head, tuple("-" * width for width in widths), *body]
            print(file=self.out)
            for line in lines:
                cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
                print("| " + " | ".join(cells) + " |", file=self.out)
        for words in self.missed:
            print(words, file=self.out)


def best_of(times: int, work: Callable[[], object]) -> float:
    """The shortest of ``times`` runs of ``work``, in seconds: the least disturbed one."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def peak_memory(pid: int | str = "self") -> float:
    """The most memory that a living process has had resident, in MiB (Linux: VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"the kernel does not tell the peak memory of process {pid}")
