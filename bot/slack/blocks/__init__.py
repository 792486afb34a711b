"""What Slack shows: pure functions of values. Neither Django nor Bolt, no clock, no network.

Each message is within Slack's limits whatever text it is given, calls nobody from inside data, and
says everything in ``text`` too, for screen readers and notifications.
"""

from bot.slack.blocks.audit import audit_message
from bot.slack.blocks.fallback import plain_fallback, text_only
from bot.slack.blocks.from_plan import sql_of, steps_of
from bot.slack.blocks.home import home_view
from bot.slack.blocks.limits import problems
from bot.slack.blocks.lists import history_message, status_message
from bot.slack.blocks.modals import notice_modal, override_modal, reject_modal, request_modal
from bot.slack.blocks.plan import plan_details, plan_message, plan_rehearsal, plan_sql
from bot.slack.blocks.replies import (
    help_message,
    link_message,
    notice,
    reason_message,
    refusal_message,
    whoami_message,
)
from bot.slack.blocks.run import run_message
from bot.slack.blocks.standing import approved_words
from bot.slack.blocks.thread import (
    failure_broadcast,
    run_details,
    run_rehearsal,
    run_result,
    run_sql,
)

__all__ = [
    "approved_words",
    "audit_message",
    "failure_broadcast",
    "help_message",
    "history_message",
    "home_view",
    "link_message",
    "notice",
    "notice_modal",
    "override_modal",
    "plain_fallback",
    "plan_details",
    "plan_message",
    "plan_rehearsal",
    "plan_sql",
    "problems",
    "reason_message",
    "refusal_message",
    "reject_modal",
    "request_modal",
    "run_details",
    "run_message",
    "run_rehearsal",
    "run_result",
    "run_sql",
    "sql_of",
    "status_message",
    "steps_of",
    "text_only",
    "whoami_message",
]
