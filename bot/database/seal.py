"""The basis of a plan: what an approval is bound to, computed the same for a plan and for a run."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations import SeparateDatabaseAndState

from bot.database.readonly import Looking
from bot.database.sources import Sources
from bot.route.basis import Basis, BasisStep
from bot.route.plan import Direction

Key = tuple[str, str]
PlannedMigration = tuple[Migration, bool]


def identity(connection: Any, postgresql: Sequence[Any] | None = None) -> str:
    """The database itself, as the server names it, in canonical JSON.

    It does not hold the address a client used: a web process behind a pooler and a worker beside
    the server reach the same database. PostgreSQL: name, oid, schema, port and the cluster's
    system identifier where it may be read. MySQL and MariaDB: name, host name, port. SQLite: the
    resolved path. ``postgresql`` is the answer to that question, where it was asked already.
    """
    facts: dict[str, Any] = {"vendor": connection.vendor, "alias": connection.alias}
    if connection.vendor == "postgresql":
        facts |= _postgresql_facts(connection, postgresql or _row(connection, _POSTGRESQL))
    else:
        read = {"mysql": _mysql_facts, "sqlite": _sqlite_facts}.get(connection.vendor, _other_facts)
        facts |= read(connection)
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def identity_later(looking: Looking) -> Callable[[], str]:
    """As ``identity``, asked together with whatever else a plan asks until it is needed, where
    that saves a way to the server."""
    connection = looking.connection
    if connection.vendor != "postgresql":
        told = identity(connection)
        return lambda: told
    asked = looking.questions.ask(_POSTGRESQL)
    return lambda: identity(connection, asked.rows()[0])


_POSTGRESQL = """
SELECT d.datname, d.oid::bigint, current_schema(), current_setting('port'),
has_function_privilege('pg_control_system()', 'EXECUTE')
FROM pg_database d WHERE d.datname = current_database()
"""


def _row(connection: Any, sql: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return tuple(cursor.fetchone())


def _postgresql_facts(connection: Any, told: Sequence[Any]) -> dict[str, Any]:
    name, oid, schema, port, may_read = told
    facts = {"name": name, "oid": oid, "schema": schema, "port": port}
    if may_read:
        (system,) = _row(connection, "SELECT system_identifier::text FROM pg_control_system()")
        facts["system"] = system
    return facts


def _mysql_facts(connection: Any) -> dict[str, Any]:
    name, host, port = _row(connection, "SELECT DATABASE(), @@hostname, @@port")
    return {"name": name, "host": host, "port": port}


def _sqlite_facts(connection: Any) -> dict[str, Any]:
    name = str(connection.settings_dict["NAME"])
    if connection.is_in_memory_db():
        return {"path": name}
    return {"path": os.path.realpath(name)}


def _other_facts(connection: Any) -> dict[str, Any]:
    return {"name": str(connection.settings_dict["NAME"])}


def execution_order(
    loader: MigrationLoader, migrations: Sequence[PlannedMigration]
) -> list[PlannedMigration]:
    """``migrations`` in the order in which they run.

    Django runs forward steps in the order of the *full* plan, whatever the order in which a
    target named them; backward steps run as they were planned (MigrationExecutor.migrate).
    """
    if len(migrations) < 2 or migrations[0][1]:
        return list(migrations)
    place = {key: index for index, key in enumerate(full_plan(loader))}
    last = len(place)
    return sorted(migrations, key=lambda m: place.get((m[0].app_label, m[0].name), last))


def full_plan(loader: MigrationLoader) -> list[Key]:
    """Every migration of the graph in the order in which an empty database would get them.

    As MigrationGraph.forwards_plan for one leaf after the other, but what an earlier leaf has
    brought is not walked again; below it there is nothing that is not there too.
    """
    known = loader.__dict__.get("_migration_bot_full_plan")
    if known is not None and known[0] is loader.graph:
        return list(known[1])
    seen: dict[Key, None] = {}
    for leaf in loader.graph.leaf_nodes():
        waiting = [(loader.graph.node_map[leaf], False)]
        while waiting:
            node, parents_are_there = waiting.pop()
            if node.key in seen:
                continue
            if parents_are_there:
                seen[node.key] = None
            else:
                waiting.append((node, True))
                waiting += [(parent, False) for parent in sorted(node.parents)]
    loader.__dict__["_migration_bot_full_plan"] = (loader.graph, list(seen))
    return list(seen)


def make_basis(
    connection: Any,
    loader: MigrationLoader,
    migrations: Sequence[PlannedMigration],
    *,
    release: str,
    identity: str,
) -> Basis:
    """What a plan of ``migrations`` (each with whether it goes backwards) rests on. ``identity`` is
    the database's.

    A plan and the run that carries it out call this with loaders of their own and must agree to
    the letter, so nothing here may depend on how a loader came about.
    """
    loader = _canonical(connection, loader, migrations)
    ordered = execution_order(loader, migrations)
    sources = Sources()
    steps = tuple(
        BasisStep(
            key=f"{migration.app_label}.{migration.name}",
            direction=str(Direction.BACKWARD if backwards else Direction.FORWARD),
            digest=digest(loader, migration, sources),
        )
        for migration, backwards in ordered
    )
    return Basis(
        identity=identity,
        steps=steps,
        rests_on=_rests_on(loader, ordered),
        release=release,
    )


def _canonical(
    connection: Any, loader: MigrationLoader, migrations: Sequence[PlannedMigration]
) -> MigrationLoader:
    """A loader with replacements where the steps are in its graph, else one without.

    Undoing to a replaced migration makes Django rebuild its graph without replacements; another
    process that computes the same basis starts from a fresh graph with them.
    """
    keys = [(migration.app_label, migration.name) for migration, _ in migrations]
    if not getattr(loader, "replace_migrations", True):
        loader = MigrationLoader(connection)
    if any(key not in loader.graph.nodes for key in keys):
        loader = MigrationLoader(connection, replace_migrations=False)
    return loader


def _rests_on(loader: MigrationLoader, migrations: Sequence[PlannedMigration]) -> tuple[str, ...]:
    """Applied rows the steps depend on; backward, also those that depend on the steps."""
    nodes = loader.graph.node_map
    steps = {(migration.app_label, migration.name) for migration, _ in migrations}
    around = reach((nodes[key] for key in steps if key in nodes), "parents")
    if any(backwards for _, backwards in migrations):
        around |= reach((nodes[key] for key in steps if key in nodes), "children")
    applied = loader.applied_migrations or {}
    return tuple(sorted(f"{app}.{name}" for app, name in around - steps if (app, name) in applied))


def reach(starts: Iterable[Any], direction: str) -> set[Key]:
    """Everything reachable from graph nodes by their ``parents`` or ``children``, with them."""
    found: set[Key] = set()
    waiting = list(starts)
    while waiting:
        node = waiting.pop()
        if node.key not in found:
            found.add(node.key)
            waiting.extend(getattr(node, direction))
    return found


def digest(loader: MigrationLoader, migration: Migration, sources: Sources) -> str:
    """SHA-256, in hex, over all that the migration is made of, as ``bot.database.sources`` has it.

    Its file, every text of SQL in it as loaded, since that may be read from anywhere, the files
    that lie in its package beside the migrations, and the modules of the project it imports.
    """
    total = hashlib.sha256()

    def add(content: bytes) -> None:
        total.update(len(content).to_bytes(8, "big"))
        total.update(content)

    for content in _files(loader, migration):
        add(content)
    for text in sql_texts(migration.operations):
        add(text.encode("utf-8", "surrogatepass"))
    package, _ = loader.migrations_module(migration.app_label)
    if package is not None:
        for name, content in sources.of(package, migration.name):
            add(name.encode("utf-8", "surrogatepass"))
            add(content)
    return total.hexdigest()


def _files(loader: MigrationLoader, migration: Migration) -> Iterator[bytes]:
    package, _ = loader.migrations_module(migration.app_label)
    names = dict.fromkeys((f"{package}.{migration.name}", type(migration).__module__))
    for name in names:
        module = sys.modules.get(name)
        path = getattr(module, "__file__", None)
        if path is None:
            continue
        if Path(path).exists():
            yield Path(path).read_bytes()
        else:  # In a zip archive its own loader reads it.
            yield module.__loader__.get_data(path)  # type: ignore[union-attr]


def sql_texts(operations: Iterable[Any]) -> Iterator[str]:
    """Every SQL text of the operations, recursing into SeparateDatabaseAndState."""
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from sql_texts(operation.database_operations)
            yield from sql_texts(operation.state_operations)
            continue
        for attribute in ("sql", "reverse_sql"):
            value = getattr(operation, attribute, None)
            if isinstance(value, str):
                yield value
            elif isinstance(value, (list, tuple)):
                yield repr(value)
        yield from sql_texts(getattr(operation, "state_operations", None) or ())
