"""What was sent to a database once, to be sent to others: tables that took Django seconds to make.

with kept("target") as sent:
    call_command("migrate", ...)
servers.execute(url, *sent)

"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.db import connections

from bot.database.statements import is_write
from tests import servers

_scripts: dict[tuple[str, str], list[str]] = {}
_files: dict[str, bytes] = {}


@contextlib.contextmanager
def kept(database: str) -> Iterator[list[str]]:
    """Every statement that writes, with its values in it, as it is sent inside."""
    connection = connections[database]
    sent: list[str] = []

    def keep(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        assert not many, "several rows of values are not kept"
        found = execute(sql, params, many, context)
        if is_write(str(sql)):
            cursor = context["cursor"].cursor
            sent.append(connection.ops.last_executed_query(cursor, sql, params))
        return found

    with connection.execute_wrapper(keep):
        yield sent


def made_once(name: str, database: str, url: str, make: Callable[[], None]) -> None:
    """Do ``make``, which fills this empty database, or what it did to the first of its vendor."""
    connection = connections[database]
    if connection.vendor == "sqlite":
        file = Path(url.removeprefix("sqlite:///"))
        if name in _files:
            file.write_bytes(_files[name])
        else:
            make()
            connection.close()
            _files[name] = file.read_bytes()
    elif (name, connection.vendor) in _scripts:
        servers.execute(url, *_scripts[name, connection.vendor])
    else:
        with kept(database) as sent:
            make()
        _scripts[name, connection.vendor] = sent
