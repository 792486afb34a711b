"""What the rules about risk read of one operation, taken from Django's own state on both sides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import CheckConstraint, Index, UniqueConstraint

from bot.database.rendering import Lacking
from bot.database.targets import describe_error
from bot.route.plan import Belief, Statement
from bot.route.risks.facts import (
    Column,
    Deed,
    Default,
    OperationFacts,
    RuleKind,
    TableRule,
)

_DEEDS: dict[str, tuple[Deed, Deed]] = {
    "CreateModel": (Deed.CREATE_TABLE, Deed.DROP_TABLE),
    "DeleteModel": (Deed.DROP_TABLE, Deed.CREATE_TABLE),
    "RenameModel": (Deed.RENAME_TABLE, Deed.RENAME_TABLE),
    "AlterModelTable": (Deed.RENAME_TABLE, Deed.RENAME_TABLE),
    "AlterModelTableComment": (Deed.COMMENT, Deed.COMMENT),
    "AlterModelOptions": (Deed.NOTHING, Deed.NOTHING),
    "AlterModelManagers": (Deed.NOTHING, Deed.NOTHING),
    "AlterOrderWithRespectTo": (Deed.ALTER_COLUMN, Deed.ALTER_COLUMN),
    "AlterUniqueTogether": (Deed.ADD_RULE, Deed.ADD_RULE),
    "AlterIndexTogether": (Deed.ADD_INDEX, Deed.ADD_INDEX),
    "AddField": (Deed.ADD_COLUMN, Deed.DROP_COLUMN),
    "RemoveField": (Deed.DROP_COLUMN, Deed.ADD_COLUMN),
    "AlterField": (Deed.ALTER_COLUMN, Deed.ALTER_COLUMN),
    "RenameField": (Deed.RENAME_COLUMN, Deed.RENAME_COLUMN),
    "AddIndex": (Deed.ADD_INDEX, Deed.DROP_INDEX),
    "AddIndexConcurrently": (Deed.ADD_INDEX, Deed.DROP_INDEX),
    "RemoveIndex": (Deed.DROP_INDEX, Deed.ADD_INDEX),
    "RemoveIndexConcurrently": (Deed.DROP_INDEX, Deed.ADD_INDEX),
    "RenameIndex": (Deed.RENAME_INDEX, Deed.RENAME_INDEX),
    "AddConstraint": (Deed.ADD_RULE, Deed.DROP_RULE),
    "AddConstraintNotValid": (Deed.ADD_RULE, Deed.DROP_RULE),
    "RemoveConstraint": (Deed.DROP_RULE, Deed.ADD_RULE),
    "AlterConstraint": (Deed.NOTHING, Deed.NOTHING),
    "ValidateConstraint": (Deed.VALIDATE_RULE, Deed.NOTHING),
    "CreateExtension": (Deed.INSTALL, Deed.INSTALL),
    "CreateCollation": (Deed.INSTALL, Deed.INSTALL),
    "RemoveCollation": (Deed.INSTALL, Deed.INSTALL),
    "RunPython": (Deed.PYTHON, Deed.PYTHON),
    "RunSQL": (Deed.SQL, Deed.SQL),
    "SeparateDatabaseAndState": (Deed.NOTHING, Deed.NOTHING),
}
_CONCURRENT = ("AddIndexConcurrently", "RemoveIndexConcurrently")


@dataclass
class Leaf:
    """One operation, those inside SeparateDatabaseAndState one by one, while its step is made."""

    facts: OperationFacts
    statements: list[Statement] = field(default_factory=list)
    deferred: list[Statement] = field(default_factory=list)

    def finished(self) -> OperationFacts:
        """With all its statements. What could not be previewed, or is Python, has another deed."""
        facts = replace(
            self.facts,
            statements=tuple(one.sql for one in self.statements if one.sql.strip()),
            deferred=tuple(one.sql for one in self.deferred if one.sql.strip()),
        )
        for one in self.statements:
            if one.belief is Belief.HIDDEN:
                return replace(facts, deed=Deed.UNKNOWN, note=one.note)
            if one.belief is Belief.PYTHON:
                return replace(facts, deed=Deed.PYTHON, note=one.note.removesuffix(_NOT_RUN))
        if facts.deed is Deed.PYTHON:  # noop, or another database's.
            return replace(facts, deed=Deed.NOTHING)
        return facts


_NOT_RUN = " It is not run for a plan."


class Witness:
    """Notes what a previewer sees of each operation. ``leaves`` are those of the step at hand."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.place = 0
        self.leaves: list[Leaf] = []
        self._owners: dict[int, Leaf] = {}

    def begin_step(self) -> None:
        self.place, self.leaves, self._owners = 0, [], {}

    def note(self, editor: Any, facts: OperationFacts, statements: list[Statement]) -> None:
        """An operation was previewed: ``facts`` are what ``look`` gave."""
        self.leaves.append(Leaf(facts=facts, statements=list(statements)))
        leaf = self.leaves[-1]
        for kept_back in editor.deferred_sql:
            self._owners.setdefault(id(kept_back), leaf)

    def note_deferred(self, kept_back: Any, statements: list[Statement]) -> None:
        """A statement that was kept back until the end of the step."""
        leaf = self._owners.get(id(kept_back))
        if leaf is None and self.leaves:
            leaf = self.leaves[-1]
        if leaf is not None:
            leaf.deferred += statements

    def finish_step(self) -> tuple[OperationFacts, ...]:
        return tuple(leaf.finished() for leaf in self.leaves)

    def look(
        self, app_label: str, operation: Any, states: tuple[Any, Any] | None, backwards: bool
    ) -> OperationFacts:
        """The operation without its statements. ``states`` are those before and after it in the
        direction of the plan, None when its code was not called."""
        kind = kind_of(operation)
        deed = _DEEDS[kind][backwards] if kind in _DEEDS else Deed.UNKNOWN
        known = OperationFacts(
            place=self.place,
            kind=type(operation).__name__,
            deed=deed,
            app=app_label,
            concurrently=kind in _CONCURRENT,
        )
        if states is None or deed in (Deed.UNKNOWN, Deed.NOTHING, Deed.INSTALL, Deed.SQL):
            return known
        try:
            return _Reader(self.connection, app_label, operation, states).fill(known)
        except Exception as error:  # noqa: BLE001 Fields and constraints are anybody's code.
            note = f"Its fields could not be examined: {describe_error(error)}."
            return replace(known, deed=Deed.UNKNOWN, note=note)


def kind_of(operation: Any) -> str:
    """The name of the class of Django's own that an operation is one of; empty when of none."""
    for one in type(operation).__mro__:
        if one.__module__.split(".")[0] == "django" and one.__name__ in _DEEDS:
            return str(one.__name__)
    return ""


class _Reader:
    """Reads the models of an operation before and after it."""

    def __init__(
        self, connection: Any, app_label: str, operation: Any, states: tuple[Any, Any]
    ) -> None:
        self.connection = connection
        self.app_label = app_label
        self.operation = operation
        self.states = states

    def fill(self, known: OperationFacts) -> OperationFacts:
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
        model = before or after
        if model is None:
            return known
        facts = replace(
            known,
            model=model._meta.object_name,
            table=(before or after)._meta.db_table,
            table_after=(after or before)._meta.db_table,
        )
        if known.deed in (
            Deed.ADD_COLUMN,
            Deed.DROP_COLUMN,
            Deed.ALTER_COLUMN,
            Deed.RENAME_COLUMN,
        ):
            return self._with_columns(facts, before, after)
        if known.deed in (Deed.CREATE_TABLE, Deed.DROP_TABLE):
            return replace(facts, parents=_parents(model), rules=self._rules(model))
        return self._with_rules(facts, before, after)

    def _model(self, state: Any, names: list[str]) -> Any:
        for name in names:
            try:
                return state.apps.get_model(self.app_label, name)
            except (LookupError, Lacking):
                continue
        return None

    def _with_columns(self, facts: OperationFacts, before: Any, after: Any) -> OperationFacts:
        one = self.operation
        names = [one.old_name, one.new_name] if hasattr(one, "old_name") else [one.name]
        if kind_of(one) == "AlterOrderWithRespectTo":
            names = ["_order"]
        old, new = (_field(model, names) for model in (before, after))
        if old is None and new is None:
            return facts
        deed = facts.deed
        if deed is Deed.ALTER_COLUMN and (old is None or new is None):
            deed = Deed.ADD_COLUMN if old is None else Deed.DROP_COLUMN
        if deed is Deed.ADD_COLUMN and _is_m2m(new):
            deed = Deed.CREATE_TABLE
        return replace(
            facts,
            deed=deed,
            before=column_facts(old, self.connection) if old is not None else None,
            after=column_facts(new, self.connection) if new is not None else None,
        )

    def _with_rules(self, facts: OperationFacts, before: Any, after: Any) -> OperationFacts:
        one = self.operation
        if facts.deed is Deed.ADD_RULE and kind_of(one) == "AlterUniqueTogether":
            had, has = (_together(model) for model in (before, after))
            added = [fields for fields in has if fields not in had]
            if not added:
                return replace(facts, deed=Deed.DROP_RULE if had != has else Deed.NOTHING)
            rules = [
                TableRule(name=f"of {', '.join(fields)}", kind=RuleKind.UNIQUE, fields=fields)
                for fields in added
            ]
            return replace(facts, rules=tuple(rules))
        had_rules, has_rules = (
            {rule.name: rule for rule in self._rules(model)} if model is not None else {}
            for model in (before, after)
        )
        changed = [rule for name, rule in has_rules.items() if name not in had_rules]
        changed += [rule for name, rule in had_rules.items() if name not in has_rules]
        if facts.deed is Deed.RENAME_INDEX:
            changed = [rule for name, rule in has_rules.items() if name not in had_rules]
        return replace(facts, rules=tuple(changed))

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
    remote = field.remote_field
    references = ""
    if remote is not None and kind and getattr(field, "db_constraint", False):
        references = remote.model._meta.db_table
    return Column(
        name=field.name,
        column=field.column if kind and field.column else "",
        kind=field.get_internal_type(),
        type=f"{kind} {suffix}".strip(),
        null=bool(field.null),
        default=_default(field),
        db_default=bool(field.has_db_default()),
        fills_rows=_fills_rows(field),
        unique=bool(field.unique),
        primary_key=bool(field.primary_key),
        index=bool(field.db_index),
        check=bool(parameters["check"]),
        references=references,
        through=through,
        generated=bool(field.generated),
    )


def _default(field: Any) -> Default:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return Default.PYTHON
    if not field.has_default():
        return Default.NONE
    return Default.PYTHON if callable(field.default) else Default.CONSTANT


def _fills_rows(field: Any) -> bool:
    """As BaseDatabaseSchemaEditor._effective_default: whether there is a value for old rows."""
    return bool(
        field.null
        or field.generated
        or _default(field) is not Default.NONE
        or field.has_db_default()
        or (field.blank and field.empty_strings_allowed)
        or field.get_internal_type() in ("AutoField", "BigAutoField", "SmallAutoField")
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


def _together(model: Any) -> list[tuple[str, ...]]:
    return [tuple(fields) for fields in model._meta.unique_together] if model is not None else []
