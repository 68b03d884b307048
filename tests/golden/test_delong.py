"""DeLong's statistics, partial areas and power, as pROC gives them for the aSAH data."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq

from onkos.stats.bootstrap import Resampling
from onkos.stats.delong import auc, auc_covariance, paired_test, unpaired_test
from onkos.stats.power import auc_cases, auc_power
from onkos.stats.roc import Region, partial_auc

MARKERS = ("wfns", "ndka", "s100b")
EXACT, POWER = 1e-12, 1e-6
Row = tuple[str, float, float, float]


def rows(data_dir: Path) -> list[Row]:
    """Every value of the file: (name, ours, reference, tolerance)."""
    folder = data_dir / "golden-statistics"
    reference = json.loads((folder / "delong_proc_asah.json").read_text())
    with (folder / "inputs" / "aSAH.csv").open() as table:
        patients = list(csv.DictReader(table))
    truth = np.array([patient["outcome"] == "Poor" for patient in patients])
    scores = {marker: np.array([float(p[marker]) for p in patients]) for marker in MARKERS}
    return [
        *_variances(truth, scores, reference),
        *_tests(truth, scores, reference),
        *_partial(truth, scores, reference["partial_auc"]),
        *_power(auc(truth, scores["s100b"]).value, reference["power_one_auc"]),
    ]


def _variances(truth, scores, reference) -> list[Row]:
    made: list[Row] = []
    for marker, value in reference["auc"].items():
        made.append((f"AUC {marker}", auc(truth, scores[marker]).value, value, EXACT))
    for marker, value in reference["delong_variance"].items():
        ours = auc_covariance(truth, scores[marker])[0, 0]
        made.append((f"variance {marker}", ours, value, EXACT))
    for pair, value in reference["delong_covariance"].items():
        ours = auc_covariance(truth, np.stack([scores[marker] for marker in pair.split(",")]))
        made.append((f"covariance {pair}", ours[0, 1], value, EXACT))
    plain = auc(truth, scores["ndka"], scale="plain")
    for name, ours, value in zip(
        ("low", "value", "high"),
        (plain.low, plain.value, plain.high),
        reference["delong_ci_95_ndka"],
        strict=True,
    ):
        made.append((f"95 % interval ndka, {name}", ours, value, EXACT))
    return made


def _tests(truth, scores, reference) -> list[Row]:
    made: list[Row] = []
    for pair, want in reference["paired_tests"].items():
        a, b = (scores[marker] for marker in pair.split("-"))
        found = paired_test(truth, a, b)
        made.append((f"paired {pair}, Z", found.statistic, want["Z"], EXACT))
        made.append((f"paired {pair}, p", found.p, want["p"], EXACT))
        made.append((f"paired {pair}, low", found.difference.low, want["ci"][0], EXACT))
        made.append((f"paired {pair}, high", found.difference.high, want["ci"][1], EXACT))
        if "p_one_sided_greater" in want:
            ours = paired_test(truth, a, b, alternative="greater").p
            made.append((f"paired {pair}, p greater", ours, want["p_one_sided_greater"], EXACT))
    for pair, want in reference["unpaired_tests"].items():
        a, b = (scores[marker] for marker in pair.split("-"))
        found = unpaired_test((truth, a), (truth, b))
        made.append((f"unpaired {pair}, D", found.statistic, want["D"], EXACT))
        made.append((f"unpaired {pair}, p", found.p, want["p"], EXACT))
    return made


def _partial(truth, scores, reference) -> list[Row]:
    made: list[Row] = []
    for name, values in reference.items():
        axis, span = name.split(",")[0].split()
        low, high = (float(limit) for limit in span.split("-"))
        region = Region(axis=axis, low=low, high=high, standardised="McClish" in name)
        for marker, value in values.items():
            ours = partial_auc(
                truth,
                scores[marker],
                region=region,
                rng=np.random.default_rng(0),
                plan=Resampling(resamples=100),
            ).value
            made.append((f"partial AUC {marker}, {name}", ours, value, EXACT))
    return made


def _power(s100b: float, reference) -> list[Row]:
    made: list[Row] = []
    for entry in reference:
        area = s100b if isinstance(entry["auc"], str) else entry["auc"]
        name, alpha = f"power study, AUC {entry['auc']}", entry["alpha"]
        if "kappa" in entry:
            ours = auc_cases(
                area, power=entry["power"], controls_per_case=entry["kappa"], alpha=alpha
            )
            made.append((f"{name}, cases", ours, entry["ncases"], 1e-5))  # seven digits printed
            controls = ours * entry["kappa"]
            made.append((f"{name}, controls", controls, entry["ncontrols"], 1e-4))
            continue
        sizes = {"cases": entry["ncases"], "controls": entry["ncontrols"]}
        if entry["power"] == 0.95:
            short = partial(_short_of, power=0.95, auc=area, **sizes)
            ours = brentq(short, 1e-6, 0.5, xtol=1e-14)
            made.append((f"{name}, alpha", ours, alpha, POWER))
            continue
        made.append(
            (f"{name}, power", auc_power(area, **sizes, alpha=alpha), entry["power"], POWER)
        )
    return made


def _short_of(alpha: float, *, power: float, auc: float, cases: float, controls: float) -> float:
    return auc_power(auc, cases=cases, controls=controls, alpha=alpha) - power


@pytest.mark.data
def test_every_value_of_proc_is_reproduced(data_dir):
    compared = rows(data_dir)
    assert len(compared) == 48
    off = [row for row in compared if not abs(row[1] - row[2]) <= row[3]]
    assert off == []
