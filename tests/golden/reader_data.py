"""The public reader studies and their published results, as the golden tests read them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from onkos.cohort.ratings import load_ratings
from onkos.stats.readers import localisation as loc
from onkos.stats.readers.assembly import assemble
from onkos.stats.readers.foms import WILCOXON, FigureOfMerit
from onkos.stats.readers.ratings import Kind, ReaderStudy

Row = tuple[str, float, float, float]
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("dataset01", "dataset04", "dataset05", "dataset06"), "FROC"),
    **dict.fromkeys(("dataset02", "dataset03", "dataset08", "dataset09"), "ROC"),
    **dict.fromkeys(("dataset10", "dataset14"), "ROC"),
    "datasetCadLroc": "LROC",
}
MERITS: dict[str, FigureOfMerit] = {
    **loc.FROC_MERITS,
    "Wilcoxon": WILCOXON,
    "HrAuc (inferred ROC, Wilcoxon)": loc.FROC_MERITS["HrAuc"],
}


@cache
def golden(data_dir: Path, name: str) -> Any:
    """One file of published results."""
    return json.loads((data_dir / "golden-statistics" / f"{name}.json").read_text())


@cache
def study(data_dir: Path, name: str) -> ReaderStudy:
    """One RJafroc data set."""
    table = load_ratings(data_dir / "reader-studies-mrmc" / f"rjafroc_{name}.csv")
    lesions = lesions_of(data_dir, name) if KINDS[name] == "FROC" else None
    found = assemble(table, lesions=lesions)
    assert found.kind == KINDS[name]
    return found


def lesions_of(data_dir: Path, name: str) -> dict[str, list[float]]:
    """Weights of the lesions of every case; none on the normal ones."""
    listed = golden(data_dir, "froc_lesions_per_case")["datasets"]
    entry = next(each for each in listed if each["dataset"] == name)
    counts = [0] * entry["normal_cases"] + entry["lesions_per_abnormal_case"]
    return {str(case): [1.0] * count for case, count in enumerate(counts)}


def columns(table: dict[str, Any]) -> dict[str, list[Any]]:
    """Columns of a printed table without its row labels."""
    return {name: column for name, column in table.items() if name != "row.names"}


def check(rows: Iterable[Row], expected: int) -> None:
    """Every value within its tolerance, and none dropped on the way."""
    found = list(rows)
    off = [row for row in found if not abs(row[1] - row[2]) <= row[3]]
    assert not off, f"{len(off)} of {len(found)} off: {off[:10]}"
    assert len(found) == expected, f"{len(found)} values compared, {expected} expected"
