"""What of a migration may be asked for its SQL, and what can be undone.

An operation's ``database_forwards`` is Python of whoever wrote it: it may send mail or copy files.
So only Django's own is called, with an editor that sends nothing; a subclass that changes no more
than words and state counts as Django's own. Others are shown by what they say of themselves,
unless their class says ``migration_bot_preview = True``: that it uses nothing but the schema
editor it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.migrations.migration import Migration
from django.db.migrations.operations import (
    AddConstraint,
    AddField,
    AddIndex,
    CreateModel,
    DeleteModel,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)

_HARMLESS = frozenset(
    {
        "__annotations__",
        "__classcell__",
        "__dict__",
        "__doc__",
        "__firstlineno__",
        "__init__",
        "__module__",
        "__qualname__",
        "__slots__",
        "__static_attributes__",
        "__weakref__",
        "atomic",
        "category",
        "deconstruct",
        "describe",
        "elidable",
        "formatted_description",
        "migration_bot_preview",
        "migration_name_fragment",
        "reduce",
        "reduces_to_sql",
        "references_field",
        "references_model",
        "reversible",
        "serialization_expand_args",
        "state_forwards",
    }
)


def why_not_previewed(operation: Any) -> str:
    """Why this operation's own code is not run for a preview; empty when it is."""
    kind = type(operation)
    if getattr(kind, "migration_bot_preview", False) is True:
        return ""
    for one in kind.__mro__:
        if one is object or one.__module__.split(".")[0] == "django":
            continue
        if set(vars(one)) - _HARMLESS:
            return (
                f"{one.__module__}.{one.__qualname__} is an operation of its own, whose Python is"
                " not run for a plan. If it only uses the schema editor, say"
                " migration_bot_preview = True on its class."
            )
    return ""


def own_way(migration: Migration) -> str:
    """The method with which a migration replaces Django's way of running it, or empty."""
    for name in ("apply", "unapply"):
        if getattr(type(migration), name) is not getattr(Migration, name):
            return name
    return ""


def irreversible_because(operations: list[Any]) -> str:
    """Why the operations cannot be undone, or empty. Looks into SeparateDatabaseAndState.

    Django itself looks at the outer operation only, and finds out in the middle of undoing.
    """
    for operation in operations:
        if because := _irreversible_because(operation):
            return because
    return ""


def _irreversible_because(operation: Any) -> str:
    if isinstance(operation, SeparateDatabaseAndState):
        inner = irreversible_because(list(operation.database_operations))
        if inner:
            return inner
    if is_reversible(operation):
        return ""
    if isinstance(operation, RunPython):
        return f"{in_words(operation)} has no reverse code."
    if isinstance(operation, RunSQL):
        return f"{in_words(operation)} has no reverse SQL."
    return f"{in_words(operation)} cannot be undone."


def is_reversible(operation: Any) -> bool:
    """The operation's own word; one that raises instead of answering is not."""
    try:
        return bool(operation.reversible)
    except Exception:  # noqa: BLE001 A property of somebody's own.
        return False


def in_words(operation: Any, backwards: bool = False) -> str:
    """Django's describe(), ``backwards`` of what undoing it does; where that names no more than the
    kind, what runs.

    Inside SeparateDatabaseAndState it is what is done to the database.
    """
    if isinstance(operation, SeparateDatabaseAndState):
        inner = [in_words(one, backwards) for one in operation.database_operations]
        if backwards:
            inner.reverse()
        return f"{_described(operation)}: " + ("; ".join(inner) or "the state alone")
    if isinstance(operation, RunPython) and type(operation).describe is RunPython.describe:
        return f"Run Python: {code_name(operation.reverse_code if backwards else operation.code)}"
    if isinstance(operation, RunSQL) and type(operation).describe is RunSQL.describe:
        return "Run the reverse SQL" if backwards else "Run SQL"
    return _described(operation, backwards)


_UNDONE: dict[Any, Callable[[Any], str]] = {
    CreateModel.describe: lambda one: str(one.describe()).replace("Create", "Delete", 1),
    DeleteModel.describe: lambda one: f"Create model {one.name}",
    RenameModel.describe: lambda one: f"Rename model {one.new_name} to {one.old_name}",
    AddField.describe: lambda one: f"Remove field {one.name} from {one.model_name}",
    RemoveField.describe: lambda one: f"Add field {one.name} to {one.model_name}",
    RenameField.describe: lambda one: (
        f"Rename field {one.new_name} on {one.model_name} to {one.old_name}"
    ),
    AddIndex.describe: lambda one: f"Remove index {one.index.name} from {one.model_name}",
    RemoveIndex.describe: lambda one: f"Create index {one.name} on model {one.model_name}",
    AddConstraint.describe: lambda one: (
        f"Remove constraint {one.constraint.name} from model {one.model_name}"
    ),
    RemoveConstraint.describe: lambda one: (
        f"Create constraint {one.name} on model {one.model_name}"
    ),
}
"""What undoing does, by the method that says what doing does: a class with words of its own has
another."""


def _described(operation: Any, backwards: bool = False) -> str:
    try:
        if not backwards:
            return str(operation.describe())
        undone = _UNDONE.get(type(operation).describe)
        return undone(operation) if undone else f"Undo: {operation.describe()}"
    except Exception:  # noqa: BLE001 A method of somebody's own, or one that fails on odd arguments.
        return type(operation).__name__


def code_name(code: Any) -> str:
    """What a RunPython calls: the qualified name of its function, or of its object's class."""
    if code is None:
        return "no reverse code"
    while isinstance(code, partial):
        code = code.func
    name = getattr(code, "__qualname__", None) or type(code).__qualname__
    return "nothing (noop)" if code is RunPython.noop else str(name)


def code_module(code: Any) -> str:
    """The module in which that is written."""
    while isinstance(code, partial):
        code = code.func
    return str(getattr(code, "__module__", None) or type(code).__module__)
