"""Processes in which Django is imported already, for tests that start many.

``run(["manage.py", "migrate"], cwd=..., env=..., timeout=...)`` is ``subprocess.run`` of this
Python, but most of what such a process costs, importing the same modules again, was done before:
a process that has read no settings forks. What comes of it has a pid, a folder, an environment and
arguments of its own, and ends as an interpreter ends. Two take turns, so that processes that follow
one another hash texts differently, as interpreters do.

    python -m tests.warm        # what is forked from; its stdin is the socket that it is asked over
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
MODULES = (
    "asyncio",
    "concurrent.futures.thread",
    "dj_database_url",
    "django.contrib.auth.apps",
    "django.contrib.auth.password_validation",
    "django.contrib.contenttypes.apps",
    "django.contrib.messages.apps",
    "django.contrib.sessions.apps",
    "django.contrib.staticfiles.apps",
    "django.core.handlers.wsgi",
    "django.core.management.commands.migrate",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.middleware.csrf",
    "django.template.backends.django",
    "django.views.debug",
    "django_stubs_ext",
    "psycopg",
)
"""And the rules. Nothing else of the bot: it may keep what it finds when it is imported."""
_turns: list[Warm] = []


def run(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments to its end, without stdin; what it printed, as text."""
    if sys.platform == "linux" and (arguments[0] in ("-c", "-m") or arguments[0].endswith(".py")):
        while len(_turns) < 2:
            _turns.append(Warm())
        _turns.reverse()
        if not _turns[0].busy:
            return _turns[0].run(arguments, cwd, env, timeout)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def end() -> None:
    """End those that are forked from."""
    while _turns:
        _turns.pop().end()


class Warm:
    """One process that forks, for one wish after the other."""

    def __init__(self) -> None:
        self.busy = False
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm"],
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": ""},
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
            )

    def run(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        self.busy = True  # It stays so when what follows is broken off.
        out, err = os.pipe(), os.pipe()
        with os.fdopen(out[0], "rb") as said, os.fdopen(err[0], "rb") as complained:
            wish = json.dumps([[*arguments], str(cwd), {**env}]).encode()
            socket.send_fds(self._socket, [_number(len(wish))], [out[1], err[1]])
            os.close(out[1])
            os.close(err[1])
            self._socket.sendall(wish)
            pid = _read_number(self._socket)
            until = time.monotonic() + timeout
            texts = _read_both(said.fileno(), complained.fileno(), until)
        if texts is None:
            os.kill(pid, signal.SIGKILL)
        code = _read_number(self._socket)
        self.busy = False
        if texts is None:
            raise subprocess.TimeoutExpired([*arguments], timeout)
        return subprocess.CompletedProcess([*arguments], code, *texts)

    def end(self) -> None:
        self._socket.close()
        self._process.wait()


def _read_both(one: int, other: int, until: float) -> tuple[str, str] | None:
    """What comes out of two pipes until both are closed; None when that is not in time."""
    said: dict[int, list[bytes]] = {one: [], other: []}
    with selectors.DefaultSelector() as selector:
        for place in said:
            selector.register(place, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(until - time.monotonic())
            if not ready and time.monotonic() > until:
                return None
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                said[key.fd].append(chunk)
                if not chunk:
                    selector.unregister(key.fd)
    first, second = (b"".join(chunks).decode().replace("\r\n", "\n") for chunks in said.values())
    return first, second


def _number(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)


def _read_number(place: socket.socket) -> int:
    read = place.recv(8, socket.MSG_WAITALL)
    assert len(read) == 8, "the process that forks is gone"
    return int.from_bytes(read, "big", signed=True)


# What is forked from


def _forked(control: socket.socket) -> bool:
    """Fork for one wish after the other. True in each fork, which is then what was wished for."""
    elsewhere = sys.path[1:]
    while True:
        head, files, _, _ = socket.recv_fds(control, 8, 2)
        if not head:
            return False  # Nobody is there to wish for more.
        size, (out, err) = int.from_bytes(head, "big"), files
        arguments, folder, environment = json.loads(control.recv(size, socket.MSG_WAITALL))
        pid = os.fork()
        if pid:
            os.close(out)
            os.close(err)
            control.sendall(_number(pid))
            _, status = os.waitpid(pid, 0)
            control.sendall(_number(os.waitstatus_to_exitcode(status)))
            continue
        control.close()
        for place, wished in ((1, out), (2, err)):
            os.dup2(wished, place)
            os.close(wished)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        first = {"-c": "", "-m": folder}.get(arguments[0], str(Path(folder, arguments[0]).parent))
        others = environment.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:] = [first, *filter(None, others), *elsewhere]
        sys.argv[:] = arguments
        return True


def _go() -> None:
    """Run what ``sys.argv`` says, as Python would."""
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        return
    main = sys.modules["__main__"] = ModuleType("__main__")
    name = sys.argv[0]
    if name == "-c":
        source, name = sys.argv.pop(1), "<string>"
    else:
        source, main.__file__ = Path(name).read_text(), str(Path(name).absolute())
    exec(compile(source, name, "exec"), main.__dict__)


def _warm_up() -> socket.socket:
    """Import what every process of a project imports; the socket over which wishes come."""
    control = socket.socket(fileno=os.dup(0))
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    import bot.route

    rules = [found.name for found in pkgutil.walk_packages(bot.route.__path__, "bot.route.")]
    for name in (*MODULES, *rules):
        import_module(name)
    with contextlib.suppress(ImportError):
        import_module("MySQLdb")
    gc.collect()
    gc.freeze()
    return control


if __name__ == "__main__" and _forked(_warm_up()):
    _go()
