"""Rules about risk, one a file. Each has ``CODE``, a stored name that is never renamed, a docstring
that is its paragraph of docs/risks.md, and ``look(case)`` or ``look_at_step(step)``. ``ABOUT`` may
name the deeds, verbs, kinds of work and matters without which it has nothing to say; it is asked
of no other step.
"""
