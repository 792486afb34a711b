"""What is refused at the command line alone."""

from __future__ import annotations

from bot.route.refusals.base import Kind, Refused


class SetupFailed(Refused):
    """The bot's own tables on {database} could not be made ({error}). {remedy}"""

    code = "setup_failed"
    kind = Kind.UNAVAILABLE


class FileNotWritten(Refused):
    """The file {path} could not be written ({error}). Name another place for it."""

    code = "file_not_written"
    kind = Kind.INVALID
