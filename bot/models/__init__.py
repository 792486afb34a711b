"""The bot's own tables. They keep ids and names of the host's people, never foreign keys.

``plans`` has plans, rehearsals and recorded work; ``runs`` runs and decisions; ``audit`` entries,
their head and the tally of denials; ``deliveries`` what goes to Slack, and its channels; ``slack``
who asks from there, and what; ``operating`` freezes and workers.
"""

from bot.models.audit import AuditEntry, AuditHead, DenialTally
from bot.models.deliveries import Delivery, SlackChannel
from bot.models.operating import Freeze, Worker
from bot.models.plans import RecordedWork, StoredPlan, StoredRehearsal
from bot.models.runs import Decision, Run
from bot.models.slack import Link, LinkCode, SeenRequest, SlackCall, SlackPerson

__all__ = [
    "AuditEntry",
    "AuditHead",
    "Decision",
    "Delivery",
    "DenialTally",
    "Freeze",
    "Link",
    "LinkCode",
    "RecordedWork",
    "Run",
    "SeenRequest",
    "SlackCall",
    "SlackChannel",
    "SlackPerson",
    "StoredPlan",
    "StoredRehearsal",
    "Worker",
]
