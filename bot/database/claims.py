"""What an operation demands of the rows that are there, read from Django's own models and
constraints on both sides of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import CheckConstraint, UniqueConstraint, Value
from django.db.models.functions import Now

from bot.database.compiling import Compiled, bare, compile_on, literal
from bot.database.targets import describe_error
from bot.route.risks import types
from bot.route.risks.claims import (
    Claim,
    Parent,
    converts,
    few_rows,
    keeps,
    no_null,
    points_to,
    unasked,
    unique,
)
from bot.route.risks.conversions import Server, conversions
from bot.route.risks.facts import Column, Deed, OperationFacts


def claims_of(
    connection: Any, operation: Any, facts: OperationFacts, before: Any, after: Any
) -> tuple[Claim, ...]:
    """The demands of one operation. ``before`` and ``after`` are its model on both sides in the
    direction of the plan; names are those before it. What cannot be read is a claim that says so.
    """
    if before is None:
        return ()
    reader = _Reader(connection, operation, facts, before, after)
    read = _READERS.get(facts.deed)
    if read is None or (after is None and facts.deed is not Deed.VALIDATE_RULE):
        return ()
    try:
        return tuple(read(reader))
    except Exception as error:  # noqa: BLE001 Fields, constraints and defaults are anybody's code.
        why_not = f"what it demands could not be read, {describe_error(error)}"
        return (unasked(facts.table, f"{facts.table} satisfies it", why_not),)


@dataclass(frozen=True, slots=True)
class _Reader:
    connection: Any
    operation: Any
    facts: OperationFacts
    before: Any
    after: Any

    @property
    def table(self) -> str:
        return self.facts.table

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key before the operation."""
        return tuple(field.column for field in self.before._meta.pk_fields if field.column)

    def quote(self, name: str) -> str:
        return str(self.connection.ops.quote_name(name))

    # Columns

    def added(self) -> Iterator[Claim]:
        """A column is added to rows that are there."""
        column = self.facts.after
        if column is None or not column.column or column.generated:
            return
        field = self._field(column)
        given = self._given(field)
        if column.db_default:
            if column.unique:
                yield from self._same_in_all(column, field.db_default)
        elif given is not None:
            if column.unique:
                yield few_rows(self.table, column.column, allowed=1)
        elif not column.null and not _counts(column):
            yield from self._without_value(column)
        if given is not None and column.references:
            yield self._default_is_there(field, given)

    def _same_in_all(self, column: Column, default: Any) -> Iterator[Claim]:
        """A default in the database is one value for all rows, unless a function makes each."""
        each = self.connection.vendor == "postgresql" and type(default).__name__ == "RandomUUID"
        if not each:
            claim = few_rows(self.table, column.column, allowed=1)
            constant = isinstance(default, (Value, Now)) or not hasattr(
                default, "resolve_expression"
            )
            why_not = "" if constant else "its default may be another value in each row"
            yield replace(claim, why_not=why_not)

    def _without_value(self, column: Column) -> Iterator[Claim]:
        """MySQL has a value of its own for every type, the same for all: none that a foreign key
        finds, and none of a date where its mode forbids that."""
        dated = types.read(column.type).family in ("date", "datetime")
        if (
            self.connection.vendor != "mysql"
            or column.references
            or (dated and "NO_ZERO_DATE" in self.connection.sql_mode)
        ):
            yield few_rows(self.table, column.column, allowed=0)
        elif column.unique:
            yield few_rows(self.table, column.column, allowed=1)

    def _default_is_there(self, field: Any, given: Any) -> Claim:
        """The one value that every row gets must be in the table that it points to."""
        value = literal(self.connection, field.get_db_prep_save(given, self.connection))
        parent = Parent(table=_parent(field).table, column=_parent(field).column)
        made = points_to(self.table, field.column, parent, quote=self.quote)
        words = f"{parent.table} has the row that the default of {self.table}.{field.column} names"
        none = f"would point by {field.column} to what is not in {parent.table}"
        return replace(
            made,
            words=words,
            one=f"row of {self.table} {none}",
            many=f"rows of {self.table} {none}",
            columns=(),
            value=value,
        )

    def altered(self) -> Iterator[Claim]:
        """A column that is there becomes another."""
        old, new = self.facts.before, self.facts.after
        if old is None or new is None or not (old.column and new.column):
            return
        if old.null and not new.null and not self._fills_null(new):
            yield no_null(self.table, old.column, quote=self.quote, key=self.key)
        same = types.is_same(old.type, new.type)
        if not same:
            yield from self._converted(old, new)
        if new.unique and not old.unique:
            yield self._becomes_unique(old, same)
        if new.check and not (old.check and same):
            yield from self._check_of_type(old, new, same)
        if new.references and new.references != old.references:
            field = self._field(new)
            parent = _parent(field)
            yield points_to(self.table, old.column, parent, quote=self.quote, key=self.key)

    def _converted(self, old: Column, new: Column) -> Iterator[Claim]:
        words = f"{old.type} to {new.type}"
        for one in conversions(
            old.type, new.type, column=self.quote(old.column), server=self._server(old, new)
        ):
            yield converts(self.table, old.column, words, one, key=self.key)

    def _server(self, old: Column, new: Column) -> Server:
        vendor = self.connection.vendor
        modes = self.connection.sql_mode if vendor == "mysql" else frozenset()
        return Server(
            vendor=vendor,
            version=tuple(self.connection.get_database_version()),
            strict=bool({"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"} & set(modes)),
            # As DatabaseSchemaEditor._using_sql: where the type has another name, not length alone.
            casts=old.type.partition("(")[0] != new.type.partition("(")[0],
        )

    def _becomes_unique(self, old: Column, same: bool) -> Claim:
        made = unique(
            self.table,
            old.column,
            columns=(old.column,),
            shared=(self.quote(old.column),),
            key=self.key,
        )
        return made if same else replace(made, why_not="its type changes at the same time")

    def _check_of_type(self, old: Column, new: Column, same: bool) -> Iterator[Claim]:
        """What the type itself checks: PositiveIntegerField, JSONField."""
        field = self._field(new)
        check = str(field.db_parameters(connection=self.connection)["check"])
        check = check.replace(self.quote(new.column), self.quote(old.column))
        made = keeps(
            self.table, f"the check of {new.column}", check, columns=(old.column,), key=self.key
        )
        was, becomes = types.read(old.type).family, types.read(new.type).family
        numbers = was in ("integer", "decimal", "float") or was == becomes
        reads_text = self.connection.vendor != "postgresql" and "JSON_VALID" in check
        if same or numbers or reads_text:
            yield made
        else:
            yield replace(made, why_not="its type changes at the same time")

    def _fills_null(self, new: Column) -> bool:
        """Whether Django puts a default in the place of NULL before it forbids NULL."""
        field = self._field(new)
        if new.db_default:
            return True
        has_default = field.has_default() or self._own_default() is not None
        # SQLite's remake of the table also takes the empty text of blank=True.
        may = has_default or self.connection.vendor == "sqlite"
        return may and self._given(field) is not None

    def _field(self, column: Column) -> Any:
        return self.after._meta.get_field(column.name)

    def _own_default(self) -> Any:
        """The operation's own field where it alone has the default (``preserve_default=False``)."""
        own = getattr(self.operation, "field", None)
        if own is None or getattr(self.operation, "preserve_default", True):
            return None
        return own if own.has_default() else None

    def _given(self, field: Any) -> Any:
        """What Django gives to rows that are there (BaseDatabaseSchemaEditor._effective_default);
        None for nothing."""
        return self.connection.SchemaEditorClass._effective_default(self._own_default() or field)

    # Constraints

    def new_rules(self) -> Iterator[Claim]:
        """Constraints that are there after the operation and not before."""
        model = self.after
        had = {rule.name for rule in self.before._meta.constraints}
        not_valid = type(self.operation).__name__ == "AddConstraintNotValid"
        for rule in model._meta.constraints:
            if rule.name not in had and not not_valid:
                yield from self._rule(model, rule)
        before, after = (
            [tuple(fields) for fields in one._meta.unique_together] for one in (self.before, model)
        )
        for fields in after:
            if fields not in before:
                yield self._unique(model, UniqueConstraint(fields=fields, name="together"))

    def validated(self) -> Iterator[Claim]:
        """The constraint that ValidateConstraint looks at."""
        model = self.after or self.before
        for rule in model._meta.constraints:
            if rule.name == getattr(self.operation, "name", ""):
                yield from self._rule(model, rule)

    def _rule(self, model: Any, rule: Any) -> Iterator[Claim]:
        known = next((one for one in self.facts.rules if one.name == rule.name), None)
        if known is not None and not known.enforced:
            return
        if isinstance(rule, CheckConstraint):
            compiled = compile_on(self.connection, model, rule.condition)
            yield keeps(self.table, rule.name, compiled.sql, columns=compiled.columns, key=self.key)
        elif isinstance(rule, UniqueConstraint):
            yield self._unique(model, rule)
        else:
            words = f"{self.table} keeps {rule.name}"
            yield unasked(self.table, words, f"{type(rule).__name__} is none that is asked about")

    def _unique(self, model: Any, rule: UniqueConstraint) -> Claim:
        fields = [model._meta.get_field(name) for name in rule.fields]
        parts = [Compiled(self.quote(f.column), (f.column,)) for f in fields]
        parts += [compile_on(self.connection, model, bare(one)) for one in rule.expressions]
        condition = Compiled("", ())
        if rule.condition:
            condition = compile_on(self.connection, model, rule.condition)
        named = ", ".join(f.column for f in fields) or rule.name
        return unique(
            self.table,
            named,
            columns=tuple(dict.fromkeys(c for one in (*parts, condition) for c in one.columns)),
            shared=tuple(one.sql for one in parts),
            condition=condition.sql,
            nulls_differ=rule.nulls_distinct is not False,
            key=self.key,
        )


_READERS: dict[Deed, Callable[[_Reader], Iterator[Claim]]] = {
    Deed.ADD_COLUMN: _Reader.added,
    Deed.ALTER_COLUMN: _Reader.altered,
    Deed.ADD_RULE: _Reader.new_rules,
    Deed.VALIDATE_RULE: _Reader.validated,
}


def _parent(field: Any) -> Parent:
    remote = field.target_field
    return Parent(table=remote.model._meta.db_table, column=remote.column)


def _counts(column: Column) -> bool:
    return column.kind in ("AutoField", "BigAutoField", "SmallAutoField")
