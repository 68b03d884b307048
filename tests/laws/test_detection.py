"""Laws of figures of merit of marks, against their definitions written as plain loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from onkos.stats.afroc import FIGURES, figure_of_merit
from onkos.stats.average_precision import precision_statistic
from onkos.stats.froc import _reader, froc_curve
from onkos.stats.marks import Marks

SEEDS = st.integers(0, 2**32 - 1)
LIMITS = (0.0, 0.3, 1.0, 2.5)


def marks(seed: int, *, cases: int = 7) -> Marks:
    """Few cases, many ties, missed lesions, cases without any mark."""
    rng = np.random.default_rng(seed)
    lesions, wrong = rng.integers(0, 3, size=cases), rng.integers(0, 4, size=cases)
    scores = rng.integers(1, 6, size=int(lesions.sum())).astype(float)
    scores[rng.random(scores.size) < 0.3] = -np.inf
    return Marks(
        cases=tuple(range(cases)),
        patients=tuple(range(cases)),
        false_case=np.repeat(np.arange(cases), wrong),
        false_score=rng.integers(1, 6, size=int(wrong.sum())).astype(float),
        lesion_case=np.repeat(np.arange(cases), lesions),
        lesion_score=scores,
        lesion_weight=rng.uniform(0.2, 3.0, size=scores.size),
    )


def repeated(some: Marks, times: np.ndarray) -> Marks:
    """The cases themselves, each as often as it is drawn."""
    drawn = np.repeat(np.arange(len(some.cases)), times)
    wrong = [np.flatnonzero(some.false_case == case) for case in drawn]
    lesions = [np.flatnonzero(some.lesion_case == case) for case in drawn]
    picked_wrong, picked = (np.concatenate([*which, []]).astype(int) for which in (wrong, lesions))
    return Marks(
        cases=tuple(range(len(drawn))),
        patients=tuple(range(len(drawn))),
        false_case=np.repeat(np.arange(len(drawn)), [len(one) for one in wrong]),
        false_score=some.false_score[picked_wrong],
        lesion_case=np.repeat(np.arange(len(drawn)), [len(one) for one in lesions]),
        lesion_score=some.lesion_score[picked],
        lesion_weight=some.lesion_weight[picked],
    )


def ones(some: Marks) -> np.ndarray:
    return np.ones((1, len(some.cases)), dtype=np.int32)


def highest(some: Marks, case: int) -> float:
    return max([*some.false_score[some.false_case == case], -np.inf])


def better(lesion: float, rival: float) -> float:
    return 0.5 if lesion == rival else float(lesion > rival)


def by_loops(some: Marks, figure: str) -> float:
    """Chakraborty's definitions, pair by pair."""
    cases = range(len(some.cases))
    ill = [case for case in cases if (some.lesion_case == case).any()]
    rivals = list(cases) if figure.endswith("1") else [case for case in cases if case not in ill]
    if not rivals:
        return np.nan
    total, pairs = 0.0, 0.0
    for case in ill:
        lesions = some.lesion_case == case
        scores, weights = some.lesion_score[lesions], some.lesion_weight[lesions]
        if figure == "HR-AUC":
            scores, weights = np.array([max(highest(some, case), *scores)]), np.ones(1)
        elif figure.startswith("w"):
            weights = weights / weights.sum()
        else:
            weights = np.ones(len(scores))
        for rival in rivals:
            for score, weight in zip(scores, weights, strict=True):
                total += weight * better(score, highest(some, rival))
                pairs += weight
    return total / pairs


@given(SEEDS, st.sampled_from(FIGURES))
def test_free_response_figures_are_those_of_their_definition(seed, figure):
    some = marks(seed)
    assume(some.lesion_case.size and (some.lesions_per_case == 0).any())
    found = figure_of_merit(some, figure)(ones(some))[0]
    assert found == pytest.approx(by_loops(some, figure))


@given(SEEDS, st.sampled_from(FIGURES))
@settings(max_examples=50)
def test_a_drawn_case_counts_as_often_as_it_is_drawn(seed, figure):
    some = marks(seed)
    times = np.random.default_rng(seed).multinomial(7, np.ones(7) / 7).astype(np.int32)
    again = repeated(some, times)
    assume(again.lesion_case.size and (some.lesions_per_case == 0).any())
    drawn = times[None, :]
    found = figure_of_merit(some, figure)(drawn)[0]
    expected = by_loops(again, figure)
    assert found == pytest.approx(expected, nan_ok=True)
    for between in ("step", "linear"):
        curve = froc_curve(again)
        read = _reader(some, LIMITS, between)(drawn)[0]
        assert read[:-1] == pytest.approx([curve.at(x, between=between) for x in LIMITS])
        assert read[-1] == pytest.approx(curve.area(upto=LIMITS[-1], between=between))
    for way in ("step", "coco"):
        weighted = precision_statistic(some, read=way, weighted=True)(drawn)[0]
        assert weighted == pytest.approx(precision_by_loops(again, way))


def precision_by_loops(some: Marks, read: str) -> float:
    """Average precision with weighted lesions, threshold by threshold."""
    total = some.lesion_weight.sum()
    points = []
    thresholds = {*some.false_score, *some.lesion_score[np.isfinite(some.lesion_score)]}
    for threshold in sorted(thresholds, reverse=True):
        hits = some.lesion_weight[some.lesion_score >= threshold].sum()
        wrong = (some.false_score >= threshold).sum()
        points.append((hits / total, hits / (hits + wrong)))
    if read == "step":
        before = [0.0, *(recall for recall, _ in points)]
        return sum(
            (recall - low) * purity
            for (recall, purity), low in zip(points, before[:-1], strict=True)
        )
    wanted = np.arange(101) / 100
    return float(
        np.mean([max([p for r, p in points if r >= x - 1e-12], default=0.0) for x in wanted])
    )


@given(SEEDS)
def test_only_the_order_of_scores_matters(seed):
    some = marks(seed)
    assume(some.lesion_case.size and (some.lesions_per_case == 0).any())
    other = replace(
        some,
        false_score=np.exp(some.false_score / 3) - 9,
        lesion_score=np.where(
            np.isfinite(some.lesion_score), np.exp(some.lesion_score / 3) - 9, -np.inf
        ),
    )
    for figure in FIGURES:
        values = [figure_of_merit(one, figure)(ones(some))[0] for one in (some, other)]
        assert values[0] == values[1]
    assert froc_curve(some).sensitivity.tolist() == froc_curve(other).sensitivity.tolist()
    values = [precision_statistic(one)(ones(some))[0] for one in (some, other)]
    assert values[0] == values[1]


@given(SEEDS)
def test_curves_rise_and_end_where_every_mark_counts(seed):
    some = marks(seed)
    assume(some.lesion_case.size)
    curve = froc_curve(some)
    assert (np.diff(curve.sensitivity) >= 0).all()
    assert (np.diff(curve.false_per_case) >= 0).all()
    assert (np.diff(curve.thresholds) < 0).all()
    assert curve.sensitivity[-1] == pytest.approx(1 - some.unmarked / len(some.lesion_case))
    assert curve.false_per_case[-1] == pytest.approx(len(some.false_case) / len(some.cases))
    assert curve.at(1.0) <= curve.at(1.0, between="linear") + 1e-12
    assert curve.area(upto=2.0) <= curve.area(upto=2.0, between="linear") + 1e-12
