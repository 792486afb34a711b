"""A small shop with the bot installed, its real workers, and a test that watches and kills them.

site = new_site("postgresql")       # tables, people, nothing of the shop applied
worker = site.worker()              # manage.py migration_bot worker, a process of its own
run = site.requested("shop")        # planned by the worker, requested by robin
site.ask("approve", run=run)
site.until(run, "succeeded")
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.project import Project, migration

PATIENCE = float(os.environ.get("TEST_PATIENCE", "120"))
"""Seconds after which something that must come has not come; generous, for busy machines."""

CREATE = """
migrations.CreateModel("Item", [
    ("id", models.BigAutoField(primary_key=True)),
    ("name", models.CharField(max_length=40)),
]),
"""
ROWS = """
import time
from pathlib import Path

def rows(apps, schema_editor):
    apps.get_model("shop", "Item").objects.create(name="one more")
    {then}
"""
WAIT = """Path("there").touch()
    until = time.monotonic() + 120
    while not Path("go").exists() and time.monotonic() < until: time.sleep(0.02)
"""
"""The second step of the shop waits here until the test writes the file ``go``."""
PRICE = 'migrations.AddField("item", "price", models.IntegerField(default=0)),'

SETTINGS = """
from django_site.environment import SQLITE_OPTIONS

for database in DATABASES.values():
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = {**SQLITE_OPTIONS}
MIGRATION_BOT["rehearse"] = "never"  # what is not about them should not wait for one
MIGRATION_BOT["lease"] = float(os.environ.get("MIGRATION_BOT_LEASE", "30"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
"""
URLS = 'urlpatterns += [path("", include("bot.urls"))]\n'


def shop(then: str = "pass", **files: str) -> dict[str, str]:
    """The shop: a table; a row, whose repetition would show, and ``then``; a column."""
    rows = "migrations.RunPython(rows, migrations.RunPython.noop),"
    return {
        "0001_initial": migration(CREATE),
        "0002_rows": migration(
            rows, after=[("shop", "0001_initial")], before=ROWS.format(then=then)
        ),
        "0003_price": migration(PRICE, after=[("shop", "0002_rows")]),
        **files,
    }


def write_project(
    folder: Path,
    database_url: str,
    *,
    then: str = "pass",
    state_url: str = "",
    settings: str = "",
    environment: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Project:
    """The shop in files. On SQLite the bot's tables are in a file of their own."""
    if not state_url and database_url.startswith("sqlite"):
        state_url = f"sqlite:///{folder}/bot.sqlite3"
    return Project(
        folder,
        database_url=database_url,
        state_url=state_url,
        apps={"shop": {**shop(then), **(files or {})}},
        settings=SETTINGS + settings,
        urls=URLS,
        environment=environment,
    )


class Site:
    """The project, a desk that answers, and every process of it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.folder
        self._log = (self.folder / "log").open("w+")
        self._workers: list[subprocess.Popen[bytes]] = []
        self._desk = subprocess.Popen(
            [sys.executable, "-m", "tests.story.desk"],
            cwd=self.folder,
            env=project.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def ask(self, name: str, /, **arguments: Any) -> Any:
        """What the desk's function ``name`` returns."""
        assert self._desk.stdin is not None
        assert self._desk.stdout is not None
        self._desk.stdin.write(json.dumps([name, arguments]) + "\n")
        self._desk.stdin.flush()
        line = self._desk.stdout.readline()
        assert line, f"the desk is gone\n{self.log}"
        said = json.loads(line)
        assert "error" not in said, said["error"]
        return said["answer"]

    # Runs

    def requested(self, target: str = "shop", **wishes: str) -> int:
        """The number of a new run, once a worker has planned it."""
        plan = self.ask("ask", target=target, **wishes)
        self.wait(lambda: self.ask("answered", plan=plan)["state"] != "waiting", "a plan")
        answer = self.ask("answered", plan=plan)
        assert answer["run"], answer["refusal"]
        return int(answer["run"])

    def approved(self, target: str = "shop", **wishes: str) -> int:
        """The number of a new run that ada has approved, and grace where one is not enough."""
        run = self.requested(target, **wishes)
        if self.ask("approve", run=run) == "requested":
            self.ask("approve", run=run, who="grace")
        return run

    def until(self, run: int, *states: str) -> dict[str, Any]:
        """The run, once it is in one of these states."""
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self.ask("show", run=run))
            return found["state"] in states

        self.wait(there, lambda: f"{states}; it is {found['state']}: {found['error']}")
        return found

    def in_the_second_step(self, run: int) -> dict[str, Any]:
        """The run, once its second step waits for ``go`` (see WAIT)."""
        self.wait((self.folder / "there").exists, "the second step")
        return self.until(run, "running")

    def go(self) -> None:
        """Let the second step go on."""
        self.project.write("go", "")

    def applied(self) -> list[str]:
        """The shop's migrations that the database records."""
        rows = self.ask(
            "sql", query="SELECT name FROM django_migrations WHERE app = 'shop' ORDER BY name"
        )
        return [row[0] for row in rows]

    def items(self) -> int:
        """How many rows the second step has left."""
        count: int = self.ask("sql", query="SELECT count(*) FROM shop_item")[0][0]
        return count

    # Processes

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker; it leads a process group, as at a terminal."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", "migration_bot", "worker"],
            cwd=self.folder,
            env={**self.project.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._workers.append(process)
        return process

    @property
    def log(self) -> str:
        """Everything that the processes have written."""
        self._log.flush()
        return (self.folder / "log").read_text()

    def processes(self) -> dict[int, int]:
        """Every living process of this site but the desk, and the parent of each."""
        mark = f"DATABASE_URL={self.project.database_url}\0".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == self._desk.pid:
                continue
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes() + b"\0":
                    state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                    if state != "Z":
                        found[int(entry.name)] = int(parent)
        return found

    def chain(self, run: int) -> tuple[int, int]:
        """The process that holds the run, and its child that carries it out."""
        holder = int(self.ask("show", run=run)["claimed_by"].rpartition(":")[2])
        (child,) = (pid for pid, parent in self.processes().items() if parent == holder)
        return holder, child

    def kill_everything(self) -> None:
        """kill -9 for every process but the desk, all at once as far as that goes."""
        while found := self.processes():
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self._workers:
                process.poll()

    def wait(
        self,
        condition: Callable[[], bool],
        what: str | Callable[[], str],
        seconds: float = PATIENCE,
    ) -> None:
        """Return once ``condition`` holds; fail, with the log, when it never does."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                words = what if isinstance(what, str) else what()
                raise AssertionError(f"never came: {words}\n{self.log[-6000:]}")
            time.sleep(0.05)

    def end(self) -> None:
        """End every process of this site."""
        self.kill_everything()
        for process in self._workers:
            process.wait()
        self._desk.kill()
        self._desk.communicate()
        self._log.close()
