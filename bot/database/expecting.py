"""What the operations of one step should change in a catalogue, told from Django's own states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import Error as DatabaseProblem
from django.db import router
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunPython, RunSQL, SeparateDatabaseAndState

from bot.database.lazystate import Difference, LazyState, StateFailed, View
from bot.database.references import ModelKey
from bot.database.rendering import Renderer, look_at
from bot.database.roots import roots_of
from bot.database.seal import full_plan
from bot.database.shapes import INVALID, VALID, Shape, Shaper, Unprobeable
from bot.database.targets import describe_error
from bot.database.trust import code_module, code_name, in_words, own_way, why_not_previewed
from bot.route.plan import Belief, Direction, Operation, Step
from bot.route.refusals import BrokenMigrations
from bot.route.traces import Change, Expected, Kind, Thing

_IDLE = ("AlterModelOptions", "AlterModelManagers", "AlterConstraint")
_ALTERS = ("AlterField", "RenameField")
"""Operations for which Django may take other things away for a while, and put them back."""
_EXTENSIONS = ("CreateExtension", "CreateCollation", "RemoveCollation")


def expected(
    shaper: Shaper, loader: MigrationLoader, step: Step, migration: Migration
) -> tuple[Expected, ...]:
    """The operations of ``step`` in the order in which they run, one by one also where
    SeparateDatabaseAndState holds them.

    Raises BrokenMigrations where the state change of an applied migration fails.
    """
    backwards = step.direction is Direction.BACKWARD
    if method := own_way(migration):
        hidden = f"the migration has a {method}() of its own"
        words = in_words_of(list(migration.operations), backwards)
        return tuple(Expected(words=each, hidden=hidden) for each in words)
    walk = _Walk(shaper, loader, backwards)
    state = LazyState({}, set(loader.unmigrated_apps or ()))
    walk.renderer = Renderer(state.real_apps, state.references)
    applied = loader.applied_migrations or {}
    own = (migration.app_label, migration.name)
    for key in full_plan(loader):
        if key == own and backwards:
            break
        if key in applied and key != own:
            _pass_over(state, loader.graph.nodes[key])
    idle = _idle_places(step, len(migration.operations))
    return tuple(walk.whole(state, migration, idle))


def in_words_of(operations: list[Any], backwards: bool) -> list[str]:
    """The operations in words, in the order in which they run."""
    ordered = reversed(operations) if backwards else operations
    return [in_words(operation, backwards) for operation in ordered]


def _idle_places(step: Step, operations: int) -> set[int]:
    """Operations of which the approved plan shows that they send nothing, by their places."""
    if len(step.operations) != operations:
        return set()
    return {at for at, operation in enumerate(step.operations) if _sends_nothing(operation)}


def _sends_nothing(operation: Operation) -> bool:
    return not any(
        statement.sql.strip() or statement.belief in (Belief.HIDDEN, Belief.PYTHON)
        for statement in operation.statements
    )


class _Walk:
    """Walks over the operations of one step with the state that each of them is run on."""

    renderer: Renderer

    def __init__(self, shaper: Shaper, loader: MigrationLoader, backwards: bool) -> None:
        self.shaper = shaper
        self.backwards = backwards

    def whole(self, state: LazyState, migration: Migration, idle: set[int]) -> Iterator[Expected]:
        """All operations of the migration. ``idle`` are places in the order of running."""
        app_label = migration.app_label
        if not self.backwards:
            for at, operation in enumerate(migration.operations):
                yield from self._unless_idle(
                    at in idle, operation, self._forwards(state, app_label, operation)
                )
            return
        done = [(one, *_advance(state, app_label, one)) for one in migration.operations]
        for at, (operation, difference, trouble) in enumerate(reversed(done)):
            found = self._backwards(state, app_label, operation, difference, trouble)
            yield from self._unless_idle(at in idle, operation, found)
            state.take_back(difference)

    def _unless_idle(self, idle: bool, operation: Any, found: list[Expected]) -> list[Expected]:
        return [Expected(words=in_words(operation, self.backwards), idle=True)] if idle else found

    def _forwards(self, state: LazyState, app_label: str, operation: Any) -> list[Expected]:
        """What it changes going forwards; ``state`` is advanced."""
        if isinstance(operation, SeparateDatabaseAndState) and not why_not_previewed(operation):
            branch = state.clone()
            _, trouble = _advance(state, app_label, operation)
            found = [
                each
                for one in operation.database_operations
                for each in self._forwards(branch, app_label, one)
            ]
            return [*found, *self._troubled(operation, trouble)]
        difference, trouble = _advance(state, app_label, operation)
        if trouble:
            return self._troubled(operation, trouble)
        views = (View(state, difference), View(state))
        return [self._leaf(app_label, operation, state, views)]

    def _backwards(
        self,
        state: LazyState,
        app_label: str,
        operation: Any,
        difference: Difference,
        trouble: str,
    ) -> list[Expected]:
        """What undoing it changes; ``state`` is the one after it, and stays so."""
        if trouble:
            return self._troubled(operation, trouble)
        if isinstance(operation, SeparateDatabaseAndState) and not why_not_previewed(operation):
            before = View(state, difference)
            branch = state.branch(dict(before), before.time)
            done = [(o, *_advance(branch, app_label, o)) for o in operation.database_operations]
            found = []
            for one, inner, inner_trouble in reversed(done):
                found += self._backwards(branch, app_label, one, inner, inner_trouble)
                branch.take_back(inner)
            return found
        views = (View(state), View(state, difference))
        return [self._leaf(app_label, operation, state, views)]

    def _troubled(self, operation: Any, trouble: str) -> list[Expected]:
        words = in_words(operation, self.backwards)
        return [Expected(words=words, hidden=trouble)] if trouble else []

    def _leaf(
        self, app_label: str, operation: Any, state: LazyState, views: tuple[View, View]
    ) -> Expected:
        words = in_words(operation, self.backwards)
        alias = self.shaper.connection.alias
        kind = type(operation).__name__
        try:
            hidden, idle = self._code(alias, app_label, operation)
            if hidden or idle or kind in _IDLE:
                return Expected(words=words, hidden=hidden, idle=not hidden)
            changes = self._installed(alias, app_label, operation) or tuple(
                self._changes(app_label, operation, state, views)
            )
        except Unprobeable as why:
            return Expected(words=words, hidden=str(why))
        except DatabaseProblem:
            raise
        except Exception as error:  # noqa: BLE001 Fields, constraints and routers are anybody's code.
            return Expected(words=words, hidden=f"it cannot be read: {describe_error(error)}")
        # SQLite's editor makes a table anew also where that changes nothing.
        idle = self.shaper.connection.vendor == "sqlite"
        return Expected(words=words, changes=changes, idle=idle)

    def _code(self, alias: str, app_label: str, operation: Any) -> tuple[str, bool]:
        """Why code that is not Django's cannot be told, or that it does nothing."""
        if isinstance(operation, RunPython):
            code = operation.reverse_code if self.backwards else operation.code
            if code is RunPython.noop or not _allowed(alias, app_label, operation):
                return "", True
            if code is not None:
                return (
                    f"what Python does leaves no trace in the catalogue: {code_name(code)} in "
                    f"{code_module(code)}"
                ), False
        if isinstance(operation, RunSQL):
            sql = operation.reverse_sql if self.backwards else operation.sql
            if not sql or not _allowed(alias, app_label, operation):
                return "", True
            return "SQL of its own is not compared with the catalogue", False
        if why_not_previewed(operation):
            kind = type(operation)
            return f"{kind.__module__}.{kind.__qualname__} is an operation of its own", False
        return "", False

    def _installed(self, alias: str, app_label: str, operation: Any) -> tuple[Change, ...]:
        """Extensions and collations, which are in no state."""
        names = [kind.__name__ for kind in type(operation).__mro__]
        kind = next((name for name in _EXTENSIONS if name in names), "")
        if not kind or self.shaper.connection.vendor != "postgresql":
            return ()
        if not router.allow_migrate(alias, app_label):
            return ()
        thing = Thing(
            kind=Kind.EXTENSION if kind == "CreateExtension" else Kind.COLLATION,
            name=operation.name,
        )
        comes = (kind == "RemoveCollation") == self.backwards
        return (Change(thing=thing, before=None if comes else {}, after={} if comes else None),)

    def _changes(
        self, app_label: str, operation: Any, state: LazyState, views: tuple[View, View]
    ) -> Iterator[Change]:
        ordered = (views[1], views[0]) if self.backwards else views
        roots = roots_of(operation, app_label, state.references, ordered)
        before, after = (self._shape(operation, state, view, roots) for view in views)
        self._as_validated(operation, before, after)
        things = dict.fromkeys((*before, *after))
        changes = [Change(thing=t, before=before.get(t), after=after.get(t)) for t in things]
        touched = [change for change in changes if change.is_one]
        yield from touched
        yield from self._kept(type(operation).__name__, touched, changes)

    def _kept(self, kind: str, touched: list[Change], changes: list[Change]) -> Iterator[Change]:
        """What the operation should leave as it is, but Django may take away for a while."""
        remakes = self.shaper.connection.vendor == "sqlite"
        tables = {change.thing.table for change in (changes if remakes else touched)}
        columns = {
            (change.thing.table, column)
            for change in touched
            for column in change.thing.name.split(", ")
        }
        ends = {f"to {table}.{column}" for table, column in columns}
        for change in changes:
            thing = change.thing
            if change.is_one:
                continue
            if remakes or thing.kind is Kind.TABLE:
                if thing.table.removeprefix("new__") in tables:
                    yield change
            elif kind in _ALTERS and (
                columns & {(thing.table, column) for column in thing.name.split(", ")}
                or (change.before or {}).get("to") in ends
            ):
                yield change

    def _shape(self, operation: Any, state: LazyState, view: View, roots: set[ModelKey]) -> Shape:
        seen = look_at(self.renderer, state, view, roots, {})
        alias = self.shaper.connection.alias
        shape: Shape = {}
        for key in sorted(roots):
            if view.peek(key) is not None:
                model = seen.registry.get_model(*key)
                if operation.allow_migrate_model(alias, model):
                    shape.update(self.shaper.of_model(model))
        if seen.registry is not None:
            self.renderer.let_go(seen.registry)
        return shape

    def _as_validated(self, operation: Any, before: Shape, after: Shape) -> None:
        """Whether a constraint is validated is in no state either."""
        kind = type(operation).__name__
        name = self.shaper.name(
            operation.constraint.name
            if kind == "AddConstraintNotValid"
            else getattr(operation, "name", "")
        )
        for thing in [t for t in (*before, *after) if t.kind is Kind.CONSTRAINT and t.name == name]:
            if kind == "AddConstraintNotValid" and not self.backwards:
                after[thing] = INVALID
            elif kind == "ValidateConstraint" and not self.backwards:
                before[thing], after[thing] = INVALID, VALID
            elif thing in before and thing not in after:
                before[thing] = {}  # Validated or not, it goes.


def _pass_over(state: LazyState, migration: Migration) -> None:
    """Advance the state by an applied migration. Raises BrokenMigrations."""
    try:
        migration.mutate_state(state, preserve=False)
    except Exception as error:  # An operation's state change is anybody's code.
        detail = f"{migration.app_label}.{migration.name} {describe_error(error)}"
        raise BrokenMigrations(detail=detail) from error
    state.settle()


def _advance(state: LazyState, app_label: str, operation: Any) -> tuple[Difference, str]:
    """Advance a state, and what went wrong with it, in words."""
    try:
        return state.advance(app_label, operation), ""
    except StateFailed as failed:
        why = describe_error(failed.__cause__ or failed)
        return failed.difference, f"its change to the models fails: {why}"


def _allowed(alias: str, app_label: str, operation: Any) -> bool:
    return bool(router.allow_migrate(alias, app_label, **operation.hints))
