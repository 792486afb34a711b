"""A moment as a column that means the same in every project and on every database."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models

from bot.route.plan_json import isoformat, parse_time

_Set = TypeVar("_Set")
_Get = TypeVar("_Get")

if TYPE_CHECKING:
    # To a type checker it is what it takes and gives: a moment.
    class InstantField(models.DateTimeField[_Set, _Get]): ...

    class WrittenInstantField(models.DateTimeField[_Set, _Get]): ...

else:

    class InstantField(models.CharField):
        """An aware datetime kept as ISO 8601 text in UTC with microseconds (27 characters).

        Text, because a host project may have USE_TZ off, or a database time zone of its own, and
        the audit's hashes need the exact same moment back. The text sorts and compares by time.
        """

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["max_length"] = 27
            super().__init__(*args, **kwargs)

        def deconstruct(self) -> Any:
            name, path, args, kwargs = super().deconstruct()
            del kwargs["max_length"]
            return name, path, args, kwargs

        def from_db_value(self, value: Any, expression: Any, connection: Any) -> datetime | None:
            return parse_time(value) if value else None

        def to_python(self, value: Any) -> datetime | None:
            if value is None or isinstance(value, datetime):
                return value
            return parse_time(str(value)) if value else None

        def get_prep_value(self, value: Any) -> str | None:
            if value is None:
                return None
            if isinstance(value, datetime):
                if value.tzinfo is None:
                    raise ValueError("a moment needs its time zone")
                return isoformat(value)
            return str(value)

        def value_to_string(self, obj: models.Model) -> str:
            return self.get_prep_value(self.value_from_object(obj)) or ""

    class WrittenInstantField(InstantField):
        """A moment that somebody may have tampered with: what is none comes back as it stands.

        One such row must not keep all the others from being read.
        """

        def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
            try:
                at = parse_time(value)
            except (AttributeError, OverflowError, TypeError, ValueError):
                return value
            return at if isoformat(at) == value else value
