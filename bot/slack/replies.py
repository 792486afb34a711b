"""What is said back to one person: a message for them alone, a modal, or errors at its fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.route.refusals import Refused
from bot.slack import blocks
from bot.slack.calls import Call, How
from bot.slack.values import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to say now: a message for the person alone, a modal, or errors at a modal's fields.

    ``instead`` is said when the modal cannot be opened.
    """

    message: Message | None = None
    modal: dict[str, Any] | None = None
    errors: dict[str, str] | None = None
    instead: Message | None = None

    @classmethod
    def broken(cls, call: Call, reference: str) -> Reply:
        """For what nobody expected."""
        return said(call, f"Something broke. Nothing more is known yet; reference {reference}.")


def no_form(url: str) -> Message:
    """For a button whose form Slack did not open: it takes a press that is seconds old at most."""
    page = f" Or open the staff page: {url}" if url else ""
    return message(f"The form could not be opened in time. Press the button once more.{page}")


def message(sentence: str) -> Message:
    return blocks.notice(sentence)


def said(call: Call, sentence: str) -> Reply:
    """A sentence in the form that this kind of call can show."""
    return done(sentence) if call.how is How.VIEW else Reply(message=message(sentence))


def done(sentence: str) -> Reply:
    """A modal's last page."""
    return Reply(modal=blocks.notice_modal("Done", sentence), message=message(sentence))


def refused_reply(call: Call, refused: Refused) -> Reply:
    if call.how is How.VIEW:
        return Reply(
            modal=blocks.notice_modal("Not done", refused.sentence),
            message=blocks.refusal_message(refused.sentence),
        )
    return Reply(message=blocks.refusal_message(refused.sentence))
