"""The watcher tells when the set of blockers changes, and never touches the run."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError

from bot.database import watching
from bot.database.messages import Waiting
from bot.database.watching import Watcher


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST", 0.005)
    monkeypatch.setattr(watching, "LEAST", 0.005)


class Seen:
    """Looks that find the given blockers one after the other, and what was told of them."""

    def __init__(self, *looks: tuple[str, ...] | Exception) -> None:
        self._looks = iter(looks)
        self.told: list[Waiting] = []
        self.over = threading.Event()

    def look(self) -> tuple[str, ...]:
        found = next(self._looks, None)
        if found is None:
            self.over.set()
            return self.told[-1].blockers if self.told else ()
        if isinstance(found, Exception):
            raise found
        return found

    def watch(self, during: Callable[[Watcher], None] = lambda watcher: None) -> tuple[str, ...]:
        with Watcher(self.look, self.told.append) as watcher:
            watcher.begin("shop.0002")
            assert self.over.wait(30)
            during(watcher)
            return watcher.end()

    @property
    def blockers(self) -> list[tuple[str, ...]]:
        return [message.blockers for message in self.told]


def test_it_tells_only_when_the_set_changes() -> None:
    seen = Seen((), ("psql",), ("psql",), ("psql", "cron"), ())
    assert seen.watch() == ("psql", "cron")
    assert seen.blockers == [("psql",), ("psql", "cron"), ()]


def test_an_age_that_grows_is_no_news() -> None:
    seen = Seen(("psql, idle for 1 s",), ("psql, idle for 2 s",), ("psql, idle for 3 s",))
    seen.watch()
    assert seen.blockers == [("psql, idle for 1 s",), ()]


def test_the_end_of_a_step_ends_the_waiting() -> None:
    seen = Seen(("psql",))
    seen.watch()
    assert seen.blockers == [("psql",), ()]


def test_a_look_that_fails_is_followed_by_the_next() -> None:
    seen = Seen(OperationalError("gone"), ("psql",))
    seen.watch()
    assert seen.blockers[0] == ("psql",)


def test_nobody_looks_while_no_step_runs() -> None:
    looked = threading.Event()

    def look() -> tuple[str, ...]:
        looked.set()
        return ()

    with Watcher(look, lambda waiting: None) as watcher:
        assert not looked.wait(0.1)
        watcher.begin("shop.0001")
        assert looked.wait(30)
