"""Where the demo may be served."""

from __future__ import annotations

import pytest
from django.core.management.base import CommandError

from django_site.shop import serving
from tests.throwaway import free_port


@pytest.mark.parametrize("port", [-1, 0, 65536, 99999, 10**30])
def test_what_is_no_port_is_told_in_one_sentence(port: int) -> None:
    with pytest.raises(CommandError, match=rf"no port {port}: .*make demo PORT=8001"):
        serving.require_free(port)


def test_a_port_that_nobody_has_is_taken() -> None:
    serving.require_free(free_port())
