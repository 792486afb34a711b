"""Made-up rows in the tables that a plan touches and in those that they point to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import Error as DatabaseProblem
from django.db import models, transaction

from bot.database.errors import first_line
from bot.database.rehearsal.replay import belongs_here
from bot.database.rehearsal.silence import silence
from bot.database.rehearsal.values import NoValue, Variety, fields_to_fill, value_for

Model = type[models.Model]

THREE = (Variety.FULL, Variety.SPARE, Variety.PLAIN)
"""The rows that each table gets; two of them have to succeed."""
ENOUGH = 2
FRESH = -1
"""A unique relation leads to a row that is made for it."""
ALTERNATE = -2
"""Relations lead to the first row of one table and to the second of the next, so that no two of
three rows have the same pair, and no third row is pointed at."""
PLACES = (0, 2, 1, 3, 4, 5, 6, FRESH)
"""Ways for a new row to point to others: a number below 3 is the place of the row in each of the
other tables; 3 more shift the second relation by one row, 6 by two, and so on."""


@dataclass
class Filled:
    """What was made: for each table the primary keys of its model's rows, and why there are none
    where there are none."""

    keys: dict[str, list[Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(self.keys)


def models_of(connection: Any, apps: Any) -> list[Model]:
    """The models that have a table of their own here, many to many tables among them."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy and belongs_here(connection, model)
    ]


def touched(found: Iterable[Model], tables: Iterable[str]) -> list[Model]:
    """The models with one of these tables, their own or one of a parent."""
    wanted = set(tables)
    return [model for model in found if wanted & set(tables_of(model))]


def tables_of(model: Model) -> tuple[str, ...]:
    """The model's table and those of the models it inherits from."""
    return (model._meta.db_table, *(one._meta.db_table for one in model._meta.get_parent_list()))


def with_needed(found: Sequence[Model]) -> list[Model]:
    """The models and all that they point to, those that are pointed to first."""
    ordered: dict[Model, None] = {}
    under_way: set[Model] = set()

    def add(model: Model) -> None:
        if model in ordered or model in under_way:
            return
        under_way.add(model)
        for one in model._meta.concrete_fields:
            if one.remote_field is not None:
                add(one.remote_field.model)
        under_way.discard(model)
        if not model._meta.proxy:
            ordered[model] = None

    for model in found:
        add(model)
    return list(ordered)


class Filler:
    """Makes rows of models. Each value has a number of its own, so that rows differ."""

    def __init__(self, connection: Any, start: int = 1) -> None:
        self.connection = connection
        self._numbers = itertools.count(start)

    def fill(self, found: Sequence[Model], varieties: Sequence[Variety] = THREE) -> Filled:
        """Rows for each model, in order. A table whose rows cannot be made is told of."""
        filled = Filled()
        with silence():
            for model in found:
                keys: list[Any] = []
                why = ""
                wanted = varieties[:ENOUGH] if _takes_up(model) else varieties
                for place, variety in enumerate(wanted):
                    key, problem = self._one(model, place, variety, filled)
                    if key is not None:
                        keys.append(key)
                    why = why or problem
                filled.keys[model._meta.db_table] = keys
                if len(keys) < min(ENOUGH, len(wanted)):
                    filled.failed[model._meta.db_table] = why
        return filled

    def _one(self, model: Model, place: int, variety: Variety, filled: Filled) -> tuple[Any, str]:
        """The primary key of a new row and nothing, or None and why there is none."""
        problem = ""
        for attempt, offset in _attempts(variety, place):
            try:
                made = self.build(model, attempt, filled, place=offset)
                with transaction.atomic(using=self.connection.alias):
                    made.save(force_insert=True, using=self.connection.alias)
                    self.connection.check_constraints()
            except (DatabaseProblem, NoValue, ValueError, TypeError, OverflowError) as error:
                problem = problem or first_line(error)
            else:
                return made.pk, ""
        return None, problem

    def build(self, model: Model, variety: Variety, filled: Filled, *, place: int) -> models.Model:
        """An unsaved row, whose relations lead to others as ``place`` says (see PLACES). Raises
        NoValue."""
        made = model()
        for name, value in self.values(model, variety, filled, place=place).items():
            setattr(made, name, value)
        return made

    def values(
        self, model: Model, variety: Variety, filled: Filled, *, place: int
    ) -> dict[str, Any]:
        """A value for each column that is written, by attribute. Raises NoValue."""
        number = next(self._numbers)
        found: dict[str, Any] = {}
        relations = itertools.count()
        for one in fields_to_fill(model):
            if variety is Variety.SPARE and one.has_db_default():
                continue  # As Django does for a row that is given no value.
            if one.remote_field is None:
                found[one.attname] = value_for(one, number, variety)
            else:
                row = _row(place, next(relations))
                found[one.attname] = self._relation(one, variety, filled, row)
        return found

    def _relation(self, one: Any, variety: Variety, filled: Filled, row: int) -> Any:
        if variety is Variety.SPARE and one.null:
            return None
        other = one.remote_field.model
        keys = filled.keys.get(other._meta.concrete_model._meta.db_table, [])
        if not keys:
            if one.null:
                return None
            raise NoValue(f"{one.name}, since {other._meta.db_table} has no row")
        key = keys[max(row, 0) % len(keys)]
        if row == FRESH and one.unique:
            fresh = self.build(other, Variety.PLAIN, filled, place=FRESH)
            fresh.save(force_insert=True, using=self.connection.alias)
            key = fresh.pk
        target = one.target_field
        if target.primary_key:
            return key
        manager = other._base_manager.using(self.connection.alias)
        return manager.filter(pk=key).values_list(target.attname, flat=True).first()


def _attempts(variety: Variety, place: int) -> Iterator[tuple[Variety, int]]:
    """What to try for a row that should be of this variety. The third row points to the first two
    of other tables, so that their third one is pointed at by none and can be deleted."""
    first = place if place < ENOUGH else ALTERNATE
    yield variety, first
    for other in (Variety.PLAIN, Variety.DEFAULT, Variety.SPARE, Variety.FULL):
        yield other, first
    for other_place in PLACES:
        yield Variety.PLAIN, other_place
    yield Variety.DEFAULT, place


def _row(place: int, relation: int) -> int:
    """Which row of another table the relation of this number leads to."""
    if place == FRESH:
        return FRESH
    return relation % 2 if place == ALTERNATE else place % 3 + place // 3 * relation


def _takes_up(model: Model) -> bool:
    """Whether a row takes up rows of another table: then one there is left free."""
    return any(one.remote_field and one.unique for one in fields_to_fill(model))
