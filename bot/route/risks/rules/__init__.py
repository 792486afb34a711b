"""Rules about risk, one a file. Each has ``CODE``, a stored name that is never renamed, a docstring
that is its paragraph of docs/risks.md, and ``look(case)`` or ``look_at_step(step)``.
"""
