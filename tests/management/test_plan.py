from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bot.management.desk import Desk
from bot.management.plan_words import plan_words
from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Belief, Direction, Operation, Plan, Statement
from tests.management.conftest import Bot, Screen
from tests.plans import a_plan, a_step

pytestmark = pytest.mark.django_db


class _Plainly:
    """A style that marks what it paints."""

    def __getattr__(self, name: str) -> Any:
        return lambda text: f"<{name}>{text}"


def a_desk(*, environment: Mapping[str, str] | None = None, terminal: bool = False) -> Desk:
    import io

    stream: Any = Screen() if terminal else io.StringIO()
    return Desk(out=stream, err=stream, style=_Plainly(), environment=environment or {})


def an_operation(sql: str, **fields: Any) -> Operation:
    statement = Statement(sql=sql, **{"belief": Belief.EXACT, **fields})
    return Operation(kind="RunSQL", words="Raw SQL operation", statements=(statement,))


def test_a_plan_reads_step_by_step_with_its_sql(bot: Bot, plans: list[Plan]) -> None:
    said = bot("plan", "shop")
    assert said.code == 0
    assert "Plan of everything on database default (sqlite)" in said.out
    assert "1 step, risk safe" in said.out
    assert f"fingerprint {plans[0].fingerprint[:12]}" in said.out
    assert "1. run shop.0002_more" in said.out
    assert '      ALTER TABLE "shop_order" ADD "note" text NULL' in said.out
    assert said.err == ""


def test_sql_can_be_left_out(bot: Bot, plans: list[Plan]) -> None:
    assert "ALTER TABLE" not in bot("plan", "--no-sql").out


def test_the_document_is_the_plan(bot: Bot, plans: list[Plan]) -> None:
    said = bot("plan", "--json")
    assert Plan.from_json(said.document) == plans[0]


@pytest.mark.parametrize(
    ("risk", "limit", "code"),
    [
        (Risk.SAFE, "caution", 0),
        (Risk.CAUTION, "caution", 3),
        (Risk.CAUTION, "dangerous", 0),
        (Risk.DANGEROUS, "caution", 3),
        (Risk.DANGEROUS, "dangerous", 3),
    ],
)
def test_fail_on_ends_with_3_from_that_risk_on(
    bot: Bot, plans: list[Plan], risk: Risk, limit: str, code: int
) -> None:
    plans[0] = a_plan(a_step(risk=risk))
    assert bot("plan", "--fail-on", limit).code == code


def test_nothing_pending_is_fine(bot: Bot, plans: list[Plan]) -> None:
    plans[0] = Plan.from_json({**a_plan().to_json(), "steps": []})
    said = bot("plan", "--fail-on", "caution")
    assert said.code == 0
    assert said.out == "Nothing is pending for everything on default.\n"


def test_marks_say_what_cannot_be_undone_or_stays_half_done() -> None:
    step = a_step(atomic=False, reversible=False, irreversible_because="Data is dropped.")
    words = plan_words(a_plan(step), a_desk(), sql=None)
    assert "! Not atomic: when it fails halfway, what it has done stays done." in words
    assert "! Cannot be undone: Data is dropped." in words


def test_an_undo_step_says_so() -> None:
    step = a_step(direction=Direction.BACKWARD, reversible=False)
    words = plan_words(a_plan(step), a_desk(), sql=None)
    assert "  undo 1 step, back to everything, risk safe" in words
    assert "1. undo shop.0002_more" in words
    assert "! Cannot be undone, so it would stop here." in words


@pytest.mark.parametrize(
    ("belief", "words"),
    [
        (Belief.PREDICTED, "! A name here is predicted"),
        (Belief.PYTHON, "! Python runs here"),
        (Belief.HIDDEN, "! This cannot be previewed."),
    ],
)
def test_sql_that_is_not_exact_says_why(belief: Belief, words: str) -> None:
    step = a_step(operations=(an_operation("", belief=belief),))
    assert words in plan_words(a_plan(step), a_desk(), sql=None)


def test_a_finding_tells_its_because_its_instead_and_its_evidence() -> None:
    finding = Finding(
        code="x",
        level=Risk.DANGEROUS,
        because="It rewrites the table.",
        instead="Add it in two steps.",
        evidence=Evidence.MEASURED,
    )
    words = plan_words(a_plan(a_step(findings=(finding,))), a_desk(), sql=None)
    assert "dangerous: It rewrites the table. (measured)" in words
    assert "Instead: Add it in two steps." in words


HOSTILE = "x\x1b[2J\u202edrop\u200b\r"


def test_names_and_sql_cannot_steer_the_terminal() -> None:
    finding = Finding(code="x", level=Risk.SAFE, because=HOSTILE, instead=HOSTILE)
    step = a_step(
        app=HOSTILE,
        name=HOSTILE,
        findings=(finding,),
        reversible=False,
        irreversible_because=HOSTILE,
        operations=(an_operation(HOSTILE, note=HOSTILE),),
    )
    plan = a_plan(step, database=HOSTILE, release=HOSTILE)
    words = plan_words(plan, a_desk(), sql=None)
    for hidden in ("\x1b", "\u202e", "\u200b", "\r"):
        assert hidden not in words
    assert "\\x1b[2J\\u202edrop\\u200b" in words


def test_long_sql_is_cut_unless_all_of_it_is_asked_for() -> None:
    step = a_step(operations=(an_operation("SELECT 1;\n" * 500),))
    short = plan_words(a_plan(step), a_desk(), sql=None)
    assert "more characters; --sql shows all" in short
    assert short.count("SELECT 1;") == 30
    assert plan_words(a_plan(step), a_desk(), sql=True).count("SELECT 1;") == 500


@pytest.mark.parametrize("columns", ["40", "80"])
def test_lines_fit_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    finding = Finding(code="x", level=Risk.CAUTION, because="word " * 40, instead="other " * 40)
    sql = "SELECT " + ", ".join(f"column_{n}" for n in range(50))
    step = a_step(findings=(finding,), operations=(an_operation(sql),))
    desk = a_desk(terminal=True, environment={"NO_COLOR": "1"})
    words = plan_words(a_plan(step), desk, sql=None)
    body = words.split("\n", 4)[-1]
    assert max(len(line) for line in body.splitlines()) <= int(columns)


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [(True, {}, True), (True, {"NO_COLOR": "1"}, False), (False, {}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    terminal: bool, environment: dict[str, str], coloured: bool
) -> None:
    desk = a_desk(terminal=terminal, environment=environment)
    assert ("<MIGRATE_HEADING>" in plan_words(a_plan(), desk, sql=None)) is coloured


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("plan", "--database", "nope"), 1, "unknown_database"),
        (("plan", "a", "b", "c"), 1, "target_not_understood"),
    ],
)
def test_what_is_refused_is_one_sentence_or_one_document(
    bot: Bot, words: tuple[str, ...], code: int, error: str
) -> None:
    plain, document = bot(*words), bot(*words, "--json")
    assert plain.code == document.code == code
    assert plain.out == ""
    assert document.document["error"] == error
    assert plain.err.strip() == document.document["message"]


def a_finding(number: int, code: str = "indexes_under_lock", **fields: Any) -> Finding:
    because = f"Blocks writes to table {number}."
    given = {"level": Risk.DANGEROUS, "because": because, "step": f"shop.{number:04}_more"}
    return Finding(code=code, **{**given, **fields})


def test_what_is_worst_stands_before_the_steps_and_is_recalled_after_many() -> None:
    forbids = a_finding(30, "data_breaks_rule", because="12 rows have NULL in total.")
    found = [a_finding(number) for number in range(1, 30)] + [forbids]
    steps = [a_step(name=f.step.partition(".")[2], findings=(f,)) for f in found]
    said = plan_words(a_plan(*steps), a_desk(), sql=None)
    above = said.partition("1.  <")[0]
    assert "forbidden by data_breaks_rule" in above
    assert above.index("shop.0030_more: 12 rows have NULL") < above.index("Blocks writes")
    assert "shop.0001_more: Blocks writes to table 1. (predicted, and 28 more like it)" in above
    assert said.endswith("30 findings; the worst are told at the top.")


def test_of_one_step_and_of_what_is_not_dangerous_nothing_is_said_twice() -> None:
    alone = plan_words(a_plan(a_step(findings=(a_finding(1),))), a_desk(), sql=None)
    assert alone.count("Blocks writes to table 1.") == 1
    mild = [
        a_step(name=f"{n:04}_more", findings=(a_finding(n, level=Risk.CAUTION),)) for n in (1, 2)
    ]
    assert "the worst first" not in plan_words(a_plan(*mild), a_desk(), sql=None)
