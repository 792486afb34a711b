"""The one statement says of everybody what Django says; where it might not, it is not asked."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bot.operations import accounts, plain_accounts
from tests.plans import an_account

pytestmark = pytest.mark.django_db


def test_it_says_of_everybody_what_django_says() -> None:
    """Each flag, each way to have the permission, and permissions that are another's."""
    wanted = Permission.objects.get(codename="request_run")
    another = Permission.objects.get(codename="approve_run")
    kind = ContentType.objects.create(app_label="elsewhere", model="thing")
    namesake = Permission.objects.create(content_type=kind, codename="request_run", name="x")
    own = ContentType.objects.create(app_label="migration_bot", model="another")
    twice = Permission.objects.create(content_type=own, codename="request_run", name="y")
    given = [wanted, another, namesake, twice]
    groups = []
    for number, permission in enumerate(given):
        group = Group.objects.create(name=f"g{number}")
        group.permissions.add(permission)
        groups.append(group)
    made = []
    flags = product([True, False], repeat=3)
    own_or_none = [[], *([permission] for permission in given)]
    group_or_none = [[], *([group] for group in groups)]
    for number, ((staff, active, superuser), permissions, memberships) in enumerate(
        product(flags, own_or_none, group_or_none)
    ):
        user = an_account(f"u{number}", staff=staff, active=active, superuser=superuser)
        user.user_permissions.set(permissions)
        user.groups.set(memberships)
        made.append(str(user.pk))
    found = accounts.find_asking(made, accounts.REQUEST)
    assert len(found) == len(made)
    for key in made:
        asked = accounts.find_by_id(key)
        assert asked is not None
        one = found[key]
        assert (one.id, one.name, one.is_active, one.is_staff) == (
            asked.id,
            asked.name,
            asked.is_active,
            asked.is_staff,
        )
        assert not asked.answered
        assert one.answered[accounts.REQUEST] == asked.may(accounts.REQUEST), asked
        assert one.may(accounts.APPROVE) == asked.may(accounts.APPROVE)


def test_all_of_it_is_one_statement() -> None:
    keys = [str(an_account(name, "request_run").pk) for name in ("ada", "robin")]
    with CaptureQueriesContext(connection) as captured:
        found = accounts.find_asking(keys, accounts.REQUEST)
    assert len(captured) == 1
    assert all(one.may(accounts.REQUEST) for one in found.values())


def test_keys_that_nobody_can_have_are_left_out() -> None:
    key = str(an_account("ada").pk)
    wrong = ["", "x'; --", "9" * 40, "-1", "0"]
    assert list(accounts.find_asking([*wrong, key], accounts.REQUEST)) == [key]
    assert accounts.find_asking(wrong, accounts.REQUEST) == {}


@pytest.mark.parametrize(
    "name_and_value",
    [
        ("AUTHENTICATION_BACKENDS", ["tests.operations.test_plain_accounts.Strict"]),
        (
            "AUTHENTICATION_BACKENDS",
            [*plain_accounts.BACKENDS, "tests.operations.test_plain_accounts.Strict"],
        ),
        ("DATABASE_ROUTERS", ["tests.operations.test_plain_accounts.Router"]),
    ],
)
def test_a_project_with_its_own_rules_is_asked_by_them(
    settings: Any, name_and_value: tuple[str, Any]
) -> None:
    setattr(settings, *name_and_value)
    assert not accounts.are_plain()
    key = str(an_account("ada", "request_run").pk)
    found = accounts.find_asking([key], accounts.REQUEST)[key]
    assert not found.answered
    only_strict = [f"{__name__}.Strict"] == settings.AUTHENTICATION_BACKENDS
    assert found.may(accounts.REQUEST) is not only_strict


def test_a_user_model_with_a_rule_of_its_own_is_asked_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = get_user_model()
    assert plain_accounts._is_plain(model)
    monkeypatch.setattr(model, "has_perm", lambda self, permission, obj=None: False)
    assert not plain_accounts._is_plain.__wrapped__(model)


class Strict:
    """A backend that grants nothing."""

    def has_perm(self, user: Any, permission: str, obj: Any = None) -> bool:
        return False


class Router:
    """A router that leaves everything where it is."""
