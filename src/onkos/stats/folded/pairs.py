"""Pairs of cases that one model scored: which are in order, and what each case adds to that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from onkos.core.geometry import FloatArray
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """The folds of all repeats laid out one after the other; a block is a fold of a repeat.

    Parameters
    ----------
    case
        Number of the case at each place, shape (places,) with places = repeats x cases.
    block
        Number of its block, shape (places,).
    repeat_of
        Repeat of each block, shape (blocks,).
    """

    case: IntArray
    block: IntArray
    repeat_of: IntArray

    @property
    def repeats(self) -> int:
        """How many repeats there are."""
        return int(self.repeat_of[-1]) + 1

    @classmethod
    def of(cls, folds: IntArray) -> Blocks:
        """Lay out folds, shape (repeats, cases)."""
        repeats, cases = folds.shape
        block = np.empty(folds.shape, dtype=np.intp)
        repeat_of: list[int] = []
        for repeat, row in enumerate(folds):
            names, number = np.unique(row, return_inverse=True)
            block[repeat] = number + len(repeat_of)
            repeat_of += [repeat] * len(names)
        return cls(
            case=np.tile(np.arange(cases), repeats),
            block=block.ravel(),
            repeat_of=np.array(repeat_of, dtype=np.intp),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Areas:
    """Share of the pairs of two groups that is in order, in each repeat of the folds.

    Parameters
    ----------
    value
        Shape (repeats,); NaN in a repeat no fold of which has both groups.
    influence
        Sum over a case's pairs of (in order - value), by the number of all pairs of the repeat;
        shape (repeats, cases).
    variance
        DeLong's variance of each repeat, every case taken for a patient; shape (repeats,).
    chance
        The same for scores in random order within folds, which is known exactly (van Elteren's
        sum of Wilcoxon tests, ties corrected); shape (repeats,).
    pairs
        Pairs of each block, shape (blocks,).
    tied
        Whether all pairs are tied.
    """

    value: FloatArray
    influence: FloatArray
    variance: FloatArray
    chance: FloatArray
    pairs: IntArray
    tied: bool


def areas(higher: BoolArray, member: BoolArray, scores: FloatArray, blocks: Blocks) -> Areas:
    """Rank within folds, in O(n log n) without a matrix of pairs.

    Parameters
    ----------
    higher
        Whether a case is of the group that ought to score higher, shape (cases,).
    member
        Whether a case takes part at all, shape (cases,).
    scores
        Shape (repeats, cases).

    References
    ----------
    van Elteren P. On the combination of independent two sample tests of Wilcoxon. Bull Int Stat
    Inst 1960;37:351-361.
    """
    places = np.flatnonzero(member[blocks.case])
    case, block = blocks.case[places], blocks.block[places]
    up, count = higher[case], len(blocks.repeat_of)
    wins, cubes = _wins(up, scores.ravel()[places], block, count)
    ups, downs = (np.bincount(block[group], minlength=count) for group in (up, ~up))
    pairs, size = ups * downs, ups + downs
    total = np.bincount(blocks.repeat_of, weights=pairs)
    known = total > 0
    divisor, repeat = np.where(known, total, 1), blocks.repeat_of[block]
    value = np.bincount(repeat[up], weights=wins[up], minlength=len(total)) / divisor
    opponents = np.where(up, downs[block], ups[block])
    influence = np.zeros((len(total), len(higher)))
    influence[repeat, case] = (wins - value[repeat] * opponents) / divisor[repeat]
    variance = np.zeros(len(total))
    for group in (higher & member, ~higher & member):
        number = int(group.sum())
        variance += number / max(number - 1, 1) * (influence[:, group] ** 2).sum(axis=1)
    spread = pairs * (size + 1 - cubes / np.maximum(size * (size - 1), 1)) / 12
    return Areas(
        value=np.where(known, value, np.nan),
        influence=influence,
        variance=variance,
        chance=np.bincount(blocks.repeat_of, weights=spread) / divisor**2,
        pairs=pairs,
        tied=bool((wins == opponents / 2).all()),
    )


def _wins(
    up: BoolArray, scores: FloatArray, block: IntArray, count: int
) -> tuple[FloatArray, FloatArray]:
    """Pairs of each case that are in order, ties one half; and sum of t^3 - t over ties a block."""
    order = np.lexsort((scores, block))
    ranked, within = scores[order], block[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (ranked[1:] != ranked[:-1]) | (within[1:] != within[:-1])
    key = np.empty(len(order), dtype=np.intp)
    key[order] = np.cumsum(new) - 1
    together = _ranks(key, block, count)
    wins = np.empty(len(order))
    wins[up] = together[up] - _ranks(key[up], block[up], count)
    below = together[~up] - _ranks(key[~up], block[~up], count)
    wins[~up] = np.bincount(block[up], minlength=count)[block[~up]] - below
    sizes = np.bincount(key).astype(np.float64)
    cubes = np.bincount(within[new], weights=sizes**3 - sizes, minlength=count)
    return wins, cubes.astype(np.float64)


def _ranks(key: IntArray, block: IntArray, count: int) -> FloatArray:
    """Midranks within blocks, of keys that rise from block to block."""
    sizes = np.bincount(block, minlength=count)
    ranks: FloatArray = rankdata(key) - (np.cumsum(sizes) - sizes)[block]
    return ranks
