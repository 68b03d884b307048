"""Settings of a division, chosen on training patients that the unary had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onkos.arms.outline.division import Division, Patch, RefusedError
from onkos.features.threads import each, slabs

Bytes = NDArray[np.uint8]
Axes = tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How settings are chosen.

    Parameters
    ----------
    axes
        Name and values of each setting, in the order in which they are chosen: each at its best
        Dice before the next one is looked at.
    folds
        Groups of training patients that are left out in turn.
    voxels
        Of the heads of the patients that settings are tried on at most, drawn at random.
    """

    axes: Axes = ()
    folds: int = 3
    voxels: int = 6_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """A left-out training scan: its patch (None where nothing could be tumour) and its truth.

    ``truth`` (k, j, i) lies in the patch's box, ``counts`` (classes,) are of the whole scan.
    """

    patient: str
    patch: Patch | None
    truth: Bytes
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A division, its mean Dice on the left-out patients it was chosen on, and how many."""

    division: Division
    dice: float
    patients: int


def choose(
    division: Division, trials: Sequence[Trial], axes: Axes, *, seed: int, threads: int
) -> Chosen:
    """Choose one setting after the other by the mean Dice over patients.

    The Dice of a scan is the mean of that of the whole tumour and of each tissue, 1 where there
    is none and none is found; where the member refuses it is 0. The first of equals is chosen,
    what stands before any choice coming first.
    """
    dice = _judged(division, trials, seed, threads)
    for name, values in axes:
        for value in values:
            other = division.with_setting(name, value)
            if other == division:
                continue
            its = _judged(other, trials, seed, threads)
            if its > dice + 1e-6:
                division, dice = other, its
    return Chosen(division=division, dice=dice, patients=len({one.patient for one in trials}))


def _judged(division: Division, trials: Sequence[Trial], seed: int, threads: int) -> float:
    """Mean over patients of the mean over their scans."""

    def one(number: int, _stop: int) -> float:
        trial = trials[number]
        found = np.zeros(trial.truth.shape, dtype=np.uint8)
        if trial.patch is not None:
            try:
                found, _ = division.divided(trial.patch, rng=np.random.default_rng(seed))
            except RefusedError:
                return 0.0
        return mean_dice(found, trial.truth, trial.counts)

    values = each(one, slabs(len(trials), parts=len(trials)), threads=threads)
    by_patient: dict[str, list[float]] = {}
    for trial, value in zip(trials, values, strict=True):
        by_patient.setdefault(trial.patient, []).append(value)
    return float(np.mean([np.mean(own) for own in by_patient.values()]))


def mean_dice(found: Bytes, truth: Bytes, counts: NDArray[np.int64]) -> float:
    """Mean Dice of the whole and of each tissue; ``counts`` hold the truth outside as well."""
    both = [int(np.count_nonzero((found > 0) & (truth > 0)))]
    total = [int(np.count_nonzero(found)) + int(counts[1:].sum())]
    for code in range(1, len(counts)):
        both.append(int(np.count_nonzero((found == code) & (truth == code))))
        total.append(int(np.count_nonzero(found == code)) + int(counts[code]))
    return float(np.mean([2 * b / t if t else 1.0 for b, t in zip(both, total, strict=True)]))
