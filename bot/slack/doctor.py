"""Looks at everything that Slack needs, and says of each what is wrong and what to do.

Meant for a person at a terminal: it makes network calls, each with a short time limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from urllib.parse import urlsplit

import requests

from bot.conf import get_settings
from bot.operations import clocks, vital_signs
from bot.slack.asking import Diagnosis, membership, socket_mode, token_and_clock
from bot.slack.client import get_client

TIMEOUT = 5.0


def examine(*, now: datetime) -> Iterator[Diagnosis]:
    """Each diagnosis as soon as it is made."""
    yield worker(now=now)
    yield from machine_clocks(now=now)
    yield queue(now=now)
    yield outbox(now=now)
    settings = get_settings()
    if not settings.slack_bot_token:
        yield Diagnosis(
            name="Slack",
            ok=None,
            words="There is no bot token, so Slack is not used.",
            remedy="Set SLACK_BOT_TOKEN (slack_bot_token) when you want it; see the README.",
        )
        return
    yield signing_secret()
    client = get_client(timeout=TIMEOUT)
    if settings.slack_app_token:
        yield socket_mode(client)
    yield from token_and_clock(client)
    for channel in dict.fromkeys((settings.slack_channel, settings.slack_audit_channel)):
        if channel or channel == settings.slack_channel:
            yield membership(client, channel)
    yield public_url()


def worker(*, now: datetime) -> Diagnosis:
    pulse = vital_signs.pulse(now=now)
    if pulse.alive:
        age = round(pulse.newest_age or 0)
        return Diagnosis(name="worker", ok=True, words=f"{pulse.workers} alive, seen {age} s ago.")
    return Diagnosis(
        name="worker",
        ok=False,
        words="No worker lives, so nothing is planned, run or posted.",
        remedy="Start one: manage.py migration_bot worker",
    )


def machine_clocks(*, now: datetime) -> Iterator[Diagnosis]:
    """The clocks that do not agree with the database's; nothing where all do."""
    here = clocks.ahead()
    off = [("this machine", here)] if here is not None and clocks.is_off(here) else []
    for name, seconds in [*off, *clocks.workers_off(now=now)]:
        yield Diagnosis(
            name=f"clock of {name}",
            ok=False,
            words=f"It is {clocks.words(seconds)}, so nothing is run or rehearsed there, and it "
            "neither expires nor interrupts anything.",
            remedy="Keep the clocks of all machines, the database's too, in step with NTP.",
        )


def queue(*, now: datetime) -> Diagnosis:
    """Whether the engine takes what is enqueued: the broker is asked, or the task table read."""
    from bot.engines.which import Engine, backend_path, engine

    kind = engine()
    try:
        if kind is Engine.CELERY:
            from bot.engines.celery import get_app

            with get_app().connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=TIMEOUT)
        elif kind is Engine.DATABASE:
            from django_tasks_db.models import DBTaskResult

            DBTaskResult.objects.exists()
    except Exception as error:  # noqa: BLE001 - whatever a broker's driver raises is the diagnosis
        return Diagnosis(
            name="queue",
            ok=False,
            words=f"The queue ({kind}) does not answer: {type(error).__name__}.",
            remedy="Start the broker or the database, and see TASKS in the settings.",
        )
    return Diagnosis(name="queue", ok=True, words=f"{backend_path() or 'none'} answers.")


def outbox(*, now: datetime) -> Diagnosis:
    told = [f"{channel.pk}: {channel.broken_because}" for channel in vital_signs.broken_channels()]
    dead = vital_signs.given_up()
    backlog = vital_signs.backlog(now=now)
    if told:
        return Diagnosis(
            name="outbox",
            ok=False,
            words=f"{backlog.waiting} wait. Broken: {'; '.join(told)}.",
            remedy="Mend the channel or the token; what waits is sent by itself then.",
        )
    if dead:
        return Diagnosis(
            name="outbox",
            ok=False,
            words=f"{dead} messages were given up: Slack refused them, or they failed in the bot.",
            remedy="See why at the deliveries in the admin; the audit itself is complete.",
        )
    return Diagnosis(name="outbox", ok=True, words=f"{backlog.waiting} wait.")


def signing_secret() -> Diagnosis:
    settings = get_settings()
    if settings.slack_signing_secret:
        return Diagnosis(name="signing secret", ok=True, words="It is set.")
    if settings.slack_app_token:
        words = "It is not set; Socket Mode needs none."
        return Diagnosis(name="signing secret", ok=True, words=words)
    return Diagnosis(
        name="signing secret",
        ok=False,
        words="It is not set, so /slack/events refuses everything.",
        remedy="Copy it from the app's Basic Information page into SLACK_SIGNING_SECRET.",
    )


def public_url(get: Callable[..., requests.Response] = requests.get) -> Diagnosis:
    """Whether this very site answers at its public address, as far as can be told from here."""
    base = get_settings().public_url.rstrip("/")
    if not base:
        return Diagnosis(
            name="PUBLIC_URL",
            ok=False,
            words="It is not set: messages carry no links, and /migrate link cannot work.",
            remedy="Set PUBLIC_URL to the site's address, such as https://example.com.",
        )
    here = urlsplit(base).hostname in ("127.0.0.1", "localhost")
    if urlsplit(base).scheme != "https" and not here and not get_settings().slack_app_token:
        return Diagnosis(
            name="PUBLIC_URL",
            ok=False,
            words=f"{base} is not https, which Slack requires.",
            remedy="Serve the site over TLS and set PUBLIC_URL to its https address.",
        )
    try:
        answer = get(f"{base}/healthz", timeout=TIMEOUT, allow_redirects=False)
        ours = "audit" in answer.json()
    except (requests.RequestException, ValueError) as error:
        return Diagnosis(
            name="PUBLIC_URL",
            ok=False,
            words=f"{base}/healthz does not answer from here: {type(error).__name__}.",
            remedy="Check DNS, the proxy and ALLOWED_HOSTS. Slack has to reach it from outside.",
        )
    if not ours:
        words = f"{base}/healthz answers, but it is not the bot's."
        remedy = 'Include path("", include("bot.urls")) at the root, or mend the proxy.'
        return Diagnosis(name="PUBLIC_URL", ok=False, words=words, remedy=remedy)
    return Diagnosis(name="PUBLIC_URL", ok=True, words=f"{base} is this site.")
