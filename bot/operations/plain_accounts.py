"""An account and its permission in one statement, where nothing but Django's own rule decides.

Django asks three times: the account, its own permissions, those of its groups; and each time it
builds the statement anew. Where the project has changed nothing about who may what, all of it is
one question that never changes. ``may_be_asked`` says whether that is so; everywhere else Django is
asked as ever. Nothing is remembered: each answer is as fresh as Django's own.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.manager import BaseManager

BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
"""The one backend whose rule this is."""
ROUTERS = frozenset({"bot.routers.StateRouter"})
"""Routers that leave the accounts where they are; another one may read them anywhere."""

FLAGS = ("is_active", "is_staff", "is_superuser")


def may_be_asked() -> bool:
    """Whether this project has Django's own rule and no other."""
    return (
        list(django_settings.AUTHENTICATION_BACKENDS) == BACKENDS
        and ROUTERS.issuperset(map(str, django_settings.DATABASE_ROUTERS))
        and _is_plain(get_user_model())
    )


@lru_cache(maxsize=4)
def _is_plain(model: Any) -> bool:
    """Whether this user model has Django's own permissions, and columns that mean what they say."""
    if not issubclass(model, PermissionsMixin) or model.has_perm is not PermissionsMixin.has_perm:
        return False
    manager = model._default_manager
    own = type(manager).get_queryset is BaseManager.get_queryset
    if not own or manager._queryset_class is not models.QuerySet:
        return False  # It may leave some accounts out.
    try:
        key, name = model._meta.pk, model._meta.get_field(model.USERNAME_FIELD)
        flags = [model._meta.get_field(flag) for flag in FLAGS]
        groups, own = (model._meta.get_field(each) for each in ("groups", "user_permissions"))
    except FieldDoesNotExist:
        return False
    columns = [key, name, *flags]
    return (
        all(column in model._meta.local_concrete_fields for column in columns)
        and not any(hasattr(column, "from_db_value") for column in columns)
        and isinstance(key, (models.IntegerField, models.UUIDField))
        and isinstance(name, models.CharField)
        and all(isinstance(flag, models.BooleanField) for flag in flags)
        and _is_plain_relation(groups, Group)
        and _is_plain_relation(own, Permission)
    )


def _is_plain_relation(relation: Any, to: type[models.Model]) -> bool:
    if not isinstance(relation, models.ManyToManyField) or relation.related_model is not to:
        return False
    through: Any = relation.remote_field.through
    return bool(through._meta.auto_created)


def find(accounts: Collection[str], permission: str) -> dict[str, tuple[Any, bool]]:
    """The users with these primary keys, and whether each has ``migration_bot.<permission>``.

    A key that is none, or that nobody has, is left out. The users are deferred instances. Raises
    database errors.
    """
    model: Any = get_user_model()
    connection = connections[DEFAULT_DB_ALIAS]
    keys = {account: _key(model, account, connection) for account in accounts}
    wanted = {key for key in keys.values() if key is not None}
    if not wanted:
        return {}
    prepared = [model._meta.pk.get_db_prep_value(key, connection) for key in wanted]
    marks = ", ".join(["%s"] * len(prepared))
    with connection.cursor() as cursor:
        statement = f"{_statement(model, connection.vendor)} ({marks})"
        cursor.execute(statement, ["migration_bot", permission, *prepared])
        rows = cursor.fetchall()
    found: dict[Any, tuple[Any, bool]] = {}
    columns = _columns(model)
    names = [column.attname for column in columns]
    for *values, has in rows:
        user = model.from_db(
            DEFAULT_DB_ALIAS,
            names,
            [column.to_python(value) for column, value in zip(columns, values, strict=True)],
        )
        granted = bool(user.is_active and (user.is_superuser or has))
        # One permission may stand there twice, under two models: either will do.
        _, before = found.get(user.pk, (user, False))
        found[user.pk] = (user, granted or before)
    return {account: found[key] for account, key in keys.items() if key in found}


def _key(model: Any, account: str, connection: Any) -> int | UUID | None:
    """The text as a primary key; None where nobody can have it."""
    field = model._meta.pk
    try:
        key: int | UUID = field.to_python(account)
        field.get_db_prep_value(key, connection)  # MySQL has no key 0.
    except (ValueError, ValidationError):
        return None
    if isinstance(field, models.IntegerField):
        low, high = connection.ops.integer_field_range(field.get_internal_type())
        if (low is not None and key < low) or (high is not None and key > high):
            return None
    return key


def _columns(model: Any) -> list[Any]:
    """In the order in which an instance takes them."""
    wanted = {model._meta.pk.name, model.USERNAME_FIELD, *FLAGS}
    return [column for column in model._meta.concrete_fields if column.name in wanted]


@lru_cache(maxsize=8)
def _statement(model: Any, vendor: str) -> str:
    """``_ASKED`` with this user model's names, in this vendor's quotation marks."""
    name = connections[DEFAULT_DB_ALIAS].ops.quote_name
    groups, own = model._meta.get_field("groups"), model._meta.get_field("user_permissions")
    given: Any = Group._meta.get_field("permissions")
    names = {
        "user": model._meta.db_table,
        "key": model._meta.pk.column,
        "own": own.m2m_db_table(),
        "own_user": own.m2m_column_name(),
        "own_permission": own.m2m_reverse_name(),
        "member": groups.m2m_db_table(),
        "member_user": groups.m2m_column_name(),
        "member_group": groups.m2m_reverse_name(),
        "given": given.m2m_db_table(),
        "given_group": given.m2m_column_name(),
        "given_permission": given.m2m_reverse_name(),
        "permission": Permission._meta.db_table,
        "type": ContentType._meta.db_table,
    }
    columns = ", ".join(f"account.{name(each.column)}" for each in _columns(model))
    quoted = {key: name(each) for key, each in names.items()}
    return _ASKED.format(columns=columns, **quoted)


_ASKED = """
SELECT {columns},
  EXISTS (
    SELECT 1 FROM {own} own
    WHERE own.{own_user} = account.{key} AND own.{own_permission} = wanted.id
  ) OR EXISTS (
    SELECT 1 FROM {member} member JOIN {given} given ON given.{given_group} = member.{member_group}
    WHERE member.{member_user} = account.{key} AND given.{given_permission} = wanted.id
  )
FROM {user} account LEFT JOIN (
    SELECT permission.id FROM {permission} permission
    JOIN {type} kind ON kind.id = permission.content_type_id
    WHERE kind.app_label = %s AND permission.codename = %s
  ) wanted ON 1 = 1
WHERE account.{key} IN"""
"""Its parameters: the app label and the codename, then the keys."""
