"""A connection that is lost while a plan is made: said as what it is, wherever it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from bot.database import planner
from bot.route.refusals import DatabaseDown
from tests.database.migrating import installed
from tests.database.planning import ID, plan, source

MODEL = f"migrations.CreateModel('Order', [{ID}, ('total', models.IntegerField())])"
INDEX = "migrations.AddIndex('Order', models.Index(fields=['total'], name='totals'))"

on_servers = pytest.mark.parametrize("vendor", ["postgresql", "mysql"], indirect=True)


@pytest.fixture
def shop(target: str, tmp_path: Path, settings: Any) -> Iterator[Any]:
    with installed(tmp_path, settings, "shop") as apps:
        apps["shop"].write(
            {
                "0001_initial": source(MODEL),
                "0002_index": source(INDEX, after=(("shop", "0001_initial"),)),
            }
        )
        yield apps["shop"]
    connections[target].close()


def cut(database: str) -> None:
    """End the session that the plan has now, from another one."""
    now: Any = connections[database]
    postgresql = now.vendor == "postgresql"
    session = now.connection.info.backend_pid if postgresql else now.connection.thread_id()
    other = now.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)" if postgresql else "KILL %s", [session])
    other.close()


@on_servers
def test_between_two_steps(target: str, shop: Any) -> None:
    with pytest.raises(DatabaseDown, match="does not answer"):
        plan(target, "shop", progress=lambda *_: cut(target))


# MariaDB has told by then whose database it is: without the rest a plan knows less, and says so.
@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
@pytest.mark.parametrize("before", ["previewed", "examined"])
def test_before_a_part_begins(
    target: str, shop: Any, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin: Callable[..., Any] = getattr(planner, before)

    def cut_first(*given: Any) -> Any:
        cut(target)
        return begin(*given)

    monkeypatch.setattr(planner, before, cut_first)
    with pytest.raises(DatabaseDown, match="does not answer"):
        plan(target, "shop")


@on_servers
def test_the_next_plan_is_made_as_ever(target: str, shop: Any) -> None:
    with pytest.raises(DatabaseDown):
        plan(target, "shop", progress=lambda *_: cut(target))
    assert len(plan(target, "shop").steps) == 2
