"""A case: a small plan on the shop's database, what is true of it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.route.findings import Risk


class Lock(StrEnum):
    """What others have to wait for."""

    NONE = "none"
    """Nothing stronger than SHARE UPDATE EXCLUSIVE on a table that was there before the plan."""
    BRIEF = "brief"
    """SHARE or stronger on such a table, for an instant."""
    GROWS = "grows"
    """SHARE or stronger, or the lock on each of a table's rows, for as long as work goes on that
    takes longer the more rows there are."""


class Release(StrEnum):
    """Whether the release that is still running works on the new schema."""

    WORKS = "works"
    BREAKS = "breaks"
    """What it does every day fails: it reads every column of a model, leaves out columns that it
    does not know, writes NULL where it may, and any value that its fields allow."""
    DEPENDS = "depends"
    """Only a value fails that a new rule forbids, and nobody here knows whether it is written. It
    is scored for nobody."""


class Data(StrEnum):
    KEPT = "kept"
    LOST = "lost"
    """Values or rows go, or are cut, without an error."""
    MAY_FAIL = "may_fail"
    """Rows that do not fit stop the migration."""


class Undo(StrEnum):
    """Whether going back works; of a plan that goes back, whether that works."""

    WORKS = "works"
    FAILS = "fails"
    """It stops at rows, or cuts them: at those of before, or at ones which only the new schema
    takes (the case's ``since``)."""
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The answers to the five questions. ``level`` is the one for large tables."""

    lock: Lock
    release: Release
    data: Data
    undo: Undo
    level: Risk

    @classmethod
    def read(cls, words: str) -> Labels:
        """``brief works kept works caution``, in the order of the fields."""
        lock, release, data, undo, level = words.split()
        return cls(
            lock=Lock(lock),
            release=Release(release),
            data=Data(data),
            undo=Undo(undo),
            level=Risk(level),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One migration: the source of its operations, and of what else its module and class say."""

    operations: str
    atomic: bool = True
    head: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``plan`` is what is judged, after ``before`` was applied to the shop; ``back`` plans to undo
    ``before`` instead. ``source`` is where the ``why`` can be read."""

    name: str
    plan: tuple[Move, ...] = ()
    before: tuple[Move, ...] = ()
    back: bool = False
    labels: Labels
    why: str
    source: str
    spoil: str = ""
    """SQL for rows that make the plan fail or lose values, where the shop has none."""
    fails: bool = False
    """Whether the plan fails on the shop's rows as they are."""
    since: str = ""
    """SQL for a row that only the new schema takes, and that going back stops at or cuts."""
    writes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By model, what the running release writes where it is not what the shop's writes."""
    unmeasured: tuple[str, ...] = ()
    """Labels that rest on the source alone, because this ground cannot show them."""
