"""Bands about curves: they hold the curve, and hold it whole where they say so."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.bands import froc_band, precision_recall_band, roc_band
from onkos.stats.froc import froc_curve
from onkos.stats.intervals import Resampling
from onkos.stats.marks import Marks
from onkos.stats.precision_recall import precision_recall_curve
from onkos.stats.roc import roc_curve

QUICK = Resampling(resamples=400, interval="percentile")


@pytest.fixture
def study(rng):
    truth = np.arange(80) % 4 == 0
    return truth, np.round(rng.normal(size=80) + 1.2 * truth, 1)


def test_a_roc_band_holds_the_empirical_curve(study, rng):
    truth, scores = study
    band = roc_band(truth, scores, rng=rng, plan=QUICK)
    curve = roc_curve(truth, scores)
    x, y = curve.false_positive_rate, curve.true_positive_rate
    for at, value in zip(band.at, band.value, strict=True):
        place = int(np.searchsorted(x, at + 1e-12, side="right")) - 1
        after = min(place + 1, len(x) - 1)
        share = (at - x[place]) / (x[after] - x[place]) if after > place else 0.0
        assert value == pytest.approx(y[place] + share * (y[after] - y[place]))
    assert (band.low <= band.value).all()
    assert (band.value <= band.high).all()
    assert ((band.high - band.low) > 0).all()  # at the ends, too, nothing is certain
    assert band.n == 80
    assert "400 resamples" in str(band.method)


def test_a_simultaneous_band_is_nowhere_narrower(study):
    truth, scores = study
    pointwise, whole = (
        roc_band(truth, scores, rng=np.random.default_rng(1), plan=QUICK, simultaneous=both)
        for both in (False, True)
    )
    assert (whole.low <= pointwise.low + 1e-12).all()
    assert (whole.high >= pointwise.high - 1e-12).all()
    assert (whole.high - whole.low).mean() > 1.1 * (pointwise.high - pointwise.low).mean()
    assert whole.simultaneous
    assert not pointwise.simultaneous


def test_a_precision_band_reads_the_first_threshold_that_reaches_a_recall(study, rng):
    truth, scores = study
    band = precision_recall_band(truth, scores, rng=rng, plan=QUICK)
    curve = precision_recall_curve(truth, scores)
    for at, value in zip(band.at, band.value, strict=True):
        first = int(np.argmax(curve.recall >= at - 1e-12))
        assert value == pytest.approx(curve.precision[first])
    assert (band.low <= band.value).all()
    assert (band.value <= band.high).all()


def test_bands_depend_on_the_patients_behind_the_cases(study):
    truth, scores = study
    twice = np.repeat(truth, 2), np.repeat(scores, 2)
    who = np.repeat(np.arange(80), 2).tolist()
    single, doubled = (
        roc_band(*given, rng=np.random.default_rng(3), groups=groups, plan=QUICK)
        for given, groups in ((study, None), (twice, who))
    )
    assert doubled.n == 80
    assert (doubled.high - doubled.low).mean() == pytest.approx(
        (single.high - single.low).mean(), rel=0.02
    )


def test_complete_separation_has_a_band_none_the_less(rng):
    band = roc_band([0] * 12 + [1] * 9, [*range(12), *range(20, 29)], rng=rng, plan=QUICK)
    assert (band.value == 1).all()
    assert (band.low < 0.75).all()
    assert "Wilson" in str(band.method)


def test_the_band_of_an_froc_curve(rng):
    cases = tuple(range(12))
    marks = Marks(
        cases=cases,
        patients=cases,
        false_case=rng.integers(0, 12, 20),
        false_score=rng.normal(size=20),
        lesion_case=rng.integers(0, 12, 15),
        lesion_score=np.where(np.arange(15) < 3, -np.inf, rng.normal(1, 1, size=15)),
        lesion_weight=np.ones(15),
    )
    band = froc_band(marks, rng=rng, plan=QUICK)
    curve = froc_curve(marks)
    assert band.value == pytest.approx([curve.at(float(place)) for place in band.at])
    assert (band.low <= band.value).all()
    assert (band.value <= band.high).all()


def test_one_class_only_is_refused(rng):
    with pytest.raises(ContentError, match="both classes"):
        roc_band([1, 1, 1], [0.1, 0.2, 0.3], rng=rng)
