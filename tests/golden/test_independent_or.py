"""OR analyses of every kept data set, recomputed elsewhere; also where no package printed one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.reader_data import MERITS, Row, check, golden, study
from onkos.stats.readers import foms
from onkos.stats.readers import obuchowski_rockette as orm
from onkos.stats.readers.covariance import delong, jackknife
from onkos.stats.readers.result import FactorAnalysis

EXACT = 1e-9


def factor_rows(found: FactorAnalysis, reference: dict[str, Any], name: str) -> Iterator[Row]:
    overall = found.overall
    assert overall is not None
    ours = {
        "F": overall.f,
        "chisq": overall.f * overall.df1,
        "df1": overall.df1,
        "df": overall.df1,
        "df2": overall.df2,
        "p": overall.p,
        "denominator": found.denominator,
    }
    for key, value in reference.items():
        if key != "diffs":
            yield f"{name} {key}", ours[key], value, EXACT
    for pair, printed in zip(found.pairs, reference["diffs"], strict=True):
        mine = {
            "estimate": pair.difference,
            "stderr": pair.stderr,
            "t": np.sign(pair.difference) * pair.f**0.5,
            "p": pair.p,
            "ci_low": pair.low,
            "ci_high": pair.high,
        }
        for key, value in printed.items():
            if key not in ("a", "b"):
                yield f"{name} difference {key}", mine[key], value, EXACT


def analysis_rows(data_dir: Path, dataset: str, key: str, reference: Any) -> Iterator[Row]:
    case, name = study(data_dir, dataset), f"{dataset} {key}"
    fom = MERITS[key.split(",")[0]]
    if isinstance(reference, dict) and "MS_T" not in reference:
        reference = reference.get("foms", reference)
    if not isinstance(reference, dict):
        for ours, value in zip(foms.values(case, fom).T.ravel(), np.ravel(reference), strict=True):
            yield name, float(ours), float(value), EXACT
        return
    covariance = (delong if "DeLong" in key else jackknife)(case, fom)
    mean, parts = orm.anova(covariance.foms), orm.variance_components(covariance)
    error = parts.error
    single = orm.single_terms(covariance)
    flat = {
        "MS_T": mean.modality,
        "MS_R": mean.reader,
        "MS_TR": mean.interaction,
        "Var": error.var,
        "Cov1": error.cov1,
        "Cov2": error.cov2,
        "Cov3": error.cov3,
        "VarR": parts.reader,
        "VarTR": parts.interaction,
    }
    for label, value in reference.items():
        if label in flat:
            yield f"{name} {label}", flat[label], value, EXACT
    for ours, value in zip(covariance.foms.T.ravel(), np.ravel(reference["foms"]), strict=True):
        yield f"{name} fom", float(ours), float(value), EXACT
    for ours, value in zip(covariance.foms.mean(axis=0), reference["modality_means"], strict=True):
        yield f"{name} mean", float(ours), value, EXACT
    by_factor = {f: orm.analyse(case, covariance, factors=f) for f in ("RRRC", "FRRC", "RRFC")}
    for factors, found in by_factor.items():
        yield from factor_rows(found, reference[factors], f"{name} {factors}")
    for m, printed in enumerate(reference["single_modality"]):
        own = {"MS_R": mean.of_modality[m], "Var": single[m].var, "Cov2": single[m].cov2}
        for label, value in own.items():
            yield f"{name} modality {m} {label}", value, printed[label], EXACT
        for factors in set(printed) & set(by_factor):
            one = by_factor[factors].means[m]
            mine = {"stderr": one.stderr, "df": one.df, "ci_low": one.low, "ci_high": one.high}
            for label, value in printed[factors].items():
                yield f"{name} modality {m} {factors} {label}", mine[label], value, EXACT


def rows(data_dir: Path) -> list[Row]:
    """Name, ours, reference, tolerance."""
    return [
        row
        for entry in golden(data_dir, "independent_or_results")["datasets"]
        for key, reference in entry["analyses"].items()
        for row in analysis_rows(data_dir, entry["dataset"], key, reference)
    ]


@pytest.mark.data
def test_every_recomputed_value_is_reproduced(data_dir):
    check(rows(data_dir), expected=5801)
