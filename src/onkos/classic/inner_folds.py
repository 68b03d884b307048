"""Inner folds by patient: no patient is in both training and test part."""

from __future__ import annotations

import numpy as np

from onkos.classic.learning import IntArray


def patient_folds(y: IntArray, groups: IntArray, k: int, *, rng: np.random.Generator) -> IntArray:
    """Divide patients into k folds, stratified by class; returns the fold of each row.

    A patient with rows of several classes is stratified by the rarest of them. The result
    depends neither on the order of the rows nor on the names of the classes.
    """
    patients = int(groups.max()) + 1
    frequency = np.bincount(y)
    rarest = np.full(patients, -1)
    for code in np.argsort(-frequency, kind="stable"):
        rarest[groups[y == code]] = code
    shuffled = rng.permutation(patients)
    seen = list(dict.fromkeys(rarest[shuffled].tolist()))
    turn = np.argsort([seen.index(code) for code in rarest[shuffled]], kind="stable")
    fold = np.empty(patients, dtype=np.int64)
    fold[shuffled[turn]] = np.arange(patients) % k
    return fold[groups]


def possible_folds(y: IntArray, groups: IntArray, wanted: int) -> int:
    """Most folds (up to ``wanted``) that keep every class in every training part; else 0."""
    fewest = min(len(np.unique(groups[y == code])) for code in np.unique(y))
    return min(wanted, fewest) if fewest >= 2 else 0
