"""Whoever can write to the broker can wake the bot's tasks, and can have nothing else called."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from kombu.exceptions import OperationalError

from bot import tasks, work
from bot.engines import celery
from tests.project import ROOT

SUBPROCESS = "django.db.backends.base.client.subprocess"
"""Something in every project whose ``call`` runs a program."""


def tasks_on(broker_url: str) -> dict[str, Any]:
    return {
        "default": {
            "BACKEND": "bot.engines.celery.CeleryBackend",
            "QUEUES": [
                "default",
                "migration_bot",
                "migration_bot_runs",
                "migration_bot_rehearsals",
            ],
            "OPTIONS": {"broker_url": broker_url},
        }
    }


@pytest.fixture
def message() -> Iterator[Callable[..., Any]]:
    """What a worker makes of one message."""
    with override_settings(TASKS=tasks_on("memory://")):
        celery.get_app.cache_clear()
        application = celery.get_app()
        yield lambda *args: application.tasks[celery.CALL].apply(args=list(args)).get()
    celery.get_app.cache_clear()


def test_the_paths_that_are_taken_are_those_of_our_tasks() -> None:
    made = {value.module_path for value in vars(tasks).values() if hasattr(value, "module_path")}
    assert made == celery.OURS


def test_a_message_wakes_a_task_of_ours(
    message: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, str]] = []
    monkeypatch.setattr(work, "perform", lambda name, key: done.append((name, key)))
    message("bot.tasks.perform", ["deliver", "C0"], {})
    assert done == [("deliver", "C0")]


@pytest.mark.parametrize(
    "path",
    [SUBPROCESS, "subprocess", "bot.tasks.carrying", "bot.tasks", "", None, 7, ["bot.tasks"]],
)
def test_a_message_that_names_anything_else_runs_nothing(
    message: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture, path: object
) -> None:
    proof = tmp_path / "ran"
    with caplog.at_level(logging.ERROR):
        message(path, [["touch", str(proof)]], {})
    assert not proof.exists()
    assert "no task of ours; refused" in caplog.text


@pytest.mark.parametrize(("given", "named"), [([["a"]], {}), ([1], {}), ("ab", {}), ([], {"a": 1})])
def test_a_message_whose_arguments_are_no_texts_is_refused(
    message: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    given: object,
    named: object,
) -> None:
    monkeypatch.setattr(work, "perform", lambda *args: pytest.fail("it was called"))
    with caplog.at_level(logging.ERROR):
        message("bot.tasks.perform", given, named)
    assert "does not carry texts alone; refused" in caplog.text


def test_a_foreign_task_is_refused_when_it_is_enqueued(message: Callable[..., Any]) -> None:
    from tests.engines.foreign import foreign

    with pytest.raises(Exception, match="no task of the migration bot"):
        foreign.enqueue()


def _redis_answers() -> bool:
    try:
        socket.create_connection(("127.0.0.1", 6379), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _redis_answers(), reason="no Redis at 127.0.0.1:6379")
def test_a_worker_at_redis_refuses_what_somebody_else_put_there(tmp_path: Path) -> None:
    proof, queue = tmp_path / "ran", f"mbot-test-{tmp_path.name}-{os.getpid()}"
    url = "redis://127.0.0.1:6379/0"
    with override_settings(TASKS=tasks_on(url)):
        celery.get_app.cache_clear()
        application = celery.get_app()
        for path in (SUBPROCESS, "bot.tasks.perform"):
            arguments: list[Any] = [["touch", str(proof)]] if path == SUBPROCESS else ["end", "x"]
            application.send_task(celery.CALL, args=[path, arguments, {}], queue=queue)
    celery.get_app.cache_clear()
    done = subprocess.run(
        [sys.executable, "-c", WORKER, url, queue],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "no task of ours; refused" in done.stderr, done.stderr
    assert "ended by a task of ours" in done.stdout, done.stderr
    assert not proof.exists()


WORKER = """
import os, sys
import django
from django.test import override_settings
from kombu.exceptions import OperationalError
django.setup()
from bot import work
from bot.engines import celery
from tests.engines.test_celery_messages import tasks_on
def end(name, key):
    os.write(1, b"ended by a task of ours")
    os._exit(0)
with override_settings(TASKS=tasks_on(sys.argv[1])):
    work.perform = end
    celery.get_app().worker_main(
        ["worker", "--pool=solo", "--loglevel=ERROR", "--without-gossip", "--without-mingle",
         "--without-heartbeat", "-Q", sys.argv[2]])
"""


@pytest.fixture
def silent() -> Iterator[str]:
    """A broker that accepts nobody: its address takes connections up to a limit, which is full."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(server.getsockname())
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_a_broker_that_does_not_answer_holds_a_request_for_one_try_and_no_longer(
    silent: str,
) -> None:
    with override_settings(TASKS=tasks_on(silent)):
        celery.get_app.cache_clear()
        began = time.monotonic()
        with pytest.raises(OperationalError):
            celery.get_app().send_task(celery.CALL, args=["bot.tasks.carry_out", ["1"], {}])
        assert time.monotonic() - began < 3.5
    celery.get_app.cache_clear()


@pytest.mark.parametrize("several", [True, False])
def test_each_of_several_brokers_is_tried(silent: str, several: bool) -> None:
    urls = [silent, "memory://"] if several else [silent]
    for given in (urls, ";".join(urls)):
        with override_settings(TASKS=tasks_on(given)):  # type: ignore[arg-type]  # Celery takes both
            celery.get_app.cache_clear()
            options = celery.get_app().conf.broker_transport_options
            assert options["max_retries"] == int(several)
    celery.get_app.cache_clear()
