from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings

from bot.models import AuditEntry, Link
from bot.moment import utc_now
from bot.operations import linking
from tests.plans import an_account
from tests.project import ProjectFactory

pytestmark = pytest.mark.django_db
CODE = "a-code-that-nobody-guesses"


@pytest.fixture
def offered() -> None:
    linking.offer_code(
        CODE, team="T0TEAM", slack_user="U0ROBIN", slack_name="<b>Robin</b>", now=utc_now()
    )


@pytest.fixture
def robin(client: Client) -> Any:
    user = an_account("robin")
    client.force_login(user)
    return user


def test_the_page_says_which_slack_person_asks_before_anything_is_tied(
    client: Client, robin: Any, offered: None
) -> None:
    page = client.get(f"/migrations/link/{CODE}/").content.decode()
    assert "&lt;b&gt;Robin&lt;/b&gt;" in page
    assert "U0ROBIN" in page
    assert not Link.objects.exists()


def test_the_page_names_the_account_that_will_be_untied(
    client: Client, robin: Any, offered: None
) -> None:
    assert "untied" not in client.get(f"/migrations/link/{CODE}/").content.decode()
    mallory = an_account("mallory")
    Link.objects.create(
        team="T0TEAM",
        slack_user="U0ROBIN",
        account=str(mallory.pk),
        account_name="mallory",
        linked_at=utc_now(),
        live_key="T0TEAM:U0ROBIN",
    )
    page = client.get(f"/migrations/link/{CODE}/").content.decode()
    assert "is tied to <strong>mallory</strong> now, and will be untied from it" in page


def test_confirming_ties_once_and_a_second_time_is_refused(
    client: Client, robin: Any, offered: None
) -> None:
    assert client.post(f"/migrations/link/{CODE}/").status_code == 303
    link = Link.objects.get()
    assert (link.account, link.live_key) == (str(robin.pk), "T0TEAM:U0ROBIN")
    assert client.post(f"/migrations/link/{CODE}/").status_code == 409
    assert Link.objects.count() == 1
    events = list(AuditEntry.objects.order_by("seq").values_list("event", flat=True))
    assert events == ["link.made", "link.make.refused"]


def test_a_code_is_kept_only_as_its_digest_and_dies(client: Client, robin: Any) -> None:
    past = utc_now() - timedelta(minutes=11)
    linking.offer_code(CODE, team="T0TEAM", slack_user="U0ROBIN", slack_name="", now=past)
    assert client.get(f"/migrations/link/{CODE}/").status_code == 409
    assert client.post(f"/migrations/link/{CODE}/").status_code == 409


def test_a_newer_code_ends_the_older_one(client: Client, robin: Any, offered: None) -> None:
    linking.offer_code("b" * 30, team="T0TEAM", slack_user="U0ROBIN", slack_name="", now=utc_now())
    assert client.get(f"/migrations/link/{CODE}/").status_code == 409
    assert client.get(f"/migrations/link/{'b' * 30}/").status_code == 200


def test_who_is_no_staff_ties_nothing(client: Client, offered: None) -> None:
    client.force_login(an_account("kim", staff=False))
    assert client.post(f"/migrations/link/{CODE}/").status_code == 403
    assert not Link.objects.exists()


def test_confirming_takes_a_csrf_token(robin: Any, offered: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(robin)
    assert strict.post(f"/migrations/link/{CODE}/").status_code == 403
    assert not Link.objects.exists()


def test_one_sees_and_ends_ones_own_links_and_a_superuser_everybodys(
    client: Client, robin: Any, offered: None
) -> None:
    client.post(f"/migrations/link/{CODE}/")
    other = Client()
    other.force_login(an_account("ada", "approve_run"))
    assert "U0ROBIN" not in other.get("/migrations/links/").content.decode()
    given = {"team": "T0TEAM", "slack_user": "U0ROBIN"}
    assert other.post("/migrations/links/", given).status_code == 403
    assert Link.objects.get().live_key
    other.force_login(an_account("root", superuser=True))
    assert "U0ROBIN" in other.get("/migrations/links/").content.decode()
    assert other.post("/migrations/links/", given).status_code == 303
    assert Link.objects.get().live_key is None


def test_on_a_phone_where_a_table_has_no_head_each_fact_of_a_link_has_its_label(
    client: Client, robin: Any, offered: None
) -> None:
    client.post(f"/migrations/link/{CODE}/")
    page = client.get("/migrations/links/").content.decode()
    for label in ("Staff account", "Slack", "Since"):
        assert f'<td data-label="{label}">' in page


def test_a_slack_person_has_one_live_link(client: Client, robin: Any, offered: None) -> None:
    client.post(f"/migrations/link/{CODE}/")
    linking.offer_code("c" * 30, team="T0TEAM", slack_user="U0ROBIN", slack_name="", now=utc_now())
    ada = Client()
    ada.force_login(an_account("ada"))
    with override_settings(MIGRATION_BOT={}):
        assert ada.post(f"/migrations/link/{'c' * 30}/").status_code == 303
    live = Link.objects.get(live_key__isnull=False)
    assert live.account_name == "ada"
    assert Link.objects.get(live_key__isnull=True).ended_by == "ada"


WITHOUT_SUPERUSERS = """
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class Person(AbstractBaseUser):
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=True)
    USERNAME_FIELD = "email"

    def has_perm(self, perm, obj=None):
        return True
"""
LOOKED = """
from django.test import Client
from people.models import Person
from bot.models import Link
from bot.moment import utc_now
ada, ben = (Person.objects.create(email=name) for name in ("ada@site.test", "ben@site.test"))
for person, name in ((ada, "UADA"), (ben, "UBEN")):
    Link.objects.create(
        team="T", slack_user=name, account=str(person.pk), account_name=person.email,
        linked_at=utc_now(), live_key="T:" + name)
client = Client()
client.force_login(ada)
page = client.get("/migrations/links/")
print(page.status_code, b"UADA" in page.content, b"UBEN" in page.content)
for name in ("UBEN", "UADA"):
    print(client.post("/migrations/links/", {"team": "T", "slack_user": name}).status_code)
print(*Link.objects.filter(live_key__isnull=False).values_list("slack_user", flat=True))
"""


def test_a_user_model_that_knows_no_superusers_shows_everybody_their_own_link(
    project: ProjectFactory, new_database: Any
) -> None:
    site = project(
        database_url=new_database("sqlite"),
        state_url="",
        apps={"people": {"models.py": WITHOUT_SUPERUSERS}},
        settings='AUTH_USER_MODEL = "people.Person"\n'
        'SILENCED_SYSTEM_CHECKS = ["migration_bot.W010"]\n',
        urls='urlpatterns += [path("", include("bot.urls"))]\n',
    )
    site.manage("makemigrations", "people")
    site.manage("migrate")
    site.manage("migration_bot", "setup")
    said = site.shell(LOOKED).split("\n")
    assert said[:4] == ["200 True False", "403", "303", "UBEN"]
