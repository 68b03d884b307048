"""SIMPLE: a consensus that drops the outlines which agree least with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import UsageError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.mask import Mask
from onkos.stats.consensus.majority import majority_of
from onkos.stats.consensus.patterns import Patterns, binary_patterns


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple:
    """Consensus by selective iteration.

    Parameters
    ----------
    mask
        The consensus.
    kept
        Readers that were kept.
    dice
        Of every reader, kept or not, with the final consensus. They judge the readers by a
        consensus they are part of: use :func:`onkos.stats.consensus.readers.judge_readers` to
        compare readers.
    iterations, converged
        How often readers were dropped, and whether it ended by itself.
    """

    mask: Mask
    kept: tuple[int, ...]
    dice: tuple[float, ...]
    iterations: int
    converged: bool


def simple(
    readings: Sequence[Mask],
    *tissues: str,
    keep_sd: float = 1.0,
    at_least: int = 3,
    within: AnyArray | None = None,
) -> Simple:
    """Weighted vote over the outlines that agree well with the vote, found by iteration.

    Each round votes with weights (Dice with the last consensus), then drops readers whose Dice
    lies more than ``keep_sd`` standard deviations below the mean of those kept, until nobody is
    dropped and the consensus stands still.

    Parameters
    ----------
    readings
        Outlines by two readers or more, on one grid.
    tissues
        Names whose union is the region; all tissues without a name.
    keep_sd
        Standard deviations below the mean at which a reader is dropped.
    at_least
        Readers that are kept in any case (the best ones).
    within
        Boolean array: where to look.

    Raises
    ------
    ContentError
        If there are fewer than two readings or a tissue is unknown.
    GeometryError
        If the grids differ.

    References
    ----------
    Langerak TR, et al. Label fusion in atlas-based segmentation using a selective and iterative
    method for performance level estimation (SIMPLE). IEEE Trans Med Imaging 2010;29:2000-2008.
    doi:10.1109/TMI.2010.2057442
    """
    if keep_sd <= 0 or at_least < 1:
        raise UsageError(f"keep_sd {keep_sd}, at_least {at_least}: expected both above 0")
    patterns = binary_patterns(readings, tissues, within=within)
    inside, kept, dice, rounds, converged = fit_simple(patterns, keep_sd=keep_sd, at_least=at_least)
    return Simple(
        mask=patterns.mask(inside.astype(np.uint8)),
        kept=tuple(int(reader) for reader in np.flatnonzero(kept)),
        dice=tuple(float(value) for value in dice),
        iterations=rounds,
        converged=converged,
    )


def fit_simple(
    patterns: Patterns, *, keep_sd: float = 1.0, at_least: int = 3, most: int = 100
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], FloatArray, int, bool]:
    """Patterns inside, readers kept, their Dice, rounds, and whether it ended by itself."""
    kept = np.ones(patterns.readers, dtype=bool)
    inside = majority_of(patterns)
    for iteration in range(1, most + 1):
        dice = dice_with(patterns, inside)
        limit = dice[kept].mean() - keep_sd * dice[kept].std()
        stays = kept & (dice >= limit)
        if stays.sum() < min(at_least, patterns.readers):
            stays = kept
        weight = np.where(stays, dice, 0.0)
        vote = 2 * (patterns.rows @ weight) > weight.sum()
        if np.array_equal(vote, inside) and np.array_equal(stays, kept):
            return inside, kept, dice, iteration, True
        inside, kept = vote, stays
    return inside, kept, dice_with(patterns, inside), most, False


def dice_with(patterns: Patterns, inside: NDArray[np.bool_]) -> FloatArray:
    """Dice of each reader with a consensus; 1 where both are empty."""
    weight = patterns.counts
    both = (weight * inside) @ patterns.rows
    total = weight @ patterns.rows + weight @ inside
    dice: FloatArray = np.where(total > 0, 2 * both / np.where(total > 0, total, 1), 1.0)
    return dice
