"""Where a server's programs are, a throwaway one starts: otherwise tests would quietly go to the
server that runs on the machine, or find none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests import throwaway
from tests.throwaway import Throwaway, start_mariadb, start_postgresql


def _mariadb() -> bool:
    return all(throwaway._program(name) for name in ("mariadb-install-db", "mariadbd"))


@pytest.mark.parametrize(
    ("start", "there"),
    [
        pytest.param(start_postgresql, throwaway._postgres_binaries, id="postgresql"),
        pytest.param(start_mariadb, _mariadb, id="mariadb"),
    ],
)
def test_it_starts_and_leaves_nothing(
    start: Callable[[], Throwaway | None], there: Callable[[], object]
) -> None:
    if not there():
        pytest.skip("its programs are not here")
    server = start()
    assert server is not None
    assert server._folder.is_dir()
    server.stop()
    assert not server._folder.exists()
