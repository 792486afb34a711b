"""What refers to what among model states, told without making classes of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.migrations.state import ModelState
from django.db.migrations.utils import resolve_relation
from django.db.models import CompositePrimaryKey

ModelKey = tuple[str, str]
"""An app label and a model's name in lower case, as ProjectState.models has it."""
Difference = dict[ModelKey, tuple[ModelState | None, ModelState | None]]
"""What one operation did to a state: each model before and after; None where it was not."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A relation of a model. ``names`` are the target's fields it refers to; empty: its key."""

    field: str
    to: ModelKey
    names: tuple[str, ...]
    through: ModelKey | None


@dataclass(frozen=True, slots=True)
class Outline:
    """What rendering needs to know of a model state before it makes a class of it."""

    key_fields: tuple[str, ...]
    """The primary key's fields and the links to parents."""
    references: tuple[Reference, ...]
    bases: tuple[ModelKey, ...]


def outline(state: ModelState) -> Outline:
    """The outline of a state that nobody writes to any more; computed once."""
    known: Outline | None = state.__dict__.get("_migration_bot_outline")
    if known is None:
        known = outline_of(state)
        state.__dict__["_migration_bot_outline"] = known
    return known


def outline_of(state: ModelState) -> Outline:
    """The outline of a state as it is now."""
    here = (state.app_label, state.name_lower)
    key_fields: dict[str, None] = {}
    references = []
    for name, field in state.fields.items():
        if isinstance(field, CompositePrimaryKey):
            key_fields.update(dict.fromkeys((name, *field.field_names)))
        elif field.primary_key or getattr(field.remote_field, "parent_link", False):
            key_fields[name] = None
        if field.is_relation and field.remote_field is not None:
            to = field.remote_field.model
            through = getattr(field.remote_field, "through", None)
            references.append(
                Reference(
                    field=name,
                    to=resolve_relation(to, *here),
                    names=tuple(n for n in getattr(field, "to_fields", None) or () if n),
                    through=resolve_relation(through, *here) if through else None,
                )
            )
    bases = tuple(
        resolve_relation(base, state.app_label) for base in state.bases if isinstance(base, str)
    )
    return Outline(key_fields=tuple(key_fields), references=tuple(references), bases=bases)


class References:
    """Which models may refer to a model: what ever did in this plan. Look before you trust it."""

    def __init__(self) -> None:
        self._to: dict[ModelKey, dict[ModelKey, None]] = {}
        self._places: dict[ModelKey, int] = {}

    def note(self, difference: Difference) -> None:
        """Learn from what an operation wrote."""
        for key, (_, after) in difference.items():
            if after is not None:
                self.learn(key, outline(after))

    def learn(self, key: ModelKey, lines: Outline) -> None:
        """Learn what one model refers to."""
        self._places.setdefault(key, len(self._places))
        for reference in lines.references:
            self._to.setdefault(reference.to, {})[key] = None
            if reference.through:
                self._to.setdefault(reference.through, {})[key] = None

    def to(self, key: ModelKey) -> list[ModelKey]:
        """Models that refer to ``key`` or did so once."""
        return list(self._to.get(key, ()))

    def place(self, key: ModelKey) -> tuple[str, int]:
        """Sorts as Django walks over models: by app, then in the order they came."""
        return (key[0], self._places.get(key, -1))
