"""Asking for a plan: one row and a wake. Many who ask at the same moment share the statements."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import DatabaseError, connections, models, transaction

from bot.conf import get_settings
from bot.models import StoredPlan
from bot.operations import accounts
from bot.operations.accounts import Account
from bot.operations.changing import denials_recorded, setup_asked_for
from bot.operations.planning import MAKE_PLAN, WAITING_LIMIT, check_database, check_target
from bot.operations.requesting import check_reason, check_run_after
from bot.route.people import Actor
from bot.route.plan import Target
from bot.route.refusals import Refused, TooManyPlans
from bot.route.text import storable
from bot.rows import Query, insert, select
from bot.together import Together
from bot.waking import as_rows, wake

logger = logging.getLogger("migration_bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for, whoever asks: see ``ask_for_plan``. ``purpose`` is one of StoredPlan's."""

    database: str
    target: str
    purpose: str
    reason: str = ""
    run_after: datetime | None = None
    reply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for."""

    actor: Actor
    wanted: Wanted
    now: datetime

    def row(self, account: Account | None) -> StoredPlan:
        """As it is kept, once nothing of it can be refused at once. ``account`` is the actor's."""
        wanted, reason = self.wanted, self.wanted.reason
        if wanted.purpose == StoredPlan.LOOK:
            accounts.check_staff(self.actor, account)
        else:
            accounts.check(self.actor, account, accounts.REQUEST)
        if wanted.purpose == StoredPlan.REQUEST:
            reason = check_reason(reason)
            check_run_after(wanted.run_after, now=self.now)
        check_database(wanted.database)
        parsed = check_target(wanted.target)
        return StoredPlan(
            database=wanted.database,
            target="" if parsed == Target() else storable(str(parsed))[:300],
            purpose=wanted.purpose,
            actor=self.actor.to_json(),
            reason=reason,
            run_after=wanted.run_after,
            reply_to=wanted.reply_to,
            asked_at=self.now,
        )


def ask_for_plan(
    *,
    actor: Actor,
    database: str,
    target: str,
    now: datetime,
    request: bool = False,
    rehearse: bool = False,
    reason: str = "",
    run_after: datetime | None = None,
    reply_to: str = "",
) -> StoredPlan:
    """Keep the wish for a plan and wake a worker. With ``request``, the finished plan is requested
    in the same breath, with ``reason``; with ``rehearse`` it is rehearsed. What can be refused at
    once is refused at once.

    One row is written, by itself: it moves no run and is not audited, so it takes no part in the
    queue for the audit's head, where Slack's three seconds would pass. Whoever asks is asked about
    again when the plan is requested. Asked the same again while it still waits, it is the same
    plan; and one person has at most ``WAITING_LIMIT`` that wait.
    """
    purpose = StoredPlan.LOOK
    if request or rehearse:
        purpose = StoredPlan.REQUEST if request else StoredPlan.REHEARSE
    wanted = Wanted(
        database=database,
        target=target,
        purpose=purpose,
        reason=reason,
        run_after=run_after,
        reply_to=reply_to,
    )
    with refusals_recorded(wanted, actor=actor, now=now), setup_asked_for():
        # A project's own rule for who may what is asked in the thread of whom it concerns.
        wish = Wish(actor=actor, wanted=wanted, now=now)
        kept = _asking.do(wish, alone=not accounts.are_plain())
    kept.see_woken()
    return kept.plan


_NAMES = {
    StoredPlan.LOOK: "plan.make",
    StoredPlan.REQUEST: "run.request",
    StoredPlan.REHEARSE: "plan.rehearse",
}


def refusals_recorded(
    wanted: Wanted, *, actor: Actor, now: datetime
) -> AbstractContextManager[None]:
    """Audit it when what was asked for is refused within."""
    return denials_recorded(_NAMES[wanted.purpose], actor=actor, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A plan that waits for a worker; ``woken`` says whether one is woken for it already."""

    plan: StoredPlan
    woken: bool

    def see_woken(self) -> None:
        """For the thread of whoever wished: an engine may take seconds, and those whose wishes were
        done with this one are not to wait for it."""
        if not self.woken:
            wake(MAKE_PLAN, self.plan.pk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What becomes of wishes: for each, in their order, its plan or what refuses it."""

    answers: Sequence[StoredPlan | Refused]
    to_keep: Sequence[StoredPlan]
    """Those of the plans that do not wait already."""

    def keep(self, *others: Sequence[models.Model]) -> Sequence[Kept | Refused]:
        """Write them, with rows of others, in one transaction; what each is answered.

        Where a wake is a row in the same database it is one of these.
        """
        using = get_settings().state_database
        keys = [row.pk for row in self.to_keep]
        wakes = as_rows(MAKE_PLAN, *keys, using=using) if keys else None
        if wakes is not None:
            try:
                insert(*others, self.to_keep, wakes.rows, using=using)
            except DatabaseError as error:  # Of whatever kind: if it was not the wakes, it is back.
                logger.info("the wakes could not be written with the plans: %s", error)
            else:
                transaction.on_commit(wakes.written, using=using)
                return self._answered(frozenset())
        insert(*others, self.to_keep, using=using)
        return self._answered(frozenset(keys))

    def _answered(self, unwoken: Collection[Any]) -> Sequence[Kept | Refused]:
        return [
            each if isinstance(each, Refused) else Kept(plan=each, woken=each.pk not in unwoken)
            for each in self.answers
        ]


NOTHING = Weighed(answers=(), to_keep=())


def waiting_query() -> Query:
    """What asks for the plans that wait for a worker now."""
    using = get_settings().state_database
    return _waiting_statement(using, connections[using].vendor), [StoredPlan.WAITING]


def weigh(wishes: Sequence[Wish], waiting_rows: Sequence[tuple[Any, ...]]) -> Weighed:
    """Ask who may. ``waiting_rows`` is what ``waiting_query`` gave. Each is treated as if those
    before it had come before it. It only reads."""
    waiting = _Waiting(waiting_rows)
    asking = {wish.actor.account for wish in wishes if wish.actor.account}
    found = accounts.find_asking(asking, accounts.REQUEST)
    answers: list[StoredPlan | Refused] = []
    kept: list[StoredPlan] = []
    for wish in wishes:
        try:
            row = wish.row(found.get(wish.actor.account))
            twin = waiting.twin(row)
        except Refused as refused:
            answers.append(refused)
            continue
        answers.append(twin or row)
        if twin is None:
            waiting.add(row)
            kept.append(row)
    return Weighed(answers=answers, to_keep=kept)


def _ask_all(wishes: Sequence[Wish]) -> Sequence[Kept | Exception]:
    """Keep those that nothing refuses."""
    (waiting,) = select(waiting_query(), using=get_settings().state_database)
    return weigh(wishes, waiting).keep()


_asking: Together[Wish, Kept] = Together(_ask_all)

_SAME = ("actor", "database", "target", "purpose", "reason", "run_after")
"""Wishes that agree in these are one."""


class _Waiting:
    """The plans that wait for a worker, as they stand now, by who waits for them."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._plans: dict[str, list[StoredPlan]] = {}
        self._using = get_settings().state_database
        self._rows = rows

    def twin(self, wished: StoredPlan) -> StoredPlan | None:
        """The plan that this person already waits for and that would be the same; or TooManyPlans.

        A plan costs a worker seconds, and looking takes no permission but a staff account.
        """
        theirs = self._of(wished.actor["account"])
        for one in theirs:
            if all(getattr(one, name) == getattr(wished, name) for name in _SAME):
                return one
        if len(theirs) >= WAITING_LIMIT:
            raise TooManyPlans(number=len(theirs))
        return None

    def add(self, row: StoredPlan) -> None:
        """This one will wait, too."""
        self._of(row.actor["account"]).append(row)

    def _of(self, account: str) -> list[StoredPlan]:
        if account not in self._plans:
            # Others may wait for hundreds: only what may be theirs is read. PostgreSQL gives JSON
            # without the escapes that Python writes.
            names = {json.dumps(account), json.dumps(account, ensure_ascii=False)}
            self._plans[account] = [
                self._plan(row)
                for row in self._rows
                if any(name in row[_ACTOR] for name in names)
                and json.loads(row[_ACTOR])["account"] == account
            ]
        return self._plans[account]

    def _plan(self, row: tuple[Any, ...]) -> StoredPlan:
        connection = connections[self._using]
        values = [
            column.from_db_value(value, None, connection)
            if hasattr(column, "from_db_value")
            else column.to_python(value)
            for column, value in zip(_COLUMNS, row, strict=True)
        ]
        return StoredPlan.from_db(self._using, [column.attname for column in _COLUMNS], values)


_COLUMNS: list[Any] = [
    column for column in StoredPlan._meta.concrete_fields if column.name in ("id", *_SAME)
]
_ACTOR = [column.name for column in _COLUMNS].index("actor")


@lru_cache(maxsize=8)
def _waiting_statement(using: str, vendor: str) -> str:
    name = connections[using].ops.quote_name
    columns = ", ".join(name(column.column) for column in _COLUMNS)
    table = name(StoredPlan._meta.db_table)
    return f"SELECT {columns} FROM {table} WHERE {name('state')} = %s"  # noqa: S608 - our names
