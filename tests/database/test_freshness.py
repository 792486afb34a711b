"""Whether a process notices that its code is no longer what lies on disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project import ROOT

WARM = """
import json, os, sys, time
sys.path[:0] = [{folder!r}, {root!r}]
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["bot", "shop"], DATABASES={{}}, USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()
import shop.prices
from bot.database import freshness
if {remember}:
    freshness.remember()
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    words = freshness.{asked}()
    print(json.dumps([words, time.perf_counter() - began, len(sys.modules)]), flush=True)
"""


class Warm:
    """A process that has loaded a small project and is asked whether that is still on disk."""

    def __init__(self, folder: Path, *, remember: bool = True, asked: str = "what_changed") -> None:
        source = WARM.format(folder=str(folder), root=str(ROOT), remember=remember, asked=asked)
        self._process = subprocess.Popen(
            [sys.executable, "-c", source],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        assert json.loads(self._process.stdout.readline()) == "ready"

    def ask(self) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        words: str = json.loads(self._process.stdout.readline())[0]
        return words

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release in a folder, and ``current`` which points at it, as deploys do it."""
    shop = tmp_path / "release-1" / "shop"
    (shop / "migrations").mkdir(parents=True)
    (shop / "__init__.py").touch()
    (shop / "prices.py").write_text("PRICE = 1\n")
    (shop / "models.py").touch()
    (shop / "migrations" / "__init__.py").touch()
    (shop / "migrations" / "rows.sql").write_text("SELECT 1")
    (shop / "migrations" / "0001_initial.py").write_text(
        textwrap.dedent(
            """
            from django.db import migrations
            class Migration(migrations.Migration):
                pass
            """
        )
    )
    (tmp_path / "current").symlink_to("release-1")
    return tmp_path / "current"


@pytest.fixture
def warm(folder: Path) -> Iterator[Warm]:
    process = Warm(folder)
    yield process
    process.end()


def test_nothing_has_changed_when_nothing_was_touched(warm: Warm) -> None:
    assert [warm.ask(), warm.ask()] == ["", ""]


def test_an_edited_module_is_noticed(warm: Warm, folder: Path) -> None:
    assert warm.ask() == ""
    (folder / "shop" / "prices.py").write_text("PRICE = 2\n")
    assert warm.ask() == f"{folder / 'shop' / 'prices.py'} was changed"


def test_what_has_changed_stays_changed(warm: Warm, folder: Path) -> None:
    (folder / "shop" / "prices.py").write_text("PRICE = 2\n")
    assert warm.ask()
    (folder / "shop" / "prices.py").write_text("PRICE = 1\n")
    assert "prices.py" in warm.ask()


def test_a_module_put_in_place_with_an_old_date_is_noticed(warm: Warm, folder: Path) -> None:
    new = folder / "new.txt"
    new.write_text("PRICE = 3\n")
    os.utime(new, (0, 0))
    new.rename(folder / "shop" / "prices.py")
    assert "prices.py was changed" in warm.ask()


def test_a_removed_module_is_noticed(warm: Warm, folder: Path) -> None:
    (folder / "shop" / "prices.py").unlink()
    assert warm.ask() == f"{folder / 'shop' / 'prices.py'} was removed"


def test_a_module_beside_a_loaded_one_is_noticed(warm: Warm, folder: Path) -> None:
    (folder / "shop" / "signals.py").write_text("")
    assert warm.ask() == f"{folder / 'shop'}: signals.py came or went"


def test_a_package_that_hides_nothing_yet_is_noticed_in_the_search_path(
    warm: Warm, folder: Path
) -> None:
    (folder / "json.py").write_text("")
    assert "json.py came or went" in warm.ask()


@pytest.mark.parametrize("name", ["0002_more.py", "rows.sql", "data/new.csv"])
def test_any_file_among_the_migrations_is_noticed(warm: Warm, folder: Path, name: str) -> None:
    file = folder / "shop" / "migrations" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    assert name.rsplit("/", maxsplit=1)[-1] in warm.ask()


def test_a_removed_data_file_of_a_migration_is_noticed(warm: Warm, folder: Path) -> None:
    (folder / "shop" / "migrations" / "rows.sql").unlink()
    assert "rows.sql was removed" in warm.ask()


def test_a_switched_release_is_noticed(warm: Warm, folder: Path) -> None:
    shutil.copytree(folder.resolve(), folder.parent / "release-2")
    switch = folder.parent / "switch"
    switch.symlink_to("release-2")
    switch.rename(folder)
    assert warm.ask()


@pytest.mark.parametrize("name", ["shop/prices.py", "shop/migrations/0001_initial.py"])
def test_an_edit_before_the_first_look_is_noticed_too(folder: Path, name: str) -> None:
    process = Warm(folder, remember=False)
    (folder / name).write_text("CHANGED = True\n")
    assert process.ask() == f"{folder / name} was changed"
    process.end()


def test_a_release_switched_before_the_first_look_is_noticed_too(folder: Path) -> None:
    shutil.copytree(folder.resolve(), folder.parent / "release-2")
    process = Warm(folder, remember=False)
    switch = folder.parent / "switch"
    switch.symlink_to("release-2")
    switch.rename(folder)
    assert process.ask() == f"{folder} was switched"
    process.end()


def test_a_module_added_before_the_first_look_is_noticed_too(folder: Path) -> None:
    process = Warm(folder, remember=False)
    (folder / "shop" / "signals.py").write_text("")
    assert "signals.py was changed" in process.ask()
    process.end()


def test_compiled_files_that_python_writes_change_nothing(warm: Warm, folder: Path) -> None:
    cache = folder / "shop" / "migrations" / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "0001_initial.cpython-399.pyc").write_bytes(b"")
    assert warm.ask() == ""


def test_a_deploy_under_the_lock_is_noticed(folder: Path) -> None:
    process = Warm(folder, asked="migrations_changed")
    assert process.ask() == ""
    (folder / "shop" / "migrations" / "0001_initial.py").write_text("")
    assert "0001_initial.py was changed" in process.ask()
    process.end()


def test_a_release_that_is_switched_under_the_lock_is_noticed(folder: Path) -> None:
    """Its files are older than the process, so that none of them tells."""
    shutil.copytree(folder.resolve(), folder.parent / "release-2")
    process = Warm(folder, asked="migrations_changed")
    assert process.ask() == ""
    switch = folder.parent / "switch"
    switch.symlink_to("release-2")
    switch.rename(folder)
    assert process.ask() == f"{folder} was switched"
    process.end()
