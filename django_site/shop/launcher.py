"""Runs the demo's web and worker until Ctrl-C, SIGTERM, or until one of them ends.

    python -I -S launcher.py '{"host": ..., "port": ..., "children": {...}, "welcome": ...}'

A program of its own on nothing but the standard library: it waits for as long as the demo runs, and
is to take no memory that somebody else could use.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType

PATIENCE = 20.0
"""Seconds to wait until the site says that it answers and that a worker is alive."""
HEALTH = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"


class Stop(BaseException):
    """Somebody asked us to stop."""


def main(order: dict[str, object]) -> str:
    """Run the children. Returns what went wrong; empty when somebody asked us to stop.

    Each leads a process group of its own, so that a Ctrl-C in the terminal reaches this process
    alone and each child gets one signal, not two: a second one would cut off a running migration.
    """
    children: dict[str, subprocess.Popen[bytes]] = {}
    commands, host, port = order["children"], order["host"], order["port"]
    assert isinstance(commands, dict)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    ended = ""
    try:
        for name, command in commands.items():
            children[name] = subprocess.Popen(command, start_new_session=True)
        _wait_for_health((str(host), int(str(port))), children)
        if not _ended(children):
            print(order["welcome"], end="", flush=True)
        while not (ended := _ended(children)):
            time.sleep(0.3)
    except Stop:
        print(
            "\nStopping; a migration that runs is finished first. Ctrl-C again cuts it off.",
            flush=True,
        )
    finally:
        _end(children)
    if not ended:
        return ""
    code = children[ended].returncode
    return f"The {ended} process ended by itself ({code}); the rest was stopped."


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stop


def _ended(children: dict[str, subprocess.Popen[bytes]]) -> str:
    return next((name for name, child in children.items() if child.poll() is not None), "")


def _wait_for_health(
    address: tuple[str, int], children: dict[str, subprocess.Popen[bytes]]
) -> None:
    """Return once web and worker are ready, a child has ended, or patience has.

    Without the worker the first command would be answered late, as nobody asks who typed it. One
    that was killed within the last half minute still counts as alive.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not _ended(children):
        with suppress(OSError), socket.create_connection(address, timeout=1) as site:
            site.settimeout(2)
            site.sendall(HEALTH)
            if b" 200 " in site.recv(64):
                return
        time.sleep(0.1)


def _end(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask each to end; asked again tell them again, which cuts off a run; then make them."""
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        for child in children.values():
            if child.poll() is None:
                child.send_signal(number)
        try:
            for child in children.values():
                child.wait()
            return
        except Stop:
            continue


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])) or 0)
