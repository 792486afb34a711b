"""The demo's accounts: one who asks, two who approve, and one who may do nothing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import Permission, User
from django.core.management.base import CommandError


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    staff: bool
    permissions: tuple[str, ...]
    words: str


APPROVER = ("approve_run", "freeze_runs", "override_findings")
"""Two of them: each approval of what a finding forbids has to override it."""
PEOPLE = (
    Person("robin", True, ("request_run",), "staff, may request"),
    Person("ada", True, APPROVER, "staff, may approve"),
    Person("grace", True, APPROVER, "staff, may approve"),
    Person("kim", False, (), "no staff: sees nothing"),
)


def create_people() -> dict[str, str]:
    """Create whoever is missing; the new names with their passwords, which are kept nowhere."""
    made = {}
    for person in PEOPLE:
        user, new = User.objects.get_or_create(
            username=person.name, defaults={"is_staff": person.staff}
        )
        if new:
            made[person.name] = secrets.token_urlsafe(9)
            user.set_password(made[person.name])
            user.save()
        user.user_permissions.add(*_permissions(person.permissions))
    return made


def _permissions(names: tuple[str, ...]) -> list[Permission]:
    found = Permission.objects.filter(content_type__app_label="migration_bot", codename__in=names)
    if len(missing := set(names) - {one.codename for one in found}):
        raise CommandError(
            f"The permissions {', '.join(sorted(missing))} do not exist. "
            "Run `manage.py migration_bot setup` first."
        )
    return list(found)
