"""What a table of facts says of an operation, and the rehearsal that has to measure it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.route.rehearsal import Deed, Outcome, RehearsedStep
from bot.route.risks.effects import Lock, Work
from tests.database.migrating import MadeUpApp, migrate
from tests.database.rehearsal.shop import rehearsed, write

ITEM, MAKER, OLD, BOX, TAG = "shop_item", "shop_maker", "shop_old", "shop_box", "shop_tag"
ITEMS_OF_BOX = "shop_box_tags"
WORKS, FAILS, DEPENDS = Outcome.WORKS, Outcome.FAILS, Outcome.UNKNOWN
QUERIES = (Deed.SELECT, Deed.FILTER, Deed.INSERT, Deed.UPDATE)
INDEXED = "migrations.AddIndex('Item', models.Index(fields=['count'], name='counted'))"
CHECKED = """migrations.AddConstraint('Item', models.CheckConstraint(condition=Q(count__gt=0),
    name='positive'))"""


@dataclass(frozen=True)
class Row:
    """``locks`` are the strongest on each table, ``works`` those that grow. ``breaks`` are what the
    running release cannot do any more, ``undo`` whether it can be undone with rows. ``ways`` are
    those that MariaDB accepted, in order."""

    operation: str
    locks: dict[str, Lock]
    works: frozenset[tuple[str, Work]] = frozenset()
    breaks: frozenset[tuple[str, Deed]] = frozenset()
    undo: Outcome = WORKS
    outcome: Outcome = WORKS
    same_after_undo: Outcome = WORKS
    before: str = ""
    extra: str = ""
    ways: tuple[str, ...] = ()


def works(*found: tuple[str, Work]) -> frozenset[tuple[str, Work]]:
    return frozenset(found)


def on(table: str, *deeds: Deed) -> frozenset[tuple[str, Deed]]:
    return frozenset((table, deed) for deed in deeds or tuple(Deed))


def assert_measured(database: str, shop: MadeUpApp, row: Row, *, head: str = "") -> None:
    """A rehearsal of the row's operation measures what the row says."""
    write(shop, row.operation, before=row.before, extra=row.extra, head=head)
    migrate(database, "shop", "0001")
    found = rehearsed(database, "shop")
    assert found.because == ""
    (step,) = found.steps
    assert (step.outcome, step.error) == (row.outcome, step.error if row.outcome != WORKS else "")
    assert ways_of(step) == row.ways
    assert locks_of(step) == row.locks
    assert works_of(step) == row.works
    assert not step.blind
    assert {(one.table, one.deed) for one in step.breaks()} == row.breaks
    assert (step.undo, step.undo_because) == (row.undo, step.undo_because)
    assert found.same_after_undo is row.same_after_undo, found.notes
    assert found.same_again is WORKS, found.notes


def ways_of(step: RehearsedStep) -> tuple[str, ...]:
    """What stands in brackets after the words of each effect."""
    return tuple(
        effect.words.partition(" (")[2].partition(", the most online")[0]
        for one in step.measured
        for effect in one.effects
        if "ALGORITHM" in effect.words
    )


def locks_of(step: RehearsedStep) -> dict[str, Lock]:
    found: dict[str, Lock] = {}
    for one in step.measured:
        for effect in one.effects:
            found[effect.table] = max(effect.lock, found.get(effect.table, Lock.NONE))
    return found


def works_of(step: RehearsedStep) -> frozenset[tuple[str, Work]]:
    return frozenset(
        (effect.table, effect.work)
        for one in step.measured
        for effect in one.effects
        if effect.grows
    )
