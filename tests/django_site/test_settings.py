"""The sample site starts only when it is safe to."""

from __future__ import annotations

import os
import subprocess
import sys

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


def test_with_debug_it_answers_to_this_machine_only() -> None:
    source = "assert set(s.ALLOWED_HOSTS) == {'localhost', '127.0.0.1', '[::1]'}"
    assert start(source, DEBUG="1").stderr == ""


def test_the_public_url_is_a_host_it_answers_to() -> None:
    source = "assert s.ALLOWED_HOSTS == ['shop.example.com'] and s.CSRF_COOKIE_SECURE"
    assert start(source, SECRET_KEY="x", PUBLIC_URL="https://shop.example.com").stderr == ""


def test_an_unknown_task_engine_is_refused() -> None:
    done = start(SECRET_KEY="x", TASKS_BACKEND="rabbit")
    assert "TASKS_BACKEND is 'rabbit'" in done.stderr
