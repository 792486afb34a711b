"""Small migrations of a shop on PostgreSQL with the truth about each, to hold every judge against.

``case``       what a case is, and its labels
``cases``      the cases, by what they touch
``heldout``    more cases, which taught nothing when they were first asked
``shop``       the tables that are there before, their rows, and what the running release writes
``ground``     a database a case, large as the catalogue knows it
``measuring``  what really happens: locks, work, rows kept or lost, the running release, going back
``claims``     what the findings of each judge claim, in one table

The labels come from the documentation that a case names, and ``test_labelled`` measures them: they
are the truth, not what our rules say. No code or text is taken from the tools that are held against
them.
"""
