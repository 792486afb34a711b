"""What every view of ours shares, whichever face it belongs to."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.db import connections, transaction
from django.http import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

View = Callable[..., HttpResponseBase]


def standing_apart(view: View) -> View:
    """Take a view out of what the project does around its own views.

    No transaction around a request: a target database that is locked or down must not stop a view
    that does not need it. No redirect by a sign-in middleware, and no CSRF check by middleware:
    each view of ours asks for the account, the signature or the token itself, always, and says in
    our own words what to do.
    """
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    apart: View = csrf_exempt(login_not_required(view))
    return apart
