"""The one place that reads settings: ``MIGRATION_BOT`` in Django's settings, typed and checked.

Each field below is one lower-case key of that dictionary. ``docs/settings.md`` is made from this
class, and ``bot.checks`` says at start what is wrong with a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import lru_cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from bot.route.approval import Policy
from bot.route.findings import Risk

OWN_LABELS = ("migration_bot", "migration_bot_sandbox", "django_tasks_database")
"""Labels of the apps whose tables are the bot's: its own, the sandbox's and django-tasks-db's.

They live in the state database, `migration_bot setup` moves them, and never a run. The queue stands
beside the runs because a wake-up that is rolled back must take its run along.
"""


REHEARSE = ("never", "not_safe", "always")
"""What the setting ``rehearse`` may say."""


def _key(default: Any, doc: str, *, secret: bool = False) -> Any:
    """A field with its documentation beside it. A ``secret`` stands in no ``repr``."""
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata={"doc": doc})
    return field(default=default, repr=not secret, metadata={"doc": doc})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    state_database: str = _key("default", "Alias of the database that holds the bot's own tables.")
    databases: tuple[str, ...] = _key(
        (), "Aliases that may be migrated. Empty: all but a state database of its own."
    )
    approvals: dict[str, int] = _key(  # noqa: RUF009 - it is dataclasses.field with a doc
        {"safe": 1, "caution": 1, "dangerous": 2},
        "How many people must approve a plan of each risk. At least 1 each.",
    )
    approvals_by_code: dict[str, int] = _key(  # noqa: RUF009 - as above
        {},
        "How many people must approve a plan with a finding of that code, where that is more than "
        "its level asks for.",
    )
    forbidden: tuple[str, ...] = _key(
        ("data_breaks_rule",),
        "Codes of findings that forbid a run, unless an approver with the permission "
        "override_findings approves in spite of them, with a reason.",
    )
    rehearse: str = _key(
        "not_safe",
        "Which requested plans are rehearsed by themselves: never, not_safe or always.",
    )
    rehearsal_databases: dict[str, str] = _key(  # noqa: RUF009 - it is dataclasses.field with a doc
        {},
        "For each database that is migrated, the alias on which scratch databases may be made for "
        "its rehearsals. Without one: a throwaway PostgreSQL cluster where its binaries are, a "
        "file for SQLite.",
    )
    rehearse_python: bool = _key(
        False, "Whether a rehearsal runs the Python of migrations too; it may act outside."
    )
    rehearsal_timeout: float = _key(300.0, "Seconds after which a rehearsal is given up.")
    data_checks: bool = _key(
        True, "Whether today's data is asked if it satisfies the rules that a plan brings."
    )
    data_check_seconds: float = _key(
        5.0, "Seconds that the data checks of one plan may take; the rest is told as not checked."
    )
    data_check_limit: int = _key(1000, "Up to how many rows that break a rule are counted.")
    data_check_examples: int = _key(
        0, "How many primary keys of such rows are shown as examples. 0: none."
    )
    data_check_databases: dict[str, str] = _key(  # noqa: RUF009 - as above
        {}, "For each database that is migrated, the alias of a replica that data checks ask."
    )
    self_approval: bool = _key(False, "Whether a requester may approve their own request.")
    trust_command_line: bool = _key(
        False,
        "Whether `approve --as` and `reject --as` count for any run. False: only for one asked for "
        "at a command line too, from another login name.",
    )
    decide_within: float = _key(24.0, "Hours until a request that nobody decided expires.")
    start_within: float = _key(4.0, "Hours until an approval that could not start expires.")
    lock_timeout: float = _key(
        5.0, "Seconds a statement may wait for a lock. 0: as long as the server says."
    )
    lock_retries: int = _key(
        5, "How often a step that found no lock is tried again, where that is safe."
    )
    lock_backoff: float = _key(
        2.0, "Seconds before the first such retry; doubled each time, up to 30."
    )
    statement_timeout: float = _key(
        0.0, "Seconds a statement may run. 0: as long as the server says."
    )
    record_with_migration: bool = _key(
        True, "Record a migration in its own transaction where the database can (the flush)."
    )
    guard_plain_migrate: bool = _key(
        True,
        "Whether a plain `manage.py migrate` takes the lock, and is refused while a run has it.",
    )
    record_plain_migrate: bool = _key(
        True, "Whether a plain `manage.py migrate` is written into the audit."
    )
    audit_triggers: bool | None = _key(
        None, "Whether triggers refuse to change the audit. None: yes, but not in test databases."
    )
    reconcile_timeout: float = _key(
        120.0,
        "Seconds after which asking the database what became of an interrupted run is given up, "
        "told, and begun anew.",
    )
    lease: float = _key(30.0, "Seconds after which a worker that says nothing counts as dead.")
    release: str = _key(
        "", "The commit or version of the running code, shown and compared; 200 characters at most."
    )
    tasks_backend: str = _key("default", "Alias in TASKS of the engine that wakes workers.")
    queue: str = _key("migration_bot", "The queue for plans and posts.")
    run_queue: str = _key("migration_bot_runs", "The queue for runs.")
    rehearsal_queue: str = _key("migration_bot_rehearsals", "The queue for rehearsals.")
    poll_interval: float = _key(0.1, "Seconds between two looks into the queue (django-tasks-db).")
    public_url: str = _key("", "Where this site is reached, for links back: https://example.com")
    slack_bot_token: str = _key("", "Slack's bot token (xoxb-…). Empty: no Slack.", secret=True)
    slack_signing_secret: str = _key(
        "", "Slack's signing secret; without it the door stays shut.", secret=True
    )
    slack_app_token: str = _key(
        "", "Slack's app-level token (xapp-…), for Socket Mode only.", secret=True
    )
    slack_team_id: str = _key("", "The one workspace (T…) whose requests are taken.")
    slack_enterprise_id: str = _key("", "The Enterprise Grid organisation (E…), if there is one.")
    slack_app_id: str = _key("", "The app (A…) whose requests are taken. Empty: not compared.")
    slack_channel: str = _key("", "The channel (C…) for plans, requests, runs and the audit.")
    slack_audit_channel: str = _key("", "A channel of its own for the audit. Empty: the same.")
    slack_api_url: str = _key("https://slack.com/api/", "Slack's Web API; ends in /api/.")
    slack_timeout: float = _key(
        10.0, "Seconds that a call to Slack by a worker may take, at most 60."
    )
    slack_modal_timeout: float = _key(
        1.5, "Seconds that opening a modal in a request may take; less than 3."
    )
    link_minutes: float = _key(10.0, "Minutes that a link code lives, at most a day.")
    link_by_email: bool = _key(
        False, "Whether a Slack person with the confirmed email of one staff account is linked."
    )
    sandbox: bool = _key(False, "Whether the stand-in Slack may run although DEBUG is off.")
    keep_plans: float = _key(30.0, "Days that a plan is kept which nobody asked to run.")
    code_reload: str = _key(
        "auto", "auto: fork a warm worker while its code is unchanged on disk; cold: never fork."
    )

    @property
    def policy(self) -> Policy:
        return Policy(
            approvals={Risk(level): number for level, number in self.approvals.items()},
            approvals_by_code=self.approvals_by_code,
            self_approval=self.self_approval,
            trust_command_line=self.trust_command_line,
            forbidden=frozenset(self.forbidden),
            decide_within=timedelta(hours=self.decide_within),
            start_within=timedelta(hours=self.start_within),
        )

    @property
    def queues(self) -> tuple[str, str, str]:
        """The queues that a worker works on, each in a process of its own, the runs' first: a long
        migration, a long rehearsal and the posts must not wait for each other."""
        return (self.run_queue, self.queue, self.rehearsal_queue)

    @property
    def slack_enabled(self) -> bool:
        """Whether there is a Slack to tell anything."""
        return bool(self.slack_bot_token and self.slack_channel)

    @property
    def target_databases(self) -> tuple[str, ...]:
        """The aliases that may be migrated, in the order of DATABASES."""
        known = tuple(django_settings.DATABASES)
        if self.databases:
            return tuple(alias for alias in known if alias in self.databases)
        if self.state_database != "default":
            return tuple(alias for alias in known if alias != self.state_database)
        return known


KEYS = tuple(f.name for f in fields(Settings))


def configured() -> Mapping[str, Any]:
    """The dictionary as the project wrote it; checks look at it before it is trusted."""
    return getattr(django_settings, "MIGRATION_BOT", {})


NOT_A_DICTIONARY = "MIGRATION_BOT is a {kind}, not a dictionary."
WRONG_TYPE = 'MIGRATION_BOT["{key}"] is a {kind}; it must be {wanted}.'

_WORDS = {bool: "True or False", int: "a whole number", float: "a number", str: "a text"}


def wrong_type(key: str, value: Any) -> str:
    """What ``value`` would have to be for this key, in words; empty when it is that."""
    kind = _types()[key]
    if not _fits(value, kind):
        return _wanted(kind)
    if key == "rehearse" and value not in REHEARSE:
        return f"one of {', '.join(REHEARSE)}"
    if key == "approvals" and not all(
        level in list(Risk) and number >= 1 for level, number in value.items()
    ):
        return f"{_wanted(kind)} for safe, caution or dangerous"
    return ""


def kind_of(value: Any) -> str:
    """The type's name, and of what is in it; never the value, which may be a secret."""
    name = type(value).__name__
    if not isinstance(value, (Mapping, list, tuple)) or not value:
        return name
    members = [*value, *value.values()] if isinstance(value, Mapping) else value
    return f"{name} of {' and '.join(sorted({type(one).__name__ for one in members}))}"


@lru_cache(maxsize=1)
def _types() -> dict[str, Any]:
    return get_type_hints(Settings)


def _fits(value: Any, kind: Any) -> bool:
    """Whether ``value`` is of the field's type as a settings file would write it."""
    kinds = [one for one in get_args(kind) if one is not NoneType]
    if NoneType in get_args(kind):
        return value is None or _fits(value, kinds[0])
    origin = get_origin(kind) or kind
    if origin is tuple:
        return isinstance(value, (list, tuple)) and all(_fits(one, kinds[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(key, kinds[0]) and _fits(one, kinds[1]) for key, one in value.items()
        )
    if origin is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if origin is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin)


def _wanted(kind: Any) -> str:
    kinds = [one for one in get_args(kind) if one is not NoneType]
    if NoneType in get_args(kind):
        return f"{_wanted(kinds[0])} or None"
    origin = get_origin(kind) or kind
    if origin is tuple:
        return "a list of texts"
    if origin is dict:
        return f"a dictionary of {'whole numbers from 1' if kinds[1] is int else 'texts'}"
    return _WORDS[origin]


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings in force. Unknown keys are left to ``bot.checks``, which names them.

    Raises ImproperlyConfigured for a value of another type, in the words of the check: a web
    server runs no checks, and there "False" in quotation marks would switch something on.
    """
    given: Any = configured()
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(NOT_A_DICTIONARY.format(kind=kind_of(given)))
    given = {key: value for key, value in given.items() if key in KEYS}
    for key, value in given.items():
        if wanted := wrong_type(key, value):
            kind = kind_of(value)
            raise ImproperlyConfigured(WRONG_TYPE.format(key=key, kind=kind, wanted=wanted))
    if "approvals" in given:
        given["approvals"] = {"safe": 1, "caution": 1, "dangerous": 2} | dict(given["approvals"])
    if "databases" in given:
        given["databases"] = tuple(given["databases"])
    if "forbidden" in given:
        given["forbidden"] = tuple(given["forbidden"])
    return Settings(**given)


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in ("MIGRATION_BOT", "DATABASES"):
        get_settings.cache_clear()


setting_changed.connect(_forget, dispatch_uid="migration_bot.conf")
