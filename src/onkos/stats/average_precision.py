"""Average precision of marks: how pure the list of suspicious places is, from the top down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numba import njit

from onkos.core.errors import CohortError, ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.stats.bootstrap import DEFAULT, Resampling, bootstrap_weighted
from onkos.stats.marks import Marks
from onkos.stats.midranks import last_of_equals
from onkos.stats.resampling import Multiplicities, Statistic

Read = Literal["step", "coco"]


def average_precision(
    marks: Marks,
    *,
    rng: np.random.Generator,
    read: Read = "step",
    weighted: bool = False,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Estimate the average precision of one criterion's marks, resampling patients.

    The criterion (IoU, distance) is that by which the marks were matched. Lesions without a
    mark are in the denominator of recall and are never reached. Marks of equal score enter
    together, so that the answer does not depend on their order.

    Parameters
    ----------
    marks
        Of one algorithm on all cases; gather them with ``doubles="false"`` for COCO's rule.
    rng
        Source of the resamples.
    read
        ``"step"``: precision times the gain in recall, summed over thresholds (PI-CAI).
        ``"coco"``: mean of the best precision at or beyond the recalls 0, 0.01, ... 1.
    weighted
        Lesions count by their weights.
    plan
        How many resamples and which interval.

    Raises
    ------
    ContentError
        If no case has a lesion.

    References
    ----------
    Saha A, et al. Artificial intelligence and radiologists in prostate cancer detection on MRI
    (PI-CAI). Lancet Oncol 2024;25:879-887. doi:10.1016/S1470-2045(24)00220-1

    Lin TY, et al. Microsoft COCO: common objects in context. ECCV 2014:740-755.
    doi:10.1007/978-3-319-10602-1_48
    """
    found = bootstrap_weighted(
        precision_statistic(marks, read=read, weighted=weighted),
        clusters=marks.clusters,
        rng=rng,
        plan=plan,
        what=f"{'weighted ' if weighted else ''}average precision ({read})",
    )
    return marks.told(found)


def mean_average_precision(
    by_criterion: Mapping[float, Marks],
    *,
    rng: np.random.Generator,
    read: Read = "coco",
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Estimate the mean of the average precisions at several criteria (IoU 0.5, 0.55, ... 0.95).

    All criteria are read on the same resamples of patients. ``missed`` counts patients with a
    lesion that no mark found at the most lenient criterion, the one that misses fewest.

    Parameters
    ----------
    by_criterion
        The same algorithm's marks on the same cases, matched at each threshold.
    rng, read, plan
        As :func:`average_precision`.

    Raises
    ------
    ContentError
        If there is no criterion, or no case has a lesion.
    CohortError
        If the criteria do not have the same cases, patients and lesions.
    """
    if not by_criterion:
        raise ContentError("no criterion: expected marks at one threshold at least")
    first, *others = by_criterion.values()
    for other in others:
        if (
            other.cases != first.cases
            or other.patients != first.patients
            or not np.array_equal(other.lesion_case, first.lesion_case)
        ):
            raise CohortError("the criteria have different cases or lesions; expected the same")
    statistics = [precision_statistic(marks, read=read) for marks in by_criterion.values()]

    def mean(weights: Multiplicities) -> FloatArray:
        averaged: FloatArray = np.mean([one(weights) for one in statistics], axis=0)
        return averaged

    lenient = min(by_criterion.values(), key=lambda marks: marks.unmarked)
    criteria = ", ".join(f"{criterion:g}" for criterion in by_criterion)
    found = bootstrap_weighted(
        mean,
        clusters=first.clusters,
        rng=rng,
        plan=plan,
        what=f"mean average precision ({read}) at criteria {criteria}",
    )
    return lenient.told(found)


def precision_statistic(marks: Marks, *, read: Read = "step", weighted: bool = False) -> Statistic:
    """Average precision as a function of how often each case counts (resamples, cases).

    Raises
    ------
    ContentError
        If no case has a lesion, or ``read`` is unknown.
    """
    marks.require_lesions(doing="average precision")
    if read not in ("step", "coco"):
        raise ContentError(f"average precision read {read!r}: expected 'step' or 'coco'")
    hit = ~np.isneginf(marks.lesion_score)
    weight = marks.lesion_weight if weighted else np.ones(len(marks.lesion_case))
    per_case = np.bincount(marks.lesion_case, weights=weight, minlength=len(marks.cases))
    score = np.concatenate([marks.lesion_score[hit], marks.false_score])
    order = np.argsort(-score, kind="stable")
    case = np.concatenate([marks.lesion_case[hit], marks.false_case])[order]
    gain = np.concatenate([weight[hit], np.zeros(len(marks.false_case))])[order]
    last = last_of_equals(score[order])

    def precision(weights: Multiplicities) -> FloatArray:
        found: FloatArray = _average(weights, case, gain, last, (per_case, read == "coco"))
        return found

    return precision


@njit(cache=True, nogil=True)
def _average(weights: Any, case: Any, gain: Any, last: Any, asked: Any) -> Any:  # pragma: no cover
    """Average precision of each resample; gain is 0 for a false mark."""
    per_case, sampled = asked
    found = np.full(weights.shape[0], np.nan)
    recalls, precisions = np.empty(case.size), np.empty(case.size)
    for row in range(weights.shape[0]):
        lesions = 0.0
        for number in range(per_case.size):
            lesions += weights[row, number] * per_case[number]
        if lesions == 0:
            continue
        hits, wrong, points = 0.0, 0.0, 0
        for mark in range(case.size):
            times = weights[row, case[mark]]
            hits += times * gain[mark]
            wrong += times * (gain[mark] == 0)
            if last[mark] and hits + wrong > 0:
                recalls[points] = hits / lesions
                precisions[points] = hits / (hits + wrong)
                points += 1
        area = 0.0
        if sampled:
            best, wanted = 0.0, 100
            for point in range(points - 1, -1, -1):
                while wanted >= 0 and wanted / 100 > recalls[point] + 1e-12:
                    area += best / 101
                    wanted -= 1
                best = max(best, precisions[point])
            area += best * (wanted + 1) / 101
        else:
            before = 0.0
            for point in range(points):
                area += (recalls[point] - before) * precisions[point]
                before = recalls[point]
        found[row] = area
    return found
