"""What a column's definition in SQL says: its default, and whether PostgreSQL writes every row.

Definitions are in lower case, without the values of literals. Several rules read the same ones.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.route.risks import types
from bot.route.risks.known import Known
from bot.route.risks.verbs import Action

_STEADY = {
    "now", "statement_timestamp", "transaction_timestamp", "current_timestamp", "current_date",
    "lower", "upper", "concat", "coalesce", "length", "abs", "md5", "round", "trunc", "left",
    "right", "array", "jsonb_build_object", "json_build_object", "numeric", "varchar", "decimal",
    "char", "make_date", "make_interval", "interval", "timezone", "date_trunc", "extract", "pi",
    "replace", "greatest", "least", "nullif", "substring", "trim", "sqrt", "power", "sign", "floor",
    "ceiling", "exp", "ln", "timestamp", "time",
}  # fmt: skip
"""Functions that are immutable or stable: PostgreSQL then keeps one value and rewrites nothing."""

_DEFAULT = re.compile(
    r"\bdefault\s+(.+?)(?=\s+(?:not null|null|constraint|unique|primary key|references|check"
    r"|collate|generated)\b|$)"
)
_WRITES_ROWS = re.compile(r"\bgenerated\b.*\bstored\b|\bas identity\b|\b(?:small|big)?serial\b")
_TYPE = re.compile(r'(?:"?[\w$]+"?\.)?"?([\w$]+)')
_CAST = re.compile(r"::\s*\"?[a-z ]+\"?(?:\(\d+(?:, *\d+)?\))?")
_CALL = re.compile(r"([a-z_][\w.]*)\s*\(")

NOTHING = Known()


@lru_cache(maxsize=1024)
def default_of(rest: str) -> str:
    """The default in a column's definition, in lower case; empty without one."""
    found = _DEFAULT.search(rest)
    return found[1] if found else ""


def rewrites(rest: str, known: Known = NOTHING) -> bool:
    """Whether adding a column with this definition writes every row anew."""
    if _WRITES_ROWS.search(rest):
        return True
    kind = _TYPE.match(rest)
    if kind is not None and kind[1] in known.checked_domains:
        return True
    return any(
        name.split(".")[-1] not in known.steady_functions for name in functions_of(default_of(rest))
    )


@lru_cache(maxsize=1024)
def functions_of(default: str) -> tuple[str, ...]:
    """The functions that a default calls, but those that are known to be immutable or stable."""
    if "(" not in default:
        return ()
    called = _CALL.findall(_CAST.sub("", default))
    return tuple(name for name in called if name not in _STEADY)


def keeps_rows(action: Action, known: Known) -> bool:
    """Whether SQL by hand gives a column a type that is stored as the one that it has."""
    at = (action.table, action.name)
    after = re.match(r"(.+?)(?:\s+using\b|$)", action.rest)
    if at not in known.types or after is None or computes(action):
        return False
    if "collate" in action.rest:
        return False
    return types.keeps_rows(known.types[at], after[1], utc=known.utc, indexed=at in known.indexed)


def computes(action: Action) -> bool:
    """Whether a change of type has a USING that is more than a cast of the column."""
    using = re.search(r"\busing\b(.*)$", action.rest)
    if using is None:
        return False
    cast = rf'\(?\s*"?{re.escape(action.name.lower())}"?\s*(?:::.*)?\)?'
    return re.fullmatch(cast, using[1].strip()) is None
