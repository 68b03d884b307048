"""Two forests over regions: the second one also sees what the first thinks of the neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from onkos.arms.description import Description
from onkos.features.regions import diffused

FloatArray = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_THRESHOLDS = np.linspace(0.15, 0.75, 25)


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
        Groups of patients whose first-stage answers come from the others' forest.
    threads
        Number of threads; the forest does not depend on it.
    """

    trees: int = 150
    leaf: int = 3
    features: float = 0.2
    folds: int = 4
    threads: int = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionForest:
    """Fitted forests: ``second`` is None when only one patient was there to learn from.

    ``threshold`` is the probability of any tumour from which on a region is outlined.
    """

    first: Any
    second: Any
    classes: int
    threshold: float

    def probabilities(self, described: Description) -> FloatArray:
        """Probability of each class, 0 being healthy, in each region: (count, classes)."""
        own = _answers(self.first, described.table, self.classes)
        if self.second is None:
            return own
        return _answers(self.second, _with_context(described, own), self.classes)


def fit_forest(
    described: Sequence[Description],
    votes: Sequence[FloatArray],
    patients: Sequence[str],
    *,
    growth: Growth,
    rng: np.random.Generator,
) -> RegionForest:
    """Grow both forests and choose the threshold.

    Each training region counts as the class of most of its voxels. The second forest learns
    from answers that the first gave on patients it had not seen, since those are what it will
    meet; the threshold is the one with the best mean Dice on answers of that kind.

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
    """
    classes = votes[0].shape[1]
    tables = [one.table for one in described]
    groups = _groups(patients, growth.folds, rng)
    first = _grow(tables, votes, growth, rng)
    if len(set(groups)) < 2:
        return RegionForest(first=first, second=None, classes=classes, threshold=0.5)
    unseen = _unseen(tables, votes, groups, growth, rng)
    wider = [_with_context(one, own) for one, own in zip(described, unseen, strict=True)]
    second = _grow(wider, votes, growth, rng)
    judged = _unseen(wider, votes, groups, growth, rng)
    return RegionForest(
        first=first, second=second, classes=classes, threshold=_threshold(described, judged, votes)
    )


def smoothed(described: Description, probabilities: FloatArray) -> FloatArray:
    """Let each region's answer give way a little to its neighbours' (one mean-field step)."""
    return diffused(described.contacts, probabilities, steps=1)


def _grow(
    tables: Sequence[Any], votes: Sequence[FloatArray], growth: Growth, rng: np.random.Generator
) -> Any:
    forest = ExtraTreesClassifier(
        n_estimators=growth.trees,
        min_samples_leaf=growth.leaf,
        max_features=growth.features,
        n_jobs=growth.threads,
        random_state=int(rng.integers(2**31)),
    )
    sizes = np.concatenate([vote.sum(axis=1) for vote in votes])
    truth = np.concatenate([vote.argmax(axis=1) for vote in votes])
    return forest.fit(np.concatenate(tables), truth, sample_weight=sizes / sizes.mean())


def _answers(forest: Any, table: Any, classes: int) -> FloatArray:
    """Probabilities in the order of all classes, also those the forest never saw."""
    answers = np.zeros((len(table), classes))
    answers[:, forest.classes_] = forest.predict_proba(table)
    return answers


def _unseen(
    tables: Sequence[Any],
    votes: Sequence[FloatArray],
    groups: Ints,
    growth: Growth,
    rng: np.random.Generator,
) -> list[FloatArray]:
    """Answer for each scan by a forest grown on the other groups of patients."""
    classes = votes[0].shape[1]
    answers: list[FloatArray] = [np.empty(0)] * len(tables)
    for group in np.unique(groups):
        others = np.flatnonzero(groups != group)
        forest = _grow([tables[n] for n in others], [votes[n] for n in others], growth, rng)
        for n in np.flatnonzero(groups == group):
            answers[n] = _answers(forest, tables[n], classes)
    return answers


def _groups(patients: Sequence[str], folds: int, rng: np.random.Generator) -> Ints:
    """Group of each scan: all scans of a patient are in one."""
    distinct = sorted(set(patients))
    turn = rng.permutation(len(distinct)) % max(1, min(folds, len(distinct)))
    group = dict(zip(distinct, turn.tolist(), strict=True))
    return np.array([group[patient] for patient in patients], dtype=np.int64)


def _with_context(described: Description, own: FloatArray) -> FloatArray:
    """Table with own answer, the neighbours' at two distances, and the other side's."""
    near = diffused(described.contacts, own, steps=2)
    far = diffused(described.contacts, near, steps=8)
    across = described.opposite
    other = np.where(across[:, None] < 0, 0.0, near[across])
    whole = np.average(own, axis=0, weights=described.sizes)
    everywhere = np.broadcast_to(whole, own.shape)
    best = np.broadcast_to(near.max(axis=0), own.shape)
    parts = [described.table, own, near, far, other, everywhere, best]
    return np.concatenate(parts, axis=1)


def _threshold(
    described: Sequence[Description], answers: Sequence[FloatArray], votes: Sequence[FloatArray]
) -> float:
    """Threshold on the probability of any tumour with the best mean Dice of the whole tumour."""
    dice = np.zeros((len(answers), len(_THRESHOLDS)))
    for n, (one, answer, vote) in enumerate(zip(described, answers, votes, strict=True)):
        tumour = vote[:, 1:].sum(axis=1)
        all_voxels = vote.sum(axis=1)
        p = 1 - smoothed(one, answer)[:, 0]
        for t, threshold in enumerate(_THRESHOLDS):
            chosen = p >= threshold
            total = all_voxels[chosen].sum() + tumour.sum()
            dice[n, t] = 2 * tumour[chosen].sum() / total if total else 1.0
    return float(_THRESHOLDS[int(np.argmax(dice.mean(axis=0)))])
