"""UCSF-PDGM: diffuse gliomas as tables, what is known of the patient and radiomic features."""

from __future__ import annotations

from pathlib import Path

from onkos.cohort.layouts.folder import cohort_of, facts_case, file_in, found, known, rows_of
from onkos.core.case import Cohort
from onkos.core.errors import CohortError

SETS = ("glioma-ucsf-pdgm-tables", "UCSF-PDGM")
_TABLES = ("metadata.csv", "UCSF-PDGM-metadata_v2.csv")
_FEATURES = ("pyradiomics_t1gad.csv.gz", "radiomic_features_T1gad_bias.csv")
_GRADES = {"2": "grade-2-3", "3": "grade-2-3", "4": "grade-4"}
_ORIGINAL = "original_"


def ucsf_pdgm(data: Path) -> Cohort:
    """Grade of a diffuse glioma, 4 against 2 and 3, from features of T1 with contrast.

    Target: the WHO CNS grade of 2021, which is defined by molecular markers as well as by
    histology. A case is a patient. Facts: ``age``, ``sex`` and the features ``original_...`` of
    the whole tumour. Left out, since they are the answer or follow from it: the pathologic
    diagnosis, IDH, 1p/19q and MGMT; since they lie after it: survival and extent of resection;
    since they tell how patients were chosen: biopsy before imaging and the columns of BraTS.
    For research only (CC BY 4.0 as published).

    Raises
    ------
    CohortError
        If the folder or a table is missing, a grade is not known, or a patient has no features
        or several rows of them.

    References
    ----------
    Calabrese E et al. The University of California San Francisco preoperative diffuse glioma
    MRI dataset. Radiol Artif Intell 2022;4:e220058. doi:10.1148/ryai.220058
    Data: doi:10.7937/tcia.bdgf-8v37
    """
    folder = _root(data)
    features: dict[str, dict[str, str]] = {}
    for row in rows_of(file_in(folder, *_FEATURES), "ID"):
        if row["ID"] in features:
            raise CohortError(f"{folder}: {row['ID']} has several rows of features; expected one")
        features[row["ID"]] = {name: row[name] for name in row if name.startswith(_ORIGINAL)}
    cases = []
    for row in rows_of(file_in(folder, *_TABLES), "ID", "WHO CNS Grade"):
        name, grade = row["ID"], row["WHO CNS Grade"]
        if grade not in _GRADES or name not in features:
            raise CohortError(
                f"{folder}: {name}: grade {grade!r}, {'' if name in features else 'no '}features; "
                f"expected a grade of {list(_GRADES)} and features"
            )
        facts = known(row, {"age": "Age at MRI", "sex": "Sex"}) | features[name]
        cases.append(facts_case(name, name, facts=facts, target=_GRADES[grade]))
    return cohort_of(cases, name=SETS[0], folder=folder)


def _root(data: Path) -> Path:
    try:
        return found(data, *SETS, holds=_TABLES[0])
    except CohortError:
        return found(data, *SETS, holds=_TABLES[1])
