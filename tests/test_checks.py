"""Every row of bot.checks.rows is found when it should be, and is documented."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.checks.registry import registry
from django.db import connections

from bot.checks import TAG, check_all
from bot.checks.rows import ROWS
from bot.checks.values import LONGEST_KEPT, LONGEST_RELEASE
from bot.conf import KEYS, Settings, get_settings
from bot.models import Run, Worker
from bot.moment import utc_now
from bot.routers import StateRouter

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "checks.md").read_text()

DB_BACKEND = "django_tasks_db.DatabaseBackend"
QUEUES = ["default", "migration_bot", "migration_bot_runs", "migration_bot_rehearsals"]
ON_MEMORY = {"W013"}
"""The tests' own settings keep the bot's tables in memory."""


class SomeCeleryBackend:
    """Stands for another project's bridge to Celery."""


class FakeOracle:
    vendor = "oracle"


@pytest.fixture
def databases(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets DATABASES for the checks; no connection is opened."""

    def set_to(**given: dict[str, Any]) -> None:
        whole = {
            alias: {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"/nowhere/{alias}.sqlite3",
                "OPTIONS": {"timeout": 20},
                **one,
            }
            for alias, one in given.items()
        }
        handler = type(connections)(whole)
        monkeypatch.setattr("bot.checks.databases.connections", handler)
        handler.settings  # noqa: B018 - fills in the defaults
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Django's, for people who expect connections to follow
            settings.DATABASES = whole
        get_settings.cache_clear()

    return set_to


def found() -> dict[str, CheckMessage]:
    return {str(m.id).removeprefix("migration_bot."): m for m in check_all()}


def ids() -> set[str]:
    return set(found()) - ON_MEMORY


POSTGRES = {"ENGINE": "django.db.backends.postgresql", "NAME": "x", "OPTIONS": {}}


@pytest.mark.parametrize("id_", ROWS)
def test_every_check_is_documented(id_: str) -> None:
    assert f"| `migration_bot.{id_}` |" in PAGE


@pytest.mark.parametrize("id_", ROWS)
def test_every_check_is_tested(id_: str) -> None:
    assert f'"{id_}"' in Path(__file__).read_text()


def test_the_checks_are_registered_under_their_tag() -> None:
    tagged: list[Any] = [check for check in registry.get_checks() if TAG in check.tags]
    assert tagged == [check_all]


def test_a_right_configuration_finds_nothing(databases: Callable[..., None]) -> None:
    databases(default={"NAME": "/nowhere/a"}, state={"NAME": "/nowhere/b"})
    assert set(found()) <= {"W010"}


def test_the_checks_ask_no_database(databases: Callable[..., None]) -> None:
    databases(default={**POSTGRES, "HOST": "no.such.host.invalid"})
    assert found() == {}


@pytest.mark.parametrize(
    ("given", "id_", "words"),
    [
        (["state_database"], "E001", "is a list"),
        ({"leese": 30}, "E002", "Did you mean lease?"),
        ({"lease": "30"}, "E003", "is a str; it must be a number"),
        ({"self_approval": 1}, "E003", "True or False"),
        ({"lock_retries": 1.5}, "E003", "a whole number"),
        ({"lock_retries": True}, "E003", "a whole number"),
        ({"databases": "default"}, "E003", "a list of texts"),
        ({"approvals": [1]}, "E003", "a dictionary"),
        ({"audit_triggers": "yes"}, "E003", "True or False or None"),
        ({"lease": 1}, "E004", "at least 3 seconds"),
        ({"lease": float("nan")}, "E004", "at least 3 seconds"),
        ({"lock_timeout": -1}, "E004", "0 or more seconds"),
        ({"public_url": "example.com"}, "E004", "https://example.com"),
        ({"code_reload": "hot"}, "E004", '"auto" or "cold"'),
        ({"queue": ""}, "E004", "the name of a queue"),
        ({"approvals": {"dangerous": 0}}, "E005", "says 0 for 'dangerous'"),
        ({"approvals": {"terrible": 1}}, "E005", "'terrible'"),
        ({"approvals": {"safe": True}}, "E005", "says True"),
        ({"approvals_by_code": {"loses_data": 0}}, "E006", "says 0 for 'loses_data'"),
        ({"approvals_by_code": {"loses_date": 2}}, "E007", "Did you mean loses_data?"),
        ({"forbidden": ["data_breaks_rules"]}, "E008", "Did you mean data_breaks_rule?"),
        ({"forbidden": "data_breaks_rule"}, "E003", "a list of texts"),
        ({"data_check_seconds": 0}, "E004", "more than 0 seconds"),
        ({"data_check_limit": 0}, "E004", "more than 0 rows"),
        ({"data_check_examples": 21}, "E004", "between 0 and 20"),
        ({"rehearsal_databases": {"default": ["a"]}}, "E003", "is a dict of list and str; it must"),
        ({"data_check_databases": {"default": {"a": 1}}}, "E003", "a dictionary of texts"),
        ({"data_check_databases": {1: "default"}}, "E003", "is a dict of int and str"),
        ({"databases": [["default"]]}, "E003", "is a list of list; it must be a list of texts"),
        ({"forbidden": [["data_breaks_rule"]]}, "E003", "is a list of list"),
        ({"state_database": ["default"]}, "E003", "is a list of str; it must be a text"),
        ({"rehearse": ["always"]}, "E003", "is a list of str; it must be a text"),
        ({"code_reload": {"auto"}}, "E003", "is a set; it must be a text"),
        ({"approvals": {"safe": ["1"]}}, "E005", "says ['1'] for 'safe'"),
        ({"approvals": {1: 2}}, "E005", "says 2 for 1"),
        ({"approvals_by_code": {"loses_data": ["2"]}}, "E006", "says ['2'] for 'loses_data'"),
        ({"public_url": "http://["}, "E004", "https://example.com"),
        ({"decide_within": float("inf")}, "E004", "at most 1,000,000"),
        ({"lock_timeout": 10**400}, "E004", "at most 1,000,000"),
        ({"slack_timeout": float("nan")}, "E004", "at most 60 seconds"),
        ({"slack_timeout": 0}, "E004", "more than 0"),
        ({"slack_timeout": 61}, "E004", "at most 60 seconds"),
        ({"slack_modal_timeout": -1}, "E004", "more than 0"),
        ({"slack_modal_timeout": 3}, "E004", "less than 3 seconds"),
        ({"slack_api_url": "nonsense"}, "E004", "https://slack.com/api/"),
        ({"slack_api_url": "ftp://slack.com/api/"}, "E004", "https://slack.com/api/"),
        ({"link_minutes": -5}, "E004", "more than 0"),
        ({"link_minutes": 1441}, "E004", "at most 1,440 minutes"),
        ({"keep_plans": 999_999}, "E004", "at most 36,500 days"),
        ({"release": "r" * 201}, "E004", "at most 200 characters"),
        ({"data_check_databases": {"default": "replcia"}}, "E014", "names 'replcia'"),
        ({"rehearsal_databases": {"default": "scrtch"}}, "E015", "names 'scrtch'"),
        ({"rehearsal_databases": {"defualt": "default"}}, "E015", "Did you mean default?"),
        ({"approvals": {"safe": 1}}, "W001", "nothing for caution, dangerous; 1, 2 are taken"),
        ({"self_approval": True}, "W002", "approve their own"),
        ({"trust_command_line": True}, "W003", "can approve as anybody"),
    ],
)
def test_values(settings: Any, given: Any, id_: str, words: str) -> None:
    settings.MIGRATION_BOT = given
    message = found()[id_]
    assert words in message.msg
    assert message.hint
    assert message.is_serious() is id_.startswith("E")


def test_the_defaults_are_right(settings: Any) -> None:
    settings.MIGRATION_BOT = {key: getattr(Settings(), key) for key in KEYS}
    assert ids() == set()


def test_a_release_is_as_long_as_its_columns_are_wide() -> None:
    for model in (Run, Worker):
        assert model._meta.get_field("release").max_length == LONGEST_RELEASE


def test_plans_may_be_kept_for_as_long_as_a_value_is_right(settings: Any) -> None:
    settings.MIGRATION_BOT = {"keep_plans": LONGEST_KEPT}
    assert ids() == set()
    assert (utc_now() - timedelta(days=LONGEST_KEPT)).year > 1900, "MySQL knows no date of long ago"


def test_a_secret_of_a_wrong_type_is_not_repeated(settings: Any) -> None:
    settings.MIGRATION_BOT = {"slack_bot_token": ["xoxb-secret"]}
    assert "xoxb-secret" not in str(found()["E003"])


@pytest.mark.parametrize(
    ("given", "id_", "words"),
    [
        ({"state_database": "defalt"}, "E010", "Did you mean default?"),
        ({"databases": ["defaul"]}, "E011", "Did you mean default?"),
        ({"state_database": "state"}, "E012", "StateRouter is not in"),
    ],
)
def test_aliases(
    settings: Any, databases: Callable[..., None], given: Any, id_: str, words: str
) -> None:
    databases(default={}, state={})
    settings.DATABASE_ROUTERS = []
    settings.MIGRATION_BOT = given
    assert words in found()[id_].msg


def test_a_router_of_ours_is_enough(
    settings: Any, databases: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db.utils import ConnectionRouter

    databases(default={}, state={})
    settings.MIGRATION_BOT = {"state_database": "state"}
    ours = ConnectionRouter(["bot.routers.StateRouter"])
    monkeypatch.setattr("bot.checks.databases.router", ours)
    assert found() == {}


class ReplicaRouter:
    """As many a project has it: what is read is read from a replica."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"


@pytest.mark.parametrize(
    ("routers", "expected"),
    [
        ([ReplicaRouter, StateRouter], {"W016"}),
        ([ReplicaRouter], {"W016"}),
        ([StateRouter, ReplicaRouter], set()),
    ],
)
def test_a_router_before_ours_that_reads_from_elsewhere(
    databases: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    routers: list[Any],
    expected: set[str],
) -> None:
    from django.db.utils import ConnectionRouter

    databases(default={**POSTGRES, "USER": "shop"}, replica=POSTGRES)
    ordered = ConnectionRouter([router() for router in routers])
    monkeypatch.setattr("bot.checks.databases.router", ordered)
    assert set(found()) == expected
    if expected:
        assert "'replica'" in found()["W016"].msg


def test_a_vendor_without_a_lock(
    databases: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    databases(default={})
    monkeypatch.setattr("bot.checks.databases.connections", {"default": FakeOracle()})
    assert "(oracle)" in found()["E013"].msg


def test_one_sqlite_file_for_the_site_and_the_bot(databases: Callable[..., None]) -> None:
    databases(default={})
    assert ids() == {"W010"}
    databases(default={"OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"}})
    assert ids() == {"W010", "W011"}


def test_an_sqlite_file_that_waits_too_short(databases: Callable[..., None]) -> None:
    databases(default={"OPTIONS": {}})
    assert "5 s" in found()["W012"].msg


def test_tables_in_memory(databases: Callable[..., None]) -> None:
    databases(default={"NAME": ":memory:"})
    assert set(found()) == {"W013"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"PORT": "6432"}, {"W014"}),
        ({"PORT": 6432}, {"W014"}),
        ({"HOST": "pgbouncer.internal"}, {"W014"}),
        ({"PORT": "6432", "DISABLE_SERVER_SIDE_CURSORS": True}, set()),
        ({"PORT": "5432"}, set()),
    ],
)
def test_pgbouncer(
    databases: Callable[..., None], given: dict[str, Any], expected: set[str]
) -> None:
    databases(default={**POSTGRES, **given})
    assert set(found()) == expected


@pytest.mark.parametrize(
    ("scratch", "expected"),
    [
        ({**POSTGRES, "USER": "scratch"}, set()),
        ({**POSTGRES, "USER": "shop", "HOST": "elsewhere"}, set()),
        ({**POSTGRES, "USER": "shop"}, {"W015"}),
        ({}, {"E016"}),
    ],
)
def test_places_of_rehearsals(
    databases: Callable[..., None], settings: Any, scratch: dict[str, Any], expected: set[str]
) -> None:
    settings.MIGRATION_BOT = {"rehearsal_databases": {"default": "scratch"}}
    databases(default={**POSTGRES, "USER": "shop"}, scratch=scratch)
    assert set(found()) == expected


def test_a_replica_is_of_the_same_kind(databases: Callable[..., None], settings: Any) -> None:
    settings.MIGRATION_BOT = {"data_check_databases": {"default": "replica"}}
    databases(default=POSTGRES, replica={})
    assert "names 'replica' (sqlite) for 'default' (postgresql)" in found()["E016"].msg


@pytest.mark.parametrize(
    ("backend", "extra", "expected"),
    [
        (DB_BACKEND, {}, set()),
        (DB_BACKEND, {"QUEUES": []}, set()),
        (DB_BACKEND, {"QUEUES": ["default", "migration_bot"]}, {"E023"}),
        ("bot.engines.celery.CeleryBackend", {"OPTIONS": {"broker_url": "redis://x"}}, set()),
        ("bot.engines.celery.CeleryBackend", {}, {"E027"}),
        ("no.such.Backend", {}, {"E026"}),
    ],
)
def test_backends(settings: Any, backend: str, extra: dict[str, Any], expected: set[str]) -> None:
    settings.TASKS = {"default": {"BACKEND": backend, "QUEUES": QUEUES, **extra}}
    assert ids() == expected


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        (["default"], "TASKS is a list of str"),
        ({"default": [DB_BACKEND]}, "TASKS['default'] is a list of str"),
        ({"default": None}, "TASKS['default'] is a NoneType"),
        (
            {"default": {"BACKEND": "bot.engines.celery.CeleryBackend", "OPTIONS": ["redis://x"]}},
            "TASKS['default']['OPTIONS'] is a list of str",
        ),
    ],
)
def test_what_should_be_a_dictionary_of_the_engines(settings: Any, tasks: Any, words: str) -> None:
    settings.TASKS = tasks
    assert found()["E029"].msg == f"{words}, not a dictionary."


WRONG: tuple[Any, ...] = (
    *[None, True, -1, 1.5, b"x", [], ["x"], [["x"]], [None], (), {}, set(), object()],
    *[{"x": ["x"]}, {"default": {"x": 1}}, {("a",): 1}, {None: None}, {1: 2}, {"safe": None}],
)


@pytest.mark.parametrize("key", KEYS)
def test_whatever_stands_there_is_told_and_nothing_breaks(settings: Any, key: str) -> None:
    """What the checks let pass is of use, and what is of none they tell."""
    for value in WRONG:
        settings.MIGRATION_BOT = {key: value}
        if any(message.is_serious() for message in check_all()):
            continue
        given = get_settings()
        assert given.policy.approvals, value
        assert given.queues, value
        assert isinstance(given.target_databases, tuple), value


@pytest.mark.parametrize("name", ["immediate.ImmediateBackend", "dummy.DummyBackend"])
def test_backends_that_run_in_the_web_process(settings: Any, name: str) -> None:
    try:
        import django.tasks  # noqa: F401

        package = "django.tasks"
    except ImportError:
        package = "django_tasks"
    path = f"{package}.backends.{name}"
    settings.TASKS = {"default": {"BACKEND": path, "QUEUES": QUEUES}}
    assert ids() == {"E022"}


def test_a_list_of_queues_left_out_means_default_alone(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": DB_BACKEND}}
    messages = [message.msg for message in check_all() if message.id == "migration_bot.E023"]
    assert len(messages) == 3


def test_tasks_left_out(settings: Any) -> None:
    del settings.TASKS
    assert ids() == {"E020"}
    hint = str(found()["E020"].hint)
    assert all(queue in hint for queue in QUEUES)


def test_an_alias_that_tasks_does_not_have(settings: Any) -> None:
    settings.MIGRATION_BOT = {"tasks_backend": "defalt"}
    assert "Did you mean default?" in found()["E021"].msg


@pytest.mark.parametrize(
    ("one", "other"),
    [("queue", "run_queue"), ("queue", "rehearsal_queue"), ("run_queue", "rehearsal_queue")],
)
def test_one_queue_for_two_kinds_of_work(settings: Any, one: str, other: str) -> None:
    settings.MIGRATION_BOT = {one: "default", other: "default"}
    assert ids() == {"E024"}
    assert f'["{one}"] and ["{other}"]' in found()["E024"].msg.replace("MIGRATION_BOT", "")


def test_the_engines_app_is_missing(settings: Any) -> None:
    installed = [app for app in settings.INSTALLED_APPS if app != "django_tasks_db"]
    settings.INSTALLED_APPS = installed
    assert ids() == {"E025"}


@pytest.mark.parametrize(
    ("queues", "expected"),
    [
        ({}, {"E028"}),
        ({"migration_bot_runs": {"DEFAULT_TIMEOUT": 3600}}, {"E028"}),
        ({"migration_bot_runs": {"DEFAULT_TIMEOUT": -1}}, set()),
    ],
)
def test_rq_kills_long_jobs(
    settings: Any, monkeypatch: pytest.MonkeyPatch, queues: dict[str, Any], expected: set[str]
) -> None:
    rq = type("RQBackend", (), {"__module__": "django_tasks_rq.backend"})
    monkeypatch.setattr("bot.checks.engine.import_string", lambda path: rq)
    settings.TASKS = {"default": {"BACKEND": "django_tasks_rq.RQBackend", "QUEUES": QUEUES}}
    settings.RQ_QUEUES = queues
    assert ids() == expected


def test_celery_that_runs_again_what_kills_its_worker(settings: Any) -> None:
    path = f"{__name__}.SomeCeleryBackend"
    settings.TASKS = {"default": {"BACKEND": path, "QUEUES": QUEUES}}
    assert ids() == set()
    settings.CELERY_TASK_ACKS_LATE = True
    settings.CELERY_TASK_REJECT_ON_WORKER_LOST = True
    assert "CELERY_TASK_ACKS_LATE and CELERY_TASK_REJECT" in found()["W020"].msg


def test_accounts_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.checks.apps.is_installed", lambda name: "contenttypes" not in name)
    assert "django.contrib.contenttypes" in found()["E030"].msg
