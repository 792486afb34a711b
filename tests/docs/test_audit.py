"""Whoever checks an export by the page's own script finds what was changed, without our code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot import audit
from bot.operations.changing import changing
from bot.route.events import Cancelled
from bot.route.people import Actor, Origin
from tests.docs.pages import ROOT
from tests.plans import NOW

pytestmark = pytest.mark.django_db

SCRIPT = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "audit.md").read_text(), re.DOTALL)[-1]


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    for number in range(3):
        with changing(NOW) as change:
            actor = Actor(origin=Origin.SLACK, name="Zoë ☃", team="T1", slack_user="U1")
            change.record(Cancelled(reason=f'é "{number}" \u202e'), actor=actor, run=number)
    path = tmp_path / "audit.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        audit.export(stream)
    return path


def checked(path: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, str(path)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_sound_export_is_found_sound(exported: Path) -> None:
    code, told = checked(exported)
    assert code == 0
    assert f"sound, up to entry 3, hash {audit.verify().hash}" in told


def _reason(lines: list[Any]) -> list[Any]:
    lines[1]["data"]["reason"] = "another"
    return lines


CHANGES: dict[str, tuple[Callable[[list[Any]], list[Any]], str]] = {
    "a text is changed": (_reason, "entry 2 was changed"),
    "an entry is missing": (lambda lines: [lines[0], lines[2]], "entry 3 does not follow"),
    "entries are exchanged": (lambda lines: [lines[1], lines[0]], "entry 1 does not follow"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_was_changed_is_found(exported: Path, case: str) -> None:
    change, words = CHANGES[case]
    lines = change([json.loads(line) for line in exported.read_text().splitlines()])
    exported.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, told = checked(exported)
    assert code == 1
    assert words in told
