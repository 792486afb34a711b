"""The process beside this one that plans or runs: how it is started.

A job needs the code as it lies on disk now. A warm process whose code is still that, and which has
one thread, forks; any other starts a fresh interpreter. Both speak the same lines over two pipes.
``child`` is the child's side of them, ``parent`` ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import subprocess
import sys
import tempfile
import threading
from importlib import import_module
from pathlib import Path
from typing import IO

from django.core.cache import caches
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from bot.conf import get_settings
from bot.database import child, freshness
from bot.database.messages import Job, PlanJob, ReconcileJob, RehearseJob, RunJob
from bot.database.messages_json import to_line
from bot.database.parent import Child, Forked, Process, reap, write

__all__ = [
    "Child",
    "PlanJob",
    "ReconcileJob",
    "RehearseJob",
    "RunJob",
    "leave_connections",
    "start",
    "warm_up",
    "why_not_forked",
]

logger = logging.getLogger(__name__)


def start(job: Job) -> Child:
    """Start a child on ``job``: forked where that is safe and the code is unchanged, else fresh."""
    reap()
    because = why_not_forked()
    orders_read, orders = os.pipe()
    messages, messages_write = os.pipe()
    output = _output_file()
    process: Process
    try:
        if because:
            logger.info("A new process is started, not forked: %s", because)
            process = _execute(orders_read, messages_write, output)
        else:
            process = _fork(orders_read, messages_write, output, close=(orders, messages))
    except BaseException:
        for descriptor in (orders, messages):
            os.close(descriptor)
        output.close()
        raise
    finally:
        os.close(orders_read)
        os.close(messages_write)
    with contextlib.suppress(BrokenPipeError):
        write(orders, to_line(job))
    return Child(process, orders=orders, messages=messages, output=output, job=job)


def why_not_forked() -> str:
    """Why a fresh interpreter is needed, in words; empty when this process can fork."""
    if get_settings().code_reload != "auto":
        return "the setting code_reload asks for it"
    if sys.platform != "linux":
        return "forking is only known to be safe on Linux"
    if threading.active_count() > 1 or _kernel_threads() > 1:
        return "this process has more than one thread"
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            return "a transaction is open here"
        if _is_pooled(connection):
            return "this process has a pool of connections"
    return freshness.what_changed()


def leave_connections() -> None:
    """Close every connection before a fork: an inherited one must be nobody's.

    Of those that Django pools (``"OPTIONS": {"pool": True}``) the pool as well: closing gives a
    connection back to it, open, and the child would speak on its parent's sessions. The pool's
    threads end with it. Whoever connects next, on either side, has a new one.
    """
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        if _is_pooled(connection):
            connection.close_pool()  # type: ignore[attr-defined]  # not in the stubs


def _is_pooled(connection: BaseDatabaseWrapper) -> bool:
    """Django pools PostgreSQL's connections alone, since 5.1."""
    return bool(connection.settings_dict["OPTIONS"].get("pool")) and hasattr(
        connection, "close_pool"
    )


def warm_up() -> None:
    """Load what a run needs beside models, so that forked children find it loaded.

    For a worker at its start. Migrations that cannot be loaded are left to the run to tell.
    """
    from django.core.management import get_commands, load_command_class
    from django.db.migrations.loader import MigrationLoader

    for name in ("carrying", "planner", "reconcile"):
        import_module(f"bot.database.{name}")
    freshness.remember()
    try:
        load_command_class(get_commands()["migrate"], "migrate")
        MigrationLoader(None, ignore_no_migrations=True)
    except Exception:
        # The project's own code runs here. Whatever is wrong with it must not stop a worker,
        # which may be about to be asked for a plan that says so.
        logger.exception("The migrations could not be loaded ahead of time.")
    finally:
        connections.close_all()


def _output_file() -> IO[bytes]:
    """A file without a name. Writers append, so that it can be cut while they hold it."""
    output = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (the Child closes it)
    flags = fcntl.fcntl(output, fcntl.F_GETFL)
    fcntl.fcntl(output, fcntl.F_SETFL, flags | os.O_APPEND)
    return output


def _kernel_threads() -> int:
    """Threads that Python knows nothing of count too (a library may start them)."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def _fork(orders: int, messages: int, output: IO[bytes], *, close: tuple[int, ...]) -> Process:
    """Fork. The child closes ``close``, works and never comes back from here."""
    leave_connections()
    caches.close_all()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        child.after_fork(orders, messages, output.fileno(), close)
    return Forked(pid)


def _execute(orders: int, messages: int, output: IO[bytes]) -> Process:
    """Start a fresh interpreter that finds the same code in the same places."""
    places = [str(Path(place).resolve()) if place else str(Path.cwd()) for place in sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bot.database.child", str(orders), str(messages)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(orders, messages),
        start_new_session=True,
    )
