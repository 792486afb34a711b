"""The last word of a child that did not do its job: why not, for those who wait and who mend it."""

from __future__ import annotations

import logging
import traceback
import uuid
from typing import Any

from bot.database.messages import RefusedHere
from bot.route.refusals import BrokenMigrations, DatabaseDown, LockHeld

logger = logging.getLogger(__name__)


def refused(refusal: Any) -> RefusedHere:
    """A refusal as a last word. Worth another try where something was only not there now."""
    return RefusedHere(
        code=refusal.code,
        sentence=refusal.sentence,
        retry=isinstance(refusal, (LockHeld, DatabaseDown)),
        detail="".join(traceback.format_exception(refusal.__cause__)) if refusal.__cause__ else "",
    )


def broken_before(kind: Any, error: BaseException) -> RefusedHere:
    """An error that nobody foresaw, before anything ran: a sentence, and a reference in the log."""
    reference = uuid.uuid4().hex[:8]
    logger.error("Reference %s: nothing was run.", reference, exc_info=error)
    refusal = kind(detail=_one_line(error), reference=reference)
    return RefusedHere(
        code=refusal.code,
        sentence=refusal.sentence,
        detail="".join(traceback.format_exception(error)),
    )


def does_not_start(error: Exception) -> RefusedHere:
    """The project's own code does not load: say where, for people who can mend it."""
    detail = f"the project does not start, {_one_line(error)}"
    if isinstance(error, SyntaxError) and error.filename:
        detail = f"{error.filename}, line {error.lineno} is not Python: {error.msg}"
    return RefusedHere(
        code=BrokenMigrations.code,
        sentence=BrokenMigrations(detail=detail).sentence,
        detail="".join(traceback.format_exception(error)),
    )


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
