"""What the rules about risk read: one operation, the tables it touches and the database, as values.

``bot.database.facts`` makes them while a plan is made; what its statements do to tables are
``effects``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from bot.route.data_checks import Checked
from bot.route.plan import Direction
from bot.route.rehearsal import RehearsedStep
from bot.route.risks.claims import Claim
from bot.route.risks.effects import Effect
from bot.route.risks.known import Known
from bot.route.risks.reading import Action, Verb, actions


class Deed(StrEnum):
    """What an operation does to the database in the direction of the plan: undoing AddField drops
    a column."""

    NOTHING = "nothing"
    """Django's state alone: options, managers."""
    CREATE_TABLE = "create table"
    DROP_TABLE = "drop table"
    RENAME_TABLE = "rename table"
    ADD_COLUMN = "add column"
    DROP_COLUMN = "drop column"
    RENAME_COLUMN = "rename column"
    ALTER_COLUMN = "alter column"
    ADD_RULE = "add constraint"
    DROP_RULE = "drop constraint"
    VALIDATE_RULE = "validate constraint"
    ADD_INDEX = "add index"
    DROP_INDEX = "drop index"
    RENAME_INDEX = "rename index"
    COMMENT = "comment"
    INSTALL = "install"
    """Extensions and collations: no table is touched."""
    PYTHON = "python"
    SQL = "sql"
    UNKNOWN = "unknown"
    """Nobody here knows what it does; ``note`` says why."""


class Default(StrEnum):
    """What a field says about its default in Python."""

    NONE = "none"
    CONSTANT = "constant"
    PYTHON = "python"
    """A callable, or a time of now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field at one moment. ``kind`` is Django's internal type (``CharField``), ``type`` what the
    database calls it, in lower case (``varchar(50)``); ``column`` and ``type`` are empty where
    there is no column (many to many)."""

    name: str
    column: str = ""
    kind: str = ""
    type: str = ""
    null: bool = False
    default: Default = Default.NONE
    db_default: bool = False
    fills_rows: bool = True
    """Whether Django has a value for rows that are there already when the column is added."""
    unique: bool = False
    primary_key: bool = False
    index: bool = False
    in_index: bool = False
    """Whether any index or unique constraint reads it, its own or one of its model's."""
    check: bool = False
    """Whether the type brings a check of its own (PositiveIntegerField)."""
    references: str = ""
    """The table a foreign key points to, where the database enforces it."""
    through: str = ""
    """The table that a many to many field brings along."""
    generated: bool = False


class RuleKind(StrEnum):
    """Kinds of constraints and indexes."""

    INDEX = "index"
    UNIQUE = "unique"
    CHECK = "check"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRule:
    """A constraint or an index. ``enforced`` is False where the database silently makes nothing."""

    name: str
    kind: RuleKind
    fields: tuple[str, ...] = ()
    condition: bool = False
    enforced: bool = True
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)  # Without slots: what is read of its SQL is kept.
class OperationFacts:
    """One operation as far as the database is concerned. ``place`` counts the operations of the
    step from 0 in the order in which they run; ``kind`` is the class name of Django's operation."""

    place: int
    kind: str
    deed: Deed
    app: str
    model: str = ""
    table: str = ""
    """The table before the operation; of a table that is made, the new one."""
    table_after: str = ""
    before: Column | None = None
    after: Column | None = None
    rules: tuple[TableRule, ...] = ()
    parents: tuple[str, ...] = ()
    """Tables that foreign keys of a table which is made or dropped point to."""
    statements: tuple[str, ...] = ()
    deferred: tuple[str, ...] = ()
    """Statements that are kept back until the end of the migration."""
    concurrently: bool = False
    note: str = ""
    claims: tuple[Claim, ...] = ()
    """What it demands of the rows that are there."""

    @cached_property
    def all_statements(self) -> tuple[str, ...]:
        return (*self.statements, *self.deferred)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """What all its statements do, in order."""
        return tuple(action for sql in self.all_statements for action in actions(sql))

    @cached_property
    def verbs(self) -> frozenset[Verb]:
        """Of its actions: most places look for few, and most operations have none of them."""
        return frozenset(action.verb for action in self.actions)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """One migration in one direction; ``operations`` in the order in which they run, those inside
    SeparateDatabaseAndState one by one."""

    app: str
    name: str
    direction: Direction
    atomic: bool
    """Whether all of it is one transaction on this database."""
    reversible: bool = True
    irreversible_because: str = ""
    operations: tuple[OperationFacts, ...] = ()
    says_atomic: bool = True
    """What the migration itself says, whatever the database can."""

    @property
    def key(self) -> str:
        return f"{self.app}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How big a table is as the catalogue knows it. ``rows`` is None where it was never analysed
    or cannot be known, ``bytes`` (with its indexes) None where only rows are known."""

    rows: int | None = None
    bytes: int | None = None
    analysed: bool = True
    at_most: bool = False
    """Whether ``rows`` is an upper limit and no estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How long one kind of work took in so many recorded runs of this installation: the least and
    the most, in seconds a row."""

    lowest: float
    highest: float
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The database at the moment of the plan. ``lock_timeout`` in seconds; 0 means none at all."""

    vendor: str
    version: tuple[int, ...] = ()
    is_mariadb: bool = False
    lock_timeout: float = 0.0
    name_limit: int | None = None
    """Bytes of a constraint's or index's name; None where there is no limit."""
    sizes: Mapping[str, Size] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    """Names of indexes and constraints that the plan wants and that are taken now."""
    checked_not_null: frozenset[tuple[str, str]] = frozenset()
    """Tables and columns that a valid CHECK (… IS NOT NULL) covers."""
    refuses_null: frozenset[tuple[str, str]] = frozenset()
    """Tables and columns of which a CHECK refuses NULL in new rows, valid for old ones or not."""
    in_checks: frozenset[tuple[str, str]] = frozenset()
    """Tables and columns that any CHECK reads."""
    known: Known = field(default_factory=Known)
    rates: Mapping[str, Rate] = field(default_factory=dict)
    """By the kind of ``Work``: what was recorded on databases of this vendor."""
    data: tuple[Checked, ...] = ()
    """What today's data was asked, and what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One operation in its place in the plan: all that a rule is given."""

    step: StepFacts
    facts: OperationFacts
    effects: tuple[Effect, ...]
    """On tables that were there before the plan; ``fresh`` ones are left out."""
    situation: Situation
    fresh: frozenset[str] = frozenset()
    """Tables that the plan has made so far, this operation's own among them: nobody uses them."""
    filled: Mapping[str, str] = field(default_factory=dict)
    """Those of them that an earlier operation may have filled, and why; the others are empty."""
    own_work: tuple[Effect, ...] = ()
    """Work over tables that are ``filled``: it counts where others wait for something else."""
    held: tuple[Effect, ...] = ()
    """What earlier operations of the same transaction did to tables that were there before."""
    was: Mapping[str, str] = field(default_factory=dict)
    """Tables that the plan has renamed: the name now, and the one in the catalogue."""
    new_columns: frozenset[tuple[str, str]] = frozenset()
    """Tables and columns that earlier operations of the plan have added: nobody uses them yet."""
    taken: frozenset[str] = frozenset()
    """Names of indexes and constraints that are in use when the operation runs."""
    there: frozenset[str] = frozenset()
    """Tables that are known to be there when the operation runs, where the plan makes any."""
    views: frozenset[str] = frozenset()
    """Views of all columns that the same transaction makes."""
    rehearsed: RehearsedStep | None = None
    """The whole step as it was rehearsed, where it was."""
    answers: tuple[Checked, ...] = ()
    """What today's data said about the operation."""

    @property
    def is_fresh(self) -> bool:
        """Whether the operation's own table is one that the same plan makes."""
        return bool(self.facts.table) and self.facts.table in self.fresh

    @property
    def is_empty(self) -> bool:
        """Whether it is one that the same plan makes, and nothing can have filled it so far."""
        return self.is_fresh and not self.may_have_rows(self.facts.table)

    def may_have_rows(self, table: str) -> bool:
        """Whether a table was there before the plan, or may have been filled since it was made."""
        return table not in self.fresh or table in self.filled

    def size(self, table: str) -> Size | None:
        """What is known of a table's size; None: nothing."""
        if table in self.filled:
            return None  # The catalogue's may be of one that had the name before.
        return self.situation.sizes.get(self.was.get(table, table))


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCase:
    """A whole step for rules that look at more than one operation."""

    step: StepFacts
    cases: tuple[Case, ...]
    situation: Situation
    rehearsed: RehearsedStep | None = None
