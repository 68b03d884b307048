"""Results as JSON: what the verbs found, for machines and for going on later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from onkos.core.comparison import Comparison, Evaluation
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.findings import Box, Lesion, Point
from onkos.core.judgement import Judgement
from onkos.core.mask import Mask
from onkos.core.plain import from_plain, to_plain
from onkos.core.reading import Provenance, Reading
from onkos.core.source import Caveat
from onkos.io.whole import write_json


def read_json(path: Path) -> Any:
    """Parse a JSON file; :class:`ContentError` if it is missing or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ContentError(f"{path}: no such file") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ContentError(f"{path}: not JSON: {error}; make it again") from error


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Write ``comparison.json``; every metric of an arm stands as an Estimate under ``metrics``."""
    write_json(path, comparison_plain(comparison))


def comparison_plain(comparison: Comparison) -> dict[str, Any]:
    """The same as plain data: judgements stand in their arms, tests with the ends of intervals."""
    plain: dict[str, Any] = to_plain(comparison)
    for arm in plain["arms"]:
        arm |= arm.pop("judgement")
    for test in plain["tests"]:
        difference = test["difference"]
        test["estimate"] = difference
        test["difference"] = difference["value"]
        test["low"], test["high"] = difference["low"], difference["high"]
    return plain


def load_comparison(path: Path) -> Comparison:
    """Read ``comparison.json`` back; :class:`ContentError` if it is not one."""
    plain = read_json(path)
    try:
        for test in plain["tests"]:
            test["difference"] = test.pop("estimate")
            del test["low"], test["high"]
        for arm in plain["arms"]:
            arm["judgement"] = _judgement(arm)
    except (KeyError, TypeError, AttributeError) as error:
        raise ContentError(f"{path}: not a comparison of this version: {error!r}") from error
    return from_plain(Comparison, plain)


def _judgement(plain: dict[str, Any]) -> dict[str, Any]:
    """Take the fields of a judgement out of what it was flattened into."""
    return {one.name: plain.pop(one.name) for one in fields(Judgement)}


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
    """Write ``evaluation.json``; every metric stands as an Estimate under ``metrics``."""
    write_json(path, evaluation_plain(evaluation))


def evaluation_plain(evaluation: Evaluation) -> dict[str, Any]:
    """The same as plain data."""
    plain: dict[str, Any] = to_plain(evaluation)
    judgement: dict[str, Any] = plain.pop("judgement")
    judged = judgement.pop("cases")
    return {**plain, **judgement, "judged": judged, "caveats": plain["caveats"]}


def load_evaluation(path: Path) -> Evaluation:
    """Read ``evaluation.json`` back; :class:`ContentError` if it is not one."""
    plain = read_json(path)
    try:
        caveats = plain["caveats"]
        count, plain["cases"] = plain["cases"], plain.pop("judged")
        plain["judgement"] = {**_judgement(plain), "caveats": []}
        plain |= {"caveats": caveats, "cases": count}
    except (KeyError, TypeError, AttributeError) as error:
        raise ContentError(f"{path}: not an evaluation of this version: {error!r}") from error
    return from_plain(Evaluation, plain)
