"""The running release, tried on the new schema: its models, as they were before the plan.

Each thing it does is tried on the old schema first. What fails there already is unknown afterwards,
never working. Everything is rolled back. A break belongs to the first step after which it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import Error as DatabaseProblem
from django.db import models, transaction
from django.db.models import Q

from bot.database.errors import first_line
from bot.database.rehearsal.blame import not_its_fault
from bot.database.rehearsal.conflicts import breaks_a_rule
from bot.database.rehearsal.rows import PLACES, Filled, Filler, Model, tables_of
from bot.database.rehearsal.silence import silence
from bot.database.rehearsal.values import NoValue, Variety, fields_to_fill
from bot.database.rehearsal.vendor import Deadline
from bot.route.rehearsal import Deed, Outcome, Probe

WRITTEN = (Variety.FULL, Variety.SPARE, Variety.PLAIN)
_NOT_COMPARED = ("JSONField", "BinaryField", "SearchVectorField", "HStoreField", "ArrayField")


class _Undone(Exception):
    """Everything was fine, and is taken back."""


@dataclass
class _Tried:
    """One model: what worked on the old schema, what has broken since, and what it needs."""

    model: Model
    works: dict[Deed, tuple[Variety, ...]] = field(default_factory=dict)
    partly: dict[Deed, str] = field(default_factory=dict)
    unknown: dict[Deed, str] = field(default_factory=dict)
    broken: set[Deed] = field(default_factory=set)
    filters: tuple[str, ...] = ()
    place: int = 0
    """To which rows of other tables a new row points."""


class OldRelease:
    """Tries what the running release does with ``found``, models of before the plan."""

    def __init__(
        self, connection: Any, found: Sequence[Model], filled: Filled, deadline: Deadline
    ) -> None:
        self.connection = connection
        self.filled = filled
        self.deadline = deadline
        self._tried = [_Tried(model=model) for model in found]
        self._filler = Filler(connection, start=5_000)

    def baseline(self) -> None:
        """On the old schema: what works there."""
        with silence():
            for one in self._tried:
                one.filters = self._filters(one.model)
                for deed in Deed:
                    self._baseline(one, deed)

    def try_again(self, tables: set[str] | None) -> tuple[Probe, ...]:
        """On a new schema. Of models that have to do with ``tables``; None: of all. What an earlier
        step broke is not told again."""
        found: list[Probe] = []
        with silence():
            for one in self._tried:
                if tables is not None and not tables & self._concerned(one.model):
                    continue
                deeds = [deed for deed in Deed if deed not in one.broken]
                found += [self._probe(one, deed) for deed in deeds]
        return tuple(found)

    def _concerned(self, model: Model) -> set[str]:
        """The tables that its statements may name: its own, its parents', and those whose rows
        refer to it, which a DELETE asks."""
        own = set(tables_of(model))
        return own | {one.related_model._meta.db_table for one in model._meta.related_objects}

    def _baseline(self, one: _Tried, deed: Deed) -> None:
        worked, problem = [], ""
        if deed is Deed.INSERT:
            self._find_place(one)
        for variety in _varieties(deed):
            error = self._error(one, deed, variety)
            if error is None:
                worked.append(variety)
            else:
                problem = problem or first_line(error)
        if worked:
            one.works[deed] = tuple(worked)
            if problem:
                one.partly[deed] = problem
        else:
            one.unknown[deed] = f"It fails before the plan already: {problem}"

    def _find_place(self, one: _Tried) -> None:
        """Where a relation has to be unique, some rows of the other table are taken."""
        for place in PLACES:
            one.place = place
            if self._error(one, Deed.INSERT, Variety.PLAIN) is None:
                return
        one.place = 0

    def _probe(self, one: _Tried, deed: Deed) -> Probe:
        outcome, words = Outcome.UNKNOWN, one.unknown.get(deed, "")
        if deed in one.works:
            outcome = Outcome.WORKS
            if deed in one.partly:
                outcome = Outcome.UNKNOWN
                words = f"Not every value could be tried before the plan: {one.partly[deed]}"
            for variety in one.works[deed]:
                error = self._error(one, deed, variety)
                if error is None:
                    continue
                words = first_line(error)
                if excuse := not_its_fault(error):
                    outcome, words = Outcome.UNKNOWN, excuse
                    break
                if not breaks_a_rule(error):
                    outcome = Outcome.FAILS
                    one.broken.add(deed)
                    break
                outcome, words = Outcome.UNKNOWN, f"It depends on the values: {words}"
        return Probe(
            model=one.model._meta.label,
            table=one.model._meta.db_table,
            deed=deed,
            outcome=outcome,
            error=words,
        )

    def _error(self, one: _Tried, deed: Deed, variety: Variety) -> Exception | None:
        """Do it and take it back; what it raised."""
        self.deadline.check()
        alias = self.connection.alias
        try:
            with transaction.atomic(using=alias):
                self._defer()
                self._do(one, deed, variety)
                self.connection.check_constraints()
                raise _Undone()
        except _Undone:
            return None
        except (DatabaseProblem, NoValue, ValueError, TypeError, OverflowError) as error:
            return error

    def _defer(self) -> None:
        if self.connection.features.can_defer_constraint_checks:
            with self.connection.cursor() as cursor:
                if self.connection.vendor == "postgresql":
                    cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def _do(self, one: _Tried, deed: Deed, variety: Variety) -> None:
        model = one.model
        rows = model._base_manager.using(self.connection.alias)
        if deed is Deed.SELECT:
            list(rows.all()[:5])
        elif deed is Deed.FILTER:
            values = self._filler.values(model, Variety.PLAIN, self.filled, place=0)
            asked = Q(pk__isnull=True)
            for name in one.filters:
                asked |= Q(**{name: values[name]})
            list(rows.filter(asked)[:5])
        elif deed is Deed.INSERT:
            made = self._filler.build(model, variety, self.filled, place=one.place)
            made.save(force_insert=True, using=self.connection.alias)
        elif deed is Deed.UPDATE:
            values = self._filler.values(model, variety, self.filled, place=0)
            keys = {f.attname for f in fields_to_fill(model) if f.primary_key or f.unique}
            kept = {name: value for name, value in values.items() if name not in keys}
            kept = kept or {name: value for name, value in values.items() if name in one.filters}
            if kept:
                key = self._key(model, 0)
                if not rows.filter(pk=key).update(**kept):
                    key = rows.values_list("pk", flat=True).first()
                    rows.filter(pk=key).update(**kept)
        else:
            self._delete(model, rows)

    def _delete(self, model: Model, rows: Any) -> None:
        """Any row of it: others may be protected by what refers to them."""
        keys = self.filled.keys.get(model._meta.db_table) or [None]
        for place, key in enumerate(reversed(keys)):
            try:
                with transaction.atomic(using=self.connection.alias):
                    rows.filter(pk=key).delete()
            except (models.ProtectedError, models.RestrictedError):
                if place == len(keys) - 1:
                    raise
            else:
                return

    def _key(self, model: Model, place: int) -> Any:
        keys = self.filled.keys.get(model._meta.db_table) or [None]
        return keys[min(place, len(keys) - 1)]

    def _filters(self, model: Model) -> tuple[str, ...]:
        """The columns that can be compared with a value."""
        return tuple(
            one.attname
            for one in fields_to_fill(model)
            if one.get_internal_type() not in _NOT_COMPARED
        )


def _varieties(deed: Deed) -> Iterator[Variety]:
    if deed in (Deed.INSERT, Deed.UPDATE):
        yield from WRITTEN
    else:
        yield Variety.PLAIN
