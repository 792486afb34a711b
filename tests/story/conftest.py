"""``new_site`` makes sites with real workers, see tests.story.site; all is ended afterwards."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests import servers
from tests.story.site import Site, write_project


class SiteFactory(Protocol):
    def __call__(self, vendor: str, **options: Any) -> Site: ...


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two SQLite files as they are after setup; tests work on copies."""
    folder = tmp_path_factory.mktemp("prepared")
    site = Site(write_project(folder, f"sqlite:///{folder}/site.sqlite3"))
    try:
        site.ask("prepare")
    finally:
        site.end()
    return folder


@pytest.fixture(scope="session")
def scripts() -> dict[str, list[str]]:
    """By vendor what setup sent to the first site's database there."""
    return {}


@pytest.fixture
def new_site(
    tmp_path: Path,
    new_database: Callable[[str], str],
    scripts: dict[str, list[str]],
    request: pytest.FixtureRequest,
) -> Iterator[SiteFactory]:
    """Makes a site on a fresh database of this vendor: ``new_site("sqlite", lease=3)``."""
    with contextlib.ExitStack() as stack:

        def make(vendor: str, *, lease: float = 30, **options: Any) -> Site:
            folder = tmp_path / "site"
            folder.mkdir()
            here = vendor == "sqlite" and not options.get("state_url")
            url = f"sqlite:///{folder}/site.sqlite3" if here else new_database(vendor)
            if here:
                for file in request.getfixturevalue("prepared").glob("*.sqlite3*"):
                    shutil.copy(file, folder)
            one = not here and not options.get("state_url")
            if one and vendor in scripts:
                servers.execute(url, *scripts[vendor])
            environment = {"MIGRATION_BOT_LEASE": str(lease)}
            site = Site(write_project(folder, url, environment=environment, **options))
            stack.callback(site.end)
            if not here and not (one and vendor in scripts):
                sent = site.ask("prepare")
                if one:
                    scripts[vendor] = sent["default"]
            return site

        yield make
