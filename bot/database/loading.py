"""Django's loader of migrations, which does no work twice.

A plan of a few steps is made of little else than loading, so what Django does here again and again
is done once. What comes out is what Django's own loader makes, and a test compares the two.
"""

from __future__ import annotations

import os
import pkgutil
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module, reload
from importlib.machinery import FileFinder, all_suffixes
from typing import Any

from django.apps import apps
from django.db.migrations.exceptions import BadMigrationError
from django.db.migrations.loader import MIGRATIONS_MODULE_NAME, MigrationLoader

from bot.database.freshness import COARSE_NS

Key = tuple[str, str]
_Mark = tuple[int, int, int]

_COMPILED = tuple(suffix for suffix in all_suffixes() if suffix != ".py")
_executed: dict[str, tuple[Any, _Mark | None]] = {}
"""Packages of migrations that were executed for a loader, and what their file was before that."""


class OnceReadLoader(MigrationLoader):
    """``read`` gives the keys of all rows of django_migrations; it is called once.

    Django makes an object of each row, and reads them again to check the history, for which what
    the loader keeps will not do: it enters squashes whose parts are all applied, and takes out
    others.
    """

    def __init__(self, read: Callable[[], Iterable[Key]]) -> None:
        self._read = read
        self._recorded: frozenset[Key] | None = None
        self._applied: dict[Key, Any] | None = None
        self._firsts: dict[Key, Any] = {}
        # Without a connection Django's part asks nobody, and enters no row of its own.
        super().__init__(None)

    @property
    def recorded(self) -> frozenset[Key]:
        """Every row of django_migrations."""
        if self._recorded is None:
            self._recorded = frozenset(self._read())
        return self._recorded

    @property
    def applied_migrations(self) -> Any:
        """Keys of applied migrations, a squash in the place of its parts; the values are None."""
        if self._applied is None:
            self._applied = dict.fromkeys(self.recorded)
        return self._applied

    @applied_migrations.setter
    def applied_migrations(self, rows: Any) -> None:
        self._applied = None
        self._firsts.clear()

    def load_disk(self) -> None:
        """As MigrationLoader.load_disk, which is the same from 5.2 to 6.1.

        But a package that lies there as it was executed last is not executed again, and only what
        is not loaded is imported.
        """
        self.disk_migrations: dict[Key, Any] = {}
        self.unmigrated_apps: set[str] = set()
        self.migrated_apps: set[str] = set()
        for config in apps.get_app_configs():
            module = self._package(config.label)
            if module is None:
                self.unmigrated_apps.add(config.label)
                continue
            self.migrated_apps.add(config.label)
            for name in _migration_names(module.__path__):
                migration = _migration_class(f"{module.__name__}.{name}", name, config.label)
                self.disk_migrations[config.label, name] = migration(name, config.label)

    def _package(self, label: str) -> Any:
        """The app's package of migrations; None when it has none."""
        name, explicit = self.migrations_module(label)
        if name is None:
            return None
        before = sys.modules.get(name)
        mark, begun = _mark(before), time.time_ns()
        try:
            module = import_module(name)
        except ModuleNotFoundError as error:
            missing = (error.name or "").split(".")
            if (explicit and self.ignore_no_migrations) or (
                not explicit and MIGRATIONS_MODULE_NAME in missing
            ):
                return None
            raise
        if not hasattr(module, "__path__"):
            return None  # A module, migrations.py.
        # An empty folder is a namespace, which has no file and no list.
        if getattr(module, "__file__", None) is None and not isinstance(module.__path__, list):
            return None
        # Django executes it again each time, for its own tests, which write one over another.
        if before is None:
            mark = _mark(module)
            if mark is not None and mark[0] < begun - COARSE_NS:
                _executed[name] = (module, mark)
        elif mark is None or _executed.get(name) != (module, mark):
            module = reload(module)
            _executed[name] = (module, mark)
        return module

    def check_key(self, key: Key, current_app: str) -> Any:
        """What ``__first__`` and ``__latest__`` of another app mean: looked for once an app.

        Django walks over all migrations each time. Only dependencies inside an app decide, and
        those are all known by then.
        """
        if not key[1].startswith("__") or key[0] == current_app:
            return super().check_key(key, current_app)
        if key not in self._firsts:
            self._firsts[key] = super().check_key(key, current_app)
        return self._firsts[key]

    def inconsistency(self) -> str:
        """A migration that is applied while one that it depends on is not; empty for none."""
        for key in sorted(self.recorded):
            node = self.graph.node_map.get(key)
            for parent in node.parents if node is not None else ():
                if parent.key not in self.recorded and not self._parts_recorded(parent.key):
                    one, other = (".".join(words) for words in (key, parent.key))
                    return f"Migration {one} is applied before its dependency {other}"
        return ""

    def _parts_recorded(self, key: Key) -> bool:
        # From Django 6.0 on a squash may replace squashes.
        parts_of_parts = getattr(self, "all_replaced_applied", None)
        if parts_of_parts is not None:
            return bool(parts_of_parts(key, self.recorded))
        squash = self.replacements.get(key)
        return squash is not None and self.recorded.issuperset(map(tuple, squash.replaces))


def _migration_class(path: str, name: str, label: str) -> Any:
    module = sys.modules.get(path)
    if module is None or not hasattr(module, "Migration"):
        try:
            module = import_module(path)
        except ImportError as error:
            if "bad magic number" in str(error):
                words = f"Couldn't import {path!r} as it appears to be a stale .pyc file."
                raise ImportError(words) from error
            raise
    try:
        return module.Migration
    except AttributeError:
        words = f"Migration {name} in app {label} has no Migration class"
        raise BadMigrationError(words) from None


def _migration_names(places: Any) -> list[str]:
    """The modules in these folders that Django takes for migrations.

    pkgutil tries each suffix on each name, and looks into folders for packages. Where there is
    nothing but sources it is enough to read their names.
    """
    found: set[str] = set()
    for place in places:
        names = _names_of_sources(place)
        if names is None:
            modules = pkgutil.iter_modules(places)
            found = {name for _, name, is_package in modules if not is_package}
            break
        found |= names
    return sorted(name for name in found if name[0] not in "_~")


def _names_of_sources(place: str) -> set[str] | None:
    """The modules of a folder of sources; None for any other, which pkgutil must look at."""
    if type(pkgutil.get_importer(place)) is not FileFinder:
        return None
    names: set[str] = set()
    try:
        found = os.listdir(place)  # noqa: PTH208  (a Path for each name takes as long as the rest)
    except OSError:
        return None
    for name in found:
        if name.endswith(".py"):
            names.add(name[:-3])
        elif name != "__pycache__" and ("." not in name or name.endswith(_COMPILED)):
            return None
    return {name for name in names if "." not in name and name}


def _mark(module: Any) -> _Mark | None:
    """What the file of a loaded package is now; None where there is none to compare."""
    try:
        found = os.stat(module.__file__)  # noqa: PTH116
    except (AttributeError, TypeError, OSError):
        return None
    return found.st_ctime_ns, found.st_size, found.st_ino
