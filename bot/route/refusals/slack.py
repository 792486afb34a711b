"""What is refused in Slack, on the way to it, and about links to it."""

from __future__ import annotations

from bot.route.refusals.base import Kind, Refused


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
