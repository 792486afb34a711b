"""Chromium for tests, in which nothing hangs for long.

Some of Playwright's calls have no timeout, and Chromium may never answer them: a page that is
closed while it is being left stays open (microsoft/playwright issue 42366). A test that has waited
for ``LIMIT`` loses its browser, and fails with the line that it stood on.
"""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.screenshots import chromium

LIMIT = 240
"""Seconds for one test; the longest takes 20 on two busy cores."""


@dataclass(frozen=True)
class Held:
    """A browser, and what its process is known by."""

    browser: Browser
    mark: str

    @contextmanager
    def no_longer_than(self, seconds: float) -> Iterator[None]:
        """What is done meanwhile fails when it takes longer; the browser is gone then."""
        ended = threading.Event()

        def end() -> None:
            ended.set()
            self.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        # A page of a browser that is gone counts as closed.
        assert not ended.is_set(), f"the browser stood still for {seconds} s and was ended"

    def kill(self) -> None:
        """End the browser's processes, where the system shows them as Linux does."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if self.mark.encode() in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)


@contextmanager
def held_browser() -> Iterator[Held]:
    """A Chromium without a window, and the driver it is spoken to through."""
    mark = f"--held-by-test={uuid.uuid4()}"
    # Chromium's own sandbox does not work for root, as on many build machines.
    arguments = [mark, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        held = Held(playwright.chromium.launch(executable_path=chromium(), args=arguments), mark)
        yield held
        with held.no_longer_than(LIMIT):
            held.browser.close()
