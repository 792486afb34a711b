"""One call of Django's own code by a preview: which code it is, and what the call leaves behind."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from bot.database.catalogue import Catalogue
from bot.route.plan import Statement


def way_of(operation: Any, backwards: bool) -> Callable[..., None]:
    """Django's code of one direction, of a copy: RenameModel swaps its names while it goes
    backwards."""
    once = copy.copy(operation)
    run: Callable[..., None] = once.database_backwards if backwards else once.database_forwards
    return run


class Attempt:
    """What an attempt left in the editor and in the catalogue, to keep or to take back."""

    def __init__(self, editor: Any, catalogue: Catalogue) -> None:
        self._editor = editor
        self._catalogue = catalogue
        self._deferred = list(editor.deferred_sql)
        self._mark = catalogue.mark()
        editor.statements = []

    @property
    def kept_back(self) -> bool:
        """Whether there is a statement that is kept back until the end of the step."""
        return len(self._editor.deferred_sql) > len(self._deferred)

    def statements(self) -> list[Statement]:
        return list(self._editor.statements)

    def take_back(self) -> None:
        self._editor.deferred_sql = self._deferred
        self._editor.statements = []
        self._catalogue.back_to(self._mark)
