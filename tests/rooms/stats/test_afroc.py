"""Alternative free-response figures of merit with intervals."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.afroc import FIGURES, afroc
from onkos.stats.bootstrap import Resampling
from onkos.stats.marks import Marks
from readings import study

PLAN = Resampling(resamples=400, threads=1)


@pytest.mark.parametrize("figure", FIGURES)
def test_a_better_reader_has_a_higher_figure_of_merit(figure, rng):
    poor = afroc(study(np.random.default_rng(5), reading=0.3), figure, rng=rng, plan=PLAN)
    good = afroc(study(np.random.default_rng(5), reading=3.0), figure, rng=rng, plan=PLAN)
    assert good.value > poor.value
    assert good.low < good.value < good.high
    assert good.n == 15
    assert good.method.what.startswith(figure)


def test_nominal_intervals_hold_the_truth_about_as_often_as_they_say():
    """The wAFROC of 20,000 cases stands for the truth."""
    plan = Resampling(resamples=300, interval="percentile", threads=1)
    large = study(np.random.default_rng(1), cases=20_000)
    truth = afroc(large, "wAFROC", rng=np.random.default_rng(0),
                  plan=Resampling(resamples=100, interval="percentile")).value  # fmt: skip
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(300):
        one = afroc(study(rng, cases=160), "wAFROC", rng=rng, plan=plan)
        held += one.low <= truth <= one.high
    assert 0.92 <= held / 300 <= 0.98


def healthy_or_ill(case: np.ndarray) -> Marks:
    return Marks(
        cases=("a", "b", "c"),
        patients=("a", "b", "c"),
        false_case=np.array([0]),
        false_score=np.array([0.5]),
        lesion_case=case,
        lesion_score=np.full(case.size, 0.9),
        lesion_weight=np.ones(case.size),
    )


def test_one_class_only_is_refused_by_name(rng):
    nobody, everybody = healthy_or_ill(np.array([], dtype=int)), healthy_or_ill(np.arange(3))
    with pytest.raises(ContentError, match="wAFROC: none of 3 cases"):
        afroc(nobody, "wAFROC", rng=rng)
    with pytest.raises(ContentError, match="ask for AFROC1"):
        afroc(everybody, "AFROC", rng=rng)
    assert afroc(everybody, "AFROC1", rng=rng, plan=PLAN).value == 1.0
