"""What the rules say of each operation on real databases, row by row as it was measured there.

Every table counts as large here, so that what grows with a table is dangerous.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.database import squawk
from bot.route.data_checks import UNASKED
from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Plan, Step
from bot.route.risks import words
from tests.database.migrating import installed, migrate
from tests.database.planning import plan, source
from tests.database.shop import BASE, add, alter

LOCK, REWRITE = "brief_lock", "rewrites_table"
SCAN, INDEX = "scans_under_lock", "indexes_under_lock"
ONLINE, OTHER, TIGHT, MASS = "scans_online", "touches_other_table", "tightens", "mass_write"
DROPS, RENAMES, INSERT, LOSES = "drops_used", "renames_used", "insert_breaks", "loses_data"
NARROWS, CUTS, UNDO = "narrows_type", "cuts_values", "undo_fails_with_rows"
NEW = "undo_meets_new_rows"


@dataclass(frozen=True)
class Row:
    """A migration and the codes of its findings on each database; ``""`` is none."""

    operations: str
    postgresql: str
    mysql: str
    sqlite: str
    vendors: tuple[str, ...] = ("postgresql", "mysql", "sqlite")
    extra: str = ""
    head: str = ""


ONLY_PG = ("postgresql",)
CONTRIB = "import django.contrib.postgres.operations as pg"
ROWS = {
    "create": Row("migrations.CreateModel('New', [('id', models.AutoField(primary_key=True))])",
        "", "", ""),
    "create_fk": Row("migrations.CreateModel('Newer', [('id', models.AutoField(primary_key=True)),"
        " ('maker', models.ForeignKey('shop.Maker', CASCADE))])", OTHER, "", ""),
    "index_of_new": Row("migrations.AddField('New', 'x', models.IntegerField(db_index=True,"
        " default=1))", "", "", ""),
    "delete": Row("migrations.DeleteModel('Old')", f"{LOCK} {OTHER} {DROPS} {LOSES}",
        f"{LOCK} {DROPS} {LOSES}", f"{LOCK} {DROPS} {LOSES}"),
    "rename_model": Row("migrations.RenameModel('Box', 'Crate')",
        f"{RENAMES} {SCAN} {LOCK} {OTHER}", f"{RENAMES} {REWRITE} {LOCK} {OTHER} partial_failure",
        f"{RENAMES} {REWRITE} {INDEX} {LOCK}"),
    "add_null": Row(add("a", "IntegerField(null=True)"), LOCK, LOCK, LOCK),
    "add_db_default": Row(add("b", "IntegerField(db_default=3)"), LOCK, LOCK, REWRITE),
    "add_now": Row(add("c", "DateTimeField(db_default=Now())"), LOCK, LOCK, REWRITE),
    "add_default": Row(add("d", "IntegerField(default=1)"), f"{LOCK} {INSERT}",
        f"{LOCK} {INSERT} partial_failure", f"{REWRITE} {INSERT}"),
    "add_uuid": Row(add("e", "UUIDField(default=uuid.uuid4)"), f"{LOCK} {INSERT}",
        f"{LOCK} {INSERT} partial_failure", f"{REWRITE} {INSERT}"),
    "add_random": Row(add("f", "FloatField(db_default=Random())"), REWRITE, REWRITE, REWRITE,
        head="from django.db.models.functions import Random"),
    "add_generated": Row(add("g", "GeneratedField(expression=F('count') + 1, db_persist=True,"
        " output_field=models.IntegerField())"), REWRITE, REWRITE, REWRITE),
    "add_unique": Row(add("h", "IntegerField(null=True, unique=True)"), INDEX,
        ONLINE, REWRITE),
    "add_fk": Row(add("i", "ForeignKey('shop.Maker', CASCADE, null=True, related_name='+')"),
        f"{INDEX} {OTHER}", REWRITE, INDEX),
    "add_index": Row(add("j", "IntegerField(null=True, db_index=True)"), INDEX,
        f"{LOCK} {ONLINE} partial_failure", INDEX),
    "remove": Row("migrations.RemoveField('Item', 'must')", f"{LOCK} {DROPS} {LOSES} {UNDO}",
        f"{LOCK} {DROPS} {LOSES} invents_values", f"{REWRITE} {DROPS} {LOSES} {UNDO}"),
    "remove_fk": Row("migrations.RemoveField('Item', 'maker')",
        f"{LOCK} {OTHER} {DROPS} {LOSES} {UNDO}",
        f"{LOCK} {DROPS} {LOSES} {UNDO} partial_failure", f"{REWRITE} {DROPS} {LOSES} {UNDO}"),
    "rename": Row("migrations.RenameField('Item', 'label', 'title')", f"{LOCK} {RENAMES}",
        f"{LOCK} {RENAMES}", f"{LOCK} {RENAMES}"),
    "wider": Row(alter("name", "CharField(max_length=60)"),
        f"{LOCK} {NEW}", f"{LOCK} {NEW}", REWRITE),
    "much_wider": Row(alter("name", "CharField(max_length=200)"),
        f"{LOCK} {NEW}", f"{REWRITE} {NEW}", REWRITE),
    "to_text": Row(alter("name", "TextField()"),
        f"{LOCK} {NEW}", f"{REWRITE} {NEW}", REWRITE),
    "more_digits": Row(alter("price", "DecimalField(max_digits=10, decimal_places=2)"),
        f"{LOCK} {NEW}", f"{REWRITE} {NEW}", REWRITE),
    "indexed_to_text": Row(alter("code", "TextField(db_index=True)"),
        f"{INDEX} {NEW}", REWRITE, REWRITE, vendors=("postgresql", "sqlite")),
    "narrower": Row(alter("title", "CharField(max_length=20)"), f"{REWRITE} {NARROWS}",
        f"{REWRITE} {NARROWS}", REWRITE),
    "int_to_bigint": Row(alter("count", "BigIntegerField()"),
        f"{REWRITE} {NEW}", f"{REWRITE} {NEW}", REWRITE),
    "bigint_to_int": Row(alter("large", "IntegerField()"), f"{REWRITE} {NARROWS}",
        f"{REWRITE} {NARROWS}", REWRITE),
    "text_to_varchar": Row(alter("blurb", "CharField(max_length=200)"),
        f"{REWRITE} {NARROWS} {CUTS}", f"{REWRITE} {NARROWS}", REWRITE),
    "scale": Row(alter("price", "DecimalField(max_digits=10, decimal_places=1)"),
        f"{REWRITE} {NARROWS} {CUTS} {NEW}", f"{REWRITE} {NARROWS} {CUTS} {NEW}", REWRITE),
    "float_to_int": Row(alter("ratio", "IntegerField()"), f"{REWRITE} {NARROWS} {CUTS}",
        f"{REWRITE} {NARROWS} {CUTS}", REWRITE),
    "datetime_to_date": Row(alter("at", "DateField()"), f"{REWRITE} {NARROWS} {CUTS}",
        f"{REWRITE} {NARROWS} {CUTS}", REWRITE),
    "not_null": Row(alter("may", "IntegerField()"),
        f"{SCAN} {INSERT} {TIGHT}", f"{ONLINE} {INSERT} {TIGHT}", f"{REWRITE} {INSERT} {TIGHT}"),
    "not_null_default": Row(alter("note", "CharField(max_length=50, default='x')"),
        f"{SCAN} {MASS} {INSERT}", f"{ONLINE} {MASS} {LOCK} {INSERT} partial_failure",
        f"{REWRITE} {INSERT}"),
    "auto": Row("migrations.AlterField('Maker', 'id', models.BigAutoField(primary_key=True))",
        f"{REWRITE} {SCAN} {NEW}", f"{REWRITE} partial_failure {NEW}", REWRITE),
    "check": Row("migrations.AddConstraint('Item', models.CheckConstraint(condition=Q(count__gt=0),"
        " name='positive'))", f"{SCAN} {TIGHT}", f"{REWRITE} {TIGHT}", f"{REWRITE} {TIGHT}"),
    "unique": Row("migrations.AddConstraint('Item', models.UniqueConstraint(fields=['count'],"
        " name='once'))", f"{INDEX} {TIGHT}", f"{ONLINE} {TIGHT}", f"{REWRITE} {TIGHT}"),
    "conditional": Row("migrations.AddConstraint('Item', models.UniqueConstraint(fields=['large'],"
        " condition=Q(count__gt=0), name='sometimes'))", f"{INDEX} {TIGHT}", "not_enforced",
        f"{INDEX} {TIGHT}"),
    "index": Row("migrations.AddIndex('Item', models.Index(fields=['count'], name='counted'))",
        INDEX, ONLINE, INDEX),
    "concurrently": Row("pg.AddIndexConcurrently('Item', models.Index(fields=['large'],"
        " name='at_ease'))", ONLINE, "", "", vendors=ONLY_PG, extra="atomic = False", head=CONTRIB),
    "in_atomic": Row("pg.AddIndexConcurrently('Item', models.Index(fields=['ratio'],"
        " name='fails'))", f"{ONLINE} concurrent_in_atomic", "", "", vendors=ONLY_PG, head=CONTRIB),
    "remove_index": Row("migrations.RemoveIndex('Item', 'counted')", LOCK, LOCK, LOCK),
    "remove_check": Row("migrations.RemoveConstraint('Item', 'positive')",
        f"{LOCK} {NEW}", f"{LOCK} {NEW}", REWRITE),
    "not_valid": Row("pg.AddConstraintNotValid('Item', models.CheckConstraint("
        "condition=Q(count__gt=1), name='later'))", f"{LOCK} {TIGHT}", "", "", vendors=ONLY_PG,
        head=CONTRIB),
    "validate": Row("pg.ValidateConstraint('Item', 'later')",
        f"{ONLINE} {TIGHT}", "", "", vendors=ONLY_PG, head=CONTRIB),
    "update_sql": Row("migrations.RunSQL('UPDATE shop_item SET count = 1', '')", MASS, MASS, MASS),
    "update_some": Row("migrations.RunSQL('UPDATE shop_item SET count = 1 WHERE id = 3', '')", "",
        "", ""),
    "python": Row("migrations.RunPython(print, print)", "opaque_python", "opaque_python",
        "opaque_python"),
    "backfill": Row(add("k", "IntegerField(null=True)") + ",\nmigrations.RunPython(print, print)",
        f"{LOCK} long_under_lock opaque_python", f"{LOCK} opaque_python partial_failure",
        f"{LOCK} long_under_lock opaque_python"),
    "default_only": Row(alter("count", "BigIntegerField(default=7)"), "", "", REWRITE),
    "comment": Row(alter("count", "BigIntegerField(default=7, db_comment='how many')"), LOCK, LOCK,
        "", vendors=("postgresql", "mysql")),
    "opaque_sql": Row("migrations.RunSQL('CALL tidy_up()')", "opaque_sql undo_impossible",
        "opaque_sql undo_impossible", "opaque_sql undo_impossible"),
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(words, "LARGE_ROWS", 0)
    monkeypatch.setattr(squawk, "find", lambda: None)
    with installed(tmp_path, settings, "shop") as apps:
        yield apps["shop"]


def chain(vendor: str) -> dict[str, str]:
    """The base and one migration a row that this database has."""
    sources, before = {"0001_initial": source(BASE)}, "0001_initial"
    for number, (name, row) in enumerate(ROWS.items(), 2):
        if vendor in row.vendors:
            new = f"{number:04}_{name}"
            sources[new] = source(
                row.operations, after=(("shop", before),), extra=row.extra, head=row.head
            )
            before = new
    return sources


def codes(step: Step) -> set[str]:
    """Without what today's data was asked: rows of this chain come after each other, so most are
    about what an earlier one changes (tests.database.test_data_checks)."""
    return {finding.code for finding in step.findings} - {UNASKED}


def told(step: Step, code: str) -> Finding:
    return next(finding for finding in step.findings if finding.code == code)


def steps_by_row(made: Plan) -> dict[str, Step]:
    return {step.name.split("_", 1)[1]: step for step in made.steps}


def test_each_operation_is_judged_as_this_database_does_it(
    vendor: str, target: str, shop: Any
) -> None:
    shop.write(chain(vendor))
    migrate(target, "shop", "0001")
    steps = steps_by_row(plan(target, "shop"))
    wrong = []
    for name, row in ROWS.items():
        if vendor in row.vendors:
            wanted = set(getattr(row, vendor).split())
            if codes(steps[name]) != wanted:
                sql = [s.sql for s in steps[name].statements]
                wrong.append(f"{name}: {sorted(codes(steps[name]) ^ wanted)} {sql}")
    assert not wrong, "\n".join(wrong)


def test_levels_follow_from_what_is_blocked_and_broken(vendor: str, target: str, shop: Any) -> None:
    shop.write(chain(vendor))
    migrate(target, "shop", "0001")
    steps = steps_by_row(plan(target, "shop"))
    assert steps["create"].risk is Risk.SAFE
    assert steps["update_some"].risk is Risk.SAFE
    assert steps["add_null"].risk is Risk.CAUTION
    assert steps["opaque_sql"].risk is Risk.CAUTION
    assert steps["python"].findings[0].evidence is Evidence.NOT_CHECKED
    for name in ("delete", "remove", "rename", "add_default", "int_to_bigint", "update_sql"):
        assert steps[name].risk is Risk.DANGEROUS, name
    assert steps["index"].risk is (Risk.CAUTION if vendor == "mysql" else Risk.DANGEROUS)
    assert all(step.examined for step in steps.values())


def test_a_large_table_is_dangerous_a_small_one_is_not_and_none_is_safe(
    vendor: str, target: str, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "LARGE_ROWS", 100_000)
    shop.write(chain(vendor))
    migrate(target, "shop", "0001")
    small = steps_by_row(plan(target, "shop"))["int_to_bigint"]
    assert told(small, "rewrites_table").level is Risk.CAUTION
    monkeypatch.setattr(words, "LARGE_BYTES", 1)
    monkeypatch.setattr(words, "LARGE_ROWS", 0)
    large = steps_by_row(plan(target, "shop"))["int_to_bigint"]
    assert told(large, "rewrites_table").level is Risk.DANGEROUS


def test_going_back_is_judged_by_what_it_does_then(vendor: str, target: str, shop: Any) -> None:
    shop.write(
        {
            "0001_initial": source(BASE),
            "0002_add": source(
                add("a", "IntegerField(null=True)"), after=(("shop", "0001_initial"),)
            ),
        }
    )
    migrate(target, "shop")
    made = plan(target, "shop", "0001")
    assert {"drops_used", "loses_data"} <= codes(made.steps[0])
    assert "undo_fails_with_rows" not in codes(made.steps[0])


def test_what_the_plan_says_of_itself(vendor: str, target: str, shop: Any) -> None:
    shop.write({"0001_initial": source(BASE)})
    made = plan(target, "shop")
    assert made.steps[0].findings == ()
    assert made.risk is Risk.SAFE
    assert made.notes[0].startswith("Predicted from")
    assert ("lock_timeout" in made.notes[0]) is (vendor != "sqlite")
    unsaid = [note for note in made.notes if "squawk" in note]
    assert len(unsaid) == (1 if vendor == "postgresql" else 0)
    assert Plan.from_json(made.to_json()) == made
