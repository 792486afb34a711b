"""Many who come in at the same moment: three databases, real threads."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections
from django_tasks_db.compat import task_enqueued
from django_tasks_db.models import DBTaskResult

from bot.models import AuditEntry, Link, SeenRequest, SlackCall, SlackPerson, StoredPlan
from bot.route.text import storable
from bot.slack import entrance
from bot.slack.answers import answer
from bot.slack.calls import Call, How, from_command
from bot.slack.entrance import Fate, Replayed, Stamp
from tests.plain_site import plain_site
from tests.plans import NOW, an_account
from tests.slack.payloads import SETTINGS, TEAM


@pytest.fixture
def site(target: str, scratch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with plain_site(target, scratch_url, monkeypatch, **SETTINGS):
        yield target


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were let in at once; the first waits for the others to come."""
    sizes: list[int] = []
    waiting = entrance._entering

    def work(arrivals: Sequence[Any]) -> Any:
        sizes.append(len(arrivals))
        if len(sizes) == 1:
            for _ in range(500):
                if len(waiting._waiting) >= 7:
                    break
                threading.Event().wait(0.01)
        return entrance._let_in(arrivals)

    monkeypatch.setattr(waiting, "_work", work)
    monkeypatch.setattr("bot.together.PATIENCE", 20.0)
    return sizes


def person(user: str, *permissions: str, linked: bool = True, **known: Any) -> str:
    """A Slack person, tied to an account with these permissions."""
    key = f"{TEAM}:{user}"
    given = {"flags_at": NOW, "seen_at": NOW, **known}
    SlackPerson.objects.using("target").create(
        key=key, team=TEAM, slack_user=user, name=user, **given
    )
    if linked:
        account = an_account(user, *permissions)
        Link.objects.using("target").create(
            team=TEAM,
            slack_user=user,
            account=str(account.pk),
            account_name=user,
            linked_at=NOW,
            live_key=key,
        )
    return user


def typed(user: str, text: str = 'apply shop --reason "new totals"') -> Call:
    return Call(how=How.COMMAND, team=TEAM, user=user, text=text)


def come(call: Call, stamp: Stamp) -> str:
    """What this one is told."""
    try:
        message = answer(call, stamp, now=NOW).message
        return message.text if message is not None else ""
    except Replayed:
        return "replayed"
    finally:
        connections["target"].close()


def come_at_once(*calls: tuple[Call, Stamp]) -> list[str]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda given: come(*given), calls))


def stamped(*users: str) -> list[tuple[Call, Stamp]]:
    return [(typed(user), Stamp(signature=f"v0={user}", at=NOW)) for user in users]


def kept() -> int:
    return StoredPlan.objects.using("target").count()


@pytest.mark.usefixtures("site")
def test_each_is_let_in_or_told_why_not_and_every_signature_is_remembered(
    batches: list[int],
) -> None:
    may = [person(f"U0MAY{number}", "request_run") for number in range(4)]
    calls = stamped(
        *may,
        person("U0READER"),
        person("U0UNTIED", linked=False),
        person("U0GUEST", barred="it is a guest"),
        person("U0OLD", flags_at=NOW - timedelta(minutes=6)),
    )
    told = come_at_once(*calls)
    assert batches == [1, 7]
    assert [text.startswith("Asked for a run of shop") for text in told] == [True] * 4 + [False] * 4
    for text, words in zip(
        told[4:],
        ("migration_bot.request_run", "not tied to a staff", "it is a guest", "asking Slack who"),
        strict=True,
    ):
        assert words in text
    plans = StoredPlan.objects.using("target")
    assert {(plan.actor["slack_user"], plan.reason) for plan in plans.all()} == {
        (user, "new totals") for user in may
    }
    wakes = DBTaskResult.objects.using("target").filter(task_path__endswith="make_plan")
    assert wakes.count() == 4
    assert SeenRequest.objects.using("target").count() == 8
    assert {stamp.fate for _, stamp in calls} == {Fate.TAKEN}
    denied = AuditEntry.objects.using("target").filter(event__endswith=".refused")
    assert sorted(denied.values_list("event", flat=True)) == [
        "run.request.refused",
        "slack.apply.refused",
        "slack.apply.refused",
    ]


@pytest.mark.usefixtures("site")
def test_a_request_that_comes_twice_at_the_same_moment_does_its_work_once_and_stops_nobody(
    batches: list[int],
) -> None:
    for user in ("U0ADA", *(f"U0MAY{number}" for number in range(4))):
        person(user, "request_run")
    others = stamped(*(f"U0MAY{number}" for number in range(4)))
    twice = [(typed("U0ADA"), Stamp(signature="v0=twice", at=NOW)) for _ in range(4)]
    told = come_at_once(*others, *twice)
    assert batches[:2] == [1, 7]
    assert all(text.startswith("Asked for a run of shop") for text in told[:4])
    assert sorted(text == "replayed" for text in told[4:]) == [False, True, True, True]
    assert sorted(stamp.fate.name for _, stamp in twice) == ["REPLAYED"] * 3 + ["TAKEN"]
    assert kept() == 5
    assert SeenRequest.objects.using("target").count() == 5


def test_when_the_wish_cannot_be_kept_its_signature_is_not_so_it_can_be_sent_again(
    site: str,
) -> None:
    person("U0ADA", "request_run")
    ((call, stamp),) = stamped("U0ADA")
    table, aside = StoredPlan._meta.db_table, "set_aside"
    rename(site, table, aside)
    assert "migration_bot setup" in come(call, stamp)
    assert (stamp.fate, SeenRequest.objects.using(site).count()) == (Fate.OPEN, 0)
    rename(site, aside, table)
    assert come(call, stamp).startswith("Asked for a run of shop")
    assert (stamp.fate, SeenRequest.objects.using(site).count(), kept()) == (Fate.TAKEN, 1, 1)
    assert come(call, Stamp(signature=stamp.signature, at=NOW)) == "replayed"
    assert kept() == 1


def rename(database: str, table: str, to: str) -> None:
    with connections[database].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {to}")


@pytest.mark.usefixtures("site")
def test_a_replayed_command_of_any_kind_does_nothing() -> None:
    person("U0ADA", "request_run")
    texts = ("plan shop", "rehearse shop", "status", "help", "link", "unlink", "apply shop")
    for number, text in enumerate(texts):
        stamp = Stamp(signature=f"v0={number}", at=NOW)
        entrance.remember(stamp)
        entries = AuditEntry.objects.using("target").count()
        again = Stamp(signature=stamp.signature, at=NOW)
        assert come(typed("U0ADA", text), again) == "replayed", text
        assert again.fate is Fate.REPLAYED
        assert (kept(), AuditEntry.objects.using("target").count()) == (0, entries)
    assert Link.objects.using("target").filter(live_key__isnull=False).count() == 1


@pytest.mark.usefixtures("site")
def test_a_receiver_of_the_projects_that_raises_does_not_make_a_kept_wish_look_undone(
    batches: list[int],
) -> None:
    calls = stamped(*(person(f"U0MAY{number}", "request_run") for number in range(8)))
    task_enqueued.connect(raising)
    try:
        told = come_at_once(*calls)
    finally:
        task_enqueued.disconnect(raising)
    assert batches == [1, 7], "nobody was let in a second time"
    assert all(text.startswith("Asked for a run of shop") for text in told)
    assert {stamp.fate for _, stamp in calls} == {Fate.TAKEN}
    assert kept() == 8


def raising(sender: Any, task_result: Any, **_: Any) -> None:
    raise RuntimeError("a receiver that was never tried")


@pytest.mark.usefixtures("site")
def test_whatever_the_engines_table_has_against_a_wake_the_wish_is_kept_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unfit(task: Any, calls: Any, *, using: str) -> Any:
        without: Any = None
        return [DBTaskResult(id=uuid.uuid4(), args_kwargs={}, task_path=without) for _ in calls]

    monkeypatch.setattr("bot.tasks.as_rows", unfit)
    person("U0ADA", "request_run")
    ((call, stamp),) = stamped("U0ADA")
    assert come(call, stamp).startswith("Asked for a run of shop")
    assert come(call, Stamp(signature=stamp.signature, at=NOW)) == "replayed"
    (plan,) = StoredPlan.objects.using("target")
    (woken,) = DBTaskResult.objects.using("target").filter(task_path__endswith="make_plan")
    assert woken.args_kwargs["args"] == [str(plan.pk)]


def test_a_wish_that_is_kept_is_not_told_as_broken_because_its_senders_visit_is_not_noted(
    site: str,
) -> None:
    def no_visits(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE"):
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    person("U0ADA", "request_run", seen_at=None)
    ((call, stamp),) = stamped("U0ADA")
    with connections[site].execute_wrapper(no_visits):
        assert come(call, stamp).startswith("Asked for a run of shop")
    assert (stamp.fate, kept()) == (Fate.TAKEN, 1)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("text", ["100 %", "%s %(x)s", "a; b", "it's \\ $$", "a\0b", "é\ud800😀"])
def test_what_no_database_could_hold_or_would_read_otherwise_is_kept_as_text(text: str) -> None:
    person("U0ADA", "request_run")
    typed_here = {"team_id": TEAM, "user_id": "U0ADA", "response_url": f"https://slack.test/{text}"}
    call = from_command({**typed_here, "text": f'apply shop --reason "{text}"'})
    assert come(call, Stamp(signature="v0=1", at=NOW)).startswith("Asked for a run of shop")
    (plan,) = StoredPlan.objects.using("target")
    assert plan.reason == storable(text)
    assert plan.reply_to == f"https://slack.test/{storable(text)}"
    SlackPerson.objects.using("target").update(flags_at=NOW - timedelta(minutes=6))
    assert "asking Slack who" in come(call, Stamp(signature="v0=2", at=NOW))
    (later,) = SlackCall.objects.using("target")
    assert later.call["text"] == call.text


@pytest.mark.usefixtures("site")
def test_nobody_waits_for_the_engine_that_is_told_of_another_ones_wish(
    batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    helped = threading.Event()
    told_in_time: dict[str, bool] = {}

    def slow_engine(task: str, keys: Sequence[str]) -> None:
        for key in keys:
            told_in_time[key] = helped.wait(5)

    calls = stamped(*(person(f"U0MAY{number}", "request_run") for number in range(7)))
    monkeypatch.setattr("bot.waking._wakers", [slow_engine])
    asks_for_help = (typed(person("U0HELP"), "help"), Stamp(signature="v0=help", at=NOW))

    def come_and_tell(given: tuple[Call, Stamp]) -> str:
        told = come(*given)
        if given is asks_for_help:
            helped.set()
        return told

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(come_and_tell, [*calls, asks_for_help]))
    assert batches == [1, 7]
    assert all(text.startswith("Asked for a run of shop") for text in told[:7])
    plans = StoredPlan.objects.using("target")
    assert told_in_time == {str(plan.pk): True for plan in plans.all()}
    assert len(told_in_time) == 7


# No other driver has the choice.
@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
@pytest.mark.parametrize("option", ["server_side_binding", "cursor_factory"])
def test_where_the_server_fills_parameters_in_each_statement_goes_alone(
    site: str, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    connection = connections[site]
    from django.db.backends.postgresql.base import ServerBindingCursor

    person("U0ADA", "request_run")
    ((call, stamp),) = stamped("U0ADA")
    connection.close()
    chosen = {"server_side_binding": True, "cursor_factory": ServerBindingCursor}[option]
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], option, chosen)
    binds = option == "server_side_binding"
    monkeypatch.setattr(connection.features, "uses_server_side_binding", binds)
    assert come(call, stamp).startswith("Asked for a run of shop")
    assert come(call, Stamp(signature=stamp.signature, at=NOW)) == "replayed"
    assert kept() == 1
