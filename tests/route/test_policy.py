"""How many approvals a plan needs, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.route.approval import Policy
from bot.route.findings import Finding, Risk

LOSES = Finding(code="loses_data", level=Risk.DANGEROUS, because="It is gone.")
PYTHON = Finding(code="opaque_python", level=Risk.CAUTION, because="Python runs.")


def policy(**by_code: Any) -> Policy:
    return Policy(
        approvals={Risk.SAFE: 1, Risk.CAUTION: 1, Risk.DANGEROUS: 2},
        approvals_by_code=by_code,
        self_approval=False,
        decide_within=timedelta(hours=1),
        start_within=timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("by_code", "risk", "findings", "needed", "because"),
    [
        ({}, Risk.SAFE, [], 1, ""),
        ({}, Risk.DANGEROUS, [LOSES], 2, "because it is dangerous"),
        ({"loses_data": 3}, Risk.DANGEROUS, [LOSES, PYTHON], 3, "because of loses_data"),
        ({"loses_data": 3}, Risk.CAUTION, [PYTHON], 1, ""),
        ({"opaque_python": 2}, Risk.CAUTION, [PYTHON], 2, "because of opaque_python"),
        ({"opaque_python": 2}, Risk.DANGEROUS, [PYTHON], 2, "because it is dangerous"),
        ({"loses_data": 1}, Risk.DANGEROUS, [LOSES], 2, "because it is dangerous"),
    ],
)
def test_the_largest_number_counts_and_says_why(
    by_code: dict[str, int], risk: Risk, findings: list[Finding], needed: int, because: str
) -> None:
    rules = policy(**by_code)
    assert rules.approvals_needed(risk, findings) == needed
    assert rules.approvals_because(risk, findings) == because
