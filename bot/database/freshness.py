"""Is what this process has loaded still what lies on disk?

Compared are every loaded module's source file, the names beside them, and every file in the
migrations packages. A file counts by its change time (``st_ctime_ns``, which an ordinary write,
copy or rename cannot set back), size and inode. What changed after this process began counts as
changed even where it was not seen before: we cannot know which of the two was loaded.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

Mark = tuple[int, int, int]
"""Change time in ns, size in bytes, inode."""

COARSE_NS = 10_000_000
"""The kernel stamps files from a coarse clock, up to so many ns behind the real one."""
CODE = (".py", ".so", ".pyd")


def _process_start_ns() -> int:
    """When this process began, in ns since the epoch; now, where the system does not tell.

    Field 22 of /proc/self/stat, in clock ticks since boot (proc(5)). The end of that tick: an
    interpreter needs longer than one (10 ms) before it loads anything of ours.
    """
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[19]) + 1
        boot = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    except (OSError, ValueError, IndexError, AttributeError):
        return time.time_ns()
    return boot + ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


BEGAN = _process_start_ns()
"""Taken at import and inherited by forks, whose modules are as old as their parents'."""


@dataclass(slots=True)
class _Seen:
    """What was found at the last look."""

    files: dict[str, Mark] = field(default_factory=dict)
    folders: dict[str, tuple[Mark, frozenset[str]]] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)


_seen = _Seen()
_since = BEGAN


def remember() -> None:
    """Take a first look, as early as possible: at the start of a worker, when it has loaded."""
    what_changed()


def begin_loading() -> None:
    """From here on this process loads migrations, or trusts those that it has just compared."""
    global _since  # noqa: PLW0603  (one moment a process)
    _since = time.time_ns() - COARSE_NS


def what_changed() -> str:
    """One thing on disk that differs from what is loaded, in words; empty when nothing does.

    Takes 10 to 20 ms for 3,000 modules. Once something differs it does so for good: this process
    cannot load it anew.
    """
    begin_loading()
    sources = _module_files()
    folders = set(sources.values())
    migrations = set(_migration_folders())
    return (
        _first(_changed_file(file) for file in sources)
        or _first(_changed_link(folder) for folder in folders)
        or _first(_changed_names(folder) for folder in folders | set(_search_path()))
        or _first(_changed_migrations(folder) for folder in migrations)
    )


def migrations_changed() -> str:
    """A file of a migrations package that was changed or added since ``begin_loading``, or a link
    on the way to one that was switched since.

    For a child that holds the lock: it has just loaded them, and a deploy may be under way. A
    switched link leads to files that may be older than all of this.
    """
    folders = list(_migration_folders())
    unlinked: set[str] = set()
    return _first(_switched(folder, _since, unlinked) for folder in folders) or _first(
        f"{path} was changed" if _is_newer(path, _since) else ""
        for folder in folders
        for path in _all_files(folder)
    )


def _first(words: Iterable[str]) -> str:
    return next((text for text in words if text), "")


def _mark(path: str) -> Mark:
    stat = os.stat(path)  # noqa: PTH116
    return stat.st_ctime_ns, stat.st_size, stat.st_ino


def _module_files() -> dict[str, str]:
    """The files that the loaded modules came from, each with its folder; an archive for a zip.

    Reads modules' namespaces and no attributes: a lazy module would load itself on being asked.
    """
    files: dict[str, str] = {}
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        file = names.get("__file__")
        if not isinstance(file, str) or not file or file[0] == "<":
            continue
        archive = getattr(names.get("__loader__"), "archive", None)
        path, folder = _place(archive if isinstance(archive, str) else file)
        files[path] = folder
    return files


@cache
def _place(file: str) -> tuple[str, str]:
    """A file's absolute path and its folder. Relative ones are few, and from before any chdir."""
    path = os.path.abspath(file)  # noqa: PTH100  (thousands of them)
    return path, os.path.dirname(path)  # noqa: PTH120


def _changed_file(file: str) -> str:
    try:
        mark = _mark(file)
    except OSError:
        return f"{file} was removed"
    before = _seen.files.get(file)
    if before is None:
        if mark[0] > BEGAN:
            return f"{file} was changed"
        _seen.files[file] = mark
        return ""
    return "" if before == mark else f"{file} was changed"


def _changed_link(folder: str) -> str:
    """A symbolic link on the way that points elsewhere now: how many deploys switch releases."""
    return _switched(folder, BEGAN, _seen.links)


def _switched(folder: str, moment: int, known: set[str]) -> str:
    """A link on the way to ``folder`` that was made after ``moment``, in words. ``known`` are
    folders without a link on the way to them; found ones are added."""
    path, walked = folder, set[str]()
    while path not in known:
        try:
            stat = os.lstat(path)
        except OSError:
            return f"{path} was removed"
        if os.path.islink(path):  # noqa: PTH114
            if stat.st_ctime_ns > moment:
                return f"{path} was switched"
            walked.clear()  # what is below a link may be elsewhere at the next look
        else:
            walked.add(path)
            if path == os.path.dirname(path):  # noqa: PTH120
                break
        path = os.path.dirname(path)  # noqa: PTH120
    known |= walked
    return ""


def _changed_names(folder: str) -> str:
    """A source file that came or went, which imports would now find or miss."""
    try:
        mark = _mark(folder)
    except OSError:
        return f"{folder} was removed" if folder in _seen.folders else ""
    before = _seen.folders.get(folder)
    if before and before[0] == mark:
        return ""
    with os.scandir(folder) as entries:
        names = frozenset(entry.name for entry in entries if entry.name.endswith(CODE))
    if before is None:
        new = _first(
            f"{path} was changed"
            for path in (os.path.join(folder, name) for name in names)  # noqa: PTH118
            if path not in _seen.files and _is_newer(path, BEGAN)
        )
        if new:
            return new
    elif before[1] != names:
        return f"{folder}: {', '.join(sorted(before[1] ^ names))} came or went"
    _seen.folders[folder] = (mark, names)
    return ""


def _is_newer(path: str, moment: int) -> bool:
    try:
        return _mark(path)[0] > moment
    except OSError:
        return False


def _changed_migrations(folder: str) -> str:
    """Any file there counts, whatever its name: migrations read SQL and data beside them."""
    found = set(_all_files(folder))
    known = {file for file in _seen.files if file.startswith(folder + os.sep)}
    if gone := known - found:
        return f"{min(gone)} was removed"
    return _first(_changed_file(file) for file in sorted(found))


def _all_files(folder: str) -> Iterator[str]:
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (os.path.join(path, name) for name in names if not name.endswith(".pyc"))  # noqa: PTH118


def _migration_folders() -> Iterator[str]:
    """Where the migrations of the installed apps lie, also of those that nobody loaded yet."""
    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader

    if not apps.ready:
        return
    for config in apps.get_app_configs():
        name, _ = MigrationLoader.migrations_module(config.label)
        if name is None:
            continue
        module = sys.modules.get(name)
        places = list(getattr(module, "__path__", ())) if module else _places(name)
        yield from (os.path.abspath(place) for place in places)  # noqa: PTH100


def _places(name: str) -> list[str]:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return []
    return list(spec.submodule_search_locations or ()) if spec else []


def _search_path() -> Iterator[str]:
    """Folders in which an added file could hide a module that is loaded from another."""
    for place in sys.path:
        if os.path.isdir(place or "."):  # noqa: PTH112
            yield os.path.abspath(place or ".")  # noqa: PTH100
