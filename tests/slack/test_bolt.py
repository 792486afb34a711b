"""One Bolt app a process, and no noise about the environment that it does not use."""

from __future__ import annotations

import logging
import threading

import pytest

from bot.slack import bolt


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
