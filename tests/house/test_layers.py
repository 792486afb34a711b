"""Rules of the code that no linter knows."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.project import ROOT

SOURCES = [
    path for path in sorted((ROOT / "bot").rglob("*.py")) if "migrations" not in path.parent.name
]


def test_settings_are_read_in_one_place() -> None:
    reads = re.compile(r"settings\.MIGRATION_BOT|settings, *['\"]MIGRATION_BOT")
    found = [str(path.relative_to(ROOT)) for path in SOURCES if reads.search(path.read_text())]
    assert found == ["bot/conf.py"]


def test_the_states_of_runs_are_set_by_operations_alone() -> None:
    sets = re.compile(r"\.state = |\.update\([^)]*\bstate=", re.DOTALL)
    outside = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if sets.search(path.read_text())
        # Elsewhere a state is Django's, of models, or a delivery's.
        and not {"operations", "database", "route", "outbox.py", "slack"} & set(path.parts)
    ]
    assert outside == []


@pytest.mark.parametrize("word", ["/" + "work/", "/" + "root/", "/" + "opt/pypi"])
def test_no_path_of_somebodys_machine_is_in_the_repository(word: str) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("git: this is no clone, so what belongs to the repository is unknown")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    found = [
        str(path.relative_to(ROOT))
        for path in files
        if path.is_file() and word in path.read_text(errors="ignore")
    ]
    assert found == []
