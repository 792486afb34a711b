"""Plans and people for tests that need one but do not care how it was made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from bot.route.basis import Basis, BasisStep
from bot.route.data_checks import Checked
from bot.route.findings import Evidence, Finding, Risk
from bot.route.people import Actor, Origin
from bot.route.plan import Belief, Direction, Operation, Plan, Statement, Step, Target
from bot.route.rehearsal import Outcome, Rehearsal, RehearsedStep

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
    *steps: Step,
    database: str = "default",
    digest: str = "d" * 64,
    release: str = "",
    checks: tuple[Checked, ...] = (),
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
        checks=checks,
    )


def a_rehearsal(
    plan: Plan, *findings: Finding, because: str = "", steps: Any = None, **fields: Any
) -> Rehearsal:
    """A rehearsal in which every step worked, and ``findings`` were found at the first one."""
    worked = tuple(
        RehearsedStep(key=step.key, outcome=Outcome.WORKS, milliseconds=12, undo=Outcome.WORKS)
        for step in plan.steps
    )
    found = (findings, *(() for _ in plan.steps[1:]))
    given: dict[str, Any] = {
        "steps": () if because else worked if steps is None else steps,
        "findings": () if because else found,
        "where": "a file beside it",
        "schema_from": "Django's own state",
        "milliseconds": 1234,
        "notes": ("Measured on a copy.",),
    }
    return Rehearsal(
        fingerprint=plan.fingerprint,
        database=plan.database,
        vendor=plan.vendor,
        made_at=NOW,
        because=because,
        **{**given, **fields},
    )


def measured(level: Risk, code: str = "measured_test", **fields: Any) -> Finding:
    """A finding with the evidence that only a rehearsal gives."""
    because = "The rehearsal says so."
    return Finding(code=code, level=level, because=because, evidence=Evidence.MEASURED, **fields)


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
