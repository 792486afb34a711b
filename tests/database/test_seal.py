"""What a plan rests on: the same for a plan and for the run that carries it out."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models.signals import pre_migrate

from bot.database.seal import identity, make_basis
from bot.database.sources import Sources
from bot.database.targets import load
from bot.route.basis import Basis
from bot.route.refusals import BrokenMigrations
from tests.database.corpus import module
from tests.database.migrating import MadeUpApp, forget_migrations, installed, migrate
from tests.database.planning import plan

CHAIN = {
    "0001_a": module(""),
    "0002_b": module("", after="0001_a"),
    "0003_c": module("migrations.RunSQL('SELECT 1', 'SELECT 2')", after="0002_b"),
}


@pytest.fixture
def apps(tmp_path: Path, settings: Any) -> Iterator[dict[str, MadeUpApp]]:
    with installed(tmp_path, settings, "shop", "till") as made:
        made["shop"].write(CHAIN)
        made["till"].write(
            {
                "0001_t": module("", extra="    run_before = [('shop', '0002_b')]"),
                "0002_t": module("", after="").replace(
                    "dependencies = []", "dependencies = [('till', '0001_t'), ('shop', '0002_b')]"
                ),
            }
        )
        yield made


def basis_in_migrate(alias: str, *target: str) -> Basis:
    """What a run computes from the plan that ``migrate`` itself made, before it runs that."""
    found: list[Basis] = []

    def receive(*, using: str, plan: Any, **kwargs: Any) -> None:
        connection = connections[using]
        found[:] = found or [
            make_basis(
                connection, load(connection), plan, release="r1", identity=identity(connection)
            )
        ]

    pre_migrate.connect(receive)
    try:
        forget_migrations()
        call_command("migrate", *target, database=alias, verbosity=0, skip_checks=True)
    finally:
        pre_migrate.disconnect(receive)
    return found[0]


@pytest.mark.parametrize(
    ("before", "asked"),
    [
        ((), ("shop",)),
        ((), ("till", "0002_t")),
        (("shop", "0002_b"), ("shop",)),
        (("till",), ("shop", "zero")),
        (("till",), ("till", "0001_t")),
    ],
)
def test_a_plan_and_a_run_agree_to_the_letter(
    target: str, apps: dict[str, MadeUpApp], before: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    if before:
        migrate(target, *before)
    planned = with_release(plan(target, *asked).basis)
    assert basis_in_migrate(target, *asked) == planned


def with_release(basis: Basis) -> Basis:
    return Basis(identity=basis.identity, steps=basis.steps, rests_on=basis.rests_on, release="r1")


@pytest.fixture
def alias(new_database: Any, register_alias: Callable[[str, str], str]) -> str:
    return register_alias("target", new_database("sqlite"))


def test_an_edited_file_changes_the_fingerprint(alias: str, apps: dict[str, MadeUpApp]) -> None:
    before = plan(alias, "shop").basis
    apps["shop"].write({"0002_b": CHAIN["0002_b"] + "\n# a comment\n"})
    after = plan(alias, "shop").basis
    assert [s.key for s, t in zip(before.steps, after.steps, strict=True) if s != t] == [
        "shop.0002_b"
    ]


def test_sql_read_from_another_file_is_part_of_it(
    alias: str, apps: dict[str, MadeUpApp], tmp_path: Path
) -> None:
    sql = tmp_path / "change.sql"
    run = f"migrations.RunSQL(pathlib.Path({str(sql)!r}).read_text())"
    read = f"migrations.SeparateDatabaseAndState([{run}])"
    apps["shop"].write({"0003_c": module(read, after="0002_b", head="import pathlib")})
    sql.write_text("SELECT 1")
    before = plan(alias, "shop").fingerprint
    sql.write_text("SELECT 2")
    assert plan(alias, "shop").fingerprint != before


def changed(alias: str, change: Callable[[], object]) -> list[str]:
    """The steps of the plan for shop whose digest this change changes."""
    before = plan(alias, "shop").basis
    change()
    after = plan(alias, "shop").basis
    return [one.key for one, two in zip(before.steps, after.steps, strict=True) if one != two]


@pytest.mark.parametrize("path", ["_fill.py", "sql/more.sql", "helpers/__init__.py", "__init__.py"])
def test_a_file_beside_the_migrations_is_part_of_each_in_its_package(
    alias: str, apps: dict[str, MadeUpApp], path: str
) -> None:
    file = apps["shop"].migrations / path
    file.parent.mkdir(exist_ok=True)
    file.write_text("# harmless")
    of_shop = ["shop.0001_a", "shop.0002_b", "shop.0003_c"]
    assert sorted(changed(alias, lambda: file.write_text("# not harmless"))) == of_shop


def test_what_python_compiles_is_no_part_of_it(alias: str, apps: dict[str, MadeUpApp]) -> None:
    def change() -> None:
        cache = apps["shop"].migrations / "__pycache__"
        cache.mkdir(exist_ok=True)
        (cache / "_fill.cpython-311.pyc").write_bytes(b"x")
        (apps["shop"].migrations / "_fill.pyc").write_bytes(b"x")
        apps["till"].write(
            {"0003_more": module("", after="").replace("[]", "[('till', '0002_t')]")}
        )

    assert changed(alias, change) == []


@pytest.mark.parametrize(
    "statement",
    [
        "from {shop} import totals",
        "from {shop}.totals import add",
        "import {shop}.totals",
        "from .. import totals",
        "from ..totals import add as plus",
        "def go(apps, editor):\n    from ..totals import add",
        "from . import _helpers",
        "from ._helpers import totals",
    ],
)
def test_a_module_that_it_imports_is_part_of_it(
    alias: str, apps: dict[str, MadeUpApp], statement: str
) -> None:
    totals = apps["shop"].folder / "totals.py"
    totals.write_text("def add(): return 1")
    (apps["shop"].migrations / "_helpers.py").write_text("from .. import totals")
    head = statement.format(shop=apps["shop"].package)
    apps["shop"].write({"0002_b": module("", after="0001_a", head=head)})
    assert changed(alias, lambda: totals.write_text("def add(): return 2")) == ["shop.0002_b"]


def test_what_an_imported_module_imports_and_what_is_installed_is_no_part_of_it(
    alias: str, apps: dict[str, MadeUpApp]
) -> None:
    far, near = (apps["shop"].folder / name for name in ("far.py", "near.py"))
    far.write_text("")
    near.write_text("from . import far")
    head = "import json, django.db.models, pytest, nowhere_to_be_found_or_so"
    head = f"from .. import near\ntry:\n    {head}\nexcept ImportError:\n    pass"
    apps["shop"].write({"0002_b": module("", after="0001_a", head=head)})
    assert changed(alias, lambda: far.write_text("# other")) == []
    names = [name for name, _ in Sources().of(f"{apps['shop'].package}.migrations", "0002_b")]
    assert names == [
        "file __init__.py",
        f"module {apps['shop'].package}",
        f"module {apps['shop'].package}.near",
    ]


def test_a_package_with_more_beside_its_migrations_than_anybody_has_is_refused(
    alias: str, apps: dict[str, MadeUpApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.database.sources.MOST_FILES", 3)
    for number in range(4):
        (apps["shop"].migrations / f"{number}.csv").write_text("")
    with pytest.raises(BrokenMigrations, match="more than 3 files"):
        plan(alias, "shop")


def test_where_the_project_lies_is_no_part_of_it(tmp_path: Path, monkeypatch: Any) -> None:
    found = []
    for name in ("one", "two"):
        package = tmp_path / name / "moved" / "migrations"
        package.mkdir(parents=True)
        for file in ("__init__.py", "../__init__.py", "../near.py", "_help.py", "a.sql"):
            (package / file).write_text("")
        (package / "0001_a.py").write_text("from .. import near")
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / name))
            importlib.import_module("moved.migrations")
            found.append(Sources().of("moved.migrations", "0001_a"))
            for module_name in ("moved.migrations", "moved"):
                del sys.modules[module_name]
    assert found[0] == found[1]
    assert "module moved.near" in dict(found[0])


def test_it_rests_on_what_it_depends_on_and_nothing_else(
    alias: str, apps: dict[str, MadeUpApp]
) -> None:
    migrate(alias, "till")
    basis = plan(alias, "shop").basis
    assert basis.rests_on == ("shop.0001_a", "shop.0002_b", "till.0001_t")


def test_undoing_rests_on_what_depends_on_it_too(alias: str, apps: dict[str, MadeUpApp]) -> None:
    migrate(alias, "till")
    basis = plan(alias, "till", "0001_t").basis
    assert [step.direction for step in basis.steps] == ["backward"]
    assert "shop.0002_b" in basis.rests_on


def test_the_release_is_kept_but_no_part_of_the_fingerprint(
    alias: str, apps: dict[str, MadeUpApp]
) -> None:
    connection = connections[alias]
    loader = load(connection)
    leaves = loader.graph.leaf_nodes()
    migrations = MigrationExecutor(connection).migration_plan(leaves)
    one, two = (
        make_basis(connection, loader, migrations, release=r, identity="db") for r in ("1", "2")
    )
    assert (one.release, two.release) == ("1", "2")
    assert one.fingerprint == two.fingerprint


def test_two_databases_of_one_server_are_two(
    vendor: str, new_database: Any, register_alias: Callable[[str, str], str]
) -> None:
    one = register_alias("one", new_database(vendor))
    two = register_alias("two", new_database(vendor))
    connections[two].alias = "one"
    try:
        assert identity(connections[one]) != identity(connections[two])
        assert identity(connections[one]) == identity(connections[one])
    finally:
        connections[two].alias = "two"
