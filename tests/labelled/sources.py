"""Where the labels can be read."""

ALTER = "https://www.postgresql.org/docs/15/sql-altertable.html#SQL-ALTERTABLE-NOTES"
LOCKS = "https://www.postgresql.org/docs/15/explicit-locking.html"
INDEX = "https://www.postgresql.org/docs/15/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY"
DROP_INDEX = "https://www.postgresql.org/docs/15/sql-dropindex.html"
TRUNCATE = "https://www.postgresql.org/docs/15/sql-truncate.html"
UPDATE = "https://www.postgresql.org/docs/15/sql-update.html"
CASTS = "https://www.postgresql.org/docs/15/sql-createcast.html"
TYPES = "https://www.postgresql.org/docs/15/datatype.html"
COMMENT = "https://www.postgresql.org/docs/15/sql-comment.html"
TRIGGER = "https://www.postgresql.org/docs/15/sql-createtrigger.html"
PARTITIONS = "https://www.postgresql.org/docs/15/ddl-partitioning.html"
REINDEX = "https://www.postgresql.org/docs/15/sql-reindex.html"
VIEW = "https://www.postgresql.org/docs/15/sql-creatematerializedview.html"
DO = "https://www.postgresql.org/docs/15/sql-do.html"
OPERATIONS = "https://docs.djangoproject.com/en/5.2/ref/migration-operations/"
WRITING = "https://docs.djangoproject.com/en/5.2/howto/writing-migrations/"
FIELDS = "https://docs.djangoproject.com/en/5.2/ref/models/fields/"
DJANGO_PG = "https://docs.djangoproject.com/en/5.2/ref/contrib/postgres/operations/"
CONSTRAINTS = "https://docs.djangoproject.com/en/5.2/ref/models/constraints/"
MIGRATIONS = "https://docs.djangoproject.com/en/5.2/topics/migrations/"
LINTER = "https://github.com/3YOURMIND/django-migration-linter/blob/main/docs/incompatibilities.md"
STRONG = "https://github.com/ankane/strong_migrations#checks"
POSTHOG = (
    "https://github.com/PostHog/posthog/blob/master/docs/published/handbook/engineering/"
    "safe-django-migrations.md"
)
ATLAS = "https://atlasgo.io/lint/analyzers"


def squawk(rule: str) -> str:
    """The page of one of squawk's rules."""
    return f"https://squawkhq.com/docs/{rule}"
