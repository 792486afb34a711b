"""Model classes for one operation: the models it names, and no more of the others than it takes.

A model that is looked at has all its fields. What it points to has only its key, and the fields
that are pointed to: that decides the type and the name of a column, and a project where everything
refers to everything falls apart into small pieces. Where that turns out to lack something, the
operation is previewed again with more, at last with everything as Django renders it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db.migrations.operations.fields import AlterField, FieldOperation, RenameField
from django.db.migrations.operations.models import IndexOperation, ModelOperation, RenameModel
from django.db.migrations.state import ModelState, ProjectState, StateApps
from django.db.models import Field

from bot.database.lazystate import LazyState, ModelKey, References, View, outline

Need = dict[ModelKey, frozenset[str] | None]
"""The fields to render of each model; None means all."""

_KEPT_OPTIONS = (
    "db_table",
    "db_tablespace",
    "managed",
    "proxy",
    "swappable",
    "required_db_vendor",
    "required_db_features",
)
_KEPT_REGISTRIES = 256
_LATER_THAN_ALL = 10**12
_FIELDS_AT_MOST = 10**6


@contextmanager
def _numbered(time: int) -> Iterator[None]:
    """Number the fields that are made here as if all states had been rendered in their order.

    Fields are sorted by these numbers, so they decide where SQLite puts a column in a table that
    it makes anew: Django has rendered the state before an operation before the one after it, also
    when it goes backwards, and so does a table come out.
    """
    usual = Field.creation_counter
    Field.creation_counter = _LATER_THAN_ALL + time * _FIELDS_AT_MOST
    try:
        yield
    finally:
        # Never lower than what was given out: SQLite's editor clones fields, and those come last.
        Field.creation_counter = max(usual, Field.creation_counter)


class Lacking(Exception):
    """An operation looked at a model that was not rendered whole; None: at all of them."""

    def __init__(self, key: ModelKey | None) -> None:
        super().__init__()
        self.key = key


class SmallApps(StateApps):
    """A registry with a few models in it. StateApps' own constructor renders everything."""

    def __init__(self) -> None:
        Apps.__init__(self, ())
        self.real_models = []


class Renderer:
    """Makes registries and keeps those that may serve again: what an operation leaves is what the
    next one on that model starts from. What it started from is let go."""

    def __init__(self, real_apps: set[str], references: References) -> None:
        self.real_apps = real_apps
        self.references = references
        self._real: dict[ModelKey, ModelState] | None = None
        self._kept: OrderedDict[tuple[Any, ...], tuple[Any, list[ModelState]]] = OrderedDict()
        self._pointed_at = PointedAt()

    def registry(self, view: View, roots: Iterable[ModelKey]) -> tuple[Any, Need]:
        """A registry with ``roots`` rendered whole, and what is in it."""
        need = self._closure(view, roots)
        keys = sorted(need, key=self.references.place)
        states = {key: state for key in keys if (state := self._state(view, key)) is not None}
        signature = tuple((key, need[key], id(state)) for key, state in states.items())
        if signature in self._kept:
            self._kept.move_to_end(signature)
            return self._kept[signature][0], need
        registry = SmallApps()
        with registry.bulk_update(), _numbered(view.time):
            for key in states:
                self._render(registry, states, need, key)
        self._pointed_at.tidy()
        self._keep(signature, registry, list(states.values()))
        return registry, need

    def everything(self, view: View) -> Any:
        """All models, as Django renders them; raises what Django raises."""
        models = dict(view)
        signature = tuple((key, id(state)) for key, state in models.items())
        if signature not in self._kept:
            with _numbered(view.time):
                registry = StateApps(list(self.real_apps), models)
            self._keep(signature, registry, list(models.values()))
        return self._kept[signature][0]

    def let_go(self, registry: Any) -> None:
        """Throw away one registry: the plan has gone past it."""
        for signature, (kept, _) in reversed(self._kept.items()):
            if kept is registry:
                del self._kept[signature]
                return

    def forget(self) -> None:
        """Throw away what was rendered."""
        self._kept.clear()
        self._pointed_at = PointedAt()

    def _keep(self, signature: tuple[Any, ...], registry: Any, states: list[ModelState]) -> None:
        # The states are kept too: their ids are in the signature and must not be used again.
        self._kept[signature] = (registry, states)
        if len(self._kept) > _KEPT_REGISTRIES:
            self._kept.popitem(last=False)

    def _state(self, view: View, key: ModelKey) -> ModelState | None:
        return view.peek(key) or self._real_models().get(key)

    def _real_models(self) -> dict[ModelKey, ModelState]:
        """Models of apps without migrations, as StateApps adds them."""
        if self._real is None:
            self._real = {}
            for label in self.real_apps:
                for model in global_apps.get_app_config(label).get_models():
                    state = ModelState.from_model(model, exclude_rels=True)
                    self._real[state.app_label, state.name_lower] = state
        return self._real

    def _closure(self, view: View, roots: Iterable[ModelKey]) -> Need:
        need: Need = {}
        waiting: list[tuple[ModelKey, frozenset[str] | None]] = [(key, None) for key in roots]
        while waiting:
            key, names = waiting.pop()
            state = self._state(view, key)
            if state is None:
                continue
            lines = outline(state)
            if names is not None:
                own = frozenset(name for name in names if name in state.fields)
                names = own | frozenset(lines.key_fields)
                inherited = names - own - frozenset(lines.key_fields)
            else:
                inherited = None
            had = need.get(key, frozenset())
            if key in need and (had is None or (names is not None and names <= had)):
                continue
            need[key] = None if names is None or had is None else names | had
            waiting += [(base, inherited) for base in lines.bases]
            for reference in lines.references:
                if names is None or reference.field in names:
                    waiting.append((reference.to, frozenset(reference.names)))
                    if reference.through:
                        waiting.append((reference.through, self._links(view, reference.through)))
        return need

    def _links(self, view: View, key: ModelKey) -> frozenset[str]:
        state = self._state(view, key)
        if state is None:
            return frozenset()
        return frozenset(reference.field for reference in outline(state).references)

    def _render(
        self, registry: Any, states: dict[ModelKey, ModelState], need: Need, key: ModelKey
    ) -> None:
        if key[1] in registry.all_models[key[0]]:
            return
        state = states[key]
        for base in outline(state).bases:
            if base in states:
                self._render(registry, states, need, base)
        names = need[key]
        if names is not None and _stands_alone(state, names):
            registry.register_model(key[0], self._pointed_at.model(state, names))
        else:
            _reduced(state, names).render(registry)


class PointedAt:
    """Classes of models that are only pointed at and point at nothing, to be in many registries.

    Half of what is rendered are such: the users and pages that everything refers to.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, frozenset[str]], tuple[Any, ModelState, frozenset[str]]] = {}
        self._used: list[tuple[Any, frozenset[str]]] = []

    def model(self, state: ModelState, names: frozenset[str]) -> Any:
        """The class of ``state`` with the fields ``names``."""
        if (id(state), names) not in self._known:
            if len(self._known) >= _KEPT_REGISTRIES:
                self._known.clear()
            model: Any = _reduced(state, names).render(SmallApps())
            # The state is kept too: its id must not be used again.
            self._known[id(state), names] = (model, state, frozenset(vars(model)))
        model, _, own = self._known[id(state), names]
        self._used.append((model, own))
        return model

    def tidy(self) -> None:
        """Take off what models of one registry put on them; it would keep that registry alive."""
        for model, own in self._used:
            for name in set(vars(model)) - own:
                delattr(model, name)
        self._used.clear()


def _stands_alone(state: ModelState, names: frozenset[str]) -> bool:
    lines = outline(state)
    return not lines.bases and not any(one.field in names for one in lines.references)


def _reduced(state: ModelState, names: frozenset[str] | None) -> ModelState:
    """The state with only these fields, and nothing that does not shape the table."""
    fields = {n: f for n, f in state.fields.items() if names is None or n in names}
    if names is None:
        options = dict(state.options)
        options.pop("default_manager_name", None)
        options.pop("base_manager_name", None)
    else:
        options = {name: state.options[name] for name in _KEPT_OPTIONS if name in state.options}
    # Managers play no part in tables; but a field named objects needs one of another name.
    managers = state.managers if "objects" in fields else []
    reduced = ModelState.__new__(ModelState)
    reduced.app_label = state.app_label
    reduced.name = state.name
    reduced.fields = fields
    reduced.options = {"indexes": [], "constraints": [], **options}
    reduced.bases = state.bases
    reduced.managers = managers
    return reduced


class _LookedAtApps:
    """Stands for a state's ``apps``: hands out what was rendered whole, and asks for the rest."""

    def __init__(self, view: View, registry: Any, need: Need) -> None:
        self._view = view
        self._registry = registry
        self._need = need

    def get_model(
        self, app_label: str, model_name: str | None = None, require_ready: bool = True
    ) -> Any:
        if model_name is None:
            app_label, model_name = app_label.split(".")
        key = (app_label, model_name.lower())
        if key not in self._need and self._view.peek(key) is None:
            raise LookupError(f"App '{app_label}' doesn't have a '{model_name}' model.")
        if self._need.get(key, frozenset()) is not None:
            raise Lacking(key)
        return self._registry.get_model(app_label, model_name)

    def __getattr__(self, name: str) -> Any:
        raise Lacking(None)


class LookedAtState(ProjectState):
    """A state as an operation's database_forwards sees it: to look at, not to write to."""

    def __init__(self, state: LazyState, view: View, apps: Any) -> None:
        super().__init__(real_apps=state.real_apps)
        self.models = view  # type: ignore[assignment]
        self._state = state
        self._apps = apps

    @property
    def apps(self) -> Any:
        return self._apps

    @property
    def registry(self) -> Any:
        """What stands behind ``apps``: the registry the renderer made."""
        apps = self._apps
        return apps.__dict__["_registry"] if isinstance(apps, _LookedAtApps) else apps

    def clone(self) -> LazyState:
        view: Any = self.models
        return self._state.branch(dict(view), view.time)


def look_at(
    renderer: Renderer, state: LazyState, view: View, roots: Iterable[ModelKey] | None
) -> LookedAtState:
    """The state at ``view`` with ``roots`` rendered; None: with everything rendered."""
    if roots is None:
        return LookedAtState(state, view, renderer.everything(view))
    registry, need = renderer.registry(view, roots)
    return LookedAtState(state, view, _LookedAtApps(view, registry, need))


def roots_of(
    operation: Any, app_label: str, references: References, views: Iterable[View]
) -> set[ModelKey]:
    """The models that an operation looks at, before or after it.

    Its own, and for a rename or a changed key those that refer to it.
    """
    names: list[str] = []
    if isinstance(operation, RenameModel):
        names = [operation.old_name, operation.new_name]
    elif isinstance(operation, ModelOperation):
        names = [operation.name]
    elif isinstance(operation, (FieldOperation, IndexOperation)) or hasattr(
        operation, "model_name"
    ):
        names = [operation.model_name]
    roots: set[ModelKey] = {(app_label, name.lower()) for name in names}
    for view in views:
        if isinstance(operation, RenameModel):
            for root in list(roots):
                roots |= _referring(references, view, root)
        elif isinstance(operation, (AlterField, RenameField)):
            for root in list(roots):
                roots |= _referring_to_field(references, view, root, _field_names(operation))
    return roots


def _field_names(operation: AlterField | RenameField) -> set[str]:
    if isinstance(operation, RenameField):
        return {operation.old_name, operation.new_name}
    return {operation.name}


def _referring(references: References, view: View, key: ModelKey) -> set[ModelKey]:
    found = set()
    for other in references.to(key):
        state = view.peek(other)
        if state is not None and any(
            key in (reference.to, reference.through) for reference in outline(state).references
        ):
            found.add(other)
    return found


def _referring_to_field(
    references: References, view: View, key: ModelKey, names: set[str]
) -> set[ModelKey]:
    """Models with a foreign key to one of these fields, and on through keys that are such keys.

    Django changes their columns too (_related_non_m2m_objects), and SQLite makes them anew.
    """
    found: set[ModelKey] = set()
    waiting = [(key, names)]
    while waiting:
        key, names = waiting.pop()
        state = view.peek(key)
        if state is None:
            continue
        unique = {n for n in names if n in state.fields and state.fields[n].unique}
        is_key = any(state.fields[n].primary_key for n in unique)
        if not unique:
            continue
        for other in references.to(key):
            other_state = view.peek(other)
            if other in found or other_state is None:
                continue
            touched = {
                reference.field
                for reference in outline(other_state).references
                if reference.to == key
                and (unique & set(reference.names) or (is_key and not reference.names))
            }
            if touched:
                found.add(other)
                waiting.append((other, touched))
    return found
