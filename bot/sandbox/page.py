"""The browser page: its shell, what it shows, and what one can do in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from bot.moment import utc_now
from bot.sandbox import acting, completing, faults, names, people
from bot.sandbox.acting import NotThere, Result
from bot.sandbox.allowed import is_from_the_page, only_from_here
from bot.sandbox.api.files import receive
from bot.sandbox.models import Channel, Fault, File, Message, Person, Surface
from bot.sandbox.store import changing, direct_messages, workspace

SHOWN = 300
"""So many messages of a person's channels are shown, the newest."""

ASSETS = Path(__file__).resolve().parent / "assets"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


@only_from_here
def shell(request: HttpRequest) -> HttpResponse:
    """The page without its content, which the script asks for."""
    people.settle(now=utc_now())
    response = render(request, "migration_bot_sandbox/page.html", {"bot": names.BOT_NAME})
    return _with_headers(response)


@only_from_here
def asset(request: HttpRequest, name: str) -> HttpResponseBase:
    """A script or style sheet of ours: no step to collect them, no server to serve them."""
    path = ASSETS / name
    if path.parent != ASSETS or path.suffix not in _TYPES or not path.is_file():
        return HttpResponse(status=404)
    response = FileResponse(path.open("rb"), content_type=f"{_TYPES[path.suffix]}; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-cache"
    return response


@only_from_here
def commands(request: HttpRequest) -> HttpResponse:
    """What can be typed, for the composer's completion."""
    return _json(completing.rows())


@only_from_here
def state(request: HttpRequest) -> HttpResponse:
    """All that one person sees, or only the revision when nothing has changed since ``since``."""
    revision = workspace().revision
    if request.GET.get("since") == str(revision):
        return _json({"revision": revision})
    everybody = people.in_order()
    me = next((one for one in everybody if one.pk == request.GET.get("as")), None)
    me = me or (everybody[0] if everybody else None)
    if me is None:
        return _json({"revision": revision, "people": []})
    return _json({"revision": revision, "me": me.pk, **_seen_by(me, everybody)})


@only_from_here
def upload(request: HttpRequest, file: str) -> HttpResponse:
    """``/sandbox/upload/<id>``: where the bytes of a file are sent."""
    row = File.objects.filter(pk=file).first()
    if row is None or request.method != "POST":
        return HttpResponse("not found", status=404)
    body = request.read(row.length + 1)
    if not receive(row, body):
        return HttpResponse("length does not fit", status=400)
    return HttpResponse(f"OK - {row.length}", content_type="text/plain")


@only_from_here
def file(request: HttpRequest, file: str) -> HttpResponse:
    """A shared file's text, whole."""
    row = File.objects.filter(pk=file, is_shared=True).first()
    if row is None:
        return HttpResponse("not found", status=404)
    response = HttpResponse(row.content, content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    return _with_headers(response)


@only_from_here
def do(request: HttpRequest) -> HttpResponse:
    """One thing that a person does: ``{"as": person, "do": what, …}``."""
    if request.method != "POST" or not is_from_the_page(request):
        return HttpResponse("only the sandbox's own page may do that", status=403)
    try:
        wish = json.loads(request.body)
    except (ValueError, RecursionError):
        return _json({"error": "not understood"}, status=400)
    try:
        result = DEEDS[wish["do"]](_me(wish), wish, utc_now())
    except (ValueError, KeyError, TypeError, AttributeError):
        return _json({"error": "not understood"}, status=400)
    except NotThere:
        return _json({"error": "That is not there any more."}, status=404)
    return _json({"ok": True, **result})


def _me(wish: dict[str, Any]) -> Person:
    person = Person.objects.filter(pk=wish["as"]).exclude(pk=names.BOT_USER).first()
    if person is None:
        raise NotThere
    return person


def _channel_of(person: Person, wish: dict[str, Any]) -> Channel:
    row = Channel.objects.filter(pk=wish["channel"], person__in=("", person.pk)).first()
    if row is None:
        raise NotThere
    return row


def _surface_of(person: Person, wish: dict[str, Any]) -> Surface | None:
    if not wish.get("view"):
        return None
    row = Surface.objects.filter(pk=wish["view"], person=person.pk).first()
    if row is None:
        raise NotThere
    return row


def _speak(me: Person, wish: dict[str, Any], now: datetime) -> Result:
    text, thread_ts = str(wish["text"])[:4000], str(wish.get("thread_ts") or "")
    return acting.speak(me, _channel_of(me, wish), text, thread_ts=thread_ts, now=now)


def _press(me: Person, wish: dict[str, Any], now: datetime) -> Result:
    surface, message = _surface_of(me, wish), None
    if surface is None:
        channel = _channel_of(me, wish)
        message = _visible(me, channel.pk).filter(ts=wish["ts"]).first()
        if message is None:
            raise NotThere
    return acting.press(
        me,
        message,
        surface,
        block_id=str(wish["block_id"]),
        action_id=str(wish["action_id"]),
        given=dict(wish.get("values") or {}),
        now=now,
    )


def _submit(me: Person, wish: dict[str, Any], now: datetime) -> Result:
    surface = _surface_of(me, wish)
    if surface is None:
        raise NotThere
    return acting.submit(me, surface, given=dict(wish.get("values") or {}), now=now)


def _close(me: Person, wish: dict[str, Any], now: datetime) -> Result:
    surface = _surface_of(me, wish)
    if surface is None:
        raise NotThere
    return acting.close(me, surface, everything=bool(wish.get("everything")), now=now)


def _home(me: Person, wish: dict[str, Any], now: datetime) -> Result:
    return acting.open_home(me, now=now)


def _dismiss(me: Person, wish: dict[str, Any], now: datetime) -> Result:
    """Take an ephemeral message away, as its reader can."""
    with changing(now=now):
        Message.objects.filter(channel=wish["channel"], ts=wish["ts"], only_for=me.pk).delete()
    return {}


def _trouble(me: Person, wish: dict[str, Any], now: datetime) -> Result:
    """Let Slack have a bad day, or end it."""
    with changing(now=now):
        faults.clear()
        if wish.get("kind"):
            kind = faults.Kind(wish["kind"])
            faults.inject("*", kind, times=min(int(wish["times"]), 100), seconds=5)
    return {}


DEEDS: dict[str, Callable[[Person, dict[str, Any], datetime], Result]] = {
    "speak": _speak,
    "press": _press,
    "submit": _submit,
    "close": _close,
    "home": _home,
    "dismiss": _dismiss,
    "trouble": _trouble,
}


def _seen_by(me: Person, everybody: list[Person]) -> dict[str, Any]:
    own = direct_messages(me.pk)
    channels = [*Channel.objects.filter(person="").order_by("-has_bot", "name"), own]
    if me.team != names.TEAM:
        channels = [one for one in channels if one.pk == names.CHANNEL]
    rows = _visible(me, *[one.pk for one in channels]).order_by("-ts")[:SHOWN]
    messages = [_message(row) for row in reversed(rows)]
    wanted = {pk for one in messages for pk in one["files"]}
    surfaces = Surface.objects.filter(person=me.pk)
    linked = people.linked()
    return {
        "people": [_person(one, linked) for one in everybody],
        "bot": {"id": names.BOT_USER, "name": names.BOT_NAME},
        "channels": [_channel(one) for one in channels],
        "messages": messages,
        "files": {row.pk: _file(row) for row in File.objects.filter(pk__in=wanted)},
        "modals": [_view(row) for row in surfaces if row.kind == Surface.MODAL],
        "home": next((_view(row) for row in surfaces if row.kind == Surface.HOME), None),
        "trouble": [
            {"kind": row.kind, "method": row.method, "remaining": row.remaining}
            for row in Fault.objects.filter(remaining__gt=0)
        ],
    }


def _visible(me: Person, *channels: str) -> Any:
    rows = Message.objects.filter(channel__in=channels)
    return rows.filter(Q(only_for="") | Q(only_for=me.pk))


def _person(row: Person, linked: frozenset[str]) -> dict[str, Any]:
    words = row.words
    if row.account and row.pk not in linked:
        words = f"{words}, not linked"
    elif not row.account and row.pk in linked:
        words = "linked to a staff account"
    return {"id": row.pk, "name": row.real_name, "words": words, "handle": row.name}


def _channel(row: Channel) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "topic": row.topic,
        "direct": bool(row.person),
        "has_bot": row.has_bot,
    }


def _message(row: Message) -> dict[str, Any]:
    return {
        "channel": row.channel,
        "ts": row.ts,
        "thread_ts": row.thread_ts,
        "broadcast": row.is_broadcast,
        "user": row.user,
        "bot": row.is_bot,
        "only_for_me": bool(row.only_for),
        "text": row.text,
        "blocks": row.blocks,
        "files": row.files,
        "edited": bool(row.edited_ts),
        "revision": row.revision,
    }


def _file(row: File) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "title": row.title or row.name,
        "length": row.length,
        "preview": row.content[:2000],
        "is_whole": len(row.content) <= 2000,
        "url": reverse("migration_bot_sandbox:file", args=[row.pk]),
    }


def _view(row: Surface) -> dict[str, Any]:
    return {"id": row.pk, "revision": row.revision, "hash": row.hash, **row.view}


def _json(value: Any, *, status: int = 200) -> HttpResponse:
    return _with_headers(JsonResponse(value, status=status, safe=False))


def _with_headers(response: HttpResponse) -> HttpResponse:
    response["Content-Security-Policy"] = POLICY
    response["X-Frame-Options"] = "DENY"
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "same-origin"
    response["Cache-Control"] = "no-store"
    return response
