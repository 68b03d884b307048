"""Laws of the verb agree: what must not matter, and what perfect agreement is."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onkos.agree import agree
from onkos.cohort.outlines import find_outlines
from onkos.cohort.readings import load_readings
from onkos.cohort.scales import measured, rated
from reading_toys import ball, write_folders, write_long

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=6)
KAPPAS = (
    "percent_agreement", "fleiss_kappa", "conger_kappa", "gwet_ac", "brennan_prediger",
    "krippendorff_alpha",
)  # fmt: skip


def table(rows, column):
    """Read rows through a file, as users do."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_long(Path(folder) / "t.csv", rows, head=f"case,reader,{column}")
        return load_readings(path)


def shuffled(rows, rng):
    return [rows[at] for at in rng.permutation(len(rows))]


def told(agreed):
    """Everything but the time it was made at and the digest of the file."""
    found = agreed.agreement
    return found.found, found.review, found.caveats, found.each, [d.svg for d in agreed.drawings]


@FEW
@given(seed=SEEDS, scale=st.sampled_from(["nominal", "ordinal"]))
def test_the_order_of_rows_changes_no_digit_of_categories(seed, scale):
    rng = np.random.default_rng(seed)
    rows = [
        (f"c{case}", reader, rng.integers(1, 5) if rng.random() < 0.9 else "")
        for case in range(12)
        for reader in "ABC"
    ]
    rows += [("c12", reader, rating) for reader, rating in zip("ABC", (1, 2, 4), strict=True)]
    one = agree(rated(table(rows, "rating"), scale=scale))
    other = agree(rated(table(shuffled(rows, rng), "rating"), scale=scale))
    assert told(one) == told(other)


@FEW
@given(seed=SEEDS)
def test_the_order_of_rows_changes_no_digit_of_measurements(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (f"c{case}", reader, f"{rng.normal(20 + 5 * case, 2):.2f}")
        for case in range(8)
        for reader in "ABC"
        if rng.random() < 0.9
    ]
    one = agree(measured(table(rows, "value"), unit="mm"))
    other = agree(measured(table(shuffled(rows, rng), "value"), unit="mm"))
    assert told(one) == told(other)


@FEW
@given(seed=SEEDS, readers=st.integers(2, 5), scale=st.sampled_from(["nominal", "ordinal"]))
def test_perfect_agreement_on_categories_is_1(seed, readers, scale):
    rng = np.random.default_rng(seed)
    truth = [1, 2, *rng.integers(1, 4, 10)]
    rows = [
        (case, reader, value) for case, value in enumerate(truth) for reader in "ABCDE"[:readers]
    ]
    found = agree(rated(table(rows, "rating"), scale=scale)).agreement
    for key in (*KAPPAS, "cohen_kappa"):
        if (estimate := found.of(key)) is not None:
            assert estimate.value == pytest.approx(1, abs=1e-12)
            assert estimate.low < 1
    assert found.review == ()


@FEW
@given(seed=SEEDS)
def test_perfect_agreement_on_measurements_is_1_without_difference(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (case, reader, f"{v:.3f}")
        for case, v in enumerate(rng.uniform(5, 60, 9))
        for reader in "AB"
    ]
    found = agree(measured(table(rows, "value"), unit="mm")).agreement
    assert found.of("icc_2_1").value == pytest.approx(1)
    assert found.of("lin_concordance", "A", "B").value == pytest.approx(1)
    assert found.of("upper_limit", "A", "B").value == 0
    assert "identical-readers" in {caveat.code for caveat in found.caveats}
    assert found.review == ()


@settings(max_examples=8)
@given(seed=SEEDS, readers=st.integers(2, 4), within=st.sampled_from(["box", "image"]))
def test_the_consensus_of_identical_masks_is_the_mask(seed, readers, within):
    from onkos.agree import Settings

    rng = np.random.default_rng(seed)
    mask = ball(np.array([10, 9, 4]) + rng.normal(0, 2, 3), rng.uniform(3, 8), value=3)
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        outlined = find_outlines(
            write_folders(Path(folder), {"c": dict.fromkeys("ABCD"[:readers], mask)})
        )
        found = agree(
            outlined,
            settings=Settings(within=within),
            keep=lambda case, method, consensus: made.update({(case, method): consensus}),
        ).agreement
    assert {method for _, method in made} >= {"majority", "staple"}
    for consensus in made.values():
        assert np.array_equal(consensus.labels, mask.labels)
        assert consensus.geometry.matches(mask.geometry)
    assert found.of("dice").value == 1
    assert found.of("hd95_mm").value == 0


@settings(max_examples=5)
@given(seed=SEEDS)
def test_the_order_of_readers_changes_no_digit_of_outlines(seed):
    rng = np.random.default_rng(seed)
    cases = {
        f"c{case}": {
            reader: ball(np.array([10, 9, 4]) + rng.normal(0, 1, 3), rng.uniform(4, 7))
            for reader in "ABC"
        }
        for case in range(3)
    }
    with tempfile.TemporaryDirectory() as folder:
        folders = write_folders(Path(folder), cases)
        one, other = agree(find_outlines(folders)), agree(find_outlines(folders[::-1]))
    assert told(one) == told(other)
