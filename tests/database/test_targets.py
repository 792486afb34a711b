"""Targets as migrate knows them, and a sentence for every way in which loading can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from bot.route.plan import Target
from bot.route.refusals import (
    AmbiguousPrefix,
    AppWithoutMigrations,
    BrokenMigrations,
    ConflictingLeaves,
    DatabaseDown,
    DatabaseNotRouted,
    InconsistentHistory,
    OwnTables,
    SetupNeeded,
    UnknownApp,
    UnknownDatabase,
    UnknownMigration,
)
from tests.database.corpus import module
from tests.database.migrating import MadeUpApp, installed, migrate
from tests.database.planning import plan, steps

EMPTY = {
    "0001_initial": module(""),
    "0002_colours": module("", after="0001_initial"),
    "0003_sizes": module("", after="0002_colours"),
    "0003_sizes_again": module("", after="0003_sizes"),
}


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Iterator[MadeUpApp]:
    others = ("django.contrib.contenttypes", "django.contrib.messages")
    with installed(tmp_path, settings, "shop", others=others) as apps:
        apps["shop"].write(EMPTY)
        yield apps["shop"]


@pytest.fixture
def alias(new_database: Any, register_alias: Callable[[str, str], str]) -> str:
    return register_alias("target", new_database("sqlite"))


def test_an_app_means_all_of_it(alias: str, shop: MadeUpApp) -> None:
    assert steps(plan(alias, "shop")) == [f"shop.{name} forward" for name in EMPTY]


def test_an_unambiguous_prefix_names_a_migration(alias: str, shop: MadeUpApp) -> None:
    made = plan(alias, "shop", "0002")
    assert steps(made) == ["shop.0001_initial forward", "shop.0002_colours forward"]
    assert made.target == Target(app="shop", name="0002_colours")


def test_zero_undoes_the_app(alias: str, shop: MadeUpApp) -> None:
    migrate(alias, "shop", "0002")
    assert steps(plan(alias, "shop", "zero")) == [
        "shop.0002_colours backward",
        "shop.0001_initial backward",
    ]


def test_nothing_pending_is_a_plan_without_steps(alias: str, shop: MadeUpApp) -> None:
    migrate(alias, "shop")
    assert plan(alias, "shop").steps == ()


def test_an_unknown_app_is_answered_with_the_nearest(alias: str, shop: MadeUpApp) -> None:
    with pytest.raises(UnknownApp, match=r"no app shpo\. Did you mean shop\?"):
        plan(alias, "shpo")


def test_an_app_without_migrations_says_so(alias: str, shop: MadeUpApp) -> None:
    with pytest.raises(AppWithoutMigrations):
        plan(alias, "messages")


def test_an_unknown_migration_is_answered_with_the_nearest(alias: str, shop: MadeUpApp) -> None:
    with pytest.raises(UnknownMigration, match=r"Did you mean 0002_colours\?"):
        plan(alias, "shop", "0002_colors")


def test_an_ambiguous_prefix_names_what_it_fits(alias: str, shop: MadeUpApp) -> None:
    with pytest.raises(AmbiguousPrefix, match="0003_sizes, 0003_sizes_again"):
        plan(alias, "shop", "0003")


def test_an_exact_name_that_migrate_finds_ambiguous_is_refused_too(
    alias: str, shop: MadeUpApp
) -> None:
    with pytest.raises(AmbiguousPrefix):
        plan(alias, "shop", "0003_sizes")


def test_conflicting_leaves_name_the_app(alias: str, shop: MadeUpApp) -> None:
    shop.write({"0002_other": module("", after="0001_initial")})
    with pytest.raises(ConflictingLeaves, match=r"shop \(0002_other, 0003_sizes_again\)"):
        plan(alias, "shop")


def test_an_inconsistent_history_says_what_is_missing(alias: str, shop: MadeUpApp) -> None:
    recorder = MigrationRecorder(connections[alias])
    recorder.record_applied("shop", "0002_colours")
    with pytest.raises(InconsistentHistory, match=r"shop.0002_colours is applied before"):
        plan(alias, "shop")


def test_a_syntax_error_is_told_with_its_file_and_line(alias: str, shop: MadeUpApp) -> None:
    shop.write({"0004_broken": "from django.db import migrations\nclass Migration(:\n"})
    with pytest.raises(BrokenMigrations, match=r"migrations/0004_broken.py, line 2") as told:
        plan(alias, "shop")
    assert str(shop.folder.parent) not in told.value.sentence


def test_a_module_that_raises_is_told(alias: str, shop: MadeUpApp) -> None:
    shop.write({"0004_broken": "import nowhere_at_all\n"})
    with pytest.raises(BrokenMigrations, match=r"0004_broken.py, line 1: ModuleNotFoundError"):
        plan(alias, "shop")


def test_a_module_without_a_migration_and_a_missing_dependency_are_told(
    alias: str, shop: MadeUpApp
) -> None:
    shop.write({"0004_none": "x = 1\n"})
    with pytest.raises(BrokenMigrations, match="no Migration class"):
        plan(alias, "shop")
    shop.write({"0004_none": module("", after="0003_nowhere")})
    with pytest.raises(BrokenMigrations, match="0003_nowhere"):
        plan(alias, "shop")


def test_a_database_that_is_down_is_told(
    shop: MadeUpApp, register_alias: Callable[[str, str], str], vendor: str
) -> None:
    scheme = {"sqlite": "sqlite:////nowhere/at/all.sqlite3"}
    alias = register_alias("down", scheme.get(vendor, f"{vendor}://nobody@127.0.0.1:1/nothing"))
    with pytest.raises(DatabaseDown, match="The database down does not answer"):
        plan(alias, "shop")


def test_an_unknown_database_names_the_known_ones(alias: str, shop: MadeUpApp) -> None:
    with pytest.raises(UnknownDatabase, match=r"no database replica\. Known here: .*target"):
        plan("replica", "shop")


def test_a_database_that_is_not_the_bots_to_migrate_is_refused(
    alias: str, shop: MadeUpApp, settings: Any
) -> None:
    settings.MIGRATION_BOT = {"databases": ["default"]}
    with pytest.raises(DatabaseNotRouted):
        plan(alias, "shop")


def test_the_bots_own_tables_are_not_moved_by_name(alias: str, shop: MadeUpApp) -> None:
    with pytest.raises(OwnTables):
        plan(alias, "migration_bot")


def test_everything_asks_for_setup_first_where_the_bot_keeps_its_books(
    alias: str, shop: MadeUpApp, settings: Any
) -> None:
    assert "migration_bot.0001_initial forward" in steps(plan(alias))
    settings.MIGRATION_BOT = {"state_database": alias, "databases": [alias]}
    with pytest.raises(SetupNeeded):
        plan(alias)
