"""Hands the demo over to the launcher, which starts web and worker and ends them together."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from django.core.management.base import CommandError
from django.db import connections

HOST = "127.0.0.1"
LAUNCHER = Path(__file__).with_name("launcher.py")


def require_free(port: int) -> None:
    """Raise CommandError when ``port`` is none, or something listens on it already."""
    if not 1 <= port <= 65535:
        raise CommandError(
            f"There is no port {port}: they go from 1 to 65535. Choose one: make demo PORT=8001"
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). "
                "Choose another one: make demo PORT=8001"
            ) from error


def serve(port: int) -> NoReturn:
    """Become the launcher. This process has Django in it, which only web and worker need."""
    web = [sys.executable, "-m", "gunicorn", "django_site.wsgi", "--bind", f"{HOST}:{port}"]
    web += ["--workers", "1", "--worker-class", "gthread", "--threads", "8"]
    web += ["--log-level", "warning", "--no-control-socket"]
    worker = [sys.executable, "manage.py", "migration_bot", "worker"]
    environment = {**os.environ, "PORT": str(port), "PUBLIC_URL": f"http://{HOST}:{port}"}
    environment["ALLOWED_HOSTS"] = "localhost,127.0.0.1"
    order = {
        "host": HOST,
        "port": port,
        "children": {"web": web, "worker": worker},
        "welcome": _welcome(port),
    }
    connections.close_all()
    sys.stdout.flush()
    sys.stderr.flush()
    python = [sys.executable, "-I", "-S", str(LAUNCHER), json.dumps(order)]
    os.execve(sys.executable, python, environment)  # noqa: S606


def _welcome(port: int) -> str:
    site = f"http://{HOST}:{port}"
    return (
        f"\nThe demo runs at {site}/sandbox/, a stand-in for Slack.\n"
        "    1. You are robin. Type /migrate help first, then /migrate plan.\n"
        "    2. Ask for a run: /migrate apply shop 0003\n"
        "    3. Be ada (on the left) and approve it. What is dangerous needs a second approver:\n"
        "       grace. Watch it run, then type /migrate history.\n"
        f"The staff page, for the day that Slack is down: {site}/migrations/\n"
        "    Sign in as robin, press Plan now, and ask; approve as ada in a private window.\n"
        "Ctrl-C ends web and worker.\n"
    )
