"""The shop before a case: its models, rows in every table, and what the running release writes."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

ROWS = 120
"""Rows in every table: work that reads or writes so many grows with the table."""

HEAD = """
import datetime, decimal, uuid
import django.contrib.postgres.constraints as pgc
import django.contrib.postgres.fields as pgf
import django.contrib.postgres.indexes as pgi
import django.contrib.postgres.operations as pg
import django.db.models.functions as functions
from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower, Now
CASCADE = models.CASCADE
"""

_ID = "('id', models.AutoField(primary_key=True))"

INITIAL = f"""
migrations.CreateModel('Maker', [{_ID},
    ('name', models.CharField(max_length=50)),
    ('number', models.IntegerField(null=True))]),
migrations.CreateModel('Tag', [{_ID}, ('word', models.CharField(max_length=30))]),
migrations.CreateModel('Customer', [{_ID},
    ('email', models.CharField(max_length=100)),
    ('phone', models.CharField(max_length=20, null=True))]),
migrations.CreateModel('Product', [{_ID},
    ('name', models.CharField(max_length=50)),
    ('sku', models.CharField(max_length=20, unique=True)),
    ('code', models.CharField(max_length=50, db_index=True)),
    ('blurb', models.TextField()),
    ('size', models.CharField(max_length=10)),
    ('price', models.DecimalField(max_digits=8, decimal_places=2)),
    ('weight', models.FloatField()),
    ('stock', models.IntegerField()),
    ('views', models.BigIntegerField()),
    ('live', models.BooleanField()),
    ('made', models.DateTimeField()),
    ('note', models.CharField(max_length=50, null=True)),
    ('rank', models.IntegerField(null=True)),
    ('maker', models.ForeignKey('shop.Maker', CASCADE)),
    ('second', models.ForeignKey('shop.Maker', CASCADE, null=True, related_name='+')),
    ('loose', models.IntegerField(null=True)),
    ('tags', models.ManyToManyField('shop.Tag'))],
    options={{'indexes': [models.Index(fields=['price'], name='product_price')],
        'constraints': [models.CheckConstraint(condition=Q(stock__gte=0), name='stock_ok')]}}),
migrations.CreateModel('Order', [('id', models.BigAutoField(primary_key=True)),
    ('number', models.IntegerField()),
    ('status', models.CharField(max_length=20)),
    ('total', models.DecimalField(max_digits=10, decimal_places=2, null=True)),
    ('placed', models.DateTimeField()),
    ('customer', models.ForeignKey('shop.Customer', CASCADE))],
    options={{'constraints': [
        models.UniqueConstraint(fields=['number'], name='order_number_once')]}}),
migrations.CreateModel('Line', [{_ID},
    ('order', models.ForeignKey('shop.Order', CASCADE)),
    ('product', models.ForeignKey('shop.Product', CASCADE)),
    ('place', models.IntegerField()),
    ('count', models.IntegerField())], options={{'unique_together': {{('order', 'place')}}}}),
migrations.CreateModel('Booking', [{_ID},
    ('during', pgf.DateTimeRangeField()), ('room', models.IntegerField())]),
migrations.CreateModel('Old', [{_ID}, ('word', models.CharField(max_length=30))]),
"""

FILL = f"""
INSERT INTO shop_maker (name, number) SELECT 'maker ' || i, i FROM generate_series(1, {ROWS}) i;
INSERT INTO shop_tag (word) SELECT 'word ' || i FROM generate_series(1, {ROWS}) i;
INSERT INTO shop_customer (email, phone)
    SELECT i || '@example.org', CASE WHEN i % 2 = 0 THEN '+44 20 ' || i END
    FROM generate_series(1, {ROWS}) i;
INSERT INTO shop_product (name, sku, code, blurb, size, price, weight, stock, views, live, made,
        note, rank, maker_id, second_id, loose)
    SELECT 'product ' || i, 'sku' || i, 'code' || i, repeat('b', 190 + i), (i % 9)::text,
        i + 0.25, i + 0.5, i, i, i % 2 = 0,
        timestamptz '2026-01-01 10:11:12+00' + i * interval '1 minute', 'note ' || i, i, i, i, i
    FROM generate_series(1, {ROWS}) i;
INSERT INTO shop_product_tags (product_id, tag_id) SELECT i, i FROM generate_series(1, {ROWS}) i;
INSERT INTO shop_order (number, status, total, placed, customer_id)
    SELECT i, 'open', i, timestamptz '2026-01-01 10:11:12+00', i FROM generate_series(1, {ROWS}) i;
INSERT INTO shop_line (order_id, product_id, place, count)
    SELECT i, i, 1, i FROM generate_series(1, {ROWS}) i;
INSERT INTO shop_booking (during, room)
    SELECT tstzrange(timestamptz '2026-01-01' + i * interval '1 day',
        timestamptz '2026-01-02' + i * interval '1 day'), 1 FROM generate_series(1, {ROWS}) i;
INSERT INTO shop_old (word) SELECT 'word ' || i FROM generate_series(1, {ROWS}) i;
"""

_AT = datetime.datetime(2026, 1, 1, 10, 11, 12, tzinfo=datetime.UTC)
_PRODUCT: dict[str, Any] = {
    "name": "n" * 50,
    "sku": "s" * 20,
    "code": "c" * 50,
    "blurb": "b" * 400,
    "size": "s" * 10,
    "price": Decimal("999999.25"),
    "weight": 1e12 + 0.5,
    "stock": 2**31 - 1,
    "views": 2**62,
    "live": True,
    "made": _AT,
    "maker_id": 1,
}
WRITES: dict[str, dict[str, Any]] = {
    "Maker": {"name": "n" * 50},
    "Tag": {"word": "w" * 30},
    "Customer": {"email": "e" * 100},
    "Product": _PRODUCT,
    "Order": {"number": 2**31 - 1, "status": "s" * 20, "placed": _AT, "customer_id": 1},
    "Line": {"order_id": 1, "product_id": 2, "place": 2, "count": 2**31 - 1},
    "Booking": {"during": (_AT, _AT + datetime.timedelta(minutes=1)), "room": 2},
    "Old": {"word": "w" * 30},
}
"""Rows that the running release may write: as long and large as its fields allow, and NULL where
they allow that."""
