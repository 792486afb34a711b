"""Makes every text in a page's context visible, so that no template has to remember it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from django.db.models import Model

from bot.route.visible import visible


def shown(value: Any) -> Any:
    """``value`` with hidden characters in its texts as escapes, through lists, dicts and values.
    A row comes back as a dict of its columns.

    What a person typed (``bot.web.forms.Fields``) comes back as it was: they get their own text.
    A text is never trusted to be HTML: whatever markup a page has is in its template.
    """
    if isinstance(value, str):
        return visible(value, lines=True)
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Model):
        return {f.attname: shown(getattr(value, f.attname)) for f in value._meta.concrete_fields}
    if is_dataclass(value) and not isinstance(value, type):
        changes = {f.name: shown(getattr(value, f.name)) for f in fields(value) if f.init}
        return replace(value, **changes)
    return value
