from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import Error as DatabaseError
from django.db import connections, transaction
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from bot import audit
from bot.models import AuditEntry, AuditHead
from bot.route.events import Rejected
from bot.route.people import SYSTEM, Actor, Origin
from bot.route.plan_json import isoformat
from tests.replay import made_once

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
SOMEBODY = Actor(origin=Origin.PAGE, account="7", name="Zoë ✓")
WRITERS, ENTRIES = 4, 25


@pytest.fixture
def state(target: str, scratch_url: str) -> Iterator[str]:
    """The bot's own tables, with their triggers, on a scratch database of each vendor."""
    given = {"state_database": target, "audit_triggers": True}
    with override_settings(MIGRATION_BOT=given):
        made_once("audit", target, scratch_url, lambda: migrate(target))
        yield target


def migrate(database: str) -> None:
    call_command("migrate", "migration_bot", database=database, verbosity=0)


def write(using: str, reason: str) -> AuditEntry:
    with transaction.atomic(using=using):
        return audit.append(Rejected(reason=reason), actor=SOMEBODY, now=NOW, run=3)


def test_an_entry_follows_the_one_before_it_and_the_chain_is_sound(state: str) -> None:
    first, second = write(state, "one"), write(state, "two")
    assert first.previous == audit.GENESIS
    assert (second.seq, second.previous) == (2, first.hash)
    result = audit.verify()
    assert result.sound
    assert (result.entries, result.hash) == (2, second.hash)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE migration_bot_auditentry SET event = 'x'",
        "DELETE FROM migration_bot_auditentry",
        "TRUNCATE TABLE migration_bot_auditentry",
    ],
)
def test_the_database_refuses_to_change_or_remove_an_entry(state: str, statement: str) -> None:
    vendor = connections[state].vendor
    if statement.startswith("TRUNCATE") and vendor != "postgresql":
        # SQLite has no TRUNCATE. MariaDB fires no trigger for it; the head still tells.
        if vendor == "sqlite":
            statement = "DELETE FROM migration_bot_auditentry WHERE seq = 1"
        else:
            write(state, "kept")
            with connections[state].cursor() as cursor:
                cursor.execute(statement)
            assert not audit.verify().sound
            return
    write(state, "kept")
    with (
        pytest.raises(DatabaseError, match="append only"),
        connections[state].cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEntry.objects.using(state).count() == 1


FORGED = (
    "INTO migration_bot_auditentry (seq, at, event, actor, run, data, previous, hash) "
    "SELECT {seq}, at, 'run.approved', actor, run, data, previous, {hash} "
    "FROM migration_bot_auditentry WHERE seq = 1"
)


@pytest.mark.parametrize(("seq", "digest"), [("1", "'other'"), ("7", "hash")])
def test_the_database_refuses_to_replace_an_entry(state: str, seq: str, digest: str) -> None:
    write(state, "kept")
    into = FORGED.format(seq=seq, hash=digest)
    statements = {
        "sqlite": [
            f"INSERT OR REPLACE {into}",
            f"REPLACE {into}",
            f"INSERT {into} AND true ON CONFLICT (seq) DO UPDATE SET event = 'x'",
        ],
        "mysql": [
            f"REPLACE {into}",
            f"INSERT {into} ON DUPLICATE KEY UPDATE event = 'run.approved'",
        ],
        "postgresql": [
            f"INSERT {into} ON CONFLICT ({name}) DO UPDATE SET event = 'x'"
            for name in ("seq" if seq == "1" else "hash",)
        ],
    }[connections[state].vendor]
    for statement in statements:
        with (
            pytest.raises(DatabaseError, match="append only"),
            connections[state].cursor() as cursor,
        ):
            cursor.execute(statement)
    assert list(AuditEntry.objects.using(state).values_list("seq", "event")) == [
        (1, "run.rejected")
    ]


def test_an_entry_before_the_first_is_refused_and_found_and_shown(state: str) -> None:
    from bot.operations import reading

    write(state, "kept")
    forged = "INSERT " + FORGED.format(seq="-1", hash="'" + "f" * 64 + "'")
    with pytest.raises(DatabaseError), connections[state].cursor() as cursor:
        cursor.execute(forged)
    with connections[state].cursor() as cursor:
        if connections[state].vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute(
                "ALTER TABLE migration_bot_auditentry DROP CONSTRAINT mbot_audit_seq_positive"
            )
        cursor.execute(forged)
    result = audit.verify()
    assert result.problems == ("Entry -1 was never written by the bot: the first is entry 1.",)
    stream = io.StringIO()
    assert audit.export(stream) == result.entries == 2
    assert [json.loads(line)["seq"] for line in stream.getvalue().splitlines()] == [-1, 1]
    assert [entry.seq for entry in reading.entries()] == [1, -1]


def test_an_export_holds_no_control_and_no_bidirectional_character(state: str) -> None:
    write(state, "\u202e\x1b[2Jü")
    stream = io.StringIO()
    audit.export(stream)
    assert stream.getvalue().rstrip("\n").isprintable()
    assert stream.getvalue().isascii()


def test_concurrent_writers_make_one_chain_without_a_fork(state: str) -> None:
    def writer(number: int) -> None:
        try:
            for index in range(ENTRIES):
                write(state, f"{number}/{index}")
        finally:
            connections[state].close()

    threads = [threading.Thread(target=writer, args=(n,)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = audit.verify()
    assert result.sound, result.problems
    assert result.entries == WRITERS * ENTRIES


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ('UPDATE migration_bot_auditentry SET data = \'{"reason":"b"}\' WHERE seq = 2', "changed"),
        ("UPDATE migration_bot_auditentry SET at = '2020-01-01T00:00:00.000000Z'", "changed"),
        ("UPDATE migration_bot_auditentry SET data = 'not json' WHERE seq = 2", "cannot be read"),
        ("DELETE FROM migration_bot_auditentry WHERE seq = 2", "Entry 2 is missing"),
        ("DELETE FROM migration_bot_auditentry WHERE seq = 3", "cut off"),
        ("DELETE FROM migration_bot_audithead", "head of the chain is missing"),
    ],
)
def test_whoever_gets_past_the_triggers_is_found(state: str, change: str, told: str) -> None:
    from bot.triggers import drop_triggers

    for reason in ("a", "b", "c"):
        write(state, reason + "!")
    drop_triggers(connections[state])
    with connections[state].cursor() as cursor:
        cursor.execute(change)
    result = audit.verify()
    assert not result.sound
    assert any(told in problem for problem in result.problems)


def test_a_chain_that_grows_while_it_is_walked_is_sound(state: str) -> None:
    """Somebody writes before the walk, in its midst, and after it."""
    for reason in ("a", "b"):
        write(state, reason)
    real_head, real_entries = audit._head, audit._entries

    def head_and_a_write() -> AuditHead | None:
        found = real_head()
        write(state, "between")
        return found

    def entries_and_a_write(since: int | None) -> Iterator[AuditEntry]:
        yield from list(real_entries(since))
        write(state, "after the walk")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "_head", head_and_a_write)
        patch.setattr(audit, "_entries", entries_and_a_write)
        found = audit.verify()
    assert found.problems == ()
    assert found.entries == 3, "two, and the one that came before the walk"
    assert audit.verify().entries == 5


def test_verifying_while_others_write_finds_nothing(state: str) -> None:
    with transaction.atomic(using=state):
        for number in range(300):
            audit.append(Rejected(reason=str(number)), actor=SOMEBODY, now=NOW)
    stop = threading.Event()

    def writer() -> None:
        try:
            while not stop.wait(0.002):
                write(state, "meanwhile")
        finally:
            connections[state].close()

    thread = threading.Thread(target=writer)
    thread.start()
    try:
        found = [audit.verify() for _ in range(10)]
    finally:
        stop.set()
        thread.join()
    assert [each.problems for each in found] == [()] * 10


def _forge(state: str) -> None:
    """Entries 3 and 4, well chained, that nobody locked the head for."""
    previous = AuditEntry.objects.using(state).order_by("seq").last()
    assert previous is not None
    hash_before = previous.hash
    for seq in (3, 4):
        fields: dict[str, Any] = {
            "seq": seq,
            "event": "run.approved",
            "run": 3,
            "previous": hash_before,
        }
        hash_before = audit.entry_hash(at=isoformat(NOW), actor={}, data={}, **fields)
        AuditEntry(at=NOW, actor="{}", data="{}", hash=hash_before, **fields).save(
            using=state, force_insert=True
        )


def _forge_and_move_the_head_once(state: str) -> None:
    _forge(state)
    third = AuditEntry.objects.using(state).get(seq=3)
    AuditHead.objects.using(state).update(seq=3, hash=third.hash)


def _cut_off(state: str) -> None:
    AuditEntry.objects.using(state).filter(seq=2).delete()


def _name_another_hash(state: str) -> None:
    AuditHead.objects.using(state).update(hash="f" * 64)


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (_forge, "entry 2 is the newest, but the chain ends at 4"),
        (_forge_and_move_the_head_once, "entry 3 is the newest, but the chain ends at 4"),
        (_cut_off, "entry 2 is the newest, but the chain ends at 1"),
        (_name_another_hash, "Entry 2 is not the one that the head names"),
    ],
)
def test_a_chain_that_does_not_end_at_its_head_is_found(
    state: str, tamper: Callable[[str], None], told: str
) -> None:
    from bot.triggers import drop_triggers

    for reason in ("a", "b"):
        write(state, reason)
    drop_triggers(connections[state])
    tamper(state)
    (problem,) = audit.verify().problems
    assert told in problem


def test_the_export_is_one_json_line_an_entry_and_can_be_checked_without_the_database(
    state: str,
) -> None:
    for reason in ("ünïcode <b> & \u202e", 'quotes " and \\'):
        write(state, reason)
    stream = io.StringIO()
    assert audit.export(stream) == 2
    previous = audit.GENESIS
    for line in stream.getvalue().splitlines():
        entry: dict[str, Any] = json.loads(line)
        assert entry.pop("hash") == (previous := audit.entry_hash(**entry))
        assert set(entry) == {"seq", "at", "event", "actor", "run", "data", "previous"}
    assert previous == AuditHead.objects.using(state).get().hash
    assert audit.export(io.StringIO(), since=1) == 1


@pytest.mark.django_db(transaction=True)
def test_an_entry_is_never_written_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="in the transaction of what it tells of"):
        audit.append(Rejected(reason="x"), actor=SYSTEM, now=NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_canonical_text_is_read_back_and_written_the_same(value: Any) -> None:
    text = audit.canonical(value)
    assert json.loads(text) == value
    assert audit.canonical(json.loads(text)) == text
    assert text.isascii()


def test_a_float_has_no_place_in_the_audit() -> None:
    with pytest.raises(TypeError, match="no canonical text"):
        audit.canonical({"a": [1.5]})
