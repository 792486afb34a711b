"""A plan is rehearsed on a scratch file, and the target's file is out of its reach."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from bot.database.rehearsal.names import maker_of, new_name
from bot.database.rehearsal.sqlite import SUFFIX, SQLite, sweep
from bot.database.rehearsal.vendor import Deadline, NotRehearsed
from bot.route.rehearsal import Outcome, Rehearsal
from bot.route.risks.effects import Lock, Work
from tests.database.migrating import MadeUpApp, installed, migrate
from tests.database.planning import source
from tests.database.rehearsal.shop import rehearsed
from tests.database.shop import BASE, alter

AFTER = (("shop", "0001_initial"),)
WIDER = alter("count", "BigIntegerField()")


@pytest.fixture
def vendor() -> str:
    return "sqlite"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own, to see what is left in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def shop(tmp_path: Path, settings: Any, target: str) -> Iterator[MadeUpApp]:
    with installed(tmp_path, settings, "shop") as apps:
        yield apps["shop"]


def begin(database: str, shop: MadeUpApp, *operations: str) -> None:
    """0001 is applied, 0002 with the operations is pending."""
    change = source(*operations, after=AFTER)
    shop.write({"0001_initial": source(BASE), "0002_change": change})
    migrate(database, "shop", "0001")


def effects(found: Rehearsal) -> list[tuple[str, str, Lock, Work]]:
    return [
        (one.sql.split()[0], effect.table, effect.lock, effect.work)
        for step in found.steps
        for one in step.measured
        for effect in one.effects
    ]


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(f"*{SUFFIX}"))


def test_a_remade_table_and_a_built_index_are_measured_and_nothing_is_left(
    target: str, shop: MadeUpApp, temporary: Path
) -> None:
    index = "migrations.AddIndex('Item', models.Index(fields=['must'], name='musts'))"
    begin(target, shop, WIDER, index)
    found = rehearsed(target, "shop")
    assert found.because == ""
    assert [step.outcome for step in found.steps] == [Outcome.WORKS]
    assert effects(found) == [
        ("INSERT", "shop_item", Lock.SHARE_ROW, Work.REWRITE),
        ("CREATE", "shop_item", Lock.SHARE_ROW, Work.INDEX),
    ]
    assert found.where.startswith("a scratch file (SQLite 3.")
    assert left_in(temporary) == []


LINES = """
migrations.CreateModel('Order', [('id', models.AutoField(primary_key=True))]),
migrations.CreateModel('Product', [('id', models.AutoField(primary_key=True))]),
migrations.CreateModel('Line', [('id', models.AutoField(primary_key=True)),
    ('number', models.IntegerField()),
    ('order', models.ForeignKey('shop.Order', PROTECT)),
    ('product', models.ForeignKey('shop.Product', PROTECT))])
"""


def _lines(database: str, shop: MadeUpApp, rule: str) -> Rehearsal:
    change = f"migrations.AddConstraint('Line', {rule})"
    head = "from django.db.models import PROTECT"
    shop.write({"0001_initial": source(LINES, head=head), "0002": source(change, after=AFTER)})
    migrate(database, "shop", "0001")
    return rehearsed(database, "shop")


def test_made_up_rows_differ_in_each_pair_of_what_they_point_to(
    target: str, shop: MadeUpApp
) -> None:
    """Else a unique constraint on two relations fails with any three rows."""
    rule = "models.UniqueConstraint(fields=['order', 'product'], name='once')"
    found = _lines(target, shop, rule)
    assert [(step.outcome, step.error) for step in found.steps] == [(Outcome.WORKS, "")]
    assert not found.steps[0].breaks()


def test_that_rows_were_taken_out_of_the_way_breaks_no_release(
    target: str, shop: MadeUpApp
) -> None:
    """Others take their place, so what the running release writes points to rows that are gone."""
    rule = "models.CheckConstraint(condition=models.Q(number__lt=100_000), name='few')"
    found = _lines(target, shop, rule)
    (step,) = found.steps
    assert (step.outcome, bool(step.error)) == (Outcome.UNKNOWN, True)
    assert not step.breaks()


def test_the_target_is_left_as_it_was_to_the_byte(target: str, shop: MadeUpApp) -> None:
    begin(target, shop, WIDER, "migrations.RunSQL('DELETE FROM shop_tag')")
    with connections[target].cursor() as cursor:
        cursor.execute("INSERT INTO shop_tag (word) VALUES ('kept')")
    file = Path(connections[target].settings_dict["NAME"])
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    assert rehearsed(target, "shop").worked
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    # Nothing beside it either: no journal, no scratch file.
    assert [path.name for path in file.parent.glob(f"{file.name}*")] == [file.name]


def test_a_database_in_memory_is_rehearsed_on_a_file_too(
    shop: MadeUpApp, register_alias: Callable[[str, str], str]
) -> None:
    memory = register_alias("memory", "sqlite://:memory:")
    begin(memory, shop, WIDER)
    found = rehearsed(memory, "shop")
    assert found.worked
    assert effects(found) == [("INSERT", "shop_item", Lock.SHARE_ROW, Work.REWRITE)]
    with connections[memory].cursor() as cursor:
        cursor.execute("SELECT type FROM pragma_table_info('shop_item') WHERE name = 'count'")
        assert cursor.fetchone() == ("INTEGER",)


@pytest.mark.parametrize("statement", ["ATTACH DATABASE '{file}' AS other", "VACUUM INTO '{file}'"])
def test_no_migration_reaches_another_file(
    target: str, shop: MadeUpApp, tmp_path: Path, statement: str
) -> None:
    other = tmp_path / "other.sqlite3"
    text = statement.format(file=other)
    change = source(f'migrations.RunSQL("{text}")', after=AFTER, extra="atomic = False")
    shop.write({"0001_initial": source(BASE), "0002_change": change})
    migrate(target, "shop", "0001")
    step = rehearsed(target, "shop").steps[0]
    assert step.outcome is not Outcome.WORKS
    assert "opens another file" in step.because
    assert not other.exists()


def test_a_target_that_attaches_a_file_itself_is_not_rehearsed(
    target: str, shop: MadeUpApp, tmp_path: Path
) -> None:
    begin(target, shop, WIDER)
    attach = f"ATTACH DATABASE '{tmp_path / 'other.sqlite3'}' AS other"
    connections[target].settings_dict["OPTIONS"]["init_command"] = attach
    found = rehearsed(target, "shop")
    assert found.steps == ()
    assert "attaches another file" in found.because


def test_where_no_file_can_be_made_the_remedy_is_told(
    target: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "missing"))
    place = SQLite().scratch(connections[target], Deadline(10))
    with pytest.raises(NotRehearsed, match=r"No scratch file can be made .* TMPDIR"), place:
        pass


def test_views_triggers_and_odd_tables_come_along(target: str, shop: MadeUpApp) -> None:
    """And what the file may not have here is left out by name."""
    begin(target, shop, WIDER)
    raw = connections[target].cursor
    with raw() as cursor:
        for statement in (
            "CREATE TABLE log (word text, n int DEFAULT 3) STRICT",
            "CREATE VIEW words AS SELECT word FROM shop_tag",
            "CREATE TRIGGER note AFTER UPDATE ON shop_tag BEGIN DELETE FROM log; END",
            "CREATE VIRTUAL TABLE texts USING fts5(words)",
            "CREATE INDEX some ON shop_tag (word) WHERE word <> ''",
        ):
            cursor.execute(statement)
    found = rehearsed(target, "shop")
    assert found.worked
    assert not any("left out" in note for note in found.notes)


CHILD = """
import django, os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()
from django.db import connections
from bot.database.rehearsal.sqlite import SQLite
from bot.database.rehearsal.vendor import Deadline
with SQLite().scratch(connections["default"], Deadline(60)) as scratch:
    scratch.connection.ensure_connection()
    scratch.connection.connection.execute("CREATE TABLE half (a)")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_rehearsal_left_is_removed_by_the_next(
    target: str, shop: MadeUpApp, temporary: Path
) -> None:
    root = str(Path(__file__).parents[3])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD.format(root=root)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    (folder,) = left_in(temporary)
    assert sweep() == ()  # Its maker lives.
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert left_in(temporary) == [folder]
    begin(target, shop, WIDER)
    assert rehearsed(target, "shop").worked
    assert left_in(temporary) == []


def test_only_folders_of_ours_are_swept(temporary: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("")
    old = new_name().replace(new_name()[15:30], "20200101t000000")
    maker = maker_of(old)
    assert maker is not None
    assert maker.made_at.year == 2020
    (temporary / f"{old}{SUFFIX}").symlink_to(kept, target_is_directory=True)
    (temporary / f"somebody_else{SUFFIX}").mkdir()
    younger = temporary / f"{new_name()}{SUFFIX}"
    younger.mkdir()
    older = temporary / f"{old[:-6]}abcdef{SUFFIX}"
    older.mkdir()
    assert sweep() == (older.name,)
    assert (kept / "file").exists()
    assert younger.exists()


def test_a_statement_is_broken_off_when_the_time_is_up(
    target: str, shop: MadeUpApp, settings: Any, temporary: Path
) -> None:
    endless = (
        "UPDATE shop_tag SET word = (WITH RECURSIVE n(i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n)"
    )
    begin(
        target,
        shop,
        "migrations.RunSQL(\"INSERT INTO shop_tag (word) VALUES ('a')\")",
        f'migrations.RunSQL("{endless}")',
    )
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_timeout": 1.0}
    begun = time.monotonic()
    found = rehearsed(target, "shop")
    assert time.monotonic() - begun < 5
    assert not found.worked
    assert all(step.outcome is Outcome.UNKNOWN for step in found.steps)
    assert left_in(temporary) == []
