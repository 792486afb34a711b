"""The plan, run on a scratch database: planned anew, measured, and thrown away."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

from django.db import connections

from bot.conf import get_settings
from bot.database.planner import LookedOver, look_over, planned
from bot.database.readonly import close_copy, read_only_copy
from bot.database.rehearsal.alone import alone
from bot.database.rehearsal.performance import Performance, Progress
from bot.database.rehearsal.standing_in import standing_in
from bot.database.rehearsal.vendor import Deadline, NotRehearsed
from bot.database.rehearsal.vendors import vendor_of, vendors
from bot.database.rehearsal.walk import placed
from bot.database.targets import load, resolve
from bot.route.basis import Basis, differences
from bot.route.plan import Target
from bot.route.rehearsal import Rehearsal


def rehearse(
    database: str,
    target: Target,
    basis: Basis,
    *,
    now: datetime,
    release: str = "",
    progress: Progress | None = None,
) -> Rehearsal:
    """Run the plan for ``target`` on a scratch database and say what was measured.

    Nothing is written to ``database``, nor to any other alias. What could not be measured says why
    in ``because``. ``progress`` is called with the steps done, the steps there are, and words.
    Raises what ``make_plan`` raises.
    """
    begun = time.monotonic()
    seen = look_over(database, target, now=now, release=release)
    blank = Rehearsal(
        fingerprint=basis.fingerprint,
        database=database,
        vendor=seen.plan.vendor,
        made_at=now,
    )
    if seen.plan.fingerprint != basis.fingerprint:
        words = " ".join(differences(basis, seen.plan.basis))
        return replace(blank, because=f"The plan is not the one that was asked about. {words}")
    if not seen.plan.steps:
        return replace(blank, because="There is nothing to run.")
    try:
        found = _on_scratch(blank, seen, target, progress or _nobody)
    except NotRehearsed as why:
        found = replace(blank, because=str(why))
    return replace(found, milliseconds=round((time.monotonic() - begun) * 1000))


def _nobody(done: int, total: int, words: str) -> None:
    """Nobody wants to hear of progress."""


def _on_scratch(
    blank: Rehearsal, seen: LookedOver, target: Target, progress: Progress
) -> Rehearsal:
    deadline = Deadline(get_settings().rehearsal_timeout)
    working = connections[blank.database]
    vendor = vendor_of(working.vendor)
    copy = read_only_copy(working)
    try:
        loader = load(copy)
        targets, _ = resolve(loader, target)
        steps, running = placed(loader, planned(copy, loader, targets))
        with (
            alone(deadline),
            vendor.scratch(working, deadline) as scratch,
            standing_in(blank.database, scratch.connection),
        ):
            return Performance(
                blank=blank,
                seen=seen,
                scratch=scratch,
                target=copy,
                loader=loader,
                steps=steps,
                running=running,
                deadline=deadline,
                progress=progress,
            ).run()
    finally:
        close_copy(copy)


def sweep() -> tuple[str, ...]:
    """Remove what killed rehearsals left behind, on this machine and on the servers that
    ``rehearsal_databases`` names; the names of what was removed. Each rehearsal does so too."""
    return tuple(name for vendor in vendors() for name in vendor.sweep())
