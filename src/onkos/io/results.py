"""Results as JSON: what the verbs found, for machines and for going on later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.evaluation import Evaluation
from onkos.core.findings import Box, Lesion, Point
from onkos.core.mask import Mask
from onkos.core.plain import from_plain, to_plain
from onkos.core.reading import Comparison, FoldResult, Provenance, Reading
from onkos.core.source import Caveat
from onkos.io.whole import write_json, write_table


def read_json(path: Path) -> Any:
    """Parse a JSON file; :class:`ContentError` if it is missing or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ContentError(f"{path}: no such file") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ContentError(f"{path}: not JSON: {error}; make it again") from error


def load_fold(path: Path) -> FoldResult | None:
    """Take up a stored fold; None where there is none, or one that cannot be read."""
    try:
        return from_plain(FoldResult, read_json(path))
    except ContentError:
        return None


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Write ``comparison.json``; every metric stands as an Estimate."""
    plain = to_plain(comparison)
    for test in plain["tests"]:
        difference = test["difference"]
        test["estimate"] = difference
        test["difference"] = difference["value"]
        test["low"], test["high"] = difference["low"], difference["high"]
    write_json(path, plain)


def write_predictions(path: Path, comparison: Comparison) -> None:
    """Write ``predictions.csv``: what every arm said of every case it was not fitted on.

    Where the folds were drawn several times a column ``repeat`` tells the draws apart.
    """
    rows = [
        {
            "case": score.case,
            "patient": score.patient,
            "arm": arm.name,
            **({"repeat": str(repeat)} if comparison.repeats > 1 else {}),
            "fold": str(score.fold + 1),
            "target": score.target,
            **{f"p_{name}": f"{p:.6f}" for name, p in score.classes.items()},
        }
        for arm in comparison.arms
        for repeat, scores in enumerate(arm.all_scores, start=1)
        for score in scores
        if score.classes
    ]
    if rows:
        write_table(path, rows)


def load_comparison(path: Path) -> Comparison:
    """Read ``comparison.json`` back; :class:`ContentError` if it is not one."""
    plain = read_json(path)
    try:
        for test in plain["tests"]:
            test["difference"] = test.pop("estimate")
            del test["low"], test["high"]
    except (KeyError, TypeError) as error:
        raise ContentError(f"{path}: not a comparison: {error}") from error
    return from_plain(Comparison, plain)


def write_reading(path: Path, reading: Reading) -> None:
    """Write ``reading.json``: everything but the pixels, which SEG or NIfTI hold."""
    study = reading.study
    mask = reading.mask
    write_json(
        path,
        {
            "patient": study.patient.id,
            "date": study.date,
            "study_uid": study.uid,
            "reference": reading.reference,
            "tissues_ml": _volumes(mask),
            "lesions": [_lesion(lesion) for lesion in reading.lesions],
            "classes": reading.classes,
            "stage": reading.stage,
            "caveats": reading.caveats,
            "card": reading.card,
            "provenance": reading.provenance,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedReading:
    """What ``reading.json`` holds: a Reading without its study and pixels."""

    patient: str
    date: str | None
    study_uid: str
    reference: str
    tissues_ml: Mapping[str, float]
    lesions: tuple[Lesion, ...]
    classes: Mapping[str, Estimate]
    stage: str | None
    caveats: tuple[Caveat, ...]
    card: Mapping[str, Any]
    provenance: Provenance


def load_reading(path: Path) -> SavedReading:
    """Read ``reading.json`` back; :class:`ContentError` if it is not one."""
    return from_plain(SavedReading, read_json(path))


def _volumes(mask: Mask | None) -> dict[str, float]:
    """Volume of each outlined tissue, where the grid allows one."""
    if mask is None or mask.geometry.ndim != 3:
        return {}
    return mask.volumes_ml


def _lesion(lesion: Lesion) -> dict[str, Any]:
    """One lesion without its pixels: its centre and box instead."""
    plain = {
        name: to_plain(getattr(lesion, name))
        for name in ("id", "uid", "kind", "site", "score", "measurements")
    }
    return {**plain, "where": to_plain(_place(lesion.where))}


def _place(where: Mask | Box | Point | None) -> Box | Point | None:
    """Box around a mask in LPS mm; None on a picture, which has no place in the patient."""
    if not isinstance(where, Mask):
        return where
    block = where.bounds()
    if block is None or where.geometry.ndim != 3:
        return None
    ends = [(side.start - 0.5, side.stop - 0.5) for side in block]
    corners = where.geometry.to_mm(np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1))
    low, high = corners.reshape(-1, 3).min(axis=0), corners.reshape(-1, 3).max(axis=0)
    return Box(low_mm=tuple(low.tolist()), high_mm=tuple(high.tolist()))


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write ``evaluation.json``; every metric stands as an Estimate."""
    write_json(path, evaluation)


def load_evaluation(path: Path) -> Evaluation:
    """Read ``evaluation.json`` back; :class:`ContentError` if it is not one."""
    return from_plain(Evaluation, read_json(path))
