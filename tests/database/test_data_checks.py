"""What today's data is asked, held against what the migration then really does to the same rows.

A check that is broken must make ``migrate`` fail, or cut values where it says so; one that holds
must let it through and leave every value as it was.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import Error as DatabaseError
from django.db import connections

from bot.database import squawk
from bot.database.data_checks import _Asker, checked_again
from bot.database.readonly import everything_read_only
from bot.route.data_checks import BREAKS, CUTS, Answer, Checked, DataCheck
from bot.route.findings import Evidence, Risk
from bot.route.plan import Plan
from bot.route.risks.facts import Size
from tests.database.migrating import installed, migrate
from tests.database.planning import plan, source

ALL = ("sqlite", "postgresql", "mysql")
SERVERS = ("postgresql", "mysql")
BASE = """
migrations.CreateModel('Maker', [('id', models.AutoField(primary_key=True))]),
migrations.CreateModel('Item', [('id', models.AutoField(primary_key=True)),
    ('name', models.CharField(max_length=50, null=True)),
    ('blurb', models.TextField(null=True)),
    ('price', models.DecimalField(max_digits=8, decimal_places=3, null=True)),
    ('count', models.IntegerField(null=True)),
    ('large', models.BigIntegerField(null=True)),
    ('ratio', models.FloatField(null=True)),
    ('at', models.DateTimeField(null=True)),
    ('maker_id', models.IntegerField(null=True))])
"""


@dataclass(frozen=True)
class Row:
    """A migration; the one row's values that satisfy it, and those that do not. Values are SQL;
    ``twice`` has a second row with the same values. ``code`` is what the break is called."""

    operations: str
    good: dict[str, str]
    bad: dict[str, str]
    code: str = BREAKS
    vendors: tuple[str, ...] = ALL
    twice: bool = False
    codes: tuple[tuple[str, str], ...] = ()

    def code_on(self, vendor: str) -> str:
        return dict(self.codes).get(vendor, self.code)


def add(name: str, text: str, more: str = "") -> str:
    return f"migrations.AddField('Item', '{name}', models.{text}{more})"


def alter(name: str, text: str, more: str = "") -> str:
    return f"migrations.AlterField('Item', '{name}', models.{text}{more})"


def rule(text: str) -> str:
    return f"migrations.AddConstraint('Item', models.{text})"


DATE, NOON, MIDNIGHT = "models.DateField(null=True)", "2024-01-01 12:00:00", "2024-01-01 00:00:00"
ROWS = {
    "not_null": Row(alter("count", "IntegerField()"), {"count": "1"}, {"count": "NULL"}),
    "not_null_text": Row(alter("name", "CharField(max_length=50)"), {"name": "''"},
        {"name": "NULL"}),
    "primary_unique": Row(alter("count", "IntegerField(null=True, unique=True)"),
        {"count": "NULL"}, {"count": "7"}, twice=True),
    "unique_field": Row(alter("name", "CharField(max_length=50, null=True, unique=True)"),
        {"name": "NULL"}, {"name": "'same'"}, twice=True),
    "unique": Row(rule("UniqueConstraint(fields=['count', 'large'], name='once')"),
        {"count": "1", "large": "NULL"}, {"count": "1", "large": "2"}, twice=True),
    "unique_conditional": Row(rule("UniqueConstraint(fields=['count'], name='once_if',"
        " condition=models.Q(large__gt=5))"), {"count": "1", "large": "5"},
        {"count": "1", "large": "6"}, twice=True, vendors=("sqlite", "postgresql")),
    "unique_expression": Row(rule("UniqueConstraint(Lower('name').desc(), name='lowered')"),
        {"name": "NULL"}, {"name": "'A'"}, twice=True, vendors=("sqlite", "postgresql")),
    "unique_nulls_same": Row(rule("UniqueConstraint(fields=['count'], name='nulls',"
        " nulls_distinct=False)"), {"id": "id"}, {"count": "NULL"}, twice=True,
        vendors=("postgresql",)),
    "together": Row("migrations.AlterUniqueTogether('Item', {('name', 'count')})",
        {"name": "'a'"}, {"name": "'a'", "count": "3"}, twice=True),
    "check": Row(rule("CheckConstraint(condition=models.Q(count__gte=0) | models.Q(name='%'),"
        " name='positive')"), {"count": "0"}, {"count": "-1", "name": "'x'"}),
    "check_null": Row(rule("CheckConstraint(condition=models.Q(name__startswith='a%'), name='a')"),
        {"name": "NULL"}, {"name": "'ax'"}),
    "check_decimal": Row(rule("CheckConstraint(condition=models.Q(price__lt='99.5'), name='b')"),
        {"price": "99.499"}, {"price": "99.5"}),
    "positive": Row(alter("count", "PositiveIntegerField(null=True)"), {"count": "0"},
        {"count": "-1"}),
    "foreign_key": Row(alter("maker_id", "IntegerField(null=True)") + ", migrations.RenameField("
        "'Item', 'maker_id', 'maker'), " + alter("maker", "ForeignKey('shop.Maker', CASCADE,"
        " null=True, db_column='maker')"), {"maker_id": "1"}, {"maker_id": "2"}),
    "no_value": Row(add("must", "IntegerField()"), {}, {"count": "1"}, vendors=("sqlite",
        "postgresql")),
    "no_value_in_sql": Row("migrations.RunSQL('ALTER TABLE shop_item ADD must integer NOT NULL')",
        {}, {"count": "1"}, vendors=("sqlite", "postgresql")),
    "same_for_all": Row(add("code", "IntegerField(default=1, unique=True)"), {"count": "1"},
        {"count": "1"}, twice=True),
    "same_in_database": Row(add("code", "IntegerField(db_default=1, unique=True, null=True)"),
        {"count": "1"}, {"count": "1"}, twice=True),
    "no_value_for_a_foreign_key": Row(add("by", "ForeignKey('shop.Maker', CASCADE)"), {},
        {"count": "1"}),
    "no_value_unique": Row(add("must", "IntegerField(unique=True)"), {}, {"count": "1"},
        vendors=("mysql",), twice=True),
    "same_uuid": Row(add("code", "UUIDField(default=uuid.uuid4, unique=True)"), {"count": "1"},
        {"count": "1"}, twice=True),
    "default_points": Row(add("made_by", "ForeignKey('shop.Maker', CASCADE, default=9)"), {},
        {"count": "1"}),
    "shorter": Row(alter("name", "CharField(max_length=3, null=True)"), {"name": "'abc'"},
        {"name": "'abcd'"}, vendors=SERVERS),
    "text_shorter": Row(alter("blurb", "CharField(max_length=3, null=True)"), {"blurb": "'abc'"},
        {"blurb": "'abcd'"}, CUTS, SERVERS, codes=(("mysql", BREAKS),)),
    "number_as_text": Row(alter("count", "CharField(max_length=3, null=True)"), {"count": "123"},
        {"count": "1234"}, CUTS, SERVERS, codes=(("mysql", BREAKS),)),
    "smaller": Row(alter("large", "IntegerField(null=True)"), {"large": "2147483647"},
        {"large": "2147483648"}, vendors=SERVERS),
    "smallest": Row(alter("count", "SmallIntegerField(null=True)"), {"count": "-32768"},
        {"count": "-32769"}, vendors=SERVERS),
    "digits": Row(alter("price", "DecimalField(max_digits=5, decimal_places=3, null=True)"),
        {"price": "99.999"}, {"price": "100"}, vendors=SERVERS),
    "digits_by_rounding": Row(alter("price", "DecimalField(max_digits=4, decimal_places=2,"
        " null=True)"), {"price": "99.99"}, {"price": "99.996"}, vendors=SERVERS),
    "scale": Row(alter("price", "DecimalField(max_digits=8, decimal_places=2, null=True)"),
        {"price": "1.230"}, {"price": "1.235"}, CUTS, SERVERS),
    "decimal_to_integer": Row(alter("price", "IntegerField(null=True)"), {"price": "2.000"},
        {"price": "2.500"}, CUTS, SERVERS),
    "float_to_integer": Row(alter("ratio", "IntegerField(null=True)"), {"ratio": "2"},
        {"ratio": "2.5"}, CUTS, SERVERS),
    "float_too_large": Row(alter("ratio", "IntegerField(null=True)"), {"ratio": "2147483647"},
        {"ratio": "1e12"}, vendors=SERVERS),
    "float_to_decimal": Row(alter("ratio", "DecimalField(max_digits=6, decimal_places=2,"
        " null=True)"), {"ratio": "1.23"}, {"ratio": "1.239"}, CUTS, SERVERS),
    "large_to_float": Row(alter("large", "FloatField(null=True)"), {"large": "9007199254740992"},
        {"large": "9007199254740993"}, CUTS, ("postgresql",)),
    "to_date": Row(alter("at", "DateField(null=True)"), {"at": f"'{MIDNIGHT}'"},
        {"at": f"'{NOON}'"}, CUTS, SERVERS),
    "to_time": Row(alter("at", "TimeField(null=True)"), {"at": "NULL"}, {"at": f"'{NOON}'"}, CUTS,
        SERVERS),
    "text_to_integer": Row(alter("blurb", "IntegerField(null=True)"), {"blurb": "' +12'"},
        {"blurb": "'12.7'"}, vendors=SERVERS),
    "text_empty": Row(alter("blurb", "IntegerField(null=True)"), {"blurb": "'0'"},
        {"blurb": "''"}, vendors=SERVERS),
    "text_too_large": Row(alter("blurb", "IntegerField(null=True)"), {"blurb": "'2147483647'"},
        {"blurb": "'2147483648'"}, vendors=SERVERS),
    "text_to_decimal": Row(alter("blurb", "DecimalField(max_digits=5, decimal_places=2,"
        " null=True)"), {"blurb": "'1e2'"}, {"blurb": "'abc'"}, vendors=SERVERS),
    "text_to_decimal_scale": Row(alter("blurb", "DecimalField(max_digits=5, decimal_places=2,"
        " null=True)"), {"blurb": "'.5'"}, {"blurb": "'1.239'"}, CUTS, SERVERS),
    "text_to_float": Row(alter("blurb", "FloatField(null=True)"), {"blurb": "'1.5e3'"},
        {"blurb": "'x'"}, vendors=SERVERS),
    "text_to_boolean": Row(alter("blurb", "BooleanField(null=True)"), {"blurb": "'Yes'"},
        {"blurb": "'maybe'"}, vendors=("postgresql",)),
    "text_to_uuid": Row(alter("blurb", "UUIDField(null=True)"),
        {"blurb": "'00000000-0000-0000-0000-0000000000AB'"}, {"blurb": "'00-ab'"},
        vendors=("postgresql",)),
    "to_boolean": Row(alter("count", "BooleanField(null=True)"), {"count": "1"}, {"count": "2"},
        CUTS, ("postgresql",)),
    "to_json": Row(alter("blurb", "JSONField(null=True)"), {"blurb": "'[1]'"}, {"blurb": "'{'"},
        vendors=("sqlite", "mysql")),
}  # fmt: skip
CASES = [
    pytest.param(vendor, row, id=f"{name}-{vendor}")
    for name, row in ROWS.items()
    for vendor in row.vendors
]


@pytest.fixture
def shop(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(squawk, "find", lambda: None)
    with installed(tmp_path, settings, "shop") as apps:
        yield apps["shop"]


def written(shop: Any, database: str, *operations: str, more: str = "") -> None:
    """The base, applied, and one migration with these operations."""
    head = "from django.db.models.functions import Lower"
    base = (("shop", "0001_initial"),)
    shop.write({"0001_initial": source(BASE)})
    shop.write({"0002_more": source(*operations, after=base, head=head, extra=more)})
    migrate(database, "shop", "0001")
    execute(database, "INSERT INTO shop_maker (id) VALUES (1)")


def execute(database: str, *statements: str) -> None:
    with connections[database].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.replace("%", "%%") if "%" in statement else statement, None)


def insert(database: str, values: dict[str, str]) -> None:
    quote = connections[database].ops.quote_name
    names = ", ".join(quote(name) for name in values)
    execute(database, f"INSERT INTO shop_item ({names}) VALUES ({', '.join(values.values())})")


def rows(database: str, column: str) -> list[str]:
    quoted = connections[database].ops.quote_name(column)
    with connections[database].cursor() as cursor:
        cursor.execute(f"SELECT {quoted} FROM shop_item ORDER BY id")
        return [str(value) for (value,) in cursor.fetchall()]


def answers(made: Plan, code: str) -> list[Answer]:
    return [one.answer for one in made.checks if one.check.code == code]


def goes_through(database: str) -> bool:
    try:
        migrate(database, "shop")
    except (DatabaseError, ValueError):
        connections[database].close()
        return False
    return True


@pytest.mark.parametrize(("vendor", "row"), CASES, indirect=["vendor"])
def test_what_holds_goes_through_and_keeps_every_value(
    vendor: str, row: Row, target: str, shop: Any
) -> None:
    written(shop, target, row.operations)
    if row.good and row.good != {"id": "id"}:
        insert(target, row.good)
        if row.twice and "default=" not in row.operations:
            insert(target, row.good)
    made = plan(target, "shop")
    assert made.checks, made.steps[0]
    assert {one.answer for one in made.checks} == {Answer.HOLDS}, made.checks
    assert not {f.code for f in made.all_findings} & {BREAKS, CUTS}
    assert made.all_notes[-1].startswith("Checked on today's data: ")
    assert goes_through(target)


@pytest.mark.parametrize(("vendor", "row"), CASES, indirect=["vendor"])
def test_what_is_broken_fails_or_is_cut_as_it_says(
    vendor: str, row: Row, target: str, shop: Any
) -> None:
    written(shop, target, row.operations)
    insert(target, row.bad)
    if row.twice:
        insert(target, row.bad)
    code = row.code_on(vendor)
    made = plan(target, "shop")
    broken = [one for one in made.checks if one.is_broken]
    assert code in {one.check.code for one in broken}, made.checks
    assert Answer.UNKNOWN not in {one.answer for one in made.checks}
    found = next(f for f in made.all_findings if f.code == code)
    assert (found.level, found.evidence) == (Risk.DANGEROUS, Evidence.MEASURED)
    assert found.because[0].isdigit()
    assert Plan.from_json(made.to_json()) == made
    through = goes_through(target)
    assert through is (code == CUTS and BREAKS not in {one.check.code for one in broken})
    if through:
        (column,) = row.bad
        assert rows(target, column) != [row.bad[column].strip("'")]


# Under which names, and when not at all


def asked(made: Plan) -> list[tuple[str, Answer]]:
    return [(one.check.words, one.answer) for one in made.checks]


def first(made: Plan) -> Checked:
    return made.checks[0]


def test_tables_and_columns_are_asked_under_todays_names(
    vendor: str, target: str, shop: Any
) -> None:
    written(
        shop,
        target,
        "migrations.RenameModel('Item', 'Thing')",
        "migrations.RenameField('Thing', 'count', 'number')",
        "migrations.AddField('Thing', 'count', models.IntegerField(null=True))",
        "migrations.AlterField('Thing', 'number', models.IntegerField())",
        "migrations.AddConstraint('Thing', models.CheckConstraint("
        "condition=models.Q(number__gt=models.F('large')), name='more'))",
    )
    insert(target, {"count": "NULL", "large": "5"})
    insert(target, {"count": "4", "large": "5"})
    made = plan(target, "shop")
    assert [(one.check.table, one.answer, one.count) for one in made.checks] == [
        ("shop_item", Answer.BROKEN, 1),
        ("shop_item", Answer.BROKEN, 1),
    ]


def test_swapped_columns_are_not_taken_for_each_other(vendor: str, target: str, shop: Any) -> None:
    written(
        shop,
        target,
        "migrations.RenameField('Item', 'count', 'spare')",
        "migrations.RenameField('Item', 'maker_id', 'count')",
        "migrations.RenameField('Item', 'spare', 'maker_id')",
        alter("count", "IntegerField()"),
    )
    insert(target, {"count": "NULL", "maker_id": "1"})
    assert first(plan(target, "shop")).answer is Answer.HOLDS


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("migrations.RunPython(print)", "runs Python before it"),
        ("migrations.RunSQL('UPDATE shop_item SET count = 1')", "writes to shop_item before it"),
        ("migrations.RunSQL('DELETE FROM shop_item')", "writes to shop_item before it"),
        ("migrations.RunSQL('CALL tidy()')", "could not be read"),
        (
            "migrations.RunSQL('ALTER TABLE shop_item ATTACH PARTITION shop_old DEFAULT')",
            "could not be read",
        ),
        (alter("count", "BigIntegerField(null=True)"), "changes its type before it"),
        (alter("count", "IntegerField(default=3)"), "puts values in the place of NULL"),
    ],
)
def test_what_an_earlier_operation_writes_is_not_asked(
    vendor: str, target: str, shop: Any, before: str, why: str
) -> None:
    written(shop, target, before, rule("UniqueConstraint(fields=['count'], name='once')"))
    last = plan(target, "shop").checks[-1]
    assert last.answer is Answer.UNKNOWN
    assert why in last.why_not
    assert not last.check.sql


def test_what_cannot_be_asked_is_a_caution_that_says_why(
    vendor: str, target: str, shop: Any
) -> None:
    written(shop, target, "migrations.RunPython(print)", alter("count", "IntegerField()"))
    found = next(f for f in plan(target, "shop").all_findings if f.code == "data_not_checked")
    assert (found.level, found.evidence) == (Risk.CAUTION, Evidence.NOT_CHECKED)
    assert found.because == (
        "Not checked on today's data whether shop_item.count has no NULL: shop.0002_more runs "
        "Python before it, which may change these rows."
    )


def test_a_column_that_the_plan_adds_and_never_fills_breaks_with_any_row(
    vendor: str, target: str, shop: Any
) -> None:
    written(shop, target, add("fresh", "IntegerField(null=True)"), alter("fresh", "IntegerField()"))
    assert first(plan(target, "shop")).answer is Answer.HOLDS
    insert(target, {"count": "1"})
    made = plan(target, "shop")
    assert first(made).answer is Answer.BROKEN
    assert not goes_through(target)


def test_tables_that_the_plan_makes_are_not_asked(vendor: str, target: str, shop: Any) -> None:
    new = "[('id', models.AutoField(primary_key=True)), ('count', models.IntegerField(null=True))]"
    written(
        shop,
        target,
        f"migrations.CreateModel('New', {new})",
        "migrations.AlterField('New', 'count', models.IntegerField(unique=True))",
        "migrations.AddField('New', 'item', models.ForeignKey('shop.Item', CASCADE, null=True))",
    )
    made = plan(target, "shop")
    assert made.checks == ()
    assert goes_through(target)


def test_tables_that_the_plan_makes_and_may_have_filled_are_a_caution(
    vendor: str, target: str, shop: Any, settings: Any
) -> None:
    new = "[('id', models.AutoField(primary_key=True)), ('count', models.IntegerField(null=True))]"
    written(
        shop,
        target,
        f"migrations.CreateModel('New', {new})",
        "migrations.RunPython(print)",
        "migrations.AddField('New', 'note', models.IntegerField(null=True))",
        "migrations.AlterField('New', 'count', models.IntegerField(null=True, unique=True))",
    )
    told = (
        "no two rows of shop_new have the same count",
        "the plan makes shop_new, and shop.0002_more runs Python before it",
    )
    made = plan(target, "shop")
    (one,) = [f for f in made.all_findings if told[0] in f.because]
    assert (one.code, one.level) == ("data_not_checked", Risk.CAUTION)
    assert told[1] in one.because
    assert made.risk is Risk.CAUTION
    tuned(settings, data_checks=False)
    (one,) = [f for f in plan(target, "shop").all_findings if told[0] in f.because]
    assert (one.code, one.level) == ("meets_own_rows", Risk.CAUTION)
    assert told[1] in one.because.replace("The", "the", 1)


def test_going_back_asks_what_undoing_demands(vendor: str, target: str, shop: Any) -> None:
    base = (("shop", "0001_initial"),)
    strict = BASE.replace(
        "'count', models.IntegerField(null=True)", "'count', models.IntegerField()"
    )
    shop.write({"0001_initial": source(strict)})
    shop.write({"0002_more": source(alter("count", "IntegerField(null=True)"), after=base)})
    migrate(target, "shop")
    insert(target, {"count": "NULL"})
    made = plan(target, "shop", "0001")
    assert first(made).answer is Answer.BROKEN
    assert first(made).sentence == (
        "1 row of shop_item has NULL in count: SET NOT NULL would fail."
    )
    execute(target, "UPDATE shop_item SET count = 2")
    assert first(plan(target, "shop", "0001")).answer is Answer.HOLDS


def test_a_default_that_only_the_operation_knows_fills_the_null(
    vendor: str, target: str, shop: Any
) -> None:
    once = "migrations.AlterField('Item', 'count', models.IntegerField(default=1),"
    written(shop, target, f"{once} preserve_default=False)")
    insert(target, {"count": "NULL"})
    assert plan(target, "shop").checks == ()
    assert goes_through(target)


# How long, how many, of whom


def tuned(settings: Any, **changes: Any) -> None:
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, **changes}


def test_counting_stops_at_the_limit_and_says_so(
    vendor: str, target: str, shop: Any, settings: Any
) -> None:
    written(shop, target, alter("count", "IntegerField()"))
    for _ in range(5):
        insert(target, {"count": "NULL"})
    tuned(settings, data_check_limit=3)
    one = first(plan(target, "shop"))
    assert (one.count, one.at_least) == (3, True)
    assert one.sentence.startswith("At least 3 rows of shop_item have NULL in count: ")
    tuned(settings, data_check_limit=1000)
    one = first(plan(target, "shop"))
    assert (one.count, one.at_least, one.examples) == (5, False, ())


@pytest.mark.parametrize(
    "operation",
    [
        alter("count", "IntegerField()"),
        rule("UniqueConstraint(fields=['name'], name='once')"),
    ],
)
def test_primary_keys_are_named_only_where_the_settings_ask_for_them(
    vendor: str, target: str, shop: Any, settings: Any, operation: str
) -> None:
    written(shop, target, operation)
    for name in ("'a'", "'b'", "'b'"):
        insert(target, {"count": "NULL" if name == "'b'" else "1", "name": name})
    tuned(settings, data_check_examples=5)
    one = first(plan(target, "shop"))
    assert sorted(one.examples) == ["2", "3"]
    assert "(such as " in one.sentence
    assert "'b'" not in str(plan(target, "shop").to_json())


def test_only_rows_that_a_conditional_rule_is_for_are_named(
    vendor: str, target: str, shop: Any, settings: Any
) -> None:
    if vendor == "mysql":
        pytest.skip("it has no conditional constraints")
    some = "condition=models.Q(large__gt=5)"
    written(shop, target, rule(f"UniqueConstraint(fields=['count'], name='some', {some})"))
    for large in ("1", "6", "7"):
        insert(target, {"count": "3", "large": large})
    tuned(settings, data_check_examples=5)
    assert sorted(first(plan(target, "shop")).examples) == ["2", "3"]


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_default_that_makes_each_row_another_value_breaks_no_rule(
    vendor: str, target: str, shop: Any
) -> None:
    uuids = "from django.contrib.postgres.functions import RandomUUID"
    written(
        shop, target, add("code", "UUIDField(db_default=RandomUUID(), unique=True)"), more=uuids
    )
    for _ in "ab":
        insert(target, {"count": "1"})
    made = plan(target, "shop")
    assert made.checks == ()
    assert goes_through(target)


def test_a_default_that_nobody_here_can_read_is_not_checked(
    vendor: str, target: str, shop: Any
) -> None:
    default = "models.functions.Abs(models.Value(-3))"
    written(shop, target, add("code", f"IntegerField(db_default={default}, unique=True)"))
    insert(target, {"count": "1"})
    one = first(plan(target, "shop"))
    assert one.answer is Answer.UNKNOWN
    assert "its default may be another value in each row" in one.sentence


@pytest.mark.parametrize("vendor", ["mysql"])
def test_a_date_without_a_value_is_asked_about_where_the_mode_refuses_zeros(
    vendor: str, target: str, shop: Any
) -> None:
    written(shop, target, add("day", "DateField()"))
    insert(target, {"count": "1"})
    assert plan(target, "shop").checks == ()
    mode = "SET sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE'"
    options = connections[target].settings_dict["OPTIONS"]
    options["init_command"] = mode
    connections[target].close()
    connections[target].__dict__.pop("mysql_server_data", None)
    assert first(plan(target, "shop")).is_broken
    assert not goes_through(target)


SLOW = {
    "postgresql": "CREATE VIEW slow AS SELECT 1 AS count FROM generate_series(1, 200000000)",
    "mysql": "CREATE VIEW slow AS SELECT 1 AS count FROM seq_1_to_200000000",
    "sqlite": "CREATE VIEW slow AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 200000000) SELECT 1 AS count FROM n",
}


def test_a_question_that_takes_too_long_is_given_up_and_the_others_are_asked(
    vendor: str, target: str, shop: Any, settings: Any
) -> None:
    tuned(settings, data_check_seconds=0.6)
    execute(target, SLOW[vendor])
    checks = [
        DataCheck(code=BREAKS, step="shop.a", operation=0, table=name, words=name, sql=sql, limit=9)
        for name, sql in (("slow", "SELECT count(*) FROM slow"), ("quick", "SELECT 0"))
    ]
    begun = time.monotonic()
    slow, quick = checked_again(target, checks)
    assert time.monotonic() - begun < 3
    assert slow.answer is Answer.UNKNOWN
    assert slow.why_not == "it could not be answered in the 0.6 s that data checks may take"
    assert quick.answer is Answer.HOLDS


@pytest.mark.parametrize("examples", ["slow", "nowhere"])
def test_a_break_stays_one_where_its_examples_cannot_be_had(
    vendor: str, target: str, shop: Any, settings: Any, examples: str
) -> None:
    tuned(settings, data_check_seconds=0.6)
    execute(target, SLOW[vendor])
    check = DataCheck(
        code=BREAKS,
        step="shop.a",
        operation=0,
        table="t",
        words="w",
        sql="SELECT 7",
        examples_sql=f"SELECT count(*) FROM {examples}",
        limit=9,
    )
    begun = time.monotonic()
    (one,) = checked_again(target, [check])
    assert time.monotonic() - begun < 3
    assert (one.answer, one.count, one.examples) == (Answer.BROKEN, 7, ())


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_connection_that_is_lost_leaves_one_question_open_and_no_more(
    vendor: str, target: str, shop: Any
) -> None:
    checks = [
        DataCheck(code=BREAKS, step="shop.a", operation=0, table=name, words=name, sql=sql, limit=9)
        for name, sql in (("lost", "SELECT count(*) FROM lost"), ("quick", "SELECT 0"))
    ]
    execute(
        target,
        "CREATE FUNCTION go() RETURNS boolean LANGUAGE sql AS"
        " 'SELECT pg_terminate_backend(pg_backend_pid())'",
    )
    execute(target, "CREATE VIEW lost AS SELECT go() FROM generate_series(1, 2) WHERE go()")
    lost, quick = checked_again(target, checks)
    assert lost.answer is Answer.UNKNOWN
    assert quick.answer is Answer.HOLDS


@pytest.mark.parametrize("vendor", SERVERS, indirect=True)
def test_a_replica_that_takes_the_call_and_says_nothing_keeps_nobody_waiting(
    vendor: str, target: str, shop: Any, settings: Any, register_alias: Callable[[str, str], str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        register_alias("replica", f"{vendor}://nobody@127.0.0.1:{port}/none")
        tuned(settings, data_check_databases={"target": "replica"}, data_check_seconds=1.0)
        check = DataCheck(
            code=BREAKS, step="a.b", operation=0, table="t", words="w", sql="SELECT 0"
        )
        begun = time.monotonic()
        (one,) = checked_again(target, [check])
    assert time.monotonic() - begun < 10
    assert one.answer is Answer.UNKNOWN
    assert "the replica replica does not answer" in one.why_not


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_time_limit_is_gone_with_its_question_so_that_no_pooler_passes_it_on(
    vendor: str, target: str
) -> None:
    ask = "SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'"
    check = DataCheck(code=BREAKS, step="a.b", operation=0, table="t", words="w", sql=ask)
    with everything_read_only(target) as looking:
        (during,) = _Asker(looking.connection, {}).all([check])
        with looking.connection.cursor() as cursor:
            cursor.execute(ask)
            after = cursor.fetchone()[0]
    assert 0 < during.count <= 5000
    assert after == 0


def test_a_table_that_is_too_large_for_the_time_is_not_begun_with(
    vendor: str, target: str, shop: Any
) -> None:
    written(shop, target, alter("count", "IntegerField()"))
    check = plan(target, "shop").checks[0].check
    with everything_read_only(target) as looking:
        sizes = {"shop_item": Size(rows=60_000_000)}
        (one,) = _Asker(looking.connection, sizes).all([check])
    assert one.answer is Answer.UNKNOWN
    assert one.why_not == "shop_item is too large to be read in 5 s"


def test_a_replica_is_asked_in_the_place_of_the_database(
    vendor: str,
    target: str,
    shop: Any,
    settings: Any,
    new_database: Callable[[str], str],
    register_alias: Callable[[str, str], str],
) -> None:
    register_alias("replica", new_database(vendor))
    written(shop, target, alter("count", "IntegerField()"))
    migrate("replica", "shop", "0001")
    insert("replica", {"count": "NULL"})
    tuned(settings, data_check_databases={"target": "replica"})
    one = first(plan(target, "shop"))
    assert one.answer is Answer.BROKEN
    assert one.sentence == (
        "1 row of shop_item has NULL in count on replica: SET NOT NULL would fail."
    )


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_replica_that_is_down_leaves_everything_unknown(
    vendor: str, target: str, shop: Any, settings: Any, register_alias: Callable[[str, str], str]
) -> None:
    register_alias("replica", "postgresql://nobody@127.0.0.1:1/none")
    written(shop, target, alter("count", "IntegerField()"))
    for alias, words in (
        ("replica", "the replica replica does not answer"),
        ("gone", "no database"),
    ):
        tuned(settings, data_check_databases={"target": alias})
        one = first(plan(target, "shop"))
        assert one.answer is Answer.UNKNOWN
        assert words in one.why_not


def test_asking_can_be_switched_off(vendor: str, target: str, shop: Any, settings: Any) -> None:
    tuned(settings, data_checks=False)
    written(shop, target, alter("count", "IntegerField()"))
    insert(target, {"count": "NULL"})
    made = plan(target, "shop")
    assert made.checks == ()
    assert not [note for note in made.all_notes if "today" in note]


def test_old_documents_without_checks_still_load(vendor: str, target: str, shop: Any) -> None:
    written(shop, target, alter("count", "IntegerField()"))
    document = plan(target, "shop").to_json()
    del document["checks"]
    assert Plan.from_json(document).checks == ()


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_sql_of_a_migrations_own_is_asked_where_it_can_be_read(
    vendor: str, target: str, shop: Any
) -> None:
    written(
        shop,
        target,
        "migrations.RunSQL('ALTER TABLE shop_item ALTER COLUMN count SET NOT NULL')",
        "migrations.RunSQL('ALTER TABLE shop_item ADD CONSTRAINT c CHECK (count > 0)')",
        "migrations.RunSQL('ALTER TABLE shop_item ADD CONSTRAINT d CHECK (count > 0) NOT VALID')",
    )
    insert(target, {"count": "NULL"})
    made = plan(target, "shop")
    assert [(one.answer, one.why_not) for one in made.checks] == [
        (Answer.BROKEN, ""),
        (Answer.UNKNOWN, "it is SQL of the migration's own"),
    ]


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        ("must shop_kind NOT NULL", "its type may have a default of its own"),
        ("IF NOT EXISTS must integer NOT NULL", "it is only added where it is not there yet"),
    ],
)
@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_column_in_sql_that_may_have_a_value_or_be_there_is_not_asked_about(
    vendor: str, target: str, shop: Any, definition: str, why: str
) -> None:
    written(shop, target, f"migrations.RunSQL('ALTER TABLE shop_item ADD COLUMN {definition}')")
    made = plan(target, "shop")
    assert [(one.answer, one.why_not) for one in made.checks] == [(Answer.UNKNOWN, why)]


@pytest.mark.parametrize("vendor", ["mysql"], indirect=True)
def test_mariadb_has_a_value_for_every_column_in_sql(vendor: str, target: str, shop: Any) -> None:
    added = "migrations.RunSQL('ALTER TABLE shop_item ADD COLUMN must integer NOT NULL')"
    written(shop, target, added)
    insert(target, {"count": "1"})
    assert plan(target, "shop").checks == ()
    assert goes_through(target)


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_constraint_that_is_added_not_valid_is_asked_when_it_is_validated(
    vendor: str, target: str, shop: Any
) -> None:
    constraint = "models.CheckConstraint(condition=models.Q(count__gt=0), name='c')"
    head = "import django.contrib.postgres.operations as pg"
    shop.write({"0001_initial": source(BASE)})
    operations = (
        f"pg.AddConstraintNotValid('Item', {constraint})",
        "pg.ValidateConstraint('Item', 'c')",
    )
    after = (("shop", "0001_initial"),)
    shop.write({"0002_more": source(*operations, after=after, head=head)})
    migrate(target, "shop", "0001")
    insert(target, {"count": "0"})
    made = plan(target, "shop")
    assert [(one.check.operation, one.answer) for one in made.checks] == [(1, Answer.BROKEN)]
