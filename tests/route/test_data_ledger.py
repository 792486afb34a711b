"""Which demands of a plan are put to today's data: never one about what the plan itself wrote."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.route.data_checks import (
    BREAKS,
    BY_DATA,
    CUTS,
    Answer,
    Checked,
    DataCheck,
    by_operation,
    held,
    to_ask_again,
)
from bot.route.data_ledger import checks_of
from bot.route.data_sql import quoted
from bot.route.findings import Finding, Place, Risk
from bot.route.plan import Direction, Plan
from bot.route.risks.claims import Parent, no_null, points_to, unique
from bot.route.risks.facts import Deed, OperationFacts, StepFacts
from bot.route.risks.judge import codes
from tests.plans import NOW, a_plan, a_rehearsal, a_step
from tests.route.risks.cases import column, operation

TABLES, COLUMNS = ("a", "b"), ("x", "y", "z")


def quote(name: str) -> str:
    return quoted(name, "postgresql")


def step(*operations: OperationFacts) -> StepFacts:
    return StepFacts(
        app="shop",
        name="0002_more",
        direction=Direction.FORWARD,
        atomic=True,
        operations=tuple(replace(one, place=n) for n, one in enumerate(operations)),
    )


def checks(*operations: OperationFacts) -> list[DataCheck]:
    return checks_of([step(*operations)], vendor="postgresql", limit=9)


def demand(table: str, name: str) -> OperationFacts:
    """A column becomes NOT NULL."""
    return operation(
        f'ALTER TABLE "{table}" ALTER COLUMN "{name}" SET NOT NULL',
        deed=Deed.ALTER_COLUMN,
        table=table,
        before=column(name, null=True),
        after=column(name),
        claims=(no_null(table, name, quote=quote),),
    )


# What is asked under which name


def test_a_demand_is_a_question_that_stops_counting() -> None:
    (check,) = checks(demand("a", "x"))
    assert check.sql == (
        'SELECT count(*) FROM (SELECT 1 AS mbot_one FROM "a" AS mbot_rows WHERE ("x" IS NULL)'
        " LIMIT 9) AS mbot_found"
    )


def test_a_key_that_the_plan_makes_names_no_row_of_today() -> None:
    added = operation('ALTER TABLE "a" ADD COLUMN "k" serial', deed=Deed.SQL)
    renamed = operation('ALTER TABLE "a" RENAME COLUMN "y" TO "x"', deed=Deed.SQL)
    demanded = replace(demand("a", "x"), claims=(no_null("a", "x", quote=quote, key=("k",)),))
    made = [step(added, renamed, demanded)]
    (check,) = checks_of(made, vendor="postgresql", limit=9, examples=3)
    assert check.why_not == ""
    assert check.examples_sql == ""
    assert '""' not in check.sql


def test_an_operation_that_sends_nothing_demands_nothing() -> None:
    assert checks(replace(demand("a", "x"), statements=())) == []


def test_a_foreign_key_to_a_table_that_the_plan_makes_finds_nothing_there() -> None:
    made = operation('CREATE TABLE "b" ("id" int)', deed=Deed.CREATE_TABLE, table="b")
    claim = points_to("a", "x", Parent(table="b", column="id"), quote=quote)
    (check,) = checks(made, replace(demand("a", "x"), claims=(claim,)))
    assert 'WHERE "x" IS NOT NULL LIMIT' in check.sql
    filled = operation("INSERT INTO b VALUES (1)")
    (check,) = checks(made, filled, replace(demand("a", "x"), claims=(claim,)))
    assert not check.sql
    assert check.why_not.startswith("the plan makes b, and SQL of shop.0002_more writes to b")


def test_values_that_are_there_twice_are_counted_once_each() -> None:
    claim = unique("a", "x, y", columns=("x", "y"), shared=('"x"', '"y"'), condition='"z" > 3')
    (check,) = checks(replace(demand("a", "x"), claims=(claim,)))
    assert 'WHERE (("z" > 3) AND "x" IS NOT NULL AND "y" IS NOT NULL)' in check.sql
    assert 'GROUP BY "x", "y" HAVING count(*) > 1' in check.sql


# A model of what a plan does, far simpler than the ledger: each column remembers who it was


@dataclass
class World:
    """Tables by their name now: which they were, and their columns with which those were."""

    tables: dict[str, str] = field(default_factory=lambda: {one: one for one in TABLES})
    columns: dict[tuple[str, str], str] = field(
        default_factory=lambda: {(t, c): c for t in TABLES for c in COLUMNS}
    )
    touched: set[tuple[str, str]] = field(default_factory=set)
    """Original tables and columns that were written; ``*`` for any of a table."""
    anything: bool = False

    def is_touched(self, table: str, name: str) -> bool:
        was, of = self.tables[table], self.columns[table, name]
        return self.anything or not of or {(was, of), (was, "*")} & self.touched != set()


NEW = ("p", "q", "r", "s", "t", "u")


@st.composite
def plans(draw: Any) -> tuple[list[OperationFacts], list[tuple[int, str, str, bool]]]:
    """Operations; and each demand: its place, its table and column today, and whether the plan has
    written them by then."""
    world, made, demands = World(), [], []
    fresh = iter(NEW)
    for _ in range(draw(st.integers(1, 8))):
        table = draw(st.sampled_from(sorted(world.tables)))
        name = draw(st.sampled_from(sorted(c for t, c in world.columns if t == table)))
        kinds = ["python", "update", "type", "rename column", "rename table", "add", "demand"]
        kind = draw(st.sampled_from(kinds))
        to = next(fresh, "")
        if kind == "python":
            made.append(operation(deed=Deed.PYTHON))
            world.anything = True
        elif kind == "update":
            made.append(operation(f"UPDATE {table} SET {name} = 1"))
            world.touched.add((world.tables[table], "*"))
        elif kind == "type":
            after = column(name, type="text")
            made.append(_django(Deed.ALTER_COLUMN, table, before=column(name), after=after))
            world.touched.add((world.tables[table], world.columns[table, name]))
        elif kind == "rename column" and to:
            after = column(to)
            made.append(_django(Deed.RENAME_COLUMN, table, before=column(name), after=after))
            world.columns[table, to] = world.columns.pop((table, name))
        elif kind == "rename table" and to:
            sql = f'ALTER TABLE "{table}" RENAME TO "{to}"'
            made.append(operation(sql, deed=Deed.RENAME_TABLE, table=table))
            world.tables[to] = world.tables.pop(table)
            for one in [c for t, c in world.columns if t == table]:
                world.columns[to, one] = world.columns.pop((table, one))
        elif kind == "add" and to:
            new = column(to, db_default=True)
            made.append(_django(Deed.ADD_COLUMN, table, after=new))
            world.columns[table, to] = ""
        elif kind == "demand":
            was, of = world.tables[table], world.columns[table, name]
            demands.append((len(made), was, of, world.is_touched(table, name)))
            made.append(demand(table, name))
    return made, demands


def _django(deed: Deed, table: str, **facts: Any) -> OperationFacts:
    return operation(f'ALTER TABLE "{table}" …', deed=deed, table=table, **facts)


@given(plans())
@settings(max_examples=400, deadline=None)
def test_only_what_the_plan_has_not_written_is_asked_and_under_its_name_of_today(
    plan: tuple[list[OperationFacts], list[tuple[int, str, str, bool]]],
) -> None:
    operations, demands = plan
    found = {check.operation: check for check in checks(*operations)}
    assert set(found) == {place for place, *_ in demands}
    for place, table, name, touched in demands:
        check = found[place]
        assert bool(check.sql) is not touched
        assert bool(check.why_not) is touched
        assert check.table == table
        if check.sql:
            assert f'FROM "{table}"' in check.sql
            assert f'"{name}"' in check.sql


# Answers


def answer(
    kind: Answer,
    code: str = BREAKS,
    sql: str = "SELECT 1",
    place: int = 2,
    table: str = "t",
    **facts: Any,
) -> Checked:
    check = DataCheck(
        code=code, step="shop.a", operation=place, table=table, words="t is fine", sql=sql,
        one="is bad", many="are bad", then="it fails"
    )  # fmt: skip
    return Checked(check=check, answer=kind, **facts)


def test_what_was_accepted_or_can_never_be_asked_is_not_asked_again() -> None:
    given_answers = [
        answer(Answer.HOLDS),
        answer(Answer.UNKNOWN, why_not="no time"),
        answer(Answer.UNKNOWN, sql=""),
        answer(Answer.BROKEN, place=3),
        answer(Answer.BROKEN, CUTS, place=3),
        answer(Answer.HOLDS, place=3, table="u"),
    ]
    known = Place(code=BREAKS, step="shop.a", operation=3, table="t")
    again = to_ask_again(given_answers, accepted={known, replace(known, step="shop.b")})
    assert again == tuple(given_answers[place].check for place in (0, 1, 4, 5))


def test_of_two_checks_at_one_place_the_accepted_one_does_not_hide_the_other() -> None:
    place = answer(Answer.HOLDS).check.place
    broken, other = answer(Answer.BROKEN), answer(Answer.HOLDS, sql="SELECT 2")
    assert to_ask_again([broken, other], [place]) == (other.check,)
    assert to_ask_again([broken, other], [place, place]) == ()
    assert to_ask_again([broken, other], []) == (broken.check, other.check)
    both = [broken, answer(Answer.BROKEN, sql="SELECT 2")]
    assert len(to_ask_again(both, [place])) == 2


def test_what_is_broken_of_one_table_takes_no_word_from_another_of_the_same_operation() -> None:
    broken = Finding(
        code=BREAKS,
        level=Risk.DANGEROUS,
        because="12 rows.",
        step="shop.a",
        operation=2,
        table="u",
    )
    holds = [answer(Answer.HOLDS)]
    assert held(holds, [broken]) == held(holds) != ()
    assert held(holds, [replace(broken, table="t")]) == ()


def test_answers_are_sentences() -> None:
    assert answer(Answer.HOLDS).sentence == "t is fine."
    assert answer(Answer.BROKEN, count=1).sentence == "1 is bad: it fails."
    many = answer(Answer.BROKEN, count=9, at_least=True, examples=("3", "7"), asked="replica")
    assert many.sentence == "At least 9 are bad (such as 3, 7) on replica: it fails."
    assert answer(Answer.UNKNOWN, why_not="no time").sentence == (
        "Not checked on today's data whether t is fine: no time."
    )


def test_what_holds_is_one_sentence_however_much_it_is() -> None:
    assert held([answer(Answer.BROKEN)]) == ()
    assert held([answer(Answer.HOLDS)] * 8) == (
        f"Checked on today's data: {'; '.join(['t is fine'] * 6)}; and 2 more.",
    )
    assert ("shop.a", 1) not in by_operation([answer(Answer.HOLDS)])


# Beside a rehearsal, which asks too


def _plan(found: Finding, minutes: int, **facts: Any) -> Plan:
    made = a_plan(a_step(findings=(found,)), **facts)
    return replace(made, made_at=NOW + timedelta(minutes=minutes))


FINDING = Finding(
    code=BREAKS,
    level=Risk.DANGEROUS,
    because="12 rows.",
    step="shop.0002_more",
    operation=0,
    table="t",
)
LOCK = Finding(code="brief_lock", level=Risk.CAUTION, because="A lock.")


def test_rows_that_were_mended_after_a_rehearsal_forbid_nothing_any_more() -> None:
    plan = _plan(LOCK, minutes=5)
    older = a_rehearsal(plan, findings=((FINDING, replace(LOCK, because="Measured.")),))
    assert plan.rehearsed(older).all_findings == (replace(LOCK, because="Measured."),)


def test_rows_that_broke_a_rule_after_the_plan_was_made_forbid_it() -> None:
    check = DataCheck(
        code=BREAKS, step="shop.0002_more", operation=0, table="t", words="t is fine", sql="s"
    )
    plan = _plan(LOCK, minutes=-5, checks=(Checked(check=check, answer=Answer.HOLDS),))
    assert plan.all_notes
    measured = plan.rehearsed(a_rehearsal(plan, findings=((FINDING,),)))
    assert measured.all_findings == (FINDING,)
    assert not [note for note in measured.all_notes if "today's data" in note]


def test_the_data_has_a_say_in_rules_that_there_are() -> None:
    assert set(codes()) >= BY_DATA
