"""``make screenshots``: walks through the demo in a real browser, twice, and keeps pictures of it.

They go to ``docs/pictures/``, or to the folder that is given. Chromium is looked for on the PATH;
``CHROMIUM`` names another one.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests import pictures_of_slack
from tests.project import ROOT
from tests.throwaway import free_port

SIZE: ViewportSize = {"width": 1200, "height": 900}
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str | None:
    """Where Chromium is, or None."""
    given = os.environ.get("CHROMIUM")
    return given or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def demo(folder: Path, **environment: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The demo on a database in ``folder``: its address and each person's password."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--serve", "--port", str(port)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
            "DEBUG": "1",
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
            **environment,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("Ctrl-C"):
            break
    else:
        raise RuntimeError(f"the demo did not start:\n{said}")
    passwords = dict(re.findall(r"^    (\w+) +(\S{12}) ", said, re.MULTILINE))
    try:
        yield f"http://127.0.0.1:{port}", passwords
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def sign_in(browser: Browser, address: str, name: str, password: str) -> Page:
    """A page of a new context in which ``name`` is signed in."""
    page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
    page.goto(f"{address}/login/?next=/migrations/")
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.click("button[type=submit]")
    page.wait_for_url(f"{address}/migrations/**")
    return page


def ask(page: Page, address: str, target: str, reason: str) -> str:
    """Plan ``target``, ask for a run of it, and give the run's address."""
    page.goto(f"{address}/migrations/")
    page.fill("#target", target)
    page.get_by_role("button", name="Plan now").click()
    page.fill("#reason", reason)
    page.get_by_role("button", name="Request this run").click()
    page.wait_for_url(re.compile(r"/migrations/runs/\d+/"))
    return page.url


def approve(page: Page, run: str) -> None:
    """Approve a run as the person who is signed in on ``page``."""
    page.goto(run)
    page.locator("#approve-choice summary").click()
    page.get_by_role("button", name="Yes:").click()


def walk(browser: Browser, address: str, passwords: dict[str, str], folder: Path) -> None:
    """What docs/start.md says, with a picture of each page."""

    def picture(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", full_page=True)

    robin, ada, grace = (
        sign_in(browser, address, name, passwords[name]) for name in ("robin", "ada", "grace")
    )
    run = ask(robin, address, "shop 0003", "Coupons for the winter sale")
    approve(ada, run)
    robin.get_by_text("succeeded").first.wait_for()
    robin.goto(f"{address}/migrations/")
    robin.get_by_role("button", name="Plan now").click()
    robin.wait_for_selector("#reason")
    picture(robin, "plan")
    run = ask(robin, address, "", "New totals, agreed with accounting")
    approve(ada, run)
    grace.goto(run)
    picture(grace, "approve")
    if grace.locator("#approve-choice").count():
        approve(grace, run)
    robin.get_by_text("succeeded").first.wait_for()
    picture(robin, "run")
    for name, place in (("history", "runs/"), ("audit", "audit/")):
        robin.goto(f"{address}/migrations/{place}")
        picture(robin, name)


def main(folder: Path) -> None:
    """Take every picture."""
    executable = chromium()
    if executable is None:
        sys.exit("No Chromium was found on the PATH; set CHROMIUM to one.")
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        demo(Path(place)) as (address, passwords),
        sync_playwright() as playwright,
    ):
        # Chromium's own sandbox does not work for root, as on many build machines.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        pictures_of_slack.walk(browser, address, folder)
        browser.close()
    with (
        tempfile.TemporaryDirectory() as place,
        demo(Path(place)) as (address, passwords),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        walk(browser, address, passwords, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
