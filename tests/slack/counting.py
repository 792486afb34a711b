"""A server that answers every call of the Web API with ok, and counts its connections."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Counts:
    calls: int = 0
    connections: int = 0


@contextmanager
def counted() -> Iterator[tuple[str, Counts]]:
    """The API's address on this machine, and what it has counted so far."""
    counts = Counts()

    class Counting(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            counts.connections += 1
            super().setup()

        def do_POST(self) -> None:
            counts.calls += 1
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "11")
            self.end_headers()
            self.wfile.write(b'{"ok":true}')

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api/", counts
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
