from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.route.basis import Basis, BasisStep, differences

APPROVED = Basis(
    identity="postgresql:shop",
    steps=(
        BasisStep(key="shop.0007_totals", direction="forward", digest="aa"),
        BasisStep(key="accounts.0004_email", direction="forward", digest="bb"),
    ),
    rests_on=("accounts.0003_name", "shop.0006_note"),
    release="v1",
)

names = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=8)
bases = st.builds(
    Basis,
    identity=names,
    steps=st.lists(
        st.builds(
            BasisStep, key=names, direction=st.sampled_from(["forward", "backward"]), digest=names
        ),
        max_size=4,
        unique_by=lambda step: step.key,
    ).map(tuple),
    rests_on=st.lists(names, max_size=4, unique=True).map(tuple),
    release=names,
)


def test_the_fingerprint_is_pinned() -> None:
    # Stored approvals rest on it: a change of this value is a change of the contract.
    assert APPROVED.fingerprint == (
        "1a4a941222f36e2103aace52d56cb207e7675223eaf47d4642901148badf6b49"
    )


def test_the_release_is_no_part_of_the_fingerprint() -> None:
    assert replace(APPROVED, release="v2").fingerprint == APPROVED.fingerprint


def test_the_order_of_the_applied_rows_does_not_matter_but_that_of_the_steps_does() -> None:
    turned = replace(APPROVED, rests_on=APPROVED.rests_on[::-1])
    assert turned.fingerprint == APPROVED.fingerprint
    steps = replace(APPROVED, steps=APPROVED.steps[::-1])
    assert steps.fingerprint != APPROVED.fingerprint
    assert differences(APPROVED, steps) == ("The steps are the same, but in another order.",)


def test_an_edited_file_is_named() -> None:
    edited = replace(APPROVED.steps[0], digest="cc")
    found = replace(APPROVED, steps=(edited, APPROVED.steps[1]))
    assert differences(APPROVED, found) == (
        "shop.0007_totals was edited after approval, or a file it uses.",
    )


def test_a_step_that_somebody_else_applied_is_named() -> None:
    found = replace(
        APPROVED,
        steps=APPROVED.steps[:1],
        rests_on=(*APPROVED.rests_on, "accounts.0004_email"),
    )
    assert differences(APPROVED, found) == ("accounts.0004_email was applied meanwhile.",)


def test_another_release_on_the_worker_is_told_beside_what_differs() -> None:
    new = BasisStep(key="shop.0008_more", direction="forward", digest="dd")
    found = replace(APPROVED, steps=(*APPROVED.steps, new), release="v2")
    assert differences(APPROVED, found) == (
        "shop.0008_more would be run too now, and nobody approved that.",
        "This worker runs another release: v2, and v1 was approved.",
    )


def test_another_database_is_told() -> None:
    found = replace(APPROVED, identity="postgresql:copy")
    assert differences(APPROVED, found) == (
        "This is another database than the one the approval was given for.",
    )


def test_an_applied_row_that_went_away_is_named() -> None:
    found = replace(APPROVED, rests_on=APPROVED.rests_on[:1])
    assert differences(APPROVED, found) == ("shop.0006_note was unapplied meanwhile.",)


@given(bases, bases)
def test_words_are_found_exactly_when_the_fingerprints_differ(one: Basis, other: Basis) -> None:
    assert bool(differences(one, other)) == (one.fingerprint != other.fingerprint)
