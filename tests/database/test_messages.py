"""What is said of a child that said nothing itself."""

from __future__ import annotations

from bot.database.messages import Died


def test_a_death_is_told_in_words() -> None:
    assert "signal 9" in Died(exit_code=0, signal=9).words
    assert "code 3" in Died(exit_code=3, signal=0).words
    assert "nobody can tell" in Died(exit_code=-1, signal=0).words
