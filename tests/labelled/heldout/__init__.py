"""Cases that were written before anybody looked at a rule for them, to test what the others taught.

Their labels were settled first, from the pages that they name, and committed before any judge was
asked. docs/benchmarks.md tells what the judges said at first, and what was changed since.
"""

from tests.labelled.heldout import columns, models, objects, plans, rules, statements, types

HELD_OUT = (
    *columns.CASES,
    *types.CASES,
    *models.CASES,
    *rules.CASES,
    *objects.CASES,
    *statements.CASES,
    *plans.CASES,
)
