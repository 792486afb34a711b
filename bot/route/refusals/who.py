"""Who asks or decides is not known, or may not, or may not this time."""

from __future__ import annotations

from bot.route.refusals.base import Kind, Refused


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
