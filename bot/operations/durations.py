"""How long steps took whose work grows with one table: what later plans say a range from."""

from __future__ import annotations

from bot.models import RecordedWork, Run
from bot.operations.changing import Change


def record_work(change: Change, run: Run, app: str, name: str, *, milliseconds: int) -> None:
    """Record what the step's one work over a table took, in the transaction that ends the step.

    The plan has said which steps have one and no other (``Step.only_work``). Nothing is recorded
    of a step that was seen to wait for a lock: its time says nothing of its work.
    """
    step = next((s for s in run.steps if (s["app"], s["name"]) == (app, name)), None)
    if step is None or "work" not in step or step.get("waited"):
        return
    work = step["work"]
    RecordedWork.objects.using(change.using).get_or_create(
        run=run.pk,
        step=f"{app}.{name}"[:300],
        defaults={
            "vendor": run.stored_plan.plan.vendor,
            "database": run.database,
            "kind": work["kind"],
            "table": work["table"],
            "rows": work["rows"],
            "milliseconds": milliseconds,
            "at": change.now,
        },
    )
