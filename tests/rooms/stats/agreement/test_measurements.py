"""Agreement of measurements: ICC, concordance, limits of agreement, repeatability."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.core.errors import ContentError, UsageError
from onkos.stats.agreement.bland_altman import bland_altman, bland_altman_repeated
from onkos.stats.agreement.concordance import lin_concordance
from onkos.stats.agreement.icc import icc
from onkos.stats.agreement.repeatability import least_real_change, repeatability


def test_the_three_iccs_differ_as_they_should_when_readers_differ_by_a_constant():
    truth = np.array([3.0, 7.0, 5.0, 9.0, 4.0])
    found = icc(np.stack([truth, truth + 2, truth - 1], axis=1))
    assert found.two_way_mixed.value == pytest.approx(1.0)
    assert found.one_way.value < found.two_way_random.value < 1
    assert found.two_way_random.low < found.two_way_random.value <= found.two_way_random.high


def test_f_intervals_of_icc_hold_the_truth_as_often_as_they_say(rng):
    held = dict.fromkeys(("one_way", "two_way_mixed"), 0)
    for _ in range(400):
        subjects = rng.normal(0, 2, size=(25, 1))
        found = icc(subjects + rng.normal(0, 1, size=(25, 3)))
        for name in held:
            estimate = getattr(found, name)
            held[name] += estimate.low <= 0.8 <= estimate.high
    assert all(0.92 <= count / 400 <= 0.98 for count in held.values())


def test_icc_by_bootstrap_is_wider_when_lesions_share_a_patient(rng):
    patient = np.repeat(rng.normal(0, 2, size=(20, 1)), 4, axis=0)
    readings = patient + rng.normal(0, 1, size=(80, 2))
    patients = np.repeat(np.arange(20), 4).tolist()
    by_patient = icc(readings, patients=patients, rng=np.random.default_rng(0)).two_way_random
    by_lesion = icc(readings, rng=np.random.default_rng(0)).two_way_random
    assert by_patient.n == 20
    assert by_patient.value == pytest.approx(by_lesion.value)
    assert by_patient.high - by_patient.low > 1.2 * (by_lesion.high - by_lesion.low)


def test_icc_without_variation_is_not_estimable_and_gaps_are_refused():
    found = icc(np.full((4, 2), 3.0))
    assert math.isnan(found.two_way_random.value)
    assert found.two_way_random.n == 4
    assert "all readings are equal" in str(found.two_way_random.method)
    with pytest.raises(ContentError, match=r"subjects \[1\] have readings that are missing"):
        icc([[1, 2], [math.nan, 3]])
    with pytest.raises(ContentError, match="two of each at least"):
        icc([[1, 2]])
    with pytest.raises(ContentError, match="give an rng"):
        icc([[1, 2], [3, 4]], patients=["a", "a"])


def test_concordance_is_correlation_times_accuracy(rng):
    x = rng.normal(10, 2, size=30)
    y = 1.2 * x + rng.normal(0, 1, size=30)
    found = lin_concordance(x, y)
    assert found.estimate.value == pytest.approx(found.correlation * found.accuracy)
    assert found.correlation == pytest.approx(np.corrcoef(x, y)[0, 1])
    drawn = lin_concordance(x, y, rng=rng).estimate
    assert drawn.low == pytest.approx(found.estimate.low, abs=0.15)


def test_intervals_of_concordance_hold_the_truth_as_often_as_they_say(rng):
    rho, shift = 0.8, 0.7
    truth = 2 * rho / (2 + shift**2)
    root = np.linalg.cholesky([[1, rho], [rho, 1]])
    held = 0
    for _ in range(500):
        pairs = rng.normal(size=(60, 2)) @ root.T + [0, shift]
        found = lin_concordance(*pairs.T).estimate
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 500 <= 0.98


def test_concordance_without_an_answer_says_so():
    assert math.isnan(lin_concordance([2, 2, 2], [2, 2, 2]).estimate.value)
    same = lin_concordance([1, 2, 3], [1, 2, 3]).estimate
    assert (same.value, same.low) == (1.0, 1.0)
    assert "says nothing" in str(same.method)
    flat = lin_concordance([1, 1, 1], [1, 2, 3]).estimate
    assert (flat.value, flat.low, flat.high) == (0.0, -1.0, 1.0)
    with pytest.raises(ContentError, match="one pair a case"):
        lin_concordance([1, 2, 3], [1, 2])
    with pytest.raises(ContentError, match=r"\[2\] are not finite"):
        lin_concordance([1, 2, math.nan], [1, 2, 3])


@pytest.mark.parametrize("kind", ["exact", "bland-altman-1999"])
def test_intervals_of_limits_hold_the_truth_as_often_as_they_say(rng, kind):
    held = 0
    for _ in range(500):
        a = rng.normal(0, 1, size=20)
        found = bland_altman(a, a - rng.normal(0.5, 2, size=20), limits_interval=kind)
        held += found.upper.low <= 0.5 + 1.96 * 2 <= found.upper.high
    assert 0.92 <= held / 500 <= 0.98


def test_exact_limits_are_wider_outward_than_inward():
    found = bland_altman([1.0, 2, 3, 4, 5], [1.5, 1.8, 3.3, 3.9, 5.6])
    assert found.upper.high - found.upper.value > found.upper.value - found.upper.low
    assert found.lower.value - found.lower.low == pytest.approx(
        found.upper.high - found.upper.value
    )


def test_proportional_bias_is_seen(rng):
    size = np.linspace(5, 50, 40)
    found = bland_altman(1.2 * size + rng.normal(0, 0.5, 40), size)
    assert found.proportional.low > 0.1
    assert found.proportional_p < 1e-6
    flat = bland_altman([1.0, 2.0, 3.0], [3.0, 2.0, 1.0])
    assert math.isnan(flat.proportional.value)


def test_repeated_measurements_give_wider_limits_and_intervals_that_hold(rng):
    held, wider = 0, 0
    truth = 1.96 * math.sqrt(2**2 + 1)
    for _ in range(300):
        subjects = np.repeat(np.arange(25), 3)
        difference = np.repeat(rng.normal(0, 2, size=25), 3) + rng.normal(0, 1, size=75)
        size = np.repeat(rng.normal(50, 9, size=25), 3)
        found = bland_altman_repeated(size + difference, size, subjects=subjects.tolist())
        naive = bland_altman(size + difference, size)
        held += found.upper.low <= truth <= found.upper.high
        wider += found.upper.high - found.upper.low > naive.upper.high - naive.upper.low
    assert 0.92 <= held / 300 <= 0.985
    assert wider > 290


def test_limits_refuse_what_they_cannot_use():
    with pytest.raises(ContentError, match="expected at least 3"):
        bland_altman([1, 2], [1, 2])
    with pytest.raises(ContentError, match="measured twice"):
        bland_altman_repeated([1, 2, 3], [1, 2, 4], subjects=["a", "b", "c"])
    with pytest.raises(UsageError, match="limits_sd"):
        bland_altman([1, 2, 3], [1, 2, 4], limits_sd=0)
    with pytest.raises(UsageError, match="expected exact"):
        bland_altman([1, 2, 3], [1, 2, 4], limits_interval="guess")


def test_repeatability_holds_the_truth_as_often_as_it_says(rng):
    held = 0
    for _ in range(500):
        repeats = rng.normal(40, 8, size=(15, 1)) + rng.normal(0, 1.5, size=(15, 2))
        found = repeatability(repeats).coefficient
        held += found.low <= 1.96 * math.sqrt(2) * 1.5 <= found.high
    assert 0.92 <= held / 500 <= 0.98


def test_relative_figures_of_a_known_relative_error(rng):
    truth = np.exp(rng.normal(3, 1, size=(4000, 1)))
    repeats = truth * np.exp(rng.normal(0, 0.1, size=(4000, 2)))
    found = repeatability(repeats)
    assert found.within_cv.value == pytest.approx(0.1, rel=0.03)
    assert found.mean_dependence > 0.3
    change = least_real_change(repeats, relative=True)
    assert change.increase.value == pytest.approx(math.expm1(1.96 * math.sqrt(2) * 0.1), rel=0.03)
    assert change.decrease.value == pytest.approx(1 / (1 + change.increase.value) - 1)
    assert change.decrease.low <= change.decrease.value <= change.decrease.high < 0


def test_absolute_least_change_is_the_repeatability_coefficient():
    repeats = [[10, 12], [20, 19], [31, 30]]
    change = least_real_change(repeats, relative=False)
    assert change.increase.value == pytest.approx(repeatability(repeats).coefficient.value)
    assert change.decrease.low == -change.increase.high


def test_subjects_measured_once_do_not_count():
    repeats = [[10, 12, 11], [20, 19, math.nan], [30, math.nan, math.nan]]
    found = repeatability(repeats)
    assert found.within_sd.n == 2
    assert found.within_sd.value == pytest.approx(math.sqrt((2 * 1 + 0.5) / 3))


def test_repeatability_refuses_what_it_cannot_use():
    with pytest.raises(ContentError, match="no subject was measured twice"):
        repeatability([[1, math.nan]])
    with pytest.raises(ContentError, match="no logarithm"):
        least_real_change([[0, 1]], relative=True)
    with pytest.raises(ContentError, match="expected \\(subjects, repeats\\)"):
        repeatability([1, 2])
    with pytest.raises(UsageError, match="multiple"):
        repeatability([[1, 2]], multiple=-1)
    zero = repeatability([[-1, 1], [2, 3]])
    assert math.isnan(zero.within_cv.value)
    assert "0 or below" in str(zero.within_cv.method)
    still = repeatability([[1, 1], [2, 2]]).within_sd
    assert (still.value, still.high) == (0.0, 0.0)
    assert "says nothing" in str(still.method)
