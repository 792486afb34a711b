"""Who runs this process and where, as the operating system says it."""

from __future__ import annotations

import os
import socket


def user_name() -> str:
    """The login name behind the process's real user id.

    Environment variables (``USER``, ``LOGNAME``, ``SUDO_USER``) are not read: anybody can set them.
    A container often runs as an id without a name; then it is ``uid 1234``.
    """
    if not hasattr(os, "getuid"):  # Windows
        return os.getlogin()
    import pwd

    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def host_name() -> str:
    """The machine's name, or ``unknown`` where it has none."""
    return socket.gethostname() or "unknown"


def os_user() -> str:
    """``user@host``, as the audit keeps it."""
    return f"{user_name()}@{host_name()}"


def place() -> str:
    """``on host web-1 (pid 4321)``: where a holder of a lock can be found."""
    return f"on host {host_name()} (pid {os.getpid()})"
