"""What a catalogue shows of one step that was cut off. Looks, and changes nothing."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.migrations.loader import MigrationLoader

from bot.database.expecting import expected
from bot.database.planner import planned
from bot.database.seal import digest
from bot.database.shapes import Shaper
from bot.database.showing import shown
from bot.database.sources import Sources
from bot.database.targets import load, open_database
from bot.route.plan import Direction, Plan, Step
from bot.route.refusals import BrokenMigrations, DatabaseDown, Refused
from bot.route.telling import tell
from bot.route.traces import Expected, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What is shown of each operation of a step, and how its record is made to agree.

    ``not_compared`` says why nothing was compared. ``record`` is what makes the record say that the
    step is done; empty where no command does only that.
    """

    told: tuple[Told, ...] = ()
    not_compared: str = ""
    record: str = ""


class NotCompared(Exception):
    """Why a step cannot be compared, in words."""


def probe(database: str, plan: Plan, step: Step) -> Probed:
    """Compare the catalogue of ``database`` with what ``step`` of ``plan`` does.

    That what is loaded here is what lies on disk is the caller's to know. Raises DatabaseDown, or
    the driver's error, when the database does not answer.
    """
    # Not everything_read_only: that takes the place of the connection which holds the lock.
    with closing(open_database(database)) as connection:
        try:
            loader = loaded(connection, step)
            operations = compared(connection, loader, plan, step)
        except NotCompared as why:
            return Probed(not_compared=str(why))
        told = tell(operations, shown(Shaper(connection), operations))
        return Probed(told=told, record=_record(connection, loader, database, step))


def compared(
    connection: Any, loader: MigrationLoader, plan: Plan, step: Step
) -> tuple[Expected, ...]:
    """What the step should change. Raises NotCompared where its code is not what was approved."""
    migration = loader.graph.nodes.get((step.app, step.name))
    if migration is None:
        raise NotCompared(f"there is no {step.key} in the code")
    approved = {(one.key, one.direction): one.digest for one in plan.basis.steps}
    if approved.get((step.key, str(step.direction))) != digest(loader, migration, Sources()):
        raise NotCompared(f"{step.key} was edited since, or a file it uses")
    try:
        return expected(Shaper(connection), loader, step, migration)
    except BrokenMigrations as broken:
        raise NotCompared(broken.sentence.rstrip(".")) from broken


def loaded(connection: Any, step: Step) -> Any:
    """The migrations as the run had them: without replacements when the step is a replaced one.

    Raises NotCompared and DatabaseDown.
    """
    try:
        loader: Any = load(connection)
    except DatabaseDown:
        raise
    except Refused as refused:
        raise NotCompared(refused.sentence.rstrip(".")) from refused
    if (step.app, step.name) not in loader.graph.nodes:
        loader.replace_migrations = False
        loader.build_graph()
    return loader


def _record(connection: Any, loader: MigrationLoader, database: str, step: Step) -> str:
    """The ``migrate --fake`` that moves the record by this one step; empty where none does."""
    backwards = step.direction is Direction.BACKWARD
    names: list[str | None] = [step.name]
    if backwards:
        parents = loader.graph.node_map[step.app, step.name].parents
        names = [*sorted(p.key[1] for p in parents if p.key[0] == step.app), None]
    for name in names:
        moved = planned(connection, loader, [(step.app, name)])
        if [((m.app_label, m.name), back) for m, back in moved] == [
            ((step.app, step.name), backwards)
        ]:
            alias = f" --database {database}" if database != DEFAULT_DB_ALIAS else ""
            return f"python manage.py migrate {step.app} {name or 'zero'} --fake{alias}"
    return ""
