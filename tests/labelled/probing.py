"""What the running release does every day, tried with its own models. Nothing of it stays."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from django.db import Error, connections, transaction

from tests.labelled.ground import ALIAS
from tests.labelled.shop import WRITES


class _Undone(Exception):
    """Ends a try, so that nothing of it stays."""


class _Other(Exception):
    """What was written is not what is read."""


def broken(apps: Any, writes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What fails of each model's reads and writes, with why."""
    found: dict[str, str] = {}
    for name in {**WRITES, **writes}:
        row = {**WRITES.get(name, {}), **writes.get(name, {})}
        try:
            model = apps.get_model("shop", name)
        except LookupError:
            continue
        for deed, act in _deeds(model, row).items():
            if why := _tried(act):
                found[f"{name} {deed}"] = why
    return found


def _deeds(model: Any, row: dict[str, Any]) -> dict[str, Callable[[], None]]:
    rows = model._default_manager.using(ALIAS)
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    known = {field.attname for field in fields}
    written = {name: value for name, value in row.items() if name in known}

    def select() -> None:
        list(rows.all()[:1])

    def filtered() -> None:
        for field in fields:
            value = _SAMPLES.get(field.get_internal_type())
            if value is not None:
                list(rows.filter(**{field.attname: value})[:1])

    def insert() -> None:
        made = model(**written)
        made.save(using=ALIAS, force_insert=True)
        read = rows.values(*written).get(pk=made.pk)
        for name, value in written.items():
            if read[name] != value and not isinstance(value, tuple):
                raise _Other(f"{name} {value!r} is {read[name]!r}")

    def update() -> None:
        one = rows.order_by("pk").first()
        if one is not None:
            one.save(using=ALIAS, force_update=True)

    def delete() -> None:
        rows.filter(pk=model(**written).pk or 1).delete()

    deeds = {
        "SELECT": select,
        "filter": filtered,
        "INSERT": insert,
        "UPDATE": update,
        "DELETE": delete,
    }
    for many in model._meta.local_many_to_many:
        if many.remote_field.through._meta.auto_created:

            def through(name: str = many.name) -> None:
                getattr(rows.order_by("pk").first(), name).add(3)

            deeds[many.name] = through
    return deeds


_SAMPLES: dict[str, Any] = {
    "AutoField": 1,
    "BigAutoField": 1,
    "IntegerField": 1,
    "BigIntegerField": 1,
    "CharField": "1",
    "TextField": "1",
    "FloatField": 1.5,
    "BooleanField": True,
}


def _tried(act: Callable[[], None]) -> str:
    try:
        with warnings.catch_warnings(), transaction.atomic(using=ALIAS):
            warnings.simplefilter("ignore", RuntimeWarning)  # A date where times are expected.
            with connections[ALIAS].cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            act()
            raise _Undone
    except _Undone:
        return ""
    except (Error, _Other) as error:
        return str(error).splitlines()[0]
