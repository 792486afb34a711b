"""Every misconfiguration the bot knows: its id, what is wrong, what to do. No id is reused.

``docs/checks.md`` is made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.checks import CheckMessage, Error, Warning

from bot.conf import NOT_A_DICTIONARY, WRONG_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``id`` begins with E for an error, which stops every command, and W for a warning.

    ``message`` and ``hint`` are sentences; names in braces are facts of the finding.
    """

    id: str
    message: str
    hint: str

    def found(self, **facts: object) -> CheckMessage:
        """This row as Django's message."""
        kind = Error if self.id.startswith("E") else Warning
        return kind(
            self.message.format(**facts),
            hint=self.hint.format(**facts),
            id=f"migration_bot.{self.id}",
        )


ROWS = {
    row.id: row
    for row in (
        # The settings themselves
        Row(
            id="E001",
            message=NOT_A_DICTIONARY,
            hint='Write MIGRATION_BOT = {{"state_database": "default"}}, or leave it out.',
        ),
        Row(
            id="E002",
            message="MIGRATION_BOT has a key {key!r}, which does not exist.{nearest}",
            hint="Correct or remove it: a misspelt safeguard is a safeguard that is off.",
        ),
        Row(
            id="E003",
            message=WRONG_TYPE,
            hint="docs/settings.md has each key with its type.",
        ),
        Row(
            id="E004",
            message='MIGRATION_BOT["{key}"] is {value}; it must be {wanted}.',
            hint="docs/settings.md has each key with its meaning.",
        ),
        Row(
            id="E005",
            message='MIGRATION_BOT["approvals"] says {value} for {level!r}.',
            hint="Give a whole number from 1 to 20 for safe, caution and dangerous: a run that "
            "nobody has to approve is a plain migrate.",
        ),
        Row(
            id="E006",
            message='MIGRATION_BOT["approvals_by_code"] says {value} for {code!r}.',
            hint="Give a whole number from 1 to 20.",
        ),
        Row(
            id="E007",
            message='MIGRATION_BOT["approvals_by_code"] names {code!r}, which no finding has.'
            "{nearest}",
            hint="docs/risks.md has every code.",
        ),
        Row(
            id="E008",
            message='MIGRATION_BOT["forbidden"] names {code!r}, which no finding has.{nearest}',
            hint="docs/risks.md has every code.",
        ),
        Row(
            id="W001",
            message='MIGRATION_BOT["approvals"] says nothing for {levels}; {numbers} taken.',
            hint="Name all three of safe, caution and dangerous, so that nobody has to guess.",
        ),
        Row(
            id="W002",
            message='MIGRATION_BOT["self_approval"] is on: people may approve their own requests.',
            hint="Turn it off where more than one person can approve.",
        ),
        Row(
            id="W003",
            message='MIGRATION_BOT["trust_command_line"] is on: whoever has a shell can approve as '
            "anybody what they asked for on the page.",
            hint="Leave it on only where nobody who asks for runs can become another login; else "
            "decide on the page or in Slack.",
        ),
        # The databases
        Row(
            id="E010",
            message='MIGRATION_BOT["state_database"] is {alias!r}, which is not in DATABASES.'
            "{nearest}",
            hint="Name an alias of DATABASES: {known}.",
        ),
        Row(
            id="E011",
            message='MIGRATION_BOT["databases"] names {alias!r}, which is not in DATABASES.'
            "{nearest}",
            hint="Name aliases of DATABASES: {known}.",
        ),
        Row(
            id="E012",
            message="The bot's own tables are on {alias!r}, and bot.routers.StateRouter is not in "
            "DATABASE_ROUTERS, so Django would look for them on another database.",
            hint='Put "bot.routers.StateRouter" first in DATABASE_ROUTERS.',
        ),
        Row(
            id="E013",
            message="The bot knows no lock for the database {alias!r} ({vendor}).",
            hint='Leave it out of MIGRATION_BOT["databases"]. PostgreSQL, MySQL, MariaDB and '
            "SQLite can be migrated.",
        ),
        Row(
            id="E014",
            message='MIGRATION_BOT["data_check_databases"] names {alias!r}, which is not in '
            "DATABASES.{nearest}",
            hint="Name aliases of DATABASES: {known}.",
        ),
        Row(
            id="E015",
            message='MIGRATION_BOT["rehearsal_databases"] names {alias!r}, which is not in '
            "DATABASES.{nearest}",
            hint="Name aliases of DATABASES: {known}.",
        ),
        Row(
            id="E016",
            message='MIGRATION_BOT["{key}"] names {alias!r} ({vendor}) for {target!r} ({wanted}).',
            hint="Name an alias of the same kind of database.",
        ),
        Row(
            id="W015",
            message="Rehearsals of {target!r} are held on {alias!r}, on the same server and by the "
            "same user: a rehearsal takes nobody's approval, and that user may change {target!r}.",
            hint="Give {alias!r} a user of its own that may make databases and owns nothing else, "
            "best on another server.",
        ),
        Row(
            id="W010",
            message="The bot's own tables are in the SQLite file of {alias!r}, which it may "
            "migrate: a migration that holds the file's only write lock stops its own audit.",
            hint="Give the bot a file of its own: another alias in DATABASES, "
            'MIGRATION_BOT["state_database"], and bot.routers.StateRouter.',
        ),
        Row(
            id="W011",
            message="The queue is in the SQLite file of {alias!r} with transaction_mode IMMEDIATE, "
            "and the bot may migrate that file: a migration that holds the write lock for longer "
            "than the timeout kills the worker.",
            hint="Give the bot a file of its own, as W010 says.",
        ),
        Row(
            id="W012",
            message="The SQLite database {alias!r} holds the bot's own tables and waits for its "
            "write lock for {seconds} s only.",
            hint='Write "OPTIONS": {{"timeout": 20}} for it: web, workers and clock all write '
            "there.",
        ),
        Row(
            id="W013",
            message="The database {alias!r} holds the bot's own tables and lives in memory: no "
            "other process sees them.",
            hint="Name a file, or a server. In memory is for tests.",
        ),
        Row(
            id="W014",
            message="The database {alias!r} seems to be behind PgBouncer, and server-side cursors "
            "are on: behind transaction pooling they break.",
            hint='Write "DISABLE_SERVER_SIDE_CURSORS": True for it.',
        ),
        Row(
            id="W016",
            message="DATABASE_ROUTERS looks for {model} on {found!r}, and the bot's own tables are "
            "on {state!r}: a replica shows a run or a wake late, and another database none.",
            hint='Put "bot.routers.StateRouter" first in DATABASE_ROUTERS.',
        ),
        # The engine that wakes workers
        Row(
            id="E020",
            message="TASKS is not set, so Django would plan and migrate inside the web process and "
            "say nothing.",
            hint='Set TASKS = {{"default": {{"BACKEND": "django_tasks_db.DatabaseBackend", '
            '"QUEUES": ["default", "{queue}", "{run_queue}", "{rehearsal_queue}"]}}}}.',
        ),
        Row(
            id="E021",
            message='MIGRATION_BOT["tasks_backend"] is {alias!r}, which is not in TASKS.{nearest}',
            hint="Name an alias of TASKS: {known}.",
        ),
        Row(
            id="E022",
            message="TASKS[{alias!r}] is {backend}, which runs nothing in a worker.",
            hint="Use django_tasks_db.DatabaseBackend or bot.engines.celery.CeleryBackend there, "
            'or name another alias in MIGRATION_BOT["tasks_backend"].',
        ),
        Row(
            id="E023",
            message="TASKS[{alias!r}] does not know the queue {queue!r}: the bot's tasks would "
            "raise when they are imported.",
            hint='Add it to TASKS[{alias!r}]["QUEUES"].',
        ),
        Row(
            id="E024",
            message='MIGRATION_BOT["{one}"] and ["{other}"] are both {queue!r}: a long migration '
            "or rehearsal would hold up everything else that waits there.",
            hint="Give them two names.",
        ),
        Row(
            id="E025",
            message="TASKS[{alias!r}] is {backend}, and django_tasks_db is not in INSTALLED_APPS.",
            hint='Add "django_tasks_db" to INSTALLED_APPS, then run manage.py migration_bot setup.',
        ),
        Row(
            id="E026",
            message="TASKS[{alias!r}] is {backend!r}, which cannot be imported: {error}.",
            hint="Correct the path, or install what it needs.",
        ),
        Row(
            id="E027",
            message="TASKS[{alias!r}] is bot.engines.celery.CeleryBackend without a broker.",
            hint='Write "OPTIONS": {{"broker_url": "redis://127.0.0.1:6379/0"}} there.',
        ),
        Row(
            id="E028",
            message="TASKS[{alias!r}] is {backend}: RQ kills a job after {seconds} s, in the "
            "middle of a migration.",
            hint='Set RQ_QUEUES[{queue!r}]["DEFAULT_TIMEOUT"] to -1, or use '
            "django_tasks_db.DatabaseBackend.",
        ),
        Row(
            id="E029",
            message="{name} is a {kind}, not a dictionary.",
            hint='Write TASKS = {{"default": {{"BACKEND": …, "QUEUES": […], "OPTIONS": {{…}}}}}}.',
        ),
        Row(
            id="W020",
            message="Celery has {names} on for {backend}: a task that kills its worker is run "
            "again and again.",
            hint="Leave both at Celery's default, off. What a dead worker leaves behind is found "
            "by the bot's clock.",
        ),
        # The project around it
        Row(
            id="E030",
            message="{app} is not in INSTALLED_APPS, and nobody could be recognised without it.",
            hint='Add "{app}" to INSTALLED_APPS.',
        ),
    )
}
