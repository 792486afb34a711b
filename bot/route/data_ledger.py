"""Which demands of a plan can be put to today's data, under which names, and which cannot.

Goes over the plan in order and keeps book of what it makes, renames and writes. A row that the plan
itself writes first is not today's any more: then nothing is asked, and the check says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from bot.route import data_sql
from bot.route.data_checks import DataCheck
from bot.route.data_in_sql import claims_of_sql
from bot.route.data_sql import Today
from bot.route.risks import types
from bot.route.risks.claims import Claim
from bot.route.risks.facts import Column, Deed, Default, OperationFacts, StepFacts
from bot.route.risks.reading import Action, Verb
from bot.route.risks.vendors.sqlite import NEW

WRITES = (Verb.UPDATE, Verb.DELETE, Verb.INSERT, Verb.TRUNCATE)


def checks_of(
    steps: Sequence[StepFacts], *, vendor: str, limit: int, examples: int = 0
) -> list[DataCheck]:
    """The checks of a plan, in its order; ``limit`` rows are counted, ``examples`` keys named."""
    ledger = _Ledger(vendor=vendor, limit=limit, examples=examples)
    return [check for step in steps for check in ledger.step(step)]


@dataclass
class _Ledger:
    """What has become of tables and columns so far."""

    vendor: str
    limit: int
    examples: int
    fresh: dict[str, str] = field(default_factory=dict)
    """Tables that the plan has made; why they may have rows, empty while they have none."""
    was: dict[str, str] = field(default_factory=dict)
    """Tables by the name they have in the plan, and today's name."""
    columns: dict[tuple[str, str], str] = field(default_factory=dict)
    """Columns by the name they have in the plan, and today's; empty for one that the plan makes."""
    empty: set[tuple[str, str]] = field(default_factory=set)
    """Columns that the plan makes and in which every row has NULL."""
    written: dict[str, str] = field(default_factory=dict)
    """Tables that the plan has written to, and how."""
    changed: dict[tuple[str, str], str] = field(default_factory=dict)
    """Columns whose values the plan has changed, and how."""
    anything: str = ""
    """Why any row may be another by now; empty while that is not so."""

    def step(self, step: StepFacts) -> Iterator[DataCheck]:
        for facts in step.operations:
            for claim in (*facts.claims, *claims_of_sql(facts, self.vendor)):
                check = self._check(step, facts, claim)
                if check is not None:
                    yield check
            self._follow(step, facts)

    # Asking

    def _check(self, step: StepFacts, facts: OperationFacts, claim: Claim) -> DataCheck | None:
        if not facts.all_statements:
            return None  # The database is not touched: unmanaged, or another database's.
        if claim.table in self.fresh and not self.fresh[claim.table]:
            return None
        claim = self._of_an_empty_column(claim)
        if any(self.columns.get((claim.table, name)) == "" for name in claim.key):
            claim = replace(claim, key=())  # There are no such keys today, to be shown.
        made = DataCheck(
            code=claim.code,
            step=step.key,
            operation=facts.place,
            table=self.was.get(claim.table, claim.table),
            words=claim.words,
            about=claim.about,
            one=claim.one,
            many=claim.many,
            then=claim.then,
            instead=claim.instead,
            allowed=claim.allowed or 0,
            limit=self.limit,
        )
        if why_not := self._why_not(claim):
            return replace(made, why_not=why_not)
        today = self._today(claim)
        limits = {"vendor": self.vendor}
        return replace(
            made,
            sql=data_sql.counting(claim, today, limit=self.limit, **limits),
            examples_sql=data_sql.finding_keys(claim, today, limit=self.examples, **limits),
        )

    def _of_an_empty_column(self, claim: Claim) -> Claim:
        """NOT NULL on a column that the plan has just made without values fails with any row."""
        if not (claim.no_null and (claim.table, claim.columns[0]) in self.empty):
            return claim
        if self.anything or claim.table in self.written:
            return claim
        column = claim.columns[0]
        return replace(
            claim,
            words=f"{claim.table} has no rows, which {column} would be NULL in",
            one=f"row of {claim.table} has NULL in {column} by then",
            many=f"rows of {claim.table} have NULL in {column} by then",
            columns=(),
            bad="",
            allowed=0,
        )

    def _why_not(self, claim: Claim) -> str:
        """Why today's data cannot tell; empty where it can."""
        if claim.why_not:
            return claim.why_not
        tables = [claim.table] + ([claim.parent.table] if claim.parent else [])
        for table in tables:
            if self.fresh.get(table):
                return self.fresh[table]
        if self.anything:
            return self.anything
        for table in tables:
            if table in self.written:
                return self.written[table]
        read = [(claim.table, name) for name in claim.columns]
        if claim.parent is not None and claim.parent.table not in self.fresh:
            read.append((claim.parent.table, claim.parent.column))
        for table, name in read:
            if self.columns.get((table, name)) == "":
                return f"{table}.{name} is a column that the plan makes"
            if (table, name) in self.changed:
                return self.changed[table, name]
        return ""

    def _today(self, claim: Claim) -> Today:
        names = {
            name: self.columns[claim.table, name]
            for name in (*claim.columns, *claim.key)
            if (claim.table, name) in self.columns
        }
        parent = claim.parent
        made = parent is None or parent.table in self.fresh
        return Today(
            table=self.was.get(claim.table, claim.table),
            columns=names,
            parent=None if made or parent is None else self.was.get(parent.table, parent.table),
            parent_column=self.columns.get((parent.table, parent.column), parent.column)
            if parent
            else "",
        )

    # Keeping book

    def _follow(self, step: StepFacts, facts: OperationFacts) -> None:
        if facts.deed is Deed.PYTHON:
            self._anything(f"{step.key} runs Python before it, which may change these rows")
        elif facts.deed is Deed.UNKNOWN:
            self._anything(f"nobody could look into what {step.key} does before it")
        elif facts.all_statements:
            if facts.deed is Deed.SQL:
                self._follow_sql(step, facts.actions)
            else:
                self._follow_django(step, facts)

    def _anything(self, why: str) -> None:
        self.anything = self.anything or why
        for table in self.fresh:
            self._fill(table, why)

    def _fill(self, table: str, why: str) -> None:
        if table in self.fresh:
            self.fresh[table] = self.fresh[table] or f"the plan makes {table}, and {why}"
        else:
            self.written.setdefault(table, why)

    def _follow_sql(self, step: StepFacts, read: Sequence[Action]) -> None:
        for action in read:
            if action.verb in (Verb.UNKNOWN, Verb.ATTACH):  # A partition brings rows along.
                self._anything(f"{step.key} runs SQL before it that could not be read")
            elif action.verb in WRITES:
                self._fill(action.table, f"SQL of {step.key} writes to {action.table} before it")
            elif action.verb in (Verb.ALTER_TYPE, Verb.MODIFY):
                self._change(action.table, action.name, f"{step.key} changes its type before it")
            elif action.verb is Verb.ADD_COLUMN:
                self.columns[action.table, action.name] = ""
                if action.rest and " default " not in f" {action.rest} ":
                    self.empty.add((action.table, action.name))
            elif action.verb is Verb.RENAME_COLUMN:
                self._rename_column(action.table, action.name, action.to)
            else:
                self._follow_tables(step, action)

    def _follow_tables(self, step: StepFacts, action: Action) -> None:
        if action.table.startswith(NEW):  # SQLite's copy of a table that it remakes.
            return
        if action.verb is Verb.CREATE_TABLE:
            self._forget(action.table)
            self.fresh[action.table] = ""
            if action.to:
                self._fill(action.table, f"{step.key} fills it")
        elif action.verb is Verb.DROP_TABLE:
            self._forget(action.table)
        elif action.verb is Verb.RENAME_TABLE:
            self._rename_table(action.table, action.to)

    def _follow_django(self, step: StepFacts, facts: OperationFacts) -> None:
        before, after = facts.before, facts.after
        if facts.deed in (Deed.CREATE_TABLE, Deed.DROP_TABLE, Deed.RENAME_TABLE):
            for action in facts.actions:
                if action.verb is Verb.RENAME_COLUMN and not action.table.startswith(NEW):
                    self._rename_column(action.table, action.name, action.to)
                else:
                    self._follow_tables(step, action)
        elif facts.deed is Deed.ADD_COLUMN and after is not None and after.column:
            place = (facts.table, after.column)
            self.columns[place] = ""
            self.empty.discard(place)
            if _starts_empty(after):
                self.empty.add(place)
        elif facts.deed is Deed.DROP_COLUMN and before is not None:
            self.columns[facts.table, before.column] = ""
        elif before is not None and after is not None and before.column and after.column:
            self._alter(step, facts, before, after)

    def _alter(self, step: StepFacts, facts: OperationFacts, before: Column, after: Column) -> None:
        table = facts.table
        if not types.is_same(before.type, after.type):
            self._change(table, before.column, f"{step.key} changes its type before it")
        if before.null and not after.null:
            self.empty.discard((table, before.column))
            if not any(claim.no_null for claim in facts.claims):
                self._change(table, before.column, f"{step.key} puts values in the place of NULL")
        if before.column != after.column:
            self._rename_column(table, before.column, after.column)

    def _change(self, table: str, column: str, why: str) -> None:
        self.changed.setdefault((table, column), why)

    def _forget(self, table: str) -> None:
        self.fresh.pop(table, None)
        self.was.pop(table, None)
        self.written.pop(table, None)
        for kept in (self.columns, self.changed):
            for place in [place for place in kept if place[0] == table]:
                del kept[place]
        self.empty = {place for place in self.empty if place[0] != table}

    def _rename_table(self, table: str, to: str) -> None:
        if not to or to == table or to.startswith(NEW):
            return
        if table in self.fresh:
            self.fresh[to] = self.fresh.pop(table)
        else:
            self.was[to] = self.was.pop(table, table)
        if table in self.written:
            self.written[to] = self.written.pop(table)
        for kept in (self.columns, self.changed):
            for place in [place for place in kept if place[0] == table]:
                kept[to, place[1]] = kept.pop(place)
        self.empty = {(to if one == table else one, name) for one, name in self.empty}

    def _rename_column(self, table: str, column: str, to: str) -> None:
        if not to or column == to:
            return
        self.columns[table, to] = self.columns.pop((table, column), column)
        if (table, column) in self.changed:
            self.changed[table, to] = self.changed.pop((table, column))
        if (table, column) in self.empty:
            self.empty.remove((table, column))
            self.empty.add((table, to))


def _starts_empty(column: Column) -> bool:
    """Whether every row has NULL in a column that is added like that."""
    given = column.db_default or column.generated or column.default is not Default.NONE
    return column.null and not given
