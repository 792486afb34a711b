"""What Slack itself says, when asked, of the tokens, the scopes, the clock and the channels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.conf import get_settings
from bot.slack.client import PooledClient
from bot.slack.outcomes import REMEDIES, Outcome, meaning

SCOPES = frozenset({"chat:write", "commands", "files:write", "users:read", "users:read.email"})
"""What the bot cannot do without."""
WANTED = frozenset({"channels:history", "groups:history"})
"""What lets it find a message again whose fate is unknown; without it one may rarely be doubled."""
SKEW = 60.0
"""Seconds that the clocks may differ; Slack's requests are refused beyond 300."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """``ok`` None means that it could not be told. ``remedy`` says what to do, when not ok."""

    name: str
    ok: bool | None
    words: str
    remedy: str = ""


def token_and_clock(client: PooledClient) -> Iterator[Diagnosis]:
    """Three from one call: the token and its workspace, its scopes, and the clocks' difference."""
    begun = time.time()
    try:
        answer = client.auth_test()
    except SlackApiError as error:
        yield _unsure("token", error) or Diagnosis(
            name="token",
            ok=False,
            words=f"Slack refuses it: {error.response.get('error', '')}.",
            remedy="Install the app again and set the new bot token (xoxb-…).",
        )
        return
    except (SlackClientError, OSError) as error:
        yield _unreachable("token", client, error)
        return
    headers = {name.lower(): value for name, value in answer.headers.items()}
    yield _workspace(str(answer.get("team_id", "")), str(answer.get("team", "")))
    yield _scopes(headers.get("x-oauth-scopes", ""))
    yield _clock(headers.get("date", ""), (begun + time.time()) / 2)


def _workspace(team: str, name: str) -> Diagnosis:
    expected = get_settings().slack_team_id
    if team == expected:
        return Diagnosis(name="token", ok=True, words=f"It works in {name} ({team}).")
    return Diagnosis(
        name="token",
        ok=False,
        words=f"It belongs to {team}, but the settings say {expected or 'no workspace'}.",
        remedy=f"Set SLACK_TEAM_ID={team}, or use the token of the other workspace.",
    )


def _scopes(text: str) -> Diagnosis:
    held = {scope.strip() for scope in text.split(",") if scope.strip()}
    if not held:
        return Diagnosis(name="scopes", ok=None, words="Slack did not say which it has.")
    if missing := sorted(SCOPES - held):
        return Diagnosis(
            name="scopes",
            ok=False,
            words=f"Missing: {', '.join(missing)}.",
            remedy="Install the app again from manifest.yml.",
        )
    if not WANTED & held:
        words = "Enough, but without channels:history a message may rarely be posted twice."
        return Diagnosis(name="scopes", ok=True, words=words)
    return Diagnosis(name="scopes", ok=True, words="All that manifest.yml asks for.")


def _clock(date: str, here: float) -> Diagnosis:
    try:
        there = parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return Diagnosis(name="clock", ok=None, words="Slack did not say what time it is.")
    skew = abs(there - here)
    if skew <= SKEW:
        return Diagnosis(name="clock", ok=True, words=f"Within {skew:.0f} s of Slack's.")
    return Diagnosis(
        name="clock",
        ok=False,
        words=f"It differs from Slack's by {skew:.0f} s; beyond 300 s everything is refused.",
        remedy="Turn on time synchronisation (NTP) on this machine.",
    )


def socket_mode(client: PooledClient) -> Diagnosis:
    """Whether the app-level token opens Socket Mode: it asks for an address, and goes nowhere."""
    try:
        client.apps_connections_open(app_token=get_settings().slack_app_token)
    except SlackApiError as error:
        if unsure := _unsure("Socket Mode", error):
            return unsure
        return Diagnosis(
            name="Socket Mode",
            ok=False,
            words=f"Slack refuses the app-level token: {error.response.get('error', '')}.",
            remedy="Turn Socket Mode on in the app's pages, make an app-level token (xapp-…) with "
            "the scope connections:write, and set SLACK_APP_TOKEN.",
        )
    except (SlackClientError, OSError) as error:
        return _unreachable("Socket Mode", client, error)
    words = "Its token works. Requests come while `manage.py migration_bot socket` runs."
    return Diagnosis(name="Socket Mode", ok=True, words=words)


def membership(client: PooledClient, channel: str) -> Diagnosis:
    if not channel:
        return Diagnosis(
            name="channel",
            ok=False,
            words="None is set, so nothing is posted.",
            remedy="Set SLACK_CHANNEL to the channel's id (C…), and /invite the bot there.",
        )
    try:
        history = client.conversations_history(channel=channel, limit=1)
    except SlackApiError as error:
        code = str(error.response.get("error", ""))
        if code == "missing_scope":
            words = f"{channel} cannot be looked at without the scope channels:history."
            return Diagnosis(name="channel", ok=None, words=words)
        return _unsure("channel", error) or Diagnosis(
            name="channel",
            ok=False,
            words=f"{channel}: {REMEDIES.get(code, code)}.",
            remedy="SLACK_CHANNEL is an id (C…), no name; type /invite @Migration bot in it.",
        )
    except (SlackClientError, OSError) as error:
        return _unreachable("channel", client, error)
    del history
    return Diagnosis(name="channel", ok=True, words=f"The bot is in {channel}.")


def _unsure(name: str, error: SlackApiError) -> Diagnosis | None:
    """For an answer of Slack's that tells of a bad moment and nothing else."""
    answer = meaning(error)
    if answer.outcome not in (Outcome.WAIT, Outcome.UNKNOWN):
        return None
    return Diagnosis(
        name=name,
        ok=None,
        words=f"Slack could not say: {answer.error or 'no error code'}.",
        remedy="Try again in a minute.",
    )


def _unreachable(name: str, client: PooledClient, error: Exception) -> Diagnosis:
    return Diagnosis(
        name=name,
        ok=False,
        words=f"{client.base_url} could not be reached: {error}.",
        remedy="Check the network, the proxy and SLACK_API_URL from this machine.",
    )
