"""A migration's deferred SQL and its record, inside its own transaction."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections, migrations, models
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from bot.database.flush import cover_own_methods, wrapped_migrations
from bot.route.plan import Direction

SQL = "CREATE INDEX later ON shop_item (name)"


class Plain(migrations.Migration):
    """Makes a table, and defers an index to the end."""

    operations = (
        migrations.CreateModel(
            "Item",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=40)),
            ],
        ),
        migrations.RunPython(
            lambda apps, editor: editor.deferred_sql.append(SQL), migrations.RunPython.noop
        ),
    )


class Own(migrations.Migration):
    """Defers it after Django's own ``apply``."""

    operations = Plain.operations[:1]

    def apply(self, state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        state = super().apply(state, schema_editor, collect_sql)
        schema_editor.deferred_sql.append(SQL)
        return state


def apply(target: str, migration: migrations.Migration) -> list[Any]:
    """Apply it; what was still deferred when ``apply`` returned."""
    with connections[target].schema_editor(atomic=bool(migration.atomic)) as editor:
        migration.apply(ProjectState(), editor)
        return list(editor.deferred_sql)


def indexes(target: str) -> set[str]:
    connection = connections[target]
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, "shop_item"))


def test_deferred_sql_is_sent_before_the_migration_returns_where_it_can_be_undone(
    target: str, vendor: str
) -> None:
    with wrapped_migrations(record_inside=True):
        left = apply(target, Plain("0001_initial", "shop"))
    assert left == ([SQL] if vendor == "mysql" else [])
    assert "later" in indexes(target)


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_it_can_be_switched_off(target: str) -> None:
    with wrapped_migrations(record_inside=False):
        assert apply(target, Plain("0001_initial", "shop")) == [SQL]


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_django_is_as_it_was_afterwards(target: str) -> None:
    before = migrations.Migration.apply, migrations.Migration.unapply
    with pytest.raises(LookupError), wrapped_migrations(record_inside=True):
        raise LookupError
    assert before == (migrations.Migration.apply, migrations.Migration.unapply)
    assert apply(target, Plain("0001_initial", "shop")) == [SQL]


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_a_migration_outside_a_transaction_is_left_to_django(target: str) -> None:
    migration = Plain("0001_initial", "shop")
    migration.atomic = False  # type: ignore[misc]
    with wrapped_migrations(record_inside=True):
        assert apply(target, migration) == [SQL]


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"], indirect=True)
def test_a_migration_with_an_apply_of_its_own_is_covered(target: str) -> None:
    with wrapped_migrations(record_inside=True):
        migration = Own("0001_initial", "shop")
        cover_own_methods(migration)
        assert apply(target, migration) == []
    assert "later" in indexes(target)


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"], indirect=True)
def test_undoing_takes_the_row_away_before_it_commits(target: str) -> None:
    recorder = MigrationRecorder(connections[target])
    recorder.record_applied("shop", "0001_initial")
    migration = Plain("0001_initial", "shop")
    apply(target, migration)
    with (
        wrapped_migrations(record_inside=True),
        connections[target].schema_editor(atomic=True) as editor,
    ):
        migration.unapply(ProjectState(), editor)
        assert recorder.applied_migrations() == {}


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_the_hook_hears_each_migration_before_it_changes_anything(target: str) -> None:
    heard: list[tuple[str, Direction, int]] = []

    def before(migration: migrations.Migration, direction: Direction, editor: Any) -> None:
        tables = connections[target].introspection.table_names()
        heard.append((migration.name, direction, len(tables)))

    with wrapped_migrations(record_inside=True, before=before):
        apply(target, Plain("0001_initial", "shop"))
    assert heard == [("0001_initial", Direction.FORWARD, 0)]


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_showing_sql_sends_none(target: str) -> None:
    with wrapped_migrations(record_inside=True):
        editor = connections[target].schema_editor(collect_sql=True, atomic=True)
        with editor:
            migration = Own("0001_initial", "shop")
            cover_own_methods(migration)
            migration.apply(ProjectState(), editor, collect_sql=True)
    assert connections[target].introspection.table_names() == []
