"""Plain INSERTs and SELECTs, several at once, on three databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, transaction

from bot.models import SeenRequest, SlackPerson
from bot.rows import insert, select
from tests.plain_site import plain_site
from tests.plans import NOW


@pytest.fixture
def site(target: str, scratch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with plain_site(target, scratch_url, monkeypatch):
        yield target


def seen(*signatures: str) -> list[SeenRequest]:
    return [SeenRequest(signature=signature, at=NOW) for signature in signatures]


def ada() -> SlackPerson:
    return SlackPerson(key="T1:ada", team="T1", slack_user="ada", name="100% ada; or ?")


def there(site: str) -> list[str]:
    kept = [SeenRequest.objects.using(site), SlackPerson.objects.using(site)]
    return sorted(str(pk) for rows in kept for pk in rows.values_list("pk", flat=True))


def test_rows_of_several_models_are_written_at_once_and_known_as_written(site: str) -> None:
    requests, people = seen("a", "b"), [ada()]
    insert(requests, [], people, using=site)
    assert there(site) == ["T1:ada", "a", "b"]
    assert {(row._state.adding, row._state.db) for row in (*requests, *people)} == {(False, site)}
    assert SlackPerson.objects.using(site).get().name == "100% ada; or ?"


def test_all_of_them_are_written_or_none(site: str) -> None:
    insert(seen("a"), using=site)
    with pytest.raises(IntegrityError):
        insert([ada()], seen("b"), seen("a"), using=site)
    assert there(site) == ["a"]


def test_within_a_transaction_they_end_with_it(site: str) -> None:
    with transaction.atomic(using=site):
        insert(seen("a"), [ada()], using=site)
        transaction.set_rollback(True, using=site)
    assert there(site) == []


def test_nothing_at_all_is_written_by_no_statement(site: str) -> None:
    insert([], [], using=site)
    assert there(site) == []


def test_each_query_gives_its_own_rows_in_their_order(site: str) -> None:
    insert(seen("a", "b"), [ada()], using=site)
    requests, people = SeenRequest._meta.db_table, SlackPerson._meta.db_table
    of_one = f"SELECT signature FROM {requests} WHERE signature = %s"
    found = select(
        (of_one, ["b"]),
        (of_one, ["nobody"]),
        (f"SELECT name FROM {people} WHERE team = %s", ["T1"]),
        using=site,
    )
    assert [list(rows) for rows in found] == [[("b",)], [], [("100% ada; or ?",)]]
    (alone,) = select((of_one, ["a"]), using=site)
    assert list(alone) == [("a",)]
