"""The values of ``MIGRATION_BOT``: known keys, right types, sensible ranges."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage

from bot.checks.rows import ROWS
from bot.conf import KEYS, Settings, configured, kind_of, wrong_type
from bot.route.findings import Risk
from bot.route.risks.judge import codes

SHORTEST_LEASE = 3.0
"""Seconds. A worker gives a sign of life six times in a lease, and looks about each 0.2 s."""

LARGEST = 1_000_000
"""Of any unit: more is meant to be no limit, and overflows where it becomes a date."""

LONGEST_KEPT = 36_500
"""Days: a century. Of much more the date that far back does not exist."""

LONGEST_RELEASE = 200
"""Characters, as wide as its columns: PostgreSQL and MySQL take no more."""

LONGEST_MODAL = 3.0
"""Seconds that Slack waits for an answer; a modal that opens later cannot be opened."""

_Rule = tuple[Callable[[Any], bool], str]


def _above_zero(value: Any) -> bool:
    return bool(value > 0)


def _not_negative(value: Any) -> bool:
    return bool(value >= 0)


def _is_url(value: Any) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


_RULES: dict[str, _Rule] = {
    "decide_within": (_above_zero, "more than 0 hours"),
    "start_within": (_above_zero, "more than 0 hours"),
    "lock_timeout": (_not_negative, "0 or more seconds"),
    "lock_retries": (lambda value: 0 <= value <= 100, "between 0 and 100"),
    "lock_backoff": (_not_negative, "0 or more seconds"),
    "statement_timeout": (_not_negative, "0 or more seconds"),
    "lease": (lambda value: value >= SHORTEST_LEASE, f"at least {SHORTEST_LEASE:.0f} seconds"),
    "poll_interval": (_above_zero, "more than 0 seconds"),
    "data_check_seconds": (_above_zero, "more than 0 seconds"),
    "data_check_limit": (_above_zero, "more than 0 rows"),
    "data_check_examples": (lambda value: 0 <= value <= 20, "between 0 and 20"),
    "keep_plans": (
        lambda value: 0 < value <= LONGEST_KEPT,
        f"more than 0 and at most {LONGEST_KEPT:,} days",
    ),
    "release": (
        lambda value: len(value) <= LONGEST_RELEASE,
        f"at most {LONGEST_RELEASE} characters long",
    ),
    "link_minutes": (lambda value: 0 < value <= 1440, "more than 0 and at most 1,440 minutes"),
    "slack_timeout": (lambda value: 0 < value <= 60, "more than 0 and at most 60 seconds"),
    "slack_modal_timeout": (
        lambda value: 0 < value < LONGEST_MODAL,
        f"more than 0 and less than {LONGEST_MODAL:.0f} seconds",
    ),
    "slack_api_url": (_is_url, "a URL such as https://slack.com/api/"),
    "code_reload": (lambda value: value in ("auto", "cold"), '"auto" or "cold"'),
    "public_url": (
        lambda value: not value or _is_url(value),
        "empty or a URL such as https://example.com",
    ),
    "state_database": (bool, "the name of an alias"),
    "tasks_backend": (bool, "the name of an alias"),
    "queue": (bool, "the name of a queue"),
    "run_queue": (bool, "the name of a queue"),
    "rehearsal_queue": (bool, "the name of a queue"),
    "rehearsal_timeout": (_above_zero, "more than 0 seconds"),
    "reconcile_timeout": (_above_zero, "more than 0 seconds"),
}


def check_values() -> Iterator[CheckMessage]:
    """What is wrong with the dictionary as the project wrote it."""
    given: Any = configured()
    if not isinstance(given, Mapping):
        yield ROWS["E001"].found(kind=kind_of(given))
        return
    for key, value in given.items():
        if key not in KEYS:
            yield ROWS["E002"].found(key=key, nearest=nearest(str(key), KEYS))
        elif key == "approvals" and isinstance(value, Mapping):
            yield from _approvals(value)
        elif key == "approvals_by_code" and isinstance(value, Mapping):
            yield from _approvals_by_code(value)
        elif key == "forbidden" and not wrong_type(key, value):
            yield from _forbidden(value)
        elif wanted := wrong_type(key, value):
            yield ROWS["E003"].found(key=key, kind=kind_of(value), wanted=wanted)
        elif key in _RULES and not _RULES[key][0](value):
            yield ROWS["E004"].found(key=key, value=repr(value), wanted=_RULES[key][1])
        elif isinstance(value, (int, float)) and not value <= LARGEST:
            words = f"at most {LARGEST:,}"
            yield ROWS["E004"].found(key=key, value="no such number", wanted=words)
    if given.get("self_approval") is True:
        yield ROWS["W002"].found()
    if given.get("trust_command_line") is True:
        yield ROWS["W003"].found()


def _approvals(given: Mapping[Any, Any]) -> Iterator[CheckMessage]:
    for level, number in given.items():
        whole = isinstance(number, int) and not isinstance(number, bool)
        if level not in list(Risk) or not whole or not 1 <= number <= 20:
            yield ROWS["E005"].found(value=repr(number), level=level)
    defaults = Settings().approvals
    missing = [str(risk) for risk in Risk if risk not in given]
    if missing:
        numbers = ", ".join(str(defaults[level]) for level in missing)
        verb = "is" if len(missing) == 1 else "are"
        yield ROWS["W001"].found(levels=", ".join(missing), numbers=f"{numbers} {verb}")


def _approvals_by_code(given: Mapping[Any, Any]) -> Iterator[CheckMessage]:
    for code, number in given.items():
        whole = isinstance(number, int) and not isinstance(number, bool)
        if not whole or not 1 <= number <= 20:
            yield ROWS["E006"].found(value=repr(number), code=code)
        elif code not in codes() and not str(code).startswith("squawk_"):
            yield ROWS["E007"].found(code=code, nearest=nearest(str(code), codes()))


def _forbidden(given: Iterable[str]) -> Iterator[CheckMessage]:
    for code in given:
        if code not in codes() and not code.startswith("squawk_"):
            yield ROWS["E008"].found(code=code, nearest=nearest(code, codes()))


def nearest(word: str, known: Iterable[str]) -> str:
    """`` Did you mean lease?`` or nothing, to follow a sentence."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {found[0]}?" if found else ""
