"""One project state that goes over a whole plan, with only the models rendered that are looked at.

Django clones the state before each operation and renders all models of a project; that is most of
what planning costs. Here model states are copied when an operation first writes to them, each
operation leaves a small difference that can be taken back, and ``bot.database.rendering`` makes
classes of a few models at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import resolve_relation
from django.db.models import NOT_PROVIDED, CompositePrimaryKey

from bot.database.references import Difference, ModelKey, References, outline_of

__all__ = ["Difference", "LazyState", "StateFailed", "View", "WrittenModels"]


class WrittenModels(dict[ModelKey, ModelState]):
    """The models of a state. Whoever reads one may write to it, so it is copied first.

    A model state that has left this mapping in a difference is never written to again.
    """

    def __init__(self, models: Mapping[ModelKey, ModelState]) -> None:
        super().__init__(models)
        self._before: dict[ModelKey, ModelState | None] = {}
        self.only: set[ModelKey] | None = None
        """While set, walking over all models means these."""

    def peek(self, key: ModelKey) -> ModelState | None:
        """The model state to look at, not to write to."""
        return super().get(key)

    def __getitem__(self, key: ModelKey) -> ModelState:
        state = super().__getitem__(key)
        if key not in self._before:
            self._before[key] = state
            state = state.clone()
            super().__setitem__(key, state)
        return state

    def __setitem__(self, key: ModelKey, state: ModelState) -> None:
        self._before.setdefault(key, super().get(key))
        super().__setitem__(key, state)

    def __delitem__(self, key: ModelKey) -> None:
        before = super().__getitem__(key)
        self._before.setdefault(key, before)
        super().__delitem__(key)

    def pop(self, key: ModelKey, *default: Any) -> Any:
        if key in self:
            state = self[key]
            del self[key]
            return state
        return super().pop(key, *default)

    def get(self, key: ModelKey, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 it would call itself

    def items(self) -> Any:
        return [(key, self[key]) for key in self._walked()]

    def values(self) -> Any:
        return [self[key] for key in self._walked()]

    def _walked(self) -> list[ModelKey]:
        return [key for key in self if self.only is None or key in self.only]

    def take_difference(self) -> Difference:
        """What was written since the last time."""
        difference: Difference = {}
        for key, before in self._before.items():
            after = super().get(key)
            if after is not before:
                difference[key] = (before, after)
        self._before = {}
        return difference

    def unsettled(self) -> list[ModelKey]:
        """The models that were written to since the last difference was taken."""
        return list(self._before)

    def put(self, key: ModelKey, state: ModelState | None) -> None:
        """Set or remove a model without counting it as a difference."""
        if state is None:
            super().pop(key, None)
        else:
            super().__setitem__(key, state)


class LazyState(ProjectState):
    """The state that operations write to: one for a plan, never rendered whole by itself."""

    models: WrittenModels
    _pace = 1000

    def __init__(
        self,
        models: Mapping[ModelKey, ModelState],
        real_apps: set[str],
        references: References | None = None,
    ) -> None:
        super().__init__(real_apps=real_apps)
        self.models = WrittenModels(models)
        self.references = references or References()
        self.time = 0
        """Grows with each operation; a branch fits between two moments of the main state."""

    def advance(self, app_label: str, operation: Any) -> Difference:
        """Let ``operation`` write to the state; what it did, also when it raises half-way."""
        try:
            operation.state_forwards(app_label, self)
        except Exception as error:
            raise StateFailed(self.settle()) from error
        return self.settle()

    def settle(self) -> Difference:
        """What was written to the state since the last time; from now on nobody writes to it."""
        self.time += self._pace
        difference = self.models.take_difference()
        self.references.note(difference)
        return difference

    def take_back(self, difference: Difference) -> None:
        """Undo what ``advance`` did; differences are taken back last first."""
        self.time -= self._pace
        for key, (before, _) in difference.items():
            self.models.put(key, before)

    def redo(self, difference: Difference) -> None:
        """Do again what ``take_back`` undid."""
        self.time += self._pace
        for key, (_, after) in difference.items():
            self.models.put(key, after)

    @property
    def apps(self) -> Any:
        """All models as classes, for an operation whose state change asks for them. Slow."""
        return ProjectState(models=dict(self.models), real_apps=self.real_apps).apps

    def clone(self) -> LazyState:
        return self.branch(dict(self.models), self.time)

    def branch(self, models: Mapping[ModelKey, ModelState], time: int) -> LazyState:
        """Another state that goes on from ``models`` at ``time``."""
        branch = LazyState(models, self.real_apps, self.references)
        branch.time = time
        branch._pace = 1
        return branch

    # Django walks over every field of every model to learn what must be rendered again, and
    # writes into fields that other states share. Nothing is rendered here, so:

    def alter_field(
        self, app_label: str, model_name: str, name: str, field: Any, preserve_default: bool
    ) -> None:
        if not preserve_default:
            field = field.clone()
            field.default = NOT_PROVIDED
        self.models[app_label, model_name].fields[name] = field

    def rename_field(self, app_label: str, model_name: str, old_name: str, new_name: str) -> None:
        key = (app_label, model_name)
        self._note_unsettled()
        for other in {key, *self.references.to(key)}:
            if other in self.models:
                self._own_fields(other, key)
        with self._walking_only({key}):
            super().rename_field(app_label, model_name, old_name, new_name)

    def rename_model(self, app_label: str, old_name: str, new_name: str) -> None:
        self._note_unsettled()
        keys = {(app_label, old_name.lower()), (app_label, new_name.lower())}
        with self._walking_only(keys):
            super().rename_model(app_label, old_name, new_name)

    def _note_unsettled(self) -> None:
        for key in self.models.unsettled():
            state = self.models.peek(key)
            if state is not None:
                self.references.learn(key, outline_of(state))

    def _own_fields(self, key: ModelKey, referred: ModelKey) -> None:
        """Copy the fields that a renamed field of ``referred`` is written into."""
        state = self.models[key]
        for name, field in state.fields.items():
            remote = field.remote_field
            if (
                (remote and resolve_relation(remote.model, *key) == referred)
                or (key == referred and getattr(field, "from_fields", None) not in (None, ["self"]))
                or isinstance(field, CompositePrimaryKey)
            ):
                state.fields[name] = field.clone()

    def _walking_only(self, keys: set[ModelKey]) -> _WalkingOnly:
        referring = {other for key in keys for other in self.references.to(key)}
        return _WalkingOnly(self.models, keys | referring)


class StateFailed(Exception):
    """An operation's state change raised. ``difference`` is what it did until then."""

    def __init__(self, difference: Difference) -> None:
        super().__init__()
        self.difference = difference


class _WalkingOnly:
    def __init__(self, models: WrittenModels, keys: set[ModelKey]) -> None:
        self.models = models
        self.keys = keys

    def __enter__(self) -> None:
        self.models.only = self.keys

    def __exit__(self, *exc: object) -> None:
        self.models.only = None


class View(Mapping[ModelKey, ModelState]):
    """The models at one moment: those of a state, with a difference taken back or not."""

    def __init__(self, state: LazyState, taken_back: Difference | None = None) -> None:
        self._models = state.models
        self.time = state.time - (0 if taken_back is None else state._pace)
        self._instead = {key: before for key, (before, _) in (taken_back or {}).items()}

    def peek(self, key: ModelKey) -> ModelState | None:
        if key in self._instead:
            return self._instead[key]
        return self._models.peek(key)

    def __getitem__(self, key: ModelKey) -> ModelState:
        state = self.peek(key)
        if state is None:
            raise KeyError(key)
        return state

    def __iter__(self) -> Iterator[ModelKey]:
        for key in self._models:
            if self._instead.get(key, key) is not None:
                yield key
        for key, state in self._instead.items():
            if state is not None and key not in self._models:
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)
