"""The sample site's own page to sign in at."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.plans import an_account
from tests.project import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def its_templates(settings: Any) -> None:
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [ROOT / "django_site" / "templates"]}]


def test_a_wrong_password_does_not_cost_the_name(client: Client) -> None:
    an_account("robin")
    sent = {"username": 'robin"><b>', "password": "wrong"}
    page = client.post("/login/", sent).content.decode()
    assert "do not fit together" in page
    assert 'value="robin&quot;&gt;&lt;b&gt;"' in page
    assert 'autocomplete="current-password" autofocus' in page
    assert "wrong" not in page


def test_the_name_is_empty_and_asked_for_first_before_anything_was_typed(client: Client) -> None:
    page = client.get("/login/").content.decode()
    assert 'autocomplete="username" value="" autofocus' in page
    assert page.count("autofocus") == 1
