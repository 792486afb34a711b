"""What the rules about risk read of one operation, taken from Django's own state on both sides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import CheckConstraint, Index, UniqueConstraint
from django.db.models.fields.proxy import OrderWrt

from bot.database.claims import claims_of
from bot.database.deeds import kind_of
from bot.database.rendering import Lacking
from bot.route.risks.facts import Column, Deed, Default, OperationFacts, RuleKind, TableRule

_OF_COLUMNS = (Deed.ADD_COLUMN, Deed.DROP_COLUMN, Deed.ALTER_COLUMN, Deed.RENAME_COLUMN)


class FactsReader:
    """Reads the models of an operation before and after it."""

    def __init__(
        self, connection: Any, app_label: str, operation: Any, states: tuple[Any, Any]
    ) -> None:
        self.connection = connection
        self.app_label = app_label
        self.operation = operation
        self.states = states

    def read(self, deed: Deed, known: dict[str, Any]) -> OperationFacts:
        """``known`` are fields of OperationFacts by name; what the models tell is added."""
        one = self.operation
        names = [
            getattr(one, name)
            for name in ("model_name", "old_name", "new_name")
            if isinstance(getattr(one, name, None), str)
        ]
        is_field = isinstance(getattr(one, "model_name", None), str)
        if is_field:
            names = names[:1]
        elif not names:
            names = [one.name]
        before, after = (self._model(state, names) for state in self.states)
        if before is None and after is None:
            return OperationFacts(deed=deed, **known)
        facts = OperationFacts(**({"deed": deed} | known | self._found(deed, before, after)))
        claims = claims_of(self.connection, one, facts, before, after)
        return replace(facts, claims=claims) if claims else facts

    def _found(self, deed: Deed, before: Any, after: Any) -> dict[str, Any]:
        """Fields of OperationFacts, by name, that the models tell: one of them is None at most."""
        model = before or after
        found = {
            "model": model._meta.object_name,
            "table": model._meta.db_table,
            "table_after": (after or before)._meta.db_table,
        }
        if deed in _OF_COLUMNS:
            return found | self._columns(deed, before, after)
        if deed in (Deed.CREATE_TABLE, Deed.DROP_TABLE):
            return found | {"parents": _parents(model), "rules": self._rules(model)}
        return found | self._changed_rules(deed, before, after)

    def _model(self, state: Any, names: list[str]) -> Any:
        for name in names:
            try:
                return state.apps.get_model(self.app_label, name)
            except (LookupError, Lacking):
                continue
        return None

    def _columns(self, deed: Deed, before: Any, after: Any) -> dict[str, Any]:
        one = self.operation
        names = [one.old_name, one.new_name] if hasattr(one, "old_name") else [one.name]
        if kind_of(one) == "AlterOrderWithRespectTo":
            names = ["_order"]
        old, new = (_field(model, names) for model in (before, after))
        if old is None and new is None:
            return {}
        if deed is Deed.ALTER_COLUMN and (old is None or new is None):
            deed = Deed.ADD_COLUMN if old is None else Deed.DROP_COLUMN
        if deed is Deed.ADD_COLUMN and _is_m2m(new):
            deed = Deed.CREATE_TABLE
        return {
            "deed": deed,
            "before": column_facts(old, self.connection) if old is not None else None,
            "after": column_facts(new, self.connection) if new is not None else None,
        }

    def _changed_rules(self, deed: Deed, before: Any, after: Any) -> dict[str, Any]:
        if deed is Deed.ADD_RULE and kind_of(self.operation) == "AlterUniqueTogether":
            had, has = (_together(model) for model in (before, after))
            added = [fields for fields in has if fields not in had]
            if not added:
                gone = tuple(
                    _unique(fields)
                    for fields in had
                    if fields not in has and not _keeps_unique(after, fields)
                )
                return {"deed": Deed.DROP_RULE if gone else Deed.NOTHING, "rules": gone}
            return {"rules": tuple(_unique(fields) for fields in added)}
        had_rules, has_rules = (
            {rule.name: rule for rule in self._rules(model)} if model is not None else {}
            for model in (before, after)
        )
        changed = [rule for name, rule in has_rules.items() if name not in had_rules]
        if deed is not Deed.RENAME_INDEX:
            changed += [rule for name, rule in had_rules.items() if name not in has_rules]
        return {"rules": tuple(changed)}

    def _rules(self, model: Any) -> tuple[TableRule, ...]:
        """The constraints and indexes of a model that have names of their own."""
        return tuple(
            self._rule(one) for one in (*model._meta.constraints, *model._meta.indexes) if one.name
        )

    def _rule(self, one: Any) -> TableRule:
        features = self.connection.features
        condition = getattr(one, "condition", None) is not None
        why_not = ""
        if isinstance(one, UniqueConstraint):
            kind = RuleKind.UNIQUE
            for wanted, has, words in (
                (one.condition, features.supports_partial_indexes, "conditional"),
                (one.deferrable, features.supports_deferrable_unique_constraints, "deferrable"),
                (getattr(one, "include", ()), features.supports_covering_indexes, "covering"),
                (one.expressions, features.supports_expression_indexes, "expression"),
                (
                    one.nulls_distinct is not None,
                    features.supports_nulls_distinct_unique_constraints,
                    "NULLS (NOT) DISTINCT",
                ),
            ):
                if wanted and not has:
                    why_not = f"this database has no {words} unique constraints"
        elif isinstance(one, Index):
            kind = RuleKind.INDEX
            if condition and not features.supports_partial_indexes:
                why_not = "this database has no conditional indexes"
            elif one.expressions and not features.supports_expression_indexes:
                why_not = "this database has no indexes on expressions"
        elif isinstance(one, CheckConstraint):
            kind, condition = RuleKind.CHECK, False
            if not features.supports_table_check_constraints:
                why_not = "this database has no checks"
        else:
            kind = RuleKind.EXCLUDE
        fields = getattr(one, "fields", ()) or ()
        return TableRule(
            name=one.name,
            kind=kind,
            fields=tuple(fields),
            condition=condition,
            enforced=not why_not,
            why_not=why_not,
        )


def column_facts(field: Any, connection: Any) -> Column:
    """A field as the rules read it. Raises what the field's own code raises."""
    through = ""
    if _is_m2m(field):
        model = field.remote_field.through
        through = model._meta.db_table if model._meta.auto_created else ""
    parameters = field.db_parameters(connection=connection)
    kind = str(parameters["type"] or "").lower()
    suffix = ""
    if kind and connection.vendor == "mysql":
        suffix = str(field.db_type_suffix(connection=connection) or "")
    remote, default, internal = field.remote_field, _default(field), field.get_internal_type()
    references = ""
    if remote is not None and kind and getattr(field, "db_constraint", False):
        references = remote.model._meta.db_table
    return Column(
        name=field.name,
        column=field.column if kind and field.column else "",
        kind=internal,
        type=f"{kind} {suffix}".strip(),
        null=bool(field.null),
        default=default,
        db_default=bool(field.has_db_default()),
        fills_rows=_fills_rows(field, default, internal),
        unique=bool(field.unique),
        primary_key=bool(field.primary_key),
        index=bool(field.db_index),
        in_index=bool(field.db_index or field.unique or _is_in_index(field)),
        check=bool(parameters["check"]),
        references=references,
        through=through,
        generated=bool(field.generated),
    )


def _is_in_index(field: Any) -> bool:
    """Whether an index or a constraint of its model reads it; of expressions it is not looked up
    what they read."""
    options = field.model._meta
    ours = (*options.indexes, *options.constraints)
    named = [*options.unique_together, *getattr(options, "index_together", ())]
    named += [getattr(one, "fields", ()) for one in ours]
    has_expressions = any(getattr(one, "expressions", ()) for one in ours)
    return has_expressions or any(field.name in fields for fields in named)


def _keeps_unique(model: Any, fields: tuple[str, ...]) -> bool:
    """Whether a constraint of the model says of all rows what unique_together said."""
    return any(
        isinstance(one, UniqueConstraint)
        and set(one.fields) == set(fields)
        and one.condition is None
        for one in model._meta.constraints
    )


def _default(field: Any) -> Default:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return Default.PYTHON
    if not field.has_default():
        return Default.NONE
    return Default.PYTHON if callable(field.default) else Default.CONSTANT


def _fills_rows(field: Any, default: Default, internal: str) -> bool:
    """As BaseDatabaseSchemaEditor._effective_default: whether there is a value for old rows."""
    return bool(
        field.null
        or field.generated
        or default is not Default.NONE
        or field.has_db_default()
        or (field.blank and field.empty_strings_allowed)
        or internal in ("AutoField", "BigAutoField", "SmallAutoField")
        or isinstance(field, OrderWrt)
    )


def _is_m2m(field: Any) -> bool:
    return bool(field is not None and getattr(field, "many_to_many", False))


def _field(model: Any, names: list[str]) -> Any:
    if model is None:
        return None
    for one in (*model._meta.local_fields, *model._meta.local_many_to_many):
        if one.name in names:
            return one
    return None


def _parents(model: Any) -> tuple[str, ...]:
    own = model._meta.db_table
    found = {
        field.remote_field.model._meta.db_table: None
        for field in model._meta.local_fields
        if field.remote_field is not None and getattr(field, "db_constraint", False)
    }
    return tuple(table for table in found if table != own)


def _unique(fields: tuple[str, ...]) -> TableRule:
    return TableRule(name=f"of {', '.join(fields)}", kind=RuleKind.UNIQUE, fields=fields)


def _together(model: Any) -> list[tuple[str, ...]]:
    return [tuple(fields) for fields in model._meta.unique_together] if model is not None else []
