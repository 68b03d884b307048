"""More than two classes: confusion matrix, metrics of predicted classes, areas under curves."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.bootstrap import bootstrap_table, bootstrap_weighted
from onkos.stats.intervals import DEFAULT, Resampling
from onkos.stats.proportions import share
from onkos.stats.ranking import Ranking, rated
from onkos.stats.resampling import Clusters, IntArray, Multiplicities

Average = Literal["hand-till", "macro", "weighted", "micro"]

OVERALL = (
    "accuracy",
    "balanced accuracy",
    "F1 macro",
    "F1 micro",
    "F1 weighted",
    "MCC",
    "kappa",
)
PER_CLASS = ("sensitivity", "specificity", "PPV", "NPV", "F1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Confusion matrix.

    Parameters
    ----------
    counts
        Rows are the true, columns the predicted classes; shape (classes, classes).
    classes
        Their names, in that order.
    """

    counts: NDArray[np.int64]
    classes: tuple[Hashable, ...]


def confusion_matrix(
    truth: Sequence[Hashable],
    predicted: Sequence[Hashable],
    *,
    classes: Sequence[Hashable] | None = None,
) -> Confusion:
    """Count the cases of each true and predicted class.

    Parameters
    ----------
    truth, predicted
        Class of each case.
    classes
        All classes in the order to show them; those that occur, sorted by name, if not given.

    Raises
    ------
    ContentError
        If the two do not have the same cases, there are none, or a class is not among
        ``classes``.
    """
    names, true, guessed = _coded(truth, predicted, classes)
    k = len(names)
    counts = np.bincount(true * k + guessed, minlength=k * k).reshape(k, k)
    return Confusion(counts=counts.astype(np.int64), classes=names)


def class_metrics(
    truth: Sequence[Hashable],
    predicted: Sequence[Hashable],
    *,
    rng: np.random.Generator,
    classes: Sequence[Hashable] | None = None,
    groups: Sequence[Hashable] | None = None,
    plan: Resampling = DEFAULT,
) -> dict[str, Estimate]:
    """Metrics of predicted classes, each with an interval by patient.

    Overall: ``accuracy``, ``balanced accuracy`` (mean sensitivity), ``F1 macro``, ``F1 micro``,
    ``F1 weighted``, ``MCC`` (Matthews, multi-class) and ``kappa`` (Cohen's, unweighted). For
    each class, it against all others: ``sensitivity: NAME``, ``specificity: NAME``, ``PPV:
    NAME``, ``NPV: NAME``, ``F1: NAME``. What the cases do not define (the PPV of a class that
    is never predicted) is an estimate of NaN that says so; it is not counted as 0.

    Shares (all of a class but F1) have Wilson's interval, since no resample differs from a share
    of 0 or 1; the others are bootstrapped, in resamples that keep the number of patients of each
    class where patients have one class each.

    Raises
    ------
    ContentError
        As :func:`confusion_matrix`.

    References
    ----------
    Gorodkin J. Comparing two K-category assignments by a K-category correlation coefficient.
    Comput Biol Chem 2004;28:367-374. doi:10.1016/j.compbiolchem.2004.09.006
    """
    names, true, guessed = _coded(truth, predicted, classes)
    k = len(names)
    cell = np.zeros((len(true), k * k))
    cell[np.arange(len(true)), true * k + guessed] = 1

    def metrics(weights: Multiplicities) -> FloatArray:
        return matrix_metrics((weights.astype(np.float64) @ cell).reshape(-1, k, k))

    labels = [*OVERALL, *(f"{metric}: {name}" for metric in PER_CLASS for name in names)]
    clusters = _strata(true, groups)
    found = bootstrap_table(metrics, names=labels, clusters=clusters, rng=rng, plan=plan)
    several = groups is not None and len(set(groups)) < len(true)
    shares = class_shares(true, guessed, k, groups=groups if several else None, level=plan.level)
    for (metric, code), estimate in shares.items():
        name = f"{metric}: {names[code]}"
        if not math.isnan(found[name].value):  # else it says why not
            found[name] = estimate
    return found


def class_shares(
    true: IntArray,
    guessed: IntArray,
    count: int,
    *,
    groups: Sequence[Hashable] | None,
    level: float,
) -> dict[tuple[str, int], Estimate]:
    """Sensitivity, specificity, PPV and NPV of each class against all others.

    Parameters
    ----------
    true, guessed
        Number of each case's class.
    count
        Classes there are.
    groups
        Patient of each case where patients have several, else None.
    """
    made = {}
    for code in range(count):
        own, called = true == code, guessed == code
        for metric, hits, among in (
            ("sensitivity", called, own),
            ("specificity", ~called, ~own),
            ("PPV", own, called),
            ("NPV", ~own, ~called),
        ):
            made[metric, code] = share(hits, among, groups=groups, level=level)
    return made


def multiclass_auc(
    truth: Sequence[Hashable],
    probabilities: ArrayLike,
    *,
    classes: Sequence[Hashable],
    rng: np.random.Generator,
    average: Average = "hand-till",
    groups: Sequence[Hashable] | None = None,
) -> Estimate:
    """Area under the ROC curve for several classes, with a BCa bootstrap interval by patient.

    Parameters
    ----------
    truth
        Class of each case.
    probabilities
        Of each case and class, shape (cases, classes).
    classes
        What the columns stand for; each must occur in ``truth``.
    average
        "hand-till": mean over all pairs of classes, which does not depend on how common they
        are. "macro": each class against all others, plain mean. "weighted": that mean by the
        share of the classes. "micro": all cases and classes pooled.
    groups
        Patient of each case.

    Raises
    ------
    ContentError
        If a probability is NaN, shapes do not fit, or a class does not occur.

    References
    ----------
    Hand DJ, Till RJ. A simple generalisation of the area under the ROC curve for multiple class
    classification problems. Mach Learn 2001;45:171-186. doi:10.1023/A:1010920819831
    """
    names, true, _ = _coded(truth, truth, classes)
    scores = rated(np.asarray(probabilities, dtype=np.float64).T, cases=len(true))
    if scores.shape != (len(names), len(true)) or len(names) < 2:
        raise ContentError(
            f"probabilities of shape {scores.T.shape}; expected ({len(true)}, {len(names)}), two "
            "classes or more"
        )
    absent = [name for k, name in enumerate(names) if not (true == k).any()]
    if absent:
        raise ContentError(f"classes {absent} do not occur in the truth; leave them out")
    areas = ranked_areas(true, scores, average)
    member = (true[:, None] == np.arange(len(names))).astype(np.float64)

    def mean(weights: Multiplicities) -> FloatArray:
        each = np.stack(
            [ranking.auc(np.ascontiguousarray(weights[:, rows])) for ranking, rows in areas], axis=1
        )
        share = weights.astype(np.float64) @ member if average == "weighted" else np.ones_like(each)
        averaged: FloatArray = (each * share).sum(axis=1) / share.sum(axis=1)
        return averaged

    return bootstrap_weighted(
        mean,
        clusters=_strata(true, groups),
        rng=rng,
        what=Method(what=f"AUC of {len(names)} classes, {average}", notes=(f"{len(true)} cases",)),
    )


def ranked_areas(
    true: IntArray, scores: FloatArray, average: Average
) -> list[tuple[Ranking, IntArray]]:
    """Rankings whose areas are averaged, each with the case at each of its places."""
    count = len(scores)
    if average == "micro":
        positive = (true[:, None] == np.arange(count)).ravel()
        return [_ranked(positive, scores.T.ravel(), np.repeat(np.arange(len(true)), count))]
    if average in ("macro", "weighted"):
        everyone = np.arange(len(true))
        return [_ranked(true == k, scores[k], everyone) for k in range(count)]
    if average != "hand-till":
        raise UsageError(
            f"average {average!r}: expected 'hand-till', 'macro', 'weighted' or 'micro'"
        )
    made = []
    for i, j in combinations(range(count), 2):
        rows = np.flatnonzero((true == i) | (true == j))
        made.append(_ranked(true[rows] == i, scores[i, rows], rows))
        made.append(_ranked(true[rows] == j, scores[j, rows], rows))
    return made


def _ranked(
    positive: NDArray[np.bool_], scores: FloatArray, rows: IntArray
) -> tuple[Ranking, IntArray]:
    ranking = Ranking.of(positive, scores)
    return ranking, rows[ranking.order]


def matrix_metrics(counts: FloatArray) -> FloatArray:
    """All metrics of confusion matrices, (resamples, classes, classes) to (resamples, metrics)."""
    total = counts.sum(axis=(1, 2))
    hits = np.diagonal(counts, axis1=1, axis2=2)
    true, called = counts.sum(axis=2), counts.sum(axis=1)
    rest = total[:, None] - true - called + hits
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity = hits / true
        f1 = 2 * hits / (true + called)
        accuracy = hits.sum(axis=1) / total
        chance = (true * called).sum(axis=1)
        spread = (total**2 - (true**2).sum(axis=1)) * (total**2 - (called**2).sum(axis=1))
        overall = (
            accuracy,
            sensitivity.mean(axis=1),
            f1.mean(axis=1),
            accuracy,  # with one class a case, pooled precision and recall are both the accuracy
            (f1 * true).sum(axis=1) / total,
            (hits.sum(axis=1) * total - chance) / np.sqrt(spread),
            (accuracy - chance / total**2) / (1 - chance / total**2),
        )
        specificity = rest / (total[:, None] - true)
        npv = rest / (total[:, None] - called)
        per_class = (sensitivity, specificity, hits / called, npv, f1)
    columns: FloatArray = np.concatenate([np.stack(overall, axis=1), *per_class], axis=1)
    return columns


def _coded(
    truth: Sequence[Hashable], predicted: Sequence[Hashable], classes: Sequence[Hashable] | None
) -> tuple[tuple[Hashable, ...], IntArray, IntArray]:
    """Names of the classes, and the number of the class of each case."""
    true, guessed = _listed(truth), _listed(predicted)
    if len(true) != len(guessed) or not true:
        raise ContentError(
            f"{len(true)} true and {len(guessed)} predicted classes; expected one each a case, "
            "and at least one case"
        )
    found = dict.fromkeys([*true, *guessed])
    names = tuple(sorted(found, key=str)) if classes is None else tuple(_listed(classes))
    unknown = [name for name in found if name not in names]
    if unknown or len(set(names)) != len(names):
        raise ContentError(
            f"classes {list(names)}: expected each once, and {unknown[:5]} among them"
        )
    number = {name: k for k, name in enumerate(names)}
    return (
        names,
        np.array([number[name] for name in true], dtype=np.intp),
        np.array([number[name] for name in guessed], dtype=np.intp),
    )


def _listed(labels: Sequence[Hashable]) -> list[Hashable]:
    """Labels as plain values: a numpy string and a string are one class."""
    return [label.item() if isinstance(label, np.generic) else label for label in labels]


def _strata(true: IntArray, groups: Sequence[Hashable] | None) -> Clusters:
    """Patients in strata by their class, or in one stratum where a patient has several."""
    if groups is None:
        return Clusters.of(len(true), strata=true.tolist())
    plain = Clusters.of(len(true), groups=groups)
    number = np.zeros(plain.count, dtype=np.intp)
    number[plain.of_case] = true
    if (number[plain.of_case] == true).all():
        return Clusters.of(len(true), groups=groups, strata=true.tolist())
    return plain
