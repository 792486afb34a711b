"""``make django-tests``: Django's own migration tests, of the installed version, over our runner.

    python -m tests.django_tests.run [sqlite] [postgresql] [-- arguments of Django's runtests.py]

The tests are in Django's source distribution, which pip fetches once into ``var/``. Every test
must pass with a run's machinery around ``migrate``; see ``tests.django_tests.patched``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import django

from tests import servers

ROOT = Path(__file__).resolve().parent.parent.parent
DEFAULT = ("sqlite", "postgresql")
LABELS = ("commands", "executor", "loader", "operations")
AUTO_FIELDS = {"5": "django.db.models.AutoField"}
"""What each version's own test settings ask for; none from 6 on."""


def main(arguments: list[str]) -> int:
    """Run every vendor that is asked for and there; 0 when all of it passed."""
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, extra = arguments[:cut], arguments[cut + 1 :]
    else:
        extra = []
    tests = fetch(django.get_version()) / "tests"
    found = servers.find_servers(own=True)
    try:
        failed = [v for v in arguments or DEFAULT if not passed(tests, v, extra)]
    finally:
        found.stop()
    return int(bool(failed))


def passed(tests: Path, vendor: str, extra: list[str]) -> bool:
    """Whether the tests pass on this vendor; where it is missing that is said, and no failure."""
    if because := servers.missing(vendor):
        print(f"{vendor}: not run here, {because}", flush=True)
        return True
    with tempfile.TemporaryDirectory() as folder:
        return passes(tests, vendor, Path(folder), extra)


def fetch(version: str) -> Path:
    """The unpacked source distribution of this version of Django."""
    folder = ROOT / "var" / "django-tests"
    source = folder / f"django-{version}"
    if not (source / "tests" / "runtests.py").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--no-binary", "Django", "--dest", str(folder), f"Django=={version}"),
            ],
            check=True,
        )
        with tarfile.open(folder / f"django-{version}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return source


def passes(tests: Path, vendor: str, folder: Path, extra: list[str]) -> bool:
    """Whether the tests pass on this vendor; prints one line, and all they said when they fail."""
    with (
        servers.scratch_database(vendor, folder) as url,
        servers.scratch_database(vendor, folder) as other,
    ):
        environment = {
            **os.environ,
            "DJANGO_TESTS_URL": "sqlite://:memory:" if vendor == "sqlite" else url,
            "DJANGO_TESTS_OTHER_URL": "sqlite://:memory:" if vendor == "sqlite" else other,
            "PYTHONPATH": str(ROOT),
        }
        major = django.get_version().split(".")[0]
        if major in AUTO_FIELDS:
            environment["DJANGO_TESTS_AUTO_FIELD"] = AUTO_FIELDS[major]
        done = subprocess.run(
            [
                *(sys.executable, "runtests.py", "--settings=tests.django_tests.settings"),
                *("--parallel=1", "--noinput", *extra),
                *(f"migrations.test_{label}" for label in LABELS),
            ],
            cwd=tests,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    ran = re.search(r"Ran \d+ tests in .*", done.stderr)
    patched = re.search(r"PATCHED ([1-9]\d*) ([1-9]\d*)", done.stdout)
    good = bool(done.returncode == 0 and ran and patched)
    if not good:
        print(done.stdout, done.stderr, sep="\n")
    words = ran.group(0) if ran else "nothing ran"
    if patched:
        words += f", {patched[1]} steps told and {patched[2]} wrapped"
    verdict = "passed" if good else "FAILED"
    print(f"Django {django.get_version()} on {vendor}: {verdict}. {words}", flush=True)
    return good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
