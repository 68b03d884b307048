"""MRMCaov on VanDyke's study: three covariances, fixed factors, nested cases, curves."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.reader_data import Row, check, golden
from onkos.stats.readers import curves, fitting
from onkos.stats.readers import obuchowski_rockette as orm
from onkos.stats.readers.covariance import ErrorCovariance, delong, jackknife, unbiased
from onkos.stats.readers.foms import WILCOXON, FigureOfMerit, sensitivity, specificity, values
from onkos.stats.readers.ratings import ReaderStudy, roc_study
from onkos.stats.readers.result import FactorAnalysis, Factors, ModalityMean, ReaderTest
from onkos.stats.readers.splitplot import design_of

# MRMCaov draws its line to the far end of a horizontal step: 0.337, where the curve is at 0.192.
BESIDE_THE_CURVE = (2, 1, 0.9)
PRINTED, CURVE, OPTIMISED = 1e-7, 5e-4, 1e-4
DESIGNS: dict[str, tuple[str, str, Factors]] = {
    "empirical_auc, DeLong": ("case", "factorial", "RRRC"),
    "empirical_auc, unbiased": ("case", "factorial", "RRRC"),
    "empirical_auc, fixed readers": ("case", "factorial", "FRRC"),
    "empirical_auc, fixed cases": ("case", "factorial", "RRFC"),
    "empirical_auc, cases nested in readers": ("case2", "cases nested in readers", "RRRC"),
    "empirical_auc, cases nested in modalities": ("case3", "cases nested in modalities", "RRRC"),
    "binary_sensitivity, rating >= 3": ("case", "factorial", "RRRC"),
    "binormal_auc": ("case", "factorial", "RRRC"),
}


@cache
def van_dyke(data_dir: Path, label: str) -> ReaderStudy:
    """The study with one of its three columns of case labels."""
    path = data_dir / "reader-studies-mrmc" / "mrmcaov_VanDyke.csv"
    with path.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    cases = list(dict.fromkeys(row[label] for row in rows))
    place = {case: number for number, case in enumerate(cases)}
    ratings, truth = np.full((5, 2, len(cases)), np.nan), np.zeros(len(cases), dtype=int)
    for row in rows:
        at = place[row[label]]
        ratings[int(row["reader"]) - 1, int(row["treatment"]) - 1, at] = float(row["rating"])
        truth[at] = row["truth"] == "1"
    return roc_study(ratings, truth, cases=cases)


def room(value: float, tolerance: float) -> float:
    """Tolerance of a printed number: seven figures are printed, so fewer decimals above 1.

    What a fit by another optimiser decides is compared by its share of the value, F and df
    included: one jackknife fit of modality 1 ended elsewhere and moves Cov2 by 0.1 %.
    """
    if tolerance == OPTIMISED and abs(value) > 1:
        return 2e-3 * abs(value)
    if abs(value) <= 1:
        return tolerance
    return float(0.5 * 10 ** (np.floor(np.log10(abs(value))) - 6) * (1 + 1e-9))


def of_mean(mean: ModalityMean) -> dict[str, float]:
    return {
        "estimate": mean.value,
        "auc": mean.value,
        "stderr": mean.stderr,
        "df": mean.df,
        "ci_low": mean.low,
        "ci_high": mean.high,
    }


def of_test(test: ReaderTest) -> dict[str, float]:
    t = float(np.sign(test.difference) * test.f**0.5)
    return {
        "estimate": test.difference,
        "stderr": test.stderr,
        "df": test.df2,
        "ci_low": test.low,
        "ci_high": test.high,
        "t": t,
        "z": t,
        "p": test.p,
    }


def printed(
    name: str, ours: dict[str, float], table: dict[str, Any], tolerance: float
) -> Iterator[Row]:
    """Seven figures are printed, so t, F and df above 10 have fewer decimals."""
    for key, value in table.items():
        if isinstance(value, (int, float)) and key in ours:
            mine = ours[key]
            if "clipped" in table.get("note", "") and key == "ci_high":
                mine = min(mine, 1.0)
            yield f"{name} {key}", float(mine), float(value), room(value, tolerance)


def covariance_of(data_dir: Path, name: str, table: dict[str, Any]) -> ErrorCovariance:
    label, design, _ = DESIGNS[name]
    case = van_dyke(data_dir, label)
    assert design_of(case).name == design
    fom: FigureOfMerit = WILCOXON
    if name.startswith("binary"):
        fom = sensitivity(3)
    elif name.startswith("binormal"):
        fom = fitting.BINORMAL_AUC
    kind = table.get("covariance", "jackknife").split()[0]
    return {"DeLong": delong, "unbiased": unbiased, "jackknife": jackknife}[kind](case, fom)


def factor_rows(
    name: str, found: FactorAnalysis, anova: orm.ReaderAnova, table: Any, tolerance: float
) -> Iterator[Row]:
    overall = found.overall
    assert overall is not None
    whole = {
        "MS_T": anova.modality,
        "MS_TR": anova.interaction,
        "denominator": found.denominator,
        "F": overall.f,
        "chisq": overall.f * overall.df1,
        "df": overall.df1,
        "df1": overall.df1,
        "df2": overall.df2,
        "p": overall.p,
    }
    yield from printed(f"{name} test", whole, table["test"], tolerance)
    yield from printed(
        f"{name} difference", of_test(found.pairs[0]), table["difference"], tolerance
    )


def analysis_rows(data_dir: Path, name: str, table: dict[str, Any]) -> Iterator[Row]:
    label, _, factors = DESIGNS[name]
    case, covariance = van_dyke(data_dir, label), covariance_of(data_dir, name, table)
    tolerance = OPTIMISED if name.startswith("binormal") else PRINTED
    anova, parts = orm.anova(covariance.foms), orm.variance_components(covariance)
    error, single = parts.error, orm.single_terms(covariance)
    ours = {"VarR": parts.reader, "VarTR": parts.interaction, "Var": error.var}
    ours |= {"Cov1": error.cov1, "Cov2": error.cov2, "Cov3": error.cov3}
    yield from printed(f"{name} components", ours, table.get("components", {}), tolerance)
    ours = {
        "SS_T": anova.modality,
        "SS_R": 4 * anova.reader,
        "SS_TR": 4 * anova.interaction,
        "MS_T": anova.modality,
        "MS_R": anova.reader,
        "MS_TR": anova.interaction,
    }
    yield from printed(f"{name} anova", ours, table.get("anova", {}), max(tolerance, 5e-7))
    for m, foms in enumerate(table.get("foms", {}).values()):
        for r, value in enumerate(foms):
            yield f"{name} fom", float(covariance.foms[r, m]), value, 5e-4
    found = orm.analyse(case, covariance, factors=factors)
    yield from factor_rows(name, found, anova, table, tolerance)
    for m, row in enumerate(table.get("single", [])):
        ours = of_mean(found.means[m]) | {
            "MS_R": anova.of_modality[m],
            "Var": single[m].var,
            "Cov2": single[m].cov2,
        }
        yield from printed(f"{name} modality {m + 1}", ours, row, tolerance)
    alone = orm.each_reader(case, covariance)
    for one, row in zip(alone, table.get("reader_differences", []), strict=False):
        yield from printed(f"{name} reader", of_test(one.pairs[0]), row, tolerance)
    for m, errors in enumerate(table.get("single_reader_stderr", {}).values()):
        for one, value in zip(alone, errors, strict=True):
            yield f"{name} reader stderr", one.means[m].stderr, value, PRINTED
    if row := table.get("single_reader_1"):
        ours = {"Var": alone[0].var, "Cov1": alone[0].cov1}
        yield from printed(f"{name} reader 1", ours, row["components"], tolerance)
        yield from printed(f"{name} reader 1", of_test(alone[0].pairs[0]), row["difference"], 1e-3)
        for mean, entry in zip(alone[0].means, row["modalities"], strict=True):
            yield from printed(f"{name} reader 1", of_mean(mean), entry, tolerance)


def parameter_rows(data_dir: Path, table: dict[str, Any]) -> Iterator[Row]:
    case = van_dyke(data_dir, "case")
    for modality, reader, a, b in table["rows"]:
        if a is None:
            continue  # separated classes: a is infinite
        ratings = case.highest[reader - 1, modality - 1]
        levels = np.unique(ratings)
        counts = [
            np.array([(ratings[chosen] == level).sum() for level in levels], dtype=float)
            for chosen in (~case.truth, case.truth)
        ]
        fitted = fitting.fit(counts[0], counts[1])
        yield f"binormal a {reader} {modality}", fitted.parameters[0], a, 5.1e-3
        yield f"binormal b {reader} {modality}", fitted.parameters[1], b, 5.1e-4


def pooled_rows(data_dir: Path, table: dict[str, float]) -> Iterator[Row]:
    case = van_dyke(data_dir, "case")
    whole = curves.pooled(case)
    ours = {
        "empirical_auc": whole.area(),
        "partial_auc_specificity_0p7_1": whole.area(high=0.3),
        "partial_auc_sensitivity_0p7_1": whole.area_beside(low=0.7),
        "sens_at_spec_0p8": float(whole.height(0.2)[0]),
        "spec_at_sens_0p8": 1 - float(whole.reach(0.8)[0]),
        "binary_sens_ge3": float(values(case, sensitivity(3)).mean()),
        "binary_spec_ge3": float(values(case, specificity(3)).mean()),
    }
    for key, value in table.items():
        yield f"pooled {key}", ours[key], value, PRINTED


def curve_rows(data_dir: Path, table: dict[str, Any]) -> Iterator[Row]:
    case = van_dyke(data_dir, "case")
    for modality, reader, x, y in table["at_specificity"]["rows"]:
        curve = curves.roc(case, reader - 1, modality - 1)
        yield "sensitivity at specificity", float(curve.height(x)[0]), y, CURVE
    for modality, reader, x, y in table["at_sensitivity"]["rows"]:
        if (modality, reader, y) == BESIDE_THE_CURVE:
            continue
        curve = curves.roc(case, reader - 1, modality - 1)
        yield "specificity at sensitivity", float(curve.reach(y)[0]), x, CURVE
    every = [curves.roc(case, r, m) for r in range(5) for m in range(2)]
    for key, mean in (
        ("mean_over_specificity", curves.mean_over_specificity(every)),
        ("mean_over_sensitivity", curves.mean_over_sensitivity(every)),
    ):
        for x, y in table[key]["rows"]:
            near = np.argmin(np.hypot(mean.x - x, mean.y - y))
            yield f"{key} x", float(mean.x[near]), x, CURVE
            yield f"{key} y", float(mean.y[near]), y, CURVE


def rows(data_dir: Path) -> list[Row]:
    """Name, ours, reference, tolerance."""
    table = golden(data_dir, "mrmcaov_vandyke")
    found = [
        row for name in DESIGNS for row in analysis_rows(data_dir, name, table["analyses"][name])
    ]
    found.extend(parameter_rows(data_dir, table["analyses"]["binormal_auc"]["binormal_parameters"]))
    found.extend(pooled_rows(data_dir, table["pooled_over_all_readers_and_modalities"]))
    found.extend(curve_rows(data_dir, table["empirical_curve_points"]))
    return found


@pytest.mark.data
def test_every_printed_value_is_reproduced(data_dir):
    check(rows(data_dir), expected=433)
