"""Exit codes: one meaning each, the same for every subcommand. ``docs/operating.md`` lists them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """``meaning`` is the line in the documentation."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Exit:
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    FINE = 0, "What was asked for is done; with `--wait`: the run succeeded."
    REFUSED = 1, "Refused, or it could not be done; for `audit verify`: the chain is broken."
    USAGE = 2, "The command line was not understood. Nothing was done."
    RISKY = 3, "`--fail-on` of `plan` and `rehearse`: the plan is at least that risky."
    NOT_RUN = 4, "`request --wait`: the run was rejected, cancelled, expired or went stale."
    FAILED = 5, "`request --wait`: the run failed or needs attention."
    PENDING = 6, "`status --exit-code`: migrations are pending."
    STILL_GOING = (
        7,
        "`request --wait --timeout`: the time is up; the run is left alone and goes on.",
    )
    STOPPED = 130, "Stopped from the keyboard. A run that was being watched goes on."
