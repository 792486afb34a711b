"""The sample site: a small shop with the migration bot installed. All choices come from outside.

``docs/settings.md`` lists the environment's names. The bot itself needs the lines marked "bot".
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from bot.sandbox.settings import sandbox_settings
from django_site.drivers import use_mysql_driver
from django_site.environment import boolean, bot_settings, databases, secret_key, words

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = boolean("DEBUG", os.environ.get("DEBUG", ""))

use_mysql_driver()
DATABASES = databases(os.environ, BASE_DIR)
DATABASE_ROUTERS = ["bot.routers.StateRouter"]  # bot
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = secret_key(os.environ, debug=DEBUG, beside=DATABASES["default"])

PUBLIC_URL = os.environ.get("PUBLIC_URL", "").rstrip("/")
ALLOWED_HOSTS = words(os.environ.get("ALLOWED_HOSTS", ""))
if PUBLIC_URL:
    _public = urlsplit(PUBLIC_URL)
    if _public.scheme not in ("http", "https") or not _public.hostname:
        raise ImproperlyConfigured("PUBLIC_URL must be a URL such as https://example.com.")
    ALLOWED_HOSTS.append(_public.hostname)
    CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
if not ALLOWED_HOSTS and DEBUG:
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

# Cookies travel encrypted, but on one's own machine or where PUBLIC_URL says that there is no TLS.
_TLS = not DEBUG and not PUBLIC_URL.startswith("http://")
SESSION_COOKIE_SECURE = _TLS
CSRF_COOKIE_SECURE = _TLS
SECURE_HSTS_SECONDS = int(os.environ.get("SECURE_HSTS_SECONDS", "0"))
if boolean("BEHIND_PROXY", os.environ.get("BEHIND_PROXY", "")):
    # Only where a proxy sets this header itself: else anybody could claim to have come by TLS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

_TASKS_APPS = ["django_tasks_db"]
if not importlib.util.find_spec("django.tasks"):
    _TASKS_APPS.insert(0, "django_tasks")  # Django 5.2; Django 6 has tasks of its own.

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *_TASKS_APPS,  # bot
    "bot",  # bot
    "django_site.shop",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "django_site.urls"
WSGI_APPLICATION = "django_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "django_site" / "templates"],
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

MIGRATION_BOT = {  # bot
    "state_database": "state" if "state" in DATABASES else "default",
    **bot_settings(os.environ),
}

# A stand-in Slack for one's own machine: only while DEBUG is on and no real Slack is named.
SANDBOX = DEBUG and not MIGRATION_BOT.get("slack_bot_token")
if SANDBOX:
    INSTALLED_APPS.append("bot.sandbox")
    _port = int(os.environ.get("PORT", "8000"))
    MIGRATION_BOT = sandbox_settings(SECRET_KEY, port=_port) | MIGRATION_BOT

_QUEUES = [
    "default",
    MIGRATION_BOT.get("queue", "migration_bot"),
    MIGRATION_BOT.get("run_queue", "migration_bot_runs"),
    MIGRATION_BOT.get("rehearsal_queue", "migration_bot_rehearsals"),
]
_ENGINES: dict[str, dict[str, object]] = {
    "database": {"BACKEND": "django_tasks_db.DatabaseBackend"},
    "celery": {
        "BACKEND": "bot.engines.celery.CeleryBackend",
        "OPTIONS": {
            "broker_url": os.environ.get("CELERY_BROKER_URL", "redis://127.0.0.1:6379/0"),
        },
    },
}
TASKS_BACKEND = os.environ.get("TASKS_BACKEND", "database")
if TASKS_BACKEND not in _ENGINES:
    raise ImproperlyConfigured(
        f"TASKS_BACKEND is {TASKS_BACKEND!r}; write one of: {', '.join(_ENGINES)}."
    )
TASKS = {"default": {**_ENGINES[TASKS_BACKEND], "QUEUES": _QUEUES}}  # bot

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/migrations/"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # Straight from the packages: no collectstatic to forget.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # Probes ask every few seconds, and read the answer: an error in the log each time says no more.
    "filters": {
        "no_probes": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: (
                getattr(record, "status_code", 0) != 503
                or getattr(getattr(record, "request", None), "path", "") != "/healthz"
            ),
        }
    },
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},  # Through the root's alone, not twice.
        "django.request": {"filters": ["no_probes"]},
        "django.tasks": {"level": "WARNING"},
    },
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO").upper()},
}
