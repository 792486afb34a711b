"""What the database's own record of migrations says, always asked anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder

from bot.route.plan import Direction, Step

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """How one step shows in the record: its own row, or the rows of what it replaces."""

    key: str
    direction: Direction
    rows: frozenset[Key]
    own: Key

    @classmethod
    def of_step(cls, step: Step) -> Recorded:
        """Of a step of a plan, whose ``replaces`` are ``app.name``."""
        own = (step.app, step.name)
        replaced = (text.partition(".") for text in step.replaces)
        rows = frozenset((app, name) for app, _, name in replaced) or frozenset({own})
        return cls(key=step.key, direction=step.direction, rows=rows, own=own)

    @classmethod
    def of_migration(cls, migration: Migration, backwards: bool) -> Recorded:
        """Of a migration as ``migrate`` planned it."""
        own = (migration.app_label, migration.name)
        return cls(
            key=f"{own[0]}.{own[1]}",
            direction=Direction.BACKWARD if backwards else Direction.FORWARD,
            rows=frozenset((app, name) for app, name in migration.replaces or ())
            or frozenset({own}),
            own=own,
        )

    def is_done(self, applied: frozenset[Key]) -> bool:
        """Whether these rows show it done.

        A squash counts forward with its own row or with all that it replaces, since Django writes
        its own row only at the end of everything; backward with none of them.
        """
        if self.direction is Direction.FORWARD:
            return self.own in applied or self.rows <= applied
        return self.own not in applied and not self.rows & applied


def applied_rows(connection: Any) -> frozenset[Key]:
    """The rows of django_migrations, read now; none where there is no such table."""
    return frozenset(MigrationRecorder(connection).applied_migrations())


def done_keys(steps: Iterable[Recorded], applied: frozenset[Key]) -> tuple[str, ...]:
    """The keys of the steps that the record shows as done, in the steps' order."""
    return tuple(step.key for step in steps if step.is_done(applied))
