"""Takes pictures of every page: ``python -m tests.screens [FOLDER] [NAME …]``.

At 1280 and 390 pixels, light and dark, of one of everything, on a scratch site: to look at after a
change of templates or styles. ``make screenshots`` walks through the demo instead, for the docs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.screenshots import chromium

WIDTHS = {"laptop": (1280, 800), "phone": (390, 844)}
SCHEMES = ("light", "dark")


def main(folder: Path, only: tuple[str, ...]) -> None:
    """Start the scratch site, furnish it, and take the pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        os.environ["TEST_STATE_URL"] = f"sqlite:///{scratch}/site.sqlite3"
        import django

        django.setup()
        from django.contrib.staticfiles.handlers import StaticFilesHandler
        from django.core.management import call_command
        from django.test.testcases import LiveServerThread

        call_command("migrate", verbosity=0)
        from tests.screens.scenes import furnish

        scenes = furnish(datetime.now(UTC))
        cookies = {person: _session(person) for person in {scene.person for scene in scenes}}
        server = LiveServerThread("127.0.0.1", StaticFilesHandler)
        server.daemon = True
        server.start()
        server.is_ready.wait()
        if server.error:
            raise server.error
        chosen = [s for s in scenes if not only or s.name in only]
        _pictures(f"http://127.0.0.1:{server.port}", chosen, cookies, folder)
        server.terminate()


def _session(person: str) -> str:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(username=person))
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _pictures(site: str, scenes: list[Any], cookies: dict[str, str], folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        for device, (width, height) in WIDTHS.items():
            for scheme in SCHEMES:
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,  # type: ignore[arg-type]
                )
                page = context.new_page()
                for scene in scenes:
                    value = cookies[scene.person]
                    context.add_cookies([{"name": "sessionid", "value": value, "url": site}])
                    page.goto(f"{site}{scene.path}")
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    if wide > width:
                        print(f"{scene.name}, {device}: {wide} px wide")
                    path = folder / f"{scene.name}-{device}-{scheme}.png"
                    page.screenshot(path=str(path), full_page=True)
                context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screens"), tuple(sys.argv[2:]))
