"""The gate: every ``migrate`` passes it, real ones in real processes too."""

from __future__ import annotations

import io
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import post_migrate, pre_migrate

from bot.database import gate, osuser, plain
from bot.database.gate import PlainMigrate
from bot.database.history import applied_rows
from bot.database.lock import DatabaseLock
from bot.route.refusals import LockHeld, SetupNeeded
from tests.database.holding import is_held
from tests.project import Project, ProjectFactory, migration

CREATE = """
migrations.CreateModel(
    "Item", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
),
"""

INITIAL = migration(CREATE)

SLOW = migration(
    "migrations.RunPython(fill, migrations.RunPython.noop),",
    after=[("shop", "0001_initial")],
    before="""
    import os, pathlib, time

    def fill(apps, editor):
        if editor.connection.alias != "default":
            return
        apps.get_model("shop", "Item").objects.create(name="filled")
        here = pathlib.Path(os.environ["HERE"])
        (here / f"inside-{os.getpid()}").touch()
        while not (here / "go").exists():
            time.sleep(0.02)
    """,
)

BROKEN = migration(
    "migrations.RunPython(fail, migrations.RunPython.noop),",
    after=[("shop", "0001_initial")],
    before="""
    def fail(apps, editor):
        raise ValueError("the totals do not add up")
    """,
)

TELL = """
import json, os
from django.apps import AppConfig

class TellConfig(AppConfig):
    name = "tell"

    def ready(self):
        from dataclasses import asdict
        from bot.database import gate

        def tell(event):
            with open(os.environ["HERE"] + "/events", "a") as file:
                file.write(json.dumps(asdict(event)) + "\\n")

        gate.on_plain[:] = [tell]
"""


@pytest.fixture
def shop(project: ProjectFactory, scratch_url: str, tmp_path: Path) -> Callable[..., Project]:
    """Makes a project with an app that has tables, and another that writes down what is told."""

    def make(second: str = SLOW, **options: Any) -> Project:
        made = project(
            database_url=scratch_url,
            apps={
                "shop": {"0001_initial": INITIAL, "0002_fill": second},
                "tell": {"apps.py": TELL},
            },
            environment={"HERE": str(tmp_path)},
            **options,
        )
        made.manage("migrate", "shop", "0001")
        (tmp_path / "events").unlink(missing_ok=True)
        return made

    return make


@pytest.fixture
def events(tmp_path: Path) -> Callable[[], list[Any]]:
    """What the gate told, in the order it was told."""

    def read() -> list[Any]:
        file = tmp_path / "events"
        lines = file.read_text().splitlines() if file.exists() else []
        return [SimpleNamespace(**json.loads(line)) for line in lines]

    return read


def wait_inside(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    """Until the slow migration of ``process`` runs."""
    while not list(tmp_path.glob("inside-*")):
        assert process.poll() is None, process.communicate()
        threading.Event().wait(0.02)


# Two at once, in real processes


def test_of_two_plain_migrates_at_once_one_runs_and_the_other_is_refused(
    shop: Callable[..., Project],
    target: str,
    tmp_path: Path,
    events: Callable[[], list[Any]],
) -> None:
    project = shop()
    first = project.start("migrate", "shop")
    wait_inside(tmp_path, first)
    second = project.manage("migrate", "shop", check=False)
    assert second.returncode == 1
    assert "Traceback" not in second.stderr
    holder = f"manage.py migrate by {osuser.os_user()} (pid {first.pid})"
    assert f"default is being migrated by {holder}" in second.stderr
    (tmp_path / "go").touch()
    out, err = first.communicate()
    assert first.returncode == 0, out + err
    with connections[target].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop_item")
        assert cursor.fetchone()[0] == 1
    assert [(e.phase, e.steps) for e in events()] == [
        ("started", ["shop.0002_fill"]),
        ("finished", ["shop.0002_fill"]),
    ]
    assert events()[0].command == "manage.py migrate shop"
    assert events()[0].os_user == osuser.os_user()


def test_after_a_killed_migrate_the_next_one_runs(
    shop: Callable[..., Project], tmp_path: Path
) -> None:
    project = shop()
    first = project.start("migrate", "shop")
    wait_inside(tmp_path, first)
    first.kill()
    first.communicate()
    (tmp_path / "go").touch()
    while (second := project.manage("migrate", "shop", check=False)).returncode:
        assert "being migrated by" in second.stderr  # The server is still ending the dead session.
    assert "OK" in second.stdout


def test_a_plain_migrate_is_refused_while_a_run_holds_the_lock(
    shop: Callable[..., Project], target: str, events: Callable[[], list[Any]]
) -> None:
    project = shop()
    with DatabaseLock(target, holder="run 12 on host web-1 (pid 4321)"):
        done = project.manage("migrate", check=False)
        nothing = project.manage("migrate", "shop", "0001")
        looking = project.manage("migrate", "--plan")
    assert done.returncode == 1
    assert "CommandError: default is being migrated by run 12 on host web-1 (pid 4321)" in (
        done.stderr
    )
    assert "No migrations to apply" in nothing.stdout
    assert "shop.0002_fill" in looking.stdout
    assert events() == []


def test_a_failing_plain_migrate_is_told_with_its_error(
    shop: Callable[..., Project], events: Callable[[], list[Any]], target: str
) -> None:
    project = shop(BROKEN)
    done = project.manage("migrate", "shop", check=False)
    assert "the totals do not add up" in done.stderr
    started, failed = events()
    assert (started.phase, failed.phase) == ("started", "failed")
    assert failed.error == "ValueError: the totals do not add up"
    assert failed.steps == []
    assert is_held(target) is None


def test_the_settings_turn_guard_and_record_off(
    shop: Callable[..., Project], target: str, tmp_path: Path, events: Callable[[], list[Any]]
) -> None:
    (tmp_path / "go").touch()
    project = shop(
        settings="""
        MIGRATION_BOT["guard_plain_migrate"] = False
        MIGRATION_BOT["record_plain_migrate"] = False
        """
    )
    with DatabaseLock(target, holder="run 12"):
        project.manage("migrate", "shop")
    assert events() == []


def test_creating_a_test_database_takes_no_lock_and_is_not_told(
    project: ProjectFactory, tmp_path: Path, events: Callable[[], list[Any]]
) -> None:
    shop = project(
        database_url=f"sqlite:///{tmp_path}/site.sqlite3",
        apps={
            "shop": {
                "0001_initial": INITIAL,
                "tests.py": """
                from django.test import TestCase

                class Shop(TestCase):
                    def test_tables_are_there(self):
                        from django.db import connection
                        assert "shop_item" in connection.introspection.table_names()
                """,
            },
            "tell": {"apps.py": TELL},
        },
        environment={"HERE": str(tmp_path)},
        settings=f"""
        DATABASES["default"]["TEST"] = {{"NAME": "{tmp_path}/test.sqlite3"}}
        """,
    )
    done = shop.manage("test", "shop")
    assert "Ran 1 test" in done.stderr
    assert events() == []
    assert not list(tmp_path.glob("*.migration-lock"))


# In this process

on_one = pytest.mark.parametrize("vendor", ["sqlite"])
"""For what no vendor does in its own way."""


@pytest.fixture
def told() -> Iterator[list[PlainMigrate]]:
    heard: list[PlainMigrate] = []
    before = list(gate.on_plain)
    gate.on_plain[:] = [heard.append]
    yield heard
    gate.on_plain[:] = before


class Handler:
    """A run as the gate sees it."""

    holder = "run 12"

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.then = then
        self.seen: list[tuple[str, list[str]]] = []

    def under_lock(self, using: str, plan: plain.Planned) -> None:
        self.seen.append((using, list(plain.keys(plan))))
        assert (is_held(using) or "").startswith("run 12 ")
        self.then()


def test_a_run_is_asked_under_its_lock_and_holds_it_to_the_end(
    target: str, told: list[PlainMigrate]
) -> None:
    handler = Handler()
    with gate.carrying(handler) as carried:
        assert is_held(target) is None
        call_command("migrate", "contenttypes", "0001", database=target, verbosity=0)
        assert is_held(target)
        call_command("migrate", "contenttypes", database=target, verbosity=0)
        carried.check()
    assert is_held(target) is None
    assert [plan for _, plan in handler.seen] == [
        ["contenttypes.0001_initial"],
        ["contenttypes.0002_remove_content_type_name"],
    ]
    assert told == []


def test_a_run_is_asked_even_when_nothing_is_left_to_do(target: str) -> None:
    call_command("migrate", "contenttypes", database=target, verbosity=0)
    handler = Handler()
    with gate.carrying(handler):
        call_command("migrate", "contenttypes", database=target, verbosity=0)
    assert handler.seen == [(target, [])]


@on_one
def test_what_a_run_raises_stops_migrate_before_anything_ran(target: str) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), gate.carrying(Handler(stop)):
        call_command("migrate", "contenttypes", database=target, verbosity=0)
    assert not MigrationRecorder(connections[target]).applied_migrations()
    assert is_held(target) is None


@on_one
def test_a_run_hears_of_a_held_lock_as_a_refusal(target: str) -> None:
    with DatabaseLock(target, holder="run 11"), gate.carrying(Handler()), pytest.raises(LockHeld):
        call_command("migrate", "contenttypes", database=target, verbosity=0)


def test_a_thread_carries_one_run_at_a_time() -> None:
    with gate.carrying(Handler()), pytest.raises(RuntimeError), gate.carrying(Handler()):
        pass
    with gate.carrying(Handler()):
        pass


def test_a_plain_migrate_in_a_long_lived_process_gives_its_lock_back(
    target: str, told: list[PlainMigrate]
) -> None:
    call_command("migrate", "contenttypes", database=target, verbosity=0)
    assert is_held(target) is None
    assert [event.phase for event in told] == ["started", "finished"]
    call_command("migrate", "contenttypes", "zero", database=target, verbosity=0)
    assert is_held(target) is None
    assert told[-1].steps == (
        "contenttypes.0002_remove_content_type_name",
        "contenttypes.0001_initial",
    )


@pytest.fixture
def second_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second migration of contenttypes raises."""
    apply = Migration.apply

    def fail(self: Migration, *args: Any, **kwargs: Any) -> Any:
        if self.name.startswith("0002"):
            raise ValueError("the totals do not add up")
        return apply(self, *args, **kwargs)

    monkeypatch.setattr(Migration, "apply", fail)


@pytest.mark.usefixtures("second_fails")
def test_a_failed_one_gives_its_lock_back_and_tells_what_was_done(
    target: str, told: list[PlainMigrate]
) -> None:
    with pytest.raises(ValueError, match="add up"):
        call_command("migrate", "contenttypes", database=target, verbosity=0)
    assert is_held(target) is None
    assert [event.phase for event in told] == ["started", "failed"]
    assert told[0].steps == (
        "contenttypes.0001_initial",
        "contenttypes.0002_remove_content_type_name",
    )
    assert told[1].steps == ("contenttypes.0001_initial",)
    assert told[1].error == "ValueError: the totals do not add up"


@pytest.fixture
def receiver() -> Iterator[Callable[..., None]]:
    """Connects a receiver of another app, which hears a signal after the bot has."""
    connected: list[tuple[Any, Any]] = []
    other = [config for config in apps.get_app_configs() if config.models_module][-1]

    def connect(signal: Any, then: Callable[[], None]) -> None:
        def hear(*, using: str, **kwargs: Any) -> None:
            if using == "target":
                then()

        signal.connect(hear, weak=False, sender=other if signal is pre_migrate else None)
        connected.append((signal, hear))

    yield connect
    for signal, hear in connected:
        for sender in (None, other):
            signal.disconnect(hear, sender=sender)


def fail() -> None:
    raise RuntimeError("another app says no")


@pytest.mark.parametrize("signal", [pre_migrate, post_migrate])
def test_one_that_another_apps_receiver_broke_gives_its_lock_back_at_once(
    target: str, told: list[PlainMigrate], receiver: Callable[..., None], signal: Any
) -> None:
    broken = [fail]
    receiver(signal, lambda: broken.pop()() if broken else None)
    with pytest.raises(RuntimeError):
        call_command("migrate", "contenttypes", "0001", database=target, verbosity=0)
    assert is_held(target) is None
    assert [event.phase for event in told] == ["started", "failed"]
    assert told[1].error == "RuntimeError: another app says no"
    assert told[1].steps == (() if signal is pre_migrate else ("contenttypes.0001_initial",))
    call_command("migrate", "contenttypes", database=target, verbosity=0)
    assert [event.phase for event in told[2:]] == ["started", "finished"]


@on_one
def test_a_failed_migrate_inside_a_migrate_leaves_the_outer_one_its_lock(
    target: str, told: list[PlainMigrate], receiver: Callable[..., None]
) -> None:
    def inner() -> None:
        broken.append(fail)
        with pytest.raises(RuntimeError):
            call_command("migrate", "auth", database="target", verbosity=0)
        held.append(is_held("target"))

    broken: list[Callable[[], None]] = [inner]
    held: list[str | None] = []
    receiver(pre_migrate, lambda: broken.pop()() if broken else None)
    call_command("migrate", "contenttypes", database=target, verbosity=0)
    assert "manage.py migrate by" in (held[0] or "")
    assert [event.phase for event in told] == ["started", "finished"]
    assert is_held(target) is None


@on_one
def test_one_that_never_ended_is_told_as_the_process_ends(
    target: str, told: list[PlainMigrate]
) -> None:
    plain.begin(target, plan_of(target, ("contenttypes", None)), lock=True, tell=told.append)
    assert is_held(target)
    plain._at_exit()
    assert [event.phase for event in told] == ["started", "failed"]
    assert told[1].steps == ()
    assert is_held(target) is None


@on_one
def test_one_whose_alias_has_gone_ends_with_the_process_all_the_same(
    vendor: str,
    scratch_url: str,
    register_alias: Callable[[str, str], str],
    told: list[PlainMigrate],
) -> None:
    kept, gone = (register_alias(alias, scratch_url) for alias in ("kept", "gone"))
    plan = plan_of(gone, ("contenttypes", "0001_initial"))
    plain.begin(gone, plan, lock=True, tell=told.append)
    settings = connections.settings.pop(gone)
    connection = connections[gone]
    del connections[gone]
    try:
        plain._at_exit()
    finally:
        connections.settings[gone] = settings
        connections[gone] = connection
    assert [event.phase for event in told] == ["started", "failed"]
    assert is_held(kept) is None


@on_one
def test_a_migrate_inside_a_migrate_runs_under_the_same_lock(
    target: str, told: list[PlainMigrate], receiver: Callable[..., None]
) -> None:
    inner = [lambda: call_command("migrate", "auth", database="target", verbosity=0)]
    receiver(post_migrate, lambda: inner.pop()() if inner else None)
    call_command("migrate", "contenttypes", database=target, verbosity=0)
    assert [event.phase for event in told] == ["started", "finished"]
    assert is_held(target) is None
    assert ("auth", "0001_initial") in applied_rows(connections[target])


@pytest.fixture
def refusing_hook(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """A hook that raises what stands in this list."""
    errors: list[Exception] = []

    def refuse(event: PlainMigrate) -> None:
        raise errors[0]

    monkeypatch.setattr(gate, "on_plain", [refuse])
    return errors


@on_one
def test_a_refused_record_is_told_and_stops_nothing(
    target: str, refusing_hook: list[Exception]
) -> None:
    refusing_hook.append(SetupNeeded())
    out = io.StringIO()
    call_command("migrate", "contenttypes", database=target, stdout=out)
    assert "This migrate (finished) is not in the audit: The bot's own tables" in out.getvalue()
    assert applied_rows(connections[target])


@on_one
def test_a_broken_record_is_told_with_a_reference_and_stops_nothing(
    target: str, refusing_hook: list[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    refusing_hook.append(RuntimeError("no"))
    out = io.StringIO()
    call_command("migrate", "contenttypes", database=target, stdout=out)
    reference = out.getvalue().rpartition("Reference ")[2].strip().rstrip(".")
    assert len(reference) == 12
    assert any(reference in record.getMessage() for record in caplog.records)
    assert applied_rows(connections[target])


@on_one
def test_the_migrate_that_makes_the_bots_own_tables_is_not_told(
    target: str, told: list[PlainMigrate]
) -> None:
    call_command("migrate", "migration_bot", database=target, verbosity=0)
    assert told == []
    assert ("migration_bot", "0001_initial") in applied_rows(connections[target])


def plan_of(target: str, *keys: tuple[str, str | None]) -> plain.Planned:
    """What ``migrate`` would plan now."""
    return MigrationExecutor(connections[target]).migration_plan(list(keys))


@on_one
def test_a_plan_that_still_holds_has_no_changes(target: str) -> None:
    everything = plan_of(target, ("auth", "0012_alter_user_first_name_max_length"))
    assert plain.changed_meanwhile(connections[target], everything) == ()
    call_command("migrate", "auth", database=target, verbosity=0)
    back = plan_of(target, ("contenttypes", None))
    assert len(back) == 14
    assert plain.changed_meanwhile(connections[target], back) == ()


@on_one
def test_what_was_applied_or_unapplied_meanwhile_is_named(target: str) -> None:
    connection = connections[target]
    forward = plan_of(target, ("contenttypes", "0002_remove_content_type_name"))
    call_command("migrate", "contenttypes", "0001", database=target, verbosity=0)
    assert plain.changed_meanwhile(connection, forward) == (
        "contenttypes.0001_initial was applied meanwhile.",
    )
    forward = plan_of(target, ("contenttypes", "0002_remove_content_type_name"))
    backward = plan_of(target, ("contenttypes", None))
    MigrationRecorder(connection).record_unapplied("contenttypes", "0001_initial")
    for plan in (forward, backward):
        assert plain.changed_meanwhile(connection, plan) == (
            "contenttypes.0001_initial was unapplied meanwhile.",
        )


@on_one
def test_what_came_to_rest_on_an_undone_step_meanwhile_is_named(target: str) -> None:
    call_command("migrate", "contenttypes", database=target, verbosity=0)
    backward = plan_of(target, ("contenttypes", None))
    call_command("migrate", "auth", "0001", database=target, verbosity=0)
    assert plain.changed_meanwhile(connections[target], backward) == (
        "auth.0001_initial was applied meanwhile.",
    )


def test_a_plain_migrate_whose_plan_went_out_of_date_is_refused_under_the_lock(
    target: str, told: list[PlainMigrate], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = DatabaseLock.take

    def late(self: DatabaseLock) -> None:
        MigrationRecorder(connections[target]).record_applied("contenttypes", "0001_initial")
        take(self)

    monkeypatch.setattr(DatabaseLock, "take", late)
    with pytest.raises(
        CommandError, match=r"0001_initial was applied meanwhile\. Nothing was changed; run migrate"
    ):
        call_command("migrate", "contenttypes", database=target, verbosity=0)
    assert told == []
    assert is_held(target) is None


@on_one
def test_flush_and_empty_plans_pass_untouched(target: str, told: list[PlainMigrate]) -> None:
    call_command("migrate", "auth", database=target, verbosity=0)
    told.clear()
    with DatabaseLock(target, holder="run 12"):
        call_command("migrate", "auth", database=target, verbosity=0)
        call_command("flush", database=target, verbosity=0, interactive=False)
    assert told == []
