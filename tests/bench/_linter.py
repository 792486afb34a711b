"""django-migration-linter alone, in a virtual environment of its own, asked migration by migration.

The process stays and is told which database and which migrations: starting it for each case would
take minutes. What it is asked is what its command asks: sqlmigrate's text, then its two analysers.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import django
from django.db import connections

from tests.database.migrating import MadeUpApp
from tests.labelled.claims import LINTER as CLAIMS
from tests.labelled.ground import ALIAS, Standing, sources_of

__all__ = ["CLAIMS", "NAME", "Linter", "linter"]

VERSION = "6.0.0"
NAME = "django-migration-linter alone"
FOLDER = Path(__file__).resolve().parents[2] / ".venv-bench-linter"

_PROCESS = """
import json, os, sys
from pathlib import Path
import django
from django.conf import settings
package = sys.argv[1]
settings.configure(
    SECRET_KEY="x", USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[package + ".apps.MadeUp", "django_migration_linter"],
    DATABASES={"default": json.loads(sys.argv[2])},
)
django.setup()
from django.db import connections
from django_migration_linter.migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import analyse_sql_statements
for line in sys.stdin:
    asked = json.loads(line)
    connections["default"].close()
    connections["default"].settings_dict["NAME"] = asked["database"]
    for name in [n for n in sys.modules if n.startswith(package + ".migrations.")]:
        del sys.modules[name]
    found, crashed = [], []
    linter = MigrationLinter(no_output=True, no_cache=True)
    for name in asked["names"]:
        migration = linter.migration_loader.graph.nodes["shop", name]
        try:
            sql = linter.get_sql("shop", name)
        except Exception as error:
            crashed.append(f"{type(error).__name__}: {error}")
            continue
        for issues in (analyse_sql_statements(linter.sql_analyser_class, sql, []),
                       linter.analyse_data_migration(migration)):
            found += [issue.code for kind in (issues[0], issues[2]) for issue in kind]
    connections["default"].close()
    print("ANSWER " + json.dumps({"codes": found, "crashed": crashed}), flush=True)
"""


class Linter:
    """The process that answers. ``crashed`` counts migrations at which sqlmigrate gave up."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.crashed: list[str] = []

    def codes(self, standing: Standing) -> list[str]:
        """The codes of what it finds in the plan's migrations, warnings too."""
        case = standing.case
        asked = {
            "database": connections[ALIAS].settings_dict["NAME"],
            "names": list(sources_of(case))[len(case.before) :],
        }
        _pipe(self._process.stdin).write(json.dumps(asked) + "\n")
        _pipe(self._process.stdin).flush()
        for line in _pipe(self._process.stdout):
            if line.startswith("ANSWER "):
                answer = json.loads(line.removeprefix("ANSWER "))
                self.crashed += [f"{case.name}: {why}" for why in answer["crashed"]]
                return list(answer["codes"])
        raise RuntimeError(f"{NAME} ended with {self._process.wait()}")


@contextlib.contextmanager
def linter(folder: Path, app: MadeUpApp) -> Iterator[Linter]:
    """The process while it is needed. ``folder`` holds the app; a database is named with each
    question."""
    script = folder / "ask_linter.py"
    script.write_text(_PROCESS)
    server = dict(_server())
    process = subprocess.Popen(
        [_python(), str(script), app.package, json.dumps(server)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Linter(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            _pipe(pipe).close()


def _server() -> dict[str, object]:
    """The settings of PostgreSQL's own database, which Django reads nothing from."""
    import os

    import dj_database_url

    from tests import servers

    return dict(dj_database_url.parse(os.environ[servers.POSTGRES]))


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _python() -> str:
    """The Python of ``.venv-bench-linter``; made when it is missing."""
    here = FOLDER / "bin" / "python"
    ready = FOLDER / f"ready-{VERSION}-{django.get_version()}"
    if not ready.exists():
        print(f"making {FOLDER.name}; this takes half a minute", flush=True)
        venv.create(FOLDER, with_pip=True)
        needs = [
            f"django-migration-linter=={VERSION}",
            f"Django=={django.get_version()}",
            "psycopg[binary]>=3.2,<4",
        ]
        subprocess.run([here, "-m", "pip", "install", "-q", *needs], check=True, stdout=sys.stderr)
        ready.touch()
    return str(here)
