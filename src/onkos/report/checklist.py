"""What a reviewer asks, answered from what was run and from nothing else."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from onkos.core.comparison import ArmResult, Comparison
from onkos.core.judgement import JudgedCase
from onkos.core.task import Task
from onkos.report import measures, words
from onkos.report.verdict import asked, deciding_metric, floor_arm, is_trivial, main_metrics

Status = Literal["done", "not done", "not applicable"]
DONE: Status = "done"
NOT_DONE: Status = "not done"
NOT_APPLICABLE: Status = "not applicable"

_REFERENCES = {
    Task.CLASSIFY: "reference classes",
    Task.SEGMENT: "reference outlines",
    Task.DETECT: "lesions",
    Task.PROGNOSE: "follow-up",
    Task.RECONSTRUCT: "reference images",
}
_HALF = "threshold-half"  # caveat of an arm that has no threshold of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A question of TRIPOD+AI (its number in ``asked``), the answer, and whether it was done."""

    asked: str
    item: str
    answer: str
    status: Status


def checklist(comparison: Comparison) -> tuple[Item, ...]:
    """Fill in what the comparison can answer of TRIPOD+AI and CLEAR.

    What Onkos cannot know from a run (who was eligible, who set the reference) and what it did
    not do (external validation) is said to be not done.

    References
    ----------
    Collins GS et al. TRIPOD+AI statement. BMJ 2024;385:e078378. doi:10.1136/bmj-2023-078378.
    Kocak B et al. CheckList for EvaluAtion of Radiomics research (CLEAR). Insights Imaging
    2023;14:75. doi:10.1186/s13244-023-01415-8
    """
    return (
        *_data(comparison),
        *_splitting(comparison),
        *_fitting(comparison),
        *_judging(comparison),
        *_openness(comparison),
    )


def _item(asked: str, item: str, answer: str, status: Status = DONE) -> Item:
    return Item(asked=asked, item=item, answer=answer, status=status)


def _data(comparison: Comparison) -> Iterator[Item]:
    kind = "simulated (phantom), not patients" if comparison.simulated else "as given by the user"
    inputs = ", ".join(one[:12] for one in comparison.provenance.inputs if one)
    mark = f"; fingerprint {inputs}" if inputs else ""
    yield _item("5a", "Source of the data", f"Cohort {comparison.cohort}, {kind}{mark}.")
    text = "Not known from what was run; dates, centres and eligibility are the authors' to give."
    yield _item("5b, 6", "Dates, setting, eligibility", text, NOT_DONE)
    answer = (
        f"{words.counted(comparison.patients, 'patient')}, "
        f"{words.counted(comparison.cases, 'case')}{_class_counts(comparison)}."
    )
    yield _item("20", "Participants and outcomes", answer)
    what = words.listed([_REFERENCES[task] for task in asked(comparison)]) or "the truth"
    text = (
        f"{what[0].upper()}{what[1:]} as they stand in the cohort; who set them, and how, is not "
        "known from the run."
    )
    yield _item("8", "How the reference was set", text, NOT_DONE)
    text = "No calculation was made beforehand; the intervals say what these patients can tell."
    yield _item("10", "Sample size", text, NOT_DONE)
    yield _missing(comparison)


def _missing(comparison: Comparison) -> Item:
    """What became of missing numbers, and of cases that an arm did not answer."""
    left = max((len(arm.judgement.unanswered) for arm in comparison.arms), default=0)
    whole = "No case was left out."
    if left:
        cases = words.counted(left, "case")
        whole = f"An arm left {cases} without an answer, which count as the worst there is."
    if not comparison.classes or all(is_trivial(arm) for arm in comparison.arms):
        return _item("11", "Missing values", f"No table to fill. {whole}", NOT_APPLICABLE)
    text = (
        "Classic arms put the median of a fold's training patients for a missing number; how many "
        f"were missing was not kept. {whole}"
    )
    return _item("11", "Missing values", text)


def _class_counts(comparison: Comparison) -> str:
    """Cases of each reference class."""
    counts = Counter(one.truth for one in _first(comparison, Task.CLASSIFY))
    each = [f"{counts[name]} {name}" for name in comparison.classes if counts[name]]
    return f" ({', '.join(each)})" if each else ""


def _splitting(comparison: Comparison) -> Iterator[Item]:
    folds = words.counted(comparison.folds, "fold")
    twice = {
        name
        for arm in comparison.arms
        for task in arm.judgement.tasks
        for name in _in_two_folds(arm.judgement.of(task))
    }
    if twice:
        text = f"{words.counted(len(twice), 'patient')} stand in more than one fold."
        yield _item("12a", "Split by patient", text, NOT_DONE)
    else:
        text = f"{folds}, each patient held out in one of them; checked on the judged cases."
        if comparison.repeats > 1:
            text = (
                f"{comparison.repeats} repeats of {text} Intervals and tests draw patients with "
                "all their repeats."
            )
        yield _item("12a", "Split by patient", text)
    if comparison.classes:
        text = (
            "Refused before fitting: a near-duplicate picture or a copied row of the table on both "
            "sides of a split. Volumes are compared by patient only."
        )
        yield _item("12a", "Guard against leakage", text)
    else:
        text = "Patients are kept apart; near-duplicate images were not searched for."
        yield _item("12a", "Guard against leakage", text, NOT_DONE)
    text = "None: every patient is of the cohort that the arms were fitted on."
    yield _item("12a, 16", "External validation", text, NOT_DONE)


def _in_two_folds(cases: tuple[JudgedCase, ...]) -> set[str]:
    """Patients held out in more than one fold; a case without an answer has none."""
    pairs = {(one.patient, one.fold) for one in cases if one.answered}
    counts = Counter(patient for patient, _ in pairs)
    return {patient for patient, count in counts.items() if count > 1}


def _first(comparison: Comparison, task: Task) -> tuple[JudgedCase, ...]:
    """Cases of the first arm."""
    return next((arm.judgement.of(task) for arm in comparison.arms), ())


def _fitting(comparison: Comparison) -> Iterator[Item]:
    text = (
        "Each arm was given the training patients of a fold and nothing else; scaling, selection "
        "and settings that it learns are learnt there."
    )
    yield _item("9, 12c", "Preparation and selection inside the folds", text)
    yield from _harmonised(comparison)
    if len(comparison.classes) == 2:
        chosen = [arm.name for arm in comparison.arms if _has_threshold(arm)]
        text = (
            f"Chosen on training patients by {words.listed(chosen)}; other arms call the likeliest "
            "class."
            if chosen
            else "None chosen: a case counts as its likeliest class."
        )
        yield _item("15", "Thresholds", text)
    used = [arm.name for arm in comparison.arms if arm.used and not is_trivial(arm)]
    if used:
        text = (
            f"Features used in each fold were kept for {words.listed(used)}{_measured(comparison)}."
        )
        yield _item("9, 22", "Which features are used", text)
        text = "Outlines and noise were not perturbed, and there was no second scan."
        yield _item("CLEAR", "Repeatability of features", text, NOT_DONE)
    text = "The models of the folds were not kept; onkos fit writes one with its card."
    yield _item("22", "The model itself", text, NOT_DONE)


def _measured(comparison: Comparison) -> str:
    """Say whether the importance of features was measured, and the stability of their choice."""
    found = [arm.reliance for arm in comparison.arms if arm.reliance and not is_trivial(arm)]
    if not any(one.features for one in found):
        return ""
    stable = any(math.isfinite(one.stability.value) for one in found)
    return (
        "; their importance was measured on left-out patients"
        f"{', and the stability of their choice' if stable else ''}"
    )


def _harmonised(comparison: Comparison) -> Iterator[Item]:
    """Say how sites were harmonised, where an arm did so."""
    how = comparison.provenance.settings.get("harmonise", {})
    for arm, said in how.items():
        covariates = words.listed(list(said["covariates"]["columns"]))
        kept = f", keeping {covariates}" if covariates else ""
        text = (
            f"{arm}: ComBat between values of {said['column']}, fitted on the training patients of "
            f"a fold without their classes{kept}."
        )
        yield _item("CLEAR", "Harmonisation between sites", text)


def _has_threshold(arm: ArmResult) -> bool:
    """Whether it calls cases from a threshold that was chosen on training patients."""
    return all(caveat.code != _HALF for caveat in arm.judgement.caveats)


def _judging(comparison: Comparison) -> Iterator[Item]:
    yield _performance(comparison)
    yield _calibration(comparison)
    floor = floor_arm(comparison)
    if floor is None:
        yield _item("12e", "Comparison with a trivial arm", "No trivial arm was run.", NOT_DONE)
    else:
        yield _item("12e", "Comparison with a trivial arm", f"Against {floor.name}.")
    if comparison.tests:
        n = len(comparison.tests)
        names = words.listed([measures.named(name) for name in main_metrics(comparison)])
        text = f"{words.counted(n, 'paired test')} of {names}, adjusted together by Holm."
        yield _item("12e", "Tests and their number", text)
    else:
        yield _item("12e", "Tests and their number", "Nothing was tested.", NOT_DONE)
    yield _subgroups(comparison)
    yield _worth(comparison)
    text = "Neither benefit to patients nor use by readers was studied."
    yield _item("27", "Clinical use", text, NOT_DONE)


def _performance(comparison: Comparison) -> Item:
    estimates = [one for arm in comparison.arms for one in arm.metrics.values()]
    bounded = [one for one in estimates if math.isfinite(one.low) and math.isfinite(one.high)]
    if not bounded:
        text = "No metric could be given an interval."
        return _item("12e, 23a", "Performance with intervals", text, NOT_DONE)
    levels = " or ".join(sorted({f"{100 * one.level:.3g} %" for one in bounded}))
    text = (
        f"{len(bounded)} of {len(estimates)} estimates have a {levels} interval; each names its n "
        "and its method."
    )
    return _item("12e, 23a", "Performance with intervals", text)


def _calibration(comparison: Comparison) -> Item:
    if not comparison.classes:
        text = "No probabilities of classes were judged."
        return _item("12e, 23a", "Calibration", text, NOT_APPLICABLE)
    slopes = [
        arm.name
        for arm in comparison.arms
        if "calibration_slope" in arm.metrics
        and math.isfinite(arm.metrics["calibration_slope"].value)
    ]
    if not slopes:
        text = "No slope or curve was estimated; Brier's score holds calibration in part."
        return _item("12e, 23a", "Calibration", text, NOT_DONE)
    text = f"Slope, calibration in the large and error (ECE) of {words.listed(slopes)}."
    return _item("12e, 23a", "Calibration", text)


def _worth(comparison: Comparison) -> Item:
    """Whether acting on the predictions was weighed against acting on all and on none."""
    drawn = [
        arm.name
        for arm in comparison.arms
        if any(curve.kind == "decision" for curve in arm.judgement.curves)
    ]
    if not drawn:
        text = "No decision curve was drawn."
        return _item("12e", "Net benefit of acting on it", text, NOT_DONE)
    text = f"Decision curves of {words.listed(drawn)}, beside acting on all and on none."
    return _item("12e", "Net benefit of acting on it", text)


def _subgroups(comparison: Comparison) -> Item:
    names = list(dict.fromkeys(name for a in comparison.arms for name in a.judgement.subgroups))
    if not names:
        text = "Nothing divides this cohort: no two sites, sexes or age groups of five patients."
        return _item("12d, 14, 23a", "Subgroups and fairness", text, NOT_DONE)
    metric = measures.named(deciding_metric(comparison))
    missing = [name for name in ("site", "sex", "age") if name not in names]
    left = f" Not by {words.listed(missing)}." if missing else ""
    text = f"{metric} by {words.listed(names)}, differences tested.{left}"
    return _item("12d, 14, 23a", "Subgroups and fairness", text)


def _openness(comparison: Comparison) -> Iterator[Item]:
    text = "None is known to Onkos; nothing was registered by this run."
    yield _item("18c, 18d", "Protocol and registration", text, NOT_DONE)
    yield _item("18e", "Data for others", "Not published by this run.", NOT_DONE)
    made = comparison.provenance
    seed = "none" if made.seed is None else str(made.seed)
    text = f"Onkos {made.version}, seed {seed}; settings stand under Provenance."
    yield _item("18f", "Code, version and seed", text)
    text = "Not known from what was run."
    yield _item(
        "17, 18a, 18b, 19", "Ethics, funding, interests, patient involvement", text, NOT_DONE
    )
