"""How well one arm ranks within folds: the area, each patient's part in it, what chance does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from onkos.core.errors import UsageError
from onkos.core.geometry import FloatArray
from onkos.stats.delong import newcombe_interval
from onkos.stats.folded.held_out import HeldOut
from onkos.stats.folded.pairs import Areas, Blocks, areas
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import IntArray
from onkos.stats.significance import quantile, tail

Average = Literal["hand-till", "macro"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A variance between patients.

    Parameters
    ----------
    variance
        Of the mean over the repeats.
    df
        Satterthwaite's degrees of freedom: with few patients of a class they are few.
    """

    variance: float
    df: float

    @classmethod
    def of(cls, influence: FloatArray, patients: IntArray) -> Spread:
        """Spread of a sum of patients' influences.

        Parameters
        ----------
        influence
            Of the cases of each class and patient, shape (classes, patients).
        patients
            How many patients have cases of each class, shape (classes,).

        With one case a patient this is DeLong's variance, with several Obuchowski's.
        """
        number = influence.shape[1]
        fewer = np.maximum(patients - 1, 1)
        own = patients / fewer * (influence**2).sum(axis=1)
        crossed = (influence.sum(axis=0) ** 2).sum() - (influence**2).sum()
        total = max(0.0, float(own.sum() + number / max(number - 1, 1) * crossed))
        down = float((own**2 / fewer).sum())
        return cls(variance=total, df=total**2 / down if down > 0 and total > 0 else math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """How well an arm ranks within folds.

    Parameters
    ----------
    value
        The area, mean over repeats; NaN where no fold has two classes.
    influence
        Of the cases of each class and patient on ``value``, shape (classes, patients).
    patients
        How many patients have cases of each class, shape (classes,).
    spread
        Variance between patients of ``value``.
    chance
        Variance that ``value`` has when the arm learnt nothing, folds taken for independent.
    inflation
        What ``chance`` is to be multiplied with because folds share their training cases.
    tied
        Whether the arm gives one score to all cases of a fold: 0.5 by construction.
    pairs
        Pairs of the same fold over all repeats.
    idle, folds
        How many folds have no pairs, of how many in all repeats.
    repeats
        How many repeats there are.
    """

    value: float
    influence: FloatArray
    patients: IntArray
    spread: Spread
    chance: float
    inflation: float
    tied: bool
    pairs: int
    idle: int
    folds: int
    repeats: int

    @property
    def alone(self) -> bool:
        """Whether a class has one patient only, which says nothing about others."""
        return int(self.patients.min()) < 2

    @property
    def least(self) -> float:
        """Largest variance that holds: of an arm that learnt nothing, or that of the patients."""
        return max(self.inflation * self.chance, self.spread.variance)

    @property
    def own(self) -> float:
        """Variance with what folds share; above 0 for a perfect arm too.

        An arm that learnt nothing has ``inflation``, one whose area is near 1 none: what counts
        twice are accidents of the training cases, which leave no room for an area near 1.
        Between them the excess falls as A (1 - A), the variance of one pair, does. That holds
        in simulations; from scores alone it cannot be known (Bengio and Grandvalet).
        """
        if self.spread.variance > 0 or self.tied:
            left = 4 * self.value * (1 - self.value) if self.value > 0.5 else 1.0
            return (1 + (self.inflation - 1) * left) * self.spread.variance
        low, high = self.beyond(level=0.95)
        return (max(self.value - low, high - self.value) / quantile(0.95)) ** 2

    @property
    def p_chance(self) -> float:
        """Two-sided p of ranking better than chance; 1 if it ranks no better.

        0 where there is one fold: no training case was judged, the variance needs no care.
        """
        if self.inflation == 1:
            return 0.0
        gain = self.value - 0.5
        if self.tied or not gain > 0 or self.least <= 0:
            return 1.0
        return tail(gain / math.sqrt(self.least), alternative="two-sided")

    def beyond(self, *, level: float) -> tuple[float, float]:
        """Newcombe's interval, from the two rarest classes and the pairs that folds leave."""
        few, more = np.sort(self.patients)[:2]
        paired = max(1, int(more * self.repeats / self.folds))  # those of its own fold
        return newcombe_interval(self.value, positives=int(few), negatives=paired, level=level)


def ranked(held: HeldOut, *, average: Average) -> Ranked:
    """Rank the cases of each fold against each other.

    Parameters
    ----------
    average
        Of several classes: "hand-till", the mean over all pairs of classes, or "macro", each
        class against all others.
    """
    blocks = Blocks.of(held.folds)
    parts = [
        areas(higher, member, scores, blocks)
        for higher, member, scores in _comparisons(held, average)
    ]
    # a repeat counts where all its areas are known
    values = np.stack([part.value for part in parts]).mean(axis=0)
    known = ~np.isnan(values)
    influence = np.mean([part.influence for part in parts], axis=0)[known]
    pairs = np.sum([part.pairs for part in parts], axis=0)
    used = np.bincount(blocks.repeat_of, weights=pairs > 0)
    codes, people = int(held.truth.max()) + 1, int(held.patients.max()) + 1
    cell = held.truth * people + held.patients
    patients = np.bincount(np.unique(cell) // people, minlength=codes)

    def by_patient(row: FloatArray) -> FloatArray:
        summed = np.bincount(cell, weights=row, minlength=codes * people)
        return summed.astype(np.float64).reshape(codes, people)

    single = [Spread.of(by_patient(row), patients).variance for row in influence]
    whole = by_patient(influence.sum(axis=0) / max(1, len(influence)))
    return Ranked(
        value=float(values[known].mean()) if known.any() else math.nan,
        influence=whole,
        patients=patients,
        spread=Spread.of(whole, patients),
        chance=_chance(parts, known, single, most=int(np.bincount(held.patients).max())),
        inflation=inflation(int(used.max())),
        tied=all(part.tied for part in parts),
        pairs=int(pairs.sum()) // (2 if held.classes else 1),  # each stands in two comparisons
        idle=int((pairs == 0).sum()),
        folds=len(pairs),
        repeats=blocks.repeats,
    )


def inflation(folds: int) -> float:
    """Ratio of the variance of an area to that of independent folds, where nothing was learnt.

    A model of noise has learnt the accidents of its training cases, among them those that are
    judged in the other folds. If two cases of two folds happen to agree, each model ranks the
    other's case rightly: every accident counts twice, and so does the variance. That is the
    ratio of all models whose score is a sum of likenesses to the training cases. A model that
    learns nothing but the sign of one feature has correlations (2 / pi) / sqrt(2 K - 3)
    between K folds; they make more than twice for K > 5.

    References
    ----------
    Bengio Y, Grandvalet Y. No unbiased estimator of the variance of k-fold cross-validation.
    J Mach Learn Res 2004;5:1089-1105; Nadeau C, Bengio Y. Inference for the generalization
    error. Mach Learn 2003;52:239-281. doi:10.1023/A:1024068626366
    """
    if folds < 2:
        return 1.0
    return max(2.0, 1 + (folds - 1) * (2 / math.pi) / math.sqrt(2 * folds - 3))


def _comparisons(
    held: HeldOut, average: Average
) -> Iterator[tuple[BoolArray, BoolArray, FloatArray]]:
    """Groups that are ranked against each other, who takes part, and the scores for it."""
    if average not in ("hand-till", "macro"):
        raise UsageError(f"average {average!r}: expected 'hand-till' or 'macro'")
    everyone = np.ones(held.cases, dtype=bool)
    if not held.classes:
        yield held.truth == 1, everyone, held.scores
    elif average == "macro":
        for code in range(len(held.classes)):
            yield held.truth == code, everyone, held.scores[:, :, code]
    else:
        for first, second in combinations(range(len(held.classes)), 2):
            member = (held.truth == first) | (held.truth == second)
            yield held.truth == first, member, held.scores[:, :, first]
            yield held.truth == second, member, held.scores[:, :, second]


def _chance(parts: list[Areas], known: BoolArray, single: list[float], *, most: int) -> float:
    """Variance of one repeat when nothing was learnt.

    For one area it is known; what patients of several cases, and several areas of the same
    cases, make of it is taken from the ratio of the estimated variances. Repeats are not taken
    to narrow it: how much they do depends on the model.
    """
    exact = sum(float(part.chance[known].sum()) for part in parts)
    alike = sum(float(part.variance[known].sum()) for part in parts)
    if not known.any():
        return math.nan
    if alike > 0:
        return exact * float(np.mean(single)) / alike
    return most * exact / (len(parts) * int(known.sum()))  # at most, as if all were one
