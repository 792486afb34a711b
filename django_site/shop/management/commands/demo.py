"""Makes the sample site ready to be tried out, and serves it."""

from __future__ import annotations

import random
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings

from django_site.shop import people, rows, serving

LAST_APPLIED = ("shop", "0002_product_stock")
"""By design the shop's tables stop here; what follows is for the bot to run."""


class Command(BaseCommand):
    help = (
        "Create the demo's tables, rows and accounts, leaving the shop's newer migrations pending. "
        "Does nothing twice. Only while DEBUG is on."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--serve", action="store_true", help="then start web and worker")
        parser.add_argument(
            "--break-data", action="store_true", help="put rows in that a pending rule forbids"
        )
        parser.add_argument("--mend-data", action="store_true", help="take these rows out again")
        parser.add_argument("--port", type=int, default=8000, help="where to serve (8000)")

    def handle(self, *, serve: bool, port: int, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo makes accounts with known names: set DEBUG=1 to allow it.")
        if options["break_data"] or options["mend_data"]:
            self._change_rows(double=options["break_data"])
            return
        if serve:
            serving.require_free(port)
        call_command("migration_bot", "setup", verbosity=0)
        # The audit of the demo begins with what its visitor does.
        unrecorded = {**settings.MIGRATION_BOT, "record_plain_migrate": False}
        with override_settings(MIGRATION_BOT=unrecorded):
            self._migrate()
        call_command("migration_bot", "setup", verbosity=0)  # Permissions: users have tables now.
        self._fill()
        self._introduce(people.create_people())
        if serve:
            serving.serve(port)

    def _migrate(self) -> None:
        """Bring every app's tables up, and the shop's to where they are meant to stop.

        The bot's own apps are among them: where their tables live elsewhere this only notes their
        migrations here, as any `migrate` would, so that they do not look pending.
        """
        loader = MigrationExecutor(connection).loader
        applied = MigrationRecorder(connection).applied_migrations()
        for label in sorted(loader.migrated_apps - {"shop"}):
            if any(key not in applied for key in loader.graph.nodes if key[0] == label):
                call_command("migrate", label, verbosity=0)
        if LAST_APPLIED not in applied:
            call_command("migrate", *LAST_APPLIED, verbosity=0)

    def _fill(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM shop_customer")
            (count,) = cursor.fetchone()
        if count == 0:
            state = MigrationExecutor(connection).loader.project_state(LAST_APPLIED)
            # The same rows for everybody, so that what a guide shows is what one sees.
            rows.create_rows(state.apps, now=datetime.now(UTC), random=random.Random(7))  # noqa: S311

    def _change_rows(self, *, double: bool) -> None:
        """So that a data check fails, and holds again, in a demo that is there already."""
        try:
            apps = MigrationExecutor(connection).loader.project_state(LAST_APPLIED).apps
            mended = rows.mend_lines(apps)
            if double:
                rows.double_lines(apps)
        except OperationalError as error:
            raise CommandError(f"There is no demo here yet: make demo ({error})") from error
        except IntegrityError as error:
            raise CommandError(
                "The rule is in the database already, and lets no such rows in. "
                "make clean, and make demo starts afresh."
            ) from error
        if double:
            self.stdout.write(
                "Three lines of orders are there twice now, which shop.0004_order_line_once "
                "forbids.\nPlan shop 0004 and look; --mend-data takes them out again.\n"
            )
        else:
            self.stdout.write(f"{mended} rows were taken out. Plan again.\n")

    def _introduce(self, passwords: dict[str, str]) -> None:
        if not passwords:
            self.stdout.write(
                "The demo's accounts are there already. Forgotten a password? "
                "`DEBUG=1 .venv/bin/python manage.py changepassword robin` sets a new one.\n"
            )
            return
        self.stdout.write("New accounts; these passwords are shown once and kept nowhere:\n")
        for person in people.PEOPLE:
            if person.name in passwords:
                self.stdout.write(
                    f"    {person.name:<6} {passwords[person.name]}   ({person.words})\n"
                )
