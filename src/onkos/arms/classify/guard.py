"""What a split must hold before anything runs: no near-duplicate across, no site unheard of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from onkos.arms.classify.combat import Harmonise
from onkos.arms.classify.sources import Facts
from onkos.cohort.leakage import FEWEST_COLUMNS, Fingerprint, Side, fingerprint, require_apart
from onkos.core.case import Case, Cohort
from onkos.core.errors import CohortError, ContentError, UsageError
from onkos.core.geometry import AnyArray
from onkos.core.split import Fold
from onkos.core.study import Study


def require_no_leak(cohort: Cohort, folds: Sequence[Fold], facts: Facts | None) -> None:
    """Refuse folds that put a patient, a copied row or a near-duplicate picture on both sides.

    Every picture is opened once for it. Volumes are told apart by their patients only.

    Raises
    ------
    CohortError
        If one leaks; the message names the cases. The remedy is to give them one patient.
    """
    marks = _fingerprints(cohort)
    rows: dict[str, AnyArray] = {}
    if facts is not None:
        rows = {case.id: facts.observe(case.study).values for case in cohort.cases}
    tabled = bool(rows) and _varied(np.array(list(rows.values()))) >= FEWEST_COLUMNS
    for fold in folds:
        sides = [
            Side(
                cases=[case.id for case in side],
                patients=[case.patient for case in side],
                table=np.array([rows[case.id] for case in side]) if tabled else None,
                pictures=_marks(side, marks),
            )
            for side in (fold.train, fold.test)
        ]
        require_apart(*sides)


def require_sites(cohort: Cohort, folds: Sequence[Fold], how: Harmonise | None) -> None:
    """Refuse folds in which a harmonised arm would meet a site it cannot know.

    A site must have two training cases or more in every fold that holds out one of its cases,
    and wherever it is trained on at all.

    Raises
    ------
    UsageError
        The message names the site, the fold and the remedy.
    CohortError
        If a case names no site.
    """
    if how is None:
        return
    sites = {case.id: _site(how, case) for case in cohort.cases}
    for fold in folds:
        trained = Counter(sites[case.id] for case in fold.train)
        needed = {sites[case.id] for case in fold.test} | set(trained)
        few = sorted(site for site in needed if trained[site] < 2)
        if few:
            raise UsageError(
                f"fold {fold.number + 1}: {trained[few[0]]} training cases of the site "
                f"{few[0]!r} ({how.column}), so how it measures cannot be learnt; expected two "
                "or more of every site in every fold: merge small sites in the "
                f"column {how.column!r}, leave their cases out, or take fewer folds"
            )


@lru_cache(maxsize=4)
def _fingerprints(cohort: Cohort) -> Mapping[str, Fingerprint]:
    """Fingerprint of every case that is one picture; the arms of a comparison share them."""
    found = {}
    for case in cohort.cases:
        look = case.look() if case.look else None
        if look is not None and (len(look.roles) != 1 or 3 in look.dimensions.values()):
            continue
        mark = _fingerprint(case.study)
        if mark is not None:
            found[case.id] = mark
    return found


def _site(how: Harmonise, case: Case) -> str:
    try:
        return how.site(case.study)
    except ContentError as error:
        raise CohortError(f"case {case.id}: {error}") from error


def _marks(side: Sequence[Case], marks: Mapping[str, Fingerprint]) -> list[Fingerprint] | None:
    """Fingerprints of a side; None where not every case is a picture."""
    found = [marks[case.id] for case in side if case.id in marks]
    return found if len(found) == len(side) else None


def _fingerprint(study: Study) -> Fingerprint | None:
    """Fingerprint of a study's only picture; None where it has no such picture."""
    if len(study.volumes) != 1:
        return None
    (volume,) = study.volumes.values()
    if volume.geometry.ndim != 2:
        return None
    try:
        return fingerprint(volume.data)
    except ContentError:
        return None


def _varied(table: AnyArray) -> int:
    """How many columns of a table vary."""
    columns = [column[np.isfinite(column)] for column in table.T]
    return sum(bool(column.size) and float(np.ptp(column)) > 0 for column in columns)
