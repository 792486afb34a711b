"""Plans and people for tests that need one but do not care how it was made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from bot.route.basis import Basis, BasisStep
from bot.route.findings import Finding, Risk
from bot.route.people import Actor, Origin
from bot.route.plan import Belief, Direction, Operation, Plan, Statement, Step, Target

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def a_step(
    app: str = "shop", name: str = "0002_more", *, risk: Risk = Risk.SAFE, **fields: Any
) -> Step:
    operation = Operation(
        kind="AddField",
        words="Add field note to order",
        statements=(
            Statement(sql='ALTER TABLE "shop_order" ADD "note" text NULL', belief=Belief.EXACT),
        ),
    )
    finding = Finding(code="test", level=risk, because="The test says so.")
    given = {"operations": (operation,), "findings": (finding,), "direction": Direction.FORWARD}
    return Step(app=app, name=name, **{**given, **fields})


def a_plan(
    *steps: Step, database: str = "default", digest: str = "d" * 64, release: str = ""
) -> Plan:
    """A plan over ``steps`` (one harmless step when none is given)."""
    steps = steps or (a_step(),)
    return Plan(
        database=database,
        vendor="sqlite",
        target=Target(),
        basis=Basis(
            identity="sqlite:test",
            steps=tuple(
                BasisStep(key=s.key, direction=str(s.direction), digest=digest) for s in steps
            ),
            rests_on=("shop.0001_initial",),
            release=release,
        ),
        steps=steps,
        made_at=NOW,
        release=release,
    )


def an_account(
    name: str, *permissions: str, staff: bool = True, active: bool = True, superuser: bool = False
) -> Any:
    """A user with these ``migration_bot`` permissions."""
    user = get_user_model().objects.create_user(
        name, password=name, is_staff=staff, is_active=active, is_superuser=superuser
    )
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="migration_bot", codename__in=permissions)
    )
    return user


def acting(user: Any, origin: Origin = Origin.PAGE, **marks: str) -> Actor:
    """The actor that a face makes of this user."""
    return Actor(origin=origin, account=str(user.pk), name=user.get_username(), **marks)
