"""What statements by hand are read as: nothing that writes hides behind another word."""

from __future__ import annotations

import pytest

from bot.route.risks.reading import Verb, actions

UPDATE, DELETE, INSERT = Verb.UPDATE, Verb.DELETE, Verb.INSERT


@pytest.mark.parametrize(
    ("sql", "verbs"),
    [
        ("WITH g AS (DELETE FROM shop_order RETURNING *) SELECT 1", [DELETE]),
        ("WITH g AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM g", [DELETE, INSERT]),
        ("WITH g (x) AS MATERIALIZED (SELECT (1)), h AS (SELECT 2) UPDATE a SET b = 1", [UPDATE]),
        ("WITH g AS (SELECT 1) SELECT * FROM g", [Verb.HARMLESS]),
        ("WITH g AS (SELECT 1) SELECT tidy_up()", [Verb.UNKNOWN]),
        ("MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET c = 1", [UPDATE]),
        (
            (
                "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE"
                " WHEN NOT MATCHED THEN INSERT VALUES (1)"
            ),
            [DELETE, INSERT],
        ),
        ("SELECT id FROM shop_order FOR UPDATE", [Verb.LOCK_ROWS]),
        ("SELECT id FROM shop_order FOR NO KEY UPDATE SKIP LOCKED", [Verb.LOCK_ROWS]),
        ("SELECT setval('s', (SELECT max(id) FROM shop_order))", [Verb.HARMLESS]),
        ("SELECT setval('s', 1)", [Verb.UNKNOWN]),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ DELETE FROM a $$", [Verb.HARMLESS]),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$ $$", [Verb.UNKNOWN]),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", [Verb.UNKNOWN]),
        ("DROP EXTENSION citext", [Verb.UNKNOWN]),
        ("DROP TYPE a, b CASCADE", [Verb.DROP_ALL_OF, Verb.DROP_ALL_OF]),
        ("ALTER TYPE kind RENAME TO sort", [Verb.UNKNOWN]),
        ("ALTER TYPE kind ADD VALUE 'c'", [Verb.ADD_VALUE]),
    ],
)
def test_what_a_statement_does_is_seen_wherever_it_says_so(sql: str, verbs: list[Verb]) -> None:
    assert [action.verb for action in actions(sql)] == verbs


@pytest.mark.parametrize(
    ("where", "is_few"),
    [
        ("id = 3", True),
        ("id IN (1, 2)", True),
        ("id BETWEEN 1 AND 1000", True),
        ("id BETWEEN 1 AND 40000000", False),
        ("id < 1000", True),
        ("id <= 40000000", False),
        ("id IN (SELECT id FROM shop_order ORDER BY id LIMIT 1000)", True),
        ("id IN (SELECT id FROM shop_order LIMIT 40000000)", False),
        ("id IN (SELECT id FROM shop_order)", False),
        ("id = 3 OR total = 1", False),
    ],
)
def test_a_range_of_keys_is_as_wide_as_its_numbers_say(where: str, is_few: bool) -> None:
    (action,) = actions(f"UPDATE shop_order SET total = 1 WHERE {where}")
    assert action.by_key is is_few


def test_a_batch_that_with_takes_narrows_what_is_done_with_it() -> None:
    taken = "WITH few AS (SELECT id FROM a{}) UPDATE a SET b = 1 FROM few WHERE few.id = a.id"
    assert actions(taken.format(" LIMIT 100"))[0].narrowed
    assert not actions(taken.format(""))[0].narrowed


def test_a_table_that_moves_to_another_schema_is_renamed_for_all_who_look_for_it() -> None:
    (action,) = actions("ALTER TABLE shop_order SET SCHEMA archive")
    assert (action.verb, action.table, action.to) == (
        Verb.RENAME_TABLE,
        "shop_order",
        "archive.shop_order",
    )
