"""Refusals: each class's docstring is the sentence a person reads: what, why, what now.

Names in braces are facts given to the constructor. Codes are stored names.
"""

from __future__ import annotations

import inspect
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What sort of no it is; each face has one way to say each kind (a status, an exit code)."""

    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


class Refused(Exception):
    """That is refused."""

    code: ClassVar[str] = "refused"
    kind: ClassVar[Kind] = Kind.FORBIDDEN

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The docstring with its facts filled in, on one line."""
        text = " ".join(inspect.cleandoc(type(self).__doc__ or "").split())
        return text.format(**self.facts)


# Who


class NotSignedIn(Refused):
    """You are not signed in. Sign in with a staff account and try again."""

    code = "not_signed_in"


class AccountGone(Refused):
    """The account {account} does not exist or is not active. Ask an administrator."""

    code = "account_gone"


class NotStaff(Refused):
    """{name} is not a staff account, and only staff may use the migration route.
    Ask an administrator to set "staff status" on it."""

    code = "not_staff"


class NotPermitted(Refused):
    """{name} lacks the permission {permission}. Ask an administrator for it."""

    code = "not_permitted"


class AccountUnreadable(Refused):
    """The accounts could not be read ({error}), so nobody can be recognised.
    Nothing was changed; mend the users' database and try again."""

    code = "account_unreadable"
    kind = Kind.UNAVAILABLE


class FormNotTrusted(Refused):
    """That form could not be trusted: it is too old, or cookies are switched off.
    Nothing was changed; load the page again, allow its cookies, and send it once more."""

    code = "form_not_trusted"


class OwnRequest(Refused):
    """You asked for run {run} yourself, so somebody else has to approve it."""

    code = "own_request"


class SameLogin(OwnRequest):
    """Run {run} was asked for from this same login ({login}), and a shell can name any account.
    Approve it from a login of your own, or on the staff page."""

    code = "same_login"


class CommandLineNotTrusted(Refused):
    """Run {run} was not asked for at a command line, and a shell can name any account.
    Decide on it on the staff page or in Slack, where it is known who you are."""

    code = "command_line_not_trusted"


class FindingForbids(Refused):
    """Run {run} cannot be approved as it is ({codes}). {because} Mend that and plan again; or
    somebody with the permission migration_bot.override_findings approves in spite of it, with a
    reason."""

    code = "finding_forbids"


class OwnOverride(Refused):
    """You asked for run {run} yourself, so somebody else has to decide if it runs in spite of
    {codes}."""

    code = "own_override"


class AlreadyDecided(Refused):
    """You have already decided on run {run} ({verdict}); one person counts once."""

    code = "already_decided"
    kind = Kind.CONFLICT


# What


class RunNotFound(Refused):
    """There is no run {run}. See the history for the runs there are."""

    code = "run_not_found"
    kind = Kind.UNKNOWN


class PlanNotFound(Refused):
    """There is no such plan any more. Make a new plan and go on from there."""

    code = "plan_not_found"
    kind = Kind.UNKNOWN


class PlanNotReady(Refused):
    """That plan is not ready yet. Wait for it, then ask for it again."""

    code = "plan_not_ready"
    kind = Kind.CONFLICT


class TooManyPlans(Refused):
    """You already wait for {number} plans. Wait until one of them is made, then ask again."""

    code = "too_many_plans"
    kind = Kind.CONFLICT


class TooManyRehearsals(Refused):
    """You already wait for {number} rehearsals, and each takes a worker a while. Wait until one of
    them has ended, then ask again."""

    code = "too_many_rehearsals"
    kind = Kind.CONFLICT


class WrongState(Refused):
    """Run {run} is {state}, so it cannot be {action} any more. Nothing was changed."""

    code = "wrong_state"
    kind = Kind.CONFLICT


class ReasonNeeded(Refused):
    """A reason is needed: one sentence for the people who read the history."""

    code = "reason_needed"
    kind = Kind.INVALID


class ReasonTooLong(Refused):
    """The reason is {length} characters long; at most {limit} are kept. Shorten it."""

    code = "reason_too_long"
    kind = Kind.INVALID


class TimeNotUnderstood(Refused):
    """ "{text}" is not a time that can be used: {because}. Write 02:00 or 2026-12-24T02:00Z."""

    code = "time_not_understood"
    kind = Kind.INVALID


class InputNotUnderstood(Refused):
    """What was sent cannot be used: {because}. Nothing was changed; correct it and try again."""

    code = "input_not_understood"
    kind = Kind.INVALID


class TargetNotUnderstood(Refused):
    """ "{text}" names nothing that can be planned. Write nothing for everything that is pending,
    an app (shop), or an app and a migration (shop 0007)."""

    code = "target_not_understood"
    kind = Kind.INVALID


class Frozen(Refused):
    """{database} is frozen by {owner} since {since}: {reason}. Ask {owner} to end the freeze."""

    code = "frozen"
    kind = Kind.CONFLICT


class AlreadyRequested(Refused):
    """Run {run} already asks for exactly this plan and is {state}. Go on with that one."""

    code = "already_requested"
    kind = Kind.CONFLICT


# Planning


class UnknownDatabase(Refused):
    """There is no database {database}. Known here: {known}."""

    code = "unknown_database"
    kind = Kind.INVALID


class DatabaseNotRouted(Refused):
    """The database {database} is not one that this bot may migrate. It may migrate: {known}.
    The setting "databases" says which."""

    code = "database_not_allowed"
    kind = Kind.FORBIDDEN


class UnknownApp(Refused):
    """There is no app {app}.{nearest} `migrate` knows the app labels of INSTALLED_APPS."""

    code = "unknown_app"
    kind = Kind.INVALID


class AppWithoutMigrations(Refused):
    """The app {app} has no migrations. Nothing can be planned for it; name another app."""

    code = "app_without_migrations"
    kind = Kind.INVALID


class OwnTables(Refused):
    """The bot's own tables are not moved by a run. Use `manage.py migration_bot setup`."""

    code = "own_tables"
    kind = Kind.INVALID


class UnknownMigration(Refused):
    """The app {app} has no migration {name}.{nearest} See `plan {app}` for the pending ones."""

    code = "unknown_migration"
    kind = Kind.INVALID


class AmbiguousPrefix(Refused):
    """{name} fits more than one migration of {app}: {matches}. Write more of the name."""

    code = "ambiguous_prefix"
    kind = Kind.INVALID


class ConflictingLeaves(Refused):
    """There is more than one last migration in {apps}. Run `makemigrations --merge`, deploy that,
    and plan again."""

    code = "conflicting_leaves"
    kind = Kind.CONFLICT


class InconsistentHistory(Refused):
    """The history of {database} is inconsistent: {detail}. Nothing can be planned on it.
    Deploy the migration that is missing or mend django_migrations by hand, then plan again."""

    code = "inconsistent_history"
    kind = Kind.CONFLICT


class BrokenMigrations(Refused):
    """The migrations could not be loaded: {detail}. Deploy code that loads, then plan again."""

    code = "broken_migrations"
    kind = Kind.CONFLICT


class DatabaseDown(Refused):
    """The database {database} does not answer: {detail}. Nothing was changed; try again when it
    is back."""

    code = "database_down"
    kind = Kind.UNAVAILABLE


class EmptyPlan(Refused):
    """Nothing is pending for {target} on {database}, so there is nothing to run."""

    code = "empty_plan"
    kind = Kind.CONFLICT


class PlanningFailed(Refused):
    """The plan could not be made: {detail}. Nothing was changed. Reference {reference}."""

    code = "planning_failed"
    kind = Kind.UNAVAILABLE


class RehearsalFailed(Refused):
    """The rehearsal broke off: {detail}. Nothing was changed on the database itself. Rehearse it
    once more; if that breaks off too, the worker's log has why under {reference}."""

    code = "rehearsal_failed"
    kind = Kind.UNAVAILABLE


class ToldElsewhere(Refused):
    """{sentence}"""

    def __init__(self, *, code: str, sentence: str) -> None:
        """A refusal that another process raised, and of which its code and sentence came here."""
        super().__init__(sentence=sentence)
        self.code = code  # type: ignore[misc]


# Running


class LockHeld(Refused):
    """{database} is being migrated by {holder}. Only one may; wait until it has ended, then try
    again."""

    code = "lock_held"
    kind = Kind.CONFLICT


class LockImpossible(Refused):
    """{database} cannot be locked: {because}. {remedy}"""

    code = "lock_impossible"
    kind = Kind.UNAVAILABLE


class RunNotBegun(Refused):
    """The run could not begin: {detail}. Nothing was changed. Reference {reference}."""

    code = "run_not_begun"
    kind = Kind.UNAVAILABLE


class CodeChanged(Refused):
    """The code changed on disk while it was being loaded ({what}). Nothing was run; try again
    when the deploy has ended."""

    code = "code_changed"
    kind = Kind.CONFLICT


class PlanOutOfDate(Refused):
    """The plan for {database} is out of date: {changes} Nothing was changed; run migrate again."""

    code = "plan_out_of_date"
    kind = Kind.CONFLICT


class DataSaysNo(Refused):
    """{because} That was not known when it was approved. Nothing had been run; mend the data, then
    plan and ask for it again."""

    code = "data_says_no"
    kind = Kind.CONFLICT


class LockLost(Refused):
    """The lock of {database} was lost ({because}), so no further step is started. What was applied
    stays; look at the database before you ask again."""

    code = "lock_lost"
    kind = Kind.UNAVAILABLE


class SetupNeeded(Refused):
    """The bot's own tables are missing or old. Run `manage.py migration_bot setup` first."""

    code = "setup_needed"
    kind = Kind.UNAVAILABLE


class WorkerMissing(Refused):
    """No worker has been seen for {seconds} s, so nothing would run. Start one with
    `manage.py migration_bot worker`."""

    code = "worker_missing"
    kind = Kind.UNAVAILABLE


# At the command line


class SetupFailed(Refused):
    """The bot's own tables on {database} could not be made ({error}). {remedy}"""

    code = "setup_failed"
    kind = Kind.UNAVAILABLE


class FileNotWritten(Refused):
    """The file {path} could not be written ({error}). Name another place for it."""

    code = "file_not_written"
    kind = Kind.INVALID


# Slack


class CommandUnknown(Refused):
    """There is no command "{typed}". {meant}Usage: {usage} - and `/migrate help` lists them all."""

    code = "command_unknown"
    kind = Kind.INVALID


class CommandUnreadable(Refused):
    """That could not be read: {because} Usage: {usage} - `/migrate help` lists all commands."""

    code = "command_unreadable"
    kind = Kind.INVALID


class NotLinked(Refused):
    """Your Slack account is not tied to a staff account yet. Type `/migrate link` first."""

    code = "not_linked"


class SlackBarred(Refused):
    """This Slack account cannot use the migration bot ({flag}). Full members of the workspace with
    a staff account can; ask one of them, or use the staff page."""

    code = "slack_barred"


class SlackUnsure(Refused):
    """Slack could not be asked who you are just now, so nothing was done. Try again in a minute, or
    use the staff page."""

    code = "slack_unsure"
    kind = Kind.UNAVAILABLE


class SlackTooLate(Refused):
    """That came to a worker over half an hour after you asked, so nothing was done. Ask again if
    you still want it."""

    code = "slack_too_late"
    kind = Kind.UNAVAILABLE


class LinkCodeUnusable(Refused):
    """That link is used up, too old, or was never given. Type `/migrate link` for a new one."""

    code = "link_code_unusable"
    kind = Kind.CONFLICT


class LinkNotFound(Refused):
    """There is no live link to end. Nothing was changed."""

    code = "link_not_found"
    kind = Kind.UNKNOWN


class NotForAdministrators(Refused):
    """Only superusers may end somebody else's link. Ask one of them."""

    code = "not_administrator"


class SocketNeedsToken(Refused):
    """Socket Mode needs SLACK_APP_TOKEN (xapp-, with the scope connections:write) and
    SLACK_BOT_TOKEN. Set both and start it again."""

    code = "socket_needs_token"
    kind = Kind.INVALID
