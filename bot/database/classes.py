"""One model class after the other, made of model states for a registry with few models in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps.registry import Apps
from django.db.migrations.state import ModelState, StateApps
from django.db.models import Field

from bot.database.references import outline

_KEPT_OPTIONS = (
    "db_table",
    "db_tablespace",
    "managed",
    "proxy",
    "swappable",
    "required_db_vendor",
    "required_db_features",
)
_KNOWN_AT_MOST = 256
_LATER_THAN_ALL = 10**12
_FIELDS_AT_MOST = 10**6


@contextmanager
def numbered(time: int) -> Iterator[None]:
    """Number the fields that are made here as if all states had been rendered in their order.

    Fields are sorted by these numbers, so they decide where SQLite puts a column in a table that
    it makes anew: Django has rendered the state before an operation before the one after it, also
    when it goes backwards, and so does a table come out.
    """
    usual = Field.creation_counter
    Field.creation_counter = _LATER_THAN_ALL + time * _FIELDS_AT_MOST
    try:
        yield
    finally:
        # Never lower than what was given out: SQLite's editor clones fields, and those come last.
        Field.creation_counter = max(usual, Field.creation_counter)


class SmallApps(StateApps):
    """A registry with a few models in it. StateApps' own constructor renders everything."""

    def __init__(self) -> None:
        Apps.__init__(self, ())
        self.real_models = []


class PointedAt:
    """Classes of models that are only pointed at and point at nothing, to be in many registries.

    Half of what is rendered are such: the users and pages that everything refers to, and a table
    that gets another column, without it. A class serves each state of which the same is left.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[Any, ModelState, frozenset[str]]] = {}
        self._used: list[tuple[Any, frozenset[str]]] = []

    def model(self, state: ModelState, names: frozenset[str]) -> Any:
        """The class of ``state`` with the fields ``names``."""
        left = reduced(state, names)
        signature = _signature(left)
        if signature not in self._known:
            if len(self._known) >= _KNOWN_AT_MOST:
                self._known.clear()
            model: Any = left.render(SmallApps())
            # What is left is kept too: the ids of its fields must not be used again.
            self._known[signature] = (model, left, frozenset(vars(model)))
        model, _, own = self._known[signature]
        self._used.append((model, own))
        return model

    def tidy(self) -> None:
        """Take off what models of one registry put on them; it would keep that registry alive."""
        for model, own in self._used:
            for name in set(vars(model)) - own:
                delattr(model, name)
        self._used.clear()


def _signature(left: ModelState) -> tuple[Any, ...]:
    """What makes the class of a state: states share the fields that nothing has changed."""
    return (
        left.app_label,
        left.name,
        left.bases,
        tuple((name, id(field)) for name, field in left.fields.items()),
        tuple((name, repr(value)) for name, value in left.options.items()),
        tuple((name, id(manager)) for name, manager in left.managers),
    )


def stands_alone(state: ModelState, names: frozenset[str]) -> bool:
    lines = outline(state)
    return not lines.bases and not any(one.field in names for one in lines.references)


def reduced(state: ModelState, names: frozenset[str] | None) -> ModelState:
    """The state with only these fields, and nothing that does not shape the table."""
    fields = {n: f for n, f in state.fields.items() if names is None or n in names}
    if names is None:
        options = dict(state.options)
        options.pop("default_manager_name", None)
        options.pop("base_manager_name", None)
    else:
        options = {name: state.options[name] for name in _KEPT_OPTIONS if name in state.options}
    # Managers play no part in tables; but a field named objects needs one of another name.
    managers = state.managers if "objects" in fields else []
    reduced = ModelState.__new__(ModelState)
    reduced.app_label = state.app_label
    reduced.name = state.name
    reduced.fields = fields
    reduced.options = {"indexes": [], "constraints": [], **options}
    reduced.bases = state.bases
    reduced.managers = managers
    return reduced
