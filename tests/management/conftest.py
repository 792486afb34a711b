"""The command in this process: what it wrote, and the exit code a shell would have seen."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from bot.management import planning
from bot.route.plan import Plan
from tests.plans import a_plan, an_account


@dataclass(frozen=True, kw_only=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Bot(Protocol):
    def __call__(self, *words: str, terminal: bool = False) -> Said: ...


@pytest.fixture
def bot() -> Bot:
    """Runs ``manage.py migration_bot`` with these words."""

    def run(*words: str, terminal: bool = False) -> Said:
        out, err = (Screen(), Screen()) if terminal else (io.StringIO(), io.StringIO())
        code = 0
        try:
            call_command("migration_bot", *words, stdout=out, stderr=err)
        except CommandError as error:
            code = error.returncode
        return Said(code=code, out=out.getvalue(), err=err.getvalue())

    return run


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Plans that the planner gives from now on, the last of them again and again."""
    given = [a_plan()]

    def make(database: str, target: Any, **options: Any) -> Plan:
        options["progress"](0, 1, "shop.0002_more")
        return given.pop(0) if len(given) > 1 else given[0]

    monkeypatch.setattr(planning, "make_plan", make)
    return given


@pytest.fixture
def robin(db: None) -> Any:
    return an_account("robin", "request_run")


@pytest.fixture
def ada(db: None) -> Any:
    return an_account("ada", "approve_run")


@pytest.fixture
def os_login(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says from which login the next commands come: ``os_login("deploy@web-1")``."""
    from bot.management import people

    def come_from(name: str) -> None:
        monkeypatch.setattr(people, "os_user", lambda: name)

    return come_from
