"""Made-up values for the fields of a model, as the running release might write them."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import models


class Variety(StrEnum):
    """What sort of row is made up."""

    FULL = "full"
    """The longest and largest that a field takes, and a value where NULL could be."""
    SPARE = "spare"
    """NULL wherever it may be."""
    PLAIN = "plain"
    """Short and small, and no NULL."""
    DEFAULT = "default"
    """The field's own default where it has one, else as PLAIN."""


class NoValue(Exception):
    """Nobody here knows a value for this field; the text is its name and kind."""


_LONG = 300
"""Characters of a text without a limit: more than a varchar(255) takes."""
_BEYOND = {
    "BigIntegerField": 2**40,
    "PositiveBigIntegerField": 2**40,
    "IntegerField": 2**17,
    "PositiveIntegerField": 2**17,
    "SmallIntegerField": 2**8,
    "PositiveSmallIntegerField": 2**8,
    "BigAutoField": 2**40,
    "AutoField": 2**17,
    "SmallAutoField": 2**8,
}
"""Numbers that the next smaller type does not take (a small one goes beyond nothing)."""
_START = datetime.datetime(2020, 1, 2, 3, 4, 5, 678900)  # noqa: DTZ001 given one below


def value_for(field: Any, number: int, variety: Variety) -> Any:
    """A value that no other ``number`` gives where the field's domain lets it. No relation, no key
    that the database makes. Raises NoValue."""
    if variety is Variety.SPARE and field.null:
        return None
    if variety is Variety.DEFAULT and field.has_default() and not field.unique:
        return field.get_default()
    if choices := _choices(field):
        return choices[number % len(choices)]
    make = _MAKERS.get(field.get_internal_type()) or _by_class(field)
    if make is not None:
        return make(field, number, variety)
    if field.has_default():
        return field.get_default()
    if field.null:
        return None
    raise NoValue(f"{field.name} ({type(field).__name__})")


def _choices(field: Any) -> list[Any]:
    return [value for value, _ in field.flatchoices if value not in (None, "")]


def _by_class(field: Any) -> _Make | None:
    """A field of somebody's own is made as the one of Django's that it is made from."""
    for kind in type(field).__mro__:
        if kind.__module__.startswith("django.") and kind.__name__ in _MAKERS:
            return _MAKERS[kind.__name__]
    return None


_Make = Callable[[Any, int, Variety], Any]


def _text(field: Any, number: int, variety: Variety) -> str:
    limit: int | None = field.max_length
    word = f"x{number}"
    if variety is Variety.FULL:
        return (word + "-" + "x" * (limit or _LONG))[: limit or _LONG]
    return word[-limit:] if limit else word


def _email(field: Any, number: int, variety: Variety) -> str:
    text = f"x{number}@example.com"
    if variety is Variety.FULL and field.max_length:
        return text.rjust(field.max_length, "x")
    return text


def _integer(field: Any, number: int, variety: Variety) -> int:
    least = _BEYOND.get(field.get_internal_type(), 0) if variety is Variety.FULL else 0
    return least + number % 30_000  # So that it fits into two bytes.


def _decimal(field: Any, number: int, variety: Variety) -> decimal.Decimal:
    places = field.decimal_places or 0
    whole = (field.max_digits or 10) - places
    if variety is Variety.FULL:
        value = decimal.Decimal(10) ** whole - 1 - decimal.Decimal(number) / 10**places
        return value if value > 0 else decimal.Decimal(0)
    return decimal.Decimal(number % 10**whole if whole else 0)


def _moment(field: Any, number: int, variety: Variety) -> datetime.datetime:
    moment = _START + datetime.timedelta(days=number)
    return moment.replace(tzinfo=datetime.UTC) if settings.USE_TZ else moment


def _array(field: Any, number: int, variety: Variety) -> list[Any]:
    return [value_for(field.base_field, number, variety)]


def _range(field: Any, number: int, variety: Variety) -> Any:
    ends = (value_for(field.base_field, one, variety) for one in (number, number + 1))
    return tuple(sorted(ends))  # The largest decimals fall as the number rises.


def _json(field: Any, number: int, variety: Variety) -> dict[str, int]:
    return {"made up": number}


_MAKERS: dict[str, _Make] = {
    **dict.fromkeys(_BEYOND, _integer),
    "CharField": _text,
    "TextField": _text,
    "SlugField": _text,
    "FileField": _text,
    "ImageField": _text,
    "FilePathField": _text,
    "URLField": _text,
    "EmailField": _email,
    "BooleanField": lambda field, number, variety: bool(number % 2),
    "DecimalField": _decimal,
    "FloatField": lambda field, number, variety: number + 0.75,
    "DateField": lambda field, number, variety: _moment(field, number, variety).date(),
    "DateTimeField": _moment,
    "TimeField": lambda field, number, variety: (
        _START + datetime.timedelta(seconds=number)
    ).time(),
    "DurationField": lambda field, number, variety: datetime.timedelta(seconds=number),
    "UUIDField": lambda field, number, variety: uuid.UUID(int=number),
    "JSONField": _json,
    "BinaryField": lambda field, number, variety: b"x%d" % number,
    "GenericIPAddressField": lambda field, number, variety: (
        f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    ),
    "IPAddressField": lambda field, number, variety: f"10.0.{number >> 8 & 255}.{number & 255}",
    "ArrayField": _array,
    "HStoreField": lambda field, number, variety: {"made up": str(number)},
    "IntegerRangeField": _range,
    "BigIntegerRangeField": _range,
    "DecimalRangeField": _range,
    "DateRangeField": _range,
    "DateTimeRangeField": _range,
    "SearchVectorField": lambda field, number, variety: None,
}


def fields_to_fill(model: type[models.Model]) -> list[Any]:
    """The fields that the running release writes: all columns but keys that the database makes,
    links to parents and what is generated."""
    return [
        field
        for field in model._meta.concrete_fields
        if not (
            field.generated
            or isinstance(field, models.AutoField)
            or field.get_internal_type() in ("AutoField", "BigAutoField", "SmallAutoField")
            or getattr(field.remote_field, "parent_link", False)
        )
    ]
