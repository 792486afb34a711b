"""What Slack waits for: /migrate apply, acknowledged by the real door, against a bare view."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.report import Report

ROOT = Path(__file__).resolve().parents[2]
SECRET, TEAM, APP = "8f742231b10e8888abcd99yyyzzz85a5", "T0BENCH", "A0BENCH"
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
"""How long one measurement sends."""
ROUNDS = 3
PACE = 0.25
"""Seconds between two commands of one client: more than people type, less than it could."""
WAITING = 20

PREPARE = """
from datetime import datetime, timedelta, UTC
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from bot.conf import get_settings
from bot.models import Link, SlackPerson
using = get_settings().state_database
later = datetime.now(UTC) + timedelta(hours=1)
permission = Permission.objects.get(
    content_type__app_label="migration_bot", codename="request_run")
for number in range(16 * 64):
    user = get_user_model().objects.create_user(f"bench{number}", is_staff=True)
    user.user_permissions.add(permission)
    key = f"T0BENCH:U0BENCH{number}"
    SlackPerson.objects.using(using).create(key=key, team="T0BENCH",
        slack_user=f"U0BENCH{number}", name="Bench", flags_at=later, seen_at=later)
    Link.objects.using(using).create(team="T0BENCH", slack_user=f"U0BENCH{number}",
        account=str(user.pk), account_name=user.username, linked_at=later, live_key=key)
"""

ANALYZE = """
from django.db import connection
if connection.vendor == "postgresql":
    connection.cursor().execute("ANALYZE")
"""
"""What PostgreSQL does by itself within a minute: until then it reads whole tables for one row."""

COUNT = """
from bot.conf import get_settings
from bot.models import SeenRequest, StoredPlan
from django_tasks_db.models import DBTaskResult
using = get_settings().state_database
wishes = StoredPlan.objects.using(using).filter(
    purpose="request", reason__startswith="the new totals ")
print("counted", wishes.count(), SeenRequest.objects.using(using).count(),
    DBTaskResult.objects.filter(task_path__endswith="make_plan").count())
"""

ANSWER = """
import time
from bot.conf import get_settings
from bot.models import StoredPlan
waiting = StoredPlan.objects.using(get_settings().state_database).filter(state="waiting")
while True:
    waiting.update(state="refused", refusal="Nothing is planned in a benchmark.")
    time.sleep(0.03)
"""
"""What stands in for workers that plan at once: nobody may wait for more than a few plans."""

LONG_JOBS = f"""
from bot.tasks import carry_out
for number in range({WAITING}):
    carry_out.enqueue(str(10**9 + number))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measurement: acknowledged requests a second, the 99th percentile and the web server's own
    processor time for one, both in milliseconds."""

    rate: float
    p99: float
    processor: float


def run(report: Report) -> None:
    """The state on PostgreSQL, then on SQLite; then the connections of the pooled client."""
    from tests import servers

    for vendor in ("postgresql", "sqlite"):
        if because := servers.missing(vendor):
            report.miss(f"acknowledging with the state on {vendor}: {because}")
            continue
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            url = stack.enter_context(servers.scratch_database(vendor, Path(name)))
            _measure(report, vendor, Site(url))
    _connections(report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Measurements of one vendor, side by side: the door and the bare view, the door at a pace and
    while long jobs wait, and what each part costs with less behind it."""

    door: list[Measured]
    bare: list[Measured]
    paced: list[Measured]
    busy: list[Measured]
    empty: list[Measured]
    """The same door with nothing behind it."""
    bare_beside: list[Measured]
    one_row: list[Measured]


def _measure(report: Report, vendor: str, site: Site) -> None:
    """The sides in turns, on one server that serves all of them."""
    site.prepare()
    with site.served() as port:
        for path in ("/bare", "/slack/events"):
            site.hammer(port, path, 1.0)
        turns = [
            (site.hammer(port, "/slack/events"), site.hammer(port, "/bare")) for _ in range(ROUNDS)
        ]
        paced = [site.hammer(port, "/slack/events", pace=PACE) for _ in range(ROUNDS)]
        site.shell(LONG_JOBS)
        busy = [site.hammer(port, "/slack/events") for _ in range(ROUNDS)]
    site.check_rows()
    with site.served(without_rows=True) as port:
        floor = [
            (
                site.hammer(port, "/slack/events", rows=False),
                site.hammer(port, "/bare"),
                site.hammer(port, "/row", rows=False),
            )
            for _ in range(ROUNDS)
        ]
    door, bare = map(list, zip(*turns, strict=True))
    empty, beside, row = map(list, zip(*floor, strict=True))
    _compare_rates(
        report,
        vendor,
        Turns(
            door=door,
            bare=bare,
            paced=paced,
            busy=busy,
            empty=empty,
            bare_beside=beside,
            one_row=row,
        ),
    )


def _compare_rates(report: Report, vendor: str, turns: Turns) -> None:
    verifies = "by a view that only verifies"
    for what, ours, theirs, than, at_most in (
        ("the bare view with one row written", turns.one_row, turns.bare_beside, verifies, None),
        ("the same door with nothing behind it", turns.empty, turns.bare_beside, verifies, None),
        ("apply acknowledged, state", turns.door, turns.bare, verifies, 1 / 0.6),
        (f"apply while {WAITING} long jobs wait", turns.busy, turns.door, "while none waits", 1.25),
    ):
        took, otherwise = (1000 / median(one.rate for one in side) for side in (ours, theirs))
        report.compare(f"{what}, {vendor}", took, otherwise, than=than, unit="ms", at_most=at_most)
    processor = [median(one.processor for one in side) for side in (turns.door, turns.bare)]
    what = f"the web server's processor time for it, {vendor}"
    report.compare(what, *processor, than=verifies, unit="ms")
    for pace, side in (
        ("without a pause", turns.door),
        (f"{round(16 / PACE)} a second", turns.paced),
    ):
        report.compare(
            f"its 99th percentile, 16 clients, {pace}, {vendor}",
            median(one.p99 for one in side),
            50,
            than="allowed",
            unit="ms",
            at_most=1,
        )


def _connections(report: Report) -> None:
    """How many connections 200 calls of the Web API take."""
    from slack_sdk import WebClient

    from bot.slack.client import PooledClient
    from tests.slack.counting import counted

    opened = []
    for kind in (PooledClient, WebClient):
        with counted() as (url, counts):
            client = kind(token="xoxb-test", base_url=url, retry_handlers=[])
            for _ in range(200):
                client.auth_test()
            opened.append(counts.connections)
    report.compare(
        "connections for 200 calls of the Web API",
        opened[0],
        opened[1],
        than="by the SDK's client",
        unit="connections",
        at_most=1 / 200,
    )


class Site:
    """The sample site on one database, served as the Procfile says."""

    def __init__(self, url: str) -> None:
        self.acknowledged = 0
        self.pid = 0
        self.environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("SLACK_")},
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "tests.bench._slack_ack_site",
            "DATABASE_URL": url,
            "SECRET_KEY": "only for benchmarks",
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "SLACK_TEAM_ID": TEAM,
            "SLACK_APP_ID": APP,
            "SLACK_CHANNEL": "C0BENCH",
        }

    def prepare(self) -> None:
        """Tables, linked people, and nothing else."""
        for command in (("migrate", "--verbosity", "0"), ("migration_bot", "setup")):
            self._run("-m", "django", *command)
        self.shell(PREPARE)
        self.shell(ANALYZE)

    def shell(self, code: str) -> str:
        return self._run("-m", "django", "shell", "--verbosity", "0", "-c", code)

    @contextmanager
    def served(self, *, without_rows: bool = False) -> Iterator[int]:
        """gunicorn with two workers of eight threads; its port."""
        from tests.throwaway import free_port

        port = free_port()
        words = "django_site.wsgi --worker-class gthread --workers 2 --threads 8"
        words += f" --no-control-socket --bind 127.0.0.1:{port} --keep-alive 30"
        words += " --log-level warning"
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *words.split()],
            cwd=ROOT,
            env=self.environment | ({"BENCH_WITHOUT_ROWS": "1"} if without_rows else {}),
        )
        planner = subprocess.Popen(
            [sys.executable, "-m", "django", "shell", "--verbosity", "0", "-c", ANSWER],
            cwd=ROOT,
            env=self.environment,
        )
        self.pid = process.pid
        try:
            self._wait(port)
            time.sleep(2)  # The planner is there, too.
            yield port
        finally:
            for each in (process, planner):
                each.terminate()
                each.wait(30)

    def hammer(
        self,
        port: int,
        path: str,
        seconds: float = SECONDS,
        *,
        pace: float = 0.0,
        rows: bool = True,
    ) -> Measured:
        """Send from sixteen clients; ``pace`` is the seconds from one of theirs to the next."""
        arguments = [str(port), path, str(seconds), SECRET, TEAM, APP, str(pace)]
        before = self._processor()
        told = json.loads(self._run("-m", "tests.bench._hammer", *arguments))
        processor = self._processor() - before
        latencies = sorted(told["latencies"])
        if path != "/bare" and rows:
            self.acknowledged += len(latencies)
        return Measured(
            rate=len(latencies) / told["seconds"],
            p99=latencies[int(len(latencies) * 0.99)],
            processor=processor * 1000 / len(latencies),
        )

    def _processor(self) -> float:
        """Seconds of processor time that gunicorn's workers have had (Linux: /proc)."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        ticks = 0
        for child in children:
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def check_rows(self) -> None:
        """Each acknowledgement stands for a wish, a signature that is remembered, and a wake."""
        counts = self.shell(COUNT).split("counted")[1].split()
        if {int(count) for count in counts} != {self.acknowledged}:
            raise RuntimeError(f"{self.acknowledged} were acknowledged, but rows are: {counts}")

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return done.stdout

    def _wait(self, port: int) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/slack/events?ssl_check=1")
                return
            except OSError as error:
                if time.monotonic() > end:
                    raise RuntimeError("gunicorn did not start") from error
                time.sleep(0.1)
