"""One process of a project that stays, and does what a test asks of it, line by line.

    python -m tests.story.desk

Each line in is ``[name, arguments]`` of a function below, each line out what it returned. Starting
Django once for a whole test instead of once for each question is all that it is for.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any

import django

FUNCTIONS: dict[str, Callable[..., Any]] = {}


def told(function: Callable[..., Any]) -> Callable[..., Any]:
    FUNCTIONS[function.__name__] = function
    return function


def actor(name: str) -> Any:
    from django.contrib.auth import get_user_model

    from bot.route.people import Actor, Origin

    user = get_user_model().objects.get(username=name)
    return Actor(origin=Origin.PAGE, account=str(user.pk), name=name)


@told
def prepare() -> dict[str, list[str]]:
    """All tables but the shop's; robin may request, ada and grace may approve. What was sent to
    each database for that."""
    from django.db import connections

    from tests.replay import kept

    with contextlib.ExitStack() as stack:
        sent = {alias: stack.enter_context(kept(alias)) for alias in connections}
        _prepare()
    return sent


def _prepare() -> None:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Permission
    from django.core.management import call_command

    call_command("migration_bot", "setup", verbosity=0)
    for app in ("auth", "sessions"):
        call_command("migrate", app, verbosity=0)
    call_command("migration_bot", "setup", verbosity=0)
    for name, codename in (
        ("robin", "request_run"),
        ("ada", "approve_run"),
        ("grace", "approve_run"),
    ):
        user = get_user_model().objects.create_user(name, is_staff=True)
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label="migration_bot", codename=codename)
        )


@told
def ask(target: str = "shop", after: str = "", request: bool = True) -> str:
    """Wish for a run, or only a plan, as Slack and the page do: a worker plans. The plan's id."""
    from bot import operations
    from bot.moment import utc_now

    plan = operations.ask_for_plan(
        actor=actor("robin"),
        database="default",
        target=target,
        now=utc_now(),
        request=request,
        reason="new totals",
        run_after=datetime.fromisoformat(after) if after else None,
    )
    return str(plan.pk)


@told
def answered(plan: str) -> Any:
    """What became of a wish: the plan's state and its refusal, or the run's number."""
    from bot.models import Run, StoredPlan

    stored = StoredPlan.objects.get(pk=plan)
    run = Run.objects.filter(stored_plan=stored).values_list("pk", flat=True).first()
    return {"state": stored.state, "refusal": stored.refusal, "run": run, "plan": stored.document}


@told
def approve(run: int, who: str = "ada") -> str:
    from bot import operations
    from bot.moment import utc_now

    return str(operations.approve(run, actor=actor(who), now=utc_now()).state)


@told
def rehearse(plan: str) -> str:
    """Ask for a rehearsal of a plan that is ready; its number."""
    from bot import operations
    from bot.moment import utc_now

    row = operations.ask_for_rehearsal(plan, actor=actor("robin"), now=utc_now())
    return str(row.pk)


@told
def rehearsals() -> list[dict[str, Any]]:
    """Every rehearsal, the oldest first."""
    from bot.models import StoredRehearsal

    fields = ("state", "progress", "because", "attempts", "active_key", "document")
    return list(StoredRehearsal.objects.order_by("asked_at").values(*fields))


@told
def message(run: int) -> dict[str, Any]:
    """The run's message in Slack as it would be sent now: its text and its buttons."""
    from bot.moment import utc_now
    from bot.slack import blocks, rendering

    made = blocks.run_message(rendering.run_view(run, now=utc_now()))
    elements = [e for b in made.blocks if b["type"] == "actions" for e in b["elements"]]
    return {"text": made.text, "buttons": [e["text"]["text"] for e in elements]}


@told
def wake(run: int, times: int) -> None:
    """Deliver the same wake again and again."""
    from bot import tasks

    for _ in range(times):
        tasks.enqueue("carry_out", str(run))


@told
def lose_wakes() -> int:
    """Forget everything that waits in the queues; how much it was."""
    from django_tasks_db.models import DBTaskResult

    return DBTaskResult.objects.all().delete()[0]


@told
def waiting(also: str = "READY") -> int:
    """How much waits in the queues; ``also`` RUNNING: or is being done, or was by one killed."""
    from django_tasks_db.models import DBTaskResult

    return DBTaskResult.objects.filter(status__in=["READY", also]).count()


@told
def show(run: int) -> dict[str, Any]:
    """A run as the contract has it, and what only the row tells."""
    from bot.operations import reading

    found = reading.find_run(run)
    more = {"traceback": found.traceback, "claimed_by": found.claimed_by, "fence": found.fence}
    return reading.run_as_json(found) | more


@told
def planned(run: int) -> Any:
    """The document of the plan that a run carries out."""
    from bot.models import Run

    return Run.objects.get(pk=run).stored_plan.document


@told
def events(run: int) -> list[str]:
    from bot.models import AuditEntry

    return list(AuditEntry.objects.filter(run=run).order_by("seq").values_list("event", flat=True))


@told
def sound() -> bool:
    from bot import audit

    return audit.verify().sound


@told
def workers() -> int:
    from bot.models import Worker

    return Worker.objects.count()


@told
def sql(query: str, alias: str = "default") -> list[list[Any]]:
    from django.db import connections

    with connections[alias].cursor() as cursor:
        cursor.execute(query)
        return [list(row) for row in cursor.fetchall()] if cursor.description else []


@told
def hang_up() -> None:
    """Close this process's own connections."""
    from django.db import connections

    connections.close_all()


@told
def visit(path: str, who: str = "ada", data: dict[str, str] | None = None) -> list[Any]:
    """One request to the staff page as ``who``, a POST when there is data: status and document."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(headers={"accept": "application/json"})
    client.force_login(get_user_model().objects.get(username=who))
    answer = client.get(path) if data is None else client.post(path, data)
    return [answer.status_code, answer.json()]


def main() -> None:
    """Answer until nobody asks any more."""
    django.setup()
    from django.db import close_old_connections

    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            said = {"answer": FUNCTIONS[name](**arguments)}
        except Exception:  # noqa: BLE001  (the outermost edge: the test reads it)
            said = {"error": traceback.format_exc()}
        close_old_connections()
        print(json.dumps(said, default=str), flush=True)


if __name__ == "__main__":
    main()
