"""Glioma model: location, volumes of its tissues, and their change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from onkos.phantom.anatomy import MassEffect
from onkos.phantom.shapes import Field, HeadGrid, Vector, Waves, ellipsoid

#: Fraction of the core's volume that displaces brain; the rest infiltrates.
_PUSHING = 0.35
_BEYOND_REACH = np.float32(-99.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Glioma:
    """One tumour, in head coordinates.

    Parameters
    ----------
    centre_mm, semi_axes_mm
        Centre and semi-axes of the ellipsoid underlying the irregular core.
    reach_mm
        How far oedema spreads through white matter.
    fading_mm
        Width over which the oedema fades into healthy white matter.
    rim_mm
        Thickness of viable tumour around the necrosis; None for a tumour without necrosis.
    leaking
        Fraction of the viable core with contrast enhancement (leaking vessels), 0 to 1.
    rough, ragged, patchy
        Random fields of the surface, the necrosis and the enhancement.
    growth
        Volume of the core relative to when it was drawn.
    volumes_ml
        Prescribed volumes by tissue (core, oedema, necrosis); a missing one follows from the
        shape.
    """

    centre_mm: Vector
    semi_axes_mm: Vector
    reach_mm: float
    fading_mm: float
    rim_mm: float | None
    leaking: float
    rough: Waves
    ragged: Waves
    patchy: Waves
    growth: float = 1.0
    volumes_ml: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def draw(cls, rng: np.random.Generator, *, grid: HeadGrid, depths: Mapping[str, Field]) -> Self:
        """Draw a tumour centred in the white matter of a cerebral hemisphere."""
        radius = float(rng.uniform(9.0, 23.0))
        semi = radius * np.exp(rng.normal(0.0, 0.16, size=3))
        high_grade = rng.random() < 0.8
        return cls(
            centre_mm=_draw_centre(rng, grid, depths),
            semi_axes_mm=(float(semi[0]), float(semi[1]), float(semi[2])),
            reach_mm=float(rng.uniform(5.0, 17.0)),
            fading_mm=float(rng.uniform(3.0, 7.0)),
            rim_mm=float(rng.uniform(2.5, 6.0)) if high_grade else None,
            leaking=float(rng.uniform(0.7, 1.0) if high_grade else rng.uniform(0.0, 0.25)),
            rough=Waves.draw(rng, length_mm=1.7 * radius, count=28),
            ragged=Waves.draw(rng, length_mm=1.1 * radius, count=28),
            patchy=Waves.draw(rng, length_mm=1.4 * radius, count=28),
        )

    @property
    def mass_effect(self) -> MassEffect:
        """Displacement of the brain around the core."""
        radius_mm = float(np.cbrt(_PUSHING * self.growth * math.prod(self.semi_axes_mm)))
        return MassEffect(centre_mm=self.centre_mm, radius_mm=radius_mm)

    def changed(self, volumes_ml: Mapping[str, float], *, growth: float) -> Self:
        """Return the same tumour with other volumes, its core ``growth`` times as large."""
        return replace(self, volumes_ml=dict(volumes_ml), growth=self.growth * growth)

    def depths(self, grid: HeadGrid, head: Mapping[str, Field]) -> dict[str, Field]:
        """Depth in mm inside oedema, core, enhancing tissue and necrosis.

        The core stays inside the brain's surface and out of the ventricles; oedema stays in
        white matter.
        """
        size = float(np.mean(self.semi_axes_mm))
        round_ = ellipsoid(grid.points, self.centre_mm, self.semi_axes_mm)
        free = round_ + np.float32(0.16 * size) * self.rough.on(grid)
        room = np.minimum(head["brain"], -head["ventricles"])
        core = self._sized("core", free, room, grid)
        ragged = np.float32(0.1 * size) * self.ragged.on(grid)
        rim = np.float32(1e3 if self.rim_mm is None else self.rim_mm)
        necrosis = self._sized("necrosis", core - rim + ragged, core - np.float32(1.2), grid)
        spread = core + np.float32(self.reach_mm) * (1 + np.float32(0.5) * self.patchy.on(grid))
        tracts = np.minimum(head["white"] + np.float32(0.8), -head["ventricles"])
        oedema = self._sized("oedema", spread, np.where(core > 0, _BEYOND_REACH, tracts), grid)
        return {
            "oedema": np.where(core > 0, np.maximum(oedema, core), oedema),
            "core": core,
            "leaking": np.minimum(core, self._leakage(grid, size)),
            "necrosis": necrosis,
        }

    def _leakage(self, grid: HeadGrid, size: float) -> Field:
        """Depth inside the enhancing part, whose fraction is ``leaking``."""
        values = self.patchy.on(grid)
        near = ellipsoid(grid.points, self.centre_mm, self.semi_axes_mm) > 0
        level = np.quantile(values[near], 1.0 - self.leaking) if near.any() else 0.0
        depth: Field = (values - np.float32(level)) * np.float32(0.25 * size)
        return depth

    def _sized(self, tissue: str, free: Field, room: Field, grid: HeadGrid) -> Field:
        """Shift the level of ``free`` until it has the prescribed volume within ``room``."""
        if tissue not in self.volumes_ml:
            return np.minimum(free, room)
        wanted = self.volumes_ml[tissue] / grid.point_ml
        inside = free[room > 0]
        count = round(wanted)
        if count < 1:
            return np.full_like(free, -np.float32(50.0))
        if count >= inside.size:
            return room
        first_out = inside.size - count - 1
        level = np.partition(inside, first_out)[first_out]
        depth: Field = np.minimum(free - level, room)
        return depth


def volumes_ml(grid: HeadGrid, depths: Mapping[str, Field]) -> dict[str, float]:
    """True volumes of the tumour's tissues on the head grid, before sampling by the scanner."""
    core = depths["core"] > 0
    return {
        "core": float(np.count_nonzero(core)) * grid.point_ml,
        "oedema": float(np.count_nonzero((depths["oedema"] > 0) & ~core)) * grid.point_ml,
        "necrosis": float(np.count_nonzero(depths["necrosis"] > 0)) * grid.point_ml,
    }


def _draw_centre(rng: np.random.Generator, grid: HeadGrid, depths: Mapping[str, Field]) -> Vector:
    x, y, z = grid.points
    above = (z > -8) & (np.abs(x) > 12) & (y > -70)
    fit = above & (depths["white"] > 0.5) & (depths["brain"] > 9) & (depths["ventricles"] < -3)
    places = np.flatnonzero(fit)
    place = np.unravel_index(int(rng.choice(places)), grid.shape)
    x_mm, y_mm, z_mm = np.asarray(grid.low_mm) + grid.step_mm * np.asarray(place)
    return float(x_mm), float(y_mm), float(z_mm)
