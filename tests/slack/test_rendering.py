from __future__ import annotations

import pytest

from bot.models import AuditEntry
from bot.slack import blocks
from bot.slack.rendering import audit_view
from tests.plans import NOW


@pytest.mark.parametrize(
    ("actor", "data"),
    [("not json", "{}"), ("{}", "[" * 100_000), ('{"origin":"nowhere"}', "{}"), ("[]", "[]")],
)
def test_an_entry_that_was_tampered_with_is_still_shown(actor: str, data: str) -> None:
    entry = AuditEntry(
        seq=7,
        at=NOW,
        event="run.approved",
        actor=actor,
        data=data,
        previous="0" * 64,
        hash="f" * 64,
    )
    message = blocks.audit_message(audit_view(entry))
    assert "audit 7" in message.text
