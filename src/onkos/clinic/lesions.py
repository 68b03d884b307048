"""From outlined tissue to separate lesions with their measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cc3d
import numpy as np

from onkos.clinic.measure import Diameters, diameters, interval
from onkos.core.card import ErrorModel
from onkos.core.coding import AREA, LONG_AXIS, SHORT_AXIS, VOLUME, Code
from onkos.core.findings import Lesion, Measurement
from onkos.core.mask import Mask
from onkos.core.source import Caveat

SPECK_ML = 0.05  # below a sphere of 4.6 mm: less than one voxel row on a usual follow-up scan


def separate(mask: Mask, *, speck_ml: float = SPECK_ML) -> tuple[tuple[Mask, ...], Caveat | None]:
    """Split outlined tissue into connected lesions (26 neighbours), largest first.

    Every lesion keeps its tissues and is cut to its own block. Pieces below ``speck_ml`` are
    not listed; the caveat says how many there are and what they amount to. In a picture, where
    there is no volume, every piece is listed.
    """
    neighbours = 26 if mask.geometry.ndim == 3 else 8
    parts, n = cc3d.connected_components(mask.labels != 0, connectivity=neighbours, return_N=True)
    if n == 0:
        return (), None
    statistics = cc3d.statistics(parts)
    sizes = statistics["voxel_counts"][1:].astype(np.int64)
    spatial = mask.geometry.ndim == 3
    ml = sizes * (mask.geometry.voxel_ml if spatial else np.inf)
    lesions = []
    for index in np.argsort(-sizes, kind="stable"):
        if ml[index] < speck_ml:
            continue
        block = statistics["bounding_boxes"][index + 1]
        own = parts[block] == index + 1
        cut = mask.crop(block)
        lesions.append(replace(cut, labels=np.where(own, cut.labels, 0).astype(cut.labels.dtype)))
    specks = ml[ml < speck_ml]
    if specks.size == 0:
        return tuple(lesions), None
    caveat = Caveat(
        code="specks-not-listed",
        text=f"{specks.size} outlined pieces below {speck_ml} ml, {specks.sum():.2g} ml in all, "
        "are part of the outline but not listed as lesions.",
    )
    return tuple(lesions), caveat


def describe(
    part: Mask, *, number: int, uid: str, site: str, errors: Mapping[str, ErrorModel]
) -> Lesion:
    """Measure one lesion: volume of each tissue and of all, long and short axis of each.

    ``errors`` are the model's errors on unseen patients, by measurement name
    (``volume_ml:core``); a measurement without one carries no interval and says so.
    """
    tissues = [name for name, n in part.counts.items() if n]
    measured: list[Measurement] = []
    for tissue in tissues if len(tissues) > 1 else []:
        measured.extend(_measure(part.select(tissue), tissue, errors))
    whole = _measure(part, "", errors)
    return Lesion(
        id=f"lesion-{number}",
        where=part,
        kind="tumour",
        site=site,
        measurements=(*whole, *measured),
        uid=uid,
    )


def quantities(mask: Mask) -> dict[str, float]:
    """Measure a whole outline as :func:`describe` measures a lesion, by measurement name.

    The diameters are those of the largest lesion. Used on outlines and on their truth alike to
    learn how far the measurements are off.
    """
    found: dict[str, float] = {}
    names = list(mask.names.values())
    for tissue in [*names, "tumour"] if len(names) > 1 else ["tumour"]:
        kept = mask if tissue == "tumour" else mask.select(tissue)
        parts, _ = separate(kept, speck_ml=0.0)
        drawn = diameters(parts[0]) if parts else None
        found[f"volume_ml:{tissue}"] = float(np.count_nonzero(kept.labels)) * mask.geometry.voxel_ml
        found[f"long_axis_mm:{tissue}"] = drawn.long_mm if drawn else 0.0
        found[f"short_axis_mm:{tissue}"] = drawn.short_mm if drawn else 0.0
    return found


def _measure(part: Mask, tissue: str, errors: Mapping[str, ErrorModel]) -> list[Measurement]:
    """Volume and the two axes of one tissue, or of the whole for an empty name."""
    key = tissue or "tumour"
    if part.geometry.ndim == 2:
        return [replace(_area(part), tissue=tissue)]
    volume = float(np.count_nonzero(part.labels)) * part.geometry.voxel_ml
    made = [_measurement(VOLUME, volume, "ml", "voxels outlined", f"volume_ml:{key}", errors)]
    drawn = diameters(part)
    if drawn is not None:
        made += _axes(drawn, key, errors)
    return [replace(measurement, tissue=tissue) for measurement in made]


def _area(part: Mask) -> Measurement:
    """Area of a tissue in a picture: in mm2 where the pixel size is known, else in pixels."""
    pixels = float(np.count_nonzero(part.labels))
    method = "pixels outlined; no interval: the model's error on areas is not known"
    if part.geometry.calibrated:
        area = pixels * part.geometry.pixel_mm2
        return Measurement(concept=AREA, value=area, ucum="mm2", method=method)
    return Measurement(concept=AREA, value=pixels, ucum="{pixels}", method=method)


def _axes(drawn: Diameters, key: str, errors: Mapping[str, ErrorModel]) -> list[Measurement]:
    """The two axes as measurements that know where they were drawn."""
    long = _measurement(
        LONG_AXIS,
        drawn.long_mm,
        "mm",
        "longest diameter in a slice of the image",
        f"long_axis_mm:{key}",
        errors,
    )
    short = _measurement(
        SHORT_AXIS,
        drawn.short_mm,
        "mm",
        "longest diameter across the long axis in the same slice",
        f"short_axis_mm:{key}",
        errors,
    )
    return [replace(long, line=drawn.long), replace(short, line=drawn.short)]


def _measurement(
    concept: Code, value: float, ucum: str, method: str, key: str, errors: Mapping[str, ErrorModel]
) -> Measurement:
    """One number with the interval its error model gives, or with the word that there is none."""
    error = errors.get(key)
    if error is None:
        return Measurement(
            concept=concept,
            value=value,
            ucum=ucum,
            method=f"{method}; no interval: the model's error on unseen patients is not known",
        )
    return Measurement(
        concept=concept,
        value=value,
        ucum=ucum,
        method=f"{method}; 95 % prediction interval from {error.n} unseen patients",
        interval=interval(value, error),
    )
