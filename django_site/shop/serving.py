"""Starts the site's web server and worker together, and ends them together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

from django.core.management.base import CommandError, OutputWrapper

HOST = "127.0.0.1"
PATIENCE = 20.0
"""Seconds to wait for the web server's first answer."""


def require_free(port: int) -> None:
    """Raise CommandError when something listens on ``port`` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). "
                "Choose another one: make demo PORT=8001"
            ) from error


def serve(port: int, out: OutputWrapper) -> None:
    """Run web and worker until Ctrl-C, SIGTERM, or until one of them ends.

    Each leads a process group of its own, so that a Ctrl-C in the terminal reaches this process
    alone and each child gets one signal, not two: a second one would cut off a running migration.
    """
    web = [sys.executable, "-m", "gunicorn", "django_site.wsgi", "--bind", f"{HOST}:{port}"]
    web += ["--workers", "1", "--worker-class", "gthread", "--threads", "8"]
    web += ["--log-level", "warning", "--no-control-socket"]
    worker = [sys.executable, "manage.py", "migration_bot", "worker"]
    environment = {**os.environ, "PORT": str(port), "PUBLIC_URL": f"http://{HOST}:{port}"}
    environment["ALLOWED_HOSTS"] = "localhost,127.0.0.1"
    children: dict[str, subprocess.Popen[bytes]] = {}
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.signal(number, _stop) for number in numbers}
    ended = ""
    try:
        for name, command in (("web", web), ("worker", worker)):
            children[name] = subprocess.Popen(command, env=environment, start_new_session=True)
        _wait_for_answer(port, children)
        _welcome(port, out)
        while not (ended := _ended(children)):
            time.sleep(0.3)
    except _Stop:
        out.write(
            "\nStopping; a migration that runs is finished first. Ctrl-C again cuts it off.\n"
        )
    finally:
        _end(children)
        for number, handler in previous.items():
            signal.signal(number, handler)
    if ended:
        code = children[ended].returncode
        raise CommandError(f"The {ended} process ended by itself ({code}); the rest was stopped.")


class _Stop(BaseException):
    """Somebody asked us to stop."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stop


def _ended(children: dict[str, subprocess.Popen[bytes]]) -> str:
    return next((name for name, child in children.items() if child.poll() is not None), "")


def _wait_for_answer(port: int, children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Return once the web server accepts connections or a child has ended."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not _ended(children):
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)


def _welcome(port: int, out: OutputWrapper) -> None:
    site = f"http://{HOST}:{port}"
    out.write(
        f"\nThe demo runs at {site}/sandbox/, a stand-in for Slack.\n"
        "    1. You are robin. Type /migrate help first, then /migrate plan.\n"
        "    2. Ask for a run: /migrate apply shop 0003\n"
        "    3. Be ada (on the left) and approve it. What is dangerous needs a second approver:\n"
        "       grace. Watch it run, then type /migrate history.\n"
        f"The staff page, for the day that Slack is down: {site}/migrations/\n"
        "    Sign in as robin, press Plan now, and ask; approve as ada in a private window.\n"
        "Ctrl-C ends web and worker.\n"
    )
    out.flush()


def _end(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask each to end, and make it when asked again or when nothing runs any more."""
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    try:
        for child in children.values():
            child.wait()
    except _Stop:
        for child in children.values():
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
