"""Each reader against the consensus of the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.mask import Mask
from onkos.stats.agreement.ratings import MISSING, Ratings
from onkos.stats.bootstrap import bootstrap_mean
from onkos.stats.consensus.confusion import majority_rows
from onkos.stats.consensus.majority import majority_of
from onkos.stats.consensus.patterns import Patterns, binary_patterns
from onkos.stats.consensus.simple import fit_simple
from onkos.stats.consensus.staple import fit_staple, odds, share_outlined

ConsensusMethod = Literal["majority", "staple", "simple"]
Inside = Callable[[Patterns], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderScore:
    """One reader against the consensus, as means over patients.

    ``dice`` is None for class labels.
    """

    reader: int
    sensitivity: Estimate
    specificity: Estimate
    dice: Estimate | None = None


def judge_readers(
    cases: Sequence[Sequence[Mask]],
    *tissues: str,
    method: ConsensusMethod = "majority",
    patients: Sequence[Hashable] | None = None,
    rng: np.random.Generator,
    leave_out: bool = True,
    within: Sequence[AnyArray] | None = None,
) -> tuple[ReaderScore, ...]:
    """Dice, sensitivity and specificity of each reader's outlines against a consensus.

    A consensus that includes a reader's own outline favours that reader: of three readers each
    has a third of the vote. Therefore the consensus of the others is the default.

    Parameters
    ----------
    cases
        For each image the outlines, one a reader in the same order.
    tissues
        Names whose union is judged; all tissues without a name.
    method
        How the consensus is made.
    patients
        Patient of each case; every case its own patient if not given.
    rng
        Source of the resamples.
    leave_out
        False: against the consensus of all, to see what that does.
    within
        For each case where to look; the whole image makes every specificity look perfect.

    Returns
    -------
    tuple
        One score a reader. A case with an empty consensus has no sensitivity: it does not count
        there, and n says so; its Dice is 0 unless the reader's outline is empty too. ``missed``
        counts the patients in whom the reader found nothing of a consensus.

    Raises
    ------
    ContentError
        If there is no case, the number of readers changes, or leaving one out leaves none.
    """
    if method not in _INSIDE:
        raise UsageError(f"method {method!r}: expected one of {', '.join(_INSIDE)}")
    if not cases or len({len(case) for case in cases}) != 1:
        sizes = sorted({len(case) for case in cases})
        raise ContentError(f"{len(cases)} cases with {sizes} readers; expected the same in all")
    if leave_out and len(cases[0]) < 3:
        raise ContentError("two readers: leaving one out leaves no consensus; expected three")
    named = range(len(cases)) if patients is None else patients
    regions: Sequence[AnyArray | None] = [None] * len(cases) if within is None else within
    if len(named) != len(cases) or len(regions) != len(cases):
        raise ContentError(f"{len(named)} patients, {len(regions)} regions, {len(cases)} cases")
    tables = np.stack(
        [
            _tables(binary_patterns(case, tissues, within=region), _INSIDE[method], leave_out)
            for case, region in zip(cases, regions, strict=True)
        ]
    )
    return tuple(_score(reader, tables[:, reader], named, rng) for reader in range(len(cases[0])))


def judge_raters(
    ratings: Ratings, *, positive: Sequence[Any], rng: np.random.Generator, leave_out: bool = True
) -> tuple[ReaderScore, ...]:
    """Sensitivity and specificity of each reader's class labels against the majority.

    Parameters
    ----------
    ratings
        Cases by readers.
    positive
        Categories that count as positive.
    rng
        Source of the resamples, by patient where patients are named.
    leave_out
        True: the majority of the other readers, as the reader's own vote would flatter them.

    Notes
    -----
    Cases without a majority among those asked are left out of that reader's n.

    Raises
    ------
    ContentError
        If readers are not told apart or a positive category is unknown.
    """
    if ratings.codes is None:
        raise ContentError("counts do not tell readers apart; give ratings by reader")
    strangers = [category for category in positive if category not in ratings.categories]
    if strangers or not positive:
        raise ContentError(f"positive {strangers}: expected some of {ratings.categories}")
    read = ratings.codes != MISSING
    chosen = [ratings.categories.index(category) for category in positive]
    yes = np.isin(ratings.codes, chosen) & read
    found = []
    for reader in range(ratings.readers):
        asked = read.copy()
        asked[:, reader] &= not leave_out
        votes = np.stack([(asked & ~yes).sum(axis=1), (asked & yes).sum(axis=1)], axis=1)
        truth = majority_rows(votes)
        usable = read[:, reader] & (truth >= 0)
        ends = []
        for label in (1, 0):
            at = usable & (truth == label)
            right = (yes[at, reader] == bool(label)).astype(np.float64)
            weight = ratings.frequency[at].astype(np.intp)
            groups = np.repeat(ratings.groups[at], weight).tolist()
            if not ratings.clustered:
                groups = list(range(len(groups)))
            ends.append(bootstrap_mean(np.repeat(right, weight), groups=groups, rng=rng))
        found.append(ReaderScore(reader=reader, sensitivity=ends[0], specificity=ends[1]))
    return tuple(found)


def _tables(patterns: Patterns, inside: Inside, leave_out: bool) -> FloatArray:
    """(readers, 4): voxels true positive, false positive, false negative, true negative."""
    found = []
    together = None if leave_out else inside(patterns)
    for reader in range(patterns.readers):
        truth = inside(patterns.without(reader)) if together is None else together
        seen = patterns.rows[:, reader] == 1
        cells = (seen & truth, seen & ~truth, ~seen & truth, ~seen & ~truth)
        found.append([float(patterns.counts[cell].sum()) for cell in cells])
    return np.array(found)


def _score(
    reader: int, tables: FloatArray, patients: Sequence[Hashable], rng: np.random.Generator
) -> ReaderScore:
    tp, fp, fn, tn = tables.T
    total = 2 * tp + fp + fn
    dice = np.where(total > 0, 2 * tp / np.where(total > 0, total, 1), 1.0)
    missed = (tp == 0) & (fn > 0)
    lost = len({patient for patient, miss in zip(patients, missed, strict=True) if miss})
    with np.errstate(invalid="ignore"):
        sensitivity, specificity = tp / (tp + fn), tn / (tn + fp)
    return ReaderScore(
        reader=reader,
        dice=bootstrap_mean(dice, groups=patients, rng=rng, missed=lost),
        sensitivity=_mean(sensitivity, patients, rng, lost),
        specificity=_mean(specificity, patients, rng, 0),
    )


def _mean(
    values: FloatArray, patients: Sequence[Hashable], rng: np.random.Generator, missed: int
) -> Estimate:
    kept = [at for at, value in enumerate(values) if not math.isnan(value)]
    groups = [patients[at] for at in kept]
    return bootstrap_mean(values[kept], groups=groups, rng=rng, missed=missed)


def _staple(patterns: Patterns) -> NDArray[np.bool_]:
    """Patterns inside by STAPLE; nothing where nobody outlined anything."""
    share = share_outlined(patterns)
    if not 0 < share < 1:
        return np.full(len(patterns.counts), share == 1)
    fit = fit_staple(patterns, share)
    ratio = odds(patterns.rows.astype(np.float64), fit.p, fit.q)
    inside: NDArray[np.bool_] = ratio + math.log(share / (1 - share)) >= 0
    return inside


_INSIDE: dict[str, Inside] = {
    "majority": majority_of,
    "staple": _staple,
    "simple": lambda patterns: fit_simple(patterns)[0],
}
