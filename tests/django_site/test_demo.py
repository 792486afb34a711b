"""The demo: a shop whose code is ahead of its tables, and people to try the bot with."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import warm
from tests.project import ROOT
from tests.throwaway import free_port

PENDING = ["0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010"]


class Site:
    """The sample site on a database of its own."""

    def __init__(self, url: str) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": url,
            "DEBUG": "1",
            "LOG_LEVEL": "WARNING",
        }

    def run(
        self, *arguments: str, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        done = warm.run(arguments, cwd=ROOT, env=self.environment | environment, timeout=120)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def manage(
        self, *arguments: str, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *arguments, check=check, **environment)

    def ask(self, source: str) -> str:
        """Run source in the site; what it printed."""
        head = (
            "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'django_site.settings'\n"
            "import django; django.setup()\n"
        )
        return self.run("-c", head + source).stdout

    def pending(self) -> list[str]:
        """The numbers of the shop's migrations that are not applied."""
        shown = self.manage("showmigrations", "shop").stdout
        return re.findall(r"\[ \] (\d{4})", shown)


@pytest.fixture
def site(scratch_url: str) -> Site:
    return Site(scratch_url)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the demo was made once, on SQLite; tests work on copies."""
    folder = tmp_path_factory.mktemp("once")
    Site(f"sqlite:///{folder / 'site.sqlite3'}").manage("demo")
    return folder


@pytest.fixture
def ready(once: Path, tmp_path: Path) -> Site:
    """The demo as it is after the first time."""
    shutil.copytree(once, tmp_path / "site")
    return Site(f"sqlite:///{tmp_path / 'site' / 'site.sqlite3'}")


def test_it_stops_before_what_is_for_the_bot_to_run_and_does_nothing_twice(site: Site) -> None:
    first = site.manage("demo").stdout
    names = re.findall(r"^    (\w+) +\S{12} ", first, re.MULTILINE)
    assert names == ["robin", "ada", "grace", "kim"]
    assert "there already" in site.manage("demo").stdout
    assert site.pending() == PENDING


def test_what_is_pending_runs_to_its_end_and_the_demo_leaves_it_there(site: Site) -> None:
    site.manage("demo")
    counted = site.ask(
        "from django.core.management import call_command\n"
        "from django_site.shop.models import Order, Customer\n"
        "call_command('migrate', 'shop', verbosity=0)\n"
        "emails = Customer.objects.values_list('email', flat=True)\n"
        "print(Order.objects.count(), Order.objects.filter(total__gt=0).count(),\n"
        "    all(email == email.lower() for email in emails))\n"
    )
    assert counted == "300 300 True\n"
    assert "there already" in site.manage("demo").stdout
    assert site.pending() == []


def _checked(site: Site, *more: str) -> subprocess.CompletedProcess[str]:
    return site.manage("migration_bot", "plan", "shop", "0004", "--no-sql", *more, check=False)


def test_a_data_check_holds_can_be_made_to_fail_and_is_mended_again(ready: Site) -> None:
    holds = "no two rows of shop_orderline have the same order_id, product_id"
    assert f"Checked on today's data: {holds}" in _checked(ready).stdout
    assert "there twice now" in ready.manage("demo", "--break-data").stdout
    ready.manage("demo", "--break-data")
    shown = _checked(ready).stdout
    assert "forbidden by data_breaks_rule" in shown
    assert "dangerous: 3 values" in shown.replace("\n", " ")
    assert "3 rows were taken out" in ready.manage("demo", "--mend-data").stdout
    assert "forbidden" not in _checked(ready).stdout


def test_rows_that_the_rule_forbids_are_not_put_in_once_it_is_there(ready: Site) -> None:
    ready.manage("migrate", "shop", "0004")
    done = ready.manage("demo", "--break-data", check=False)
    assert done.returncode == 1
    assert "lets no such rows in" in done.stderr


def test_each_person_may_do_what_the_guide_says(ready: Site) -> None:
    shown = ready.ask(
        "from django.contrib.auth.models import User\n"
        "import json\n"
        "print(json.dumps({u.username: [u.is_staff, u.is_superuser, sorted(\n"
        "    p for p in u.get_all_permissions() if p.startswith('migration_bot'))]\n"
        "    for u in User.objects.all()}))\n"
    )
    approve = [
        "migration_bot.approve_run",
        "migration_bot.freeze_runs",
        "migration_bot.override_findings",
    ]
    assert json.loads(shown) == {
        "robin": [True, False, ["migration_bot.request_run"]],
        "ada": [True, False, approve],
        "grace": [True, False, approve],
        "kim": [False, False, []],
    }


def test_it_refuses_to_make_accounts_where_debug_is_off(tmp_path: Path) -> None:
    site = Site(f"sqlite:///{tmp_path / 'site.sqlite3'}")
    done = site.manage("demo", check=False, DEBUG="0", SECRET_KEY="x")
    assert done.returncode == 1
    assert "DEBUG=1" in done.stderr


def test_a_taken_port_is_told_before_anything_is_made(tmp_path: Path) -> None:
    site = Site(f"sqlite:///{tmp_path / 'site.sqlite3'}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = site.manage("demo", "--serve", "--port", port, check=False)
    assert done.returncode == 1
    assert f"Port {port} cannot be used" in done.stderr
    assert not (tmp_path / "site.sqlite3").exists()


@pytest.fixture
def served(ready: Site) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The demo being served, and its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--serve", "--port", str(port)],
        cwd=ROOT,
        env=ready.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process, f"http://127.0.0.1:{port}"
    if process.poll() is None:
        for child in _children(process.pid).values():  # Each leads a group.
            os.killpg(child, signal.SIGKILL)
        process.kill()
    process.communicate()


def _read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    said = ""
    while words not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    return said


def _children(pid: int) -> dict[str, int]:
    """The process ids of "web" and "worker"."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    lines = (line.split(maxsplit=1) for line in listed.stdout.splitlines())
    return {"web" if "gunicorn" in words else "worker": int(number) for number, words in lines}


def test_one_ctrl_c_ends_web_and_worker(served: tuple[subprocess.Popen[str], str]) -> None:
    process, address = served
    said = _read_until(process, "Ctrl-C ends")
    assert f"{address}/migrations/" in said
    with urllib.request.urlopen(f"{address}/login/", timeout=10) as answer:
        assert answer.status == 200
    children = _children(process.pid)
    assert set(children) == {"web", "worker"}
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert not any(_is_alive(child) for child in children.values())


def test_a_ctrl_c_while_the_worker_is_still_starting_ends_it_too(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    process, _ = served
    _read_until(process, "worker on queues")
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest


def test_when_one_of_the_two_dies_the_other_is_stopped_and_it_is_told(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    process, address = served
    _read_until(process, "Ctrl-C ends")
    children = _children(process.pid)
    os.kill(children["web"], signal.SIGKILL)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The web process ended by itself" in rest
    assert not _is_alive(children["worker"])
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=5)


def _is_alive(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True
