"""docs/risks.md has a paragraph for every finding, and names no other."""

from __future__ import annotations

import re

import pytest

from bot.route.risks.judge import codes
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "risks.md").read_text()


def paragraph(code: str) -> str:
    """What stands under the finding's heading."""
    found = re.search(rf"^### `{code}`\n(.*?)(?=^### |\Z|<!-- end)", TEXT, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


@pytest.mark.parametrize("code", codes())
def test_every_finding_has_a_paragraph_with_what_why_and_instead(code: str) -> None:
    text = paragraph(code)
    assert re.search(r"^\*\*.+\.\*\*$", text, re.MULTILINE), f"no title for {code}"
    assert "\nInstead: " in text
    assert len(text) > 150


def test_no_paragraph_is_left_of_a_finding_that_is_gone() -> None:
    assert set(re.findall(r"^### `(\w+)`$", TEXT, re.MULTILINE)) == set(codes())


def test_the_numbers_of_what_is_large_are_those_of_the_code() -> None:
    from bot.route.risks.words import LARGE_BYTES, LARGE_ROWS

    assert f"{LARGE_ROWS:,} rows or {LARGE_BYTES // 1024**2} MB" in TEXT
