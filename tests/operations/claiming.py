"""A worker's claim of a run, for tests that begin with one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.models import Run
from bot.operations import running
from bot.route.basis import Basis
from tests.plans import NOW

LATER = NOW + timedelta(seconds=31)
"""When the default lease of 30 s has ended."""


def basis(run: Run) -> Basis:
    return run.stored_plan.plan.basis


def claimed(run: Run, worker: str = "w1", now: Any = NOW) -> running.Claim:
    found = running.claim(run.pk, worker=worker, now=now)
    assert found is not None
    return found[0]
