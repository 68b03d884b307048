"""LUNG1 (NSCLC-Radiomics): lung cancer as tables, clinical stage and radiomic features."""

from __future__ import annotations

from pathlib import Path

from onkos.cohort.layouts.folder import cohort_of, facts_case, found, known, rows_of
from onkos.core.case import Cohort

SET = "lung1-nsclc-radiomics-tables"
_STAGE = "clinical.T.Stage"
_STAGES = {"1.0": "T1-2", "2.0": "T1-2", "3.0": "T3-4", "4.0": "T3-4"}
_ORIGINAL = "original_"


def lung1(data: Path) -> Cohort:
    """T stage of a lung cancer, T3 and T4 against T1 and T2, from features of the outline.

    Target: the clinical T stage, which a radiologist gave from the same CT by size and
    invasion; patients without a stage of 1 to 4 are left out. A case is a patient, described by
    the first row of features of ``GTV-1``: further rows are second copies of it or other
    nodes. Facts: ``age`` and the features ``original_...``. Left out: N, M and overall stage,
    which is derived from T; histology, known from tissue; survival; filtered features and the
    columns ``diagnostics_...``, which tell the scanner's matrix and place. For research only
    (CC BY-NC 3.0 as published).

    Raises
    ------
    CohortError
        If the folder or a table is missing, or no patient is in both tables.

    References
    ----------
    Aerts HJWL et al. Decoding tumour phenotype by noninvasive imaging using a quantitative
    radiomics approach. Nat Commun 2014;5:4006. doi:10.1038/ncomms5006
    Data: doi:10.7937/K9/TCIA.2015.PF0M9REI
    """
    folder = found(data, SET, holds="lung1_clinical.csv")
    features: dict[str, dict[str, str]] = {}
    for row in rows_of(folder / "lung1_pyradiomics_features.csv.gz", "PatientID", "ROI"):
        if row["ROI"].startswith("GTV-1"):
            kept = {name: row[name] for name in row if name.startswith(_ORIGINAL)}
            features.setdefault(row["PatientID"], kept)
    cases = []
    for row in rows_of(folder / "lung1_clinical.csv", "PatientID", _STAGE):
        name = row["PatientID"]
        if name in features and row[_STAGE] in _STAGES:
            facts = known(row, {"age": "age"}) | features[name]
            cases.append(facts_case(name, name, facts=facts, target=_STAGES[row[_STAGE]]))
    return cohort_of(cases, name=SET, folder=folder)
