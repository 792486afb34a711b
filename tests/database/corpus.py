"""Migrations of a made-up shop: every kind of operation, one small migration after the other."""

from __future__ import annotations

HEAD = """
import datetime, decimal, uuid
import django.db.models.deletion
import django.db.models.functions
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
CASCADE = models.CASCADE
def later(): return "by python"
"""


def module(operations: str, *, after: str = "", extra: str = "", head: str = "") -> str:
    """The source of a migration; ``after`` is the one it follows."""
    depends = f"[('shop', '{after}')]" if after else "[]"
    return (
        f"{HEAD}\n{head}\nclass Migration(migrations.Migration):\n"
        f"    dependencies = {depends}\n{extra}\n"
        f"    operations = [\n{operations}\n    ]\n"
    )


def chain(steps: dict[str, str], extra: str = "") -> dict[str, str]:
    """Sources of migrations that follow one another; each value is a list of operations."""
    sources, after = {}, ""
    for name, operations in steps.items():
        sources[name] = module(operations, after=after, extra=extra)
        after = name
    return sources


_ID = "('id', models.AutoField(primary_key=True))"

STEPS: dict[str, str] = {
    "0001_initial": f"""
migrations.CreateModel('Maker', [{_ID},
    ('name', models.CharField(max_length=50, unique=True)),
    ('code', models.SlugField(max_length=20)),
    ('number', models.PositiveIntegerField(default=1)),
]),
migrations.CreateModel('Tag', [{_ID}, ('word', models.CharField(max_length=30, db_index=True))]),
migrations.CreateModel('Product', [{_ID},
    ('name', models.CharField(max_length=100)),
    ('sku', models.CharField(max_length=20, unique=True)),
    ('price', models.DecimalField(max_digits=8, decimal_places=2)),
    ('stock', models.PositiveIntegerField(default=0)),
    ('size', models.IntegerField(null=True)),
    ('created', models.DateTimeField(auto_now_add=True)),
    ('data', models.JSONField(null=True)),
    ('percent', models.CharField(max_length=9, default='100%')),
    ('maker', models.ForeignKey(to='shop.Maker', on_delete=CASCADE)),
    ('tags', models.ManyToManyField(to='shop.Tag')),
], options={{
    'unique_together': {{('name', 'maker')}},
    'indexes': [models.Index(fields=['price', '-size'], name='shop_price')],
    'constraints': [
        models.CheckConstraint(condition=Q(price__gte=0), name='shop_price_positive'),
        models.UniqueConstraint(fields=['name', 'size'], name='shop_name_size'),
        models.UniqueConstraint(
            fields=['name'], condition=Q(size__isnull=True), name='shop_one_unsized'),
    ],
}}),
""",
    "0002_self": f"""
migrations.CreateModel('Node', [{_ID},
    ('key', models.CharField(max_length=20, unique=True)),
    ('parent', models.ForeignKey(to='self', null=True, on_delete=CASCADE)),
    ('friends', models.ManyToManyField(to='self')),
]),
migrations.CreateModel('Leaf', [{_ID},
    ('node', models.ForeignKey(to='shop.Node', to_field='key', on_delete=CASCADE)),
]),
""",
    "0003_add_null": """
migrations.AddField('Product', 'note', models.TextField(null=True)),
migrations.AddField('Product', 'ean', models.CharField(max_length=13, null=True, db_index=True)),
""",
    "0004_add_default": """
migrations.AddField('Product', 'kind', models.CharField(max_length=9, default="it's 5%")),
migrations.AddField('Product', 'live', models.BooleanField(default=True)),
migrations.AddField('Product', 'blurb', models.TextField(default='')),
migrations.AddField('Product', 'rate', models.FloatField(default=1.5), preserve_default=False),
""",
    "0005_add_callable": """
migrations.AddField('Product', 'token', models.UUIDField(default=uuid.uuid4)),
migrations.AddField('Product', 'word', models.CharField(max_length=40, default=later)),
migrations.AddField('Product', 'seen', models.DateTimeField(auto_now=True)),
migrations.AddField('Product', 'more', models.JSONField(default=dict)),
""",
    "0006_add_db_default": """
migrations.AddField('Product', 'level', models.IntegerField(db_default=3)),
migrations.AddField('Product', 'at', models.DateTimeField(db_default=Now())),
""",
    "0007_add_relations": """
migrations.AddField('Product', 'other', models.ForeignKey(
    to='shop.Maker', null=True, related_name='+', on_delete=CASCADE)),
migrations.AddField('Product', 'twin', models.OneToOneField(
    to='shop.Product', null=True, on_delete=CASCADE)),
migrations.AddField('Product', 'loose', models.ForeignKey(
    to='shop.Tag', null=True, db_constraint=False, related_name='+', on_delete=CASCADE)),
migrations.AddField('Maker', 'labels', models.ManyToManyField(to='shop.Tag', related_name='+')),
""",
    "0008_add_unique": """
migrations.AddField('Maker', 'vat', models.CharField(max_length=20, null=True, unique=True)),
migrations.AddField('Maker', 'rank', models.PositiveSmallIntegerField(null=True, unique=True)),
""",
    "0009_widen": """
migrations.AlterField('Product', 'name', models.CharField(max_length=200)),
migrations.AlterField('Product', 'note', models.CharField(max_length=200, null=True)),
migrations.AlterField('Product', 'size', models.BigIntegerField(null=True)),
""",
    "0010_not_null": """
migrations.AlterField('Product', 'size', models.BigIntegerField(default=4)),
migrations.AlterField('Product', 'note', models.CharField(max_length=200, default='x'),
    preserve_default=False),
migrations.AlterField('Product', 'ean', models.CharField(
    max_length=13, default=later, db_index=True)),
""",
    "0011_unique_on": """
migrations.AlterField('Product', 'ean', models.CharField(max_length=13, unique=True)),
migrations.AlterField('Tag', 'word', models.CharField(max_length=30)),
migrations.AlterField('Maker', 'code', models.CharField(max_length=20)),
""",
    "0012_unique_off": """
migrations.AlterField('Product', 'ean', models.CharField(max_length=13)),
migrations.AlterField('Product', 'sku', models.CharField(max_length=20)),
migrations.AlterField('Maker', 'vat', models.CharField(max_length=20, null=True)),
migrations.AlterField('Maker', 'rank', models.IntegerField(null=True)),
""",
    "0013_checks": """
migrations.AlterField('Product', 'stock', models.IntegerField(default=0)),
migrations.AlterField('Maker', 'number', models.IntegerField(default=1)),
migrations.AlterField('Product', 'level', models.PositiveIntegerField(db_default=3)),
""",
    "0014_foreign_keys": """
migrations.AlterField('Product', 'other', models.ForeignKey(
    to='shop.Maker', null=True, db_constraint=False, related_name='+', on_delete=CASCADE)),
migrations.AlterField('Product', 'loose', models.ForeignKey(
    to='shop.Tag', null=True, related_name='+', on_delete=CASCADE)),
migrations.AlterField('Product', 'twin', models.ForeignKey(
    to='shop.Product', null=True, on_delete=CASCADE)),
""",
    "0015_keys": """
migrations.AlterField('Maker', 'id', models.BigAutoField(primary_key=True)),
migrations.AlterField('Node', 'key', models.CharField(max_length=40, unique=True)),
migrations.AlterField('Tag', 'id', models.IntegerField(primary_key=True)),
""",
    "0016_rename_field": """
migrations.RenameField('Product', 'percent', 'share'),
migrations.RenameField('Node', 'parent', 'above'),
migrations.RenameField('Product', 'maker', 'made_by'),
migrations.AlterField('Product', 'kind', models.CharField(
    max_length=9, default='x', db_column='sort')),
""",
    "0017_rename_model": """
migrations.RenameModel('Maker', 'Brand'),
migrations.RenameModel('Node', 'Knot'),
""",
    "0018_after_renames": """
migrations.AddField('Brand', 'country', models.CharField(max_length=2, null=True, unique=True)),
migrations.AlterField('Brand', 'vat', models.CharField(max_length=20, null=True, db_index=True)),
migrations.AlterField('Product', 'made_by', models.ForeignKey(
    to='shop.Brand', null=True, on_delete=CASCADE)),
""",
    "0019_tables": """
migrations.AlterModelTable('Tag', 'shop_word_table'),
migrations.AlterModelTable('Product', 'shop_thing'),
migrations.AlterModelOptions('Product', {'ordering': ['name'], 'verbose_name': 'thing'}),
migrations.AlterModelManagers('Product', [('objects', models.Manager())]),
""",
    "0020_together": """
migrations.AlterUniqueTogether('Product', {('name', 'ean')}),
migrations.AlterUniqueTogether('Brand', {('code', 'country')}),
""",
    "0021_together_off": """
migrations.AlterUniqueTogether('Product', set()),
migrations.AlterUniqueTogether('Brand', None),
""",
    "0022_order": """
migrations.AlterOrderWithRespectTo('Leaf', 'node'),
""",
    "0023_order_off": """
migrations.AlterOrderWithRespectTo('Leaf', None),
""",
    "0024_indexes": """
migrations.AddIndex('Product', models.Index(fields=['ean', 'stock'], name='shop_ean_stock')),
migrations.AddIndex('Product', models.Index(
    fields=['stock'], condition=Q(stock__gt=5), name='shop_stock_5')),
migrations.AddIndex('Product', models.Index(Lower('name').desc(), name='shop_lower')),
migrations.AddIndex('Product', models.Index(fields=['made_by', 'stock'], name='shop_made_stock')),
migrations.RenameIndex('Product', old_name='shop_price', new_name='shop_cost'),
""",
    "0025_indexes_off": """
migrations.RemoveIndex('Product', 'shop_ean_stock'),
migrations.RemoveIndex('Product', 'shop_stock_5'),
migrations.RemoveIndex('Product', 'shop_lower'),
migrations.RemoveIndex('Product', 'shop_made_stock'),
""",
    "0026_constraints": """
migrations.AddConstraint('Product', models.CheckConstraint(
    condition=Q(stock__lt=1000) & ~Q(ean='100%'), name='shop_stock_low')),
migrations.AddConstraint('Product', models.UniqueConstraint(
    fields=['ean', 'stock'], name='shop_unique_ean')),
migrations.AddConstraint('Product', models.UniqueConstraint(Lower('ean'), name='shop_lower_ean')),
migrations.AddConstraint('Product', models.UniqueConstraint(
    fields=['ean'], condition=Q(stock=1), name='shop_ean_when')),
""",
    "0027_constraints_off": """
migrations.RemoveConstraint('Product', 'shop_stock_low'),
migrations.RemoveConstraint('Product', 'shop_unique_ean'),
migrations.RemoveConstraint('Product', 'shop_lower_ean'),
migrations.RemoveConstraint('Product', 'shop_ean_when'),
migrations.RemoveConstraint('Product', 'shop_name_size'),
""",
    "0028_sql": """
migrations.RunSQL("UPDATE shop_thing SET stock = 5 WHERE name LIKE '%x'",
    "UPDATE shop_thing SET stock = 6"),
migrations.RunSQL([("UPDATE shop_thing SET stock = %s WHERE name = %s", [7, "it's"])],
    migrations.RunSQL.noop),
migrations.RunSQL(migrations.RunSQL.noop, migrations.RunSQL.noop),
migrations.SeparateDatabaseAndState(
    database_operations=[
        migrations.RunSQL("UPDATE shop_thing SET stock = 8", migrations.RunSQL.noop),
        migrations.AddField('Product', 'hidden', models.IntegerField(null=True)),
        migrations.AlterField('Product', 'hidden', models.IntegerField(null=True, db_index=True)),
    ],
    state_operations=[migrations.AddField(
        'Product', 'hidden', models.IntegerField(null=True, db_index=True))],
),
migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop),
""",
    "0029_kinds": f"""
migrations.CreateModel('Special', [
    ('product_ptr', models.OneToOneField(to='shop.Product', auto_created=True, parent_link=True,
        primary_key=True, serialize=False, on_delete=CASCADE)),
    ('extra', models.CharField(max_length=5, db_index=True)),
], bases=('shop.product',)),
migrations.CreateModel('Seen', [], options={{'proxy': True}}, bases=('shop.product',)),
migrations.CreateModel('Foreign', [{_ID}, ('x', models.IntegerField())],
    options={{'managed': False}}),
migrations.CreateModel('Line', [{_ID},
    ('special', models.ForeignKey(to='shop.Special', on_delete=CASCADE)),
    ('seen', models.ForeignKey(to='shop.Seen', on_delete=CASCADE, related_name='+')),
    ('amount', models.IntegerField(default=1)),
    ('double', models.GeneratedField(expression=F('amount') * 2,
        output_field=models.IntegerField(), db_persist=True)),
]),
migrations.AddField('Special', 'brands', models.ManyToManyField(
    to='shop.Brand', through='shop.Deal')) if False else
migrations.AddField('Special', 'tags2', models.ManyToManyField(to='shop.Tag', related_name='+')),
""",
    "0030_through": f"""
migrations.CreateModel('Deal', [{_ID},
    ('special', models.ForeignKey(to='shop.Special', on_delete=CASCADE)),
    ('brand', models.ForeignKey(to='shop.Brand', on_delete=CASCADE)),
]),
migrations.AddField('Special', 'brands', models.ManyToManyField(
    to='shop.Brand', through='shop.Deal', related_name='+')),
migrations.RenameModel('Deal', 'Bargain'),
migrations.AddField('Foreign', 'y', models.IntegerField(null=True)),
""",
    "0031_many": """
migrations.AlterField('Special', 'tags2', models.ManyToManyField(
    to='shop.Brand', related_name='+')),
migrations.RenameField('Special', 'tags2', 'brands2'),
""",
    "0032_keys_again": """
migrations.AlterField('Product', 'id', models.BigAutoField(primary_key=True)),
migrations.AlterField('Knot', 'id', models.BigAutoField(primary_key=True)),
""",
    "0033_remove": """
migrations.RemoveField('Product', 'rate'),
migrations.RemoveField('Product', 'other'),
migrations.RemoveField('Product', 'loose'),
migrations.RemoveField('Product', 'tags'),
migrations.RemoveField('Product', 'ean'),
migrations.RemoveField('Brand', 'rank'),
migrations.RemoveField('Special', 'brands'),
""",
    "0034_delete": """
migrations.DeleteModel('Bargain'),
migrations.DeleteModel('Line'),
migrations.DeleteModel('Seen'),
migrations.DeleteModel('Special'),
migrations.DeleteModel('Leaf'),
migrations.DeleteModel('Knot'),
""",
}
