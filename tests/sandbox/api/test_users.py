"""What Slack says of people: the flags that the bot bars by."""

from __future__ import annotations

from slack_sdk import WebClient

from bot.sandbox import names
from bot.sandbox.models import Workspace
from bot.slack.people import barred_by
from tests.sandbox.api.calls import error_of


def test_a_member_has_a_confirmed_address(slack: WebClient, robin: str) -> None:
    user = slack.users_info(user=robin)["user"]
    assert (user["team_id"], user["is_email_confirmed"]) == (names.TEAM, True)
    assert user["profile"]["email"] == "robin@sandbox.invalid"
    assert slack.users_lookupByEmail(email="ROBIN@sandbox.invalid")["user"]["id"] == robin


def test_the_address_needs_its_scope(slack: WebClient, robin: str) -> None:
    Workspace.objects.update(scopes=["users:read"])
    assert "email" not in slack.users_info(user=robin)["user"]["profile"]
    assert error_of(slack.users_lookupByEmail, email="x")["needed"] == "users:read.email"


def test_the_bot_bars_whom_it_should(slack: WebClient, robin: str) -> None:
    barred = {
        person: barred_by(slack.users_info(user=person)["user"], team=names.TEAM)
        for person in (robin, "U0NOBODY", "U0GUEST", "U0PARTNER", names.BOT_USER)
    }
    assert barred == {
        robin: "",
        "U0NOBODY": "",
        "U0GUEST": "it is a guest",
        "U0PARTNER": "it belongs to another workspace",
        names.BOT_USER: "it is a bot",
    }


def test_nobody_is_not_found(slack: WebClient) -> None:
    assert error_of(slack.users_info, user="U0WHO")["error"] == "user_not_found"
