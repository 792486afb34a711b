"""What every test may use: the three databases, scratch databases on them, small projects.

``vendor``       "sqlite", "postgresql" and "mysql", one after the other; a missing one is skipped
``scratch_url``  the URL of a fresh empty database of that vendor, dropped afterwards
``new_database`` makes more of them: ``new_database("postgresql")``
``target``       that database, registered here as the Django alias "target"
``project``      makes small Django projects in files and runs their manage.py, see tests.project
``woken``        what a tick of the bot's clock wakes: ``woken(NOW)``
"""

from __future__ import annotations

import contextlib
import functools
import gc
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dj_database_url
import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from tests import lending, servers, warm
from tests.project import Project, ProjectFactory

_servers = pytest.StashKey[servers.Found]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_servers] = servers.find_servers(own=True)


def pytest_sessionstart() -> None:
    """Django reads each CREATE TABLE of SQLite's anew whenever it is asked for constraints, which
    was three quarters of the time of tests that look often. It only looks at what it has read."""
    import sqlparse
    from django.db.backends.sqlite3 import introspection

    parse = functools.lru_cache(maxsize=256)(sqlparse.parse)
    parsed_once = SimpleNamespace(**vars(sqlparse) | {"parse": parse})
    monkeypatched: Any = introspection
    monkeypatched.sqlparse = parsed_once


def pytest_collection_finish() -> None:
    """What was collected stays. Models that migrations make are rubbish soon, but a look for it
    after each 700 objects, which is Python's own measure, is a fifth of the time of many tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_unconfigure(config: pytest.Config) -> None:
    warm.end()
    lending.end()
    if found := config.stash.get(_servers, None):
        found.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what could not run here: a green line must not hide it."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    terminalreporter.section("not run here")
    why: dict[str, list[str]] = {}
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        why.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    for reason, names in why.items():
        terminalreporter.line(f"{reason}:")
        for name in sorted(names):
            terminalreporter.line(f"    {name}")


@pytest.fixture(params=servers.VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    """A database vendor as Django names it."""
    name: str = request.param
    need(name)
    return name


def need(vendor: str) -> None:
    """Skip the test, by name, where there is no server of this vendor."""
    if because := servers.missing(vendor):
        pytest.skip(f"{vendor}: {because}")


@pytest.fixture
def new_database(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes empty databases: takes a vendor, returns a URL. All are gone afterwards."""
    with contextlib.ExitStack() as stack:

        def make(vendor: str) -> str:
            need(vendor)
            return stack.enter_context(lending.lent_database(vendor, tmp_path))

        yield make


@pytest.fixture
def scratch_url(vendor: str, new_database: Callable[[str], str]) -> str:
    """The URL of a fresh empty database of this vendor."""
    return new_database(vendor)


@pytest.fixture
def register_alias(django_db_blocker: DjangoDbBlocker) -> Iterator[Callable[[str, str], str]]:
    """Registers a URL as a Django alias for the length of the test: ``register_alias("a", url)``.

    Ask for ``db`` or use the django_db mark as usual when the bot's own tables are needed too.
    """
    added: list[str] = []

    def register(alias: str, url: str) -> str:
        connections.settings[alias] = dict(dj_database_url.parse(url))
        connections.configure_settings(connections.settings)
        added.append(alias)
        return alias

    with django_db_blocker.unblock():
        yield register
        for alias in added:
            connections[alias].close()
            del connections[alias]
            del connections.settings[alias]


@pytest.fixture
def target(scratch_url: str, register_alias: Callable[[str, str], str]) -> str:
    """The alias "target": a fresh empty database of this vendor, open to this test."""
    return register_alias("target", scratch_url)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectFactory]:
    """Makes small Django projects under ``tmp_path``; their processes are ended afterwards."""
    made: list[Project] = []

    def make(**options: object) -> Project:
        folder = tmp_path / f"project{len(made) or ''}"
        made.append(Project(folder, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def woken(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> Callable[[datetime], list[tuple[str, str]]]:
    """What a tick at a moment wakes."""
    from bot import clock, waking

    def tick(at: datetime) -> list[tuple[str, str]]:
        wakes: list[tuple[str, str]] = []
        monkeypatch.setattr(
            waking, "_wakers", [lambda task, keys: wakes.extend((task, key) for key in keys)]
        )
        with django_capture_on_commit_callbacks(execute=True):
            clock.tick(now=at)
        return wakes

    return tick
