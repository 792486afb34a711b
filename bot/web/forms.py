"""What was sent with a POST: fields of a form or of a JSON object, as text that can be kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone

from bot.conf import get_settings
from bot.operations.requesting import check_reason
from bot.route.refusals import InputNotUnderstood
from bot.route.times import parse_at


class Fields(Mapping[str, str]):
    """The fields that were sent, each a text; a missing one is the empty text."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> str:
        return self._values.get(name, "")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def fields_of(request: HttpRequest) -> Fields:
    """Read the body; raises InputNotUnderstood for what is no form, no JSON object, or no text."""
    if request.content_type == "application/json":
        values = _json_object(request.body)
    else:
        values = {name: str(request.POST[name]) for name in request.POST}
    for name, value in values.items():
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise InputNotUnderstood(
                because=f'the field "{name[:40]}" holds a character that no text has'
            )
    return Fields({name: value.strip() for name, value in values.items()})


def _json_object(body: bytes) -> dict[str, str]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise InputNotUnderstood(because="the body is not JSON") from None
    if not isinstance(found, dict):
        raise InputNotUnderstood(because="the JSON body is not an object")
    values = {}
    for name, value in found.items():
        if not isinstance(value, str | int | None) or isinstance(value, bool):
            raise InputNotUnderstood(because=f'the field "{name[:40]}" is not a text')
        values[name] = "" if value is None else str(value)
    return values


def chosen_database(fields: Fields) -> str:
    """The alias that was named, or the only possible one. Operations judge it."""
    allowed = get_settings().target_databases
    return fields["database"] or (allowed[0] if len(allowed) == 1 else "")


def chosen_target(fields: Fields) -> str:
    """``target`` as people write it, or ``app`` and ``migration`` as programs do."""
    if not fields["app"] and fields["migration"]:
        raise InputNotUnderstood(because="a migration was named without its app")
    return fields["target"] or f"{fields['app']} {fields['migration']}".strip()


def chosen_time(fields: Fields, now: datetime) -> datetime | None:
    """``at`` as a moment, read in the site's time zone; None when it was left empty."""
    if not fields["at"]:
        return None
    return parse_at(fields["at"], now, timezone.get_default_timezone())


def is_ticked(fields: Fields, name: str) -> bool:
    """Whether a box was ticked; anything but a yes is a no."""
    return fields[name].lower() in ("yes", "true", "on", "1")


def optional_reason(fields: Fields) -> str:
    """A reason that may be left out, but not be endless."""
    return check_reason(fields["reason"]) if fields["reason"] else ""
