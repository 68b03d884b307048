"""Mid-ranks: how often one set of ratings lies above another, by sorting and not pair by pair.

A pair scores 1 where the second rating is the higher, one half where both are the same, 0
otherwise. Sums of such scores over all pairs take n log n steps and memory for n numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from onkos.core.geometry import FloatArray
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import IntArray


def weight_below(
    ratings: FloatArray, others: FloatArray, weights: FloatArray | None = None
) -> FloatArray:
    """Weight of the others that lie below each rating, those equal to it counted one half.

    Parameters
    ----------
    ratings
        Any shape; infinite ones are allowed.
    others
        What they are compared with, shape (others,).
    weights
        Weight of each of the others; all 1 if not given.
    """
    order = np.argsort(others, kind="stable")
    ordered = others[order]
    one = np.ones(len(others)) if weights is None else weights[order]
    upto = np.concatenate([[0.0], np.cumsum(one)])
    left, right = (np.searchsorted(ordered, ratings, side=side) for side in ("left", "right"))
    return np.asarray((upto[left] + upto[right]) / 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SortedGroups:
    """Ratings of two groups of cases, sorted together once and then weighted anew many times.

    Parameters
    ----------
    case
        Number of the case of each rating, lowest rating first.
    low, high
        Weight of each rating in the first and in the second group; one of the two is 0.
    last
        Whether it is the last of those with its value.
    """

    case: IntArray
    low: FloatArray
    high: FloatArray
    last: BoolArray

    @classmethod
    def of(
        cls,
        lower: tuple[FloatArray, FloatArray, IntArray],
        higher: tuple[FloatArray, FloatArray, IntArray],
    ) -> SortedGroups:
        """Sort two groups, each given as ratings, weights and numbers of their cases."""
        rating = np.concatenate([lower[0], higher[0]])
        order = np.argsort(rating, kind="stable")
        count = len(lower[0])
        return cls(
            case=np.concatenate([lower[2], higher[2]])[order].astype(np.intp),
            low=np.concatenate([lower[1], np.zeros(len(higher[0]))])[order],
            high=np.concatenate([np.zeros(count), higher[1]])[order],
            last=last_of_equals(rating[order]),
        )

    def wins(self, weights: Any) -> FloatArray:
        """Sum of the scores of all pairs, and the weight of each group; shape (resamples, 3).

        ``weights`` says how often each case counts, shape (resamples, cases).
        """
        found: FloatArray = _wins(weights, self.case, self.low, self.high, self.last)
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranked:
    """One reader's ratings of two groups of cases, as ranks.

    A case of the second group may have several ratings (its lesions). Each rating becomes one
    or two steps: how many distinct ratings of the first group lie below it, and, where it
    equals one, how many do not lie above it, each for half its weight.

    Parameters
    ----------
    rank, weight
        Of each case of the first group: its place among their distinct ratings, and its weight.
    order
        Cases of the first group, lowest rank first.
    step, case, share
        Steps of the second group, lowest first; the case and the weight of each.
    place
        Where the steps of each case stand, shape (steps,), cases in order.
    start
        Where each case begins in ``place``, shape (cases + 1,).
    """

    rank: IntArray
    weight: FloatArray
    order: IntArray
    step: IntArray
    case: IntArray
    share: FloatArray
    place: IntArray
    start: IntArray

    @classmethod
    def of(
        cls, low: FloatArray, low_weight: FloatArray, high: FloatArray, high_weight: FloatArray
    ) -> Ranked:
        """Rank the first group, shape (cases,), and the second, shape (cases, ratings)."""
        levels, rank = np.unique(low, return_inverse=True)
        rows, columns = np.nonzero(high_weight)
        rating, weight = high[rows, columns], high_weight[rows, columns]
        left = np.searchsorted(levels, rating, side="left")
        right = np.searchsorted(levels, rating, side="right")
        tied = right > left
        step = np.concatenate([left, right[tied]])
        case = np.concatenate([rows, rows[tied]])
        share = np.concatenate([np.where(tied, weight / 2, weight), weight[tied] / 2])
        ascending = np.argsort(step, kind="stable")
        case = case[ascending]
        counts = np.bincount(case, minlength=len(high))
        return cls(
            rank=np.asarray(rank, dtype=np.intp).reshape(-1),
            weight=np.ascontiguousarray(low_weight, dtype=np.float64),
            order=np.argsort(rank, kind="stable"),
            step=step[ascending],
            case=case,
            share=share[ascending],
            place=np.argsort(case, kind="stable"),
            start=np.concatenate([[0], np.cumsum(counts)]).astype(np.intp),
        )

    def product(self, other: Ranked) -> float:
        """Sum over all pairs of cases of this reader's score times another's."""
        one = (self.rank, self.weight, self.order, self.step, self.case, self.share)
        second = (other.rank, other.weight, other.step, other.share, other.place, other.start)
        return float(_product(one, second))


def last_of_equals(ordered: FloatArray) -> BoolArray:
    """True where the next value of a sorted array differs, and at its end."""
    last = np.ones(ordered.shape, dtype=bool)
    last[:-1] = ordered[1:] != ordered[:-1]
    return last


@njit(cache=True, nogil=True)
def _wins(weights: Any, case: Any, low: Any, high: Any, last: Any) -> Any:  # pragma: no cover
    """Wins of the higher group and the weight of either, one pass a resample."""
    found = np.empty((weights.shape[0], 3))
    for row in range(weights.shape[0]):
        below, total, wins = 0.0, 0.0, 0.0
        rivals, targets = 0.0, 0.0
        for item in range(case.size):
            times = weights[row, case[item]]
            targets += times * high[item]
            rivals += times * low[item]
            if last[item]:
                wins += targets * (below + rivals / 2)
                below, total = below + rivals, total + targets
                rivals, targets = 0.0, 0.0
        found[row, 0], found[row, 1], found[row, 2] = wins, below, total
    return found


@njit(cache=True, nogil=True)
def _product(one: Any, other: Any) -> Any:  # pragma: no cover
    """Count in two dimensions with a Fenwick tree over the second reader's ranks.

    Steps of the first reader are taken in ascending order; the tree then holds exactly the
    cases that lie below, by their rank with the second reader.
    """
    rank, weight, order, step, case, share = one
    other_rank, other_weight, other_step, other_share, place, start = other
    size = 0
    for k in range(other_rank.size):
        size = max(size, other_rank[k] + 1)
    tree = np.zeros(size + 1)
    entered, total = 0, 0.0
    for k in range(step.size):
        while entered < order.size and rank[order[entered]] < step[k]:
            row = order[entered]
            both = weight[row] * other_weight[row]
            at = other_rank[row] + 1
            while both != 0 and at <= size:
                tree[at] += both
                at += at & -at
            entered += 1
        found = 0.0
        for j in range(start[case[k]], start[case[k] + 1]):
            at, below = other_step[place[j]], 0.0
            while at > 0:
                below += tree[at]
                at -= at & -at
            found += other_share[place[j]] * below
        total += share[k] * found
    return total
