"""What every refusal is, and what kinds of it there are."""

from __future__ import annotations

import inspect
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What sort of no it is; each face has one way to say each kind (a status, an exit code)."""

    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


class Refused(Exception):
    """That is refused."""

    code: ClassVar[str] = "refused"
    kind: ClassVar[Kind] = Kind.FORBIDDEN
    slip: ClassVar[bool] = False
    """Whether somebody only slipped, whatever ``is_denial`` says of the others of its kind."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.sentence)

    @property
    def is_denial(self) -> bool:
        """Whether somebody was kept from something: it is audited, and told to the team. A slip of
        the pen (what is not there, not understood, or there already) and an outage are not."""
        return self.kind in (Kind.FORBIDDEN, Kind.CONFLICT) and not self.slip

    @property
    def sentence(self) -> str:
        """The docstring with its facts filled in, on one line."""
        text = " ".join(inspect.cleandoc(type(self).__doc__ or "").split())
        return text.format(**self.facts)


class ToldElsewhere(Refused):
    """{sentence}"""

    def __init__(self, *, code: str, sentence: str) -> None:
        """A refusal that another process raised, and of which its code and sentence came here."""
        super().__init__(sentence=sentence)
        self.code = code  # type: ignore[misc]
