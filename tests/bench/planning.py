"""Plans of wagtail against sqlmigrate, of ever more migrations, and the memory they take.

- All of wagtail pending, on an empty PostgreSQL database: one plan against ``sqlmigrate`` for each
  migration, called in the same process.
- Five pending: the last five of the order in which an empty database gets them. That was settled
  before anything was measured. They add a field each to one small model, which ``sqlmigrate`` is
  quick at; others would show a larger difference.
- Both sides are warm, take turns in one process, and the shortest of each counts. The promise is
  about the time on the wall; the processor's is told beside it. Both find the connection that is
  open in that process; a plan that has to open one, as in a worker's child, is told too.
- Findings: the same plans with and without them, by turns; of five also by a process that opens its
  connection, as a worker's child does for each plan. Of five the middle one of several processes.
- Growth: projects of 500 and of 2,000 made-up migrations planned from nothing on SQLite, by turns,
  each in a process of its own, which imports them too.
- Memory: the peak of a process that plans everything against one that migrates it.

squawk is not installed where this is measured: a plan that asks it takes as much longer as it does.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench import wagtail_site
from tests.bench.report import Report

STEPS_A_MODEL = 10
"""Each synthetic model is made and then changed nine times: a project that grows gets more models,
not wider ones."""
TIMES = 3
"""So often short things are measured; the shortest counts."""
TURNS = 200
"""So often, where a difference of a tenth has to be told: of 60 the shortest still differed by a
twentieth from one time to the next."""
PROCESSES = 5
"""So many measure that difference: 600 turns of one process and of the next still differed by up to
eight hundredths, as where a process has its things in memory does. The middle one counts."""


def run(report: Report) -> None:
    """All comparisons; each number comes from a process of its own."""
    from tests import servers

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if because := servers.missing("postgresql"):
            report.miss(f"wagtail on PostgreSQL: {because}")
        else:
            _wagtail(report, folder)
        turns = [[_synthetic(folder, number) for number in (500, 2000)] for _ in range(TIMES)]
        for what, limit in (("seconds", 5), ("processor", None)):
            small, large = (min(one[place][what] for one in turns) for place in (0, 1))
            report.compare(
                f"2,000 synthetic migrations, {what}", large, small, than="of 500", at_most=limit
            )


def _wagtail(report: Report, folder: Path) -> None:
    from tests import servers

    interpreter = wagtail_site.python()
    wagtail_site.write_site(folder)

    def measure(url: str, what: str) -> Any:
        module = ("-m", "tests.bench.planning", what)
        return json.loads(wagtail_site.printed(interpreter, folder, url, *module).splitlines()[-1])

    with servers.scratch_database("postgresql", folder) as url:
        everything = measure(url, "everything")
        for what in ("seconds", "processor"):
            report.compare(
                f"wagtail, all {everything['steps']} pending, {what}",
                everything["plan"][what],
                everything["sqlmigrate"][what],
                than=f"by sqlmigrate ({everything['crashes']} of them crash)",
            )
        _findings(report, everything, f"all {everything['steps']} pending")
        planned = measure(url, "memory-plan")["kilobytes"]
        shown = measure(url, "memory-migrate-plan")["kilobytes"]
        migrated = measure(url, "memory-migrate")["kilobytes"]
    for theirs, than, limit in ((migrated, "migrate", 1.1), (shown, "migrate --plan", None)):
        report.compare(
            "wagtail, memory for all pending",
            planned / 1024,
            theirs / 1024,
            than=f"by {than}",
            unit="MB",
            at_most=limit,
        )
    with servers.scratch_database("postgresql", folder) as url:
        fives = [measure(url, "five") for _ in range(PROCESSES)]
        five = _middle(fives)
        connecting = _middle([one["connecting"] for one in fives])
        for what, limit in (("seconds", 0.2), ("processor", None)):
            report.compare(
                f"wagtail, 5 pending, {what}",
                five["plan"][what],
                five["sqlmigrate"][what],
                than="by sqlmigrate",
                at_most=limit,
            )
        _findings(report, five, "5 pending")
        _findings(report, connecting, "5 pending and connecting")
        report.compare(
            "wagtail, 5 pending, seconds with connecting",
            connecting["judged"]["seconds"],
            five["sqlmigrate"]["seconds"],
            than="by sqlmigrate",
        )


def _middle(measured: list[Any]) -> Any:
    """That of the processes in which findings add neither the most nor the least."""

    def added(one: Any) -> float:
        return float(one["judged"]["seconds"] / one["bare"]["seconds"])

    return sorted(measured, key=added)[len(measured) // 2]


def _findings(report: Report, measured: Any, what: str) -> None:
    """What findings add to a plan, those of squawk and of rehearsals apart."""
    for unit, limit in (("seconds", 1.1), ("processor", None)):
        report.compare(
            f"wagtail, {what}, with findings, {unit}",
            measured["judged"][unit],
            measured["bare"][unit],
            than="without",
            at_most=limit,
        )


def _synthetic(folder: Path, number: int) -> dict[str, float]:
    """What it takes to plan so many migrations from nothing, on SQLite."""
    site = folder / f"synthetic{number}"
    if not site.exists():
        site.mkdir()
        write_synthetic(site, number)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.planning", "synthetic"],
        cwd=site,
        env=wagtail_site.environment(site, f"sqlite:///{site / 'db.sqlite3'}")
        | {"DJANGO_SETTINGS_MODULE": "synthetic_settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])["plan"]
    return taken


def write_synthetic(site: Path, number: int) -> None:
    """A project of ten apps with ``number`` migrations in all, which refer to one another."""
    apps = [f"part{index}" for index in range(10)]
    (site / "synthetic_settings.py").write_text(
        "import os, dj_database_url\n"
        "DATABASES = {'default': dj_database_url.parse(os.environ['DATABASE_URL'])}\n"
        "MIGRATION_BOT = {'state_database': 'elsewhere'}\n"
        f"SECRET_KEY = 'x'\nUSE_TZ = True\nINSTALLED_APPS = {apps!r}\n"
        "DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n"
    )
    for index, app in enumerate(apps):
        migrations = site / app / "migrations"
        migrations.mkdir(parents=True)
        (site / app / "__init__.py").write_text("")
        (migrations / "__init__.py").write_text("")
        for place in range(number // len(apps)):
            models = number // len(apps) // STEPS_A_MODEL
            source = _synthetic_migration(apps, index, place, models)
            (migrations / f"m{place:04}.py").write_text(source)


def _synthetic_migration(apps: list[str], index: int, place: int, models: int) -> str:
    model = f"Model{place % models}"
    depends = [(apps[index], f"m{place - 1:04}")] if place else []
    if place < models:
        fields = "('id', models.BigAutoField(primary_key=True)), ('word', models.CharField("
        fields += "max_length=20))"
        if index:
            other = apps[index - 1]
            depends.append((other, f"m{place:04}"))
            fields += f", ('to', models.ForeignKey('{other}.{model}', models.CASCADE))"
        operation = f"migrations.CreateModel('{model}', [{fields}])"
    elif place % 3 == 0:
        operation = (
            f"migrations.AlterField('{model}', 'word', models.CharField(max_length={20 + place}))"
        )
    else:
        operation = f"migrations.AddField('{model}', 'f{place}', models.IntegerField(null=True))"
    return (
        "from django.db import migrations, models\n"
        "class Migration(migrations.Migration):\n"
        f"    dependencies = {depends!r}\n    operations = [{operation}]\n"
    )


# In the measured process


class Clock:
    """Seconds on the wall and of the processor that its block takes."""

    def __enter__(self) -> Clock:
        self._begun = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *exc: object) -> None:
        self.taken = {
            "seconds": time.perf_counter() - self._begun[0],
            "processor": time.process_time() - self._begun[1],
        }


def _plan() -> tuple[dict[str, float], Any]:
    from datetime import UTC, datetime

    from bot.database.planner import make_plan
    from bot.route.plan import Target

    with Clock() as clock:
        plan = make_plan("default", Target(), now=datetime.now(UTC))
    return clock.taken, plan


@contextmanager
def _without_findings() -> Iterator[None]:
    """The planner without what only findings need: nobody looks at an operation's models, asks the
    catalogue or the data, or judges."""
    from unittest import mock

    from bot.database import planner
    from bot.database.examining import Examined
    from bot.database.witness import Witness
    from bot.route.risks.facts import Deed, OperationFacts

    def look(self: Any, app: str, operation: Any, *looked_at: Any, **sent: Any) -> OperationFacts:
        kind = type(operation).__name__
        return OperationFacts(place=self.place, kind=kind, deed=Deed.NOTHING, app=app)

    def unexamined(looking: Any, steps: Any, facts: Any) -> Examined:
        return Examined(steps=tuple(steps), notes=())

    with (
        mock.patch.object(Witness, "look", look),
        mock.patch.object(planner, "examined", unexamined),
    ):
        yield


def _sqlmigrate(plan: Any) -> tuple[dict[str, float], int]:
    """What sqlmigrate takes for all steps of the plan, and how often it crashes."""
    import io

    from django.core.management import call_command

    crashes = 0
    with Clock() as clock:
        for step in plan.steps:
            try:
                call_command("sqlmigrate", step.app, step.name, stdout=io.StringIO())
            except Exception:  # noqa: BLE001 how it crashes is its own affair; that it does is told
                crashes += 1
    return clock.taken, crashes


def _least(taken: list[dict[str, float]]) -> dict[str, float]:
    return {what: min(one[what] for one in taken) for what in taken[0]}


def _all_but_five() -> None:
    """Run all but the last five migrations of the plan."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    executor.migrate(None, plan=plan[:-5])


def _measure(what: str) -> dict[str, Any]:
    import django

    django.setup()
    if what.startswith("memory-"):
        return {"kilobytes": _peak(what)}
    if what == "synthetic":
        return {"plan": _plan()[0]}
    if what == "five":
        _all_but_five()
    from django.db import connection, connections

    turns = TURNS if what == "five" else TIMES
    found = _with_and_without_findings(turns)
    if what == "five":
        found["connecting"] = _with_and_without_findings(turns, begin=connections.close_all)
        connection.ensure_connection()
    plans, sqlmigrates = [], []
    for _ in range(TIMES if what == "five" else 1):
        taken, plan = _plan()
        plans.append(taken)
        taken, crashes = _sqlmigrate(plan)
        sqlmigrates.append(taken)
    return {
        **found,
        "plan": _least(plans),
        "sqlmigrate": _least(sqlmigrates),
        "steps": len(plan.steps),
        "crashes": crashes,
    }


def _with_and_without_findings(
    turns: int, begin: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """What a plan takes with findings and without, by turns, each after ``begin``; each side goes
    first as often as the other."""
    bare: list[dict[str, float]] = []
    judged: list[dict[str, float]] = []
    for turn in range(2 * turns):
        begin()
        if turn % 4 in (0, 3):
            with _without_findings():
                bare.append(_plan()[0])
        else:
            judged.append(_plan()[0])
    return {"bare": _least(bare), "judged": _least(judged)}


def _peak(what: str) -> int:
    """The most memory that this process has after it has planned or migrated, in KiB."""
    if what == "memory-plan":
        _plan()
    else:
        from django.core.management import call_command

        options = {"plan": True} if what == "memory-migrate-plan" else {}
        call_command("migrate", verbosity=0, skip_checks=True, **options)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
