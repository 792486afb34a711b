"""What an operation is called, forwards and where it is undone."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models
from django.db.migrations.operations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    CreateModel,
    DeleteModel,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)

from bot.database.trust import in_words

TEXT = models.TextField()
COMBINED = "Custom state/database change combination"


class Loud(AddField):
    def describe(self) -> str:
        return "Shout"


class Broken(AddField):
    def describe(self) -> str:
        raise ValueError


def fill(apps: Any, editor: Any) -> None:
    """Never run here."""


def empty(apps: Any, editor: Any) -> None:
    """Never run here."""


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (CreateModel("Order", []), "Delete model Order"),
        (CreateModel("Old", [], options={"proxy": True}), "Delete proxy model Old"),
        (DeleteModel("Order"), "Create model Order"),
        (RenameModel("Order", "Sale"), "Rename model Sale to Order"),
        (AddField("order", "stock", TEXT), "Remove field stock from order"),
        (RemoveField("order", "stock"), "Add field stock to order"),
        (RenameField("order", "old", "new"), "Rename field new on order to old"),
        (AddIndex("order", models.Index(fields=["id"], name="i")), "Remove index i from order"),
        (RemoveIndex("order", "i"), "Create index i on model order"),
        (
            AddConstraint("order", models.UniqueConstraint(fields=["id"], name="c")),
            "Remove constraint c from model order",
        ),
        (RemoveConstraint("order", "c"), "Create constraint c on model order"),
        (AlterField("order", "stock", TEXT), "Undo: Alter field stock on order"),
        (Loud("order", "stock", TEXT), "Undo: Shout"),
        (Broken("order", "stock", TEXT), "Broken"),
        (RunPython(fill, empty), "Run Python: empty"),
        (RunSQL("SELECT 1", "SELECT 2"), "Run the reverse SQL"),
        (
            SeparateDatabaseAndState([AddField("order", "a", TEXT), RemoveField("order", "b")]),
            f"{COMBINED}: Add field b to order; Remove field a from order",
        ),
    ],
)
def test_an_operation_that_is_undone_is_told_as_what_undoing_does(
    operation: Any, words: str
) -> None:
    assert in_words(operation, backwards=True) == words
