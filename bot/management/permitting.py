"""The bot's permissions, in the database of the users: also when its own tables are elsewhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.db import Error as DatabaseError
from django.db import IntegrityError, connections, router

from bot.database.targets import connect

CODENAMES = ("request_run", "approve_run", "freeze_runs", "override_findings")
TRIES = 5
"""Another machine may be making the same rows; whoever comes second finds them on the next try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """``made`` holds the codenames that were not there before; ``missing`` those that still are."""

    database: str
    made: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    because: str = ""

    @property
    def words(self) -> str:
        """What was done and, where something is left to do, what."""
        if self.missing:
            return (
                f"Permissions in {self.database}: not yet, {self.because}. They come with the "
                "first `manage.py migrate` there, or when you run this again after it."
            )
        if self.made:
            return f"Permissions in {self.database}: made {', '.join(self.made)}."
        return f"Permissions in {self.database}: in place."

    def to_json(self) -> dict[str, Any]:
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}


def make_permissions() -> Permissions:
    """Make the content types and permissions that are missing. Not yet, while auth's tables are."""
    permission: Any = apps.get_model("auth", "Permission")
    content_type: Any = apps.get_model("contenttypes", "ContentType")
    using = router.db_for_write(permission)
    connection = connections[using]
    connect(connection)
    tables = set(connection.introspection.table_names())
    needed = {permission._meta.db_table, content_type._meta.db_table}
    if not needed <= tables:
        because = f"the tables of users are not there ({', '.join(sorted(needed - tables))})"
        return Permissions(database=using, missing=CODENAMES, because=because)
    try:
        return _make(permission, using)
    except DatabaseError as error:
        # The tables of users may themselves be behind the code.
        because = f"the tables of users could not be written ({' '.join(str(error).split())})"
        return Permissions(database=using, missing=CODENAMES, because=because)


def _make(permission: Any, using: str) -> Permissions:
    before = _present(permission, using)
    if set(CODENAMES) <= before:
        return Permissions(database=using)
    config = apps.get_app_config("migration_bot")
    for attempt in range(1, TRIES + 1):
        try:
            create_permissions(config, verbosity=0, interactive=False, using=using)
            break
        except IntegrityError:
            if attempt == TRIES:
                raise
    after = _present(permission, using)
    made = tuple(name for name in CODENAMES if name in after - before)
    missing = tuple(name for name in CODENAMES if name not in after)
    because = "the project's routers keep them from there" if missing else ""
    return Permissions(database=using, made=made, missing=missing, because=because)


def _present(permission: Any, using: str) -> set[str]:
    found = permission.objects.using(using).filter(content_type__app_label="migration_bot")
    return set(found.values_list("codename", flat=True))
