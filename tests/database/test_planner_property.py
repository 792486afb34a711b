"""For any sequence of operations the plan is what Django sends, and never a crash."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.database.planner import make_plan
from bot.route.plan import Belief, Target
from tests.database.corpus import chain
from tests.database.migrating import (
    close,
    disagreements,
    forget_migrations,
    installed,
    migrate,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
_places = itertools.count()

FIELDS = {
    "text": "models.CharField(max_length=20, default='x')",
    "long": "models.TextField(null=True)",
    "number": "models.IntegerField(default=3)",
    "positive": "models.PositiveIntegerField(null=True)",
    "indexed": "models.CharField(max_length=30, null=True, db_index=True)",
    "unique": "models.IntegerField(null=True, unique=True)",
    "link": "models.ForeignKey('shop.{model}', null=True, on_delete=CASCADE, related_name='+')",
    "many": "models.ManyToManyField('shop.{model}', related_name='+')",
}
PLAIN = ("text", "long", "number", "positive", "indexed", "unique")


class Sketch:
    """The models as they are so far, so that what is drawn next makes sense."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, str]] = {}
        self.names = itertools.count()

    def fresh(self, word: str) -> str:
        return f"{word}{next(self.names)}"


@st.composite
def histories(draw: st.DrawFn) -> list[str]:
    """Lists of operations in their source, each one of which fits what went before."""
    sketch, operations = Sketch(), []
    operations.append(_create(draw, sketch))
    for _ in range(draw(st.integers(3, 12))):
        kinds = [_create, _add]
        model = draw(st.sampled_from(sorted(sketch.models)))
        if sketch.models[model]:
            kinds += [_alter, _remove, _rename_field, _index]
        if len(sketch.models) > 1:
            kinds.append(_delete)
        kinds.append(_rename_model)
        operations.append(draw(st.sampled_from(kinds))(draw, sketch))
    return operations


def _field(sketch: Sketch, kind: str, model: str) -> str:
    return FIELDS[kind].format(model=model)


def _create(draw: st.DrawFn, sketch: Sketch) -> str:
    name = sketch.fresh("Model")
    sketch.models[name] = {}
    fields = ["('id', models.AutoField(primary_key=True))"]
    for kind in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=3)):
        field = sketch.fresh("field")
        sketch.models[name][field] = kind
        fields.append(f"({field!r}, {_field(sketch, kind, name)})")
    return f"migrations.CreateModel({name!r}, [{', '.join(fields)}]),"


def _pick(draw: st.DrawFn, sketch: Sketch, kinds: tuple[str, ...]) -> tuple[str, str] | None:
    found = [
        (model, field)
        for model, fields in sketch.models.items()
        for field, kind in fields.items()
        if kind in kinds
    ]
    return draw(st.sampled_from(found)) if found else None


def _add(draw: st.DrawFn, sketch: Sketch) -> str:
    model, other = (draw(st.sampled_from(sorted(sketch.models))) for _ in range(2))
    kind, field = draw(st.sampled_from(sorted(FIELDS))), sketch.fresh("field")
    sketch.models[model][field] = kind
    return f"migrations.AddField({model!r}, {field!r}, {_field(sketch, kind, other)}),"


def _alter(draw: st.DrawFn, sketch: Sketch) -> str:
    picked = _pick(draw, sketch, ("text", "indexed", "long"))
    if picked is None:
        return _add(draw, sketch)
    model, field = picked
    kind = draw(st.sampled_from(("text", "indexed")))
    sketch.models[model][field] = kind
    return f"migrations.AlterField({model!r}, {field!r}, {_field(sketch, kind, model)}),"


def _remove(draw: st.DrawFn, sketch: Sketch) -> str:
    picked = _pick(draw, sketch, (*PLAIN, "link", "many"))
    if picked is None:
        return _add(draw, sketch)
    model, field = picked
    del sketch.models[model][field]
    return f"migrations.RemoveField({model!r}, {field!r}),"


def _rename_field(draw: st.DrawFn, sketch: Sketch) -> str:
    picked = _pick(draw, sketch, (*PLAIN, "link"))
    if picked is None:
        return _add(draw, sketch)
    model, field = picked
    new = sketch.fresh("field")
    sketch.models[model][new] = sketch.models[model].pop(field)
    return f"migrations.RenameField({model!r}, {field!r}, {new!r}),"


def _index(draw: st.DrawFn, sketch: Sketch) -> str:
    picked = _pick(draw, sketch, ("number", "positive"))
    if picked is None:
        return _add(draw, sketch)
    model, field = picked
    # Not touched again: renaming a field that an index names is refused by Django itself.
    sketch.models[model][field] = "indexed by name"
    name = sketch.fresh("index")
    return f"migrations.AddIndex({model!r}, models.Index(fields=[{field!r}], name={name!r})),"


def _rename_model(draw: st.DrawFn, sketch: Sketch) -> str:
    old, new = draw(st.sampled_from(sorted(sketch.models))), sketch.fresh("Model")
    sketch.models[new] = sketch.models.pop(old)
    return f"migrations.RenameModel({old!r}, {new!r}),"


def _delete(draw: st.DrawFn, sketch: Sketch) -> str:
    """Delete a model that was made a moment ago, so that nothing refers to it."""
    made = _create(draw, sketch)
    name = list(sketch.models)[-1]
    del sketch.models[name]
    return f"{made} migrations.DeleteModel({name!r}),"


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql", "mysql"], indirect=True)
@given(operations=histories())
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_plan_of_anything_is_what_django_sends(
    vendor: str,
    new_database: Any,
    register_alias: Any,
    tmp_path: Path,
    settings: Any,
    operations: list[str],
) -> None:
    folder = tmp_path / str(next(_places))
    folder.mkdir()
    database = register_alias(f"target{next(_places)}", new_database(vendor))
    steps = {f"m{place:03}": operation for place, operation in enumerate(operations)}
    with installed(folder, settings, "shop") as apps:
        apps["shop"].write(chain(steps))
        made = make_plan(database, Target(app="shop"), now=NOW)
        assert not [s for t in made.steps for s in t.statements if s.belief is Belief.HIDDEN]
        wrong = disagreements(made, migrate(database, "shop"))
        assert not wrong, "\n".join(wrong)
        forget_migrations()
        back = make_plan(database, Target(app="shop", name="zero"), now=NOW)
        wrong = disagreements(back, migrate(database, "shop", "zero"))
        assert not wrong, "\n".join(wrong)
    close(database)
