from __future__ import annotations

from dataclasses import replace

from bot.slack.blocks import help_message, link_message, notice, refusal_message, whoami_message
from bot.slack.blocks.values import HelpRow, PersonView, WhoView
from tests.slack.blocks.checks import check_message, labels, seen
from tests.slack.blocks.samples import HELP, WHO


def test_help_has_every_command_as_it_is_typed() -> None:
    message = help_message(HELP)
    check_message(message)
    for row in HELP:
        assert f"`{row.usage}`\n{row.summary}" in seen(message)
        assert row.usage in message.text


def test_help_for_very_many_commands_is_valid() -> None:
    check_message(help_message([HelpRow(usage=f"/migrate {n}", summary="s") for n in range(60)]))


def test_help_leads_with_linking_for_those_who_are_not_linked() -> None:
    message = help_message(HELP, linked=False)
    check_message(message)
    assert message.text.startswith("Begin with /migrate link: ")
    assert seen(message).startswith("*Begin with* `/migrate link`: ")
    assert "Begin with" not in seen(help_message(HELP))


def test_whoami_says_who_and_what_they_may() -> None:
    message = whoami_message(WHO)
    check_message(message)
    assert message.text == (
        "Linked: you are Ana here, staff account ana, linked 2026-11-23 16:50 UTC. "
        "You may request a run and approve a run."
    )


def test_whoami_without_a_link_says_how_to_link() -> None:
    message = whoami_message(WhoView(person=PersonView(name="Ana")))
    check_message(message)
    assert "Not linked: you are Ana in Slack." in message.text
    assert "`/migrate link`" in seen(message)


def test_whoami_says_why_somebody_may_nothing() -> None:
    message = whoami_message(replace(WHO, problem="Ana is not a staff account."))
    assert "Ana is not a staff account." in message.text
    assert "You may request" not in message.text


def test_whoami_without_permissions_may_look() -> None:
    assert "change nothing" in whoami_message(replace(WHO, permissions=())).text


def test_a_refusal_is_its_sentence() -> None:
    message = refusal_message("There is no app <shpo>. Did you mean `shop`?")
    check_message(message)
    assert message.text == "There is no app &lt;shpo&gt;. Did you mean `shop`?"


def test_a_refusal_may_have_a_reference() -> None:
    assert refusal_message("It broke.", reference="ab12").text == "It broke. Reference ab12."


def test_an_empty_notice_is_still_valid() -> None:
    check_message(notice(""))


def test_a_link_is_a_button_and_stands_in_the_text() -> None:
    message = link_message("https://example.com/link/abc?x=1&y=2", 10)
    check_message(message)
    assert labels(message.blocks)["Link my account"]["url"].endswith("?x=1&y=2")
    assert "https://example.com/link/abc?x=1&amp;y=2" in message.text
    assert "10 min" in message.text
