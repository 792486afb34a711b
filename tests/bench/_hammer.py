"""Sixteen keep-alive clients in one process: signed slash commands of many people, each sent once.

``python -m tests.bench._hammer PORT PATH SECONDS SECRET TEAM APP PACE`` prints one JSON object: the
seconds that it took and each answer's latency in milliseconds. A client sends its next request when
it has its answer, and ``PACE`` seconds after it sent the last one at the earliest. A wrong answer
ends it with an error.
"""

from __future__ import annotations

import json
import secrets
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

CLIENTS = 16
WORKERS = 2
"""The web server's processes; each gets as many of the clients, as behind a balancer. Left to
chance, all sixteen now and then talk to one of them while the other rests."""
PEOPLE = 64
"""For each client: one person may wait for a few plans only."""
EXPECTED = b"Asked for"


@dataclass(slots=True)
class Talk:
    """One client's connection."""

    number: int
    connection: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    port: int
    path: str
    secret: str
    team: str
    app: str


def request(where: Where, client: int) -> bytes:
    """A ``/migrate apply`` that nobody sent before, by one of the client's own people."""
    person = client * PEOPLE + secrets.randbelow(PEOPLE)
    body = urlencode(
        {
            "team_id": where.team,
            "team_domain": "example",
            "channel_id": "C0BENCH",
            "channel_name": "migrations",
            "user_id": f"U0BENCH{person}",
            "user_name": f"bench{person}",
            "command": "/migrate",
            "text": f'apply shop --reason "the new totals {secrets.token_hex(8)}"',
            "api_app_id": where.app,
            "is_enterprise_install": "false",
            "response_url": "https://hooks.slack.com/commands/T0/1/x",
            "trigger_id": f"{secrets.token_hex(8)}.1.abc",
        }
    )
    timestamp = str(int(time.time()))
    verifier = SignatureVerifier(where.secret)
    signature = verifier.generate_signature(timestamp=timestamp, body=body)
    head = (
        f"POST {where.path} HTTP/1.1\r\nHost: 127.0.0.1:{where.port}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nAccept: */*\r\n"
        "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n"
        f"X-Slack-Request-Timestamp: {timestamp}\r\nX-Slack-Signature: {signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def answer_of(received: bytearray) -> bytes | None:
    """The whole answer, once it is there."""
    head, found, body = bytes(received).partition(b"\r\n\r\n")
    if not found:
        return None
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    return head + body if len(body) >= length else None


def connect_evenly(port: int) -> list[socket.socket]:
    """Connections that stay, as many to each worker."""
    kept: dict[bytes, list[socket.socket]] = {}
    for _ in range(1000):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(f"GET /worker HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        received, answer = bytearray(), None
        while answer is None:
            received += connection.recv(65536)
            answer = answer_of(received)
        theirs = kept.setdefault(answer.rpartition(b"\r\n")[2], [])
        if len(theirs) < CLIENTS // WORKERS:
            theirs.append(connection)
        else:
            connection.close()
        if sum(map(len, kept.values())) == CLIENTS:
            return [each for mine in kept.values() for each in mine]
    raise SystemExit("one of the workers takes no connections")


class Hammer:
    """Sends for so many seconds, each client at ``pace``."""

    def __init__(self, where: Where, *, pace: float) -> None:
        self.where = where
        self.pace = pace
        self.latencies: list[float] = []
        self.selector = selectors.DefaultSelector()
        self.ready = [[request(where, n) for _ in range(1500 // CLIENTS)] for n in range(CLIENTS)]
        self.connections = connect_evenly(where.port)
        self.resting: list[tuple[float, Talk]] = []
        self.under_way = 0

    def run(self, seconds: float) -> dict[str, object]:
        """What came of it."""
        begun = time.perf_counter()
        for number, connection in enumerate(self.connections):
            talk = Talk(number, connection)
            self.selector.register(connection, selectors.EVENT_READ, talk)
            self.resting.append((begun + self.pace * number / CLIENTS, talk))
        while True:
            now = time.perf_counter()
            over = now - begun >= seconds
            due = [talk for at, talk in self.resting if at <= now and not over]
            self.resting = [(at, talk) for at, talk in self.resting if talk not in due]
            for talk in due:
                self.send(talk)
            if over and not self.under_way:
                return {"seconds": now - begun, "latencies": self.latencies}
            soonest = min((at for at, _ in self.resting), default=now + 1)
            wait = None if over else max(0.0, min(soonest, begun + seconds) - now)
            for key, _ in self.selector.select(wait):
                self.receive(key.data)

    def send(self, talk: Talk) -> None:
        waiting = self.ready[talk.number]
        given = waiting.pop() if waiting else request(self.where, talk.number)
        talk.received.clear()
        talk.sent_at = time.perf_counter()
        talk.connection.sendall(given)
        self.under_way += 1

    def receive(self, talk: Talk) -> None:
        piece = talk.connection.recv(65536)
        if not piece:
            raise SystemExit("the server hung up")
        talk.received += piece
        answer = answer_of(talk.received)
        if answer is None:
            return
        self.latencies.append((time.perf_counter() - talk.sent_at) * 1000)
        if b" 200 " not in answer[:20] or EXPECTED not in answer:
            raise SystemExit(f"a wrong answer: {answer[:2000]!r}")
        self.under_way -= 1
        self.resting.append((talk.sent_at + self.pace, talk))


if __name__ == "__main__":
    port, path, seconds, secret, team, app, pace = sys.argv[1:]
    place = Where(port=int(port), path=path, secret=secret, team=team, app=app)
    print(json.dumps(Hammer(place, pace=float(pace)).run(float(seconds))))
