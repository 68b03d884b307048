"""From the scores of single cases to an arm's metrics and to tests between arms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from onkos.arms import joint
from onkos.arms.repeated import joint_metrics
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.reading import ArmResult, CaseScore, PairedTest, Spread
from onkos.stats.bootstrap import bootstrap_mean, paired_difference
from onkos.stats.classification import (
    Answers,
    auc_test,
    classification_metrics,
    positive_class,
)
from onkos.stats.multiplicity import holm
from onkos.stats.significance import SignificanceTest

LEVEL = 0.95

Tested = tuple[str, str, str, Estimate, float]
Scores = Sequence[Sequence[CaseScore]]


def metrics(repeats: Scores, *, seed: int) -> dict[str, Estimate]:
    """Metrics of an arm with intervals by patient, from its cases in every repeat of the folds.

    Of several repeats each metric is the mean of its value in each; the interval draws patients
    with all their repeats, so repeats do not make it narrower as more patients would.
    """
    scores = repeats[0]
    if scores and scores[0].target:
        rng = np.random.default_rng(seed)
        if len(repeats) == 1:
            return classification_metrics(answers(scores), rng=rng, level=LEVEL)
        return joint_metrics(all_answers(repeats), rng=rng, level=LEVEL)
    return _means(aligned(repeats), seed=seed)


def spreads(repeats: Scores) -> dict[str, Spread]:
    """Main metrics in each repeat by itself: AUC and Brier's score, or every Dice.

    Empty without repeats.
    """
    if len(repeats) < 2 or not repeats[0]:
        return {}
    if repeats[0][0].target:
        said = all_answers(repeats)
        values = {
            "auc": joint.areas_by_repeat(said),
            "brier": [float(one.squared_error.mean()) for one in said],
        }
        return {name: joint.spread(found) for name, found in values.items()}
    same = aligned(repeats)
    names = dict.fromkeys(name for score in same[0] for name in score.metrics)
    return {
        name: joint.spread([_mean(row) for row in _values(same, name)])
        for name in names
        if name.startswith("dice:")
    }


def aligned(repeats: Scores) -> list[list[CaseScore]]:
    """Scores of every repeat in the order of the first one's cases."""
    places = [{(one.case, one.patient): one for one in scores} for scores in repeats]
    return [[place[one.case, one.patient] for one in repeats[0]] for place in places]


def all_answers(repeats: Scores) -> list[Answers]:
    """What a classifying arm said in each repeat, of the same cases in the same order."""
    classes = tuple(dict.fromkeys(name for s in repeats for one in s for name in one.classes))
    return [answers(scores, classes) for scores in aligned(repeats)]


def answers(scores: Sequence[CaseScore], classes: Sequence[str] = ()) -> Answers:
    """What a classifying arm said of the cases it was not fitted on.

    ``classes`` are all there are, where these scores may not name each of them.
    """
    classes = tuple(classes or dict.fromkeys(name for score in scores for name in score.classes))
    positive = positive_class(classes)
    thresholds = [score.threshold for score in scores]
    probabilities = np.array([[s.classes.get(name, 0.0) for name in classes] for s in scores])
    called = None
    if len(classes) == 2 and None not in thresholds:
        called = probabilities[:, classes.index(positive)] >= np.array(thresholds, dtype=float)
    return Answers(
        truth=[score.target for score in scores],
        classes=classes,
        probabilities=probabilities,
        patients=[score.patient for score in scores],
        positive=positive,
        called=called,
    )


def tests(arms: Sequence[ArmResult], *, seed: int) -> tuple[PairedTest, ...]:
    """Paired tests of every pair of arms on the main metrics, adjusted together by Holm.

    For outlines every Dice; for classes the AUC and Brier's score. A pair whose test
    is not defined (areas that differ without any variance) is tested by Brier's score alone.
    """
    made: list[Tested] = []
    for a, b in combinations(arms, 2):
        pair = _classifiers(a, b, seed) if a.scores[0].target else _outlines(a, b, seed)
        made.extend(pair)
    adjusted = holm([p for *_, p in made])
    return tuple(
        PairedTest(a=a, b=b, metric=metric, difference=difference, p=p, p_adjusted=p_adjusted)
        for (a, b, metric, difference, p), p_adjusted in zip(made, adjusted, strict=True)
    )


def mean_of(repeats: Scores, name: str, *, seed: int) -> Estimate | None:
    """Mean over patients of a metric that single cases have; None where none has it.

    The repeats hold the same cases in the same order; a patient counts as missed if missed in
    any of them.
    """
    rows = _values(repeats, name)
    kept = np.flatnonzero(np.isfinite(rows).any(axis=0))
    if not len(kept):
        return None
    patients = [repeats[0][int(case)].patient for case in kept]
    tissue = name.partition(":")[2]
    missed = {
        one.patient
        for scores in repeats
        for one in scores
        if tissue in one.missed and np.isfinite(one.metrics.get(name, np.nan))
    }
    rng = np.random.default_rng(seed)
    if len(repeats) > 1:
        return joint.joint_means(
            rows[:, kept], patients=patients, rng=rng, level=LEVEL, missed=len(missed)
        )
    return bootstrap_mean(rows[0, kept], groups=patients, rng=rng, level=LEVEL, missed=len(missed))


def _means(repeats: Scores, *, seed: int) -> dict[str, Estimate]:
    """Mean over patients of every metric that single cases have."""
    names = dict.fromkeys(name for scores in repeats for one in scores for name in one.metrics)
    found = {name: mean_of(repeats, name, seed=seed) for name in names}
    return {name: estimate for name, estimate in found.items() if estimate is not None}


def _outlines(a: ArmResult, b: ArmResult, seed: int) -> list[Tested]:
    made = []
    mine, theirs = _both(a, b)
    patients = [one.patient for one in mine[0]]
    for metric in (name for name in a.metrics if name.startswith("dice:")):
        first, second = _values(mine, metric), _values(theirs, metric)
        apart = first - second
        cases = np.flatnonzero(np.isfinite(apart).any(axis=0))
        known = np.isfinite(apart[:, cases])
        means = [
            np.where(known, side[:, cases], 0).sum(axis=0) / known.sum(axis=0)
            for side in (first, second)
        ]
        difference, p = paired_difference(
            *means,
            groups=[patients[int(case)] for case in cases],
            rng=np.random.default_rng(seed),
            level=LEVEL,
        )
        made.append((a.name, b.name, metric, _over(difference, len(mine)), p))
    return made


def _classifiers(a: ArmResult, b: ArmResult, seed: int) -> list[Tested]:
    """Differences of mean AUC and of mean Brier score over the repeats."""
    first, second = _both(a, b)
    mine, theirs = all_answers(first), all_answers(second)
    made: list[Tested] = []
    try:
        test = _area_test(mine, theirs, seed)
        made.append((a.name, b.name, "auc", test.difference, test.p))
    except ContentError:
        pass  # no variance to test against: Brier's score below still tells them apart
    rng = np.random.default_rng(seed)
    difference, p = paired_difference(
        joint.squared_error(mine),
        joint.squared_error(theirs),
        groups=mine[0].patients,
        rng=rng,
        level=LEVEL,
    )
    return [*made, (a.name, b.name, "brier", _over(difference, len(mine)), p)]


def _area_test(mine: joint.Repeats, theirs: joint.Repeats, seed: int) -> SignificanceTest:
    if len(mine[0].classes) > 2:
        rng = np.random.default_rng(seed)
        return joint.joint_several_area_test(mine, theirs, rng=rng, level=LEVEL)
    if len(mine) == 1:
        return auc_test(mine[0], theirs[0], level=LEVEL)
    return joint.joint_area_test(mine, theirs, level=LEVEL)


def _both(a: ArmResult, b: ArmResult) -> tuple[Scores, Scores]:
    """Scores of the cases that two arms share, repeat by repeat in the same order."""
    shared = {(one.case, one.patient) for one in b.scores}
    first = [one for one in a.scores if (one.case, one.patient) in shared]
    return aligned([first, *a.all_scores])[1:], aligned([first, *b.all_scores])[1:]


def _over(estimate: Estimate, repeats: int) -> Estimate:
    return joint.over_repeats(estimate, repeats) if repeats > 1 else estimate


def _values(repeats: Scores, metric: str) -> FloatArray:
    """(repeats, cases): one metric, NaN where it is not defined."""
    return np.array(
        [[one.metrics.get(metric, np.nan) for one in scores] for scores in repeats],
        dtype=np.float64,
    )


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
