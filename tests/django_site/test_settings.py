"""The sample site starts only when it is safe to."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django_site.environment import secret_key
from tests.project import ROOT


def start(source: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Load the site's settings in a process whose environment holds nothing but this."""
    return subprocess.run(
        [sys.executable, "-c", f"from django_site import settings as s\n{source}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_does_not_start_without_a_secret_key() -> None:
    done = start()
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def test_debug_is_off_unless_asked_for() -> None:
    source = "assert s.DEBUG is False and s.SESSION_COOKIE_SECURE and s.ALLOWED_HOSTS == []"
    assert start(source, SECRET_KEY="x").stderr == ""


def test_with_debug_each_machine_has_a_random_secret_of_its_own(tmp_path: Path) -> None:
    """The sandbox's secrets are derived from it, so nothing that everybody can read will do."""
    keys = []
    for name in ("one", "one", "two"):
        (tmp_path / name).mkdir(exist_ok=True)
        url = f"sqlite:///{tmp_path / name / 'site.sqlite3'}"
        done = start("print(s.SECRET_KEY)", DEBUG="1", DATABASE_URL=url)
        assert done.stderr == ""
        keys.append(done.stdout.strip())
    assert keys[0] == keys[1] != keys[2]
    assert all(len(key) > 50 for key in keys)
    (kept,) = (tmp_path / "one").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert f"*{kept.suffix}" in (ROOT / ".gitignore").read_text().split()


def test_a_secret_that_is_given_is_not_replaced(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'site.sqlite3'}"
    done = start("assert s.SECRET_KEY == 'x'", DEBUG="1", DATABASE_URL=url, SECRET_KEY="x")
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    beside = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "site.sqlite3")}
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(secret_key, {}, debug=True, beside=beside) for _ in range(8)]
    assert len({each.result() for each in made}) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_with_debug_it_answers_to_this_machine_only() -> None:
    source = "assert set(s.ALLOWED_HOSTS) == {'localhost', '127.0.0.1', '[::1]'}"
    assert start(source, DEBUG="1").stderr == ""


def test_the_public_url_is_a_host_it_answers_to() -> None:
    source = "assert s.ALLOWED_HOSTS == ['shop.example.com'] and s.CSRF_COOKIE_SECURE"
    assert start(source, SECRET_KEY="x", PUBLIC_URL="https://shop.example.com").stderr == ""


def test_an_unknown_task_engine_is_refused() -> None:
    done = start(SECRET_KEY="x", TASKS_BACKEND="rabbit")
    assert "TASKS_BACKEND is 'rabbit'" in done.stderr


def test_a_probe_that_is_told_503_is_no_error_in_the_log_and_everything_else_is() -> None:
    source = """
import logging
import logging.config
from types import SimpleNamespace as Request
logging.config.dictConfig(s.LOGGING)
for path, status in (("/healthz", 503), ("/healthz", 500), ("/migrations/", 503)):
    request = Request(path=path)
    logging.getLogger("django.request").error(
        "told %s %s", path, status, extra={"status_code": status, "request": request})
"""
    done = start(source, DEBUG="1")
    assert done.returncode == 0, done.stderr
    told = [line.partition("told ")[2] for line in done.stderr.splitlines() if "told " in line]
    assert told == ["/healthz 500", "/migrations/ 503"]
