"""How much of the applied history a plan has to look at.

A migration may only name models of migrations it depends on, so the state of their apps is enough
for most operations, and much less than all: with five migrations pending, going through all applied
ones is half of the work. It takes whole apps, because what was applied later has changed those
models too. Operations that reach models which refer to theirs need everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.migrations import operations as django_operations
from django.db.migrations.loader import MigrationLoader

from bot.database.seal import Key, PlannedMigration, reach

_LOCAL = {
    getattr(django_operations, name)
    for name in (
        "AddConstraint",
        "AddField",
        "AddIndex",
        "AlterConstraint",
        "AlterIndexTogether",
        "AlterModelManagers",
        "AlterModelOptions",
        "AlterModelTable",
        "AlterModelTableComment",
        "AlterOrderWithRespectTo",
        "AlterUniqueTogether",
        "CreateModel",
        "DeleteModel",
        "RemoveConstraint",
        "RemoveField",
        "RemoveIndex",
        "RenameIndex",
        "RunPython",
    )
    if hasattr(django_operations, name)
}


def narrowed(loader: MigrationLoader, steps: Sequence[PlannedMigration]) -> set[Key] | None:
    """The migrations whose state is enough for forward steps; None when it takes all."""
    if any(backwards for _, backwards in steps):
        return None
    if not all(_is_local(one) for migration, _ in steps for one in migration.operations):
        return None
    nodes = loader.graph.node_map
    keys = {(migration.app_label, migration.name) for migration, _ in steps}
    applied = set(loader.applied_migrations or ()).intersection(nodes)
    apps: set[str] = set()
    while True:
        found = reach((nodes[key] for key in keys if key in nodes), "parents")
        if {app for app, _ in found} == apps:
            return found
        apps = {app for app, _ in found}
        keys = found | {key for key in applied if key[0] in apps}


def _is_local(operation: Any) -> bool:
    kind = type(operation)
    if kind is django_operations.AlterField:
        # Django follows foreign keys only to a field that is unique before and after.
        return not operation.field.unique
    if kind is django_operations.RunSQL:
        return not operation.state_operations
    return kind in _LOCAL
