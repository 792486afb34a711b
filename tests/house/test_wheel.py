"""What a team installs is the app, whole, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.project import ROOT


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The paths inside the wheel, built from a copy so that no other test sees its traces."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("bot", "django_site"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [
            *[sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"],
            *["--no-index", "--wheel-dir", str(out), str(source)],
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("django_migration_bot-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_it_holds_the_app_and_nothing_else(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bot"}


def test_it_holds_every_file_of_the_app(names: set[str]) -> None:
    folder = ROOT / "bot"
    files = {
        str(file.relative_to(ROOT))
        for file in folder.rglob("*")
        if file.is_file() and _is_source(file)
    }
    assert files <= names


def _is_source(file: Path) -> bool:
    return "__pycache__" not in file.parts and not file.name.startswith(".")
