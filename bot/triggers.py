"""The triggers that make the audit append-only, for PostgreSQL, MariaDB/MySQL and SQLite."""

from __future__ import annotations

from django.core import mail
from django.db.backends.base.base import BaseDatabaseWrapper

from bot.conf import get_settings

TABLE = "migration_bot_auditentry"
MESSAGE = "migration_bot: the audit is append only"

_POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION migration_bot_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER migration_bot_audit_no_change BEFORE UPDATE OR DELETE ON {TABLE}
FOR EACH ROW EXECUTE FUNCTION migration_bot_audit_guard();
CREATE TRIGGER migration_bot_audit_no_truncate BEFORE TRUNCATE ON {TABLE}
FOR EACH STATEMENT EXECUTE FUNCTION migration_bot_audit_guard();
"""

_MYSQL = [
    f"CREATE TRIGGER migration_bot_audit_no_{what} BEFORE {what.upper()} ON {TABLE} "
    f"FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{MESSAGE}'"
    for what in ("update", "delete")
]

_SQLITE = [
    *(
        f"CREATE TRIGGER migration_bot_audit_no_{what} BEFORE {what.upper()} ON {TABLE} "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        for what in ("update", "delete")
    ),
    # INSERT OR REPLACE removes the older row and fires no trigger for that.
    (
        f"CREATE TRIGGER migration_bot_audit_no_replace BEFORE INSERT ON {TABLE} "  # noqa: S608 - our name
        f"WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE seq = NEW.seq OR hash = NEW.hash) "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    ),
]

_DROP = {
    "postgresql": [
        f"DROP TRIGGER IF EXISTS migration_bot_audit_no_change ON {TABLE}",
        f"DROP TRIGGER IF EXISTS migration_bot_audit_no_truncate ON {TABLE}",
        "DROP FUNCTION IF EXISTS migration_bot_audit_guard()",
    ],
    "mysql": [
        "DROP TRIGGER IF EXISTS migration_bot_audit_no_update",
        "DROP TRIGGER IF EXISTS migration_bot_audit_no_delete",
    ],
    "sqlite": [
        "DROP TRIGGER IF EXISTS migration_bot_audit_no_update",
        "DROP TRIGGER IF EXISTS migration_bot_audit_no_delete",
        "DROP TRIGGER IF EXISTS migration_bot_audit_no_replace",
    ],
}

_MAKE = {"postgresql": [_POSTGRESQL], "mysql": _MYSQL, "sqlite": _SQLITE}


_NAMES = {
    "postgresql": ("migration_bot_audit_no_change", "migration_bot_audit_no_truncate"),
    "mysql": ("migration_bot_audit_no_update", "migration_bot_audit_no_delete"),
    "sqlite": (
        "migration_bot_audit_no_update",
        "migration_bot_audit_no_delete",
        "migration_bot_audit_no_replace",
    ),
}

_LIST = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = "
    "to_regclass('migration_bot_auditentry')",
    "mysql": "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS "
    "WHERE TRIGGER_SCHEMA = DATABASE()",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = "
    "'migration_bot_auditentry'",
}


def missing(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    """The triggers that should be there and are not, by name; none on another vendor."""
    if connection.vendor not in _LIST:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(_LIST[connection.vendor])
        found = {row[0] for row in cursor.fetchall()}
    return tuple(name for name in _NAMES[connection.vendor] if name not in found)


def wanted() -> bool:
    """Whether triggers belong here. A test database must be flushed between tests, and a trigger
    would refuse that: while Django's test environment is set up (it has ``mail.outbox``), none."""
    setting = get_settings().audit_triggers
    return not hasattr(mail, "outbox") if setting is None else setting


def make_triggers(connection: BaseDatabaseWrapper) -> None:
    """Make them anew, where they are wanted. MySQL needs the TRIGGER privilege for it."""
    if wanted():
        drop_triggers(connection)
        _run(connection, _MAKE.get(connection.vendor, []))


def drop_triggers(connection: BaseDatabaseWrapper) -> None:
    _run(connection, _DROP.get(connection.vendor, []))


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
