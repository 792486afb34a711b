"""A run of wagtail by a warm worker against a cold manage.py migrate: time, memory, schema."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench import wagtail_site
from tests.bench.report import Report

FIVE = 5
TWICE, TIMES = 2, 3
"""So often the long and the short comparison are made; the shortest of each side counts."""

PLAIN = """
from wagtail_settings import *
MIGRATION_BOT = {**MIGRATION_BOT, "guard_plain_migrate": False, "record_plain_migrate": False}
"""


def run(report: Report) -> None:
    """All comparisons; both sides start from databases in the same state."""
    from tests import servers

    if because := servers.missing("postgresql"):
        report.miss(f"wagtail on PostgreSQL: {because}")
        return
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        site = Site(folder)

        def database() -> str:
            return stack.enter_context(servers.scratch_database("postgresql", folder))

        whole = [(database(), database()) for _ in range(TWICE)]
        ran = [(site.by_run(ours), site.by_migrate(theirs)) for ours, theirs in whole]
        ours, theirs = ran[0]
        for what, limit in (("seconds", 1.05), ("processor", None)):
            report.compare(
                f"wagtail, everything ({ours['steps']} steps), {what}",
                min(each[0][what] for each in ran),
                min(each[1][what] for each in ran),
                than="by a cold migrate",
                at_most=limit,
            )
        report.compare(
            "wagtail, memory of the process that runs everything",
            ours["megabytes"],
            theirs["megabytes"],
            than="by a cold migrate",
            unit="MB",
            at_most=1.1,
        )
        if shutil.which("pg_dump"):
            same = schema(whole[0][0]) == schema(whole[0][1])
            report.compare(
                "wagtail, schemas that differ", float(not same), 1, than="at worst",
                unit="of 1", at_most=0,
            )  # fmt: skip
        else:
            report.miss("wagtail's schema: there is no pg_dump")
        runs, migrates = [], []
        for _ in range(TIMES):
            pair = database(), database()
            for url in pair:
                site.all_but(FIVE, url)
            runs.append(site.by_run(pair[0])["seconds"])
            migrates.append(site.by_migrate(pair[1])["seconds"])
        report.compare(
            f"wagtail, {FIVE} pending", min(runs), min(migrates), than="by a cold migrate",
            at_most=0.7,
        )  # fmt: skip


class Site:
    """Wagtail in ``folder``, migrated by processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = wagtail_site.python()
        wagtail_site.write_site(folder)
        (folder / "plain_settings.py").write_text(PLAIN)

    def by_run(self, url: str, *arguments: str) -> dict[str, Any]:
        """A run in a child of a warm process, from its start to its last word."""
        module = ("-m", "tests.bench.running", "run", *arguments)
        printed = wagtail_site.printed(self.python, self.folder, url, *module)
        told: dict[str, Any] = json.loads(printed.splitlines()[-1])
        if told["last"] != "Finished":
            raise RuntimeError(f"the run did not finish: {told}")
        return told

    def by_migrate(self, url: str) -> dict[str, Any]:
        """Django's own command in a new process, without this app's part in it."""
        environment = wagtail_site.environment(self.folder, url)
        begun = time.perf_counter()
        process = subprocess.Popen(
            [self.python, "-m", "django", "migrate", "--verbosity", "0"],
            cwd=self.folder,
            env={**environment, "DJANGO_SETTINGS_MODULE": "plain_settings"},
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"migrate ended with {process.returncode}")
        return {
            "seconds": seconds,
            "processor": usage.ru_utime + usage.ru_stime,
            "megabytes": usage.ru_maxrss / 1024,
        }

    def all_but(self, number: int, url: str) -> None:
        """Migrate everything but the last so many steps."""
        wagtail_site.printed(
            self.python, self.folder, url, "-m", "tests.bench.running", "all-but", str(number)
        )


def schema(url: str) -> str:
    """The schema as pg_dump writes it, without its remarks and its random tokens."""
    dumped = subprocess.run(
        ["pg_dump", "--schema-only", "--no-owner", url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return re.sub(r"^(--.*|\\(un)?restrict .*|)\n", "", dumped, flags=re.MULTILINE)


# In the measured process


def _run() -> dict[str, Any]:
    """Plan and run everything, each in a child, as a worker does; what the run took."""
    from bot.database import process
    from bot.database.messages import Answer, Planned
    from bot.route.plan import Plan, Target

    process.warm_up()
    with process.start(process.PlanJob(database="default", target=Target())) as child:
        *_, planned = child.messages(every=10)
    if not isinstance(planned, Planned):
        raise RuntimeError(f"there is no plan: {planned}")
    basis = Plan.from_json(planned.document).basis
    job = process.RunJob(run=1, database="default", target=Target(), basis=basis)
    because = process.why_not_forked()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = usage.ru_utime + usage.ru_stime
    begun = time.perf_counter()
    last = None
    with process.start(job) as child:
        for message in child.messages(every=10):
            if message is not None:
                last = message
                if message.asks:
                    child.answer(Answer(go=True))
        seconds = time.perf_counter() - begun
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": seconds,
        "processor": usage.ru_utime + usage.ru_stime - before,
        "megabytes": usage.ru_maxrss / 1024,
        "steps": len(basis.steps),
        "last": type(last).__name__,
        "why_not_forked": because,
    }


def _all_but(number: int) -> None:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    executor.migrate(None, plan=plan[:-number])


if __name__ == "__main__":
    import django

    django.setup()
    if sys.argv[1] == "all-but":
        _all_but(int(sys.argv[2]))
    else:
        print(json.dumps(_run()))
