"""``views.*``: modals and the Home view."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.sandbox import shapes
from bot.sandbox.api.arguments import ApiError, Arguments
from bot.sandbox.api.checks import require_valid_view
from bot.sandbox.models import Person, Surface, Trigger
from bot.sandbox.store import Change, changing, new_id, with_block_ids

TRIGGER_LIFE = timedelta(seconds=3)
STACK = 3
"""So many modals can lie on one another."""


def open_(given: Arguments) -> dict[str, Any]:
    view = require_valid_view(given.json("view", error="invalid_arguments"), "modal")
    with changing(now=given.now) as change:
        person = _use_trigger(given)
        row = place(change, view, person=person)
    return {"view": shapes.view(row)}


def push(given: Arguments) -> dict[str, Any]:
    view = require_valid_view(given.json("view", error="invalid_arguments"), "modal")
    with changing(now=given.now) as change:
        person = _use_trigger(given)
        top = top_modal(person)
        if top is None:
            raise ApiError("not_found")
        row = place(change, view, person=person, on=top)
    return {"view": shapes.view(row)}


def update(given: Arguments) -> dict[str, Any]:
    view = require_valid_view(given.json("view", error="invalid_arguments"), "modal")
    wanted, external = given.text("view_id"), given.text("external_id")
    rows = Surface.objects.filter(kind=Surface.MODAL)
    row = (
        rows.filter(pk=wanted).first()
        if wanted
        else next(
            (one for one in rows if external and one.view.get("external_id") == external), None
        )
    )
    if row is None:
        raise ApiError("not_found")
    with changing(now=given.now) as change:
        replace(change, row, view, expected=given.text("hash"))
    return {"view": shapes.view(row)}


def publish(given: Arguments) -> dict[str, Any]:
    view = require_valid_view(given.json("view", error="invalid_arguments"), "home")
    person = given.text("user_id", missing="invalid_arguments")
    if not Person.objects.filter(pk=person).exists():
        raise ApiError("invalid_arguments")
    with changing(now=given.now) as change:
        row = Surface.objects.filter(kind=Surface.HOME, person=person).first()
        if row is None:
            row = place(change, view, person=person)
        else:
            replace(change, row, view, expected=given.text("hash"))
    return {"view": shapes.view(row)}


def place(
    change: Change, view: dict[str, Any], *, person: str, on: Surface | None = None
) -> Surface:
    """Show a view to a person: on top of another, or as the only one of its kind."""
    if on is None:
        Surface.objects.filter(kind=view["type"], person=person).delete()
    elif Surface.objects.filter(kind=Surface.MODAL, person=person).count() >= STACK:
        raise ApiError("push_limit_reached")
    pk = new_id("V0")
    return Surface.objects.create(
        pk=pk,
        kind=view["type"],
        person=person,
        view={**view, "blocks": with_block_ids(view["blocks"])},
        hash=_hash(change.now),
        root=on.root if on else pk,
        previous=on.pk if on else "",
        opened_at=change.now,
        revision=change.revision,
    )


def replace(change: Change, row: Surface, view: dict[str, Any], *, expected: str = "") -> None:
    """Show another content in the same view; ``expected`` is the hash it must still have."""
    if expected and expected != row.hash:
        raise ApiError("hash_conflict")
    row.view = {**view, "blocks": with_block_ids(view["blocks"])}
    row.hash, row.revision = _hash(change.now), change.revision
    row.save()


def top_modal(person: str) -> Surface | None:
    """The modal that this person looks at."""
    return Surface.objects.filter(kind=Surface.MODAL, person=person).last()


def _use_trigger(given: Arguments) -> str:
    """Whose trigger it is; it is used up."""
    wanted = given.text("trigger_id", missing="invalid_arguments")
    trigger = Trigger.objects.filter(pk=wanted).first()
    if trigger is None:
        raise ApiError("invalid_trigger_id")
    if trigger.used_at is not None:
        raise ApiError("exchanged_trigger_id")
    if given.now - trigger.made_at > TRIGGER_LIFE:
        raise ApiError("expired_trigger_id")
    trigger.used_at = given.now
    trigger.save()
    return trigger.person


def _hash(now: datetime) -> str:
    return f"{now.timestamp():.0f}.{new_id('', 8)}"
