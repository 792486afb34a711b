"""What came of a call to Slack, and what its error says of the message that was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from slack_sdk.errors import SlackApiError

TOKEN = frozenset(
    {
        "account_inactive",
        "ekm_access_denied",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
"""Slack's errors that are about the token or the workspace: nothing can be sent to anybody."""
CHANNEL = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
    }
)
"""Slack's errors that are about where a message goes. Where that is one person, they are about
that person alone."""

REMEDIES = {
    "channel_not_found": "the channel does not exist, or is private and the bot is not in it",
    "not_in_channel": "the bot is not in the channel: /invite it there",
    "is_archived": "the channel is archived",
    "token_revoked": "the bot token was revoked: install the app again and set the new token",
    "invalid_auth": "the bot token is not valid",
    "account_inactive": "the app was removed from the workspace",
    "missing_scope": "the token lacks a scope of manifest.yml: install the app again",
}


class Outcome(Enum):
    SENT = "sent"
    WAIT = "wait"
    """Not taken; Slack said when to come again."""
    BROKEN = "broken"
    """Not taken: the channel or the token does not work."""
    REFUSED = "refused"
    """Not taken: Slack will not have this message, or the bot could not render it."""
    GONE = "gone"
    """Not sent: what it is about is not there any more."""
    UNKNOWN = "unknown"
    """Nobody knows whether it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A delivery that comes to be once another was sent: a file, or the next part of a thread."""

    key: str
    kind: str
    thread_of: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``retry_after`` in seconds; ``error`` in words, also of what was mended on the way."""

    outcome: Outcome
    ts: str = ""
    error: str = ""
    retry_after: float = 0.0
    followers: tuple[Follower, ...] = ()
    still_suspect: bool = False
    """The search for what Slack may have taken failed itself, so the question stays open."""
    of_channel: bool = False
    """It is the channel that does not work, not the token."""
    ours: bool = False
    """It failed in the bot itself. Another release may know better, so it is tried for longer."""


def meaning(error: SlackApiError, *, personal: bool = False) -> Answer:
    """What an error of Slack's API says about the message that was sent; ``personal`` says that
    it was for one person, whom Slack may not reach while it reaches everybody else."""
    response = error.response
    status = getattr(response, "status_code", 200)
    code = code_of(response)
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return Answer(
            outcome=Outcome.WAIT, error="rate limited", retry_after=_retry_after(response)
        )
    if status >= 500 or code in ("internal_error", "fatal_error", "service_unavailable", ""):
        return Answer(outcome=Outcome.UNKNOWN, error=f"Slack answered {status} {code}".strip())
    if code in TOKEN or (code in CHANNEL and not personal):
        remedy = REMEDIES.get(code, "")
        words = f"{code}: {remedy}" if remedy else code
        return Answer(outcome=Outcome.BROKEN, error=words, of_channel=code in CHANNEL)
    return Answer(outcome=Outcome.REFUSED, error=code)


def code_of(response: Any) -> str:
    """Slack's word for what is wrong; empty where it gave none."""
    data = getattr(response, "data", response)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def _retry_after(response: Any) -> float:
    headers = getattr(response, "headers", None) or {}
    for name, value in dict(headers).items():
        if name.lower() == "retry-after":
            text = value[0] if isinstance(value, list) else value
            return seconds_to_wait(str(text))
    return 30.0


def seconds_to_wait(text: str) -> float:
    """What ``Retry-After`` says, within reason; half a minute for what is no plain number."""
    text = text.strip()
    return min(max(float(text), 1.0), 600.0) if text.isascii() and text.isdigit() else 30.0
