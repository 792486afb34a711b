"""A real project to measure on: wagtail with all its apps, in a virtual environment of its own.

``.venv-bench`` in the repository is made when it is needed; ``BENCH_PYTHON`` names another Python
that has wagtail. Processes in it import this repository from where it lies.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv-bench"
_NEEDS = ("wagtail==8.0.1", "psycopg[binary]", "django-tasks", "django-tasks-db", "dj-database-url")

SETTINGS = """
import os
import dj_database_url
DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"]),
    "state": dj_database_url.parse(os.environ.get("STATE_DATABASE_URL", "sqlite://:memory:"))}
DATABASE_ROUTERS = ["bot.routers.StateRouter"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend",
    "QUEUES": ["default", "migration_bot", "migration_bot_runs", "migration_bot_rehearsals"]}}
MIGRATION_BOT = {"state_database": "state", "rehearse": "never"}
SECRET_KEY = "only for benchmarks"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "wagtail_urls"
WAGTAIL_SITE_NAME = "bench"
WAGTAILADMIN_BASE_URL = "http://localhost"
STATIC_URL = "/static/"
INSTALLED_APPS = [
    "wagtail.contrib.forms", "wagtail.contrib.redirects", "wagtail.contrib.settings",
    "wagtail.contrib.search_promotions", "wagtail.contrib.simple_translation",
    "wagtail.contrib.styleguide", "wagtail.contrib.table_block",
    "wagtail.contrib.typed_table_block", "wagtail.contrib.frontend_cache",
    "wagtail.embeds", "wagtail.sites", "wagtail.users", "wagtail.snippets", "wagtail.documents",
    "wagtail.images", "wagtail.search", "wagtail.admin", "wagtail.locales", "wagtail",
    "modelcluster", "taggit", "django_filters",
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles",
    "django_tasks", "django_tasks_db", "bot",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages"]}}]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware"]
"""


def ready() -> str | None:
    """The Python of ``.venv-bench`` when it has wagtail and this process's version of Django."""
    made = FOLDER / f"ready-{django.get_version()}"
    return str(FOLDER / "bin" / "python") if made.exists() else None


def python() -> str:
    """A Python that has wagtail, and this process's version of Django; made when it is missing."""
    if given := os.environ.get("BENCH_PYTHON"):
        return given
    here = FOLDER / "bin" / "python"
    if ready() is None:
        print(f"making {FOLDER.name} with wagtail; this takes a minute", flush=True)
        venv.create(FOLDER, with_pip=True)
        needs = [*_NEEDS, f"Django=={django.get_version()}"]
        subprocess.run([here, "-m", "pip", "install", "-q", *needs], check=True)
        (FOLDER / f"ready-{django.get_version()}").touch()
    return str(here)


def write_site(folder: Path) -> None:
    """The settings module ``wagtail_settings`` and an empty URLconf."""
    (folder / "wagtail_settings.py").write_text(SETTINGS)
    (folder / "wagtail_urls.py").write_text("urlpatterns = []\n")


def environment(folder: Path, database_url: str) -> dict[str, str]:
    """The environment of a process that works on the site in ``folder``."""
    return {
        **os.environ,
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "DJANGO_SETTINGS_MODULE": "wagtail_settings",
        "DATABASE_URL": database_url,
        "STATE_DATABASE_URL": f"sqlite:///{folder / 'state.sqlite3'}",
    }


def printed(interpreter: str, folder: Path, database_url: str, *arguments: str) -> str:
    """What ``python *arguments`` printed on the site; it raises where that failed."""
    done = subprocess.run(
        [interpreter, *arguments],
        cwd=folder,
        env=environment(folder, database_url),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        done.check_returncode()
    return done.stdout
