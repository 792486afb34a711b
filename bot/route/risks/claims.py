"""What an operation demands of the rows that are there, under the names of its moment.

``bot.database.claims`` takes them from Django's operations; ``bot.route.data_ledger`` finds out
which of them today's data can be asked about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.route.data_checks import BREAKS, CUTS, About
from bot.route.risks.conversions import Conversion


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """Where values must be found that point there: ``column`` of ``table``."""

    table: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One demand. The words are those of ``bot.route.data_checks.DataCheck``.

    What breaks it is one of: rows for which ``bad`` is true; values of ``shared`` that more than
    one row has; rows whose ``value`` is not found in ``parent``; more than ``allowed`` rows at all.
    ``bad``, ``shared`` and ``value`` are SQL with quoted column names and nothing before them.
    ``columns`` are all that they read, ``key`` the primary key's. ``no_null`` says that the demand
    is that ``columns[0]`` has no NULL.
    """

    about: About
    words: str
    table: str
    code: str = BREAKS
    one: str = ""
    many: str = ""
    then: str = ""
    instead: str = ""
    columns: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    bad: str = ""
    shared: tuple[str, ...] = ()
    value: str = ""
    parent: Parent | None = None
    allowed: int | None = None
    no_null: bool = False
    why_not: str = ""


Quote = Callable[[str], str]


def no_null(table: str, column: str, *, quote: Quote, key: tuple[str, ...] = ()) -> Claim:
    """The column becomes NOT NULL, and nothing fills it before."""
    return Claim(
        about=About.NULL,
        words=f"{table}.{column} has no NULL",
        one=f"row of {table} has NULL in {column}",
        many=f"rows of {table} have NULL in {column}",
        then="SET NOT NULL would fail",
        instead=f"Give these rows a value in {column} first, in a migration of its own or by hand.",
        table=table,
        columns=(column,),
        key=key,
        bad=f"{quote(column)} IS NULL",
        no_null=True,
    )


def few_rows(table: str, column: str, *, allowed: int) -> Claim:
    """A column is added that has no value for rows that are there (none may be), or the same
    value for all of them although it must be unique (one may be)."""
    if allowed:
        words = f"{table} has at most one row, which may have {column} to itself"
        then = f"all would get the same value of {column}, which must be unique, so it would fail"
        instead = "null=True first, then fill it row by row, then unique=True."
    else:
        words = f"{table} has no rows, for which {column} has no value"
        then = f"{column} is NOT NULL and has no value for them, so it would fail"
        instead = f"Give {column} a default or null=True, in the migration before."
    return Claim(
        about=About.ROWS,
        words=words,
        one=f"row is in {table}",
        many=f"rows are in {table}",
        then=then,
        instead=instead,
        table=table,
        allowed=allowed,
    )


def unique(
    table: str,
    what: str,
    *,
    columns: tuple[str, ...],
    shared: tuple[str, ...],
    condition: str = "",
    nulls_differ: bool = True,
    key: tuple[str, ...] = (),
) -> Claim:
    """No two rows (that satisfy ``condition``) have the same ``shared``; NULLs are not the same."""
    there = [f"{one} IS NOT NULL" for one in shared] if nulls_differ else []
    where = [f"({condition})"] if condition else []
    among = " among the rows it is for" if condition else ""
    return Claim(
        about=About.UNIQUE,
        words=f"no two rows of {table} have the same {what}{among}",
        one=f"value of {what} stands in more than one row of {table}{among}",
        many=f"values of {what} stand in more than one row of {table}{among}",
        then="the unique constraint would fail",
        instead="Make them differ, or merge these rows, first.",
        table=table,
        columns=columns,
        key=key,
        bad=" AND ".join(where + there),
        shared=shared,
    )


def keeps(
    table: str, name: str, condition: str, *, columns: tuple[str, ...], key: tuple[str, ...] = ()
) -> Claim:
    """Every row keeps a check; one that comes to NULL keeps it too."""
    return Claim(
        about=About.CHECK,
        words=f"every row of {table} keeps {name}",
        one=f"row of {table} breaks {name}",
        many=f"rows of {table} break {name}",
        then="adding the check would fail",
        instead="Correct these rows first.",
        table=table,
        columns=columns,
        key=key,
        bad=f"NOT ({condition})",
    )


def points_to(
    table: str, column: str, parent: Parent, *, quote: Quote, key: tuple[str, ...] = ()
) -> Claim:
    """Every value of a foreign key is found where it points to."""
    return Claim(
        about=About.PARENT,
        words=f"every {table}.{column} is in {parent.table}",
        one=f"row of {table} points by {column} to what is not in {parent.table}",
        many=f"rows of {table} point by {column} to what is not in {parent.table}",
        then="the foreign key would fail",
        instead="Delete these rows, or let them point to what is there, first.",
        table=table,
        columns=(column,),
        key=key,
        value=quote(column),
        parent=parent,
    )


def converts(
    table: str,
    column: str,
    types: str,
    one: Conversion,
    *,
    key: tuple[str, ...] = (),
) -> Claim:
    """Every value of a column is one of its new type too; ``types`` is ``text to integer``."""
    then = f"{one.lost} would be cut without an error ({types})" if one.cuts else ""
    return Claim(
        code=CUTS if one.cuts else BREAKS,
        about=About.TYPE,
        words=f"no value of {table}.{column} is {one.what or f'lost from {types}'}",
        one=f"value of {table}.{column} is {one.what}",
        many=f"values of {table}.{column} are {one.what}",
        then=then or f"the change of type would fail ({types})",
        instead="Shorten or convert these values first, or put them into a new column."
        if one.cuts
        else "Correct these values first, or fill a new column of the new type.",
        table=table,
        columns=(column,),
        key=key,
        bad=one.bad,
        why_not=one.why_not,
    )


def unasked(table: str, words: str, why_not: str) -> Claim:
    """A demand of which nobody can ask whether the data satisfies it."""
    return Claim(about=About.OTHER, words=words, table=table, why_not=why_not)
