"""What a rehearsal of five pending migrations of wagtail takes, a throwaway cluster included.

The five are those of ``planning``. Each rehearsal is whole: planned anew, a cluster made, a schema
loaded, rows made up, every step forward, back and forward again, with the running release tried
after each. The promise is about the time on the wall, of the quickest of two.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench import wagtail_site
from tests.bench.report import Report

PROMISED = 8.0
"""Seconds."""
TIMES = 2


def run(report: Report) -> None:
    """The rehearsal in a process of its own, as a worker's child has it."""
    from tests import servers

    if because := servers.missing("postgresql"):
        report.miss(f"a rehearsal of wagtail on PostgreSQL: {because}")
        return
    interpreter = wagtail_site.python()
    with tempfile.TemporaryDirectory() as name, _database(Path(name)) as url:
        folder = Path(name)
        wagtail_site.write_site(folder)
        module = ("-m", "tests.bench.rehearsing")
        found = json.loads(wagtail_site.printed(interpreter, folder, url, *module).splitlines()[-1])
    if found["because"]:
        report.miss(f"a rehearsal of wagtail: {found['because']}")
        return
    print(f"{found['where']}; {found['schema_from']}; {', '.join(found['outcomes'])}", flush=True)
    for note in found["notes"]:
        print(f"    {note}", flush=True)
    report.compare(
        f"wagtail, {len(found['outcomes'])} pending, rehearsed",
        found["seconds"],
        PROMISED,
        than="promised",
        at_most=1,
    )


def _database(folder: Path) -> Any:
    from tests import servers

    return servers.scratch_database("postgresql", folder)


# In the measured process


def _measure() -> dict[str, Any]:
    import django

    django.setup()
    from datetime import UTC, datetime

    from bot.database.planner import make_plan
    from bot.database.rehearsal.rehearse import rehearse
    from bot.route.plan import Target
    from tests.bench.planning import _all_but_five

    _all_but_five()
    now = datetime.now(UTC)
    plan = make_plan("default", Target(), now=now)
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        found = rehearse("default", Target(), plan.basis, now=now)
        taken.append(time.perf_counter() - begun)
    return {
        "seconds": min(taken),
        "because": found.because,
        "where": found.where,
        "schema_from": found.schema_from,
        "outcomes": [step.outcome for step in found.steps],
        "notes": found.notes,
    }


if __name__ == "__main__":
    print(json.dumps(_measure()))
    sys.exit(0)
