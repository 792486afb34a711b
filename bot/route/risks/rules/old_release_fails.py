"""The running release, tried on the new schema in a rehearsal, fails.

Its models read, filter, insert, update and delete made-up rows after each step. What worked before
the step and does not after it breaks for users between the migration and the deploy.

Instead: two releases: first a schema that both understand, then the code, then the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.facts import StepCase
from bot.route.risks.matters import Matter
from bot.route.risks.tried import unexplained, with_stop

CODE = "old_release_fails"
ABOUT = frozenset({Matter.REHEARSED})


def look_at_step(step: StepCase) -> Iterator[Finding]:
    """One for each table, unless a rule says already what it is that breaks."""
    by_table: dict[str, list[str]] = {}
    errors: dict[str, str] = {}
    for probe in unexplained(step):
        by_table.setdefault(probe.table, []).append(probe.deed.value)
        errors.setdefault(probe.table, probe.error)
    for table, deeds in by_table.items():
        yield Finding(
            code=CODE,
            level=Risk.DANGEROUS,
            because=f"{_listed(deeds)} on {table} by the running release "
            f"{'fails' if len(deeds) == 1 else 'fail'} after it: {with_stop(errors[table], 120)}",
            instead="Change the schema so that both releases work, deploy, then change the rest.",
            evidence=Evidence.MEASURED,
            step=step.step.key,
            table=table,
        )


def _listed(deeds: list[str]) -> str:
    """``SELECT, INSERT and UPDATE``."""
    return " and ".join([", ".join(deeds[:-1]), deeds[-1]] if len(deeds) > 1 else deeds)
