"""Somebody else at the same database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections


def execute(alias: str, sql: str, params: list[Any] | None = None) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def other(target: str, scratch_url: str, register_alias: Callable[[str, str], str]) -> str:
    """The same database on a connection of somebody else."""
    execute(target, "CREATE TABLE item (id integer PRIMARY KEY, name varchar(10))")
    execute(target, "INSERT INTO item VALUES (1, 'one'), (2, 'two')")
    return register_alias("other", scratch_url)
