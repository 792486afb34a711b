"""Live accounts: looked up at the moment of action, with only the columns that are needed.

The schema being behind the code is this product's normal state, so a pending migration on the
user model must not lock anybody out. Permissions are asked of Django's authentication backends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db import Error as DatabaseError

from bot.operations import plain_accounts
from bot.route.people import Actor
from bot.route.refusals import (
    AccountGone,
    AccountUnreadable,
    NotPermitted,
    NotSignedIn,
    NotStaff,
)

REQUEST, APPROVE, FREEZE = "request_run", "approve_run", "freeze_runs"
OVERRIDE = "override_findings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A live account as it stands now. ``user`` is a deferred instance: touch no other column."""

    id: str
    name: str
    is_active: bool
    is_staff: bool
    user: Any
    answered: Mapping[str, bool] = field(default_factory=dict)
    """Permissions that were asked for in the very statement that found the account."""

    def may(self, permission: str) -> bool:
        """Whether this account has ``migration_bot.<permission>`` now."""
        if permission in self.answered:
            return self.answered[permission]
        try:
            return bool(self.user.has_perm(f"migration_bot.{permission}"))
        except DatabaseError as error:
            raise AccountUnreadable(error=_first_line(error)) from error

    def having_answered(self, *permissions: str) -> Account:
        """The same account with these permissions asked for now, so that none is asked for later,
        while the audit's head is locked."""
        asked = {permission: self.may(permission) for permission in permissions}
        return replace(self, answered={**self.answered, **asked})

    @property
    def is_superuser(self) -> bool:
        """Whether it may do anything; a user model need not know the word."""
        return bool(getattr(self.user, "is_superuser", False))


def needed_columns(model: Any) -> list[str]:
    """The user model's columns that a decision rests on, as far as the model has them."""
    key = model._meta.pk.name
    names = []
    for name in (key, model.USERNAME_FIELD, "is_active", "is_staff", "is_superuser"):
        try:
            model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        names.append(name)
    return names


def _find(**lookup: Any) -> Account | None:
    model: Any = get_user_model()
    try:
        user = model._default_manager.only(*needed_columns(model)).filter(**lookup).first()
    except (ValueError, ValidationError):
        return None
    except DatabaseError as error:
        raise AccountUnreadable(error=_first_line(error)) from error
    return None if user is None else _account(user)


def _account(user: Any, **answered: bool) -> Account:
    return Account(
        id=str(user.pk),
        name=user.get_username(),
        is_active=bool(getattr(user, "is_active", False)),
        is_staff=bool(getattr(user, "is_staff", False)),
        user=user,
        answered=answered,
    )


def find_by_id(account: str) -> Account | None:
    return _find(pk=account)


def find_asking(accounts: Collection[str], permission: str) -> dict[str, Account]:
    """Those of these accounts that there are, by their ids, to be asked for this permission.

    Where the project has Django's own rule and no other, both are one statement for all of them.
    """
    if not are_plain():
        each = {account: find_by_id(account) for account in accounts}
        return {account: found for account, found in each.items() if found is not None}
    try:
        users = plain_accounts.find(accounts, permission)
    except DatabaseError as error:
        raise AccountUnreadable(error=_first_line(error)) from error
    return {account: _account(user, **{permission: may}) for account, (user, may) in users.items()}


def are_plain() -> bool:
    """Whether Django's own rule alone says who may what, so that anybody may ask for anybody."""
    return plain_accounts.may_be_asked()


def find_by_name(name: str) -> Account | None:
    """The account with this user name, whatever field the user model uses for it."""
    model: Any = get_user_model()
    return _find(**{model.USERNAME_FIELD: name})


def find_by_email(email: str) -> Account | None:
    """The one account with this address; None when there is none, or more than one."""
    model: Any = get_user_model()
    field = getattr(model, "EMAIL_FIELD", "email")
    if not email:
        return None
    try:
        found = model._default_manager.only(*needed_columns(model)).filter(
            **{f"{field}__iexact": email}
        )[:2]
        users = list(found)
    except FieldError:
        return None
    except DatabaseError as error:
        raise AccountUnreadable(error=_first_line(error)) from error
    return find_by_id(str(users[0].pk)) if len(users) == 1 else None


def require_staff(actor: Actor) -> Account:
    """The actor's live staff account, or a refusal. The first question of every operation."""
    return check_staff(actor, find_by_id(actor.account) if actor.account else None)


def require(actor: Actor, permission: str) -> Account:
    """The actor's live staff account with this permission, or a refusal.

    To be asked before the audit's head is locked: a run may hold the users' table for long, and
    whoever waits for that while the head is theirs holds up everybody.
    """
    asked = [actor.account] if actor.account else []
    return check(actor, find_asking(asked, permission).get(actor.account), permission)


def check_staff(actor: Actor, account: Account | None) -> Account:
    """What was just found for this actor as a live staff account, or a refusal."""
    if not actor.account:
        raise NotSignedIn()
    if account is None or not account.is_active:
        raise AccountGone(account=actor.name or actor.account)
    if not account.is_staff:
        raise NotStaff(name=account.name)
    return account


def check(actor: Actor, account: Account | None, permission: str) -> Account:
    """As ``check_staff``, and it has this permission."""
    account = check_staff(actor, account)
    if not account.may(permission):
        raise NotPermitted(name=account.name, permission=f"migration_bot.{permission}")
    return account


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
