"""One Bolt app a process, and no noise about the environment that it does not use."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.db import connections
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.slack import bolt
from tests.plain_site import plain_site
from tests.slack.payloads import SETTINGS, command


def test_threads_that_ask_at_once_get_one_app(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-test")
    caplog.set_level(logging.DEBUG)
    bolt._app.cache_clear()
    together = threading.Barrier(8)
    found = []

    def ask() -> None:
        together.wait()
        found.append(bolt.get_app())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
    assert "will be ignored" not in caplog.text


def test_a_thread_of_socket_mode_goes_on_after_its_connection_was_ended(
    target: str, scratch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request of Django's begins in these threads, so nobody else looks at the connection."""
    with plain_site(target, scratch_url, monkeypatch, **SETTINGS, slack_app_token="xapp-test"):
        handler = bolt.socket_handler()
        client = Answers()

        def ask() -> None:
            fields = dict(parse_qsl(command("whoami").decode()))
            request = SocketModeRequest(type="slash_commands", envelope_id="1", payload=fields)
            handler.handle(client, request)

        def ask_and_ask_again() -> None:
            ask()
            end(connections[target])
            ask()
            assert connections[target].connection is None, "none is left behind"

        with ThreadPoolExecutor(1) as thread:
            thread.submit(ask_and_ask_again).result()
        assert ["asking Slack who you are" in text for text in client.told] == [True, True]


def end(connection: Any) -> None:
    """As when the server was started again meanwhile."""
    connection.ensure_connection()
    ends = {
        "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend(%s)"),
        "mysql": ("SELECT connection_id()", "KILL %s"),
    }
    if connection.vendor not in ends:
        connection.connection.close()
        return
    which, kill = ends[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(which)
        (number,) = cursor.fetchone()
    another = connection.copy()
    with another.cursor() as cursor:
        cursor.execute(kill, [number])
    another.close()


class Answers:
    """A client of Socket Mode that keeps what it is told to send."""

    logger = logging.getLogger("test")

    def __init__(self) -> None:
        self.told: list[str] = []

    def send_socket_mode_response(self, response: Any) -> None:
        self.told.append(response.payload["text"])
