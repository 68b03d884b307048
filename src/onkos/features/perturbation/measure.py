"""Features of every region under every perturbation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.perturbation.moving import MARGIN_MM
from onkos.features.perturbation.perturb import perturbed
from onkos.features.perturbation.plan import Perturbation
from onkos.features.radiomics import Settings, radiomics


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Features of one region under each perturbation of a list.

    Parameters
    ----------
    region
        Name of the region's label.
    columns
        Names of the features, with IBSI's identifiers.
    values
        (perturbations, features); NaN where a feature is undefined.
    patient
        Id of the patient; empty where unknown.
    vanished
        Number of perturbations that left nothing of the region; their values are NaN.
    """

    region: str
    columns: tuple[str, ...]
    values: FloatArray
    patient: str = ""
    vanished: int = 0

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64).view()
        if values.ndim != 2 or values.shape[1] != len(self.columns):
            raise ContentError(
                f"region {self.region!r}: values of shape {values.shape} for "
                f"{len(self.columns)} features; expected (perturbations, features)"
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)


def measured(
    volume: Volume,
    mask: Mask,
    perturbations: Sequence[Perturbation],
    *,
    settings: Settings | None = None,
    rng: np.random.Generator,
    threads: int = 2,
) -> tuple[Measured, ...]:
    """Measure every region of a mask under every perturbation.

    Intensities are normalised once, over the whole image, before any perturbation. The block
    around a region includes the support of the filters; filters of infinite support get the
    whole image.

    Parameters
    ----------
    volume, mask, perturbations, rng, threads
        As :func:`onkos.features.perturbation.perturbed` takes them.
    settings
        Of the extraction; its defaults if None.

    Raises
    ------
    GeometryError, ContentError
        What :func:`onkos.features.perturbation.perturbed` or the extraction refuses.
    """
    settings = Settings() if settings is None else settings
    if settings.normalisation is not None:
        data = settings.normalisation.applied(volume.data.T).T
        volume, settings = replace(volume, data=data), replace(settings, normalisation=None)
    margin_mm = _margin_mm(settings, volume)
    count = len(perturbations)
    found: list[Measured] = []
    lines: list[FloatArray] = []
    vanished = 0
    for one in perturbed(
        volume, mask, perturbations, rng=rng, threads=threads, margin_mm=margin_mm
    ):
        table = radiomics(one.volume, one.mask, settings, threads=threads)
        lines.append(table.values[0])
        vanished += one.vanished
        if len(lines) == count:
            found.append(
                Measured(
                    region=one.region,
                    columns=table.columns,
                    values=np.array(lines),
                    vanished=vanished,
                )
            )
            lines, vanished = [], 0
    return tuple(found)


def _margin_mm(settings: Settings, volume: Volume) -> float:
    """Margin for the support of the filters and for the perturbation."""
    spacing = list(volume.geometry.spacing_mm)
    if settings.spacing_mm is not None:
        spacing[: len(settings.spacing_mm)] = settings.spacing_mm
    far = 0.0
    for filtering in settings.filters:
        reach = filtering.reach(spacing)
        if reach is None or filtering.filter.boundary.beyond == "periodic":
            return math.inf
        far = max(far, *(n * mm for n, mm in zip(reach, spacing, strict=True)))
    return MARGIN_MM + far
