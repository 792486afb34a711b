"""PostgreSQL databases that are lent to one test after the other.

To make one takes PostgreSQL 0.1 s and to drop one 0.3 s, since it writes everything to disk then.
To empty one takes 0.03 s. It has another name each time, so that a process that an earlier test
left behind does not come back to it. One in which anything is left that was not there when it was
made is dropped after all.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests import servers

OFTEN = 60
"""How often one is lent: what is deleted from its catalogue stays on its pages for a while."""
_ALONE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT quote_ident(nspname) FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
    LOOP EXECUTE 'DROP SCHEMA ' || name || ' CASCADE'; END LOOP;
    FOR name IN SELECT quote_ident(extname) FROM pg_extension WHERE extname <> 'plpgsql'
    LOOP EXECUTE 'DROP EXTENSION ' || name || ' CASCADE'; END LOOP;
    FOR name IN SELECT quote_ident(evtname) FROM pg_event_trigger
    LOOP EXECUTE 'DROP EVENT TRIGGER ' || name; END LOOP;
    SELECT string_agg(oid::regclass::text, ', ') FROM pg_class INTO name
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p');
    IF name IS NOT NULL THEN EXECUTE 'DROP TABLE ' || name || ' CASCADE'; END IF;
    FOR name IN SELECT oid::regclass FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
    LOOP EXECUTE 'DROP VIEW IF EXISTS ' || name || ' CASCADE'; END LOOP;
    FOR name IN SELECT oid::regclass FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
    LOOP EXECUTE 'DROP SEQUENCE IF EXISTS ' || name || ' CASCADE'; END LOOP;
    FOR name IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    LOOP EXECUTE 'DROP ROUTINE IF EXISTS ' || name || ' CASCADE'; END LOOP;
    FOR name IN SELECT oid::regtype FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'c')
    LOOP EXECUTE 'DROP TYPE IF EXISTS ' || name || ' CASCADE'; END LOOP;
END $$
"""
_CATALOGUE = """
SELECT string_agg(format('SELECT %L, count(*)::text FROM %s', relname, oid::regclass), ' UNION ALL '
    ORDER BY relname)
FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
AND NOT relisshared AND relname NOT LIKE 'pg_statistic%'
"""
_ITSELF = """
SELECT datacl::text, datconnlimit::text, datallowconn::text, (
    SELECT string_agg(setrole || setconfig::text, ' ') FROM pg_db_role_setting
    WHERE setdatabase = d.oid
), (
    SELECT string_agg(concat_ws(' ', nspname, nspowner, nspacl), ' ' ORDER BY nspname)
    FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
), (SELECT count(*)::text FROM pg_prepared_xacts WHERE database = datname)
FROM pg_database d WHERE datname = current_database()
"""


@dataclass(slots=True)
class _Owned:
    name: str
    as_made: tuple[object, ...]
    lent: int = 0


_free: list[_Owned] = []


@contextlib.contextmanager
def lent_database(vendor: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database with a name of its own, which is nobody's afterwards."""
    if vendor != "postgresql":
        with servers.scratch_database(vendor, folder) as url:
            yield url
        return
    one = _free.pop() if _free else _made()
    try:
        yield _url(one.name)
    finally:
        if _emptied(one):
            _free.append(one)
        else:
            servers.drop_database("postgresql", one.name)


@atexit.register
def end() -> None:
    """Drop them all."""
    while _free:
        servers.drop_database("postgresql", _free.pop().name)


def _made() -> _Owned:
    name = f"mbot_{secrets.token_hex(6)}"
    servers.execute(
        os.environ[servers.POSTGRES],
        f"CREATE DATABASE {name}",
        f"ALTER DATABASE {name} SET synchronous_commit = off",
    )
    return _Owned(name=name, as_made=inside(name))


def inside(name: str) -> tuple[object, ...]:
    """How many rows each table of the catalogue has, and what is set for the database."""
    url = _url(name)
    ((query,),) = servers.execute(url, _CATALOGUE)
    return (*servers.execute(url, _ITSELF), *servers.execute(url, str(query)))


def _emptied(one: _Owned) -> bool:
    """Whether it is as it was made, and has a new name."""
    one.lent += 1
    if one.lent >= OFTEN:
        return False
    new = f"mbot_{secrets.token_hex(6)}"
    with contextlib.suppress(servers.database_error(_url(one.name))):
        servers.execute(_url(one.name), _ALONE, _EMPTY)
        if inside(one.name) == one.as_made:
            servers.execute(
                os.environ[servers.POSTGRES], f"ALTER DATABASE {one.name} RENAME TO {new}"
            )
            one.name = new
            return True
    return False


def _url(name: str) -> str:
    return urlunsplit(urlsplit(os.environ[servers.POSTGRES])._replace(path=f"/{name}"))
