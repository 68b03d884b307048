"""Assembly of the features of all regions into one table, with reasons for missing values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onkos.core.source import Caveat
from onkos.features.radiomics import catalogue
from onkos.features.radiomics.settings import Settings
from onkos.features.radiomics.table import Table

FloatArray = NDArray[np.float64]
Found = dict[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Features of all regions in one image: the original, or the response to a filter.

    Parameters
    ----------
    rows
        Of each region, by family and aggregation; None for one without a voxel.
    settings
        How they were computed.
    prefix
        What their columns begin with.
    """

    rows: list[Found | None]
    settings: Settings
    prefix: str = ""


def assembled(labels: Sequence[str], parts: Sequence[Part], settings: Settings) -> Table:
    """Table of all parts side by side, one row a region."""
    names: list[str] = []
    blocks: list[FloatArray] = []
    told: dict[str, list[Caveat]] = {}
    for part in parts:
        tags = part.settings.names
        values = np.full((len(labels), len(tags)), math.nan)
        for n, (label, found) in enumerate(zip(labels, part.rows, strict=True)):
            if found is not None:
                values[n] = _line(found, part.settings)
            missing = [
                part.prefix + name
                for name, value in zip(tags, values[n], strict=True)
                if math.isnan(value)
            ]
            if missing and (found is not None or label not in told):
                told.setdefault(label, []).append(_undefined(label, found, missing))
        names.extend(part.prefix + tag for tag in tags)
        blocks.append(values)
    return Table(
        labels=tuple(labels),
        names=tuple(names),
        values=np.concatenate(blocks, axis=1),
        settings=settings,
        caveats={label: tuple(caveats) for label, caveats in told.items()},
    )


def _line(found: Found, settings: Settings) -> list[float]:
    line: list[float] = []
    for family, known in catalogue.FAMILIES.items():
        if family in settings.families:
            for ending in catalogue.endings(family, settings.aggregations):
                values = found.get(f"{family}{ending}", np.full(len(known), math.nan))
                line.extend(values[: len(known)].tolist())
    if not settings.features:
        return line
    every = catalogue.tags(settings.families, settings.aggregations)
    kept = dict(zip(every, line, strict=True))
    return [kept[name] for name in settings.names]


def _undefined(label: str, found: Found | None, missing: list[str]) -> Caveat:
    """Caveat that says why values are NaN."""
    if found is None:
        return Caveat(code="empty-region", text="The region has no voxel.", where=label)
    intensities = found.get("stat")
    if not any(name != "morph" for name in found):
        reason, code = "re-segmentation left no voxel", "empty-region"
    elif intensities is not None and intensities[10] == 0:
        reason, code = "its voxels do not differ in intensity", "single-intensity"
    else:
        reason, code = "it is too small or too homogeneous, or a divisor is 0", "undefined"
    told = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
    return Caveat(code=code, text=f"Undefined here because {reason}: {told}.", where=label)
