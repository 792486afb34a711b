"""``/healthz``: for whatever watches over the site. No sign-in, and nothing secret."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponseBase

from bot.apart import standing_apart
from bot.operations import clocks, reading, vital_signs
from bot.operations.changing import is_setup_missing
from bot.web import answers
from bot.web.edge import answered

logger = logging.getLogger("migration_bot")

NEEDED = ("database", "worker")
"""The parts without which nothing can be asked for or run."""

LATE = 300
"""Seconds after which a post that still waits is worth a look."""


def _health(request: HttpRequest) -> HttpResponseBase:
    """200, or 503 when the bot's database or its workers are down; JSON either way.

    Only the state database is asked. A target database that is down is no fault of this site, and
    asking it could hang for as long as its driver waits.
    """
    return answered(request, lambda: _answer(request))


def _answer(request: HttpRequest) -> HttpResponseBase:
    if request.method not in ("GET", "HEAD"):
        return answers.not_allowed(request, ("GET", "HEAD"))
    parts = look(now=datetime.now(UTC))
    healthy = all(parts[name]["ok"] for name in NEEDED)
    return answers.as_json({"ok": healthy, **parts}, status=200 if healthy else 503)


def look(*, now: datetime) -> dict[str, Any]:
    """Each part with ``ok`` and words; ages are whole seconds."""
    try:
        return {
            "audit": _audit(),
            "database": {"ok": True, "words": "The bot's own tables answer."},
            "worker": _worker(now),
            "outbox": _outbox(now),
        }
    except DatabaseError as error:
        words = "The database with the bot's own tables does not answer."
        if is_setup_missing(error):
            words = "The bot's own tables are missing or old: run `manage.py migration_bot setup`."
        else:
            # Not in the answer: an error text may hold host and user names.
            logger.warning("healthz: the state database does not answer", exc_info=True)
        unknown = {"ok": False, "words": "Not known while the database does not answer."}
        database = {"ok": False, "words": words}
        return {"audit": unknown, "database": database, "worker": unknown, "outbox": unknown}


def _worker(now: datetime) -> dict[str, Any]:
    pulse = vital_signs.pulse(now=now)
    age = None if pulse.newest_age is None else round(pulse.newest_age)
    if pulse.alive:
        words = f"{pulse.workers} alive; the newest heartbeat is {age} s old."
    elif age is None:
        words = "No worker was ever seen: start `manage.py migration_bot worker`."
    elif age < 0:
        words = f"The newest heartbeat is {-age} s in the future: the machines' clocks differ."
    else:
        words = f"The newest heartbeat is {age} s old: start `manage.py migration_bot worker`."
    off = len(clocks.workers_off(now=now))
    if off:
        # Which, and by how much, is for people with a shell: this page is open.
        whose = "1 worker's clock is" if off == 1 else f"{off} workers' clocks are"
        words += f" {whose} off: see `manage.py migration_bot doctor`."
    # Whoever's clock is off takes no run; somebody else may.
    fine = pulse.alive and off < max(pulse.workers, 1)
    return {"ok": fine, "words": words, "workers": pulse.workers, "newest_age": age}


def _outbox(now: datetime) -> dict[str, Any]:
    backlog = vital_signs.backlog(now=now)
    age = None if backlog.oldest_age is None else round(backlog.oldest_age)
    words = "Nothing waits." if age is None else f"{backlog.waiting} wait, the oldest for {age} s."
    late = age is not None and age > LATE
    broken = len(vital_signs.broken_channels())
    if broken:
        # Which, and why, is for people with a shell or a staff account: this page is open.
        channels = "1 channel takes" if broken == 1 else f"{broken} channels take"
        words += f" {channels} nothing: see `manage.py migration_bot doctor`."
    given_up = vital_signs.given_up()
    if given_up:
        were = "1 message was" if given_up == 1 else f"{given_up} messages were"
        words += f" {were} given up: see `manage.py migration_bot doctor`."
    return {
        "ok": not late and not broken,
        "words": words,
        "backlog": backlog.waiting,
        "oldest_age": age,
        "broken_channels": broken,
        "given_up": given_up,
    }


def _audit() -> dict[str, Any]:
    seq, digest = reading.audit_head()
    words = f"Entry {seq} is the newest." if seq else "Nothing was written yet."
    return {"ok": True, "words": words, "seq": seq, "hash": digest[:12]}


health = standing_apart(_health)
