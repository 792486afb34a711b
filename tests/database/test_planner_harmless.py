"""What a plan never does: run a migration's Python, write anywhere, or fail on one operation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.route.plan import Belief
from tests.database.corpus import STEPS, chain
from tests.database.dumping import dump
from tests.database.migrating import MadeUpApp, disagreements, installed, migrate
from tests.database.planning import ID, hidden, only, plan, source, step

on_one = pytest.mark.parametrize("vendor", ["sqlite"])
"""For what no vendor does in its own way."""

MAKE = f"migrations.CreateModel('Item', [{ID}, ('name', models.CharField(max_length=9))])"
ONE = ("shop", "0001_one")
NESTED = "migrations.SeparateDatabaseAndState([migrations.SeparateDatabaseAndState([{}])])"


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Iterator[MadeUpApp]:
    with installed(tmp_path, settings, "shop") as made:
        yield made["shop"]


@pytest.fixture
def touched(tmp_path: Path) -> Path:
    """The file that Python writes when it is run."""
    return tmp_path / "touched"


def touching(touched: Path) -> str:
    """Source of a function and a few operations, each of which writes ``touched``."""
    return f"""
import pathlib
from django.db.migrations.operations.base import Operation
def touch(*args, **kwargs): pathlib.Path({str(touched)!r}).touch()
def untouch(*args, **kwargs): touch()

class Custom(Operation):
    reversible = True
    def state_forwards(self, app_label, state): pass
    def database_forwards(self, app_label, editor, from_state, to_state): touch()
    def database_backwards(self, app_label, editor, from_state, to_state): touch()
    def describe(self): return "Do something of our own"

class Loud(migrations.AddField):
    def database_forwards(self, *args):
        touch()
        super().database_forwards(*args)

class Polite(migrations.AddField):
    def describe(self): return "Kindly add a field"

class Looks(Operation):
    migration_bot_preview = True
    reversible = True
    def state_forwards(self, app_label, state): pass
    def database_forwards(self, app_label, editor, from_state, to_state):
        table = to_state.apps.get_model(app_label, "Item")._meta.db_table
        editor.execute(f"UPDATE {{table}} SET name = 'x'")
    def database_backwards(self, app_label, editor, from_state, to_state): pass

class Breaks(migrations.AddField):
    migration_bot_preview = True
    def database_forwards(self, *args): raise ZeroDivisionError("no ratio today")
"""


def test_python_is_never_run_for_a_plan_wherever_it_stands(
    target: str, shop: MadeUpApp, touched: Path
) -> None:
    run = "migrations.RunPython(touch, untouch)"
    head = touching(touched)
    shop.write({"0001_one": source(MAKE, run, NESTED.format(run), head=head)})
    forward = plan(target, "shop")
    assert not touched.exists()
    _, plain, inside = forward.steps[0].operations
    assert plain.words == "Run Python: touch"
    assert inside.words.endswith("combination: Run Python: touch")
    for operation in (plain, inside):
        told = only(operation.statements)
        assert (told.sql, told.belief) == ("", Belief.PYTHON)
        assert told.note.startswith("Python runs here: touch in ")
    migrate(target, "shop")
    assert touched.exists()
    touched.unlink()
    back = plan(target, "shop", "zero")
    assert not touched.exists()
    inside, plain, _ = back.steps[0].operations
    assert plain.words == "Run Python: untouch"
    assert only(inside.statements).note.startswith("Python runs here: untouch in ")


@on_one
def test_operations_of_somebodys_own_are_shown_and_not_run(
    target: str, shop: MadeUpApp, touched: Path
) -> None:
    loud = "Loud('Item', 'size', models.IntegerField(null=True))"
    shop.write({"0001_one": source(MAKE, "Custom()", loud, head=touching(touched))})
    made = plan(target, "shop")
    assert not touched.exists()
    _, custom, louder = made.steps[0].operations
    assert custom.words == "Do something of our own"
    assert "0001_one.Custom is an operation of its own" in only(custom.statements).note
    assert only(louder.statements).belief is Belief.HIDDEN
    migrate(target, "shop")
    touched.unlink()
    plan(target, "shop", "zero")
    assert not touched.exists()


@on_one
def test_a_class_that_says_so_and_one_that_only_speaks_differently_are_previewed(
    target: str, shop: MadeUpApp, touched: Path
) -> None:
    polite = "Polite('Item', 'size', models.IntegerField(null=True))"
    shop.write({"0001_one": source(MAKE, polite, "Looks()", head=touching(touched))})
    made = plan(target, "shop")
    _, added, looked = made.steps[0].operations
    assert added.words == "Kindly add a field"
    assert only(looked.statements).sql == "UPDATE shop_item SET name = 'x'"
    assert only(looked.statements).belief is Belief.EXACT
    assert not disagreements(made, migrate(target, "shop"))


def test_an_operation_that_raises_is_told_and_what_follows_goes_on(
    target: str, shop: MadeUpApp, touched: Path
) -> None:
    breaks = "Breaks('Item', 'size', models.IntegerField(null=True))"
    alter = "migrations.AlterField('Item', 'size', models.BigIntegerField(null=True))"
    add = "migrations.AddField('Item', 'more', models.IntegerField(null=True))"
    shop.write({"0001_one": source(MAKE, breaks, alter, add, head=touching(touched))})
    _, broken, altered, added = plan(target, "shop").steps[0].operations
    told = only(broken.statements)
    assert told.belief is Belief.HIDDEN
    assert "ZeroDivisionError: no ratio today" in told.note
    assert any('"size"' in s.sql or "`size`" in s.sql for s in altered.statements)
    assert any("more" in s.sql for s in added.statements)
    assert all(s.belief is not Belief.HIDDEN for s in (*altered.statements, *added.statements))


@on_one
def test_a_change_of_models_that_raises_is_told(target: str, shop: MadeUpApp) -> None:
    gone = "migrations.AddField('Nowhere', 'size', models.IntegerField(null=True))"
    add = "migrations.AddField('Item', 'more', models.IntegerField(null=True))"
    shop.write({"0001_one": source(MAKE, gone, add)})
    _, broken, added = plan(target, "shop").steps[0].operations
    assert "Its change to the models fails" in broken.statements[-1].note
    assert added.statements


ASKING = """
from django.db import connections
def asks():
    with connections["target"].cursor() as cursor:
        cursor.execute("SELECT 4242")
        return cursor.fetchone()[0]
def writes():
    with connections["target"].cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (a int)")
    return 1
def fails():
    with connections["target"].cursor() as cursor:
        cursor.execute("SELECT * FROM nowhere_at_all")
    return 1
"""


def test_a_default_may_ask_the_database_but_not_write_to_it(target: str, shop: MadeUpApp) -> None:
    shop.write({"0001_one": source(MAKE)})
    migrate(target, "shop")
    fields = [
        f"migrations.AddField('Item', '{name}', models.IntegerField(default={name}))"
        for name in ("asks", "writes", "fails")
    ]
    after = "migrations.AddField('Item', 'more', models.IntegerField(null=True))"
    shop.write({"0002_two": source(*fields, after, after=(ONE,), head=ASKING)})
    before = dump(target)
    asked, wrote, failed, added = plan(target, "shop").steps[0].operations
    shown = next(s for s in asked.statements if "4242" in s.sql)
    assert shown.belief is Belief.PREDICTED
    assert "A default asks the database" in shown.note
    assert "tried to change the database: CREATE TABLE left_behind" in only(wrote.statements).note
    assert "nowhere_at_all" in only(failed.statements).note
    assert {s.belief for s in (*wrote.statements, *failed.statements)} == {Belief.HIDDEN}
    assert all(s.belief is Belief.EXACT for s in added.statements)
    assert dump(target) == before


def test_planning_leaves_the_database_as_it_was(target: str, shop: MadeUpApp) -> None:
    shop.write(chain(STEPS))
    assert dump(target).keys() <= {"sequences", "extensions"}
    plan(target, "shop")
    assert dump(target).keys() <= {"sequences", "extensions"}
    migrate(target, "shop", "0030_through")
    before = dump(target)
    plan(target, "shop")
    plan(target, "shop", "zero")
    assert dump(target) == before


def test_sql_is_shown_as_it_is_sent_with_its_values(target: str, shop: MadeUpApp) -> None:
    values = """migrations.RunSQL(
        [("UPDATE shop_item SET name = %s WHERE id > %s", ["it's", 5]), "SELECT '50%'"],
        "UPDATE shop_item SET name = 'back'")"""
    nothing = "migrations.RunSQL(migrations.RunSQL.noop, migrations.RunSQL.noop)"
    shop.write({"0001_one": source(MAKE), "0002_two": source(values, nothing, after=(ONE,))})
    made = plan(target, "shop")
    sent, none = step(made, "0002_two").operations
    assert sent.words == "Run SQL"
    assert [s.belief for s in sent.statements] == [Belief.EXACT, Belief.EXACT]
    assert "it''s" in sent.statements[0].sql or r"it\'s" in sent.statements[0].sql
    assert none.statements == ()
    assert not disagreements(made, migrate(target, "shop"))
    back = plan(target, "shop", "0001_one")
    assert only(back.steps[0].statements).sql == "UPDATE shop_item SET name = 'back'"


@pytest.mark.parametrize(
    ("operation", "because"),
    [
        ("migrations.RunPython(fill)", "Run Python: fill has no reverse code."),
        ("migrations.RunSQL('SELECT 1')", "Run SQL has no reverse SQL."),
        (
            NESTED.format("migrations.RunPython(fill)"),
            "Run Python: fill has no reverse code.",
        ),
    ],
)
@on_one
def test_a_step_that_cannot_be_undone_says_why_in_both_directions(
    target: str, shop: MadeUpApp, operation: str, because: str
) -> None:
    shop.write({"0001_one": source(MAKE, operation, head="def fill(*args): pass")})
    forward = plan(target, "shop").steps[0]
    assert (forward.reversible, forward.irreversible_because) == (False, because)
    assert [one.reversible for one in forward.operations] == [True, False]
    migrate(target, "shop")
    back = plan(target, "shop", "zero").steps[0]
    assert (back.reversible, back.irreversible_because) == (False, because)
    told = only(back.operations[0].statements)
    assert told.belief is Belief.HIDDEN
    assert "cannot be undone" in told.note
    assert back.operations[1].statements[0].sql.startswith("DROP TABLE")


@on_one
def test_a_migration_with_a_way_of_its_own_is_shown_and_not_run(
    target: str, shop: MadeUpApp, touched: Path
) -> None:
    own = "def apply(self, *args, **kwargs):\n        touch()\n        return super().apply(*args)"
    shop.write({"0001_one": source(MAKE, extra=own, head=touching(touched))})
    made = plan(target, "shop")
    assert not touched.exists()
    assert "apply() of its own" in hidden(made)[0]
