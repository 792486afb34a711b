"""Behind a real PgBouncer in transaction mode: the lock excludes, and strangers find nothing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections, transaction
from django.db.migrations.migration import Migration
from django.test.utils import override_settings

from bot.database import gate, limits, plain
from bot.database.blockers import looking
from bot.database.lock import DatabaseLock
from bot.database.lock_postgresql import behind_pooler
from bot.route.refusals import LockHeld, LockImpossible, LockLost
from tests.database.holding import is_held
from tests.throwaway import free_port

Register = Callable[[str, str], str]

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="there is no pgbouncer here")

LEFT_BEHIND = """
SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),
       current_setting('idle_in_transaction_session_timeout'),
       current_setting('client_connection_check_interval'),
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1835167604
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


@pytest.fixture
def vendor() -> str:
    return "postgresql"


@pytest.fixture
def start_pooler(scratch_url: str) -> Iterator[Callable[[str], str]]:
    """Starts a PgBouncer in front of the scratch database; returns the URL through it."""
    processes: list[subprocess.Popen[bytes]] = []
    folder = Path(tempfile.mkdtemp(prefix="migration-bot-pgbouncer-"))
    folder.chmod(0o755)

    def start(mode: str = "transaction") -> str:
        server, port = urlsplit(scratch_url), free_port()
        name = server.path.lstrip("/")
        users = folder / "users.txt"
        users.write_text(f'"{server.username}" "{server.password or ""}"\n')
        config = folder / f"pgbouncer-{mode}.ini"
        config.write_text(
            f"[databases]\n{name} = host={server.hostname} port={server.port or 5432}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {users}\npool_mode = {mode}\n"
            "default_pool_size = 5\nserver_idle_timeout = 5\n"
        )
        command = [str(PGBOUNCER), "--quiet"]
        if os.geteuid() == 0:  # It refuses to be root.
            command += ["--user", "nobody"]
        processes.append(
            subprocess.Popen([*command, str(config)], stdin=subprocess.DEVNULL, stderr=-1)
        )
        while True:
            assert processes[-1].poll() is None, processes[-1].communicate()
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                threading.Event().wait(0.02)
        address = f"{server.username}@127.0.0.1:{port}"
        return urlunsplit(server._replace(netloc=address))

    yield start
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    shutil.rmtree(folder)


@pytest.fixture
def pooled(start_pooler: Callable[..., str], register_alias: Register) -> str:
    """The alias "pooled": the scratch database through the pooler."""
    return register_alias("pooled", start_pooler())


def ask(alias: str, sql: str) -> tuple[Any, ...]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        row: tuple[Any, ...] = cursor.fetchone()
        return row


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_is_noticed_and_a_server_is_not_taken_for_one(
    target: str, start_pooler: Callable[..., str], register_alias: Register, mode: str
) -> None:
    register_alias("pooled", start_pooler(mode))
    assert behind_pooler(connections["pooled"])
    assert not behind_pooler(connections[target])


def test_the_lock_excludes_through_the_pooler_and_beside_it(target: str, pooled: str) -> None:
    with DatabaseLock(pooled, holder="run 12 on host a (pid 1)") as lock:
        assert lock.pooled
        for alias in (pooled, target):
            with pytest.raises(LockHeld, match=r"run 12 on host a \(pid 1\)"):
                DatabaseLock(alias, holder="run 13").take()
            assert is_held(alias) == "run 12 on host a (pid 1)"
        lock.check()
    with (
        DatabaseLock(target, holder="run 13 on host b (pid 2)"),
        pytest.raises(LockHeld, match="run 13 on host b"),
    ):
        DatabaseLock(pooled, holder="run 14").take()
    assert is_held(pooled) is None


def test_nothing_is_left_behind_for_the_next_client(target: str, pooled: str) -> None:
    before = ask(pooled, LEFT_BEHIND)
    with (
        override_settings(MIGRATION_BOT={"lock_timeout": 3, "statement_timeout": 7}),
        gate.carrying(Run()),
        limits.limited(pooled),
    ):
        call_command("migrate", "contenttypes", database=pooled, verbosity=0)
    for _ in range(3):
        connections[pooled].close()
        assert ask(pooled, LEFT_BEHIND) == before
    assert ask(target, LEFT_BEHIND)[-1] == 0


class Run:
    """A run as the gate and the runner see it: limits are set inside each migration."""

    holder = "run 12"

    def under_lock(self, using: str, plan: plain.Planned) -> None:
        pass


@pytest.fixture
def limits_inside(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Each migration begins with its limits, as a run's does; what they are is kept."""
    seen: list[tuple[Any, ...]] = []
    apply = Migration.apply

    def limited(self: Migration, state: Any, schema_editor: Any, *rest: Any) -> Any:
        limits.apply_local(schema_editor)
        seen.append(ask(schema_editor.connection.alias, LEFT_BEHIND))
        return apply(self, state, schema_editor, *rest)

    monkeypatch.setattr(Migration, "apply", limited)
    return seen


def test_limits_and_work_key_hold_inside_each_migration(
    target: str, pooled: str, limits_inside: list[tuple[Any, ...]]
) -> None:
    settings = {"lock_timeout": 3, "statement_timeout": 7}
    with override_settings(MIGRATION_BOT=settings), gate.carrying(Run()):
        call_command("migrate", "contenttypes", database=pooled, verbosity=0)
    assert limits_inside == [("3s", "7s", "0", "500ms", 2)] * 2
    assert ask(target, LEFT_BEHIND)[-1] == 0


def test_a_migration_outside_a_transaction_is_refused_with_a_remedy(
    pooled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Migration, "atomic", False)
    with (
        gate.carrying(Run()),
        pytest.raises(LockImpossible, match=r"contenttypes.0001_initial.*address of the server"),
    ):
        call_command("migrate", "contenttypes", database=pooled, verbosity=0)
    with connections[pooled].schema_editor(atomic=False) as editor, pytest.raises(LockImpossible):
        limits.apply_local(editor)
    assert is_held(pooled) is None


def test_an_orphaned_statement_still_excludes(target: str, pooled: str) -> None:
    """Its transaction has the work key; the main key went with its process."""
    with transaction.atomic(target):
        with connections[target].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(1835167604, 2)")
        with pytest.raises(LockHeld, match="left behind"):
            DatabaseLock(pooled, holder="run 13").take()
        assert "left behind" in (is_held(pooled) or "")
        with connections[pooled].schema_editor() as editor, pytest.raises(LockHeld):
            limits.apply_local(editor)
    with DatabaseLock(pooled, holder="run 13"):
        pass


def test_a_lock_connection_that_the_pooler_lost_is_noticed(target: str, pooled: str) -> None:
    lock = DatabaseLock(pooled, holder="run 12")
    with lock:
        ask(
            target,
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = 1835167604 AND objid = 1",
        )
        with pytest.raises(LockLost):
            lock.check()


def test_a_plain_migrate_is_refused_through_the_pooler(pooled: str) -> None:
    with (
        DatabaseLock(pooled, holder="run 12"),
        pytest.raises(CommandError, match="pooled is being migrated by run 12"),
    ):
        call_command("migrate", "contenttypes", database=pooled, verbosity=0)
    call_command("migrate", "contenttypes", database=pooled, verbosity=0)


def test_blockers_are_found_through_the_pooler(target: str, pooled: str) -> None:
    with connections[target].cursor() as cursor:
        cursor.execute("CREATE TABLE item (id integer)")
    seen: list[tuple[str, ...]] = []

    with looking(pooled) as look, transaction.atomic(target):
        with connections[target].cursor() as cursor:
            cursor.execute("LOCK TABLE item")

        def alter() -> None:
            with connections[pooled].schema_editor() as editor:
                limits.apply_local(editor)
                editor.execute("ALTER TABLE item ADD COLUMN extra integer")

        def watch() -> None:
            for _ in range(50):
                if found := look():
                    seen.append(found)
                    return
                threading.Event().wait(0.1)

        thread = threading.Thread(target=watch)
        thread.start()
        with override_settings(MIGRATION_BOT={"lock_timeout": 2}), pytest.raises(OperationalError):
            alter()
        thread.join()
    assert "last statement: LOCK TABLE item" in seen[0][0]
