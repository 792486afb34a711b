"""Whole plans: several steps, steps that cannot be undone, plans that go back, odd tables."""

from __future__ import annotations

import pytest

from bot.route.findings import Evidence, Risk
from bot.route.rehearsal import Deed, Outcome
from bot.route.rehearsal_json import rehearsal_from_json, rehearsal_to_json
from bot.route.risks.effects import Lock, Work
from tests.database.migrating import MadeUpApp, migrate
from tests.database.rehearsal.shop import effects, rehearsed, with_plan, write

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])
NULL = "migrations.AddField('Item', 'a', models.IntegerField(null=True))"
DEMANDS = "migrations.AddField('Item', 'b', models.IntegerField(default=1))"


def test_a_break_belongs_to_the_first_step_after_which_it_is_there(
    target: str, shop: MadeUpApp
) -> None:
    write(shop, NULL, DEMANDS, NULL.replace("'a'", "'c'"))
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    broken = [[probe.deed for probe in step.breaks()] for step in found.steps]
    assert broken == [[], [Deed.INSERT], []]
    assert Deed.INSERT not in {probe.deed for probe in found.steps[2].probes}
    assert found.worked


def test_steps_around_one_that_cannot_be_undone_are_undone_by_themselves(
    target: str, shop: MadeUpApp
) -> None:
    never = "migrations.RunSQL('UPDATE shop_item SET count = 3')"
    write(shop, NULL, never, NULL.replace("'a'", "'c'"))
    migrate(target, "shop", "0001")
    made, found = with_plan(target, "shop")
    assert [step.undo for step in found.steps] == [Outcome.WORKS, Outcome.FAILS, Outcome.WORKS]
    assert "no reverse SQL" in found.steps[1].undo_because
    assert found.same_after_undo is Outcome.UNKNOWN
    codes = {one.code for one in made.rehearsed(found).steps[1].findings}
    assert "undo_impossible" in codes
    assert "undo_fails_with_rows" not in codes


def test_a_plan_that_goes_back_is_rehearsed_in_its_own_direction(
    target: str, shop: MadeUpApp
) -> None:
    write(shop, NULL, "migrations.AlterField('Item', 'count', models.BigIntegerField())")
    migrate(target, "shop")
    found = rehearsed(target, "shop", "0001")
    assert [step.key for step in found.steps] == ["shop.0003_step", "shop.0002_step"]
    assert [step.complete for step in found.steps] == [True, True]
    assert {one.work for one in effects(found.steps[0])["shop_item"]} == {Work.REWRITE}
    # INSERT is broken by the narrower type already.
    assert {probe.deed for probe in found.steps[1].breaks()} == {Deed.SELECT, Deed.FILTER}
    assert found.steps[1].undo is Outcome.WORKS


def test_a_column_that_going_back_demands_fails_as_soon_as_there_are_rows(
    target: str, shop: MadeUpApp
) -> None:
    write(shop, "migrations.RemoveField('Item', 'must')")
    migrate(target, "shop")
    made, found = with_plan(target, "shop 0001")
    (step,) = found.steps
    assert step.outcome is Outcome.FAILS
    assert step.because == "It fails as soon as there are rows; without any it works."
    codes = {finding.code for finding in made.rehearsed(found).all_findings}
    assert "rehearsal_fails" in codes
    assert "scans_under_lock" not in codes


def test_made_up_rows_decide_nothing_where_a_step_without_a_transaction_stops_at_them(
    target: str, shop: MadeUpApp
) -> None:
    key = "ALTER TABLE shop_item ADD CONSTRAINT k FOREIGN KEY (count) REFERENCES shop_tag NOT VALID"
    validate = "ALTER TABLE shop_item VALIDATE CONSTRAINT k"
    write(shop, f"migrations.RunSQL([{key!r}, {validate!r}])", extra="atomic = False")
    migrate(target, "shop", "0001")
    made, found = with_plan(target, "shop")
    (step,) = found.steps
    assert step.outcome is Outcome.UNKNOWN
    assert step.because == (
        "With made-up rows it fails half-way, and 1 statement before it stays: no transaction "
        "holds them."
    )
    levels = {one.code: one.level for one in made.rehearsed(found).steps[0].findings}
    assert levels["rows_decide"] is Risk.CAUTION
    assert "rehearsal_fails" not in levels


def test_a_materialized_view_can_be_filled_anew_beside_its_readers(
    target: str, shop: MadeUpApp
) -> None:
    view = "CREATE MATERIALIZED VIEW shop_words AS SELECT id, word FROM shop_tag"
    write(
        shop,
        f"migrations.RunSQL([{view!r}, 'CREATE UNIQUE INDEX shop_words_id ON shop_words (id)'])",
        "migrations.RunSQL('REFRESH MATERIALIZED VIEW CONCURRENTLY shop_words')",
    )
    migrate(target, "shop", "0002")
    found = rehearsed(target, "shop")
    assert found.worked, found.steps[0].error


def test_a_renamed_table_is_called_as_before_the_plan(target: str, shop: MadeUpApp) -> None:
    write(
        shop,
        "migrations.RenameModel('Tag', 'Label')",
        "migrations.AddIndex('Label', models.Index(fields=['word'], name='words'))",
    )
    migrate(target, "shop", "0001")
    made, found = with_plan(target, "shop")
    (effect,) = effects(found.steps[1])["shop_tag"]
    assert (effect.lock, effect.work) == (Lock.SHARE, Work.INDEX)
    findings = made.rehearsed(found).steps[1].findings
    (index,) = (one for one in findings if one.code == "indexes_under_lock")
    assert (index.table, index.evidence) == ("shop_label", Evidence.MEASURED)


def test_tables_that_the_plan_makes_count_for_nothing(target: str, shop: MadeUpApp) -> None:
    write(
        shop,
        "migrations.CreateModel('New', [('id', models.AutoField(primary_key=True))])",
        "migrations.AddField('New', 'x', models.IntegerField(db_index=True, default=1))",
    )
    migrate(target, "shop", "0001")
    made, found = with_plan(target, "shop")
    assert [effects(step) for step in found.steps] == [{}, {}]
    assert made.rehearsed(found).risk.value == "safe"


def test_what_is_inside_separate_database_and_state_is_told_apart(
    target: str, shop: MadeUpApp
) -> None:
    inner = """migrations.SeparateDatabaseAndState(database_operations=[
        migrations.AddField('Item', 'a', models.IntegerField(null=True)),
        migrations.AddIndex('Item', models.Index(fields=['a'], name='ax'))])"""
    write(shop, NULL.replace("'a'", "'z'"), inner)
    migrate(target, "shop", "0002")
    (step,) = rehearsed(target, "shop").steps
    assert [(one.operation, one.leaf) for one in step.measured] == [(0, 0), (0, 1)]


def test_odd_tables_get_their_rows(target: str, shop: MadeUpApp) -> None:
    before = """
migrations.CreateModel('Odd', [('key', models.CharField(max_length=8, primary_key=True)),
    ('kind', models.CharField(max_length=3, choices=[('abc', 'A'), ('xyz', 'X')])),
    ('up', models.ForeignKey('self', CASCADE, null=True)),
    ('tag', models.OneToOneField('shop.Tag', CASCADE, related_name='+')),
    ('less', models.SmallIntegerField()), ('more', models.PositiveIntegerField()),
    ('token', models.UUIDField(unique=True)), ('data', models.JSONField(default=dict)),
    ('raw', models.BinaryField()), ('ip', models.GenericIPAddressField()),
    ('day', models.DateField()), ('long', models.DurationField()),
    ('rate', models.DecimalField(max_digits=2, decimal_places=2)),
    ('file', models.FileField()), ('mail', models.EmailField(unique=True))],
    options={'unique_together': {('kind', 'less')}, 'constraints': [
        models.CheckConstraint(condition=Q(more__gte=F('less')), name='more_than_less')]}),
migrations.CreateModel('Child', [('odd_ptr', models.OneToOneField('shop.Odd', CASCADE,
    parent_link=True, primary_key=True, auto_created=True, serialize=False)),
    ('word', models.CharField(max_length=5))], bases=('shop.odd',)),
migrations.CreateModel('Pair', [('id', models.AutoField(primary_key=True)),
    ('odd', models.ForeignKey('shop.Odd', models.PROTECT)),
    ('tag', models.ForeignKey('shop.Tag', models.PROTECT, related_name='+'))],
    options={'unique_together': {('odd', 'tag')}}),
"""
    write(
        shop,
        "migrations.AddField('Odd', 'x', models.IntegerField(null=True))",
        "migrations.AddField('Pair', 'x', models.IntegerField(null=True))",
        "migrations.AddField('Child', 'y', models.IntegerField(null=True))",
        before=before,
    )
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    assert not [note for note in found.notes if "No rows could be made up" in note]
    odd, pair, child = ({probe.deed: probe for probe in s.probes} for s in found.steps)
    assert {one.outcome for one in pair.values()} == {Outcome.WORKS}, pair
    assert child[Deed.INSERT].outcome is not Outcome.FAILS
    assert odd[Deed.SELECT].outcome is Outcome.WORKS


def test_ranges_get_their_rows(target: str, shop: MadeUpApp) -> None:
    kinds = ("Integer", "BigInteger", "Decimal", "Date", "DateTime")
    fields = "".join(f", ('f{n}', ranges.{k}RangeField())" for n, k in enumerate(kinds))
    write(
        shop,
        "migrations.AddField('Span', 'x', models.IntegerField(null=True))",
        before="migrations.CreateModel('Span', [('id', models.AutoField(primary_key=True))"
        f"{fields}]),",
        head="import django.contrib.postgres.fields as ranges",
    )
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    assert not [note for note in found.notes if "No rows could be made up" in note]
    probes = {one.deed: one.outcome for one in found.steps[0].probes}
    assert probes[Deed.INSERT] is Outcome.WORKS


def test_a_table_without_rows_is_named_and_nothing_about_it_is_said_to_work(
    target: str, shop: MadeUpApp
) -> None:
    before = """
migrations.CreateModel('Shut', [('id', models.AutoField(primary_key=True)),
    ('x', models.IntegerField())], options={'constraints': [
        models.CheckConstraint(condition=Q(x__lt=F('x')), name='never')]}),
"""
    write(shop, "migrations.AddField('Shut', 'y', models.IntegerField(default=1))", before=before)
    migrate(target, "shop", "0001")
    made, found = with_plan(target, "shop")
    assert any("No rows could be made up for shop_shut" in note for note in found.notes)
    probes = {probe.deed: probe.outcome for probe in found.steps[0].probes}
    assert probes[Deed.INSERT] is Outcome.UNKNOWN
    findings = {one.code: one for one in made.rehearsed(found).steps[0].findings}
    assert findings["insert_breaks"].evidence is Evidence.PREDICTED


def test_a_rehearsal_is_kept_as_json_and_read_again(target: str, shop: MadeUpApp) -> None:
    write(shop, NULL, DEMANDS)
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    assert rehearsal_from_json(rehearsal_to_json(found)) == found
