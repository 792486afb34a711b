"""A small shop, as the operations of its first migration, and operations that change it."""

from __future__ import annotations

BASE = """
migrations.CreateModel('Maker', [('id', models.AutoField(primary_key=True)),
    ('name', models.CharField(max_length=50))]),
migrations.CreateModel('Tag', [('id', models.AutoField(primary_key=True)),
    ('word', models.CharField(max_length=50))]),
migrations.CreateModel('Old', [('id', models.AutoField(primary_key=True)),
    ('maker', models.ForeignKey('shop.Maker', CASCADE))]),
migrations.CreateModel('Box', [('id', models.AutoField(primary_key=True)),
    ('tags', models.ManyToManyField('shop.Tag'))]),
migrations.CreateModel('Item', [('id', models.AutoField(primary_key=True)),
    ('name', models.CharField(max_length=50)),
    ('label', models.CharField(max_length=50)),
    ('code', models.CharField(max_length=50, db_index=True)),
    ('blurb', models.TextField()),
    ('price', models.DecimalField(max_digits=8, decimal_places=2)),
    ('count', models.IntegerField()),
    ('large', models.BigIntegerField()),
    ('ratio', models.FloatField()),
    ('at', models.DateTimeField()),
    ('note', models.CharField(max_length=50, null=True)),
    ('must', models.IntegerField()),
    ('may', models.IntegerField(null=True)),
    ('maker', models.ForeignKey('shop.Maker', CASCADE, related_name='+'))]),
"""


def add(name: str, text: str) -> str:
    """A field more for the item; ``text`` is its class and arguments."""
    return f"migrations.AddField('Item', '{name}', models.{text})"


def alter(name: str, text: str) -> str:
    """Another field in place of one that the item has."""
    return f"migrations.AlterField('Item', '{name}', models.{text})"
