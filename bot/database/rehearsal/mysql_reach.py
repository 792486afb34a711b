"""No statement of a rehearsal names another database of the server: on MariaDB and MySQL a user who
may see two can write to the one while connected to the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from bot.database.rehearsal.vendor import OutOfBounds

_OF_TABLES = (
    "(?:FROM|JOIN|INTO|UPDATE|TABLE|TABLES|EXISTS|REFERENCES|TO|LIKE|VIEW|TRIGGER|PROCEDURE|FUNCTION"
    "|CALL|IGNORE|LOW_PRIORITY|DELAYED|ONLY)"
)
"""Words that the name of a table or a routine follows."""


class Reach:
    """An execute wrapper that refuses statements which name one of ``others``.

    Texts inside of literals count too: they may be prepared and executed. Django writes a column as
    table and column, so the name of a table of ours means the table, but where tables are named.
    """

    def __init__(self, others: Sequence[str]) -> None:
        names = "|".join(re.escape(name) for name in others) or "(?!)"
        name = rf"(?:`(?P<quoted>{names})`|(?P<plain>{names}))"
        before = rf"(?P<where>\b{_OF_TABLES}\s+)?(?<![\w$`.])"
        self._qualified = re.compile(
            rf"{before}{name}\s*\.\s*(?:`[^`]+`|[\w$]+)(?P<three>\s*\.\s*[`\w])?", re.IGNORECASE
        )
        self._used = re.compile(rf"\bUSE\s+{name}(?![\w$])", re.IGNORECASE)

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        if name := self._named(str(sql), context["connection"]):
            raise OutOfBounds(f"It names the database {name}, which a rehearsal lets nobody touch.")
        return execute(sql, params, many, context)

    def _named(self, sql: str, connection: Any) -> str:
        for found in self._used.finditer(sql):
            return found["quoted"] or found["plain"]
        for found in self._qualified.finditer(sql):
            name: str = found["quoted"] or found["plain"]
            if found["where"] or found["three"] or not _is_table(connection, name):
                return name
        return ""


def _is_table(connection: Any, name: str) -> bool:
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE()"
            " AND table_name = %s",
            [name],
        )
        return cursor.fetchone() is not None
