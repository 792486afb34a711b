"""The outbox under faults: nothing lost, order kept, doubled only where nobody could know."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import operations, outbox
from bot.models import Delivery, Run, SlackChannel
from bot.operations import running
from bot.route.findings import Risk
from bot.slack import sending
from tests.plans import NOW, a_plan, a_step, acting, an_account
from tests.slack.faulty import API, FakeSlack, body_of, drain
from tests.slack.payloads import CHANNEL

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("slack_settings")]

FAULTS = ("429", "500 not taken", "500 taken", "cut not taken", "cut taken", "ok")


def asked() -> Run:
    robin = an_account("robin", "request_run")
    plan = a_plan(a_step(risk=Risk.SAFE, findings=()), a_step(name="0003_b", findings=()))
    stored = operations.keep_plan(actor=acting(robin), plan=plan, now=NOW)
    return operations.request(stored.pk, actor=acting(robin), reason="totals", now=NOW)


def audits(count: int) -> list[str]:
    """Keys of ``count`` posts that must come out in this order."""
    keys = [f"audit-like:{number}" for number in range(count)]
    for number, key in enumerate(keys):
        Delivery.objects.create(
            key=key,
            kind="audit",
            channel=CHANNEL,
            payload={"seq": number + 1},
            due_at=NOW,
            created_at=NOW,
        )
    return keys


@pytest.fixture
def many_entries() -> None:
    from bot import audit
    from bot.route.events import Rejected
    from bot.route.people import SYSTEM

    with transaction.atomic():
        for number in range(12):
            audit.append(Rejected(reason=f"reason {number}"), actor=SYSTEM, now=NOW)


@responses.activate
@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_or_doubled_and_the_order_is_kept(many_entries: None, seed: int) -> None:
    slack = FakeSlack()
    keys = audits(12)
    slack.faults = random.Random(seed).choices(FAULTS, weights=(1, 1, 1, 1, 1, 5), k=60)
    drain()
    assert slack.sent() == keys
    assert not Delivery.objects.exclude(state=Delivery.SENT).exists()


@responses.activate
@pytest.mark.parametrize("seed", range(4))
def test_where_slack_gives_no_way_to_know_it_is_at_least_once(
    many_entries: None, seed: int
) -> None:
    slack = FakeSlack(searchable=False)
    keys = audits(12)
    slack.faults = random.Random(seed).choices(FAULTS, weights=(1, 1, 1, 1, 1, 5), k=60)
    drain()
    taken_in_the_dark = {key for key in slack.sent() if slack.sent().count(key) > 1}
    assert list(dict.fromkeys(slack.sent())) == keys
    assert taken_in_the_dark <= set(keys)
    assert not Delivery.objects.exclude(state=Delivery.SENT).exists()


@responses.activate
def test_without_faults_nothing_is_searched_and_each_is_posted_once(many_entries: None) -> None:
    slack = FakeSlack()
    audits(12)
    drain()
    assert slack.calls == {"chat.postMessage": 12}


@responses.activate
def test_a_sender_that_died_after_sending_does_not_send_again(many_entries: None) -> None:
    slack = FakeSlack()
    keys = audits(2)
    slack.faults = ["cut taken"]
    sending.deliver(CHANNEL, clock=lambda: NOW)
    assert slack.sent() == keys[:1]
    first = Delivery.objects.get(key=keys[0])
    assert first.suspect
    drain(NOW + timedelta(minutes=1))
    assert slack.sent() == keys


@responses.activate
def test_one_message_a_run_is_edited_in_place_and_edits_are_coalesced() -> None:
    slack = FakeSlack()
    run = asked()
    drain()
    operations.approve(run.pk, actor=acting(an_account("ada", "approve_run")), now=NOW)
    hold, _ = running.claim(run.pk, worker="w", now=NOW)  # type: ignore[misc]
    running.start(hold, run.stored_plan.plan.basis, now=NOW)
    for name in ("0002_more", "0003_b"):
        running.step_starting(hold, "shop", name, now=NOW)
        running.step_done(hold, "shop", name, milliseconds=5, now=NOW)
    before = slack.calls["chat.update"]
    drain()
    assert slack.calls["chat.update"] == before + 1, "five changes are one edit"
    run_messages = [m for m in slack.messages.values() if m["key"] == f"run:{run.pk}"]
    assert len(run_messages) == 1
    assert "2 of 2" in run_messages[0]["text"]


@responses.activate
def test_edits_come_at_most_every_three_seconds() -> None:
    slack = FakeSlack()
    run = asked()
    drain()
    operations.approve(run.pk, actor=acting(an_account("ada", "approve_run")), now=NOW)
    sending.deliver(CHANNEL, clock=lambda: NOW + timedelta(seconds=1))
    assert slack.calls["chat.update"] == 0
    sending.deliver(CHANNEL, clock=lambda: NOW + timedelta(seconds=3))
    assert slack.calls["chat.update"] == 1


@responses.activate
def test_an_edit_that_waits_holds_up_nobody() -> None:
    slack = FakeSlack()
    run = asked()
    drain()
    operations.approve(run.pk, actor=acting(an_account("ada", "approve_run")), now=NOW)
    sending.deliver(CHANNEL, clock=lambda: NOW + timedelta(seconds=1))
    assert any(key.startswith("audit:") for key in slack.sent())


@responses.activate
def test_a_file_that_waits_holds_up_nobody() -> None:
    slack = FakeSlack()
    run = asked()
    Delivery.objects.filter(key=f"run_sql:{run.pk}").update(due_at=NOW + timedelta(hours=1))
    sending.deliver(CHANNEL, clock=lambda: NOW)
    assert any(key.startswith("audit:") for key in slack.sent())


@responses.activate
def test_what_is_withdrawn_while_it_is_about_to_be_sent_is_not_sent() -> None:
    slack = FakeSlack()
    asked()
    delivery = Delivery.objects.get(kind="run")
    Delivery.objects.all().delete()
    assert sending._send(delivery, lambda: NOW) == 0
    assert slack.sent() == []


@responses.activate
def test_a_deleted_message_is_posted_anew() -> None:
    slack = FakeSlack()
    run = asked()
    drain()
    responses.replace("POST", f"{API}chat.update", json={"ok": False, "error": "message_not_found"})
    operations.approve(run.pk, actor=acting(an_account("ada", "approve_run")), now=NOW)
    drain(NOW + timedelta(seconds=5))
    assert slack.sent().count(f"run:{run.pk}") == 2
    newest = Delivery.objects.get(key=f"run:{run.pk}")
    assert newest.ts == max(ts for ts in slack.order if slack.messages[ts]["key"] == newest.key)


@responses.activate
@pytest.mark.parametrize("error", ["channel_not_found", "is_archived", "token_revoked"])
def test_a_dead_channel_is_told_loses_nothing_and_stops_nothing_else(
    many_entries: None, error: str
) -> None:
    slack = FakeSlack()
    keys = audits(3)
    other = "C0OTHER"
    Delivery.objects.create(
        key="other", kind="audit", channel=other, payload={"seq": 1}, due_at=NOW, created_at=NOW
    )
    slack.error = error
    sending.deliver(CHANNEL, clock=lambda: NOW)
    assert error in SlackChannel.objects.get(pk=CHANNEL).broken_because
    slack.error = ""
    sending.deliver(other, clock=lambda: NOW)
    assert slack.sent() == ["other"]
    assert sending.deliver(CHANNEL, clock=lambda: NOW + timedelta(seconds=30)) == 0
    drain(NOW + timedelta(seconds=61))
    assert slack.sent() == ["other", *keys]
    assert SlackChannel.objects.get(pk=CHANNEL).broken_because == ""


@responses.activate
def test_invalid_blocks_fall_back_to_plain_text_and_are_reported(many_entries: None) -> None:
    posts: list[dict[str, Any]] = []

    def post(request: Any) -> tuple[int, dict[str, str], str]:
        posts.append(body_of(request))
        if len(posts) == 1:
            return 200, {}, json.dumps({"ok": False, "error": "invalid_blocks"})
        return 200, {}, json.dumps({"ok": True, "ts": "1.0"})

    responses.add_callback("POST", f"{API}chat.postMessage", callback=post)
    audits(1)
    drain()
    delivery = Delivery.objects.get()
    assert delivery.state == Delivery.SENT
    assert "invalid_blocks" in delivery.error
    assert posts[0]["text"]
    assert posts[1]["blocks"] != posts[0]["blocks"]


@responses.activate
def test_when_even_the_plain_blocks_are_refused_the_text_alone_is_sent(many_entries: None) -> None:
    posts: list[dict[str, Any]] = []

    def post(request: Any) -> tuple[int, dict[str, str], str]:
        posts.append(body_of(request))
        if posts[-1].get("blocks"):
            return 200, {}, json.dumps({"ok": False, "error": "invalid_blocks"})
        return 200, {}, json.dumps({"ok": True, "ts": "1.0"})

    responses.add_callback("POST", f"{API}chat.postMessage", callback=post)
    audits(1)
    drain()
    delivery = Delivery.objects.get()
    assert (delivery.state, len(posts)) == (Delivery.SENT, 3)
    assert "invalid_blocks" in delivery.error
    assert posts[2]["text"] == posts[0]["text"]


@responses.activate
def test_what_slack_refuses_for_good_does_not_hold_up_the_rest_and_an_entry_is_never_given_up(
    many_entries: None,
) -> None:
    slack = FakeSlack()
    slack.error = "some_new_error"
    keys = audits(1)
    drain(minutes=3)
    assert Delivery.objects.get(key=keys[0]).state == Delivery.PENDING
    slack.error = ""
    Delivery.objects.create(
        key="next", kind="audit", channel=CHANNEL, payload={"seq": 2}, due_at=NOW, created_at=NOW
    )
    drain(NOW + timedelta(minutes=4), minutes=1)
    assert slack.sent() == ["next"]
    drain(NOW + timedelta(minutes=70))
    assert slack.sent() == ["next", *keys]


@responses.activate
def test_two_senders_at_once_are_one(many_entries: None) -> None:
    slack = FakeSlack()
    audits(2)
    SlackChannel.objects.create(
        pk=CHANNEL, claimed_by="another:1", claimed_until=NOW + timedelta(seconds=40)
    )
    assert sending.deliver(CHANNEL, clock=lambda: NOW) == 0
    assert not slack.sent()
    assert sending.deliver(CHANNEL, clock=lambda: NOW + timedelta(seconds=41)) == 2


@responses.activate
@pytest.mark.parametrize("seconds", [10.0, 60.0])
def test_calls_that_take_as_long_as_they_may_let_no_second_sender_in(
    many_entries: None, settings: Any, seconds: float
) -> None:
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "slack_timeout": seconds}
    now = NOW
    sent_by_the_second: list[int] = []
    told = [{"ok": True, "messages": []}, *[{"ok": False, "error": "invalid_blocks"}] * 2]

    def slow(request: Any) -> tuple[int, dict[str, str], str]:
        nonlocal now
        now += timedelta(seconds=3 + seconds)
        answer = told.pop(0) if told else {"ok": True, "ts": "1.0"}
        sent_by_the_second.append(sending.deliver(CHANNEL, clock=lambda: now))
        return 200, {}, json.dumps(answer)

    for method in ("conversations.history", "chat.postMessage"):
        for verb in ("GET", "POST"):
            responses.add_callback(verb, API + method, callback=slow)
    (key,) = audits(1)
    Delivery.objects.filter(key=key).update(suspect=True)
    assert sending.deliver(CHANNEL, clock=lambda: now) == 1
    assert sent_by_the_second == [0, 0, 0, 0]


@responses.activate
def test_a_reply_goes_by_its_response_url_and_later_as_a_direct_message() -> None:
    hook = responses.post("https://hooks.slack.com/commands/1", body="ok")
    slack = FakeSlack()
    message: dict[str, Any] = {"text": "hello", "blocks": [], "metadata": None, "file": None}
    with transaction.atomic():
        for key in ("a", "b"):
            outbox.reply(
                key,
                message,
                response_url="https://hooks.slack.com/commands/1",
                user="U0ADA",
                now=NOW,
            )
    Delivery.objects.filter(key="reply:b").update(created_at=NOW - timedelta(minutes=31))
    drain()
    assert hook.call_count == 1
    assert [m["channel"] for m in slack.messages.values()] == ["U0ADA"]


@responses.activate
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://evil.example/x",
        "https://slack.com.evil.example/",
        "http://hooks.slack.com/x",
        "file:///etc/passwd",
        "https://evil.example\\.slack.com/x",
        "https://evil.example\\@hooks.slack.com/x",
        "https://hooks.slack.com:9999/x",
        "https://hooks.slack.com:port/x",
        "https://somebody@hooks.slack.com/x",
        "https://evil.example#@hooks.slack.com/x",
        "https://hooks.slack.com\t.evil.example/x",
        "https://[::1/x",
    ],
)
def test_nothing_is_sent_to_an_address_that_is_not_slacks(url: str) -> None:
    slack = FakeSlack()
    message: dict[str, Any] = {"text": "hello", "blocks": [], "metadata": None, "file": None}
    with transaction.atomic():
        outbox.reply("a", message, response_url=url, user="U0ADA", now=NOW)
    drain()
    assert all(str(call.request.url).startswith(API) for call in responses.calls)
    assert [m["channel"] for m in slack.messages.values()] == ["U0ADA"]


@responses.activate
def test_what_one_person_was_told_is_kept_no_longer_than_it_takes() -> None:
    FakeSlack()
    responses.post("https://hooks.slack.com/commands/1", body="ok")
    message: dict[str, Any] = {"text": "a link code", "blocks": [], "metadata": None, "file": None}
    with transaction.atomic():
        url = "https://hooks.slack.com/commands/1"
        outbox.reply("a", message, response_url=url, user="U0ADA", now=NOW)
    assert Delivery.objects.get().payload["response_url"] == url
    drain()
    sent = Delivery.objects.get()
    assert (sent.state, sent.payload) == (Delivery.SENT, {})


def test_without_slack_nothing_is_kept(settings: Any) -> None:
    settings.MIGRATION_BOT = {}
    asked()
    assert not Delivery.objects.exists()


@given(st.lists(st.sampled_from(FAULTS), max_size=40))
@settings(max_examples=10, deadline=None)
def test_any_faults_in_any_order_lose_nothing(faults: list[str]) -> None:
    from bot import audit
    from bot.route.events import Rejected
    from bot.route.people import SYSTEM

    with transaction.atomic(), responses.RequestsMock(assert_all_requests_are_fired=False):
        for number in range(4):
            audit.append(Rejected(reason=f"reason {number}"), actor=SYSTEM, now=NOW)
        Delivery.objects.all().delete()
        SlackChannel.objects.all().delete()
        with responses.mock:
            slack = FakeSlack()
            keys = audits(4)
            slack.faults = list(faults)
            drain()
            assert slack.sent() == keys
        transaction.set_rollback(True)
