"""The Iowa program OR-DBM MRMC 2.51 on three studies, to half a unit of the last printed digit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.reader_data import MERITS, Row, check, golden, study
from onkos.stats.readers import dbm
from onkos.stats.readers import obuchowski_rockette as orm
from onkos.stats.readers.covariance import jackknife
from onkos.stats.readers.result import FactorAnalysis, ModalityMean, ReaderTest

# decimals the program prints, where they are fewer than 8
DECIMALS = {"F": 2, "t": 2, "z": 2, "p": 4, "df": 2, "df2": 2}
IN_DIFFERENCES = dict.fromkeys(("difference", "stderr", "ci_low", "ci_high"), 5)

# The printed limits of FedRoc's modality 5 lie 2.5e-11 beyond half a unit of ours (ours end in
# ...64975 and ...35025): a whole unit for these two, half a unit for all others.
ON_THE_EDGE = ("FedRoc RRRC modality 5 ci_low", "FedRoc RRRC modality 5 ci_high")


def half_unit(decimals: int) -> float:
    """Half a unit of the last digit, with room for the rounding of the comparison itself."""
    return 0.5 * 10**-decimals * (1 + 1e-9)


def printed(name: str, ours: dict[str, float], table: dict[str, Any]) -> Iterator[Row]:
    small = IN_DIFFERENCES if "difference" in table else {}
    for key, value in table.items():
        if key in ours and value is not None:
            decimals = small.get(key, DECIMALS.get(key, 8))
            if name.endswith("FRRC") and key == "chisq":
                decimals = 5
            unit = half_unit(decimals) * (2 if f"{name} {key}" in ON_THE_EDGE else 1)
            yield f"{name} {key}", float(ours[key]), float(value), unit


def of_test(test: ReaderTest) -> dict[str, float]:
    t = float(np.sign(test.difference) * test.f**0.5)
    return {
        "difference": test.difference,
        "stderr": test.stderr,
        "df": test.df2,
        "t": t,
        "z": t,
        "p": test.p,
        "ci_low": test.low,
        "ci_high": test.high,
    }


def of_mean(mean: ModalityMean) -> dict[str, float]:
    return {
        "auc": mean.value,
        "stderr": mean.stderr,
        "df": mean.df,
        "ci_low": mean.low,
        "ci_high": mean.high,
    }


def factor_rows(
    name: str, found: FactorAnalysis, anova: orm.ReaderAnova, table: dict[str, Any]
) -> Iterator[Row]:
    overall = found.overall
    assert overall is not None
    whole = {
        "df1": overall.df1,
        "df2": overall.df2,
        "df": overall.df1,
        "MS": anova.modality,
        "F": overall.f,
        "chisq": overall.f * overall.df1,
        "p": overall.p,
        "denominator": found.denominator,
    }
    yield from printed(name, whole, table)
    for pair, row in zip(found.pairs, table["differences"], strict=True):
        yield from printed(f"{name} difference", of_test(pair), row)
    for m, row in enumerate(table["single_modality"]):
        ours = of_mean(found.means[m]) | {"MS_R": anova.of_modality[m]}
        yield from printed(f"{name} modality {m + 1}", ours, row)


def study_rows(data_dir: Path, name: str, table: dict[str, Any]) -> Iterator[Row]:
    case = study(data_dir, table["dataset"].split()[0])
    fom = MERITS["HrAuc" if case.kind == "FROC" else "Wilcoxon"]
    covariance = jackknife(case, fom)
    anova, parts = orm.anova(covariance.foms), orm.variance_components(covariance)
    error, pseudo = parts.error, dbm.variance_components(dbm.pseudovalues(case, fom))
    for ours, value in zip(
        covariance.foms.ravel(), np.ravel(table["auc_reader_by_modality"]), strict=True
    ):
        yield f"{name} AUC", float(ours), float(value), half_unit(8)
    for ours, value in zip(covariance.foms.mean(axis=0), table["modality_means"], strict=True):
        yield f"{name} mean AUC", float(ours), value, half_unit(8)
    readers, modalities = covariance.foms.shape
    squares = {
        "T": (anova.modality, modalities - 1),
        "R": (anova.reader, readers - 1),
        "T*R": (anova.interaction, (readers - 1) * (modalities - 1)),
    }
    for key, (mean, df) in squares.items():
        ours = {"SS": mean * df, "DF": df, "MS": mean}
        yield from printed(f"{name} ANOVA {key}", ours, table["anova_of_auc"][key])
    for ours, value in zip(anova.of_modality, table["MS_reader_each_modality"], strict=True):
        yield f"{name} MS(R) of a modality", ours, value, half_unit(8)
    terms = {"Cov1": error.cov1, "Cov2": error.cov2, "Cov3": error.cov3}
    ours = {"VarR": parts.reader, "VarTR": parts.interaction, "Var": error.var, **terms}
    ours |= {f"corr_{key}": value / error.var for key, value in terms.items()}
    yield from printed(f"{name} OR", ours, table["OR_components"])
    ours = {
        "VarR": pseudo.reader,
        "VarC": pseudo.case,
        "VarTR": pseudo.modality_reader,
        "VarTC": pseudo.modality_case,
        "VarRC": pseudo.reader_case,
        "VarErr": pseudo.error,
    }
    yield from printed(f"{name} DBM", ours, table["DBM_components"])
    single = orm.single_terms(covariance)
    for factors in ("RRRC", "FRRC", "RRFC"):
        found = orm.analyse(case, covariance, factors=factors)
        yield from factor_rows(f"{name} {factors}", found, anova, table[factors])
    for m, row in enumerate(table["RRRC"]["single_modality"]):
        yield from printed(f"{name} modality {m + 1}", {"Cov2": single[m].cov2}, row)
    fixed = table["FRRC"]
    for m, row in enumerate(fixed["single_modality_components"]):
        ours = {"Var": single[m].var, "Cov2": single[m].cov2}
        yield from printed(f"{name} FRRC modality {m + 1}", ours, row)
    alone = orm.each_reader(case, covariance)
    for one, row in zip(alone, fixed["single_reader_components"], strict=True):
        yield from printed(f"{name} reader", {"Var": one.var, "Cov1": one.cov1}, row)
    pairs = [pair for one in alone for pair in one.pairs]
    for pair, row in zip(pairs, fixed["single_reader_differences"], strict=True):
        yield from printed(f"{name} reader difference", of_test(pair), row)


def rows(data_dir: Path) -> list[Row]:
    """Name, ours, reference, tolerance."""
    return [
        row
        for name, table in golden(data_dir, "iowa_or_dbm_mrmc").items()
        for row in study_rows(data_dir, name, table)
    ]


@pytest.mark.data
def test_every_printed_digit_is_reproduced(data_dir):
    check(rows(data_dir), expected=889)
