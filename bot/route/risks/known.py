"""What a database's catalogue said of the things that a plan's own SQL names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

At = tuple[str, str]
"""A table and one of its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Empty where nothing was asked: what is not here is not known."""

    default_partitions: Mapping[str, str] = field(default_factory=dict)
    """By partitioned table its default partition, or nothing."""
    checked_domains: frozenset[str] = frozenset()
    domain_tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By domain the tables that have a column of it."""
    steady_functions: frozenset[str] = frozenset()
    """Functions that are immutable or stable, whoever made them."""
    types: Mapping[At, str] = field(default_factory=dict)
    indexed: frozenset[At] = frozenset()
    no_null: frozenset[At] = frozenset()
    index_tables: Mapping[str, str] = field(default_factory=dict)
    """By index its table."""
    takes_along: Mapping[str, tuple[At, ...]] = field(default_factory=dict)
    """What goes with a type, an extension or a schema when it is dropped with CASCADE; a table has
    no column."""
    utc: bool = False
    """Whether the session's time zone is UTC, in which timestamps with and without it are alike."""

    def without_column(self, table: str, column: str = "") -> Known:
        """Once the plan has changed a column, or all of a table, nothing is known of it."""
        if not any(at[0] == table for at in self.types):
            return self

        def stays(at: At) -> bool:
            return at[0] != table or bool(column and at[1] != column)

        return replace(
            self,
            types={at: kind for at, kind in self.types.items() if stays(at)},
            indexed=frozenset(filter(stays, self.indexed)),
            no_null=frozenset(filter(stays, self.no_null)),
        )
