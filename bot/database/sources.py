"""Which files beside its own a migration is made of: what its package holds, what it imports.

Nothing is imported to find out: sources are read, and names resolved by the finders alone. Found
are files that lie in the migrations package, and the project's modules that are imported from
there by an ``import`` statement. Not found are files elsewhere that Python opens, modules that
are imported by a computed name, and what an imported module outside the package imports in turn.
"""

from __future__ import annotations

import ast
import os
import stat
import sys
import sysconfig
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

from bot.route.refusals import BrokenMigrations

MOST_FILES = 2_000
MOST_BYTES = 64 * 2**20
"""Of one migrations package: beyond this it is no package of migrations, and is refused."""

Part = tuple[str, bytes]
"""A name that is the same on every machine, and what lies there."""


def _libraries() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple({os.path.realpath(sysconfig.get_path(name)) + os.sep for name in names})


_LIBRARIES = _libraries()
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Sources:
    """Reads each file once. For one basis, so that no two looks are mixed."""

    def __init__(self) -> None:
        self._packages: dict[str, list[Part]] = {}
        self._specs: dict[str, ModuleSpec | None] = {}
        self._parts: dict[str, bytes | None] = {}
        self._imports: dict[str, tuple[str, ...]] = {}

    def of(self, package: str, name: str) -> list[Part]:
        """The files of the migration ``name`` of the migrations package, but for its own file.

        In an order that depends on nothing but them. Raises BrokenMigrations for a package that is
        larger than anybody's.
        """
        own = f"{package}.{name}"
        parts = dict(self._beside(package))
        waiting, seen = [own], {own}
        while waiting:
            for imported in self._imported(waiting.pop()):
                if imported in seen:
                    continue
                seen.add(imported)
                content = self._content(imported)
                if content is None:
                    continue
                parts[f"module {imported}"] = content
                if imported.startswith(f"{package}."):
                    waiting.append(imported)
        return sorted(parts.items())

    def _beside(self, package: str) -> list[Part]:
        """Every file of the package that is no migration and no compiled module."""
        if package not in self._packages:
            places = list(getattr(sys.modules.get(package), "__path__", ()))
            self._packages[package] = [part for place in places for part in _files(package, place)]
        return self._packages[package]

    def _content(self, module: str) -> bytes | None:
        """The file of a module of the project; None for a library's, and where there is none."""
        if module not in self._parts:
            self._parts[module] = self._read(module)
        return self._parts[module]

    def _read(self, module: str) -> bytes | None:
        top = self._spec(module.partition(".")[0])
        if top is None or (top.origin and _is_library(top.origin)):
            return None
        spec = self._spec(module)
        if spec is None or not spec.has_location or not spec.origin or _is_library(spec.origin):
            return None
        if os.path.isfile(spec.origin):  # noqa: PTH113
            return Path(spec.origin).read_bytes()
        loader = spec.loader
        get_data = getattr(loader, "get_data", None)
        return bytes(get_data(spec.origin)) if get_data else None

    def _spec(self, module: str) -> ModuleSpec | None:
        """What the finders say of a module, its parents not being imported for it."""
        if module not in self._specs:
            self._specs[module] = self._find(module)
        return self._specs[module]

    def _find(self, module: str) -> ModuleSpec | None:
        parent = module.rpartition(".")[0]
        path = None
        if parent:
            above = self._spec(parent)
            if above is None or above.submodule_search_locations is None:
                return None
            path = list(above.submodule_search_locations)
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(module, path) if find else None
            if spec is not None:
                return spec
        return None

    def _imported(self, module: str) -> tuple[str, ...]:
        """The modules that this one names in its ``import`` statements, wherever they stand."""
        if module not in self._imports:
            source = self._content(module)
            spec = self._spec(module)
            if source is None or spec is None:
                self._imports[module] = ()
            else:
                is_package = spec.submodule_search_locations is not None
                inside = module if is_package else module.rpartition(".")[0]
                self._imports[module] = tuple(_named(source, inside))
        return self._imports[module]


def _named(source: bytes, package: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return  # not Python, or not this Python; its bytes count all the same
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            if base:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")


def _base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1]
    return ".".join([*above, node.module] if node.module else above)


def _is_library(path: str) -> bool:
    real = os.path.realpath(path)
    return (
        path in ("built-in", "frozen")
        or real.startswith(_LIBRARIES)
        or any(mark in real for mark in _INSTALLED)
    )


def _files(package: str, place: str) -> Iterator[Part]:
    count = total = 0
    for folder, folders, names in os.walk(place):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118
            relative = os.path.relpath(path, place).replace(os.sep, "/")
            if name.endswith(".pyc") or _is_migration(relative):
                continue
            try:
                found = os.stat(path)  # noqa: PTH116
                if not stat.S_ISREG(found.st_mode):
                    continue
                count, total = count + 1, total + found.st_size
                if count > MOST_FILES or total > MOST_BYTES:
                    raise BrokenMigrations(
                        detail=f"{package} holds more than {MOST_FILES} files or "
                        f"{MOST_BYTES // 2**20} MB beside its migrations, all of which an approval "
                        "is for"
                    )
                yield f"file {relative}", Path(path).read_bytes()
            except OSError:
                # It went while we looked, or is a broken link; another look finds another digest.
                yield f"file {relative}", b""


def _is_migration(relative: str) -> bool:
    """Whether Django's loader takes this file for a migration (MigrationLoader.load_disk)."""
    return "/" not in relative and relative.endswith(".py") and relative[0] not in "_~"
