"""Plans of wagtail against sqlmigrate, of ever more migrations, and the memory they take."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench import wagtail_site
from tests.bench.report import Report

STEPS_A_MODEL = 10
"""Each synthetic model is made and then changed nine times: a project that grows gets more models,
not wider ones."""


def run(report: Report) -> None:
    """All comparisons; each number comes from a process of its own."""
    from tests import servers

    servers.find_servers()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if because := servers.missing("postgresql"):
            report.miss(f"wagtail on PostgreSQL: {because}")
        else:
            _wagtail(report, folder)
        small, large = (_synthetic(folder, number) for number in (500, 2000))
        report.compare("2,000 synthetic migrations", large, small, than="of 500", at_most=5)


def _wagtail(report: Report, folder: Path) -> None:
    from tests import servers

    interpreter = wagtail_site.python()
    wagtail_site.write_site(folder)

    def measure(url: str, what: str) -> Any:
        module = ("-m", "tests.bench.planning", what)
        return json.loads(wagtail_site.run(interpreter, folder, url, *module).splitlines()[-1])

    with servers.scratch_database("postgresql", folder) as url:
        everything = measure(url, "everything")
        report.compare(
            f"wagtail, all {everything['steps']} pending",
            everything["plan"],
            everything["sqlmigrate"],
            than=f"by sqlmigrate ({everything['crashes']} of them crash)",
        )
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
        five = measure(url, "five")
        report.compare(
            "wagtail, 5 pending", five["plan"], five["sqlmigrate"], than="by sqlmigrate",
            at_most=0.2,
        )  # fmt: skip


def _synthetic(folder: Path, number: int) -> float:
    """Seconds to plan so many migrations from nothing, on SQLite."""
    site = folder / f"synthetic{number}"
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
    seconds: float = json.loads(done.stdout.splitlines()[-1])["plan"]
    return seconds


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


def _plan() -> tuple[float, Any]:
    from datetime import UTC, datetime

    from bot.database.planner import make_plan
    from bot.route.plan import Target

    begun = time.perf_counter()
    plan = make_plan("default", Target(), now=datetime.now(UTC))
    return time.perf_counter() - begun, plan


def _sqlmigrate(plan: Any) -> tuple[float, int]:
    """Seconds that sqlmigrate takes for each step of the plan, and how often it crashes."""
    import io

    from django.core.management import call_command

    crashes, begun = 0, time.perf_counter()
    for step in plan.steps:
        try:
            call_command("sqlmigrate", step.app, step.name, stdout=io.StringIO())
        except Exception:  # noqa: BLE001 how it crashes is its own affair; that it does is told
            crashes += 1
    return time.perf_counter() - begun, crashes


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
    if what == "five":
        _all_but_five()
    if what == "memory-plan":
        _plan()
    elif what.startswith("memory-"):
        from django.core.management import call_command

        options = {"plan": True} if what == "memory-migrate-plan" else {}
        call_command("migrate", verbosity=0, skip_checks=True, **options)
    if what.startswith("memory-"):
        return {"kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
    times = 3 if what == "five" else 1
    made = [_plan() for _ in range(times)]
    seconds, plan = min(taken for taken, _ in made), made[0][1]
    found: dict[str, Any] = {"plan": seconds, "steps": len(plan.steps)}
    if what != "synthetic":
        found["sqlmigrate"], found["crashes"] = min(_sqlmigrate(plan) for _ in range(times))
        found["hidden"] = sorted(
            {s.note for step in plan.steps for s in step.statements if s.belief == "cannot_preview"}
        )
    return found


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
