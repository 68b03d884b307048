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

_FEWEST_FOR_SECOND = 6  # patients: below, answers on unseen ones come from too few others
_SHOWN = 10  # each scan is shown under several contrasts until so many are seen in all
_ROWS = 24_000  # regions a forest is grown on at most, drawn at random
_LEAST = 0.25  # probability below which nothing is outlined, whatever is expected of it


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

    trees: int = 100
    leaf: int = 3
    features: float = 0.3
    folds: int = 4
    threads: int = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionForest:
    """Fitted forests; ``second`` is None when there were too few patients for one."""

    first: Any
    second: Any
    classes: int

    def probabilities(self, described: Description) -> FloatArray:
        """Probability of each class, 0 being healthy, in each region: (count, classes)."""
        own = _answers(self.first, described.table, self.classes)
        if self.second is None:
            return own
        table = np.concatenate([described.table, _context(described, own)], axis=1)
        return _answers(self.second, table.astype(np.float32), self.classes)


def fit_forest(
    described: Sequence[Description],
    votes: Sequence[FloatArray],
    patients: Sequence[str],
    *,
    growth: Growth,
    rng: np.random.Generator,
) -> RegionForest:
    """Grow both forests.

    Each training region counts as the class of most of its voxels. The second forest learns
    from answers that the first gave on patients it had not seen, since those are what it will
    meet.

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
    plain = [np.empty((len(one.table), 0)) for one in described]
    first = _grow(described, plain, votes, growth, rng)
    if len(set(patients)) < _FEWEST_FOR_SECOND:
        return RegionForest(first=first, second=None, classes=classes)
    context: list[FloatArray] = [np.empty(0)] * len(described)
    groups = _groups(patients, growth.folds, rng)
    for group in range(max(groups) + 1):
        others = [n for n, its in enumerate(groups) if its != group]
        forest = _grow(
            [described[n] for n in others],
            [plain[n] for n in others],
            [votes[n] for n in others],
            growth,
            rng,
        )
        for n, its in enumerate(groups):
            if its == group:
                answers = _answers(forest, described[n].table, classes)
                context[n] = _context(described[n], answers)
    second = _grow(described, context, votes, growth, rng)
    return RegionForest(first=first, second=second, classes=classes)


def smoothed(described: Description, probabilities: FloatArray) -> FloatArray:
    """Let each region's answer give way a little to its neighbours' (one mean-field step)."""
    return diffused(described.contacts, probabilities, steps=1)


def outlined(described: Description, tumour: FloatArray) -> Bools:
    """Choose the regions to outline: those with the best Dice to be expected.

    If ``tumour`` are the probabilities, outlining the likeliest regions down to p is expected
    to give 2 (sum of what is outlined) / (outlined + all that is expected); the best p differs
    from patient to patient, being low where the forest is unsure of all of a tumour.

    References
    ----------
    Lipton ZC, Elkan C, Naryanaswamy B. Optimal thresholding of classifiers to maximize F1
    measure. ECML PKDD 2014:225-239. doi:10.1007/978-3-662-44851-9_15
    """
    order = np.argsort(-tumour, kind="stable")
    expected = (tumour * described.sizes)[order]
    outlined_voxels = np.cumsum(described.sizes[order])
    dice = 2 * np.cumsum(expected) / (outlined_voxels + expected.sum() + 1e-12)
    threshold = max(float(tumour[order[int(np.argmax(dice))]]), _LEAST)
    chosen: Bools = tumour >= threshold
    return chosen


def _grow(
    described: Sequence[Description],
    context: Sequence[FloatArray],
    votes: Sequence[FloatArray],
    growth: Growth,
    rng: np.random.Generator,
) -> Any:
    """Grow one forest on the scans' tables, each shown several times, beside their context."""
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
        n_jobs=growth.threads,
        random_state=int(rng.integers(2**31)),
    )
    drawn = np.sort(rng.permutation(len(truth))[:_ROWS])
    table = np.concatenate(rows)[drawn].astype(np.float32)
    return forest.fit(table, truth[drawn], sample_weight=sizes[drawn] / sizes.mean())


def _answers(forest: Any, table: Any, classes: int) -> FloatArray:
    """Probabilities in the order of all classes, also those the forest never saw."""
    answers = np.zeros((len(table), classes))
    answers[:, forest.classes_] = forest.predict_proba(table)
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
