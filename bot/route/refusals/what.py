"""What is asked for is not there, not to be had now, or not understood."""

from __future__ import annotations

from bot.route.refusals.base import Kind, Refused


class RunNotFound(Refused):
    """There is no run {run}. See the history for the runs there are."""

    code = "run_not_found"
    kind = Kind.UNKNOWN


class PlanNotFound(Refused):
    """There is no such plan any more. Make a new plan and go on from there."""

    code = "plan_not_found"
    kind = Kind.UNKNOWN


class PlanNotReady(Refused):
    """That plan is not ready yet. Wait for it, then ask for it again."""

    code = "plan_not_ready"
    kind = Kind.CONFLICT
    slip = True


class TooManyPlans(Refused):
    """You already wait for {number} plans. Wait until one of them is made, then ask again."""

    code = "too_many_plans"
    kind = Kind.CONFLICT


class TooManyRehearsals(Refused):
    """You already wait for {number} rehearsals, and each takes a worker a while. Wait until one of
    them has ended, then ask again."""

    code = "too_many_rehearsals"
    kind = Kind.CONFLICT


class WrongState(Refused):
    """Run {run} {state}, so it cannot be {action} any more. Nothing was changed."""

    code = "wrong_state"
    kind = Kind.CONFLICT


class ReasonNeeded(Refused):
    """A reason is needed: one sentence for the people who read the history."""

    code = "reason_needed"
    kind = Kind.INVALID


class ReasonTooLong(Refused):
    """The reason is {length} characters long; at most {limit} are kept. Shorten it."""

    code = "reason_too_long"
    kind = Kind.INVALID


class TimeNotUnderstood(Refused):
    """ "{text}" is not a time that can be used: {because}. Write 02:00 or 2026-12-24T02:00Z."""

    code = "time_not_understood"
    kind = Kind.INVALID


class InputNotUnderstood(Refused):
    """What was sent cannot be used: {because}. Nothing was changed; correct it and try again."""

    code = "input_not_understood"
    kind = Kind.INVALID


class TargetNotUnderstood(Refused):
    """ "{text}" names nothing that can be planned. Write nothing for everything that is pending,
    an app (shop), or an app and a migration (shop 0007)."""

    code = "target_not_understood"
    kind = Kind.INVALID


class Frozen(Refused):
    """{database} is frozen by {owner} since {since}: {reason}. Ask {owner} when it ends, and try
    again then."""

    code = "frozen"
    kind = Kind.CONFLICT


class AlreadyRequested(Refused):
    """Run {run} already asks for exactly this plan and {state}. Go on with that run."""

    code = "already_requested"
    kind = Kind.CONFLICT
    slip = True
