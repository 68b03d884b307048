"""From the scores of single cases to an arm's metrics and to tests between arms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.reading import ArmResult, CaseScore, PairedTest
from onkos.stats.bootstrap import bootstrap_mean, paired_difference
from onkos.stats.classification import (
    Answers,
    auc_test,
    brier_test,
    classification_metrics,
    positive_class,
)
from onkos.stats.multiplicity import holm

LEVEL = 0.95

Case = tuple[str, str]
Tested = tuple[str, str, str, Estimate, float]


def metrics(scores: Sequence[CaseScore], *, seed: int) -> dict[str, Estimate]:
    """Metrics of an arm with intervals by patient, from its cases."""
    if scores and scores[0].target:
        rng = np.random.default_rng(seed)
        return classification_metrics(answers(scores), rng=rng, level=LEVEL)
    return _means(scores, seed=seed)


def answers(scores: Sequence[CaseScore]) -> Answers:
    """What a classifying arm said of the cases it was not fitted on."""
    classes = tuple(dict.fromkeys(name for score in scores for name in score.classes))
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

    For outlines every Dice; for classes the AUC (of two) and Brier's score. A pair whose test
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


def _means(scores: Sequence[CaseScore], *, seed: int) -> dict[str, Estimate]:
    """Mean over patients of every metric that single cases have."""
    found = {}
    for name in dict.fromkeys(name for score in scores for name in score.metrics):
        defined = [score for score in scores if np.isfinite(score.metrics.get(name, np.nan))]
        tissue = name.partition(":")[2]
        missed = {score.patient for score in defined if tissue in score.missed}
        if defined:
            found[name] = bootstrap_mean(
                [score.metrics[name] for score in defined],
                groups=[score.patient for score in defined],
                rng=np.random.default_rng(seed),
                level=LEVEL,
                missed=len(missed),
            )
    return found


def _outlines(a: ArmResult, b: ArmResult, seed: int) -> list[Tested]:
    made = []
    for metric in (name for name in a.metrics if name.startswith("dice:")):
        mine, theirs = _values(a, metric), _values(b, metric)
        cases = [case for case in mine if case in theirs]
        difference, p = paired_difference(
            [mine[case] for case in cases],
            [theirs[case] for case in cases],
            groups=[patient for _, patient in cases],
            rng=np.random.default_rng(seed),
            level=LEVEL,
        )
        made.append((a.name, b.name, metric, difference, p))
    return made


def _classifiers(a: ArmResult, b: ArmResult, seed: int) -> list[Tested]:
    by_case = {(score.case, score.patient): score for score in b.scores}
    both = [score for score in a.scores if (score.case, score.patient) in by_case]
    mine = answers(both)
    theirs = answers([by_case[score.case, score.patient] for score in both])
    made: list[Tested] = []
    if len(mine.classes) == 2:
        try:
            test = auc_test(mine, theirs, level=LEVEL)
            made.append((a.name, b.name, "auc", test.difference, test.p))
        except ContentError:
            pass  # no variance to test against: Brier's score below still tells them apart
    difference, p = brier_test(mine, theirs, rng=np.random.default_rng(seed), level=LEVEL)
    return [*made, (a.name, b.name, "brier", difference, p)]


def _values(arm: ArmResult, metric: str) -> dict[Case, float]:
    """One metric of an arm, by (case, patient), where it is defined."""
    return {
        (score.case, score.patient): score.metrics[metric]
        for score in arm.scores
        if np.isfinite(score.metrics.get(metric, np.nan))
    }
