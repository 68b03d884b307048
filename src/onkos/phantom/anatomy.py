"""Head model with random anatomy: skull, cortex, white matter, ventricles, vessels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from onkos.phantom.shapes import (
    Field,
    HeadGrid,
    Points,
    Tube,
    Vector,
    Waves,
    displaced,
    ellipsoid,
    smooth_min,
    tubes,
)

#: Extent of the head's own space, mm left, posterior, superior of its middle.
LOW_MM: Vector = (-94.0, -112.0, -100.0)
HIGH_MM: Vector = (94.0, 118.0, 106.0)

_BONE_MM = 6.5
_SCALP_MM = 6.0
_SKIN_MM = 4.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MassEffect:
    """Mass effect: healthy brain displaced outwards by a sphere of new tissue.

    Parameters
    ----------
    centre_mm
        Middle of the tumour.
    radius_mm
        Radius of a sphere with the volume of the tissue that displaces (not infiltrates).
    """

    centre_mm: Vector
    radius_mm: float

    def shift(self, points: Points) -> Points:
        """Displacement that preserves the volume of the displaced tissue, mm along each axis."""
        away = [
            np.asarray(x - np.float32(c), dtype=np.float32)
            for x, c in zip(points, self.centre_mm, strict=True)
        ]
        distance = np.sqrt(sum(x * x for x in away)) + np.float32(1e-3)
        before = np.cbrt(np.maximum(distance**3 - np.float32(self.radius_mm**3), 0))
        stretch = 1 - before / distance
        return away[0] * stretch, away[1] * stretch, away[2] * stretch


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """Individual anatomy of one head.

    Parameters
    ----------
    stretch
        Size along left, posterior, superior, relative to the average.
    ventricle_scale
        Width of the ventricles relative to the average.
    atrophy_mm
        Half width of the sulci, larger with atrophy.
    hyperintensities
        Age-related white-matter hyperintensities: x, y, z, radius of each, mm.
    vessels, choroid, ventricles
        Tubes.
    folds, folia, warp, skull, depth_of_folds, texture
        Random fields: cortical folds, cerebellar folia, individual deformation (one per axis),
        skull thickness, depth of the sulci, and tissue texture.
    """

    stretch: Vector
    ventricle_scale: float
    atrophy_mm: float
    hyperintensities: tuple[tuple[float, float, float, float], ...]
    vessels: tuple[Tube, ...]
    choroid: tuple[Tube, ...]
    ventricles: tuple[Tube, ...]
    folds: Waves
    folia: Waves
    warp: tuple[Waves, Waves, Waves]
    skull: Waves
    depth_of_folds: Waves
    texture: Waves

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Draw a random head."""
        stretch = rng.normal(1.0, (0.035, 0.035, 0.03))
        scale = float(np.exp(rng.normal(0.0, 0.22)))
        sides = np.exp(rng.normal(0.0, 0.12, size=2)) * scale
        return cls(
            stretch=(float(stretch[0]), float(stretch[1]), float(stretch[2])),
            ventricle_scale=scale,
            atrophy_mm=float(rng.uniform(0.5, 1.3)),
            hyperintensities=_draw_hyperintensities(rng),
            vessels=_draw_vessels(rng),
            choroid=_choroid(),
            ventricles=(*_lateral(-1, sides[0]), *_lateral(1, sides[1]), *_midline(scale)),
            folds=Waves.draw(rng, length_mm=float(rng.uniform(21, 25)), count=40),
            folia=Waves.draw(rng, length_mm=9.0, count=24),
            warp=(
                Waves.draw(rng, length_mm=90.0, count=12),
                Waves.draw(rng, length_mm=90.0, count=12),
                Waves.draw(rng, length_mm=90.0, count=12),
            ),
            skull=Waves.draw(rng, length_mm=60.0, count=16),
            depth_of_folds=Waves.draw(rng, length_mm=30.0, count=16),
            texture=Waves.draw(rng, length_mm=13.0, count=32),
        )

    def depths(self, grid: HeadGrid, mass: MassEffect | None = None) -> dict[str, Field]:
        """Depth in mm inside each structure, on a grid of the head's own space.

        ``brain`` is the brain surface without sulci; ``white`` is the tissue in which oedema can
        spread. A mass effect displaces everything inside the skull.
        """
        points = grid.points
        cavity = self._cavity(points)
        outer = self._outer(points, cavity, grid)
        inner = self._inner(grid, cavity)
        shift = self._shift(grid, cavity, mass)
        moved = {
            name: displaced(field, shift, step_mm=grid.step_mm) for name, field in inner.items()
        }
        return {**outer, **moved, "texture": self.texture.on(grid)}

    def _cavity(self, points: Points) -> Field:
        x, y, z = points
        sx, sy, sz = self.stretch
        round_ = ellipsoid(points, (0.0, 4.0, 8.0), (67.0 * sx, 85.0 * sy, 72.0 * sz))
        front = z + np.float32(34.0) + np.minimum(0.35 * (y + 12), 0).astype(np.float32)
        base = smooth_min(round_, front + 0 * x, round_mm=14.0)
        hind = ellipsoid(points, (0.0, 36.0 * sy, -36.0 * sz), (50.0 * sx, 40.0 * sy, 30.0 * sz))
        canal = 11 - np.sqrt(x * x + (y - 16) ** 2) + 0 * z
        canal = np.minimum(canal, -25 - z)
        cavity: Field = np.maximum(np.maximum(base, hind), canal).astype(np.float32)
        return cavity

    def _outer(self, points: Points, cavity: Field, grid: HeadGrid) -> dict[str, Field]:
        """Structures outside the cranial cavity, and the cavity itself."""
        x, y, z = points
        sx, sy, sz = self.stretch
        uneven = self.skull.on(grid)
        thickness = np.float32(_BONE_MM) + uneven
        face = ellipsoid(points, (0.0, -18.0, -52.0), (64.0 * sx, 76.0 * sy, 60.0 * sz))
        neck = np.minimum(56 - np.sqrt(x * x + (y - 10) ** 2) + 0 * z, -40 - z)
        head = np.maximum(cavity + thickness + np.float32(_SCALP_MM), np.maximum(face, neck))
        eyes = [
            ellipsoid(points, (side * 31.0 * sx, -76.0 * sy, -36.0 * sz), (12.0, 12.5, 12.0))
            for side in (-1.0, 1.0)
        ]
        falx = np.minimum(np.float32(0.4) - np.abs(x) + 0 * y + 0 * z, 40 - cavity)
        return {
            "skin": head,
            "muscle": head - np.float32(_SKIN_MM) - np.abs(uneven),
            "bone": cavity + thickness,
            "marrow": np.float32(1.3) - np.abs(cavity + np.float32(0.55) * thickness),
            "eye": np.maximum(eyes[0], eyes[1]),
            "sinus": np.maximum.reduce(
                [
                    ellipsoid(
                        points, (side * 22.0 * sx, -68.0 * sy, -66.0 * sz), (13.0, 15.0, 15.0)
                    )
                    for side in (-1.0, 1.0)
                ]
                + [ellipsoid(points, (0.0, -62.0 * sy, -62.0 * sz), (5.0, 26.0, 30.0))]
            ),
            "cavity": cavity,
            "dura": np.maximum(
                np.float32(0.7) - np.abs(cavity),
                np.where((z > -10) & (cavity > 0), falx, np.float32(-9)),
            ),
        }

    def _inner(self, grid: HeadGrid, cavity: Field) -> dict[str, Field]:
        """The brain and its structures, before deformation."""
        x, y, z = grid.points
        brain = self._brain(grid, cavity)
        tent = 0.35 * (y - 30) - 0.011 * x * x - (z + 14)  # highest in the middle, like a tent
        hind = (tent > 0) & (y > 14)
        distance = np.where(hind, self.folia.distance_on(grid), self.folds.distance_on(grid))
        reach = np.where(hind, np.float32(9), 15 + 5 * self.depth_of_folds.on(grid))
        width = np.where(hind, np.float32(0.35), np.float32(self.atrophy_mm))
        ribbon = np.where(hind, np.float32(1.6), np.float32(2.9))
        gap = np.minimum(np.float32(0.9) - np.abs(tent), y - 24)
        surface = np.minimum(brain, -gap)
        sulci = np.minimum(width - distance, reach - brain)
        grey = np.minimum(surface, -sulci)
        below = np.maximum(distance - width - ribbon, brain - reach - ribbon)
        stem = np.minimum(ellipsoid(grid.points, (0.0, 16.0, -40.0), (13.0, 13.0, 42.0)), brain + 3)
        white = np.maximum(np.minimum(surface - ribbon, below), stem)
        return {
            "brain": surface,
            "grey": np.maximum(grey, stem),
            "white": white,
            "nuclei": self._nuclei(grid.points),
            "ventricles": tubes(grid, self.ventricles),
            "choroid": tubes(grid, self.choroid),
            "vessels": tubes(grid, self.vessels),
            "hyperintensities": self._hyperintensities(grid, white),
        }

    def _brain(self, grid: HeadGrid, cavity: Field) -> Field:
        """Brain without sulci: the cavity minus CSF and the interhemispheric fissure."""
        x, _, z = grid.points
        below = cavity - np.float32(1.5 + self.atrophy_mm)
        fissure = np.minimum(np.float32(0.6 + 0.6 * self.atrophy_mm) - np.abs(x), 36 - below)
        fissure = np.where(z > -12, fissure, np.float32(-9))
        brain: Field = np.minimum(below, -fissure).astype(np.float32)
        return brain

    def _nuclei(self, points: Points) -> Field:
        """Thalamus, lentiform nucleus and head of the caudate on each side."""
        found = [
            ellipsoid(points, (side * centre[0], centre[1], centre[2]), semi)
            for side in (-1.0, 1.0)
            for centre, semi in (
                ((11.0, 12.0, 6.0), (8.0, 13.0, 9.0)),
                ((24.0, -4.0, 4.0), (7.0, 17.0, 10.0)),
                ((14.0, -20.0, 12.0), (4.5, 10.0, 8.0)),
            )
        ]
        nuclei: Field = np.maximum.reduce(found)
        return nuclei

    def _hyperintensities(self, grid: HeadGrid, white: Field) -> Field:
        spots = [
            ((x, y, z, r), (x + 1.0, y + 1.5, z, 0.6 * r)) for x, y, z, r in self.hyperintensities
        ]
        rims = [
            [(x, y, z, r * self.ventricle_scale**0.5 + 2.2) for x, y, z, r in line]
            for line in self.ventricles[:4]
        ]
        return np.minimum(tubes(grid, (*spots, *rims)), white)

    def _shift(self, grid: HeadGrid, cavity: Field, mass: MassEffect | None) -> Points:
        """Deformation inside the skull; zero at the bone."""
        free = np.clip(cavity / np.float32(18), 0, 1)
        own = [np.float32(2.2) * wave.on(grid) * free for wave in self.warp]
        if mass is None:
            return own[0], own[1], own[2]
        pushed = mass.shift(grid.points)
        return own[0] + pushed[0] * free, own[1] + pushed[1] * free, own[2] + pushed[2] * free


def _lateral(side: int, scale: float) -> tuple[Tube, ...]:
    """One lateral ventricle: frontal horn, body, occipital horn; temporal horn."""
    body = [
        (5.0, -33.0, 8.0, 3.0), (7.0, -22.0, 14.0, 5.5), (8.5, -6.0, 21.0, 5.5),
        (12.0, 14.0, 22.0, 5.5), (21.0, 34.0, 13.0, 7.0), (20.0, 54.0, 7.0, 2.5),
    ]  # fmt: skip
    horn = [(21.0, 33.0, 11.0, 6.0), (31.0, 17.0, -8.0, 3.2), (29.0, -2.0, -14.0, 2.0)]
    return tuple([(side * x, y, z, r * scale) for x, y, z, r in line] for line in (body, horn))


def _midline(scale: float) -> tuple[Tube, ...]:
    """Third and fourth ventricle, with the aqueduct between them."""
    return (
        [(0.0, -8.0, -2.0, 2.2 * scale), (0.0, 8.0, 6.0, 2.6 * scale), (0.0, 16.0, -4.0, 1.2)],
        [(0.0, 16.0, -4.0, 1.0), (0.0, 30.0, -34.0, 4.0 * scale), (0.0, 26.0, -50.0, 1.2)],
    )


def _choroid() -> tuple[Tube, ...]:
    return tuple(
        [
            (side * 10.0, 10.0, 19.0, 1.2),
            (side * 20.0, 33.0, 12.0, 2.8),
            (side * 26.0, 24.0, 1.0, 1.4),
        ]
        for side in (-1.0, 1.0)
    )


def _draw_hyperintensities(
    rng: np.random.Generator,
) -> tuple[tuple[float, float, float, float], ...]:
    """Draw lesions of the deep white matter: none in some heads, many in others."""
    spots = []
    for _ in range(int(rng.poisson(rng.choice([1.0, 5.0, 14.0])))):
        side = rng.choice([-1.0, 1.0])
        x, y, z = side * rng.uniform(18, 38), rng.uniform(-42, 52), rng.uniform(10, 44)
        spots.append((float(x), float(y), float(z), float(rng.uniform(1.5, 4.5))))
    return tuple(spots)


def _draw_vessels(rng: np.random.Generator) -> tuple[Tube, ...]:
    """Sagittal and transverse sinus, middle cerebral arteries, and random surface vessels."""
    angles = np.linspace(-0.3 * np.pi, 0.95 * np.pi, 16)
    sagittal = [
        (0.0, 4 - 83 * np.cos(a), 8 + 69.5 * np.sin(a), 2.0 + 0.06 * n)
        for n, a in enumerate(angles)
    ]
    lines: list[Tube] = [[(float(x), float(y), float(z), float(r)) for x, y, z, r in sagittal]]
    for side in (-1.0, 1.0):
        lines.append(
            [
                (0.0, 84.0, 0.0, 3.0),
                (side * 30.0, 74.0, -8.0, 3.0),
                (side * 52.0, 46.0, -16.0, 3.0),
                (side * 54.0, 30.0, -26.0, 2.5),
            ]
        )
        lines.append(
            [
                (0.0, -10.0, -24.0, 2.0),
                (side * 16.0, -14.0, -22.0, 1.7),
                (side * 38.0, -12.0, -14.0, 1.5),
                (side * 52.0, 0.0, 2.0, 1.2),
            ]
        )
    lines.extend(_wander(rng) for _ in range(int(rng.integers(16, 28))))
    return tuple(lines)


def _wander(rng: np.random.Generator) -> Tube:
    """Draw one vessel: a random walk on an ellipsoid a little inside the skull."""
    towards = rng.normal(size=3)
    towards[2] = abs(towards[2])
    step = rng.normal(scale=0.14, size=3)
    radius = rng.uniform(0.7, 1.4)
    depth = rng.uniform(0.72, 0.97)
    nodes = []
    for _ in range(int(rng.integers(5, 10))):
        towards /= np.linalg.norm(towards)
        x, y, z = towards * (67.0, 85.0, 72.0) * depth
        nodes.append((float(x), float(y) + 4, float(z) + 8, float(radius)))
        step += rng.normal(scale=0.07, size=3)
        towards = towards + step
        radius *= 0.93
    return nodes
