"""The long crash run: workers are killed and frozen at random moments, again and again.

    python -m tests.crash                       # 12 kills on each database
    python -m tests.crash --kills 50 --seed 7 --vendor postgresql

Every migration leaves one row of its own, so a repetition, a loss and a half show. After each kill
the run must end, its steps must be what the database records, and the audit must be sound. Prints
its seed and ends with a summary; the exit code is 1 when a promise broke.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests import servers
from tests.project import migration
from tests.story.site import CREATE, Site, write_project

STEPS = 6
"""Migrations of one shop; with all of them applied the next shop is made."""
LEASE = 3.0
ENDED = ("succeeded", "failed", "needs_attention", "cancelled", "stale", "expired")
VICTIMS = ("child", "its parent", "supervisor", "everything", "frozen")

ROW = """
import time

def rows(apps, schema_editor):
    apps.get_model("shop", "Item").objects.create(name="{name}")
    time.sleep({seconds})
"""
COLUMN = 'migrations.AddField("item", "more{number}", models.IntegerField(null=True)),'


class Broken(Exception):
    """A promise broke; the words say which."""


@dataclass(kw_only=True)
class Tally:
    kills: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    shops: int = 0


def names() -> list[str]:
    return ["0001_initial", *(f"{number:04}_row" for number in range(2, STEPS + 2))]


def files(vendor: str) -> dict[str, str]:
    """A table, and migrations that each leave a row and, where that can be rolled back, a column.

    On MySQL and MariaDB a column would stay behind and need a person, which this program is not.
    """
    found = {"0001_initial": migration(CREATE), "0002_rows": "", "0003_price": ""}
    for number, name in enumerate(names()[1:], 2):
        column = COLUMN.format(number=number) if vendor != "mysql" else ""
        found[name] = migration(
            f"migrations.RunPython(rows, migrations.RunPython.noop),\n{column}",
            after=[("shop", names()[number - 2])],
            before=ROW.format(name=name, seconds=0.4),
        )
    return {name: source for name, source in found.items() if source}


class Shop:
    """One site, its worker, and what is done to them."""

    def __init__(self, site: Site, vendor: str, rng: random.Random, tally: Tally) -> None:
        self.site = site
        self.vendor = vendor
        self.rng = rng
        self.tally = tally
        self.supervisor = site.worker()

    def finish(self, kills: int) -> int:
        """Ask for runs and disturb them until everything is applied; how many kills it took."""
        done = 0
        while len(self.site.applied()) < len(names()):
            if self.supervisor.poll() is not None:
                self.supervisor = self.site.worker()
            run = self.site.approved()
            victim = ""
            if done < kills:
                victim = self._disturb(run)
                done += bool(victim)
            self._judge(run, victim)
        return done

    def _disturb(self, run: int) -> str:
        """Do something bad to a running run; what it was, or nothing when it came too late."""
        self.site.until(run, "running", *ENDED)
        time.sleep(self.rng.random() * 2)
        victim = self.rng.choice(VICTIMS)
        try:
            holder, child = self.site.chain(run)
        except ValueError:  # It has ended meanwhile.
            return ""
        with contextlib.suppress(ProcessLookupError):
            if victim == "child":
                os.kill(child, signal.SIGKILL)
            elif victim == "its parent":
                os.kill(holder, signal.SIGKILL)
            elif victim == "supervisor":
                self.supervisor.kill()
            elif victim == "everything":
                self.site.kill_everything()
            else:
                self._freeze(holder, child)
        if victim in ("supervisor", "everything"):
            self.supervisor.wait()
            self.supervisor = self.site.worker()
        self.tally.kills[victim] += 1
        return victim

    def _freeze(self, *pids: int) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(LEASE + 2)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def _judge(self, run: int, victim: str) -> None:
        """The run has ended as the database says, and nothing ran twice."""
        ended = self.site.until(run, *ENDED)
        state = ended["state"]
        self.tally.ends[state] += 1
        print(f"{self.vendor}: run {run}, killed: {victim or 'nobody'}: {state}", flush=True)
        applied = set(self.site.applied())
        for step in ended["steps"]:
            if (step["state"] == "applied") != (step["name"] in applied):
                raise Broken(f"run {run}: {step['name']} is {step['state']}, applied: {applied}")
        if self.site.ask("events", run=run).count("run.started") != 1:
            raise Broken(f"run {run} was not started exactly once")
        if not self.site.ask("sound"):
            raise Broken("the audit is not sound")
        if (state == "succeeded") != (len(applied) == len(names())):
            raise Broken(f"run {run} is {state}, but applied are {sorted(applied)}")
        self._count_rows(applied, state)

    def _count_rows(self, applied: set[str], state: str) -> None:
        if not applied:
            return
        found = Counter(row[0] for row in self.site.ask("sql", query="SELECT name FROM shop_item"))
        expected = Counter(applied - {"0001_initial"})
        more = found - expected
        if state == "needs_attention" and more.total() == 1:
            # What it says: somebody has to look, and takes the half step back.
            (name,) = more
            self.site.ask("sql", query=f"DELETE FROM shop_item WHERE name = '{name}'")
            return
        if found != expected:
            raise Broken(f"rows {found}, but applied are {sorted(applied)}")


def crash(vendor: str, kills: int, rng: random.Random, tally: Tally) -> None:
    """Shop after shop on one kind of database, until so many kills were survived."""
    while kills > 0:
        tally.shops += 1
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
            folder = Path(name)
            url = stack.enter_context(servers.scratch_database(vendor, folder))
            project = write_project(
                folder, url, environment={"MIGRATION_BOT_LEASE": str(LEASE)}, files=files(vendor)
            )
            for unused in ("0002_rows", "0003_price"):
                project.remove(f"shop/migrations/{unused}.py")
            site = Site(project)
            stack.callback(site.end)
            site.ask("prepare")
            try:
                kills -= Shop(site, vendor, rng, tally).finish(kills)
            except (Broken, AssertionError, subprocess.SubprocessError):
                print(site.log[-8000:], file=sys.stderr)
                raise


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--kills", type=int, default=12, help="on each database (12)")
    parser.add_argument("--vendor", action="append", choices=servers.VENDORS)
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}", flush=True)
    found = servers.find_servers(own=True)
    broken = ""
    tally = Tally()
    begun = time.monotonic()
    try:
        for vendor in given.vendor or servers.VENDORS:
            if because := servers.missing(vendor):
                print(f"not run here: {vendor}: {because}")
                continue
            crash(vendor, given.kills, random.Random(f"{given.seed} {vendor}"), tally)
    except (Broken, AssertionError) as error:
        broken = str(error).splitlines()[0]
    finally:
        found.stop()
    killed = ", ".join(f"{victim} {count}" for victim, count in sorted(tally.kills.items()))
    ended = ", ".join(f"{state} {count}" for state, count in sorted(tally.ends.items()))
    print(f"seed {given.seed}: {tally.kills.total()} kills ({killed or 'none'}) in {tally.shops}")
    print(f"shops, {tally.ends.total()} runs ({ended or 'none'}), {time.monotonic() - begun:.0f} s")
    print(f"BROKEN: {broken}" if broken else "Every promise was kept.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
