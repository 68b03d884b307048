"""Published values of coefficients of agreement, to the last digit that is published."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onkos.stats.agreement.bland_altman import bland_altman
from onkos.stats.agreement.chance import (
    brennan_prediger,
    conger_kappa,
    fleiss_kappa,
    gwet_ac,
    percent_agreement,
)
from onkos.stats.agreement.coefficient import Agreement
from onkos.stats.agreement.icc import icc
from onkos.stats.agreement.kappa import cohen_kappa, scott_pi
from onkos.stats.agreement.krippendorff import krippendorff_alpha
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.agreement.repeatability import repeatability
from onkos.stats.agreement.weights import weights_of_disagreement

Row = tuple[str, float, float, float]

GENERATED = 1e-9
COEFFICIENTS = {
    "fleiss": fleiss_kappa,
    "gwet": gwet_ac,
    "conger": conger_kappa,
    "bp": brennan_prediger,
    "pa2": percent_agreement,
    "cohen": cohen_kappa,
    "scott": scott_pi,
}


def coefficient(name: str, ratings: Ratings, weights: Any) -> Agreement:
    if name == "krippendorff":
        return krippendorff_alpha(ratings, weights=weights)
    return COEFFICIENTS[name](ratings, weights=weights)


def rows(data_dir: Path) -> list[Row]:
    """Name, ours, reference, tolerance."""
    text = (data_dir / "golden-statistics" / "agreement.json").read_text()
    examples = json.loads(text)["examples"]
    found = []
    for name, example in examples.items():
        if name.startswith("gwet_"):
            found += raw_rows(name, example)
        elif name.startswith("table_"):
            found += table_rows(name, example)
        elif name.startswith("krippendorff_"):
            found += alpha_rows(name, example)
    found += fleiss_rows(examples["fleiss_10_subjects_14_raters"])
    found += cohen_rows(examples["cohen_1968_table"])
    found += icc_rows(examples["shrout_fleiss_1979"])
    found += bland_altman_rows(examples["bland_altman_1986_pefr"])
    return found


def raw_rows(name: str, example: dict[str, Any]) -> list[Row]:
    ratings = Ratings.of(example["data"])
    found = []
    for weights, results in example["results"].items():
        for method, expected in results.items():
            ours = coefficient(method, ratings, weights)
            label = f"{name} {weights} {method}"
            found += parts_of(label, ours, expected["coefficient"], expected)
            found += interval_of(label, ours, expected["ci"])
            sides = 2 if method == "bp" else 1  # the package prints a one-sided p here
            found.append((f"{label} p", ours.p, sides * expected["p"], GENERATED))
    return found


def table_rows(name: str, example: dict[str, Any]) -> list[Row]:
    """Two readers. The package prints 0 for Scott's chance agreement; Cohen's is then checked."""
    ratings = Ratings.table(example["table"])
    found = []
    for weights, results in example["results"].items():
        for method, expected in results.items():
            ours = coefficient(method, ratings, weights)
            label = f"{name} {weights} {method}"
            known = {key: value for key, value in expected.items() if key != "pe" or value}
            digits = str(expected["se"]).strip("[]")
            known["se"] = float(digits)
            found += parts_of(label, ours, expected["coefficient_value"], known)
            found += interval_of(label, ours, expected["confidence_interval"])
            p = float(str(expected["p_value"]).strip("[]"))
            found.append((f"{label} p", ours.p, p, GENERATED))
    return found


def parts_of(label: str, ours: Agreement, value: float, expected: dict[str, Any]) -> list[Row]:
    found = [(label, ours.estimate.value, value, GENERATED)]
    parts = {"se": ours.se, "pa": ours.observed, "pe": ours.chance}
    for key, part in parts.items():
        if key in expected:
            tolerance = 5e-9 if key == "se" and len(str(expected[key])) < 12 else GENERATED
            found.append((f"{label} {key}", part, expected[key], tolerance))
    return found


def interval_of(label: str, ours: Agreement, expected: list[float]) -> list[Row]:
    low, high = expected
    return [
        (f"{label} low", ours.estimate.low, low, GENERATED),
        (f"{label} high", ours.estimate.high, high, GENERATED),
    ]


def alpha_rows(name: str, example: dict[str, Any]) -> list[Row]:
    ratings = Ratings.of(np.array(example["data"], dtype=object).T)
    return [
        (
            f"{name} {metric}",
            krippendorff_alpha(ratings, metric=metric).estimate.value,
            expected,
            GENERATED,
        )
        for metric, expected in example["results"].items()
    ]


def fleiss_rows(example: dict[str, Any]) -> list[Row]:
    ours = fleiss_kappa(Ratings.counted(example["counts"])).estimate.value
    return [
        ("fleiss 1971 kappa", ours, example["kappa"], GENERATED),
        ("fleiss 1971 kappa as printed", ours, example["published"], 0.005),
    ]


def cohen_rows(example: dict[str, Any]) -> list[Row]:
    ratings = Ratings.table(example["table"])
    found: list[Row] = []
    for name, weights in (("None", "identity"), ("linear", "linear"), ("quadratic", "quadratic")):
        ours, expected = cohen_kappa(ratings, weights=weights), example["results"][name]
        normal = ours.normal()
        found += [
            (f"cohen 1968 {weights}", ours.estimate.value, expected["kappa"], GENERATED),
            (f"cohen 1968 {weights} se", ours.se, expected["se"], GENERATED),
            (f"cohen 1968 {weights} low", normal.low, expected["ci"][0], GENERATED),
            (f"cohen 1968 {weights} high", normal.high, expected["ci"][1], GENERATED),
        ]
    expected = example["results"]["cohen_1968_disagreement_weights_0_1_3_6"]
    ours = cohen_kappa(ratings, weights=weights_of_disagreement(expected["weights"]))
    published = example["published"]
    found += [
        ("cohen 1968 own weights", ours.estimate.value, expected["kappa"], GENERATED),
        ("cohen 1968 kappa as printed", found[0][1], published["kappa"], 5e-4),
        (
            "cohen 1968 weighted as printed",
            ours.estimate.value,
            published["weighted_kappa"],
            5e-4,
        ),
    ]
    return found


def icc_rows(example: dict[str, Any]) -> list[Row]:
    ours = icc(example["data_6_subjects_by_4_judges"])
    found: list[Row] = []
    printed = dict(zip(example["icc"], example["published_rounded"], strict=True))
    for name, expected in example["icc"].items():
        estimate = ours.by_name[name]
        low, high = example["ci95"][name]
        found += [
            (f"shrout-fleiss {name}", estimate.value, expected, GENERATED),
            (f"shrout-fleiss {name} as printed", estimate.value, printed[name], 0.005),
            (f"shrout-fleiss {name} low", estimate.low, low, GENERATED),
            (f"shrout-fleiss {name} high", estimate.high, high, GENERATED),
        ]
        low, high = example["published_ci95"][name]
        found += [
            (f"shrout-fleiss {name} low as printed", estimate.low, low, 0.005),
            (f"shrout-fleiss {name} high as printed", estimate.high, high, 0.005),
        ]
    squares, f = example["mean_squares"], example["F"]
    found += [
        ("shrout-fleiss BMS", ours.between_subjects, squares["BMS"], GENERATED),
        ("shrout-fleiss WMS", ours.within_subjects, squares["WMS"], GENERATED),
        ("shrout-fleiss JMS", ours.between_readers, squares["JMS"], GENERATED),
        ("shrout-fleiss EMS", ours.residual, squares["EMS"], GENERATED),
        ("shrout-fleiss F1", ours.f_one_way, f["F1"], GENERATED),
        ("shrout-fleiss p1", ours.p_one_way, f["p1"], GENERATED),
        ("shrout-fleiss F3", ours.f_two_way, f["F3"], GENERATED),
        ("shrout-fleiss p3", ours.p_two_way, f["p3"], GENERATED),
    ]
    return found


def bland_altman_rows(example: dict[str, Any]) -> list[Row]:
    """The first readings of both meters; repeatability from both readings of one meter."""
    first, second = example["wright_1"], example["mini_wright_1"]
    two = bland_altman(first, second, limits_sd=2.0, limits_interval="bland-altman-1986")
    usual = bland_altman(first, second, limits_interval="bland-altman-1986")
    published = example["published"]
    found: list[Row] = [
        ("pefr mean", two.bias.value, example["mean_difference"], GENERATED),
        ("pefr mean as printed", two.bias.value, published["mean"], 0.05),
        ("pefr sd", two.sd, example["sd_difference"], GENERATED),
        ("pefr sd as printed", two.sd, published["sd"], 0.05),
        ("pefr se of mean", two.sd / math.sqrt(len(first)), example["se_mean"], GENERATED),
        ("pefr se of limits", two.se_limits, example["se_limits"], GENERATED),
        ("pefr r", two.correlation, example["pearson_r"], GENERATED),
        ("pefr r as printed", two.correlation, published["r"], 0.005),
    ]
    ends = (("lower", 0), ("upper", 1))
    for end, at in ends:
        limits, narrow = getattr(two, end).value, getattr(usual, end).value
        mean = (two.bias.low, two.bias.high)[at]
        found += [
            (f"pefr {end} limit 2 sd", limits, example["limits_2sd"][at], GENERATED),
            (f"pefr {end} limit 1.96 sd", narrow, example["limits_1p96sd"][at], GENERATED),
            (f"pefr mean {end} end", mean, example["ci_mean"][at], GENERATED),
            (f"pefr mean {end} end as printed", mean, published["ci_mean"][at], 0.05),
        ]
    for meter in ("wright", "mini"):
        stem = "mini_wright" if meter == "mini" else meter
        pair = np.stack([example[f"{stem}_1"], example[f"{stem}_2"]], axis=1)
        ours = repeatability(pair, multiple=2.0).coefficient.value
        reference = example["repeatability_2sd"][meter]
        found.append((f"pefr repeatability {meter}", ours, reference, GENERATED))
    return found


@pytest.mark.data
def test_every_example_is_reproduced(data_dir):
    table = rows(data_dir)
    assert len(table) > 900
    wrong = [row for row in table if not abs(row[1] - row[2]) <= row[3]]
    assert not wrong, f"{len(wrong)} of {len(table)}: {wrong[:20]}"
