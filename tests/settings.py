"""Settings of the tests. The bot's own tables live in ``default``; targets are scratch databases.

``TEST_STATE_URL`` puts ``default`` elsewhere, so that everything can be run with the bot's own
tables on PostgreSQL or MariaDB too.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import dj_database_url

from django_site.drivers import use_mysql_driver

use_mysql_driver()

BASE_DIR = Path(__file__).resolve().parent

SECRET_KEY = "only for tests"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "django_site.urls"
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "/login/"

_TASKS_APPS = (
    ["django_tasks_db"]
    if importlib.util.find_spec("django.tasks")
    else ["django_tasks", "django_tasks_db"]
)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *_TASKS_APPS,
    "bot",
    "bot.sandbox",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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

DATABASES = {
    "default": dj_database_url.parse(os.environ.get("TEST_STATE_URL", "sqlite://:memory:"))
}

MIGRATION_BOT: dict[str, object] = {"sandbox": True}

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
