"""Which models an operation looks at: those that must be rendered whole for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.migrations.operations.fields import (
    AddField,
    AlterField,
    FieldOperation,
    RemoveField,
    RenameField,
)
from django.db.migrations.operations.models import IndexOperation, ModelOperation, RenameModel

from bot.database.lazystate import View
from bot.database.references import ModelKey, References, outline


def roots_of(
    operation: Any, app_label: str, references: References, views: Iterable[View]
) -> set[ModelKey]:
    """The models that an operation looks at, before or after it.

    Its own, and for a rename or a changed key those that refer to it.
    """
    names: list[str] = []
    if isinstance(operation, RenameModel):
        names = [operation.old_name, operation.new_name]
    elif isinstance(operation, ModelOperation):
        names = [operation.name]
    elif isinstance(operation, (FieldOperation, IndexOperation)) or hasattr(
        operation, "model_name"
    ):
        names = [operation.model_name]
    roots: set[ModelKey] = {(app_label, name.lower()) for name in names}
    for view in views:
        if isinstance(operation, RenameModel):
            for root in list(roots):
                roots |= _referring(references, view, root)
        elif isinstance(operation, (AlterField, RenameField)):
            for root in list(roots):
                roots |= _referring_to_field(references, view, root, _field_names(operation))
    return roots


def enough_of(
    operation: Any, app_label: str, vendor: str, views: Iterable[View]
) -> dict[ModelKey, frozenset[str]]:
    """The fields that are enough of a model, where it need not be rendered whole.

    A column that comes or goes by itself is all that counts, unless the table is made anew
    (SQLite), the column is computed from others, or its field is not Django's own.
    """
    if vendor not in ("postgresql", "mysql") or type(operation) not in (AddField, RemoveField):
        return {}
    key = (app_label, operation.model_name.lower())
    for view in views:
        state = view.peek(key)
        field = state.fields.get(operation.name) if state is not None else None
        if field is not None and (field.generated or not _is_djangos(field)):
            return {}
    return {key: frozenset({operation.name})}


def _is_djangos(field: Any) -> bool:
    return type(field).__module__.startswith(("django.db.models.", "django.contrib.postgres."))


def _field_names(operation: AlterField | RenameField) -> set[str]:
    if isinstance(operation, RenameField):
        return {operation.old_name, operation.new_name}
    return {operation.name}


def _referring(references: References, view: View, key: ModelKey) -> set[ModelKey]:
    found = set()
    for other in references.to(key):
        state = view.peek(other)
        if state is not None and any(
            key in (reference.to, reference.through) for reference in outline(state).references
        ):
            found.add(other)
    return found


def _referring_to_field(
    references: References, view: View, key: ModelKey, names: set[str]
) -> set[ModelKey]:
    """Models with a foreign key to one of these fields, and on through keys that are such keys.

    Django changes their columns too (_related_non_m2m_objects), and SQLite makes them anew.
    """
    found: set[ModelKey] = set()
    waiting = [(key, names)]
    while waiting:
        key, names = waiting.pop()
        state = view.peek(key)
        if state is None:
            continue
        unique = {n for n in names if n in state.fields and state.fields[n].unique}
        is_key = any(state.fields[n].primary_key for n in unique)
        if not unique:
            continue
        for other in references.to(key):
            other_state = view.peek(other)
            if other in found or other_state is None:
                continue
            touched = {
                reference.field
                for reference in outline(other_state).references
                if reference.to == key
                and (unique & set(reference.names) or (is_key and not reference.names))
            }
            if touched:
                found.add(other)
                waiting.append((other, touched))
    return found
