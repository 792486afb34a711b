"""The SQL of one operation, found by letting Django's code write it to an editor that sends
nothing. No operation, however odd, stops a plan: what cannot be previewed says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db import Error as DatabaseProblem
from django.db import router
from django.db.migrations.operations import RunPython, RunSQL, SeparateDatabaseAndState

from bot.database.attempting import Attempt, way_of
from bot.database.catalogue import Catalogue
from bot.database.guard import WriteRefused
from bot.database.lazystate import Difference, LazyState, StateFailed, View
from bot.database.readonly import Looking
from bot.database.rendering import Lacking, LookedAtState, Renderer, look_at
from bot.database.roots import enough_of, roots_of
from bot.database.sql import DEFERRED, CollectingEditor
from bot.database.targets import describe_error
from bot.database.trust import code_module, code_name, is_reversible, why_not_previewed
from bot.database.witness import Witness
from bot.route.plan import Belief, Statement
from bot.route.risks.facts import OperationFacts, StepFacts

_ATTEMPTS = 10
_Rooted = tuple[str, Any, LazyState]
_Between = tuple[LookedAtState, LookedAtState]


class Previewer:
    """Previews the steps of one plan, one after the other."""

    def __init__(self, looking: Looking, real_apps: set[str]) -> None:
        self.looking = looking
        self.connection = looking.connection
        self.state = LazyState({}, real_apps)
        self.failed = False
        """Whether Django's code failed on an operation, perhaps for want of a model."""
        self.catalogue = Catalogue(self.connection)
        self.catalogue.install()
        self.witness = Witness(self.connection)
        self.facts: list[StepFacts] = []
        """What was seen of each step so far."""
        self._seen: OperationFacts | None = None
        self._renderer = Renderer(real_apps, self.state.references)

    def step(self) -> StepPreview:
        """Begin a migration: it has an editor of its own, as it will have when it runs."""
        return StepPreview(self)

    def forwards(
        self, editor: Any, app_label: str, operation: Any, state: LazyState
    ) -> list[Statement]:
        """Advance ``state`` by the operation; what it sends going forwards."""
        if isinstance(operation, SeparateDatabaseAndState) and not why_not_previewed(operation):
            branch = state.clone()
            _, trouble = self.advance(state, app_label, operation)
            inner = [
                statement
                for one in operation.database_operations
                for statement in self.forwards(editor, app_label, one, branch)
            ]
            return inner + trouble
        difference, trouble = self.advance(state, app_label, operation)
        views = (View(state, difference), View(state))
        return self._preview(editor, (app_label, operation, state), views, False) + trouble

    def backwards(
        self,
        editor: Any,
        app_label: str,
        operation: Any,
        state: LazyState,
        difference: Difference,
    ) -> list[Statement]:
        """What undoing sends. ``state`` is the one after the operation, and stays so."""
        if isinstance(operation, SeparateDatabaseAndState) and not why_not_previewed(operation):
            before = View(state, difference)
            branch = state.branch(dict(before), before.time)
            done = [
                (one, *self.advance(branch, app_label, one))
                for one in operation.database_operations
            ]
            statements: list[Statement] = []
            for one, inner, trouble in reversed(done):
                statements += self.backwards(editor, app_label, one, branch, inner) + trouble
                branch.take_back(inner)
            return statements
        views = (View(state), View(state, difference))
        return self._preview(editor, (app_label, operation, state), views, True)

    def advance(
        self, state: LazyState, app_label: str, operation: Any
    ) -> tuple[Difference, list[Statement]]:
        """Advance a state; an operation that cannot is told of, not raised."""
        try:
            return state.advance(app_label, operation), []
        except StateFailed as failed:
            self.failed = True
            why = describe_error(failed.__cause__ or failed)
            return failed.difference, [_hidden(f"Its change to the models fails: {why}.")]

    def _preview(
        self, editor: Any, what: _Rooted, views: tuple[View, View], backwards: bool
    ) -> list[Statement]:
        statements = self._previewed(editor, what, views, backwards)
        app_label, operation, _ = what
        seen, self._seen = self._seen, None
        seen = seen or self.witness.look(
            app_label, operation, None, backwards, statements=statements
        )
        self.witness.note(editor, seen, statements)
        return statements

    def _previewed(
        self, editor: Any, what: _Rooted, views: tuple[View, View], backwards: bool
    ) -> list[Statement]:
        app_label, operation, _ = what
        if isinstance(operation, RunPython):
            return self._python(app_label, operation, backwards)
        if why := why_not_previewed(operation):
            self.catalogue.opaque = True
            return [_hidden(why)]
        if backwards and not is_reversible(operation):
            return [_hidden("It cannot be undone, so Django refuses before it sends anything.")]
        statements = self._collect(editor, what, views, backwards)
        if isinstance(operation, RunSQL) and statements:
            self.catalogue.opaque = True
        return statements

    def _python(self, app_label: str, operation: Any, backwards: bool) -> list[Statement]:
        code = operation.reverse_code if backwards else operation.code
        if code is None:
            return [_hidden("It cannot be undone, so Django refuses before it sends anything.")]
        allowed = self._allowed(app_label, operation)
        if isinstance(allowed, Statement):
            return [allowed]
        if not allowed or code is RunPython.noop:
            return []
        self.catalogue.opaque = True
        name, module = code_name(code), code_module(code)
        return [
            Statement(
                sql="",
                belief=Belief.PYTHON,
                note=f"Python runs here: {name} in {module}. It is not run for a plan.",
            )
        ]

    def _allowed(self, app_label: str, operation: Any) -> bool | Statement:
        try:
            return bool(router.allow_migrate(self.connection.alias, app_label, **operation.hints))
        except Exception as error:  # noqa: BLE001 A router is the team's code and may raise anything.
            return _hidden(f"A database router failed: {describe_error(error)}.")

    def _collect(
        self, editor: Any, what: _Rooted, views: tuple[View, View], backwards: bool
    ) -> list[Statement]:
        """Call Django's code with a few models, then with more, at last with all."""
        app_label, operation, state = what
        roots = roots_of(operation, app_label, state.references, views)
        enough = enough_of(operation, app_label, self.connection.vendor, views)
        wanted: set[tuple[str, str]] | None = roots
        for attempt in range(_ATTEMPTS + 1):
            attempted = Attempt(editor, self.catalogue)
            try:
                from_state, to_state = (
                    look_at(self._renderer, state, view, wanted, enough) for view in views
                )
                way_of(operation, backwards)(app_label, editor, from_state, to_state)
            except Lacking as lacking:
                attempted.take_back()
                if lacking.key is None or attempt >= _ATTEMPTS - 1:
                    wanted = None
                else:
                    wanted = (wanted or set()) | {lacking.key}
            except WriteRefused as refused:
                attempted.take_back()
                self._start_afresh()
                return [_hidden(f"Previewing it was stopped: {refused}.")]
            except DatabaseProblem as error:  # A default asked for what is not there yet.
                attempted.take_back()
                self._start_afresh()
                return [_hidden(f"Previewing it failed: {describe_error(error)}.")]
            except Exception as error:  # noqa: BLE001 Fields, constraints and defaults are anybody's code.
                attempted.take_back()
                self._start_afresh()
                if wanted is None:
                    self.failed = True
                    return [_hidden(f"Previewing it failed: {describe_error(error)}.")]
                wanted = None
            else:
                return self._collected(attempted, what, (from_state, to_state), backwards)
        return [_hidden("Previewing it asked for ever more models.")]

    def _collected(
        self, attempted: Attempt, what: _Rooted, states: _Between, backwards: bool
    ) -> list[Statement]:
        """What an attempt that went well collected, witnessed while its models are at hand."""
        app_label, operation, _ = what
        statements = attempted.statements()
        self._seen = self.witness.look(
            app_label,
            operation,
            states,
            backwards,
            statements=statements,
            kept_back=attempted.kept_back,
        )
        from_state, to_state = states
        if from_state.registry is not to_state.registry:
            self._renderer.let_go(from_state.registry)
        return statements

    def _start_afresh(self) -> None:
        """A failure may have left its mark on rendered models and on the connection."""
        self._renderer.forget()
        self.looking.rest()


class StepPreview:
    """Collects the statements of one migration, operation by operation."""

    def __init__(self, previewer: Previewer) -> None:
        self._previewer = previewer
        self._editor = CollectingEditor.on(
            previewer.connection, previewer.catalogue, previewer.looking.guard
        )
        self._collected: list[list[Statement]] = []
        self._owners: dict[int, int] = {}
        previewer.witness.begin_step()

    def forwards(self, app_label: str, operation: Any) -> None:
        self._one(
            lambda: self._previewer.forwards(
                self._editor, app_label, operation, self._previewer.state
            )
        )

    def backwards(
        self,
        app_label: str,
        operation: Any,
        difference: Difference,
        trouble: Iterable[Statement] = (),
    ) -> None:
        """The state must be the one after the operation."""
        state = self._previewer.state
        self._one(
            lambda: [
                *self._previewer.backwards(self._editor, app_label, operation, state, difference),
                *trouble,
            ]
        )

    def _one(self, preview: Callable[[], list[Statement]]) -> None:
        self._editor.begin()
        self._previewer.witness.place = len(self._collected)
        self._collected.append(preview())
        for kept_back in self._editor.deferred_sql:
            self._owners.setdefault(id(kept_back), len(self._collected) - 1)

    def finish(self) -> list[tuple[Statement, ...]]:
        """The statements of each operation, in the order in which they were previewed.

        What Django keeps back until the end stands with the operation that asked for it, last,
        and its note says so.
        """
        editor = self._editor
        for kept_back in editor.deferred_sql:
            editor.statements.clear()
            editor.begin()
            editor.execute(kept_back, None)
            owner = self._owners.get(id(kept_back), len(self._collected) - 1)
            statements = [
                Statement(
                    sql=one.sql,
                    belief=one.belief,
                    note=" ".join(filter(None, (one.note, DEFERRED))),
                )
                for one in editor.statements
            ]
            self._collected[owner] += statements
            self._previewer.witness.note_deferred(kept_back, statements)
        self._previewer.catalogue.forget_undo()
        self._previewer.looking.breathe()
        return [tuple(statements) for statements in self._collected]


def _hidden(why: str) -> Statement:
    return Statement(sql="", belief=Belief.HIDDEN, note=why)
