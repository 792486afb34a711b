"""Who is this request? Answered from the session, without loading a whole user.

``request.user`` loads every column of the user model, and so fails while a migration of that model
is pending, which is when this page is needed. The rules are those of django.contrib.auth.get_user:
the backend must still be configured, and the session's hash must fit the password as it is now.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import Error as DatabaseError
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from bot.route.people import Actor, Origin
from bot.route.refusals import AccountUnreadable, NotSignedIn


def actor_of(request: HttpRequest) -> Actor:
    """The person whose session this is. Operations look the account up again and decide.

    Raises NotSignedIn, or AccountUnreadable when sessions or accounts cannot be read.
    """
    session: Any = getattr(request, "session", None)
    if session is None:
        raise NotSignedIn()
    try:
        key, backend = session.get(SESSION_KEY), session.get(BACKEND_SESSION_KEY)
        if not key or backend not in django_settings.AUTHENTICATION_BACKENDS:
            raise NotSignedIn()
        user = _bare_user(key)
        if user is None or not _is_signed_by(session.get(HASH_SESSION_KEY), user):
            raise NotSignedIn()
        return Actor(origin=Origin.PAGE, account=str(user.pk), name=user.get_username())
    except DatabaseError as error:
        words = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise AccountUnreadable(error=words) from error


def _bare_user(key: str) -> Any | None:
    """The user with its name and password hash, every other column left in the database."""
    model: Any = get_user_model()
    columns = {model._meta.pk.name, model.USERNAME_FIELD}
    try:
        model._meta.get_field("password")
        columns.add("password")
    except FieldDoesNotExist:
        pass
    try:
        pk = model._meta.pk.to_python(key)
        return model._default_manager.only(*columns).filter(pk=pk).first()
    except (ValueError, ValidationError):
        return None


def _is_signed_by(given: str | None, user: Any) -> bool:
    """Whether the session was made with the password that the account has now.

    After a change of SECRET_KEY the hashes made with its fallbacks count too.
    """
    if not hasattr(user, "get_session_auth_hash"):
        return True
    if not given:
        return False
    hashes = [user.get_session_auth_hash()]
    if hasattr(user, "get_session_auth_fallback_hash"):
        hashes += user.get_session_auth_fallback_hash()
    return any(constant_time_compare(given, one) for one in hashes)
