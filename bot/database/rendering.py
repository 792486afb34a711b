"""Model classes for one operation: the models it names, and no more of the others than it takes.

A model that is looked at has all its fields. What it points to has only its key, and the fields
that are pointed to: that decides the type and the name of a column, and a project where everything
refers to everything falls apart into small pieces. Where that turns out to lack something, the
operation is previewed again with more, at last with everything as Django renders it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps as global_apps
from django.db.migrations.state import ModelState, ProjectState, StateApps

from bot.database.classes import PointedAt, SmallApps, numbered, reduced, stands_alone
from bot.database.lazystate import LazyState, View
from bot.database.references import ModelKey, References, outline

Need = dict[ModelKey, frozenset[str] | None]
"""The fields to render of each model; None means all."""
Enough = Mapping[ModelKey, frozenset[str]]
"""Models that an operation may look at although only these of their fields are rendered."""

_KEPT_REGISTRIES = 256


class Lacking(Exception):
    """An operation looked at a model that was not rendered whole; None: at all of them."""

    def __init__(self, key: ModelKey | None) -> None:
        super().__init__()
        self.key = key


class Renderer:
    """Makes registries and keeps those that may serve again: what an operation leaves is what the
    next one on that model starts from. What it started from is let go."""

    def __init__(self, real_apps: set[str], references: References) -> None:
        self.real_apps = real_apps
        self.references = references
        self._real: dict[ModelKey, ModelState] | None = None
        self._kept: OrderedDict[tuple[Any, ...], tuple[Any, list[ModelState]]] = OrderedDict()
        self._pointed_at = PointedAt()

    def registry(self, view: View, roots: Iterable[ModelKey], enough: Enough) -> tuple[Any, Need]:
        """A registry with ``roots`` rendered, whole or as ``enough`` says, and what is in it."""
        need = self._closure(view, roots, enough)
        keys = sorted(need, key=self.references.place)
        states = {key: state for key in keys if (state := self._state(view, key)) is not None}
        signature = tuple((key, need[key], id(state)) for key, state in states.items())
        if signature in self._kept:
            self._kept.move_to_end(signature)
            return self._kept[signature][0], need
        registry = SmallApps()
        with registry.bulk_update(), numbered(view.time):
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
            with numbered(view.time):
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

    def _closure(self, view: View, roots: Iterable[ModelKey], enough: Enough) -> Need:
        need: Need = {}
        waiting: list[tuple[ModelKey, frozenset[str] | None]]
        waiting = [(key, enough.get(key)) for key in roots]
        while waiting:
            key, names = waiting.pop()
            state = self._state(view, key)
            if state is None:
                continue
            lines = outline(state)
            if names is not None:
                own = frozenset(name for name in names if name in state.fields)
                inherited = names - own
                names = own | frozenset(lines.key_fields)
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
        if names is not None and stands_alone(state, names):
            registry.register_model(key[0], self._pointed_at.model(state, names))
        else:
            reduced(state, names).render(registry)


class _LookedAtApps:
    """Stands for a state's ``apps``: hands out what was rendered whole, and asks for the rest."""

    def __init__(self, view: View, registry: Any, need: Need, enough: Enough) -> None:
        self._view = view
        self._registry = registry
        self._need = need
        self._enough = enough

    def get_model(
        self, app_label: str, model_name: str | None = None, require_ready: bool = True
    ) -> Any:
        if model_name is None:
            app_label, model_name = app_label.split(".")
        key = (app_label, model_name.lower())
        if key not in self._need and self._view.peek(key) is None:
            raise LookupError(f"App '{app_label}' doesn't have a '{model_name}' model.")
        if self._need.get(key, frozenset()) is not None and not (
            key in self._need and key in self._enough
        ):
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
    renderer: Renderer,
    state: LazyState,
    view: View,
    roots: Iterable[ModelKey] | None,
    enough: Enough,
) -> LookedAtState:
    """The state at ``view`` with ``roots`` rendered; None: with everything rendered."""
    if roots is None:
        return LookedAtState(state, view, renderer.everything(view))
    registry, need = renderer.registry(view, roots, enough)
    return LookedAtState(state, view, _LookedAtApps(view, registry, need, enough))
