"""Why a run does not begin, or does not go on."""

from __future__ import annotations

from bot.route.refusals.base import Kind, Refused


class LockHeld(Refused):
    """{database} is being migrated by {holder}. Only one may; wait until it has ended, then try
    again."""

    code = "lock_held"
    kind = Kind.CONFLICT


class LockImpossible(Refused):
    """{database} cannot be locked: {because}. {remedy}"""

    code = "lock_impossible"
    kind = Kind.UNAVAILABLE


class RunNotBegun(Refused):
    """The run could not begin: {detail}. Nothing was changed. Reference {reference}."""

    code = "run_not_begun"
    kind = Kind.UNAVAILABLE


class CodeChanged(Refused):
    """The code changed on disk while it was being loaded ({what}). Nothing was run; try again
    when the deploy has ended."""

    code = "code_changed"
    kind = Kind.CONFLICT


class PlanOutOfDate(Refused):
    """The plan for {database} is out of date: {changes} Nothing was changed; run migrate again."""

    code = "plan_out_of_date"
    kind = Kind.CONFLICT


class DataSaysNo(Refused):
    """{because} That was not known when it was approved. Nothing had been run; mend the data, then
    plan and ask for it again."""

    code = "data_says_no"
    kind = Kind.CONFLICT


class LockLost(Refused):
    """The lock of {database} was lost ({because}), so no further step is started. What was applied
    stays; look at the database before you ask again."""

    code = "lock_lost"
    kind = Kind.UNAVAILABLE


class SetupNeeded(Refused):
    """The bot's own tables are missing or old. Run `manage.py migration_bot setup` first."""

    code = "setup_needed"
    kind = Kind.UNAVAILABLE


class WorkerMissing(Refused):
    """No worker has been seen for {seconds} s, so nothing would run. Start one with
    `manage.py migration_bot worker`."""

    code = "worker_missing"
    kind = Kind.UNAVAILABLE
