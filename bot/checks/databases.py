"""The databases: those that are migrated, and the one with the bot's own tables. None is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage
from django.db import DEFAULT_DB_ALIAS, connections, router

from bot.checks.rows import ROWS
from bot.checks.values import nearest
from bot.conf import OWN_LABELS, Settings, get_settings
from bot.routers import StateRouter

LOCKABLE = ("postgresql", "mysql", "sqlite")
_ON_A_SERVER = ("postgresql", "mysql")
SHORT_WAIT = 10.0
"""Seconds; less than this for an SQLite lock is too little for several processes that write."""
PGBOUNCER_PORT = "6432"


def check_databases() -> Iterator[CheckMessage]:
    """What is wrong with ``DATABASES`` as far as the bot uses them."""
    settings = get_settings()
    known = django_settings.DATABASES
    words = {"known": ", ".join(known)}
    for alias in settings.databases:
        if alias not in known:
            yield ROWS["E011"].found(alias=alias, nearest=nearest(alias, known), **words)
    for key, row in (("data_check_databases", "E014"), ("rehearsal_databases", "E015")):
        pairs: Mapping[str, str] = getattr(settings, key)
        for alias in (name for pair in pairs.items() for name in pair):
            if alias not in known:
                yield ROWS[row].found(alias=alias, nearest=nearest(str(alias), known), **words)
        yield from _of_another_kind(key, pairs)
    yield from _rehearsed_with_rights(settings)
    state = settings.state_database
    if state not in known:
        yield ROWS["E010"].found(alias=state, nearest=nearest(state, known), **words)
        return
    if state != DEFAULT_DB_ALIAS and not any(isinstance(r, StateRouter) for r in router.routers):
        yield ROWS["E012"].found(alias=state)
    else:
        yield from _routed_elsewhere(state)
    targets = settings.target_databases
    for alias in targets:
        vendor = connections[alias].vendor
        if vendor not in LOCKABLE:
            yield ROWS["E013"].found(alias=alias, vendor=vendor)
    for alias in dict.fromkeys((*targets, state)):
        yield from _pooling(alias)
    if connections[state].vendor == "sqlite":
        yield from _sqlite(state, targets)


def _routed_elsewhere(state: str) -> Iterator[CheckMessage]:
    """Whether another router decides before ours, for the first model where that shows. The bot
    names its database itself where it can; a task engine and a relation ask the routers."""
    for model in apps.get_models():
        if model._meta.app_label not in OWN_LABELS:
            continue
        for found in (router.db_for_read(model), router.db_for_write(model)):
            if found != state:
                yield ROWS["W016"].found(model=model._meta.label, found=found, state=state)
                return


def _of_another_kind(key: str, pairs: Mapping[str, str]) -> Iterator[CheckMessage]:
    known = django_settings.DATABASES
    for target, alias in pairs.items():
        if target in known and alias in known:
            wanted, vendor = connections[target].vendor, connections[alias].vendor
            if wanted != vendor:
                yield ROWS["E016"].found(
                    key=key, alias=alias, target=target, vendor=vendor, wanted=wanted
                )


def _rehearsed_with_rights(settings: Settings) -> Iterator[CheckMessage]:
    """SQLite is rehearsed in a file of its own, whatever is named."""
    known = django_settings.DATABASES
    for target, alias in settings.rehearsal_databases.items():
        if target not in known or alias not in known:
            continue
        one, other = connections[target], connections[alias]
        login = [[c.settings_dict.get(k) for k in ("HOST", "PORT", "USER")] for c in (one, other)]
        if one.vendor in _ON_A_SERVER and login[0] == login[1]:
            yield ROWS["W015"].found(target=target, alias=alias)


def _sqlite(state: str, targets: tuple[str, ...]) -> Iterator[CheckMessage]:
    given = connections[state].settings_dict
    if _in_memory(given):
        yield ROWS["W013"].found(alias=state)
        return
    for alias in targets:
        other = connections[alias]
        if other.vendor == "sqlite" and _file(other.settings_dict) == _file(given):
            yield ROWS["W010"].found(alias=alias)
            if str(given["OPTIONS"].get("transaction_mode") or "").upper() == "IMMEDIATE":
                yield ROWS["W011"].found(alias=alias)
            break
    seconds = given["OPTIONS"].get("timeout", 5.0)
    if seconds < SHORT_WAIT:
        yield ROWS["W012"].found(alias=state, seconds=f"{seconds:g}")


def _pooling(alias: str) -> Iterator[CheckMessage]:
    """What can be seen of poolers without connecting: a port, a name."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return
    given = connection.settings_dict
    bouncer = (
        str(given.get("PORT")) == PGBOUNCER_PORT or "bouncer" in str(given.get("HOST")).lower()
    )
    if bouncer and not given.get("DISABLE_SERVER_SIDE_CURSORS"):
        yield ROWS["W014"].found(alias=alias)


def _in_memory(given: Mapping[str, Any]) -> bool:
    name = str(given["NAME"])
    return name == ":memory:" or "mode=memory" in name


def _file(given: Mapping[str, Any]) -> Path:
    return Path(str(given["NAME"])).resolve()
