"""Two forests over regions: the second one also sees what the first thinks of the neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from onkos.arms.description import Description
from onkos.features.regions import diffused
from onkos.features.threads import each, slabs

FloatArray = NDArray[np.float64]
Bytes = NDArray[np.uint8]

_FEWEST_FOR_SECOND = 6  # patients: below, answers on unseen ones come from too few others
_SHOWN = 10  # each scan is shown under several contrasts until so many are seen in all
_ROWS = 40_000  # regions a forest is grown on at most, drawn at random
_LEAST = 0.2  # probability below which nothing is outlined, however much it stands out


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How forests are grown.

    Parameters
    ----------
    trees
        In each forest.
    leaf
        Fewest regions a leaf.
    features
        Part of the features tried at each split.
    folds
        Groups of patients; each has a first forest that has not seen it.
    """

    trees: int = 60
    leaf: int = 3
    features: float = 0.1
    folds: int = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionForest:
    """Fitted forests.

    Parameters
    ----------
    first
        One for each group of training patients left out, or a single one that saw them all.
    second
        Also sees the answers of the first; None when there were too few patients for one.
    classes
        Number of classes, 0 being healthy.
    """

    first: tuple[Any, ...]
    second: Any
    classes: int

    def probabilities(self, described: Description, *, threads: int) -> FloatArray:
        """Probability of each class in each region: (count, classes)."""
        answers = [shares_of(one, described.table, self.classes, threads) for one in self.first]
        own: FloatArray = np.mean(answers, axis=0)
        if self.second is None:
            return own
        table = np.concatenate([described.table, _context(described, own)], axis=1)
        return shares_of(self.second, table.astype(np.float32), self.classes, threads)


def fit_forest(
    described: Sequence[Description],
    votes: Sequence[FloatArray],
    patients: Sequence[str],
    *,
    growth: Growth,
    rng: np.random.Generator,
    threads: int,
) -> RegionForest:
    """Grow the forests.

    Each training region counts as the class of most of its voxels. The second forest learns
    from answers that the first ones gave on patients they had not seen, since those are what
    it will meet.

    Parameters
    ----------
    described
        The training scans.
    votes
        Voxels of each class in each of their regions, (count, classes).
    patients
        Whose scan each is.
    growth
        Size of the forests.
    rng
        Of everything random.
    threads
        Number of threads; the forests do not depend on it.
    """
    classes = votes[0].shape[1]
    plain = [np.empty((len(one.table), 0)) for one in described]
    if len(set(patients)) < _FEWEST_FOR_SECOND:
        only = _grow(Scans(described, plain, votes), growth, rng, threads)
        return RegionForest(first=(only,), second=None, classes=classes)
    context: list[FloatArray] = [np.empty(0)] * len(described)
    groups = _groups(patients, growth.folds, rng)
    first = []
    for group in range(max(groups) + 1):
        others = [n for n, its in enumerate(groups) if its != group]
        seen = Scans(
            [described[n] for n in others],
            [plain[n] for n in others],
            [votes[n] for n in others],
        )
        forest = _grow(seen, growth, rng, threads)
        first.append(forest)
        for n, its in enumerate(groups):
            if its == group:
                answers = shares_of(forest, described[n].table, classes, threads)
                context[n] = _context(described[n], answers)
    second = _grow(Scans(described, context, votes), growth, rng, threads)
    return RegionForest(first=tuple(first), second=second, classes=classes)


def smoothed(described: Description, probabilities: FloatArray) -> FloatArray:
    """Let each region's answer give way a little to its neighbours' (one mean-field step)."""
    return diffused(described.contacts, probabilities, steps=1)


def decided(described: Description, probabilities: FloatArray) -> Bytes:
    """Choose the class of each region, 0 being healthy.

    Forests grown on few patients are unsure in another way of each new one, so a fixed
    threshold outlines too little of one tumour and too much of another. Each is split where
    this patient's own probabilities fall apart best (Otsu), first tumour from healthy, then,
    where there are two tissues, one from the other inside the tumour; what is improbable
    outright stays out.

    References
    ----------
    Otsu N. A threshold selection method from gray-level histograms. IEEE Trans Syst Man Cybern
    1979;9:62-66. doi:10.1109/TSMC.1979.4310076
    """
    tumour = 1 - probabilities[:, 0]
    inside = tumour >= max(_split(tumour, described.sizes), _LEAST)
    tissue = 1 + probabilities[:, 1:].argmax(axis=1)
    if probabilities.shape[1] == 3 and inside.any():
        part = probabilities[:, 1] / np.maximum(tumour, 1e-12)
        threshold = max(_split(part[inside], described.sizes[inside]), _LEAST)
        tissue = np.where(part >= threshold, 1, 2)
    return np.where(inside, tissue, 0).astype(np.uint8)


def _split(values: FloatArray, weights: FloatArray) -> float:
    """Least value of the upper of the two groups that differ most (Otsu), exact over values."""
    order = np.argsort(values, kind="stable")
    ordered, weight = values[order], weights[order]
    below = np.cumsum(weight)
    summed = np.cumsum(weight * ordered)
    above = below[-1] - below
    last = np.append(ordered[1:] > ordered[:-1], False) & (above > 0)
    if not last.any():
        return float(ordered[-1])
    means = summed / below - (summed[-1] - summed) / np.maximum(above, 1e-12)
    best = int(np.argmax(np.where(last, below * above * means**2, -1.0)))
    return float(ordered[best + 1])


class Scans(NamedTuple):
    """Training scans: descriptions, what stands beside each, and votes of their regions."""

    described: Sequence[Description]
    context: Sequence[FloatArray]
    votes: Sequence[FloatArray]


def _grow(scans: Scans, growth: Growth, rng: np.random.Generator, threads: int) -> Any:
    """Grow one forest on the scans' tables, each shown several times, beside their context."""
    described, context, votes = scans
    copies = max(1, round(_SHOWN / len(described)))
    rows = [
        np.concatenate([one.jittered(rng), beside], axis=1)
        for one, beside in zip(described, context, strict=True)
        for _ in range(copies)
    ]
    shown = [vote for vote in votes for _ in range(copies)]
    sizes = np.concatenate([vote.sum(axis=1) for vote in shown])
    truth = np.concatenate([vote.argmax(axis=1) for vote in shown])
    forest = ExtraTreesClassifier(
        n_estimators=growth.trees,
        min_samples_leaf=growth.leaf,
        max_features=growth.features,
        n_jobs=threads,
        random_state=int(rng.integers(2**31)),
    )
    drawn = np.sort(rng.permutation(len(truth))[:_ROWS])
    table = np.concatenate(rows)[drawn].astype(np.float32)
    forest.fit(table, truth[drawn], sample_weight=sizes[drawn] / sizes.mean())
    return forest.set_params(n_jobs=1)  # from here on threads share rows, not trees


def shares_of(forest: Any, table: Any, classes: int, threads: int) -> FloatArray:
    """Probabilities in the order of all classes, also those the forest never saw.

    Threads share rows: a forest that shares its trees among them adds them up in any order, and
    answers differ in the last digit. Its ``n_jobs`` must be 1.
    """

    def some(start: int, stop: int) -> Any:
        return forest.predict_proba(table[start:stop])

    answers = np.zeros((len(table), classes))
    parts = each(some, slabs(len(table)), threads=threads)
    answers[:, forest.classes_] = np.concatenate(parts)
    return answers


def _groups(patients: Sequence[str], folds: int, rng: np.random.Generator) -> list[int]:
    """Group of each scan: all scans of a patient are in one."""
    distinct = sorted(set(patients))
    turn = rng.permutation(len(distinct)) % max(1, min(folds, len(distinct)))
    group = dict(zip(distinct, turn.tolist(), strict=True))
    return [group[patient] for patient in patients]


def _context(described: Description, own: FloatArray) -> FloatArray:
    """First answer of the region, its neighbours at two distances, the other side, the whole."""
    near = diffused(described.contacts, own, steps=2)
    far = diffused(described.contacts, near, steps=8)
    across = described.opposite
    other = np.where(across[:, None] < 0, 0.0, near[across])
    everywhere = np.broadcast_to(np.average(own, axis=0, weights=described.sizes), own.shape)
    highest = np.broadcast_to(near.max(axis=0), own.shape)
    return np.concatenate([own, near, far, other, everywhere, highest], axis=1)
