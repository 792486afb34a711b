"""Asks today's data whether it satisfies what a plan demands: read-only, and never for long.

Each question is a count that stops at a limit. How long it may take is set for it alone: on
PostgreSQL with SET LOCAL inside its own transaction, which is rolled back, so that nothing leaks
to the next client behind PgBouncer; on MariaDB and MySQL on a connection of our own; on SQLite by
a progress handler. What cannot be asked in time stays unknown and never counts as a yes.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseProblem
from django.db import connections

from bot.conf import get_settings
from bot.database.errors import tell
from bot.database.guard import Guard, WriteRefused
from bot.database.readonly import Looking, close_copy, let_go, read_only_copy
from bot.database.trouble import Trouble, trouble
from bot.route.data_checks import Answer, Checked, DataCheck
from bot.route.data_ledger import checks_of
from bot.route.risks.facts import Size, StepFacts

logger = logging.getLogger("migration_bot")

ROWS_A_SECOND = 10_000_000
"""Rows of a table that a scan reads in a second on an idle machine (0.08 µs a row were measured):
a table with more than the whole time is good for is not begun with."""
_TOO_SHORT = 0.001
"""Seconds in which nothing is begun."""
_STEPS = 10_000
"""SQLite's virtual machine instructions between two looks at the clock."""


def checked(
    looking: Looking, steps: Sequence[StepFacts], sizes: Mapping[str, Size]
) -> tuple[Checked, ...]:
    """What a plan demands of today's data, and what the data says to it. Empty where it demands
    nothing; nothing is asked then, of nobody."""
    settings = get_settings()
    if not settings.data_checks:
        return ()
    connection = looking.connection
    found = checks_of(
        steps,
        vendor=connection.vendor,
        limit=settings.data_check_limit,
        examples=settings.data_check_examples,
    )
    if not found:
        return ()
    looking.rest()
    replica = settings.data_check_databases.get(connection.alias, "")
    if not replica:
        return _Asker(connection, sizes).all(found)
    with _copy_of(replica) as copy:
        return _Asker(copy, sizes, asked=replica).all(found)


def checked_again(database: str, checks: Sequence[DataCheck]) -> tuple[Checked, ...]:
    """The same questions once more, by a read-only connection of their own."""
    if not checks:
        return ()
    replica = get_settings().data_check_databases.get(database, "")
    with _copy_of(replica or database) as copy:
        return _Asker(copy, {}, asked=replica).all(checks)


@contextmanager
def _copy_of(alias: str) -> Iterator[Any]:
    """A read-only copy of this alias's connection, closed at the end; None for an unknown alias."""
    if alias not in connections.settings:
        yield None
        return
    copy = read_only_copy(connections[alias], Guard())
    _be_impatient(copy, get_settings().data_check_seconds)
    try:
        yield copy
    finally:
        close_copy(copy)


def _be_impatient(copy: Any, seconds: float) -> None:
    """Whoever does not answer at all keeps nobody waiting for longer, nor the lock that is held.
    What the settings ask for themselves stays."""
    whole = max(2, math.ceil(seconds))
    wanted = {
        "postgresql": {
            "connect_timeout": whole,
            "keepalives_idle": whole,
            "keepalives_interval": 1,
            "keepalives_count": 3,
        },
        "mysql": {"connect_timeout": whole, "read_timeout": whole},
    }.get(copy.vendor, {})
    copy.settings_dict["OPTIONS"] = {**wanted, **copy.settings_dict.get("OPTIONS", {})}


class _Asker:
    """Asks one connection, which can only read, within the time that there is for all of it."""

    def __init__(self, connection: Any, sizes: Mapping[str, Size], *, asked: str = "") -> None:
        self.connection = connection
        self.sizes = sizes
        self.asked = asked
        self.seconds = get_settings().data_check_seconds
        self.until = time.monotonic() + self.seconds

    def all(self, checks: Sequence[DataCheck]) -> tuple[Checked, ...]:
        """The answers, in the order of the checks. Small tables are asked first: what is left of
        the time is shared among those that still wait."""
        found: dict[int, Checked] = {}
        waiting = sorted(
            (place for place, check in enumerate(checks) if check.sql),
            key=lambda place: self._rows(checks[place]),
        )
        gone = self._gone() if waiting else ""
        for number, place in enumerate(waiting):
            left = len(waiting) - number
            share = (self.until - time.monotonic()) / left
            check = checks[place]
            found[place] = self._unknown(check, gone) if gone else self._one(check, share)
        return tuple(
            found[place] if place in found else self._unknown(check, check.why_not)
            for place, check in enumerate(checks)
        )

    def _gone(self) -> str:
        """Why nobody can be asked; empty when somebody can."""
        if self.connection is None:
            return f"there is no database {self.asked} (data_check_databases)"
        try:
            self.connection.ensure_connection()
        except (DatabaseProblem, ImproperlyConfigured) as error:
            name = f"the replica {self.asked}" if self.asked else "the database"
            return f"{name} does not answer ({_one_line(error)})"
        return ""

    def _rows(self, check: DataCheck) -> int:
        size = self.sizes.get(check.table)
        known = size.rows if size is not None else None
        return 2**62 if known is None else known

    def _one(self, check: DataCheck, seconds: float) -> Checked:
        size = self.sizes.get(check.table)
        if size is not None and (size.rows or 0) > self.seconds * ROWS_A_SECOND:
            return self._unknown(
                check, f"{check.table} is too large to be read in {self.seconds:g} s"
            )
        if seconds <= _TOO_SHORT:
            return self._unknown(check, self._time_is_over())
        until = time.monotonic() + seconds
        try:
            count = int(self._asked(check.sql, seconds)[0][0])
        except (DatabaseProblem, WriteRefused) as error:
            if trouble(error) in (Trouble.STATEMENT_TIMEOUT, Trouble.LOCK):
                return self._unknown(check, self._time_is_over())
            logger.info("A data check could not be asked: %s", error)
            return self._unknown(check, f"the database could not say ({_one_line(error)})")
        if count <= check.allowed:
            return Checked(check=check, answer=Answer.HOLDS, asked=self.asked)
        return Checked(
            check=check,
            answer=Answer.BROKEN,
            count=count,
            at_least=count >= max(check.limit, check.allowed + 1),
            examples=self._examples(check, until - time.monotonic()),
            asked=self.asked,
        )

    def _examples(self, check: DataCheck, seconds: float) -> tuple[str, ...]:
        """Primary keys, where they are wanted and there is time; the count stands without."""
        if not check.examples_sql or seconds <= _TOO_SHORT:
            return ()
        try:
            rows = self._asked(check.examples_sql, seconds)
        except (DatabaseProblem, WriteRefused) as error:
            logger.info("Examples of a data check could not be had: %s", error)
            return ()
        return tuple(", ".join(map(str, row)) for row in rows)

    def _asked(self, sql: str, seconds: float) -> list[tuple[Any, ...]]:
        try:
            with _limited(self.connection, seconds), self.connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        finally:
            _let_go(self.connection)

    def _time_is_over(self) -> str:
        return f"it could not be answered in the {self.seconds:g} s that data checks may take"

    def _unknown(self, check: DataCheck, why_not: str) -> Checked:
        why_not = " ".join(why_not.split()).rstrip(".")
        return Checked(check=check, answer=Answer.UNKNOWN, why_not=why_not, asked=self.asked)


@contextmanager
def _limited(connection: Any, seconds: float) -> Iterator[None]:
    """No statement in here takes longer. Told to the driver itself: the guard lets no SET pass."""
    connection.ensure_connection()
    raw, milliseconds = connection.connection, max(1, round(seconds * 1000))
    if connection.vendor == "postgresql":
        _tell(raw, f"SET LOCAL statement_timeout = {milliseconds}")
        yield
    elif connection.vendor == "mysql":
        if connection.mysql_is_mariadb:
            _tell(raw, f"SET SESSION max_statement_time = {milliseconds / 1000}")
        else:
            _tell(raw, f"SET SESSION max_execution_time = {milliseconds}")
        _tell(raw, f"SET SESSION lock_wait_timeout = {max(1, int(seconds))}")
        yield
    else:
        until = time.monotonic() + seconds
        raw.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        try:
            yield
        finally:
            raw.set_progress_handler(None, 0)


def _let_go(connection: Any) -> None:
    """End what reading began. That a connection is broken is told by whoever asks next."""
    try:
        let_go(connection)
    except Exception as error:  # noqa: BLE001 the driver's own class, whichever it is
        logger.info("The connection that data checks ask was lost: %s", error)
        connection.close()


def _tell(raw: Any, statement: str) -> None:
    cursor = raw.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()


def _one_line(error: BaseException) -> str:
    """What the database says, without values of rows."""
    return " ".join(tell(error).error.split())[:300].rstrip(".")
