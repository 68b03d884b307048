"""Operating points: chosen on training cases only, frozen, then judged on others."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import CohortError, ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.estimates import transformed
from onkos.stats.proportions import share
from onkos.stats.ranking import BoolArray, classes, rated
from onkos.stats.resampling import Clusters
from onkos.stats.roc import RocCurve, roc_curve
from onkos.stats.significance import SignificanceTest, Wald


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """A threshold, and the training cases it was chosen on.

    Parameters
    ----------
    threshold
        A case is called diseased at or above it.
    rule
        How it was chosen, in words.
    cases
        How many training cases it was chosen on.
    patients
        Who they were, where the patients were given.
    fingerprint
        SHA-256 of the training truth and scores.
    """

    threshold: float
    rule: str
    cases: int
    patients: frozenset[Hashable] = field(default=frozenset(), repr=False)
    fingerprint: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An operating point on cases it was not chosen on.

    ``ppv`` and ``npv`` are those of the cases at hand: they hold for patients among whom the
    disease is as common.
    """

    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate
    accuracy: Estimate
    odds_ratio: Estimate


def at_sensitivity(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    least: float,
    patients: Sequence[Hashable] | None = None,
) -> OperatingPoint:
    """Choose the highest threshold whose sensitivity on training cases is ``least`` or more.

    Raises
    ------
    UsageError
        If ``least`` is not above 0 and at most 1.
    ContentError
        If a score is NaN, shapes do not fit, or there is one class only.
    """
    if not 0 < least <= 1:
        raise UsageError(f"sensitivity {least}: expected above 0 and at most 1")
    curve = roc_curve(truth, scores)
    place = int(np.argmax(curve.true_positive_rate >= least - 1e-12))
    return _frozen(curve, place, f"sensitivity of at least {least:g}", (truth, scores), patients)


def at_specificity(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    least: float,
    patients: Sequence[Hashable] | None = None,
) -> OperatingPoint:
    """Choose the lowest threshold whose specificity on training cases is ``least`` or more.

    The threshold is infinite (no case is called diseased) where no score reaches it.

    Raises
    ------
    UsageError
        If ``least`` is not above 0 and at most 1.
    ContentError
        As :func:`at_sensitivity`.
    """
    if not 0 < least <= 1:
        raise UsageError(f"specificity {least}: expected above 0 and at most 1")
    curve = roc_curve(truth, scores)
    place = int(np.flatnonzero(1 - curve.false_positive_rate >= least - 1e-12)[-1])
    return _frozen(curve, place, f"specificity of at least {least:g}", (truth, scores), patients)


def youden(
    truth: ArrayLike, scores: ArrayLike, *, patients: Sequence[Hashable] | None = None
) -> OperatingPoint:
    """Choose the threshold of the largest sensitivity + specificity on training cases.

    Raises
    ------
    ContentError
        As :func:`at_sensitivity`.

    References
    ----------
    Youden WJ. Index for rating diagnostic tests. Cancer 1950;3:32-35.
    doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3
    """
    curve = roc_curve(truth, scores)
    place = int(np.argmax(np.round(curve.true_positive_rate - curve.false_positive_rate, 12)))
    return _frozen(curve, place, "largest Youden index", (truth, scores), patients)


def judge(
    point: OperatingPoint,
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> Judged:
    """Judge a frozen operating point on test cases.

    Parameters
    ----------
    point
        Chosen on training cases.
    truth, scores
        Of the test cases, shape (cases,).
    groups
        Patient of each test case; intervals are then by patient.

    Raises
    ------
    UsageError
        If the test cases are the training cases.
    CohortError
        If a patient is among both.
    ContentError
        If a score is NaN, shapes do not fit, or there is one class only.
    """
    positive = classes(truth)
    values = rated(scores, cases=len(positive)).ravel()
    _apart(point, positive, values, groups)
    called = values >= point.threshold

    of = partial(share, groups=groups, level=level)
    return Judged(
        sensitivity=of(called, positive),
        specificity=of(~called, ~positive),
        ppv=of(positive, called),
        npv=of(~positive, ~called),
        accuracy=of(called == positive, np.ones_like(positive)),
        odds_ratio=odds_ratio(positive, called, groups=groups, level=level),
    )


def odds_ratio(
    truth: ArrayLike,
    called: ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> Estimate:
    """Diagnostic odds ratio: odds of being called, diseased against others.

    Woolf's interval on the log scale, by patient where ``groups`` are given. Where a cell of
    the table is empty, one half is added to each and the method says so.

    References
    ----------
    Glas AS, et al. The diagnostic odds ratio: a single indicator of test performance. J Clin
    Epidemiol 2003;56:1129-1135. doi:10.1016/S0895-4356(03)00177-X
    """
    positive = classes(truth)
    found = _log_odds(positive, _calls(called, len(positive)))
    how = _wald(
        Clusters.of(len(positive), groups=groups).sums(found.influence),
        extra=found.extra,
        clustered=groups is not None,
        level=level,
        method=Method(what="odds ratio", by="Woolf's interval", notes=found.notes),
    )
    return transformed(how.estimate(found.value), math.exp)


def odds_ratio_difference(
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> SignificanceTest:
    """Test whether the odds ratios of two methods on the same cases differ.

    Parameters
    ----------
    truth, first, second
        Truth, and the calls of the two methods, one a case, shape (cases,).
    groups
        Patient of each case.

    Returns
    -------
    SignificanceTest
        ``difference`` is that of the log odds ratios; its exponential is the ratio of the two.

    Raises
    ------
    ContentError
        If shapes do not fit, there is one class only, or they differ with no variance.
    """
    positive = classes(truth)
    a, b = (_log_odds(positive, _calls(calls, len(positive))) for calls in (first, second))
    how = _wald(
        Clusters.of(len(positive), groups=groups).sums(a.influence - b.influence),
        extra=a.extra + b.extra,
        clustered=groups is not None,
        level=level,
        method=Method(
            what="difference of log odds ratios on the same cases",
            by="delta method",
            notes=a.notes or b.notes,
        ),
    )
    return how.test(a.value - b.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LogOdds:
    """Log odds ratio, influence of each case, variance that the added halves bring."""

    value: float
    influence: FloatArray
    extra: float
    notes: tuple[str, ...]


def _log_odds(positive: BoolArray, called: BoolArray) -> _LogOdds:
    """Delta method; without empty cells the squared influences sum to Woolf's variance."""
    cells = np.array([called[positive].sum(), (~called)[positive].sum()], dtype=np.float64)
    others = np.array([called[~positive].sum(), (~called)[~positive].sum()], dtype=np.float64)
    empty = bool((np.concatenate([cells, others]) == 0).any())
    influence = np.empty(len(positive))
    value, extra = 0.0, 0.0
    for sign, counts, rows in ((1, cells, positive), (-1, others, ~positive)):
        yes, no = counts + (0.5 if empty else 0.0)
        share = yes / (yes + no)
        scale = share * (1 - share) * (yes + no)
        influence[rows] = sign * (called[rows] - share) / scale
        value += sign * math.log(yes / no)
        if empty:
            extra += 0.5 * ((1 - share) ** 2 + share**2) / scale**2
    notes = ("one half added to each cell, one being empty",) if empty else ()
    return _LogOdds(value=value, influence=influence, extra=extra, notes=notes)


def _wald(
    influence: FloatArray, *, extra: float, clustered: bool, level: float, method: Method
) -> Wald:
    """Standard error from the summed influence of each patient."""
    n = len(influence)
    if clustered and n < 2:
        raise ContentError("one patient says nothing about others; expected at least two")
    variance = float((influence**2).sum()) * (n / (n - 1) if clustered else 1.0) + extra
    return Wald(error=math.sqrt(variance), n=n, level=level, method=method)


def _calls(called: ArrayLike, cases: int) -> BoolArray:
    """Check calls, one a case."""
    given = np.asarray(called)
    if given.shape != (cases,) or not (given.dtype == bool or np.isin(given, (0, 1)).all()):
        raise ContentError(f"calls of shape {given.shape} for {cases} cases; expected 0 or 1 each")
    calls: BoolArray = given.astype(bool)
    return calls


def _frozen(
    curve: RocCurve,
    place: int,
    rule: str,
    training: tuple[ArrayLike, ArrayLike],
    patients: Sequence[Hashable] | None,
) -> OperatingPoint:
    """Freeze a point of the training curve."""
    truth, scores = training
    return OperatingPoint(
        threshold=float(curve.thresholds[place]),
        rule=rule,
        cases=curve.positives + curve.negatives,
        patients=frozenset(patients or ()),
        fingerprint=_fingerprint(classes(truth), np.asarray(scores, dtype=np.float64).ravel()),
    )


def _fingerprint(positive: BoolArray, scores: FloatArray) -> str:
    """Hash truth and scores, whatever the order of the cases."""
    order = np.lexsort((positive, scores))
    both = np.stack([positive[order].astype(np.float64), scores[order]])
    return hashlib.sha256(both.tobytes()).hexdigest()


def _apart(
    point: OperatingPoint,
    positive: BoolArray,
    scores: FloatArray,
    groups: Sequence[Hashable] | None,
) -> None:
    """Refuse to judge a point on what it was chosen on."""
    if _fingerprint(positive, scores) == point.fingerprint:
        raise UsageError(
            "the operating point was chosen on these very cases; judge it on others, or take "
            "sensitivity_at, whose interval counts the choice in"
        )
    shared = point.patients.intersection(groups or ())
    if shared:
        some = sorted(map(str, shared))[:5]
        raise CohortError(
            f"{len(shared)} patients are among the training and the test cases: {some}; split by "
            "patient"
        )
