"""Short answers to one person: help, who they are, a refusal, that something is under way."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.blocks.parts import (
    TEXT,
    VALUE,
    Block,
    actions,
    button,
    context,
    open_button,
    section,
)
from bot.slack.blocks.text import BARE, RICH, Voice, joined, length, safe_url, sentence, spoken
from bot.slack.blocks.values import HelpRow, WhoView
from bot.slack.values import Message


def help_message(rows: Sequence[HelpRow], *, linked: bool = True) -> Message:
    """Every command as it is typed, and what it does; before all, for those who are not ``linked``
    to a staff account yet, how they get there."""
    groups = [rows[start : start + 8] for start in range(0, len(rows), 8)]
    lead = [] if linked else [_link_first]
    blocks: list[Block] = [section(said(RICH)) for said in lead]
    blocks.append(section("*What you can type*"))
    blocks += [
        section(*(f"{RICH.name(row.usage, 150)}\n{RICH.free(row.summary, 200)}" for row in group))
        for group in groups
    ]
    blocks.append(context("Buttons and the staff page do the same, by the same rules."))
    words = [f"{BARE.free(row.usage, 150)}: {BARE.free(row.summary, 200)}" for row in rows]
    words = [*(said(BARE) for said in lead), "What you can type:", *words]
    return Message(text=spoken(words, TEXT), blocks=tuple(blocks[:50]))


def _link_first(voice: Voice) -> str:
    return (
        f"{voice.strong('Begin with')} {voice.name('/migrate link')}: your Slack account is not "
        "tied to a staff account yet, and most commands need that."
    )


def whoami_message(who: WhoView) -> Message:
    """Who the bot takes somebody for, and what they may do."""
    rich, bare = (_who_lines(who, voice) for voice in (RICH, BARE))
    return Message(text=spoken(bare, TEXT), blocks=(section(*rich),))


def _who_lines(who: WhoView, voice: Voice) -> list[str]:
    name = voice.free(who.person.name, 80) or "somebody"
    if not who.account:
        lines = [f"{voice.strong('Not linked')}: you are {name} in Slack."]
        return [*lines, _problem(who, voice) or f"Type {voice.name('/migrate link')} to link."]
    since = f", linked {voice.at(who.linked_at)}" if who.linked_at else ""
    account = voice.name(who.account, 150)
    lines = [f"{voice.strong('Linked')}: you are {name} here, staff account {account}{since}."]
    if who.problem:
        return [*lines, _problem(who, voice)]
    may = joined([voice.free(words, 60) for words in who.permissions[:10]])
    return [*lines, f"You may {may}." if may else "You may look, and change nothing."]


def _problem(who: WhoView, voice: Voice) -> str:
    return voice.free(who.problem, 500)


def refusal_message(words: str, *, reference: str = "") -> Message:
    """A refusal's sentence, to the person it is for: what, why, what now."""
    return notice(f"{words} Reference {reference}." if reference else words)


def notice(words: str) -> Message:
    """One of our own sentences with data filled in; its code spans stay."""
    said = sentence(words, 2900) or "–"
    return Message(text=said, blocks=(section(said),))


def reason_message(usage: str, typed: str) -> Message:
    """In place of the form that asks why, which opens only seconds after somebody typed or pressed:
    a button that opens it for what was ``typed``, and the ``usage`` that needs no form. A line that
    is too long for a button's value gets none: cut, it would ask for something else."""
    if length(typed) > VALUE:
        return notice(f"The form could not be opened in time. Type {usage}")
    made = notice(f"The form could not be opened in time. Press the button, or type {usage}")
    again = button("Say why", "apply", typed)
    return Message(text=made.text, blocks=(*made.blocks, *actions(again)))


def link_message(url: str, minutes: int) -> Message:
    """The one-time address that ties a Slack person to the account that opens it, signed in."""
    words = f"It works once, for {minutes} min, and only for you: pass it to nobody."
    bare = f"Open this to link your staff account: {safe_url(url)} {words}"
    return Message(
        text=bare.replace("&", "&amp;"),
        blocks=(
            section("*Link your staff account.* You sign in on the site as always.", words),
            *actions(*open_button(url, "Link my account")),
        ),
    )
