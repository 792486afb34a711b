"""A child that only looks or rehearses is gone soon after its parent was, with real processes."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import pytest

from tests.database.runs import CREATE, drive
from tests.project import Project, ProjectFactory, migration

PYTHON = 'MIGRATION_BOT["rehearse_python"] = True\n'
WORK = "migrations.RunPython(work, migrations.RunPython.noop),"
KILLS = """
import os, signal, subprocess, time
from pathlib import Path

def work(apps, schema_editor):
    program = subprocess.Popen(["sleep", "60"])
    Path({place!r}).write_text(str(program.pid))
    os.kill(os.getppid(), signal.SIGKILL)
    {then}
"""
LOOP = "while True: pass"
DEAF = """while True:
        try:
            time.sleep(0.01)
        except Exception:
            pass"""
HOG = "sum(iter(int, 1))"
"""A loop in C that gives no other thread of Python its turn."""
ALARM = """
import bot.database.tether
bot.database.tether.LATE = 1.0
MIGRATION_BOT["rehearsal_timeout"] = 8.0
"""
SOON = 30.0
"""Seconds; far less than a loop without end, and enough for a busy machine."""


@pytest.fixture
def vendor() -> str:
    return "sqlite"


def written(project: ProjectFactory, url: str, then: str, settings: str = "") -> Project:
    """A shop whose second migration kills the parent of its process and goes on with ``then``."""
    made = project(database_url=url, settings=PYTHON + settings, apps={"shop": {}})
    before = KILLS.format(place=str(made.folder / "program"), then=then)
    made.write("shop/migrations/0001_initial.py", migration(CREATE))
    made.write(
        "shop/migrations/0002_work.py",
        migration(WORK, before=before, after=[("shop", "0001_initial")]),
    )
    return made


def program_of(shop: Project) -> int:
    """The process id of what the migration started."""
    return int((shop.folder / "program").read_text())


def scratch_of(pid: int) -> list[Path]:
    """What the rehearsals of a process have left in this machine's folder for such things."""
    return list(Path(tempfile.gettempdir()).glob(f"mbot_rehearsal*_{pid}_*"))


def gone(pid: int) -> bool:
    """Whether the process ended in time; one that did not is ended here."""
    until = time.monotonic() + SOON
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return False


@pytest.mark.parametrize("cold", [False, True], ids=["forked", "fresh"])
def test_a_loop_without_end_is_gone_with_the_worker_and_leaves_nothing_behind(
    project: ProjectFactory, scratch_url: str, cold: bool
) -> None:
    reload = 'MIGRATION_BOT["code_reload"] = "cold"\n' if cold else ""
    shop = written(project, scratch_url, LOOP, settings=reload)
    said = drive(shop, do="rehearse", check=False)
    assert said.forked is not cold
    child = said.messages[0]["pid"]
    assert gone(child)
    assert gone(program_of(shop))
    assert scratch_of(child) == []


def test_what_does_not_listen_is_killed_with_all_that_it_started(
    project: ProjectFactory, scratch_url: str
) -> None:
    shop = written(project, scratch_url, DEAF)
    said = drive(shop, do="rehearse", check=False)
    assert gone(said.messages[0]["pid"])
    assert gone(program_of(shop))


def test_what_gives_python_no_turn_is_ended_when_its_time_is_up(
    project: ProjectFactory, scratch_url: str
) -> None:
    shop = written(project, scratch_url, HOG, settings=ALARM)
    said = drive(shop, do="rehearse", check=False)
    program = program_of(shop)
    assert gone(said.messages[0]["pid"])
    os.kill(program, signal.SIGKILL)


def test_a_plan_whose_migrations_never_load_is_gone_with_the_worker_too(
    project: ProjectFactory, scratch_url: str
) -> None:
    shop = written(project, scratch_url, "pass")
    never = "import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(300)"
    before = f"open('shop/migrations/0003_never.py', 'w').write({never!r})"
    said = drive(shop, do="plan", before=before, check=False)
    assert [message["kind"] for message in said.messages] == ["Started"]
    assert gone(said.messages[0]["pid"])
