"""squawk as a second opinion: its verdicts as they are, and what is left of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.database import squawk
from bot.route.risks.facts import Deed, Situation
from tests.route.risks.cases import altered, operation

STATEMENTS = {
    'ALTER TABLE "a" ADD COLUMN "b" integer DEFAULT 3 NOT NULL;': "prefer-bigint-over-int",
    'ALTER TABLE "a" ALTER COLUMN "b" DROP DEFAULT;': "ban-drop-default",
    'ALTER TABLE "a" ALTER COLUMN "b" SET NOT NULL;': "adding-not-nullable-field",
    'ALTER TABLE "a" ALTER COLUMN "b" TYPE varchar(60);': "changing-column-type prefer-text-field",
    'ALTER TABLE "a" DROP COLUMN "b" CASCADE;': "ban-drop-column",
    'ALTER TABLE "a" RENAME COLUMN "b" TO "c";': "renaming-column",
    'ALTER TABLE "a" RENAME TO "d";': "renaming-table",
    'CREATE INDEX "i" ON "a" ("b");': "require-concurrent-index-creation",
    'ALTER TABLE "a" ADD CONSTRAINT "k" CHECK ("b" > 0);': "constraint-missing-not-valid",
    'ALTER TABLE "a" ADD CONSTRAINT "u" UNIQUE ("b");': (
        "constraint-missing-not-valid disallowed-unique-constraint"
    ),
    'DROP TABLE "a";': "ban-drop-table",
    'TRUNCATE "a" CASCADE;': "ban-truncate-cascade",
    'DROP DATABASE "x";': "ban-drop-database",
    'UPDATE "a" SET "b" = 1;': "",
    'DELETE FROM "a";': "",
    'CREATE TABLE "n" ("id" bigint NOT NULL PRIMARY KEY);': "",
}
"""What version 2.70.0 says of each; the timeouts and IF EXISTS that it asks for everywhere are left
out."""
EVERYWHERE = {"require-lock-timeout", "require-statement-timeout", "prefer-robust-stmts"}


@pytest.fixture
def binary() -> Path:
    found = squawk.find()
    if found is None:
        pytest.skip(f"squawk-cli {squawk.VERSION} is not installed")
    return found


@pytest.mark.parametrize("sql", STATEMENTS, ids=lambda sql: str(sql)[:40])
def test_its_verdicts_are_the_ones_we_know(sql: str, binary: Path) -> None:
    verdicts = squawk.ask(binary, [sql], (15, 3))
    assert verdicts is not None
    named = {verdict["rule_name"] for verdict in verdicts} - EVERYWHERE
    assert named == set(STATEMENTS[sql].split())


def lint(*operations: Any, vendor: str = "postgresql", atomic: bool = True) -> squawk.Linted:
    from bot.route.plan import Direction
    from bot.route.risks.facts import StepFacts

    step = StepFacts(
        app="shop",
        name="0002",
        direction=Direction.FORWARD,
        atomic=atomic,
        operations=operations,
    )
    return squawk.lint([step], Situation(vendor=vendor, version=(15, 3)))


def codes(linted: squawk.Linted) -> list[str]:
    return [finding.code for finding in linted.found[0]]


def test_what_our_rules_do_not_say_is_added(binary: Path) -> None:
    linted = lint(operation('TRUNCATE "shop_order" CASCADE'))
    assert codes(linted) == ["squawk_ban_truncate_cascade"]
    assert linted.found[0][0].table == "shop_order"
    assert linted.found[0][0].step == "shop.0002"


@pytest.mark.parametrize(
    "harmless",
    [
        altered("varchar(50)", "varchar(60)"),
        altered("integer", "integer"),
        operation('COMMENT ON COLUMN "shop_order"."total" IS \'how much\''),
        operation(
            'ALTER TABLE "shop_order" ADD COLUMN "at" timestamp with time zone DEFAULT'
            " (STATEMENT_TIMESTAMP()) NOT NULL"
        ),
        operation(
            'ALTER TABLE "shop_order" ADD COLUMN "b" integer DEFAULT 3 NOT NULL',
            'ALTER TABLE "shop_order" ALTER COLUMN "b" DROP DEFAULT',
            deed=Deed.ADD_COLUMN,
            table="shop_order",
        ),
    ],
    ids=["wider", "comment's type", "comment", "now", "Django's default"],
)
def test_its_known_false_alarms_are_not_passed_on(harmless: Any, binary: Path) -> None:
    assert codes(lint(harmless)) == []


def test_a_table_that_the_plan_makes_is_left_out(binary: Path) -> None:
    made = operation('CREATE TABLE "shop_new" ("id" bigint NOT NULL PRIMARY KEY)')
    assert codes(lint(made, operation('TRUNCATE "shop_new" CASCADE'))) == []


def test_without_it_nothing_breaks_and_the_plan_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squawk, "find", lambda: None)
    linted = lint(operation('DROP TABLE "shop_order"'))
    assert linted.found == ((),)
    assert linted.notes == ("Not checked by squawk, which is not installed.",)


@pytest.mark.parametrize(
    "script",
    [
        "#!/bin/sh\nexit 3\n",
        "#!/bin/sh\necho no json\n",
        "#!/bin/sh\nsleep 30\n",
        "#!/bin/sh\necho {}\n",
    ],
    ids=["fails", "babbles", "hangs", "answers something else"],
)
def test_one_that_does_not_answer_is_told_and_stops_nothing(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "squawk"
    fake.write_text(script)
    fake.chmod(0o755)
    monkeypatch.setattr(squawk, "find", lambda: fake)
    monkeypatch.setattr(squawk, "TIMEOUT", 0.3)
    linted = lint(operation('DROP TABLE "shop_order"'))
    assert linted.found == ((),)
    assert linted.notes == ("Not checked by squawk, which did not answer.",)


def test_other_databases_are_not_its_business() -> None:
    linted = lint(operation("DROP TABLE shop_order"), vendor="mysql")
    assert linted == squawk.Linted(found=((),))
