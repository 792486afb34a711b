"""Small Django projects in files, for tests that need real processes and code on disk.

    shop = project(
        database_url=scratch_url,
        apps={"shop": {"0001_initial": migration(CREATE_ITEM)}},
    )
    shop.manage("migrate", "shop")             # runs manage.py, raises when it fails
    shop.write("shop/models.py", "...")        # code that changes while processes run
    process = shop.start("migrate")            # does not wait; ended with the test

The project has the bot installed. Its own tables are in ``STATE_DATABASE_URL`` where one is given
(alias "state"), else in ``default``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tests import warm

ROOT = warm.ROOT

_SETTINGS = """\
import importlib.util
import os
from pathlib import Path

import dj_database_url

from django_site.drivers import use_mysql_driver

use_mysql_driver()
BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "only for tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "urls"
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TASKS_APPS = ["django_tasks_db"]
if not importlib.util.find_spec("django.tasks"):
    TASKS_APPS.insert(0, "django_tasks")
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *TASKS_APPS,
    "bot",
    *%(apps)r,
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"])}
MIGRATION_BOT = {}
if os.environ.get("STATE_DATABASE_URL"):
    DATABASES["state"] = dj_database_url.parse(os.environ["STATE_DATABASE_URL"])
    DATABASE_ROUTERS = ["bot.routers.StateRouter"]
    MIGRATION_BOT["state_database"] = "state"
TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        "QUEUES": [
            "default",
            "migration_bot",
            "migration_bot_runs",
            "migration_bot_rehearsals",
        ],
    }
}
"""

_URLS = """\
from django.urls import include, path

urlpatterns = []
"""

_MANAGE = """\
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""


def migration(
    operations: str = "",
    *,
    after: Sequence[tuple[str, str]] = (),
    before: str = "",
    attributes: str = "",
) -> str:
    """The source of a migration file.

    ``operations`` is the inside of its list, ``after`` its dependencies, ``before`` source to stand
    above the class, ``attributes`` further lines of the class, such as ``atomic = False``.
    """
    head = [
        "from django.db import migrations, models",
        "",
        textwrap.dedent(before),
        "",
        "class Migration(migrations.Migration):",
        f"    dependencies = {list(after)!r}",
    ]
    body = textwrap.indent(textwrap.dedent(attributes), "    ")
    inside = textwrap.indent(textwrap.dedent(operations), "        ")
    return "\n".join([*head, body, "    operations = [", inside, "    ]", ""])


class Project:
    """A Django project in ``folder`` and the processes that a test starts in it."""

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str,
        state_url: str = "",
        apps: Mapping[str, Mapping[str, str]] | None = None,
        settings: str = "",
        urls: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``apps`` maps an app's name to its files.

        A key is a migration's name (``0001_initial``) or a path inside the app (``models.py``).
        ``settings`` and ``urls`` are source added at the end of those files. ``environment`` is
        added to that of every process.
        """
        apps = apps or {}
        self.folder = folder
        self.database_url = database_url
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
            "DATABASE_URL": database_url,
            "STATE_DATABASE_URL": state_url,
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
            "PYTHONUNBUFFERED": "1",
            **(environment or {}),
        }
        self._processes: list[subprocess.Popen[str]] = []
        self.write("settings.py", _SETTINGS % {"apps": list(apps)} + textwrap.dedent(settings))
        self.write("urls.py", _URLS + textwrap.dedent(urls))
        self.write("manage.py", _MANAGE)
        for app, files in apps.items():
            self.add_app(app, files)

    def add_app(self, app: str, files: Mapping[str, str]) -> None:
        """Write an app's files; see ``apps`` of the constructor for the keys."""
        self.write(f"{app}/__init__.py", "")
        self.write(f"{app}/migrations/__init__.py", "")
        if "models.py" not in files:
            self.write(f"{app}/models.py", "")
        for name, source in files.items():
            self.write(f"{app}/{name if '.' in name else f'migrations/{name}.py'}", source)

    def write(self, path: str, source: str) -> Path:
        """Write a file of the project, dedented, and return where it is."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source))
        return file

    def remove(self, path: str) -> None:
        """Remove a file of the project."""
        (self.folder / path).unlink()

    def manage(
        self, *arguments: str, check: bool = True, timeout: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run manage.py to its end; with ``check`` a failure raises with what it printed."""
        return self._run(("manage.py", *arguments), check, timeout, environment)

    def python(
        self, *arguments: str, check: bool = True, timeout: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run Python in the project's folder to its end, as ``manage`` does."""
        return self._run(arguments, check, timeout, environment)

    def _run(
        self,
        arguments: Sequence[str],
        check: bool,
        timeout: float,
        environment: Mapping[str, str],
    ) -> subprocess.CompletedProcess[str]:
        surroundings = {**self.environment, **environment}
        done = warm.run(arguments, cwd=self.folder, env=surroundings, timeout=timeout)
        if check and done.returncode:
            raise AssertionError(
                f"{' '.join(arguments)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def shell(self, source: str, **environment: str) -> str:
        """Run source with the project set up; what it printed."""
        setup = "import django; django.setup()\n"
        return self._run(("-c", setup + textwrap.dedent(source)), True, 120, environment).stdout

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start manage.py and return at once. The process leads a group of its own."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def end(self) -> None:
        """End every process that ``start`` began, with its children."""
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


class ProjectFactory(Protocol):
    """The ``project`` fixture; takes what ``Project`` takes."""

    def __call__(self, **options: Any) -> Project: ...
