"""Why there is no plan or no rehearsal."""

from __future__ import annotations

from bot.route.refusals.base import Kind, Refused


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
    slip = True


class NoWayBack(Refused):
    """{step} cannot be undone, so Django would refuse there and this run could never succeed.
    {because} Give that operation a reverse (noop where nothing is to be done), deploy it and plan
    again; or go forward, with a new migration."""

    code = "no_way_back"
    kind = Kind.CONFLICT
    slip = True


class PlanningFailed(Refused):
    """The plan could not be made: {detail}. Nothing was changed. Reference {reference}."""

    code = "planning_failed"
    kind = Kind.UNAVAILABLE


class RehearsalFailed(Refused):
    """The rehearsal broke off: {detail}. Nothing was changed on the database itself. Rehearse it
    once more; if that breaks off too, the worker's log has why under {reference}."""

    code = "rehearsal_failed"
    kind = Kind.UNAVAILABLE
