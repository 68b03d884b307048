"""Curves of readers and their averages."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from onkos.core.errors import ContentError
from onkos.stats.readers.assembly import assemble
from onkos.stats.readers.curves import froc, mean_over_sensitivity, mean_over_specificity, roc
from onkos.stats.readers.foms import WILCOXON, values
from onkos.stats.readers.ratings import roc_study
from reader_toys import Rows, simulated


def test_points_are_scikit_learns(rng):
    study = simulated(rng, levels=5)
    curve = roc(study, 1, 1)
    x, y, _ = roc_curve(study.truth, study.highest[1, 1], drop_intermediate=False)
    np.testing.assert_allclose(curve.x, x)
    np.testing.assert_allclose(curve.y, y)


def test_area_is_the_wilcoxon_statistic_and_its_parts_add_up(rng):
    study = simulated(rng, levels=5)
    curve, area = roc(study, 0, 0), values(study, WILCOXON)[0, 0]
    assert curve.area() == pytest.approx(area)
    assert curve.area(high=0.3) + curve.area(low=0.3) == pytest.approx(area)
    assert curve.area_beside(high=0.6) + curve.area_beside(low=0.6) == pytest.approx(area)


def test_steps_are_read_at_their_better_end():
    study = roc_study([[[1.0, 2.0, 3.0, 4.0]]], [0, 1, 0, 1])
    curve = roc(study, 0, 0)
    assert curve.height([0.0, 0.5]) == pytest.approx([0.5, 1.0])
    assert curve.reach([0.5, 1.0]) == pytest.approx([0.0, 0.5])


def test_mean_of_one_curve_is_that_curve(rng):
    curve = roc(simulated(rng, levels=6), 0, 0)
    for mean in (mean_over_specificity([curve]), mean_over_sensitivity([curve])):
        assert mean.area() == pytest.approx(curve.area())


def test_vertical_averaging_keeps_the_mean_area(rng):
    study = simulated(rng, shape=(4, 1, 60))
    every = [roc(study, r, 0) for r in range(4)]
    mean = mean_over_specificity(every)
    assert mean.area() == pytest.approx(np.mean([curve.area() for curve in every]))


def test_froc_points_by_hand():
    rows = Rows().add("n", 0, 2.0, "NL").add("a", 1, 3.0, "LL").add("a", 1, 1.0, "NL")
    curve = froc(assemble(rows, lesions={"n": [], "a": [1, 1]}), 0, 0)
    np.testing.assert_allclose(curve.x, [0, 0, 0.5, 1.0])
    np.testing.assert_allclose(curve.y, [0, 0.5, 0.5, 0.5])


def test_asking_outside_a_curve_is_refused(rng):
    with pytest.raises(ContentError, match="asked outside it"):
        roc(simulated(rng), 0, 0).height(1.2)
    with pytest.raises(ContentError, match="expected 0 <= low < high <= 1"):
        roc(simulated(rng), 0, 0).area(low=0.5, high=0.5)
