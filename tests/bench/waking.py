"""From the approval to the start of the run, with the default engine, warm and from idle."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from datetime import datetime
from pathlib import Path
from statistics import median

from tests.bench.report import Report
from tests.project import migration
from tests.story.site import Site, write_project

APPROVALS = 20
"""So many are made while the worker has just worked, and as many from idle."""
SECONDS = 0.5
"""What 95 of 100 approvals may take at most until their run has started."""


def run(report: Report) -> None:
    """Approve run after run of a real worker; each is one small migration."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {
            f"{number:04}_more": migration(
                f'migrations.AddField("item", "more{number}", models.IntegerField(null=True)),',
                after=[("shop", f"{number - 1:04}_more" if number > 4 else "0003_price")],
            )
            for number in range(4, 4 + 2 * APPROVALS)
        }
        site = Site(write_project(folder, f"sqlite:///{folder}/site.sqlite3", files=files))
        try:
            site.ask("prepare")
            worker = site.worker()
            numbers = list(range(4, 4 + 2 * APPROVALS))
            site.until(site.approved("shop 0003"), "succeeded")
            warm = [_start(site, number) for number in numbers[:APPROVALS]]
            idle = [_start(site, number, worker.pid) for number in numbers[APPROVALS:]]
            worker.terminate()
            worker.wait()
        finally:
            site.end()
    for words, taken in (("a busy worker", warm), ("an idle one", idle)):
        report.compare(
            f"approved to started, {words}, median", median(taken), SECONDS, than="promised"
        )
    both = sorted(warm + idle)
    report.compare(
        f"approved to started, {len(both)} times, 95th of 100",
        both[-(-len(both) * 95 // 100) - 1],
        SECONDS,
        than="promised",
        at_most=1,
    )


def _start(site: Site, number: int, supervisor: int = 0) -> float:
    """Seconds from the last approval to the start of one run; with ``supervisor`` from idle."""
    run = site.requested(f"shop {number:04}")
    if supervisor:
        _end_children(site, supervisor)
    if site.ask("approve", run=run) == "requested":
        site.ask("approve", run=run, who="grace")
    done = site.until(run, "succeeded", "failed", "stale")
    if done["state"] != "succeeded":
        raise RuntimeError(f"the run {done['state']}: {done['error']}")
    started, decided = (datetime.fromisoformat(done[name]) for name in ("started_at", "decided_at"))
    return (started - decided).total_seconds()


def _end_children(site: Site, supervisor: int) -> None:
    """What an idle while would do: the processes of the queues end in order."""

    def children() -> list[int]:
        return [pid for pid, parent in site.processes().items() if parent == supervisor]

    for pid in children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    site.wait(lambda: not children(), "an idle worker")
