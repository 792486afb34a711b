"""A shop to be rehearsed, with a server on which scratch databases may be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.database.migrating import MadeUpApp, installed

pytest.register_assert_rewrite("tests.database.rehearsal.facts")
"""So that a fact which does not hold is told with both sides of it."""


@pytest.fixture
def shop(
    tmp_path: Path,
    settings: Any,
    target: str,
    vendor: str,
    register_alias: Callable[[str, str], str],
    new_database: Callable[[str], str],
) -> Iterator[MadeUpApp]:
    """The app "shop" beside ``target``; rehearsals are held on the alias "scratch"."""
    register_alias("scratch", new_database(vendor))
    with installed(tmp_path, settings, "shop") as apps:
        settings.MIGRATION_BOT = {
            **settings.MIGRATION_BOT,
            "rehearsal_databases": {"target": "scratch"},
        }
        yield apps["shop"]
