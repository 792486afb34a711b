"""Whether a request comes from this very machine: what the sandbox and its Slack insist on."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest
from django.http.request import split_domain_port

SANDBOX_TOKEN = "xoxb-sandbox-"  # noqa: S105 - how the stand-in's bot tokens begin

_FORWARDED = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP")
"""Headers that a proxy adds; ``HTTP_X_FORWARDED_…`` are looked for by their beginning."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this very machine."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def is_from_here(request: HttpRequest) -> bool:
    """Whether a request comes from this machine without a proxy, and asked for this machine.

    The host is compared too: a page elsewhere can let its own name lead to 127.0.0.1. HTTP/1.0 is
    what a proxy speaks that adds no headers; browsers and clients have not for decades. A proxy on
    this machine that speaks HTTP/1.1, adds no header and asks for this machine by name cannot be
    told from a browser here.
    """
    meta = request.META
    if not is_loopback(str(meta.get("REMOTE_ADDR", ""))):
        return False
    if any(name in meta for name in _FORWARDED):
        return False
    if any(name.startswith("HTTP_X_FORWARDED") for name in meta):
        return False
    if meta.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return False
    host, _ = split_domain_port(str(meta.get("HTTP_HOST") or meta.get("SERVER_NAME", "")))
    return is_loopback(host)
