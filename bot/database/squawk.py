"""squawk, a linter of PostgreSQL's SQL, as a second opinion where it is installed.

It sees each statement's text and nothing of the tables, so what the rules know better is left out:
what they say too, tables that the plan makes, and its known false alarms (widening, comments,
defaults of now).
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from bot.route.findings import Finding, Risk
from bot.route.risks.facts import Deed, OperationFacts, Situation, StepFacts
from bot.route.risks.reading import actions

logger = logging.getLogger("migration_bot")

VERSION = "2.70.0"
"""The version whose verdicts are known; rules are renamed between versions."""
TIMEOUT = 20.0
"""Seconds for one plan; a call takes some milliseconds."""

SAID_BY_US = frozenset(
    {
        "adding-field-with-default",
        "adding-foreign-key-constraint",
        "adding-not-nullable-field",
        "adding-required-field",
        "adding-serial-primary-key-field",
        "ban-concurrent-index-creation-in-transaction",
        "ban-drop-column",
        "ban-drop-not-null",
        "ban-drop-table",
        "changing-column-type",
        "constraint-missing-not-valid",
        "disallowed-unique-constraint",
        "renaming-column",
        "renaming-table",
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
        "transaction-nesting",
    }
)
"""Our rules say these with the table and its size, or know why they do not hold here."""
TASTE = frozenset(
    {
        "ban-char-field",
        "identifier-too-long",
        "prefer-bigint-over-int",
        "prefer-bigint-over-smallint",
        "prefer-identity",
        "prefer-repack",
        "prefer-robust-stmts",
        "prefer-text-field",
        "prefer-timestamp-tz",
        "require-enum-value-ordering",
        "require-lock-timeout",
        "require-statement-timeout",
        "require-timeout-settings",
        "syntax-error",
    }
)
"""How a schema is written, not what running it does; the bot sets the timeouts itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """``found`` for each step; ``notes`` say when nobody linted."""

    found: tuple[tuple[Finding, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One line of what squawk is given."""

    sql: str
    step: int = -1
    operation: OperationFacts | None = None


def lint(steps: Sequence[StepFacts], situation: Situation) -> Linted:
    """What squawk adds to our findings, one call for all steps. It never fails a plan."""
    nothing = tuple(() for _ in steps)
    if situation.vendor != "postgresql":
        return Linted(found=nothing)
    if (binary := find()) is None:
        return Linted(found=nothing, notes=("Not checked by squawk, which is not installed.",))
    lines = _lines(steps)
    if not any(line.operation for line in lines):
        return Linted(found=nothing)
    verdicts = ask(binary, [line.sql for line in lines], situation.version)
    if verdicts is None:
        return Linted(found=nothing, notes=("Not checked by squawk, which did not answer.",))
    fresh = {
        action.table
        for line in lines
        for action in actions(line.sql)
        if action.verb == "create table"
    }
    found: list[list[Finding]] = [[] for _ in steps]
    for verdict in verdicts:
        number = int(verdict.get("line", -1))
        if 0 <= number < len(lines) and lines[number].operation is not None:
            line = lines[number]
            one = _finding(verdict, line, steps[line.step], fresh)
            if one is not None and one not in found[line.step]:
                found[line.step].append(one)
    return Linted(found=tuple(tuple(of_step) for of_step in found))


@cache
def find() -> Path | None:
    """The binary of the pinned version, from this environment; None when there is none."""
    try:
        if metadata.version("squawk-cli") != VERSION:
            return None
    except metadata.PackageNotFoundError:
        return None
    found = shutil.which("squawk", path=sysconfig.get_path("scripts")) or shutil.which("squawk")
    return Path(found) if found else None


def _lines(steps: Sequence[StepFacts]) -> list[_Line]:
    """Each statement on a line of its own, since squawk tells lines; a transaction a step."""
    lines: list[_Line] = []
    for number, step in enumerate(steps):
        if step.atomic:
            lines.append(_Line(sql="BEGIN;"))
        for kind in ("statements", "deferred"):
            for one in step.operations:
                for sql in getattr(one, kind):
                    text = " ".join(sql.split())
                    if one.deed is Deed.SQL and ("--" in sql or "$" in sql):
                        continue  # It cannot be put on one line as it is.
                    lines.append(_Line(sql=f"{text.rstrip(';')};", step=number, operation=one))
        if step.atomic:
            lines.append(_Line(sql="COMMIT;"))
    return lines


def ask(
    binary: Path, lines: Sequence[str], version: tuple[int, ...]
) -> list[dict[str, Any]] | None:
    """squawk's verdicts on these lines, counted from 0; None when it gave none."""
    known = ["--pg-version", f"{version[0]}.0"] if version else []
    try:
        done = subprocess.run(
            [
                str(binary),
                "--reporter",
                "json",
                "--no-assume-in-transaction",
                "--config",
                "/dev/null",
                "--stdin-filepath",
                "plan.sql",
                *known,
            ],
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        if done.returncode not in (0, 1):
            logger.warning("squawk ended with %d: %s", done.returncode, done.stderr[-500:])
            return None
        verdicts = json.loads(done.stdout or "[]")
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        logger.warning("squawk gave no answer: %s", error)
        return None
    return verdicts if isinstance(verdicts, list) else None


def _finding(
    verdict: dict[str, Any], line: _Line, step: StepFacts, fresh: set[str]
) -> Finding | None:
    rule = str(verdict.get("rule_name", ""))
    if rule in SAID_BY_US or rule in TASTE or not rule or line.operation is None:
        return None
    read = actions(line.sql)
    if rule == "ban-drop-default" and line.operation.deed is not Deed.SQL:
        return None  # Django drops the default that it gave the column a statement before.
    if rule == "renaming-object" and line.operation.deed is Deed.RENAME_INDEX:
        return None  # No query names an index.
    tables = {action.table for action in read if action.table}
    if tables and tables <= fresh:
        return None
    return Finding(
        code=f"squawk_{rule.replace('-', '_')}",
        level=Risk.CAUTION,
        because=f"squawk: {verdict.get('message', rule)}",
        instead=str(verdict.get("help") or ""),
        step=step.key,
        operation=line.operation.place,
        table=min(tables, default=line.operation.table),
    )
