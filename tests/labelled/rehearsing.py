"""Plans of cases, rehearsed on a scratch database of the same server."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.test.utils import override_settings

from bot.database.rehearsal.rehearse import rehearse
from bot.route.plan import Plan, Target
from bot.route.rehearsal import Rehearsal
from tests import servers
from tests.database.migrating import forget_migrations
from tests.labelled.ground import ALIAS, NOW, Standing, registered

SCRATCH = "labelled_scratch"

Rehearse = Callable[[Standing, Plan], Plan]


@contextlib.contextmanager
def rehearsing() -> Iterator[Rehearse]:
    """Gives plans back with what a rehearsal measured. RunPython runs: the cases' is harmless."""
    options: dict[str, Any] = {
        **settings.MIGRATION_BOT,
        "rehearsal_databases": {ALIAS: SCRATCH},
        "rehearse_python": True,
    }
    with registered(os.environ[servers.POSTGRES], SCRATCH):

        def again(standing: Standing, plan: Plan) -> Plan:
            with override_settings(MIGRATION_BOT=options):
                return plan.rehearsed(rehearsal_of(standing, plan))

        yield again


def rehearsal_of(standing: Standing, plan: Plan) -> Rehearsal:
    forget_migrations()
    target = Target(app="shop", name=standing.target)
    return rehearse(ALIAS, target, plan.basis, now=NOW)
