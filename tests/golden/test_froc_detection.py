"""Detection: what MONAI, PI-CAI's evaluation and RJafroc publish for their examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onkos.stats.afroc import afroc, figure_of_merit
from onkos.stats.average_precision import average_precision
from onkos.stats.bootstrap import Resampling
from onkos.stats.froc import FrocCurve, froc_curve, mean_sensitivity, sensitivity_at
from onkos.stats.marks import Marks
from onkos.stats.matching import by_mask, match_marks

Row = tuple[str, float, float, float]

PRINTED = 1e-7
RECOMPUTED = 1e-9
FEW = Resampling(resamples=100, interval="percentile", threads=1)
MONAI_POINTS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
FIGURES = {"HrAuc": "HR-AUC", **{name: name for name in ("AFROC", "AFROC1", "wAFROC", "wAFROC1")}}


def rows(data_dir: Path) -> list[Row]:
    """Name, ours, reference, tolerance."""
    golden = data_dir / "golden-statistics"
    examples = json.loads((golden / "froc_detection.json").read_text())
    rng = np.random.default_rng(0)
    return [
        *monai_rows(examples["monai"], rng),
        *picai_rows(examples["picai"], rng),
        *jafroc_rows(data_dir),
    ]


def marks_of(cases: list[list[tuple[bool, float, float]]]) -> Marks:
    """One case a list of (is a lesion, score or -inf, weight)."""
    table = [(case, *one) for case, some in enumerate(cases) for one in some]
    hits = [one for one in table if one[1]]
    wrong = [one for one in table if not one[1]]
    return Marks(
        cases=tuple(range(len(cases))),
        patients=tuple(range(len(cases))),
        false_case=np.array([one[0] for one in wrong], dtype=np.intp),
        false_score=np.array([one[2] for one in wrong], dtype=np.float64),
        lesion_case=np.array([one[0] for one in hits], dtype=np.intp),
        lesion_score=np.array([one[2] for one in hits], dtype=np.float64),
        lesion_weight=np.array([one[3] for one in hits], dtype=np.float64),
    )


def monai_rows(monai: dict[str, Any], rng: np.random.Generator) -> list[Row]:
    found: list[Row] = []
    for number, one in enumerate(monai["froc_score"]):
        hits = [(True, score, 1.0) for score in one["tp_probs"] if score > 0]
        hits += [(True, -np.inf, 1.0)] * (one["num_targets"] - len(hits))
        wrong = [(False, score, 1.0) for score in one["fp_probs"]]
        marks = marks_of([hits + wrong] + [[]] * (one["num_images"] - 1))
        ours = mean_sensitivity(marks, one["fp_per_image"], rng=rng, plan=FEW).value
        found.append((f"MONAI FROC score {number}", ours, one["score"], PRINTED))
    for number, one in enumerate(monai["hit_matching"]):
        found += hit_rows(f"MONAI hits {number}", one)
    for number, (images, score) in enumerate(slide_scores()):
        curve = froc_curve(marks_of([slide_marks(*image) for image in images]))
        ours = np.mean([curve.at(point, between="linear") for point in MONAI_POINTS])
        found.append((f"MONAI slide score {number}", float(ours), score, PRINTED))
    return found


def hit_rows(name: str, one: dict[str, Any]) -> list[Row]:
    labels = np.array(one["label_map"])
    lesions = np.arange(1, labels.max() + 1)
    marks = np.stack([one["row"], one["col"]], axis=1)
    matched = match_marks(
        by_mask(marks, labels, lesions=lesions),
        one["probs"],
        uncounted=np.isin(lesions, one["exclude"]),
    )
    wrong = matched.scores[matched.false]
    reference = [score for score in one["tp_probs"] if score > 0]
    hits = sorted(matched.lesion_scores[np.isfinite(matched.lesion_scores)], reverse=True)
    return [
        (f"{name}: targets", len(matched.lesion_scores), one["num_targets"], 0.0),
        (f"{name}: false marks", len(wrong), len(one["fp_probs"]), 0.0),
        (f"{name}: hits", len(hits), len(reference), 0.0),
        *(
            (f"{name}: mark {place}", float(ours), float(theirs), 0.0)
            for place, (ours, theirs) in enumerate(
                zip([*hits, *wrong], [*reference, *one["fp_probs"]], strict=True)
            )
        ),
    ]


def slide_scores() -> list[tuple[list[tuple[int, int, int, int]], float]]:
    """Images of (lesions, right at 0.8, wrong at 0.6, wrong at 0.4) and the published score."""
    return [
        ([(1, 0, 0, 0)], 0.0),
        ([(1, 1, 1, 0)], 1.0),
        ([(2, 2, 1, 0)], 1.0),
        ([(2, 1, 1, 1)], 0.5),
        ([(1, 1, 1, 0), (2, 1, 1, 1)], 2 / 3),
        ([(3, 1, 1, 0), (2, 1, 1, 1)], 0.4),
        ([(1, 0, 1, 0), (3, 1, 1, 0), (2, 1, 1, 1)], 1 / 3),
        ([(4, 0, 1, 1), (3, 1, 1, 0), (2, 1, 1, 1)], 2 / 9),
    ]


def slide_marks(
    lesions: int, right: int, wrong: int, doubtful: int
) -> list[tuple[bool, float, float]]:
    return [
        *[(True, 0.8, 1.0)] * right,
        *[(True, -np.inf, 1.0)] * (lesions - right),
        *[(False, 0.6, 1.0)] * wrong,
        *[(False, 0.4, 1.0)] * doubtful,
    ]


def picai_marks(results: dict[str, Any], weights: dict[str, Any] | None = None) -> Marks:
    """PI-CAI gives a missed lesion the confidence 0."""
    cases = []
    for case, some in results.items():
        worth = weights[case] if weights else [1] * len(some)
        cases.append(
            [
                (bool(lesion), score if score > 0 else -np.inf, weight)
                for (lesion, score, _), weight in zip(some, worth, strict=True)
            ]
        )
    return marks_of(cases)


def picai_rows(picai: dict[str, Any], rng: np.random.Generator) -> list[Row]:
    example, crafted, weighted = (
        picai[name] for name in ("froc_example", "crafted_cases", "weighted_ap")
    )
    marks = picai_marks(example["lesion_results"])
    found = curve_rows("PI-CAI FROC", marks, example)
    for limit, reference in example["TPR_at_FPR"].items():
        (ours,) = sensitivity_at(marks, [float(limit)], rng=rng, plan=FEW)
        found.append((f"PI-CAI sensitivity at {limit}", ours.value, reference, PRINTED))
    marks = picai_marks(crafted["lesion_results"])
    found += curve_rows("PI-CAI crafted", marks, crafted)
    precision = average_precision(marks, rng=rng, plan=FEW)
    found.append(("PI-CAI crafted AP", precision.value, crafted["AP"], PRINTED))
    counts = {
        "true_positives": len(marks.lesion_case) - marks.unmarked,
        "false_positives": len(marks.false_case),
        "false_negatives": marks.unmarked,
    }
    found += [(f"PI-CAI {name}", ours, crafted[name], 0.0) for name, ours in counts.items()]
    cases = marks_of(
        [
            [(bool(truth), float(score), 1.0)]
            for truth, score in zip(crafted["case_target"], crafted["case_prediction"], strict=True)
        ]
    )
    auc = afroc(cases, "HR-AUC", rng=rng, plan=FEW)
    found.append(("PI-CAI crafted AUROC", auc.value, crafted["auroc"], PRINTED))
    marks = picai_marks(weighted["lesion_results"], weighted["lesion_weight"])
    precision = average_precision(marks, rng=rng, weighted=True, plan=FEW)
    found.append(("PI-CAI weighted AP", precision.value, weighted["AP"], PRINTED))
    return [*found, *weighted_rows(weighted["weighted_roc"], rng), *step_rows(picai["step_area"])]


def curve_rows(name: str, marks: Marks, reference: dict[str, Any]) -> list[Row]:
    """Operating points, but for PI-CAI's last, which it moves to infinitely many false marks."""
    curve = froc_curve(marks)
    points = list(zip(reference["lesion_TPR"], reference["lesion_FPR"], strict=True))[:-1]
    return [
        row
        for place, (sensitivity, wrong) in enumerate(points)
        for row in (
            (f"{name} TPR {place}", curve.sensitivity[place + 1], sensitivity, PRINTED),
            (f"{name} FPR {place}", curve.false_per_case[place + 1], wrong, PRINTED),
        )
    ]


def weighted_rows(one: dict[str, Any], rng: np.random.Generator) -> list[Row]:
    """Weighted AUC: normal cases against the weighted lesions of one abnormal case."""
    normal = [
        [(False, score, 1.0)]
        for score, truth in zip(one["score"], one["y_true"], strict=True)
        if not truth
    ]
    lesions = [
        (True, score, weight)
        for score, truth, weight in zip(one["score"], one["y_true"], one["weight"], strict=True)
        if truth
    ]
    merit = afroc(marks_of([*normal, lesions]), "wAFROC", rng=rng, plan=FEW)
    return [("PI-CAI weighted AUC, as wAFROC", merit.value, one["auc"], PRINTED)]


def step_rows(one: dict[str, Any]) -> list[Row]:
    x, y = np.array(one["x"]), np.array(one["y"])
    curve = FrocCurve(thresholds=np.linspace(1, 0, len(x)), false_per_case=x, sensitivity=y)
    return [
        (f"PI-CAI area, {between}, from {start}", curve.area(upto=1, start=start, between=between),
         one[name], PRINTED)
        for between in ("step", "linear")
        for start, name in ((0.0, "full"), (0.2, "from_0p2"))
    ]  # fmt: skip


def jafroc_rows(data_dir: Path) -> list[Row]:
    """Figures of merit of every reader and modality of four FROC studies."""
    golden = data_dir / "golden-statistics"
    recomputed = json.loads((golden / "independent_or_results.json").read_text())["datasets"]
    counted = json.loads((golden / "froc_lesions_per_case.json").read_text())["datasets"]
    lesions = {one["dataset"]: one for one in counted}
    found: list[Row] = []
    for one in recomputed:
        if one["dataset"] not in lesions:
            continue
        readings = study(data_dir, lesions[one["dataset"]])
        for theirs, ours in FIGURES.items():
            reference = np.array(one["analyses"][f"{theirs}, OR, jackknife"]["foms"])
            for (m, r), marks in readings.items():
                value = figure_of_merit(marks, ours)(np.ones((1, len(marks.cases)), np.int32))[0]
                name = f"{one['dataset']} {ours}, modality {m}, reader {r}"
                found.append((name, float(value), reference[m, r], RECOMPUTED))
    return found + published_rows(data_dir, lesions)


def published_rows(data_dir: Path, lesions: dict[str, Any]) -> list[Row]:
    """RJafroc's own stored figures of merit of dataset01 and dataset04."""
    text = (data_dir / "golden-statistics" / "rjafroc_reference.json").read_text()
    found: list[Row] = []
    for record in json.loads(text)["records"]:
        if record["dataset"] not in ("dataset01", "dataset04") or record["fom"] not in FIGURES:
            continue
        values = record["values"]
        if record["method"] != "figure-of-merit":
            values = values["FOMs"]["foms"]
        readings = study(data_dir, lesions[record["dataset"]])
        columns = [values[name] for name in values if name != "row.names"]
        for (m, r), marks in readings.items():
            ones = np.ones((1, len(marks.cases)), np.int32)
            ours = float(figure_of_merit(marks, FIGURES[record["fom"]])(ones)[0])
            name = f"{record['source_file']}, modality {m}, reader {r}"
            found.append((name, ours, columns[r][m], RECOMPUTED))
    return found


def study(data_dir: Path, counted: dict[str, Any]) -> dict[tuple[int, int], Marks]:
    """Marks of each (modality, reader); lesions without a mark come from the lesion counts."""
    table = pd.read_csv(
        data_dir / "reader-studies-mrmc" / f"rjafroc_{counted['dataset']}.csv",
        dtype={"modality": str, "reader": str},
    )
    normal, per_case = counted["normal_cases"], counted["lesions_per_abnormal_case"]
    truth = np.repeat(normal + np.arange(len(per_case)), per_case)
    found = {}
    modalities, readers = (list(dict.fromkeys(table[name])) for name in ("modality", "reader"))
    for (modality, reader), some in table.groupby(["modality", "reader"]):
        wrong, hits = some[some.mark == "NL"], some[some.mark == "LL"]
        scores = np.full(len(truth), -np.inf)
        first = np.searchsorted(truth, hits.case.to_numpy())
        scores[first + hits.groupby("case").cumcount().to_numpy()] = hits.rating
        names = tuple(range(normal + len(per_case)))
        found[modalities.index(modality), readers.index(reader)] = Marks(
            cases=names,
            patients=names,
            false_case=wrong.case.to_numpy(),
            false_score=wrong.rating.to_numpy(dtype=np.float64),
            lesion_case=truth,
            lesion_score=scores,
            lesion_weight=np.ones(len(truth)),
        )
    return found


@pytest.mark.data
def test_published_values_are_reproduced(data_dir: Path):
    found = rows(data_dir)
    assert len(found) > 400
    wrong = [row for row in found if not abs(row[1] - row[2]) <= row[3]]
    assert not wrong, wrong[:5]
