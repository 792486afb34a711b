"""Reading a call's arguments, encoded in any way that Slack's own clients send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest


class ApiError(Exception):
    """A call that is answered ``ok: false``. ``name`` is Slack's own; ``more`` goes beside it."""

    def __init__(self, name: str, **more: Any) -> None:
        self.name = name
        self.more = more
        super().__init__(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of one call; complex ones may be JSON inside a form's text."""

    given: Mapping[str, Any]
    now: datetime
    scopes: frozenset[str]
    host: str = ""
    """Where the sandbox was reached: ``127.0.0.1:8000``."""
    prefix: str = ""
    """The path of the sandbox itself, with its last slash: ``/sandbox/``."""
    warnings: list[str] = field(default_factory=list)

    def text(self, name: str, *, missing: str = "") -> str:
        """A text; ``missing`` names the error when it is not there."""
        value = self.given.get(name)
        if value is None or value == "":
            if missing:
                raise ApiError(missing)
            return ""
        return value if isinstance(value, str) else str(value)

    def flag(self, name: str) -> bool:
        """A boolean, which a form spells ``1`` or ``true``."""
        return str(self.given.get(name, "")).lower() in ("1", "true")

    def number(self, name: str, *, default: int) -> int:
        try:
            return int(self.given.get(name) or default)
        except (TypeError, ValueError):
            raise ApiError("invalid_arguments") from None

    def json(self, name: str, *, error: str) -> Any:
        """A list or an object, or the JSON text of one; None when it is not there."""
        value = self.given.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                raise ApiError(error) from None
        return value


def read(request: HttpRequest, *, takes_json: bool) -> dict[str, Any]:
    """The arguments in query, form or JSON body.

    Methods that only read take no JSON in Slack: such a body is passed over, as there.
    """
    given: dict[str, Any] = dict(request.GET.items())
    if request.content_type == "application/json":
        try:
            body = json.loads(request.body or b"{}")
        except (ValueError, RecursionError):
            raise ApiError("invalid_json") from None
        if not isinstance(body, dict):
            raise ApiError("json_not_object")
        return {**given, **body} if takes_json else given
    return {**given, **dict(request.POST.items())}
