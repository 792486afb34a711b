"""What people do, as the app is told of it: signed, in Slack's shapes, with 3 seconds to answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from bot.sandbox import names
from bot.sandbox.models import ResponseUrl, Surface
from bot.slack import calls
from bot.slack.envelope import NotOurs, check_envelope
from tests.sandbox.api.calls import trigger
from tests.sandbox.conftest import HOST, App, Page, browser, button, modal, section, text_input


def answering(value: Any, status: int = 200) -> Any:
    text = value if isinstance(value, str) else json.dumps(value)
    return lambda request: (status, text)


def failing(error: Exception) -> Any:
    def answer(request: requests.PreparedRequest) -> tuple[int, str]:
        raise error

    return answer


# --- commands


def test_a_command_reaches_the_app_signed(page: Page, app: App, site: dict[str, Any]) -> None:
    page.say("/migrate plan shop 0007")
    (request,) = app.asked
    verifier = SignatureVerifier(site["slack_signing_secret"])
    assert verifier.is_valid_request(app.bodies[0], dict(request.headers))
    form = app.form()
    assert (form["command"], form["text"]) == ("/migrate", "plan shop 0007")
    assert (form["team_id"], form["api_app_id"]) == (names.TEAM, names.APP)
    assert (form["channel_id"], form["channel_name"]) == (names.CHANNEL, "migrations")
    assert form["response_url"].startswith(f"http://{HOST}/sandbox/response/")


def test_the_production_code_reads_every_payload(
    page: Page, app: App, slack: WebClient, robin: str
) -> None:
    page.say("/migrate plan")
    form: dict[str, Any] = dict(app.form())
    check_envelope(form)
    assert calls.from_command(form).person == f"{names.TEAM}:{robin}"

    ts = slack.chat_postMessage(channel=names.CHANNEL, text="x", blocks=[button()])["ts"]
    page.do("press", channel=names.CHANNEL, ts=ts, block_id="act", action_id="migration_bot.show")
    check_envelope(app.payload())
    call = calls.from_action(app.payload(), app.payload()["actions"][0])
    assert (call.user, call.name, call.value) == (robin, "migration_bot.show", "12")
    assert (call.channel, call.message_ts) == (names.CHANNEL, ts)

    slack.views_open(trigger_id=trigger(robin), view=modal(text_input(), private_metadata="7"))
    given = {"reason": {"migration_bot.reason": "because"}}
    page.do("submit", view=page.see()["modals"][0]["id"], values=given)
    check_envelope(app.payload())
    call = calls.from_view(app.payload())
    assert (call.user, call.name, call.value) == (robin, "migration_bot.test", "7")
    assert call.inputs == {"migration_bot.reason": "because"}

    page.do("home")
    check_envelope(json.loads(app.bodies[-1]))
    assert calls.from_home(json.loads(app.bodies[-1])).user == robin


def test_an_answer_is_for_the_person_alone_unless_it_says_otherwise(
    page: Page, app: App, ada: str
) -> None:
    app.answer = answering({"text": "for you"})
    page.say("/migrate help")
    app.answer = answering({"text": "for all", "response_type": "in_channel"})
    page.say("/migrate help")
    app.answer = answering("just text")
    page.say("/migrate help")
    shown = {one["text"]: one["only_for_me"] for one in page.messages()}
    assert (shown["for you"], shown["for all"], shown["just text"]) == (True, False, True)
    assert "/migrate help" in shown
    seen = [one["text"] for one in Page(ada).messages()]
    assert "for all" in seen
    assert "for you" not in seen


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failing(requests.ReadTimeout()), "operation_timeout"),
        (failing(requests.ConnectTimeout()), "operation_timeout"),
        (failing(requests.ConnectionError()), "dispatch_failed"),
        (answering("", 500), "dispatch_failed"),
        (answering("", 302), "dispatch_failed"),
        (answering({"text": "x", "blocks": [{"type": "nonsense"}]}), "invalid_blocks"),
    ],
)
def test_a_command_that_fails_says_so_as_slack_does(
    page: Page, app: App, answer: Any, error: str
) -> None:
    app.answer = answer
    assert page.say("/migrate plan")["error"] == error
    shown = page.messages()[-1]
    assert shown["text"] == f'`/migrate` failed with the error "{error}"'
    assert shown["only_for_me"] is True


def test_the_app_has_three_seconds(page: Page, app: App, monkeypatch: Any) -> None:
    given: list[float] = []
    original = requests.Session.post

    def post(self: Any, url: str, **options: Any) -> Any:
        given.append(options["timeout"])
        return original(self, url, **options)

    monkeypatch.setattr(requests.Session, "post", post)
    page.say("/migrate plan")
    assert given == [3.0]


def test_other_commands_do_not_exist(page: Page, app: App) -> None:
    page.say("/shout <b>")
    assert page.messages()[-1]["text"] == "`/shout` is not a valid command."
    assert app.asked == []


def test_commands_do_not_work_in_threads(page: Page, app: App, slack: WebClient) -> None:
    ts = slack.chat_postMessage(channel=names.CHANNEL, text="x")["ts"]
    page.say("/migrate plan", thread_ts=ts)
    assert page.messages()[-1]["text"] == "`/migrate` is not supported in threads. Sorry!"
    assert app.asked == []


def test_a_partner_cannot_type_commands_but_can_press_buttons(app: App, slack: WebClient) -> None:
    partner = Page("U0PARTNER")
    partner.say("/migrate plan")
    assert partner.messages()[-1]["text"] == "`/migrate` is not a valid command."
    ts = slack.chat_postMessage(channel=names.CHANNEL, text="x", blocks=[button()])["ts"]
    wish = {"block_id": "act", "action_id": "migration_bot.show"}
    partner.do("press", channel=names.CHANNEL, ts=ts, **wish)
    payload = app.payload()
    assert payload["team"]["id"] == names.TEAM
    assert payload["user"]["team_id"] == names.PARTNER_TEAM
    with pytest.raises(NotOurs):
        check_envelope(payload)


def test_what_people_say_is_kept_as_slack_keeps_it(page: Page, app: App) -> None:
    page.say("<!channel> & <b>")
    assert page.messages()[-1]["text"] == "&lt;!channel&gt; &amp; &lt;b&gt;"
    assert app.asked == []


# --- buttons


def test_a_button_carries_what_the_bot_stored_not_what_the_page_says(
    page: Page, app: App, slack: WebClient
) -> None:
    ts = slack.chat_postMessage(channel=names.CHANNEL, text="x", blocks=[button()])["ts"]
    wish = {"channel": names.CHANNEL, "ts": ts, "block_id": "act"}
    page.do("press", **wish, action_id="migration_bot.show", value="999")
    (action,) = app.payload()["actions"]
    assert (action["type"], action["value"], action["block_id"]) == ("button", "12", "act")
    assert app.payload()["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": names.CHANNEL,
        "is_ephemeral": False,
    }
    assert page.do("press", **wish, action_id="migration_bot.approve")["error"]
    assert len(app.asked) == 1


def test_a_button_that_others_alone_see_cannot_be_pressed(
    page: Page, app: App, slack: WebClient, ada: str
) -> None:
    wish = {"block_id": "act", "action_id": "migration_bot.show", "channel": names.CHANNEL}
    ts = slack.chat_postEphemeral(channel=names.CHANNEL, user=ada, text="x", blocks=[button()])[
        "message_ts"
    ]
    assert page.do("press", ts=ts, **wish)["error"] == "That is not there any more."
    Page(ada).do("press", ts=ts, **wish)
    assert app.payload()["container"]["is_ephemeral"] is True
    assert "message" not in app.payload()


def test_a_button_that_fails_says_so(page: Page, app: App, slack: WebClient) -> None:
    ts = slack.chat_postMessage(channel=names.CHANNEL, text="x", blocks=[button()])["ts"]
    app.answer = failing(requests.ReadTimeout())
    wish = {"block_id": "act", "action_id": "migration_bot.show"}
    told = page.do("press", channel=names.CHANNEL, ts=ts, **wish)
    assert told["error"] == "operation_timeout"


# --- modals


@pytest.fixture
def view(slack: WebClient, robin: str) -> str:
    found = slack.views_open(trigger_id=trigger(robin), view=modal(text_input(max_length=20)))
    return str(found["view"]["id"])


FILLED = {"reason": {"migration_bot.reason": "because"}}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Please complete this required field."),
        ({"reason": {"migration_bot.reason": "x" * 21}}, "Please enter at most 20 characters."),
    ],
)
def test_slack_itself_asks_for_what_is_missing(
    page: Page, app: App, view: str, given: dict[str, Any], words: str
) -> None:
    assert page.do("submit", view=view, values=given)["errors"] == {"reason": words}
    assert app.asked == []


def test_an_empty_answer_closes_the_modal(page: Page, app: App, view: str) -> None:
    page.do("submit", view=view, values=FILLED)
    state = app.payload()["view"]["state"]["values"]
    assert state == {
        "reason": {"migration_bot.reason": {"type": "plain_text_input", "value": "because"}}
    }
    assert page.see()["modals"] == []


def test_errors_keep_it_open(page: Page, app: App, view: str) -> None:
    app.answer = answering({"response_action": "errors", "errors": {"reason": "Too vague."}})
    assert page.do("submit", view=view, values=FILLED)["errors"] == {"reason": "Too vague."}
    assert len(page.see()["modals"]) == 1


def test_an_update_replaces_it_and_a_push_lies_on_it(page: Page, app: App, view: str) -> None:
    app.answer = answering({"response_action": "push", "view": modal(section("above"))})
    page.do("submit", view=view, values=FILLED)
    above = page.see()["modals"][-1]
    app.answer = answering({"response_action": "update", "view": modal(section("done"))})
    page.do("submit", view=above["id"], values={})
    shown = page.see()["modals"]
    assert [one["id"] for one in shown] == [view, above["id"]]
    assert shown[-1]["blocks"][0]["text"]["text"] == "done"
    app.answer = answering({"response_action": "clear"})
    page.do("submit", view=above["id"], values={})
    assert page.see()["modals"] == []


@pytest.mark.parametrize(
    "answer",
    [
        failing(requests.ReadTimeout()),
        answering("", 500),
        answering("not json"),
        answering({"response_action": "shout"}),
        answering({"response_action": "errors", "errors": {"nowhere": "x"}}),
        answering({"response_action": "update", "view": {"type": "modal"}}),
    ],
)
def test_an_answer_that_slack_cannot_use_keeps_it_open_and_says_so(
    page: Page, app: App, view: str, answer: Any
) -> None:
    app.answer = answer
    told = page.do("submit", view=view, values=FILLED)
    assert told["trouble"] == "We had some trouble connecting. Try again?"
    assert len(page.see()["modals"]) == 1


def test_closing_is_told_to_an_app_that_asked_for_it(
    page: Page, app: App, slack: WebClient, robin: str, view: str
) -> None:
    page.do("close", view=view)
    assert app.asked == []
    slack.views_open(trigger_id=trigger(robin), view=modal(notify_on_close=True))
    page.do("close", view=page.see()["modals"][0]["id"])
    assert app.payload()["type"] == "view_closed"
    assert app.payload()["is_cleared"] is False
    assert not Surface.objects.exists()


def test_nobody_sends_somebody_elses_modal(app: App, view: str, ada: str) -> None:
    assert Page(ada).do("submit", view=view, values=FILLED)["error"]
    assert app.asked == []


# --- Home


def test_home_is_announced_and_announced_again_when_nobody_answers(page: Page, app: App) -> None:
    app.answer = answering("", 500)
    page.do("home")
    first, second = app.asked
    assert "X-Slack-Retry-Num" not in first.headers
    assert second.headers["X-Slack-Retry-Num"] == "1"
    assert second.headers["X-Slack-Retry-Reason"] == "http_error"
    event = json.loads(app.bodies[-1])
    assert event["event"]["type"] == "app_home_opened"
    assert event["authorizations"][0]["user_id"] == names.BOT_USER


# --- response_url


def respond(url: str, body: dict[str, Any]) -> tuple[int, str]:
    path = "/" + url.split("/", 3)[3]
    response = browser().post(path, body, content_type="application/json")
    return response.status_code, response.content.decode()


def test_a_response_url_works_five_times(page: Page, app: App) -> None:
    page.say("/migrate plan")
    url = app.form()["response_url"]
    for number in range(5):
        assert respond(url, {"text": f"words {number}"}) == (200, "ok")
    status, told = respond(url, {"text": "once more"})
    assert (status, json.loads(told)["error"]) == (404, "used_url")
    assert [one["text"] for one in page.messages()][-5:] == [f"words {n}" for n in range(5)]
    assert all(one["only_for_me"] for one in page.messages()[-5:])


def test_a_response_url_dies_after_half_an_hour(page: Page, app: App) -> None:
    page.say("/migrate plan")
    row = ResponseUrl.objects.get()
    row.made_at = row.made_at.replace(year=row.made_at.year - 1)
    row.save()
    status, told = respond(app.form()["response_url"], {"text": "late"})
    assert (status, json.loads(told)["error"]) == (404, "expired_url")
    assert respond(f"http://{HOST}/sandbox/response/guessed", {"text": "x"})[0] == 404


def test_a_refused_response_costs_no_use(page: Page, app: App) -> None:
    page.say("/migrate plan")
    url = app.form()["response_url"]
    assert respond(url, {"text": "x", "blocks": [{"type": "nonsense"}]})[0] == 400
    assert respond(url, {})[0] == 400
    assert ResponseUrl.objects.get().uses == 0


def test_a_buttons_response_url_can_replace_and_delete_its_message(
    page: Page, app: App, slack: WebClient, robin: str
) -> None:
    ts = slack.chat_postEphemeral(channel=names.CHANNEL, user=robin, text="x", blocks=[button()])[
        "message_ts"
    ]
    wish = {"block_id": "act", "action_id": "migration_bot.show"}
    page.do("press", channel=names.CHANNEL, ts=ts, **wish)
    url = app.payload()["response_url"]
    assert respond(url, {"text": "y", "replace_original": True})[0] == 200
    shown = page.messages()[-1]
    assert (shown["ts"], shown["text"], shown["blocks"]) == (ts, "y", [])
    respond(url, {"delete_original": True})
    assert all(one["ts"] != ts for one in page.messages())
