"""An error of somebody's migration, told so that it can be shown: without values of rows."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from typing import Any

LIMIT = 20_000
"""Characters kept of a traceback: its end, where the error is."""
ROWS = ("22", "23")
"""Classes of SQLSTATE whose details quote values: data exceptions and broken constraints."""
LEFT_OUT = "(left out, since it quotes values of rows)"

_QUOTED_ENTRY = re.compile(r"(Duplicate entry ).*?( for key )", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """``error`` is what it says, ``error_type`` its class, ``traceback`` where it came from."""

    error: str
    error_type: str
    traceback: str


def tell(error: BaseException) -> Told:
    """``error`` in words. Where the database quotes a row, the quotation is left out."""
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return Told(
        error=without_rows(str(error), error).strip() or kind.__name__,
        error_type=f"{module}{kind.__qualname__}",
        traceback=without_rows("".join(traceback.format_exception(error)), error)[-LIMIT:],
    )


def without_rows(text: str, error: BaseException) -> str:
    """``text`` without what the database server quotes of rows in the errors behind ``error``.

    PostgreSQL does so in fields of their own (libpq's PQresultErrorField), MySQL and MariaDB in
    "Duplicate entry '…' for key".
    """
    for each in _chain(error):
        diagnosis: Any = getattr(each, "diag", None)
        if str(getattr(diagnosis, "sqlstate", None) or "").startswith(ROWS):
            for quoting in (diagnosis.message_detail, diagnosis.context):
                text = text.replace(quoting, LEFT_OUT) if quoting else text
    return _QUOTED_ENTRY.sub(r"\1(left out)\2", text)


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found
