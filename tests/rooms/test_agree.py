"""The verb agree: what it warns of, whom it suspects, and what readers brought elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.agree import agree
from onkos.cohort.outlines import find_outlines
from onkos.cohort.readings import load_readings
from onkos.cohort.scales import measured, rated
from onkos.core.errors import ContentError
from onkos.core.mask import Mask
from reading_toys import GRID, ball, drawn, rated_rows, write_folders, write_long


@pytest.fixture
def categories(tmp_path):
    def made(data, *, scale="nominal", order=()):
        path = write_long(tmp_path / "r.csv", rated_rows(data), head="case,reader,rating")
        return agree(rated(load_readings(path), scale=scale, order=order)).agreement

    return made


@pytest.fixture
def numbers(tmp_path):
    def made(rows, head="case,reader,value"):
        path = write_long(tmp_path / "v.csv", rows, head=head)
        return agree(measured(load_readings(path), unit="mm")).agreement

    return made


def codes(found):
    return {caveat.code for caveat in found.caveats}


def test_rare_categories_explain_a_low_kappa(categories):
    data = [["no"] * 3 for _ in range(30)] + [["yes", "no", "no"], ["no", "yes", "no"]]
    found = categories(data)
    assert found.of("fleiss_kappa").value < 0
    assert found.of("gwet_ac").value > 0.9
    assert {"kappa-paradox", "one-category-reader"} <= codes(found)
    said = next(c.text for c in found.caveats if c.code == "one-category-reader")
    assert "Reader C" in said


def test_a_variance_of_0_is_no_certainty(categories):
    """One disagreement among five readers of five cases: kappa 0, and no interval around it."""
    data = [[3] * 5, [3, 3, 3, 3, None], [3, 3, None, 3, 3], [3, 3, None, 3, 3], [3, 3, 3, 1, 3]]
    found = categories(data, scale="ordinal")
    assert found.of("conger_kappa").value == pytest.approx(0)
    assert math.isinf(found.of("conger_kappa").high)
    assert found.of("krippendorff_alpha").value == pytest.approx(0, abs=1e-12)
    assert "category-not-used" in codes(found)


def test_all_in_one_category_is_not_perfect_agreement(categories):
    found = categories([[1, 1, 1]] * 3)
    assert math.isnan(found.of("krippendorff_alpha").value)
    assert found.of("percent_agreement").value == 1
    assert codes(found) >= {"one-category", "few-cases"}


def test_empty_cells_are_no_category(categories):
    """A blank from both readers is not an agreement."""
    blank = categories([["x", None], [None, "y"], ["x", "x"], ["y", "y"], [None, None], ["x", "y"]])
    assert blank.of("percent_agreement").value == pytest.approx(2 / 3)
    assert blank.categories == ("x", "y")
    assert (blank.cases, blank.missing) == (6, 4)
    assert codes(blank) >= {"missing-readings", "one-reader-cases", "unread-cases"}


def test_a_case_rated_once_does_not_make_perfect_agreement_surer(categories):
    pairs = [["x", "x"], ["y", "y"], ["x", "x"]]
    alone = categories(pairs).of("percent_agreement")
    more = categories([*pairs, ["x", None], ["y", None], ["x", None]]).of("percent_agreement")
    assert alone.value == more.value == 1
    assert alone.low == pytest.approx(more.low)


def test_ordinal_words_follow_the_order_given(categories):
    data = [["neg", "neg", "ind"], ["neg", "ind", "pos"], ["pos", "pos", "ind"], ["ind"] * 3]
    data += [["neg", "pos", "pos"]]
    one = categories(data, scale="ordinal", order=["neg", "ind", "pos"])
    other = categories(data, scale="ordinal", order=["ind", "neg", "pos"])
    assert one.categories == ("neg", "ind", "pos")
    assert one.of("fleiss_kappa").value != pytest.approx(other.of("fleiss_kappa").value)


def test_the_reader_against_all_others_is_suspected(categories):
    rng = np.random.default_rng(4)
    truth = rng.integers(1, 3, 40)
    data = [[int(t)] * 4 for t in truth]
    data[7][2] = 3 - data[7][2]
    found = categories(data)
    (one,) = found.review
    assert (one.case, one.suspected) == ("P8", ("C",))
    assert found.of("dawid_skene_sensitivity", "A", part="1").value == pytest.approx(1, abs=1e-6)


def test_on_a_scale_the_reader_two_steps_from_the_median_is_suspected(categories):
    """Dawid and Skene would call the second case a 4, which nobody gave."""
    found = categories([[1, 1, 1, 1], [5, 2, 5, 5], [3, 3, 4, 3], [2, 2, 2, 2]], scale="ordinal")
    assert [(one.case, one.suspected) for one in found.review] == [("P2", ("B",)), ("P3", ())]
    assert "median 5" in found.review[0].reason
    assert not any(one.key == "dawid_skene_sensitivity" for one in found.found)


def test_two_readers_are_not_told_apart_by_skill(categories):
    found = categories([[1, 2], [1, 1], [2, 2]] * 5)
    assert not any(one.key == "dawid_skene_sensitivity" for one in found.found)
    assert found.of("cohen_kappa").value < 1


def test_growth_of_the_difference_with_size_is_said(numbers, rng):
    rows = []
    for case in range(30):
        size = rng.uniform(5, 60)
        rows += [(case, "A", f"{size:.3f}"), (case, "B", f"{1.2 * size + rng.normal(0, 0.3):.3f}")]
    found = numbers(rows)
    assert "proportional-bias" in codes(found)
    assert found.of("proportional_bias", "A", "B").high < 0


def test_a_case_far_outside_the_limits_leads_the_list(numbers, rng):
    rows = [
        (case, reader, f"{10 + case + rng.normal(0, 0.4):.3f}")
        for case in range(30)
        for reader in "AB"
    ]
    rows = [(*row[:2], 31.0) if row[:2] == (6, "B") else row for row in rows]
    found = numbers(rows)
    assert found.review[0].case == "6"
    assert "outside the limits" in found.review[0].reason


def test_gaps_leave_icc_the_whole_cases_and_alpha_all(numbers, rng):
    rows = [
        (case, reader, f"{5 * case + rng.normal():.3f}") for case in range(12) for reader in "ABC"
    ]
    found = numbers([row for row in rows if row[:2] not in {(3, "B"), (5, "C")}])
    assert found.of("icc_2_1").n == 10
    assert found.of("krippendorff_alpha").n == 12
    assert found.of("bias", "A", "B").n == 11
    assert "cases-left-out" in codes(found)


def test_lesions_of_one_patient_are_drawn_together(numbers, rng):
    rows = [
        (f"{patient}-{lesion}", f"p{patient}", reader, f"{rng.normal(20 + 3 * patient, 2):.3f}")
        for patient in range(8)
        for lesion in range(3)
        for reader in "AB"
    ]
    found = numbers(rows, head="case,patient,reader,value")
    assert (found.patients, found.cases) == (8, 24)
    for key, who in (("icc_2_1", ()), ("bias", ("A", "B")), ("lin_concordance", ("A", "B"))):
        assert found.of(key, *who).n == 8


def test_every_estimate_says_how_it_was_made(numbers, rng):
    rows = [
        (case, reader, f"{5 * case + rng.normal():.3f}") for case in range(6) for reader in "ABC"
    ]
    for one in numbers(rows).found:
        assert one.estimate.method.what
        assert one.estimate.n == 6


def test_a_mask_is_opened_once_and_never_kept(tmp_path):
    folders = write_folders(tmp_path, drawn(4))
    seen: list[tuple[int, int]] = []
    found = agree(find_outlines(folders), done=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len(found.agreement.consensus) == 4 * 3
    assert found.agreement.of("dice_with_others", "A").n == 4


def test_two_readers_leave_ties_out_of_the_vote(tmp_path):
    pair = {"A": ball((10, 9, 4), 6), "B": ball((11, 9, 4), 6)}
    made = {}
    agree(
        find_outlines(write_folders(tmp_path, {"c": pair})),
        keep=lambda _case, method, mask: made.update({method: mask.labels}),
    )
    both = (pair["A"].labels != 0) & (pair["B"].labels != 0)
    assert np.array_equal(made["majority"] != 0, both)


def test_values_of_the_readers_differ_and_the_outline_is_one(tmp_path):
    pair = {"A": ball((10, 9, 4), 6), "B": ball((10, 9, 4), 6, value=255)}
    found = agree(find_outlines(write_folders(tmp_path, {"c": pair}))).agreement
    assert found.of("dice").value == 1
    assert dict(found.consensus[0].labels) == {1: "tumour"}


def test_a_segmentation_without_its_image_is_refused_by_name(tmp_path):
    for reader in "AB":
        (tmp_path / f"{reader}.dcm").write_bytes(b"\0" * 128 + b"DICM")
    outlined = find_outlines([tmp_path / "A.dcm", tmp_path / "B.dcm"])
    with pytest.raises(ContentError, match="--image"):
        agree(outlined)


def test_one_outline_against_nothing_is_a_miss(tmp_path):
    nothing = Mask(labels=np.zeros(GRID.shape, dtype=np.uint8), geometry=GRID, names={})
    cases = {**drawn(2, readers="AB"), "lost": {"A": ball((10, 9, 4), 6), "B": nothing}}
    found = agree(find_outlines(write_folders(tmp_path, cases))).agreement
    assert found.of("dice").missed == 1
    assert found.review[0].case == "lost"
    each = {one.case: one for one in found.each}
    assert each["lost"].values["dice:A:B"] == 0
    assert each["lost"].values["hd95_mm:A:B"] > 20
