"""Reads the environment for settings.py: each value by its type, each mistake in a sentence."""

from __future__ import annotations

import difflib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from bot.conf import Settings

PREFIX = "MIGRATION_BOT_"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})

FOLDER = Path(__file__).resolve().parent.parent
KEY_FILE = "development.secret-key"

SQLITE_OPTIONS: dict[str, Any] = {
    # A reader does not stop a writer, so the page stays readable while something is written.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    # Ask for the write lock at the start: a transaction that read first could not wait for it.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}


def boolean(name: str, text: str) -> bool:
    """``1``, ``true``, ``yes``, ``on`` or their opposites, in any case."""
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ImproperlyConfigured(f"{name} is {text!r}; write 1 or 0.")


def secret_key(environ: Mapping[str, str], *, debug: bool, beside: Mapping[str, Any]) -> str:
    """Django's secret: given, or while DEBUG is on a random one that stays on this machine.

    That one is kept in a file that only its owner may read, in the folder of the SQLite database
    ``beside``, so that every process of the site finds the same. It is no constant, because the
    sandbox's secrets are derived from it, and everybody can read this source.
    """
    if given := environ.get("SECRET_KEY", ""):
        return given
    if not debug:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it to a long random text that nobody else knows, "
            "or set DEBUG=1 on your own machine."
        )
    folder = Path(beside["NAME"]).parent if _is_file(beside) else FOLDER
    try:
        return _kept_key((folder if folder.is_dir() else FOLDER) / KEY_FILE)
    except OSError as error:
        raise ImproperlyConfigured(
            f"SECRET_KEY is not set, and none can be kept in {folder} ({error.strerror}). Set it."
        ) from None


def _kept_key(path: Path) -> str:
    if not path.exists():
        # Written whole before it gets its name: two processes that start at once agree on one.
        made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(50))
            _give_name(made, path)
        finally:
            made.unlink(missing_ok=True)
    return path.read_text()


def _give_name(made: Path, path: Path) -> None:
    try:
        os.link(made, path)
    except FileExistsError:
        return  # another process was first; its key is the key
    except OSError:  # a file system without links
        made.replace(path)


def words(text: str) -> list[str]:
    """The parts of a list that is separated by commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def databases(environ: Mapping[str, str], folder: Path) -> dict[str, dict[str, Any]]:
    """``DATABASES``: the site in ``default``, the bot's tables in ``state`` where they stand apart.

    ``STATE_DATABASE_URL`` says where the bot's tables are. Without it a site on an SQLite file gets
    a second file beside it, because a migration that holds the file's only write lock must not stop
    its own audit; any other site keeps them in its own database.
    """
    url = environ.get("DATABASE_URL") or f"sqlite:///{folder / 'site.sqlite3'}"
    site = _database("DATABASE_URL", url)
    found = {"default": site}
    if state_url := environ.get("STATE_DATABASE_URL"):
        state = _database("STATE_DATABASE_URL", state_url)
        if _place(state) != _place(site):
            found["state"] = state
    elif _is_file(site):
        path = Path(site["NAME"])
        found["state"] = _database(
            "", f"sqlite:///{path.with_name(f'{path.stem}-bot{path.suffix}')}"
        )
    return found


def bot_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """``MIGRATION_BOT``: each key that the environment names, as the type its field has.

    ``lock_timeout`` is read from ``MIGRATION_BOT_LOCK_TIMEOUT``; ``release``, ``public_url`` and
    whatever begins with ``slack_`` also go without the prefix. A name that fits no key stops the
    start: a misspelt safeguard would otherwise be off without a word.
    """
    types = get_type_hints(Settings)
    found: dict[str, Any] = {}
    names: set[str] = set()
    for key in (field.name for field in fields(Settings)):
        possible = [PREFIX + key.upper()]
        if key in ("release", "public_url") or key.startswith("slack_"):
            possible.append(key.upper())
        names.update(possible)
        for name in possible:
            if name in environ:
                found[key] = parse(name, environ[name], types[key])
                break
    for name in environ:
        if name.startswith(PREFIX) and name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ImproperlyConfigured(f"{name} is no setting of the migration bot.{hint}")
    return found


def parse(name: str, text: str, kind: Any) -> Any:
    """``text`` as a value of the type ``kind``: the types that fields of ``Settings`` have.

    A tuple is separated by commas; a dict is JSON or ``safe=1,dangerous=2``; an optional value is
    None when the text is empty.
    """
    kinds = [one for one in get_args(kind) if one is not NoneType]
    if NoneType in get_args(kind):
        return None if not text.strip() else parse(name, text, kinds[0])
    origin = get_origin(kind) or kind
    try:
        if origin is bool:
            return boolean(name, text)
        if origin is tuple:
            return tuple(parse(name, word, kinds[0]) for word in words(text))
        if origin is dict:
            return _mapping(name, text, kinds[1])
        return origin(text.strip())
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}, which is no {origin.__name__}.") from None


def _mapping(name: str, text: str, kind: Any) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        return {str(key): parse(name, str(value), kind) for key, value in json.loads(text).items()}
    pairs = (word.partition("=") for word in words(text))
    return {key.strip(): parse(name, value, kind) for key, _, value in pairs}


def _database(name: str, url: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60))
    except (ValueError, dj_database_url.ParseError, dj_database_url.UnknownSchemeError) as error:
        # The URL itself may hold a password, so it is not repeated.
        kind = urlsplit(url).scheme or "nothing"
        raise ImproperlyConfigured(
            f"{name} cannot be read: it begins with {kind!r}, and a URL such as "
            f"postgresql://user@host:5432/name is wanted ({type(error).__name__})."
        ) from None
    if found["ENGINE"].endswith("sqlite3"):
        found["OPTIONS"] = {**SQLITE_OPTIONS, **found.get("OPTIONS", {})}
    else:
        found["CONN_HEALTH_CHECKS"] = True
    return found


def _is_file(database: Mapping[str, Any]) -> bool:
    return str(database["ENGINE"]).endswith("sqlite3") and database["NAME"] != ":memory:"


def _place(database: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(database.get(part) for part in ("ENGINE", "HOST", "PORT", "NAME"))
