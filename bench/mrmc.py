"""Seconds of the whole U-statistics analysis of the VIPER study: 11,680 readings.

Usage: python bench/mrmc.py [--data DIR] [--json FILE]

Three sub-studies, each by AUC, sensitivity and specificity: both modalities, their difference,
moments, intervals and the areas of each reader. Reading the table is not counted. Best of five
runs; beside it a factorial study by all methods with three covariances.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from onkos.stats.readers import ustatistics
from onkos.stats.readers.analysis import analyse
from onkos.stats.readers.foms import WILCOXON, FigureOfMerit, sensitivity, specificity
from onkos.stats.readers.ratings import ReaderStudy, roc_study

REPEATS = 5
DATA = Path(os.environ.get("ONKOS_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
MERITS: tuple[tuple[str, FigureOfMerit], ...] = (
    ("score", WILCOXON),
    ("recalled", sensitivity(0.5)),
    ("recalled", specificity(0.5)),
)


def viper(folder: Path) -> list[dict[str, ReaderStudy]]:
    """The three sub-studies, by score and by recall."""
    path = folder / "reader-studies-mrmc" / "viper_obs365.csv.gz"
    with gzip.open(path, "rt", newline="") as handle:
        rows = list(csv.DictReader(handle))
    names = sorted({row["desc"] for row in rows})
    return [_study([row for row in rows if row["desc"] == name]) for name in names]


def _study(rows: list[dict[str, str]]) -> dict[str, ReaderStudy]:
    axes = [sorted({row[key] for row in rows}) for key in ("readerID", "modalityID", "caseID")]
    place = [{name: n for n, name in enumerate(axis)} for axis in axes]
    tables = {what: np.full([len(axis) for axis in axes], np.nan) for what in ("score", "recalled")}
    truth = np.zeros(len(axes[2]), dtype=int)
    for row in rows:
        at = (
            place[0][row["readerID"]],
            place[1][row["modalityID"]],
            place[2][row["caseID"]],
        )
        tables["score"][at] = float(row["score"])
        tables["recalled"][at] = row["recall"] == "1"
        truth[at[2]] = row["Ctype"] == "cancer"
    return {what: roc_study(table, truth) for what, table in tables.items()}


def by_u_statistics(studies: list[dict[str, ReaderStudy]]) -> None:
    for study in studies:
        for what, fom in MERITS:
            ustatistics.analyse(study[what], fom)
            ustatistics.each_reader(study[what], fom)


def simulated(readers: int, cases: int) -> ReaderStudy:
    rng, truth = np.random.default_rng(1), np.arange(cases) % 2
    ratings = rng.normal(size=(readers, 2, cases)) + rng.normal(size=cases) + 1.5 * truth
    return roc_study(ratings, truth)


def best(work: Callable[[], Any]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real data")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    studies = viper(asked.data)
    readings = sum(int(study["score"].read.sum()) for study in studies)
    crossed = simulated(10, 200)
    figures = {
        f"VIPER, {readings} readings, U-statistics": best(lambda: by_u_statistics(studies)),
        "10 readers x 2 x 200, OR (3 covariances), DBM, U": best(
            lambda: analyse(
                crossed,
                covariances=("jackknife", "DeLong", "bootstrap"),
                rng=np.random.default_rng(0),
            )
        ),
    }
    for name, seconds in figures.items():
        print(f"{name:50} {seconds:8.3f} s")
    if asked.json:
        asked.json.write_text(json.dumps({"seconds": figures, "readings": readings}) + "\n")


if __name__ == "__main__":
    main()
