"""KiTS19: kidney tumours, what was known before the operation and label maps without the CT."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from onkos.cohort.layouts.folder import cohort_of, facts_case, found
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import CohortError, ContentError
from onkos.core.mask import Mask
from onkos.io import outline

SETS = ("kidney-kits19-labels", "kits19/data")
_TABLE = "kits.json"
_TUMOUR = {"tumour": (2,)}
Row = Mapping[str, Any]


def kits19_stage(data: Path) -> Cohort:
    """T stage of a kidney cancer, T3 and T4 against T1 and T2, from what was known before.

    Target: the pathological T stage of malignant tumours: T1 and T2 are told apart by size, T3
    and T4 by growth beyond the kidney, so that size is no part of this target's definition. A
    case is a patient. Facts, all known before the operation: ``radiographic_size`` (cm),
    ``age``, ``sex``, ``body_mass_index``, ``smoking``, ``egfr``. Left out: all that pathology,
    the operation or the time after it told. For research only (CC BY-NC-SA 4.0).

    Raises
    ------
    CohortError
        If the folder or its table is missing or damaged.

    References
    ----------
    Heller N et al. The state of the art in kidney and kidney tumor segmentation in
    contrast-enhanced CT imaging: results of the KiTS19 challenge. Med Image Anal 2021;
    67:101821. doi:10.1016/j.media.2020.101821
    """
    folder = found(data, *SETS, holds=_TABLE)
    return _cohort(folder, "kidney-kits19-stage", _late)


def kits19_grade(data: Path) -> Cohort:
    """ISUP grade of a kidney cancer, 3 and 4 against 1 and 2, from what was known before.

    Target: the pathological grade of malignant tumours that have one. Patients, facts, licence
    and errors as :func:`kits19_stage`.
    """
    folder = found(data, *SETS, holds=_TABLE)
    return _cohort(folder, "kidney-kits19-grade", _high_grade)


def kits19_outlined(data: Path) -> Cohort:
    """Kidney cancers with a label map: T1a against anything beyond, from the outlined tumour.

    Target: the pathological T stage. T1a means at most 4 cm, so that size is nearly all of the
    answer: the question is whether the size of an outline, or the radiologist's, gives the
    pathologist's category. The outline is the label 2; there is no CT. Patients, facts, licence
    and errors as :func:`kits19_stage`.
    """
    folder = found(data, *SETS, holds=_TABLE)
    whole = _cohort(folder, "kidney-kits19-outlined", _beyond_t1a)
    cases = []
    for case in whole.cases:
        mask = _label_map(folder, case.id)
        if mask is not None:
            cases.append(
                replace(
                    case,
                    truths={**case.truths, **known_truths(outline=partial(_tumour, mask, case))},
                )
            )
    return cohort_of(cases, name=whole.name, folder=folder)


def _cohort(folder: Path, name: str, target: Callable[[Row], str]) -> Cohort:
    cases = []
    for row in _rows(folder / _TABLE):
        if row["malignant"] and target(row):
            case = row["case_id"]
            cases.append(facts_case(case, case, facts=_facts(row), target=target(row)))
    return cohort_of(cases, name=name, folder=folder)


def _rows(path: Path) -> list[Row]:
    needed = {"case_id", "malignant", "pathology_t_stage", "tumor_isup_grade", "radiographic_size"}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CohortError(f"{path}: damaged: {error}; get it again") from error
    if not isinstance(rows, list) or not all(
        isinstance(r, dict) and needed <= set(r) for r in rows
    ):
        raise CohortError(f"{path}: expected a list of cases, each with {sorted(needed)}")
    return rows


def _late(row: Row) -> str:
    stage = str(row["pathology_t_stage"])[:1]
    return "T1-2" if stage in ("1", "2") else "T3-4" if stage in ("3", "4") else ""


def _beyond_t1a(row: Row) -> str:
    if not _late(row):
        return ""
    return "T1a" if row["pathology_t_stage"] == "1a" else "beyond-T1a"


def _high_grade(row: Row) -> str:
    grade = row["tumor_isup_grade"]
    return "" if grade is None else "ISUP-1-2" if grade <= 2 else "ISUP-3-4"


def _facts(row: Row) -> dict[str, str]:
    """What was known before the operation; an eGFR given as ">=90" counts as 90."""
    egfr = (row.get("last_preop_egfr") or {}).get("value")
    facts = {
        "radiographic_size": row["radiographic_size"],
        "age": row.get("age_at_nephrectomy"),
        "sex": row.get("gender"),
        "body_mass_index": row.get("body_mass_index"),
        "smoking": row.get("smoking_history"),
        "egfr": str(egfr).lstrip(">=") if egfr is not None else None,
    }
    return {name: str(value) for name, value in facts.items() if value is not None}


def _label_map(folder: Path, case: str) -> Path | None:
    """Label map of a case, in either place, or None."""
    for path in (
        folder / "segmentation" / f"{case}.nii.gz",
        folder / case / "segmentation.nii.gz",
    ):
        if path.is_file():
            return path
    return None


def _tumour(path: Path, case: Case) -> Mask:
    """Outline of the tumour, cut to its own block: the rest of the grid holds nothing."""
    whole = outline.read(path, labels=_TUMOUR, study=case.load)
    block = []
    for axis, side in enumerate(whole.labels.shape):
        others = tuple(other for other in range(3) if other != axis)
        hit = np.flatnonzero(whole.labels.any(axis=others))
        if hit.size == 0:
            raise ContentError(f"{path}: no tumour (label 2) in the label map; get it again")
        block.append(slice(max(0, int(hit[0]) - 1), min(side, int(hit[-1]) + 2)))
    return whole.crop(block)
