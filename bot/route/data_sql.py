"""The SQL of a data check, under the names that tables and columns have today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.route.risks.claims import Claim

Quote = Callable[[str], str]
ROWS = "mbot_rows"
"""What the table is called in a question, so that a table may point to itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """A table and its columns as they are called now; ``columns`` holds those with another name
    than the claim uses. ``parent`` is None where no row can be in it: the plan makes the table."""

    table: str
    columns: Mapping[str, str]
    parent: str | None = None
    parent_column: str = ""


def quoted(name: str, vendor: str) -> str:
    """A name as Django's backends quote it."""
    mark = "`" if vendor == "mysql" else '"'
    return name if name[:1] == name[-1:] == mark else f"{mark}{name}{mark}"


def counting(claim: Claim, today: Today, *, vendor: str, limit: int) -> str:
    """Counts what breaks the claim, up to ``limit`` (or one more than is allowed)."""
    if claim.allowed is not None:
        limit = max(limit, claim.allowed + 1)
    found = f"SELECT 1 AS mbot_one {_broken(claim, today, vendor)} LIMIT {limit}"
    return f"SELECT count(*) FROM ({found}) AS mbot_found"  # noqa: S608 names are quoted


def finding_keys(claim: Claim, today: Today, *, vendor: str, limit: int) -> str:
    """Primary keys of rows that break the claim; nothing where there is no such row to name."""
    if not claim.key or not limit or claim.allowed is not None:
        return ""
    keys = ", ".join(quoted(name, vendor) for name in claim.key)
    if not claim.shared:
        return f"SELECT {keys} {_broken(claim, today, vendor)} LIMIT {limit}"
    shared = ", ".join(claim.shared)
    inside = f"SELECT {shared} {_broken(claim, today, vendor)}"
    among = f"({claim.bad}) AND " if claim.bad else ""
    where = f"WHERE {among}({shared}) IN ({inside})"
    return f"SELECT {keys} FROM {_source(claim, today, vendor)} {where} LIMIT {limit}"  # noqa: S608


def _broken(claim: Claim, today: Today, vendor: str) -> str:
    """From FROM on: what breaks the claim, a row each (or a value that several rows share)."""
    where = [f"({claim.bad})"] if claim.bad else []
    if claim.parent is not None:
        where.append(_orphans(claim, today, vendor))
    words = f"FROM {_source(claim, today, vendor)}"
    if where:
        words += f" WHERE {' AND '.join(where)}"
    if claim.shared:
        words += f" GROUP BY {', '.join(claim.shared)} HAVING count(*) > 1"
    return words


def _orphans(claim: Claim, today: Today, vendor: str) -> str:
    there = f"{claim.value} IS NOT NULL"
    if today.parent is None:
        return there
    column = quoted(today.parent_column, vendor)
    value = f"{ROWS}.{claim.value}" if claim.columns else claim.value
    parent = f"{quoted(today.parent, vendor)} AS mbot_parent"
    found = f"SELECT 1 FROM {parent} WHERE mbot_parent.{column} = {value}"  # noqa: S608
    return f"{there} AND NOT EXISTS ({found})"


def _source(claim: Claim, today: Today, vendor: str) -> str:
    """The table, its columns under the names that the claim uses."""
    table = quoted(today.table, vendor)
    if not today.columns:
        return f"{table} AS {ROWS}"
    names = dict.fromkeys((*claim.columns, *claim.key))
    columns = ", ".join(
        f"{quoted(today.columns.get(name, name), vendor)} AS {quoted(name, vendor)}"
        for name in names
    )
    return f"(SELECT {columns} FROM {table}) AS {ROWS}"  # noqa: S608
