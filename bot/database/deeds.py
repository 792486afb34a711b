"""What each of Django's operations does to the database, forward and backward."""

from __future__ import annotations

from functools import cache
from typing import Any

from bot.route.risks.facts import Deed

DEEDS: dict[str, tuple[Deed, Deed]] = {
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
"""By the class name: the deed forward, and backward."""


def kind_of(operation: Any) -> str:
    """The name of the class of Django's own that an operation is one of; empty when of none."""
    kind: Any = type(operation)
    return _kind_of(kind)


@cache
def _kind_of(kind: Any) -> str:
    for one in kind.__mro__:
        if one.__module__.split(".")[0] == "django" and one.__name__ in DEEDS:
            return str(one.__name__)
    return ""
