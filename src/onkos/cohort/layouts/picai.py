"""PI-CAI: what is known of a patient before the prostate is biopsied, and whether cancer came."""

from __future__ import annotations

from pathlib import Path

from onkos.cohort.layouts.folder import cohort_of, facts_case, found, known, rows_of
from onkos.core.case import Cohort
from onkos.core.errors import CohortError

SETS = ("prostate-picai-labels", "picai_labels/clinical_information", "picai_labels")
_TABLE = "marksheet.csv"
_TARGETS = {"NO": "not-significant", "YES": "significant"}
_FACTS = {
    "age": "patient_age",
    "psa": "psa",
    "volume_ml": "prostate_volume",
    "psad_reported": "psad",
}


def picai(data: Path) -> Cohort:
    """Clinically significant prostate cancer from age, PSA and the volume of the gland.

    Target: ``case_csPCa`` (ISUP grade 2 or more); men without a suspicious MR were mostly not
    biopsied and count as free of it. A patient may have several studies; the site is the
    centre. Facts: ``age``, ``psa`` (ng/ml), ``volume_ml``, ``psad`` (PSA over volume, wherever
    both are known) and ``psad_reported`` as in the table, where it is missing by centre and at
    odds with the other two columns in some cases. Left out: PI-RADS, which decided who was
    biopsied, Gleason and ISUP grades, and how tissue was taken. For research only (CC BY-NC
    4.0).

    Raises
    ------
    CohortError
        If the folder or its table is missing, or a PSA or volume is no number.

    References
    ----------
    Saha A et al. Artificial intelligence and radiologists in prostate cancer detection on MRI
    (PI-CAI): an international, paired, non-inferiority, confirmatory study. Lancet Oncol 2024;
    25:879-887. doi:10.1016/S1470-2045(24)00220-1
    """
    folder = _root(data)
    rows = rows_of(folder / _TABLE, "patient_id", "study_id", "case_csPCa", *_FACTS.values())
    cases = []
    for row in rows:
        if row["case_csPCa"] not in _TARGETS:
            raise CohortError(
                f"{folder / _TABLE}, study {row['study_id']}: case_csPCa {row['case_csPCa']!r}; "
                f"expected one of {list(_TARGETS)}"
            )
        cases.append(
            facts_case(
                row["study_id"],
                row["patient_id"],
                facts=known(row, _FACTS) | _density(row),
                target=_TARGETS[row["case_csPCa"]],
                site=row.get("center", ""),
            )
        )
    return cohort_of(cases, name=SETS[0], folder=folder)


def _root(data: Path) -> Path:
    if (data / "clinical_information" / _TABLE).is_file():
        return data / "clinical_information"
    return found(data, *SETS, holds=_TABLE)


def _density(row: dict[str, str]) -> dict[str, str]:
    """PSA density in ng/ml^2, where PSA and volume are known."""
    if not row["psa"] or not row["prostate_volume"]:
        return {}
    try:
        return {"psad": f"{float(row['psa']) / float(row['prostate_volume']):.6g}"}
    except (ValueError, ZeroDivisionError) as error:
        raise CohortError(
            f"study {row['study_id']}: PSA {row['psa']!r} over volume {row['prostate_volume']!r} "
            "is no number; correct the table"
        ) from error
