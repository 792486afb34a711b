"""All cases, a file for what they touch."""

from tests.labelled.cases import backwards, columns, rules, statements, tables, together, types

CASES = (
    *columns.CASES,
    *types.CASES,
    *rules.CASES,
    *tables.CASES,
    *statements.CASES,
    *together.CASES,
    *backwards.CASES,
)
