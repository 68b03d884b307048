"""Choice of settings by inner cross-validation, with folds by patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import rankdata

from onkos.classic.calibration import Calibration, fit_calibration
from onkos.classic.inner_folds import patient_folds
from onkos.classic.learning import Bools, IntArray, Learner, Rows, log_softmax
from onkos.classic.preparation import FittedPreparation, Preparation
from onkos.core.geometry import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One setting of a member; inner cross-validation chooses between several.

    ``balanced`` gives every class the same total weight in the fit; the calibration that follows
    restores the class frequencies.
    """

    preparation: Preparation
    learner: Learner
    balanced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """Which candidate was chosen, and the performance of each on left-out patients.

    ``log_loss`` and ``auc`` have one value per candidate, NaN where there were no inner folds.
    ``left_out`` holds the best one's calibrated probabilities of each training row, predicted
    while its patient was left out, (rows, classes), and ``rows`` the class of each; empty without
    inner folds, and not stored.
    """

    best: int
    folds: int
    log_loss: FloatArray
    auc: FloatArray
    calibration: Calibration
    left_out: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    rows: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def choose(
    candidates: Sequence[Candidate], x: FloatArray, rows: Rows, *, k: int, rng: np.random.Generator
) -> Choice:
    """Choose the candidate with the least calibrated log-loss on left-out patients.

    Preparation, selection and learning all happen on each fold's training patients alone. The
    log-loss is computed after calibration, so that no learner is preferred for the scale of its
    scores.

    Parameters
    ----------
    candidates
        Simplest first; of equal ones the first is chosen.
    x
        (rows, features), raw, NaN where missing.
    rows
        Classes and patients of these rows (its ``x`` is not looked at).
    k
        Number of folds; 0 or 1 takes the first candidate, uncalibrated.
    rng
        Of the folds and of the learners.
    """
    unknown = np.full(len(candidates), np.nan)
    neutral = Calibration(slope=np.ones(()), bias=np.zeros(rows.classes))
    if k < 2:
        return Choice(best=0, folds=0, log_loss=unknown, auc=unknown, calibration=neutral)
    fold = patient_folds(rows.y, rows.groups, k, rng=rng)
    scores = np.zeros((len(candidates), len(x), rows.classes))
    seeds = rng.integers(2**63, size=k)
    for number in range(k):
        one = _InnerFold(x=x, rows=rows, train=fold != number, seed=int(seeds[number]))
        for index, candidate in enumerate(candidates):
            scores[index, ~one.train] = one.scores(candidate)
    calibrations = [fit_calibration(one, rows.y) for one in scores]
    calibrated = [c.log_probabilities(s) for c, s in zip(calibrations, scores, strict=True)]
    losses = np.array([-p[np.arange(len(x)), rows.y].mean() for p in calibrated])
    aucs = np.array([macro_auc(p, rows.y) for p in calibrated])
    best = int(np.flatnonzero(losses <= losses.min() + 1e-6)[0])
    return Choice(
        best=best,
        folds=k,
        log_loss=losses,
        auc=aucs,
        calibration=calibrations[best],
        left_out=np.exp(calibrated[best]),
        rows=rows.y,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _InnerFold:
    """One inner fold; what several candidates need is computed once.

    Two preparations that keep the same columns on the same scale (a selection of 30 of 20
    columns keeps all) count as one, and so do two candidates that then differ in nothing.

    Parameters
    ----------
    x, rows
        As of :func:`choose`.
    train
        (rows,): which rows are learnt from; the others are answered for.
    seed
        Of every learner's generator.
    """

    x: FloatArray
    rows: Rows
    train: Bools
    seed: int
    fitted: dict[Preparation, int] = field(default_factory=dict)
    prepared: list[FittedPreparation] = field(default_factory=list)
    tables: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)
    parts: dict[tuple[int, bool], Rows] = field(default_factory=dict)
    known: dict[tuple[int, bool, Learner], FloatArray] = field(default_factory=dict)

    def scores(self, candidate: Candidate) -> FloatArray:
        """Log-probabilities of the rows left out, not calibrated, (left out, classes)."""
        place = self._prepared(candidate.preparation)
        key = place, candidate.balanced, candidate.learner
        if key not in self.known:
            learnt, left_out = self.tables[place]
            part = self.parts.get(key[:2])
            if part is None:
                part = weighted(self.rows, self.train, learnt, balanced=candidate.balanced)
                self.parts[key[:2]] = part
            fitted = candidate.learner.fit(part, rng=np.random.default_rng(self.seed))
            self.known[key] = log_softmax(fitted.log_scores(left_out))
        return self.known[key]

    def _prepared(self, preparation: Preparation) -> int:
        """Place of the fitted preparation, or of an earlier one equal to it, in ``tables``."""
        if preparation not in self.fitted:
            made = preparation.fit(self.x[self.train], self.rows.y[self.train])
            for place, earlier in enumerate(self.prepared):
                if earlier.same_as(made):
                    self.fitted[preparation] = place
                    return place
            self.fitted[preparation] = len(self.prepared)
            self.prepared.append(made)
            self.tables.append(
                (made.transform(self.x[self.train]), made.transform(self.x[~self.train]))
            )
        return self.fitted[preparation]


def weighted(rows: Rows, chosen: Bools, x: FloatArray, *, balanced: bool) -> Rows:
    """Return the chosen rows with prepared columns, and weights that balance the classes."""
    y = rows.y[chosen]
    weight = np.ones(len(y))
    if balanced:
        counts = np.maximum(np.bincount(y, minlength=rows.classes), 1)
        weight = (1 / counts)[y]
        weight *= len(y) / weight.sum()
    return Rows(x=x, y=y, weight=weight, groups=rows.groups[chosen], classes=rows.classes)


def macro_auc(scores: FloatArray, y: IntArray) -> float:
    """Macro-average of the one-versus-rest areas under the ROC curve."""
    areas = []
    for code in np.unique(y):
        positive = y == code
        n, m = int(positive.sum()), int((~positive).sum())
        ranks = rankdata(scores[:, code])
        areas.append((float(ranks[positive].sum()) - n * (n + 1) / 2) / (n * m))
    return float(np.mean(areas))
