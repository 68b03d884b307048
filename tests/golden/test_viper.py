"""FDA's VIPER study by iMRMC: AUC, TPF and TNF of split-plot designs with missing readings."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from golden.reader_data import Row, check, golden
from onkos.stats.readers.foms import WILCOXON, FigureOfMerit, sensitivity, specificity
from onkos.stats.readers.ratings import ReaderStudy, roc_study
from onkos.stats.readers.ustatistics import COMPONENTS, UAnalysis, analyse, each_reader

MERITS: dict[str, tuple[str, FigureOfMerit]] = {
    "auc": ("score", WILCOXON),
    "tpf": ("recalled", sensitivity(0.5)),
    "tnf": ("recalled", specificity(0.5)),
}
VALUE, RELATIVE = 1e-8, 1e-6


@cache
def readings(data_dir: Path) -> list[dict[str, str]]:
    """All readings of the three sub-studies."""
    path = data_dir / "reader-studies-mrmc" / "viper_obs365.csv.gz"
    with gzip.open(path, "rt", newline="") as handle:
        return list(csv.DictReader(handle))


@cache
def viper(data_dir: Path, name: str, what: str) -> ReaderStudy:
    """One sub-study, rated by score or by whether the woman was called back."""
    rows = [row for row in readings(data_dir) if row["desc"] == name]
    readers, modalities, cases = (
        sorted({row[key] for row in rows}) for key in ("readerID", "modalityID", "caseID")
    )
    ratings = np.full((len(readers), len(modalities), len(cases)), np.nan)
    truth = np.zeros(len(cases), dtype=int)
    for row in rows:
        place = (
            readers.index(row["readerID"]),
            modalities.index(row["modalityID"]),
            cases.index(row["caseID"]),
        )
        ratings[place] = float(row["score"]) if what == "score" else row["recall"] == "1"
        truth[place[2]] = row["Ctype"] == "cancer"
    return roc_study(ratings, truth, readers=readers, modalities=modalities, cases=cases)


def digits(value: float, figures: int) -> float:
    """Half a unit of the last of so many significant figures, at least RELATIVE."""
    if value == 0:
        return 1e-15
    unit = 10.0 ** (np.floor(np.log10(abs(value))) - figures + 1)
    return float(max(0.5 * unit, RELATIVE * abs(value)))


def summary_rows(name: str, found: UAnalysis, table: dict[str, Any]) -> Iterator[Row]:
    """Values, variances, and tests given the printed degrees of freedom."""
    variance = {(a, a): found.moments[a, a].covariance for a in (0, 1)}
    both = variance[0, 0] + variance[1, 1] - 2 * found.moments[0, 1].covariance
    values = [found.means[0].value, found.means[1].value, found.pairs[0].difference]
    variances = [variance[0, 0], variance[1, 1], both]
    printed = [*table["AUCA"][:2], table["AUCAminusAUCB"][2]]
    spreads = [*table["varAUCA"][:2], table["varAUCAminusAUCB"][2]]
    for k, label in enumerate(("FFDM", "SFM", "difference")):
        yield f"{name} {label}", values[k], printed[k], VALUE
        yield f"{name} {label} variance", variances[k], spreads[k], RELATIVE * spreads[k]
        against = 0.0 if k == 2 else 0.5
        z = (values[k] - against) / variances[k] ** 0.5
        # iMRMC cuts degrees of freedom to a whole number, and takes the normal from 50 on
        df = float(np.floor(table["dfBDG"][k]))
        df = np.inf if df >= 50 else df
        for label_df, one in (("normal", np.inf), ("BDG", df)):
            p = 2 * float(stats.t.sf(abs(z), one))
            half = float(stats.t.ppf(0.975, one)) * variances[k] ** 0.5
            title = "normal" if label_df == "normal" else "BDG"
            where = f"{name} {label} {label_df}"
            reference = table[f"pValue{'Normal' if title == 'normal' else 'BDG'}"][k]
            yield f"{where} p", p, reference, max(1e-7, 1e-5 * reference)
            yield f"{where} low", values[k] - half, table[f"botCI{title}"][k], 1e-7
            yield f"{where} high", values[k] + half, table[f"topCI{title}"][k], 1e-7


def component_rows(name: str, found: UAnalysis, table: dict[str, Any]) -> Iterator[Row]:
    """Moments and components with their coefficients, printed to six figures."""
    keys = {(0, 0): "FFDM", (1, 1): "SFM", (0, 1): "FFDM.SFM"}
    for pair, key in keys.items():
        moments = found.moments[pair]
        cross = 2.0 if pair == (0, 1) else 1.0  # the cross term enters a difference twice
        tables = {
            "BDG": ([f"M{k}" for k in range(1, 9)], moments.values, moments.coefficients),
            "BCK": (COMPONENTS, moments.components, moments.component_coefficients),
        }
        for kind, (labels, values, coefficients) in tables.items():
            for k, label in enumerate(labels):
                value = np.atleast_1d(table[kind]["comp"][key][label])[-1]
                share = np.atleast_1d(table[kind]["coeff"][key][label])[-1]
                # components are sums of moments that were printed to six figures
                room = 4e-6 if kind == "BCK" else digits(value, 6)
                yield f"{name} {key} {label}", float(values[k]), value, room
                yield (
                    f"{name} {key} {label} coefficient",
                    float(cross * coefficients[k]),
                    share,
                    digits(share, 6),
                )


def reader_rows(name: str, case: ReaderStudy, fom: FigureOfMerit, table: Any) -> Iterator[Row]:
    """Each reader alone."""
    value, variance = each_reader(case, fom)
    for k, reader in enumerate(table["readerID"]):
        r = case.readers.index(reader)
        if table["modalityB"][k] == "NO_MOD":
            m = case.modalities.index(table["modalityA"][k])
            yield f"{name} {reader}", value[r, m], table["AUCA"][k], VALUE
            spread = table["varAUCA"][k]
            yield f"{name} {reader} variance", variance[r, m], spread, 5.1e-9


def rows(data_dir: Path) -> list[Row]:
    """Name, ours, reference, tolerance."""
    found: list[Row] = []
    for name, substudy in golden(data_dir, "viper_imrmc")["substudies"].items():
        for key, (what, fom) in MERITS.items():
            case, table = viper(data_dir, name, what), substudy[key]
            for method, biased in (("Ustat", False), ("MLE", True)):
                done, title = analyse(case, fom, biased=biased), f"{name} {key} {method}"
                found.extend(summary_rows(title, done, table[method]))
                parts = {
                    kind: {
                        sort: table["variance_decomposition"][kind][method][sort]
                        for sort in ("comp", "coeff")
                    }
                    for kind in ("BDG", "BCK")
                }
                found.extend(component_rows(title, done, parts))
            found.extend(reader_rows(f"{name} {key}", case, fom, table["per_reader"]))
    return found


@pytest.mark.data
def test_every_value_is_reproduced(data_dir):
    check(rows(data_dir), expected=2772)
