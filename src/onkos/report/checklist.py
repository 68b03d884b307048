"""What a reviewer asks, answered from what was run; what was not run is said not to be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onkos.core.reading import Comparison
from onkos.report import words
from onkos.report.verdict import floor_arm

Status = Literal["done", "not done", "not applicable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question of the checklists (TRIPOD+AI, CLEAR), its answer, and whether it was done."""

    ask: str
    answer: str
    status: Status


def checklist(comparison: Comparison) -> tuple[Item, ...]:
    """Fill in the items of TRIPOD+AI and CLEAR that a comparison itself can answer.

    References
    ----------
    Collins GS et al. TRIPOD+AI statement. BMJ 2024;385:e078378. doi:10.1136/bmj-2023-078378
    Kocak B et al. CheckList for EvaluAtion of Radiomics research (CLEAR). Insights Imaging
    2023;14:75. doi:10.1186/s13244-023-01415-8
    """
    return (*_data(comparison), *_method(comparison), *_results(comparison), *_missing())


def _data(comparison: Comparison) -> tuple[Item, ...]:
    kind = "simulated (phantom)" if comparison.simulated else "of patients"
    classes = f"; classes {words.listed(list(comparison.classes))}" if comparison.classes else ""
    size = (
        f"{words.counted(comparison.patients, 'patient')}, "
        f"{words.counted(comparison.cases, 'case')}{classes}."
    )
    return (
        Item(ask="Source of data", answer=f"{comparison.cohort}, {kind}.", status="done"),
        Item(ask="Number of patients and cases", answer=size, status="done"),
    )


def _method(comparison: Comparison) -> tuple[Item, ...]:
    split = (
        f"{words.counted(comparison.folds, 'fold')} by patient; each case is judged once, by a "
        "model that did not see the patient."
    )
    inside = (
        "Scaling, selection, imbalance and settings are chosen on the training patients of each "
        "fold; so is the threshold."
        if comparison.classes
        else "Everything learnt comes from the training patients of each fold."
    )
    missing = "Missing values are filled in from the training patients of each fold."
    guard = "Patients, copied rows of a table and nearly equal pictures on both sides are refused."
    tables: Status = "done" if comparison.classes else "not applicable"
    if not comparison.classes:
        missing = "Outlines are learnt from voxels; there is no table to fill."
        guard = "Patients are never on both sides; near-duplicate volumes are not looked for."
    return (
        Item(ask="How training and test data were kept apart", answer=split, status="done"),
        Item(ask="Preparation and selection inside the folds", answer=inside, status="done"),
        Item(ask="Missing values", answer=missing, status=tables),
        Item(ask="Guard against leakage", answer=guard, status=tables),
    )


def _results(comparison: Comparison) -> tuple[Item, ...]:
    floor = floor_arm(comparison)
    trivial = f"{floor.name}." if floor else "No trivial arm stood in this comparison."
    divided = any(arm.subgroups for arm in comparison.arms)
    groups = "By what the table tells of site, sex and age." if divided else "None were told."
    calibrated: Status = "done" if len(comparison.classes) == 2 else "not applicable"
    slope = "Slope, calibration in the large and expected calibration error, with intervals."
    if calibrated != "done":
        slope = "Asked of probabilities of two classes only."
    tests = f"{words.counted(len(comparison.tests), 'paired test')}, adjusted by Holm."
    return (
        Item(
            ask="Performance with its uncertainty",
            answer="95 % intervals by patient.",
            status="done",
        ),
        Item(
            ask="Comparison with a trivial method",
            answer=trivial,
            status="done" if floor else "not done",
        ),
        Item(
            ask="Tests between methods",
            answer=tests,
            status="done" if comparison.tests else "not done",
        ),
        Item(ask="Calibration", answer=slope, status=calibrated),
        Item(ask="Subgroups and fairness", answer=groups, status="done" if divided else "not done"),
        Item(ask="Version, settings and seed", answer="Under Provenance below.", status="done"),
    )


def _missing() -> tuple[Item, ...]:
    other = (
        "No patients of another hospital were looked at; the figures hold for patients like these."
    )
    plan = "Nothing here says that the question and the analysis were registered beforehand."
    power = "The number of patients was not derived from a power."
    return (
        Item(ask="External validation", answer=other, status="not done"),
        Item(ask="Registered protocol", answer=plan, status="not done"),
        Item(ask="Sample size", answer=power, status="not done"),
    )
