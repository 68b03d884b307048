"""One ROC curve: readings, partial areas and binormal fits, as MRMCaov prints them for VanDyke."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from onkos.stats.binormal import binormal
from onkos.stats.bootstrap import Resampling
from onkos.stats.delong import auc
from onkos.stats.operating import OperatingPoint, judge
from onkos.stats.roc import Region, partial_auc, roc_curve, sensitivity_at, specificity_at

PRINTED, CURVE, OPTIMISER = 1e-7, 5e-4, 1e-4
FEW = Resampling(resamples=100)
CONTRADICTED = (2, 1, 0.9)  # see test_the_point_left_out_contradicts_its_own_table
Row = tuple[str, float, float, float]
Ratings = dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]


def rows(data_dir: Path) -> list[Row]:
    """All blocks that concern a single curve: (name, ours, reference, tolerance)."""
    golden = json.loads((data_dir / "golden-statistics" / "mrmcaov_vandyke.json").read_text())
    with (data_dir / "reader-studies-mrmc" / "mrmcaov_VanDyke.csv").open() as table:
        readings = list(csv.DictReader(table))
    ratings: Ratings = {}
    for modality in (1, 2):
        for reader in range(1, 6):
            chosen = [
                (int(row["truth"]), float(row["rating"]))
                for row in readings
                if (int(row["treatment"]), int(row["reader"])) == (modality, reader)
            ]
            truth, scores = np.array(chosen).T
            ratings[modality, reader] = truth, scores
    return [
        *_pooled(ratings, golden["pooled_over_all_readers_and_modalities"]),
        *_points(ratings, golden["empirical_curve_points"]),
        *_binormal(ratings, golden["analyses"]["binormal_auc"]),
        *_deviations(ratings, golden["analyses"]["empirical_auc, DeLong"]["components"]),
    ]


def _pooled(ratings: Ratings, want) -> list[Row]:
    truth = np.concatenate([each[0] for each in ratings.values()])
    scores = np.concatenate([each[1] for each in ratings.values()])
    rng = np.random.default_rng(0)

    def part(axis) -> float:
        region = Region(axis=axis, low=0.7)
        return partial_auc(truth, scores, region=region, rng=rng, plan=FEW).value

    point = OperatingPoint(threshold=3.0, rule="rating >= 3", cases=0, fingerprint="")
    judged = judge(point, truth, scores)
    ours = {
        "empirical_auc": auc(truth, scores).value,
        "partial_auc_specificity_0p7_1": part("specificity"),
        "partial_auc_sensitivity_0p7_1": part("sensitivity"),
        "sens_at_spec_0p8": sensitivity_at(truth, scores, specificity=0.8, rng=rng, plan=FEW).value,
        "spec_at_sens_0p8": specificity_at(truth, scores, sensitivity=0.8, rng=rng, plan=FEW).value,
        "binary_sens_ge3": judged.sensitivity.value,
        "binary_spec_ge3": judged.specificity.value,
    }
    return [(f"pooled {name}", ours[name], value, PRINTED) for name, value in want.items()]


def _points(ratings: Ratings, want) -> list[Row]:
    made: list[Row] = []
    rng = np.random.default_rng(0)
    for modality, reader, fpr, tpr in want["at_specificity"]["rows"]:
        truth, scores = ratings[modality, reader]
        ours = sensitivity_at(truth, scores, specificity=1 - fpr, rng=rng, plan=FEW).value
        made.append((f"curve {modality}.{reader} at FPR {fpr}", ours, tpr, CURVE))
    for modality, reader, fpr, tpr in want["at_sensitivity"]["rows"]:
        if (modality, reader, tpr) == CONTRADICTED:
            continue
        truth, scores = ratings[modality, reader]
        ours = specificity_at(truth, scores, sensitivity=tpr, rng=rng, plan=FEW).value
        made.append((f"curve {modality}.{reader} at TPR {tpr}", 1 - ours, fpr, CURVE))
    curves = [roc_curve(*each) for each in ratings.values()]
    across = np.unique(np.concatenate([curve.false_positive_rate for curve in curves]))
    upwards = np.unique(np.concatenate([curve.true_positive_rate for curve in curves]))
    for fpr, tpr in want["mean_over_specificity"]["rows"][2:-1]:
        at = _nearest(across, fpr)
        ours = [
            sensitivity_at(*each, specificity=1 - at, rng=rng, plan=FEW).value
            for each in ratings.values()
        ]
        made.append((f"mean curve at FPR {fpr}", float(np.mean(ours)), tpr, CURVE))
    for fpr, tpr in want["mean_over_sensitivity"]["rows"][1:]:
        at = _nearest(upwards, tpr)
        ours = [
            1 - specificity_at(*each, sensitivity=at, rng=rng, plan=FEW).value
            for each in ratings.values()
        ]
        made.append((f"mean curve at TPR {tpr}", float(np.mean(ours)), fpr, CURVE))
    return made


def _nearest(exact: np.ndarray, printed: float) -> float:
    """The rate that was printed with three digits."""
    return float(exact[np.argmin(np.abs(exact - printed))])


def _binormal(ratings: Ratings, want) -> list[Row]:
    made: list[Row] = []
    for modality, reader, a, b in want["binormal_parameters"]["rows"]:
        found = binormal(*ratings[modality, reader])
        area = want["foms"][f"modality {modality}"][reader - 1]
        name = f"binormal {modality}.{reader}"
        made.append((f"{name}, AUC", found.auc.value, area, CURVE))
        made.append((f"{name}, b", found.b, b, 5e-3))
        if a is not None:  # three digits are printed
            made.append((f"{name}, a", found.a, a, 5e-3))
    for number, want_one in enumerate(want["single_reader_1"]["modalities"], start=1):
        ours = binormal(*ratings[number, 1]).auc.value
        made.append((f"binormal {number}.1, AUC to seven digits", ours, want_one["auc"], OPTIMISER))
    for modality in (1, 2):
        areas = [binormal(*ratings[modality, reader]).auc.value for reader in range(1, 6)]
        value = want["single"][modality - 1]["estimate"]
        name = f"binormal AUC, mean of modality {modality}"
        made.append((name, float(np.mean(areas)), value, OPTIMISER))
    return made


def _deviations(ratings: Ratings, want) -> list[Row]:
    """Mean of the ten DeLong variances."""
    variances = []
    for truth, scores in ratings.values():
        plain = auc(truth, scores, scale="plain")
        variances.append(((plain.value - plain.low) / 1.959963984540054) ** 2)
    return [("mean DeLong variance", float(np.mean(variances)), want["Var"], PRINTED)]


@pytest.mark.data
def test_every_value_of_a_single_curve_is_reproduced(data_dir):
    compared = rows(data_dir)
    assert len(compared) == 86
    off = [row for row in compared if math.isnan(row[1]) or abs(row[1] - row[2]) > row[3]]
    assert off == []


@pytest.mark.data
def test_the_point_left_out_contradicts_its_own_table(data_dir):
    """A curve that has reached 0.966 at FPR 0.3 cannot reach 0.9 at FPR 0.337 only."""
    golden = json.loads((data_dir / "golden-statistics" / "mrmcaov_vandyke.json").read_text())
    points = golden["empirical_curve_points"]
    modality, reader, tpr = CONTRADICTED
    assert [modality, reader, 0.337, tpr] in points["at_sensitivity"]["rows"]
    assert [modality, reader, 0.3, 0.966] in points["at_specificity"]["rows"]
