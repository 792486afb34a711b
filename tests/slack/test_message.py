from __future__ import annotations

import pytest

from bot.slack.values import FileView, Message

METADATA = {"event_type": "migration_bot.run", "event_payload": {"run": 12}}


def test_a_message_survives_json() -> None:
    message = Message(
        text="Run 12",
        blocks=({"type": "divider"},),
        metadata=METADATA,
        file=FileView(name="a.sql", title="SQL", content="SELECT 1;"),
    )
    assert Message.from_json(message.to_json()) == message
    assert Message.from_json(Message(text="x").to_json()) == Message(text="x")


def test_a_message_names_the_delivery_that_it_is_found_again_by() -> None:
    keyed = Message(text="x", metadata=METADATA).keyed("run:12")
    assert keyed.metadata is not None
    assert keyed.metadata["event_payload"] == {"run": 12, "key": "run:12"}
    assert METADATA["event_payload"] == {"run": 12}


def test_a_message_without_metadata_takes_no_key() -> None:
    with pytest.raises(ValueError, match="without metadata"):
        Message(text="x").keyed("run:12")


def test_slack_is_told_not_to_read_names_out_of_texts() -> None:
    arguments = Message(text="x").arguments()
    assert arguments["parse"] == "none"
    assert arguments["link_names"] is False


def test_a_message_of_text_alone_says_that_it_has_no_blocks() -> None:
    assert Message(text="x").arguments()["blocks"] == []
