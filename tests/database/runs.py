"""What the tests of the runner share: a small shop, and runs of it in processes of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests import servers
from tests.project import Project, migration

CREATE = """
migrations.CreateModel("Item", [
    ("id", models.BigAutoField(primary_key=True)),
    ("name", models.CharField(max_length=40)),
]),
"""
ADD = 'migrations.AddField("item", "price", models.IntegerField(default=0)),'
PARENT = """
migrations.AddField(
    "item", "parent", models.ForeignKey("shop.Item", null=True, on_delete=models.CASCADE)
),
"""
"""Its constraint is deferred SQL: Django alone would record it after the transaction."""
ROW = "migrations.RunPython(rows, migrations.RunPython.noop, atomic=None),"
ROWS = """
def rows(apps, schema_editor):
    apps.get_model("shop", "Item").objects.create(name="one more")
"""


def after(number: int) -> list[tuple[str, str]]:
    """The dependency on the shop's migration with this number."""
    return [("shop", NAMES[number])]


NAMES = {1: "0001_initial", 2: "0002_rows", 3: "0003_price"}
SHOP = {
    "0001_initial": migration(CREATE),
    "0002_rows": migration(ROW, after=after(1), before=ROWS),
    "0003_price": migration(ADD, after=after(2)),
}
"""A table, a data migration whose repetition would show, and a column."""
KEYS = tuple(f"shop.{name}" for name in NAMES.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """All that one child said, in order."""

    messages: tuple[dict[str, Any], ...]

    @property
    def kinds(self) -> list[str]:
        return [message["kind"] for message in self.messages]

    @property
    def last(self) -> dict[str, Any]:
        return self.messages[-1]

    @property
    def forked(self) -> bool:
        return not self.messages[0]["why"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["kind"] == kind]


def drive(project: Project, *, check: bool = True, **wishes: Any) -> Said:
    """Run ``tests.database.driver`` in the project to its end."""
    environment = wishes.pop("environment", {})
    done = project.python(
        "-m", "tests.database.driver", json.dumps(wishes), check=check, **environment
    )
    return said(done.stdout)


def said(output: str) -> Said:
    """What a driver printed."""
    return Said(messages=tuple(json.loads(line) for line in output.splitlines() if line[:1] == "{"))


def applied(project: Project, app: str = "shop") -> list[str]:
    """The names of the applied migrations of an app, as the database records them."""
    if "django_migrations" not in servers.tables(project.database_url):
        return []
    query = f"SELECT name FROM django_migrations WHERE app = '{app}' ORDER BY name"
    return [name for (name,) in ask(project, query)]


def ask(project: Project, sql: str) -> list[list[Any]]:
    """The rows of a query on the project's database."""
    return [list(row) for row in servers.execute(project.database_url, sql)]


def items(project: Project) -> int:
    """How many rows the data migration has left."""
    count: int = ask(project, "SELECT count(*) FROM shop_item")[0][0]
    return count
