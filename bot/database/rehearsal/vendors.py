"""Which vendor's file stands behind a rehearsal."""

from __future__ import annotations

from collections.abc import Callable

from bot.database.rehearsal.vendor import NotRehearsed, Vendor


def _postgresql() -> Vendor:
    from bot.database.rehearsal.postgresql import PostgreSQL

    return PostgreSQL()


def _sqlite() -> Vendor:
    from bot.database.rehearsal.sqlite import SQLite

    return SQLite()


def _mysql() -> Vendor:
    from bot.database.rehearsal.mysql import MySQL

    return MySQL()


_VENDORS: dict[str, Callable[[], Vendor]] = {
    "postgresql": _postgresql,
    "sqlite": _sqlite,
    "mysql": _mysql,
}


def vendor_of(name: str) -> Vendor:
    """The vendor by Django's name. Raises NotRehearsed for one that has none here."""
    if name not in _VENDORS:
        raise NotRehearsed(f"There are no rehearsals on {name}: its findings stay predictions.")
    return _VENDORS[name]()


def vendors() -> tuple[Vendor, ...]:
    """All of them."""
    return tuple(make() for make in _VENDORS.values())
