"""Folds that never put one patient on both sides."""

from __future__ import annotations

import numpy as np

from onkos.core.case import Cohort
from onkos.core.errors import UsageError
from onkos.core.split import Fold


def folds_by_patient(cohort: Cohort, k: int, *, rng: np.random.Generator) -> tuple[Fold, ...]:
    """Split a cohort into k folds; each patient is in exactly one fold's test part.

    Where every case has a target, each class is dealt out to the folds evenly (a patient of
    several classes counts as the first of them).

    Raises
    ------
    UsageError
        If there are fewer patients than folds, or fewer than two folds.
    """
    patients = sorted(cohort.patients)
    if not 2 <= k <= len(patients):
        raise UsageError(
            f"{k} folds of {len(patients)} patients in cohort {cohort.name}: "
            f"expected 2 to {len(patients)} folds; give --folds in that range"
        )
    dealt = _by_class(cohort, [patients[index] for index in rng.permutation(len(patients))])
    folds = []
    for number in range(k):
        held_out = set(dealt[number::k])
        train = tuple(case for case in cohort.cases if case.patient not in held_out)
        test = tuple(case for case in cohort.cases if case.patient in held_out)
        folds.append(Fold(number=number, train=train, test=test))
    return tuple(folds)


def repeated_folds(
    cohort: Cohort, k: int, *, repeats: int, seed: int
) -> tuple[tuple[Fold, ...], ...]:
    """Split a cohort into k folds several times, each time with patients dealt out anew.

    The first repeat is the split that the seed gives without repeats; each further one has a
    stream of its own, so that it does not depend on how many follow.

    Raises
    ------
    UsageError
        If there is no repeat, or as of :func:`folds_by_patient`.
    """
    if repeats < 1:
        raise UsageError(f"{repeats} repeats of the folds: expected 1 or more")
    streams = [np.random.default_rng(seed)]
    for repeat in range(1, repeats):
        stream = np.random.SeedSequence(seed, spawn_key=(repeat,))
        streams.append(np.random.default_rng(stream))
    return tuple(folds_by_patient(cohort, k, rng=rng) for rng in streams)


def _by_class(cohort: Cohort, patients: list[str]) -> list[str]:
    """Return the patients in the order given, those of one class after the other."""
    target: dict[str, str] = {}
    for case in cohort.cases:
        if not case.target:
            return patients
        target.setdefault(case.patient, case.target)
    return sorted(patients, key=target.__getitem__)
