"""request, approve, reject, cancel, history, show, status: each by its words and its exit code."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError

from bot import operations
from bot.management import following
from bot.management.desk import Desk
from bot.models import AuditEntry, Run
from bot.moment import utc_now
from bot.operations import reading, running
from bot.route.data_checks import Answer, Checked, DataCheck
from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Direction, Plan, Target
from tests.management.conftest import Bot
from tests.plans import NOW, a_plan, a_step, acting, an_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(bot: Bot, plans: list[Plan], robin: Any, os_login: Any) -> int:
    """A run that robin requested from their own login; the next commands come from ada's."""
    os_login("robin@desk")
    number = bot("request", "--as", "robin", "--reason", "totals", "--json").document["id"]
    os_login("ada@desk")
    return int(number)


def test_a_request_is_planned_here_and_says_what_comes_next(
    bot: Bot, plans: list[Plan], robin: Any
) -> None:
    said = bot("request", "shop", "--as", "robin", "--reason", "new totals")
    assert said.code == 0
    run = Run.objects.get()
    assert f"run {run.pk}: requested" in said.out
    assert "Now somebody else has to approve it, before " in said.out
    assert run.fingerprint == plans[0].fingerprint
    assert run.origin == "command_line"
    assert "@" in run.requester_actor["os_user"]


def test_a_time_is_kept_with_the_request(bot: Bot, plans: list[Plan], robin: Any) -> None:
    tomorrow = utc_now().replace(microsecond=0) + timedelta(days=1)
    words = tomorrow.isoformat().replace("+00:00", "Z")
    said = bot("request", "--as", "robin", "--reason", "x", "--at", words, "--json")
    assert said.code == 0
    assert Run.objects.get().run_after == tomorrow


def test_a_request_as_json_is_the_run(asked: int, bot: Bot) -> None:
    document = bot("show", str(asked), "--json").document
    run = reading.find_run(asked)
    assert document == reading.run_in_full_as_json(run)
    assert document.items() >= reading.run_as_json(run).items()
    assert [finding["code"] for finding in document["findings"]] == ["test"]
    assert document["rehearsal"]["state"] == "none"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--as", "nobody"), "account_gone"),
        (("--as", "kim"), "not_staff"),
        (("--as", "sam"), "not_permitted"),
        (("--as", "robin", "--at", "soon"), "time_not_understood"),
        (("--as", "robin", "--at", "2020-01-01T00:00Z"), "time_not_understood"),
        (("--as", "robin", "--database", "nope"), "unknown_database"),
        (("--as", "robin", "--reason", " "), "reason_needed"),
    ],
)
def test_a_request_is_refused_before_anything_is_planned(
    bot: Bot,
    robin: Any,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    error: str,
) -> None:
    an_account("kim", "request_run", staff=False)
    an_account("sam")
    monkeypatch.delattr("bot.management.planning.make_plan")
    said = bot("request", "--reason", "totals", *words, "--json")
    assert (said.code, said.document["error"]) == (1, error)
    assert not Run.objects.exists()


def test_a_refused_account_is_in_the_audit_with_the_login(bot: Bot, os_login: Any) -> None:
    os_login("mallory@desk")
    bot("request", "--as", "nobody", "--reason", "x")
    entry = AuditEntry.objects.get()
    assert entry.event == "run.request.refused"
    assert "mallory@desk" in entry.actor


def test_somebody_else_approves(asked: int, bot: Bot, ada: Any) -> None:
    said = bot("approve", str(asked), "--as", "ada")
    assert (said.code, said.out) == (0, f"Run {asked} is queued.\n")


def test_approving_says_how_many_are_missing(
    bot: Bot, plans: list[Plan], robin: Any, ada: Any, os_login: Any
) -> None:
    plans[0] = a_plan(a_step(risk=Risk.DANGEROUS))
    os_login("robin@desk")
    number = bot("request", "--as", "robin", "--reason", "x", "--json").document["id"]
    os_login("ada@desk")
    assert bot("approve", str(number), "--as", "ada").out == (
        f"Run {number} is requested. It needs 1 more.\n"
    )


def test_a_second_account_from_the_requesters_login_cannot_approve(
    asked: int, bot: Bot, ada: Any, os_login: Any
) -> None:
    os_login("robin@desk")
    said = bot("approve", str(asked), "--as", "ada", "--json")
    assert said.code == 1
    assert said.document["error"] == "same_login"
    assert "robin@desk" in said.document["message"]


def test_rejecting_and_cancelling(asked: int, bot: Bot, ada: Any) -> None:
    assert bot("reject", str(asked), "--as", "ada", "--reason", "not today").code == 0
    said = bot("cancel", str(asked), "--as", "ada")
    assert said.code == 1
    assert said.err == (
        f"Run {asked} was rejected, so it cannot be cancelled any more. Nothing was changed.\n"
    )


@pytest.mark.parametrize("word", ["approve", "cancel"])
def test_a_run_that_is_not_there(bot: Bot, ada: Any, word: str) -> None:
    said = bot(word, "77", "--as", "ada", "--json")
    assert (said.code, said.document["error"]) == (1, "run_not_found")


def test_history_filters(asked: int, bot: Bot) -> None:
    assert f"run {asked}: requested" in bot("history").out
    for words in (("--state", "failed"), ("--app", "other"), ("--database", "other")):
        assert bot("history", *words).out == "No runs like that.\n"
    for words in (("--state", "requested"), ("--app", "shop"), ("--database", "default")):
        assert [run["id"] for run in bot("history", *words, "--json").document["runs"]] == [asked]


def test_history_names_who_approved(asked: int, bot: Bot, ada: Any) -> None:
    operations.approve(asked, actor=acting(ada), now=utc_now())
    assert ", robin, approved by ada: totals" in bot("history").out


def failed(number: int, ada: Any) -> None:
    operations.approve(number, actor=acting(ada), now=utc_now())
    found = running.claim(number, worker="w", now=utc_now())
    assert found
    hold, run = found
    running.start(hold, run.stored_plan.plan.basis, now=utc_now())
    running.step_starting(hold, "shop", "0002_more", now=utc_now())
    running.fail(
        hold,
        error="column exists\x1b[2J",
        step="shop.0002_more",
        statement="ALTER TABLE x",
        traceback="Traceback: deep",
        done=[],
        now=utc_now(),
    )


def test_show_tells_what_went_wrong_and_the_traceback_when_asked(
    asked: int, bot: Bot, ada: Any
) -> None:
    failed(asked, ada)
    plain = bot("show", str(asked)).out
    assert "Error in shop.0002_more\n    column exists\\x1b[2J" in plain
    assert "ALTER TABLE x" in plain
    assert "Traceback: deep" not in plain
    assert "Traceback: deep" in bot("show", str(asked), "--traceback").out
    assert "traceback" not in bot("show", str(asked), "--json").document
    assert bot("show", str(asked), "--json", "--traceback").document["traceback"]


def test_show_has_the_plan_when_asked(asked: int, bot: Bot, plans: list[Plan]) -> None:
    assert "ALTER TABLE" in bot("show", str(asked), "--sql").out
    document = bot("show", str(asked), "--sql", "--json").document
    assert Plan.from_json(document["plan"]) == plans[0]


# --wait


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What happens while ``--wait`` sleeps: functions of the run's number, one a look."""
    happening: list[Any] = []
    ticks = iter(range(0, 1000, 10))

    def sleep(seconds: float) -> None:
        if happening:
            happening.pop(0)(Run.objects.latest("pk").pk)

    # The clock runs out rather than let a test wait for ever.
    desk = partial(Desk, sleep=sleep, clock=lambda: next(ticks))
    monkeypatch.setattr("bot.management.commands.migration_bot.Desk", desk)
    return happening


def wait(bot: Bot, *words: str) -> Any:
    return bot("request", "--as", "robin", "--reason", "x", "--wait", *words)


def test_waiting_follows_the_run_to_its_end(
    bot: Bot, plans: list[Plan], robin: Any, ada: Any, waiting: list[Any]
) -> None:
    holds = []

    def approve(number: int) -> None:
        operations.approve(number, actor=acting(ada), now=utc_now())

    def start(number: int) -> None:
        found = running.claim(number, worker="w", now=utc_now())
        assert found
        holds.append(found[0])
        running.start(found[0], found[1].stored_plan.plan.basis, now=utc_now())
        running.step_starting(found[0], "shop", "0002_more", now=utc_now())
        running.waiting(found[0], ["pid 7, psql for 1 s"], now=utc_now())

    def succeed(number: int) -> None:
        running.step_done(holds[0], "shop", "0002_more", milliseconds=1200, now=utc_now())
        running.succeed(holds[0], ["shop.0002_more"], now=utc_now())

    def wait_longer(number: int) -> None:
        running.waiting(holds[0], ["pid 7, psql for 2 s"], now=utc_now())

    waiting += [approve, start, wait_longer, succeed]
    said = wait(bot)
    assert said.code == 0
    for words in (
        "is requested, and waits for 1 more to approve.",
        "approved by ada",
        "is queued",
        "No worker has been seen lately",
        "Step 1 of 1: shop.0002_more",
        "Waiting: pid 7, psql for 1 s",
        "has succeeded",
    ):
        assert words in said.err
    assert said.err.count("Waiting: ") == 1
    assert "1. run shop.0002_more: applied (1.2 s)" in said.out


def end(how: str, ada: Any) -> Any:
    def happen(number: int) -> None:
        if how == "failed":
            failed(number, ada)
        elif how == "rejected":
            operations.reject(number, actor=acting(ada), reason="no", now=utc_now())
        elif how == "cancelled":
            operations.cancel(number, actor=acting(ada), now=utc_now())
        elif how == "expired":
            Run.objects.filter(pk=number).update(expires_at=NOW)
        else:
            Run.objects.filter(pk=number).update(state=how)

    return happen


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("failed", 5),
        ("needs_attention", 5),
        ("rejected", 4),
        ("cancelled", 4),
        ("expired", 4),
        ("stale", 4),
    ],
)
def test_waiting_ends_with_how_the_run_ended(
    *, bot: Bot, plans: list[Plan], robin: Any, ada: Any, waiting: list[Any], how: str, code: int
) -> None:
    waiting.append(end(how, ada))
    said = wait(bot, "--json")
    assert said.code == code
    assert said.document["state"] == how


def test_waiting_stops_at_its_timeout_and_leaves_the_run_alone(
    bot: Bot, plans: list[Plan], robin: Any, waiting: list[Any]
) -> None:
    said = wait(bot, "--timeout", "30", "--json")
    assert said.code == 7
    assert said.document["state"] == "requested"
    assert "left alone and goes on" in said.err


def test_the_keyboard_stops_the_watching_and_not_the_run(
    bot: Bot, plans: list[Plan], robin: Any, waiting: list[Any]
) -> None:
    def interrupt(number: int) -> None:
        raise KeyboardInterrupt

    waiting.append(interrupt)
    said = wait(bot)
    assert said.code == 130
    assert "is left alone and goes on" in said.err
    assert Run.objects.get().state == "requested"


def test_waiting_outlives_a_state_database_that_is_gone_for_a_while(
    *,
    bot: Bot,
    plans: list[Plan],
    robin: Any,
    ada: Any,
    waiting: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = reading.find_run
    broken = iter([True])

    def find_run(number: int) -> Run:
        if next(broken, False):
            raise OperationalError("server closed the connection")
        return real(number)

    class Closed:
        def close(self) -> None: ...

    monkeypatch.setattr(reading, "find_run", find_run)
    monkeypatch.setattr(following, "connections", {"default": Closed()})
    waiting += [lambda number: None, end("rejected", ada)]
    said = wait(bot)
    assert said.code == 4
    assert said.err.count("The state database does not answer; trying on.") == 1


# status


@pytest.fixture
def pending(monkeypatch: pytest.MonkeyPatch) -> Any:
    def give(answer: Any) -> None:
        def count(database: str) -> int:
            if isinstance(answer, Exception):
                raise answer
            return int(answer)

        monkeypatch.setattr("bot.management.status.count_pending", count)

    return give


def test_status_counts_what_is_pending_and_shows_what_is_open(
    asked: int, bot: Bot, pending: Any
) -> None:
    pending(3)
    said = bot("status")
    assert said.code == 0
    assert "default: 3 migrations pending" in said.out
    assert f"run {asked}: requested" in said.out
    assert "no worker; nothing will run" in said.out
    assert "audit at entry 1, hash " in said.out
    document = bot("status", "--json").document
    assert document["databases"] == [{"database": "default", "pending": 3, "error": ""}]
    assert document["workers"]["alive"] is False
    assert document["audit"]["seq"] == 1
    assert [run["id"] for run in document["runs"]] == [asked]


def test_status_says_pending_by_its_exit_code_when_asked(bot: Bot, pending: Any) -> None:
    pending(3)
    assert bot("status", "--exit-code").code == 6
    pending(0)
    assert bot("status", "--exit-code").code == 0


def test_status_is_no_success_when_a_database_cannot_be_read(bot: Bot, pending: Any) -> None:
    from bot.route.refusals import DatabaseDown

    pending(DatabaseDown(database="default", detail="refused"))
    said = bot("status", "--exit-code")
    assert said.code == 1
    assert "The database default does not answer: refused." in said.out


def test_status_tells_freezes_and_workers(bot: Bot, pending: Any) -> None:
    from bot.models import Freeze, Worker
    from bot.moment import utc_now

    pending(0)
    now = utc_now()
    Freeze.objects.create(owner="1", owner_name="grace", reason="sale\x1b", since=now)
    Worker.objects.create(name="h:1:worker", kind="worker", started_at=now, beat_at=now)
    said = bot("status")
    assert "every database, by grace since" in said.out
    assert "sale\\x1b" in said.out
    assert "1 worker, newest sign of life 0 s ago" in said.out


BROKEN = Finding(
    code="data_breaks_rule",
    level=Risk.CAUTION,
    because="12 rows of shop_order have NULL in total: SET NOT NULL would fail.",
    evidence=Evidence.MEASURED,
)


def test_what_forbids_a_run_is_told_and_overridden_with_permission_and_reason(
    bot: Bot, plans: list[Plan], robin: Any, ada: Any, os_login: Any
) -> None:
    plans[0] = a_plan(a_step(findings=(BROKEN,)))
    an_account("kay", "approve_run", "override_findings")
    assert "forbidden by data_breaks_rule, unless an approver overrides it" in bot("plan").out
    os_login("robin@desk")
    said = bot("request", "--as", "robin", "--reason", "x")
    assert "Forbidden by data_breaks_rule: 12 rows of shop_order" in " ".join(said.out.split())
    number = str(Run.objects.get().pk)
    assert "--override" in bot("show", number).out
    os_login("kay@desk")
    why = ("--reason", "they are test rows")
    refused = [
        (("--as", "kay"), "finding_forbids"),
        (("--as", "kay", "--override"), "reason_needed"),
        (("--as", "ada", "--override", *why), "not_permitted"),
    ]
    for words, code in refused:
        said = bot("approve", number, *words, "--json")
        assert (said.code, said.document["error"]) == (1, code)
    said = bot("approve", number, "--as", "kay", "--override", *why)
    assert (said.code, said.out) == (0, f"Run {number} is queued.\n")
    shown = " ".join(bot("show", number).out.split())
    assert "approved by kay in spite of data_breaks_rule" in shown
    assert "Forbidden" not in shown


def test_what_holds_on_todays_data_is_shown_with_a_plan(bot: Bot, plans: list[Plan]) -> None:
    check = DataCheck(
        code="data_breaks_rule", step="shop.a", operation=0, table="t", words="t.x has no NULL"
    )
    plans[0] = a_plan(checks=(Checked(check=check, answer=Answer.HOLDS),))
    assert "Checked on today's data: t.x has no NULL." in bot("plan").out
    (one,) = bot("plan", "--json").document["checks"]
    assert (one["answer"], one["check"]["words"]) == ("holds", "t.x has no NULL")


def test_an_undo_is_listed_and_shown_as_one(bot: Bot, plans: list[Plan], robin: Any) -> None:
    back = a_plan(a_step(direction=Direction.BACKWARD))
    plans[0] = replace(back, target=Target(app="shop", name="zero"))
    said = bot("request", "shop", "zero", "--as", "robin", "--reason", "go back")
    words = "undo 1 step, back to before the first migration of shop on default"
    assert words in said.out
    assert words in bot("history").out
    number = str(Run.objects.get().pk)
    assert words.replace("on default", "on database default") in bot("show", number).out
