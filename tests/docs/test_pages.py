"""The pages agree with the code and with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from django_site.environment import PREFIX
from tests.docs.pages import ROOT, pages, remade

PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()]


@pytest.mark.parametrize("page", PAGES)
def test_what_is_made_from_code_is_up_to_date(page: Path) -> None:
    text = page.read_text()
    assert remade(text) == text, "run `make docs`"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.mark.parametrize("page", PAGES)
def test_every_make_command_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES)
def test_every_subcommand_exists(page: Path) -> None:
    from django.core.management import load_command_class

    named = set(re.findall(r"manage\.py migration_bot ([a-z]+)", page.read_text()))
    if named:
        help_text = load_command_class("bot", "migration_bot").create_parser("", "").format_help()
        assert named <= set(re.findall(r"[a-z]+", help_text))


@pytest.mark.parametrize("page", PAGES)
def test_lines_are_of_readable_length(page: Path) -> None:
    long = [
        line
        for line in page.read_text().splitlines()
        if len(line) > 120 and not line.startswith("|") and "](" not in line
    ]
    assert not long


def test_the_environments_names_are_read_by_the_site() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    code = "".join(path.read_text() for path in (ROOT / "django_site").glob("*.py"))
    names = re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE)
    assert len(names) > 8
    for name in names:
        assert name.startswith(PREFIX) or name in ("RELEASE",) or f'"{name}"' in code, name


def test_the_sites_environment_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    for path in ("settings.py", "environment.py"):
        code = (ROOT / "django_site" / path).read_text()
        for name in re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', code):
            assert f"`{name}`" in text, f"{name} is read in {path} and not documented"


def test_the_guide_lists_the_pending_migrations_in_order() -> None:
    from django_site.shop.management.commands.demo import LAST_APPLIED

    folder = ROOT / "django_site" / "shop" / "migrations"
    names = sorted(path.stem for path in folder.glob("[0-9]*.py"))
    pending = names[names.index(LAST_APPLIED[1]) + 1 :]
    text = (ROOT / "docs" / "start.md").read_text()
    assert re.findall(r"^\| `(\d{4}_\w+)` \|", text, re.MULTILINE) == pending
