"""Short words for operations and cases."""

from __future__ import annotations

from typing import Any

from tests.labelled.case import Case, Labels, Move

NOOP = "migrations.RunSQL.noop"


def add(model: str, name: str, field: str) -> str:
    return f"migrations.AddField('{model}', '{name}', {_field(field)})"


def alter(model: str, name: str, field: str) -> str:
    return f"migrations.AlterField('{model}', '{name}', {_field(field)})"


def remove(model: str, name: str) -> str:
    return f"migrations.RemoveField('{model}', '{name}')"


def rename(model: str, old: str, new: str) -> str:
    return f"migrations.RenameField('{model}', '{old}', '{new}')"


def create(name: str, *fields: str, options: str = "{}") -> str:
    """A new model with a key and ``fields``, each ``name: Field(...)``."""
    listed = ["('id', models.AutoField(primary_key=True))"]
    for field in fields:
        own, source = field.split(": ", 1)
        listed.append(f"('{own}', {_field(source)})")
    return f"migrations.CreateModel('{name}', [{', '.join(listed)}], options={options})"


def index(model: str, fields: str, name: str, **more: str) -> str:
    return f"migrations.AddIndex('{model}', {_index(fields, name, more)})"


def index_concurrently(model: str, fields: str, name: str) -> str:
    return f"pg.AddIndexConcurrently('{model}', {_index(fields, name, {})})"


def rule(model: str, constraint: str) -> str:
    return f"migrations.AddConstraint('{model}', {_rule(constraint)})"


def rule_not_valid(model: str, constraint: str) -> str:
    return f"pg.AddConstraintNotValid('{model}', {_rule(constraint)})"


def check(condition: str, name: str) -> str:
    return f"CheckConstraint(condition=Q({condition}), name='{name}')"


def rows(model: str) -> str:
    """All rows of a historical model, on the database that is migrated."""
    return f"apps.get_model('shop', '{model}').objects.using(editor.connection.alias)"


def sql(forwards: str | list[str], backwards: str | list[str] = "") -> str:
    """RunSQL, of one string or of a list of statements; ``backwards`` may be ``noop``, and nothing
    means that there is no way back."""
    if backwards == "noop":
        return f"migrations.RunSQL({forwards!r}, {NOOP})"
    back = f", {backwards!r}" if backwards else ""
    return f"migrations.RunSQL({forwards!r}{back})"


def separate(database: str = "", state: str = "") -> str:
    return (
        f"migrations.SeparateDatabaseAndState(database_operations=[{database}],"
        f" state_operations=[{state}])"
    )


def python(body: str, backwards: str = "migrations.RunPython.noop", **more: Any) -> Move:
    """A migration of one RunPython; ``body`` is an expression over ``apps`` and ``editor``."""
    return then_python("", body, backwards, **more)


def then_python(
    operations: str, body: str, backwards: str = "migrations.RunPython.noop", **more: Any
) -> Move:
    """``operations`` and then a RunPython in one migration."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    back = f", {backwards}" if backwards else ""
    first = f"{operations}, " if operations else ""
    return Move(
        operations=f"{first}migrations.RunPython(work{back})",
        head=f"def work(apps, editor):\n{lines}",
        **more,
    )


def alone(*operations: str) -> Move:
    """Operations of a migration that is not one transaction."""
    return Move(operations=", ".join(operations), atomic=False)


def case(
    name: str,
    labels: str,
    plan: str | Move | list[str | Move],
    why: str,
    source: str,
    *,
    before: str | Move | list[str | Move] | None = None,
    **more: Any,
) -> Case:
    """A case of one migration, or of several in a list."""
    return Case(
        name=name,
        labels=Labels.read(labels),
        plan=_moves(plan),
        before=_moves(before) if before is not None else (),
        why=why,
        source=source,
        **more,
    )


def back(
    name: str,
    labels: str,
    undone: str | Move | list[str | Move],
    why: str,
    source: str,
    **more: Any,
) -> Case:
    """A case that goes back over ``undone``, which was applied before."""
    return Case(
        name=name,
        labels=Labels.read(labels),
        before=_moves(undone),
        back=True,
        why=why,
        source=source,
        **more,
    )


def _moves(given: str | Move | list[str | Move]) -> tuple[Move, ...]:
    listed = given if isinstance(given, list) else [given]
    return tuple(one if isinstance(one, Move) else Move(operations=one) for one in listed)


def _field(source: str) -> str:
    return source if "." in source.split("(", 1)[0] else f"models.{source}"


def _index(fields: str, name: str, more: dict[str, str]) -> str:
    kind = more.pop("kind", "models.Index")
    rest = "".join(f", {key}={value}" for key, value in more.items())
    listed = ", ".join(repr(field) for field in fields.split())
    return f"{kind}(fields=[{listed}], name='{name}'{rest})"


def _rule(constraint: str) -> str:
    return constraint if constraint.startswith("pgc.") else f"models.{constraint}"
