"""Settings for Django's own tests: their databases, and a run's machinery around ``migrate``."""

from __future__ import annotations

import os

import dj_database_url

from django_site.drivers import use_mysql_driver

use_mysql_driver()
DATABASES = {
    "default": dj_database_url.parse(os.environ["DJANGO_TESTS_URL"]),
    "other": dj_database_url.parse(os.environ["DJANGO_TESTS_OTHER_URL"]),
}
SECRET_KEY = "only for tests"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False
if "DJANGO_TESTS_AUTO_FIELD" in os.environ:
    DEFAULT_AUTO_FIELD = os.environ["DJANGO_TESTS_AUTO_FIELD"]

from tests.django_tests import patched  # noqa: E402  (it needs no setting before it is called)

patched.install()
