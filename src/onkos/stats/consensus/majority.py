"""Majority vote over outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.mask import Mask
from onkos.stats.consensus.patterns import Patterns, binary_patterns, label_patterns


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """What most readers say, and how many voxels had no majority.

    ``undecided`` counts voxels with a tie for the most votes; they hold no tissue.
    """

    mask: Mask
    undecided: int


def majority_vote(
    readings: Sequence[Mask], *tissues: str, within: AnyArray | None = None
) -> Majority:
    """Label of each voxel that most readers gave; a tie is no tissue, and counted.

    Parameters
    ----------
    readings
        Outlines by two readers or more, on one grid; tissues are matched by name.
    tissues
        With names: the vote is on their union or none of them, all readers counting. Without:
        on every tissue at once.
    within
        Boolean array: where to look; elsewhere there is no tissue.

    Raises
    ------
    ContentError
        If there are fewer than two readings or a tissue is unknown.
    GeometryError
        If the grids differ.
    """
    patterns = (
        binary_patterns(readings, tissues, within=within)
        if tissues
        else label_patterns(readings, within=within)
    )
    votes = votes_of(patterns)
    most = votes.max(axis=1)
    tied = np.sum(votes == most[:, None], axis=1) > 1
    labels = np.where(tied, 0, votes.argmax(axis=1))
    return Majority(mask=patterns.mask(labels), undecided=int(patterns.counts[tied].sum()))


def votes_of(patterns: Patterns, weights: FloatArray | None = None) -> FloatArray:
    """(patterns, labels): weight of the readers that chose each label."""
    weight = np.ones(patterns.readers) if weights is None else weights
    chosen = patterns.rows[:, :, None] == np.arange(len(patterns.names))
    votes: FloatArray = np.einsum("prl,r->pl", chosen.astype(np.float64), weight)
    return votes


def majority_of(patterns: Patterns) -> NDArray[np.bool_]:
    """Patterns in which more than half of the readers saw the one region."""
    seen: NDArray[np.bool_] = 2 * patterns.rows.sum(axis=1) > patterns.readers
    return seen
