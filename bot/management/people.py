"""Who acts at a command line: a staff account, and the operating-system user who names it."""

from __future__ import annotations

from datetime import datetime

from bot.database.osuser import os_user
from bot.operations import accounts
from bot.operations.changing import denials_recorded
from bot.route.people import Actor, Origin
from bot.route.refusals import AccountGone


def acting_as(name: str, *, wish: str, now: datetime, run: int | None = None) -> Actor:
    """The actor for ``--as name``; an account that is not there is refused, and audited as such.

    A shell can name any account, so the operating-system user is kept beside it, and two accounts
    from one login count as one person.
    """
    stranger = Actor(origin=Origin.COMMAND_LINE, name=name[:150], os_user=os_user())
    with denials_recorded(wish, actor=stranger, now=now, run=run):
        account = accounts.find_by_name(name)
        if account is None:
            raise AccountGone(account=name[:150])
    return Actor(
        origin=Origin.COMMAND_LINE, account=account.id, name=account.name, os_user=os_user()
    )
