"""Our loader makes what Django's makes, also of packages that nobody would write."""

from __future__ import annotations

import importlib
import py_compile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.db.migrations.exceptions import BadMigrationError
from django.db.migrations.loader import MigrationLoader

from bot.database.loading import OnceReadLoader
from bot.database.seal import full_plan
from tests.database.migrating import MadeUpApp, installed
from tests.database.planning import ID, source

MAKE = f"migrations.CreateModel('Item', [{ID}])"
FIRST = ("shop", "0001_initial")


@pytest.fixture
def apps(tmp_path: Path, settings: Any) -> Iterator[dict[str, MadeUpApp]]:
    with installed(tmp_path, settings, "shop", "till", "plain") as made:
        made["shop"].write({"0001_initial": source(MAKE)})
        made["till"].write({"0001_initial": source(MAKE, after=(FIRST,))})
        yield made


def loaded() -> OnceReadLoader:
    return OnceReadLoader(lambda: ())


def djangos() -> MigrationLoader:
    return MigrationLoader(None)


def agree() -> set[str]:
    """The names of shop's migrations; both loaders must know the same of everything."""
    theirs, ours = djangos(), loaded()
    assert set(ours.disk_migrations) == set(theirs.disk_migrations)
    assert ours.migrated_apps == theirs.migrated_apps
    assert ours.unmigrated_apps == theirs.unmigrated_apps
    assert {key: type(one) for key, one in ours.disk_migrations.items()} == {
        key: type(one) for key, one in theirs.disk_migrations.items()
    }
    assert ours.graph.nodes.keys() == theirs.graph.nodes.keys()
    assert {key: {parent.key for parent in node.parents} for key, node in _nodes(ours)} == {
        key: {parent.key for parent in node.parents} for key, node in _nodes(theirs)
    }
    return {name for app, name in ours.disk_migrations if app == "shop"}


def _nodes(loader: Any) -> Any:
    return loader.graph.node_map.items()


def test_it_loads_what_djangos_loads(apps: dict[str, MadeUpApp]) -> None:
    assert agree() == {"0001_initial"}


def test_odd_names_are_migrations_exactly_where_django_says_so(apps: dict[str, MadeUpApp]) -> None:
    folder = apps["shop"].migrations
    for name in ("_helper.py", "~backup.py", "notes.txt", "0002.old.py", "data.json", ".hidden.py"):
        (folder / name).write_text("")
    (folder / "0003_folder").mkdir()
    assert agree() == {"0001_initial"}


def test_a_package_hides_a_migration_of_its_name(apps: dict[str, MadeUpApp]) -> None:
    folder = apps["shop"].migrations
    (folder / "0002_two").mkdir()
    (folder / "0002_two" / "__init__.py").write_text("")
    apps["shop"].write({"0002_two": source(after=(FIRST,))})
    assert agree() == {"0001_initial"}


def test_a_compiled_migration_without_its_source_is_one(apps: dict[str, MadeUpApp]) -> None:
    folder = apps["shop"].migrations
    written = folder / "0002_two.py"
    written.write_text(source(after=(FIRST,)))
    py_compile.compile(str(written), cfile=str(folder / "0002_two.pyc"))
    written.unlink()
    importlib.invalidate_caches()
    assert agree() == {"0001_initial", "0002_two"}


def test_apps_without_a_package_of_migrations_are_without(apps: dict[str, MadeUpApp]) -> None:
    folder = apps["plain"].migrations
    (folder / "__init__.py").unlink()  # An empty folder: a namespace.
    assert "shop" in loaded().migrated_apps
    agree()
    folder.rmdir()
    (apps["plain"].folder / "migrations.py").write_text("")
    apps["plain"].forget()
    agree()
    assert "plain" in loaded().unmigrated_apps


def test_a_migration_that_came_since_the_last_load_is_found(apps: dict[str, MadeUpApp]) -> None:
    assert agree() == {"0001_initial"}
    apps["shop"].write({"0002_two": source(after=(FIRST,))})
    assert agree() == {"0001_initial", "0002_two"}


def test_a_package_is_executed_again_once_its_file_has_changed(apps: dict[str, MadeUpApp]) -> None:
    own = apps["shop"].migrations / "__init__.py"
    marks = f"import {apps['shop'].package} as shop\nshop.times = getattr(shop, 'times', 0) + 1\n"
    own.write_text(marks)
    times = []
    for text in (None, None, None, f"{marks}# edited\n", None):
        if text:
            own.write_text(text)
        loaded()
        times.append(importlib.import_module(apps["shop"].package).times)
    assert times[1] - times[0] <= 1  # What was loaded a moment after it was written may be older.
    assert times[2] == times[1]
    assert times[3] == times[2] + 1
    assert times[4] == times[3]


def test_a_module_without_a_migration_is_refused_as_django_refuses_it(
    apps: dict[str, MadeUpApp],
) -> None:
    apps["shop"].write({"0002_two": "nothing = True"})
    for load in (djangos, loaded):
        with pytest.raises(BadMigrationError, match="0002_two in app shop has no Migration class"):
            load()


def test_a_broken_migration_raises_what_it_raises(apps: dict[str, MadeUpApp]) -> None:
    apps["shop"].write({"0002_two": "import nowhere_at_all"})
    for load in (djangos, loaded):
        with pytest.raises(ModuleNotFoundError, match="nowhere_at_all"):
            load()


def test_the_rows_are_read_once(apps: dict[str, MadeUpApp]) -> None:
    read: list[int] = []

    def rows() -> list[tuple[str, str]]:
        read.append(1)
        return [FIRST]

    loader = OnceReadLoader(rows)
    assert loader.recorded == {FIRST}
    assert set(loader.applied_migrations) == {FIRST}
    assert loader.inconsistency() == ""
    assert len(read) == 1


@pytest.mark.skipif(django.VERSION < (6, 0), reason="Django 5.2 refuses squashes of squashes")
def test_a_squash_of_squashes_stands_for_all_its_parts(apps: dict[str, MadeUpApp]) -> None:
    names = [f"000{number}_step" for number in range(1, 5)]
    keys = [("shop", name) for name in names]
    squashes = {"0001_a": keys[:2], "0001_b": [("shop", "0001_a"), keys[2]]}
    parents = ((), (keys[0],), (keys[1],), (("shop", "0001_b"),))
    apps["shop"].write(
        {name: source(after=after) for name, after in zip(names, parents, strict=True)}
        | {name: source(extra=f"replaces = {parts!r}") for name, parts in squashes.items()}
    )
    loader = OnceReadLoader(lambda: keys)
    assert loader.inconsistency() == ""


def test_the_full_plan_is_the_order_in_which_django_walks_from_leaf_to_leaf(
    apps: dict[str, MadeUpApp],
) -> None:
    apps["shop"].write({"0002_two": source(after=(FIRST, ("till", "0001_initial")))})
    loader = MigrationLoader(None)
    expected: dict[tuple[str, str], None] = {}
    for leaf in loader.graph.leaf_nodes():
        expected.update(dict.fromkeys(loader.graph.forwards_plan(leaf)))
    assert full_plan(loader) == list(expected)
