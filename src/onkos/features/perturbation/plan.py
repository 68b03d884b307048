"""Plan of perturbations: each kind alone, and chains of several kinds."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from onkos.core.errors import UsageError
from onkos.core.plain import to_plain

T = TypeVar("T")

KINDS = ("rotation", "translation", "noise", "growth", "contour")
CHAIN, NONE = "chain", "none"
_STILL = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """One perturbation of image and outline.

    Perturbations are applied in the order of the fields; the default changes nothing.

    Parameters
    ----------
    noise
        Standard deviation of the white noise added, in multiples of the image's own noise.
    rotation_deg
        In-plane rotation of the voxel grid about the region's centre.
    shift
        Translation of the grid along i, j, k, in voxels.
    growth
        Fraction of the region's volume added to its outline, or (below 0) removed.
    contour
        Whether the outline is randomised along supervoxels.
    """

    noise: float = 0.0
    rotation_deg: float = 0.0
    shift: tuple[float, float, float] = _STILL
    growth: float = 0.0
    contour: bool = False

    def __post_init__(self) -> None:
        sizes = (self.noise, self.rotation_deg, self.growth, *self.shift)
        if not all(math.isfinite(size) for size in sizes):
            raise UsageError(f"{self}: expected finite sizes")
        if self.noise < 0 or not -1 < self.growth <= 1:
            raise UsageError(
                f"noise {self.noise}, growth {self.growth}: expected noise of 0 or more, and "
                "growth above -1 (nothing left) and at most 1 (twice the volume)"
            )
        if abs(self.rotation_deg) > 45 or max(abs(step) for step in self.shift) > 1:
            raise UsageError(
                f"rotation {self.rotation_deg} degrees, shift {self.shift} voxels: expected at "
                "most 45 degrees and one voxel"
            )

    @property
    def moves(self) -> bool:
        """Whether the voxel grid is moved."""
        return self.rotation_deg != 0 or self.shift != _STILL

    @property
    def kind(self) -> str:
        """Its kind; ``chain`` for several kinds, ``none`` where nothing changes."""
        changed = (
            self.rotation_deg != 0,
            self.shift != _STILL,
            self.noise > 0,
            self.growth != 0,
            self.contour,
        )
        found = [kind for kind, is_so in zip(KINDS, changed, strict=True) if is_so]
        return NONE if not found else CHAIN if len(found) > 1 else found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbations:
    """A plan: every kind alone, and chains that combine all kinds.

    Single kinds show why a feature is unstable; whether it is unstable is decided on the chains,
    which are closest to a second scan with a second outline (test-retest).

    Parameters
    ----------
    rotations_deg
        In-plane rotations.
    shifts
        Translations in fractions of a voxel: alone along all three axes together, in chains
        drawn for each axis.
    noise, noises
        Standard deviation of the added noise in multiples of the image's own, and number of
        noise realisations.
    growths
        Fractions of the volume added or removed.
    contours
        Number of randomised outlines.
    chains
        Number of chains of all kinds above, each with a size drawn for every kind; all sizes of
        a kind occur equally often. None with fewer than two kinds.

    References
    ----------
    Zwanenburg A et al. Assessing robustness of radiomic features by image perturbation. Sci Rep
    2019;9:614. doi:10.1038/s41598-018-36938-4
    """

    rotations_deg: tuple[float, ...] = (-6.0, -2.0, 2.0, 6.0)
    shifts: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75)
    noise: float = 1.0
    noises: int = 4
    growths: tuple[float, ...] = (-0.15, -0.1, -0.05, 0.05, 0.1, 0.15)
    contours: int = 4
    chains: int = 16

    def __post_init__(self) -> None:
        if min(self.noises, self.contours, self.chains) < 0 or (self.noises and self.noise <= 0):
            raise UsageError(
                f"noise {self.noise}, noises {self.noises}, contours {self.contours}, chains "
                f"{self.chains}: expected counts of 0 or more and noise above 0"
            )
        if not any(self._alone().values()):
            raise UsageError("perturbations: nothing is perturbed; expected at least one kind")

    def variants(self, rng: np.random.Generator) -> tuple[Perturbation, ...]:
        """All perturbations: first none, then each kind alone, then the chains."""
        alone = self._alone()
        singles = tuple(one for group in alone.values() for one in group)
        return (Perturbation(), *singles, *self._chained(alone, rng))

    @property
    def hash(self) -> str:
        """SHA-256 of the plan."""
        return hashlib.sha256(json.dumps(to_plain(self), sort_keys=True).encode()).hexdigest()

    def _alone(self) -> dict[str, tuple[Perturbation, ...]]:
        """Each kind alone; a size of 0 is no perturbation."""
        return {
            "rotation": tuple(Perturbation(rotation_deg=d) for d in self.rotations_deg if d != 0),
            "translation": tuple(Perturbation(shift=(s, s, s)) for s in self.shifts if s != 0),
            "noise": (Perturbation(noise=self.noise),) * self.noises,
            "growth": tuple(Perturbation(growth=part) for part in self.growths if part != 0),
            "contour": (Perturbation(contour=True),) * self.contours,
        }

    def _chained(
        self, alone: dict[str, tuple[Perturbation, ...]], rng: np.random.Generator
    ) -> tuple[Perturbation, ...]:
        if sum(bool(group) for group in alone.values()) < 2:
            return ()
        sides = sorted({0.0, *self.shifts})
        steps = [step for step in itertools.product(sides, sides, sides) if step != _STILL]
        turns = _drawn([one.rotation_deg for one in alone["rotation"]], 0.0, self.chains, rng)
        shifts = _drawn(steps, _STILL, self.chains, rng)
        growths = _drawn([one.growth for one in alone["growth"]], 0.0, self.chains, rng)
        return tuple(
            Perturbation(
                noise=self.noise if self.noises else 0.0,
                rotation_deg=turns[n],
                shift=shifts[n],
                growth=growths[n],
                contour=self.contours > 0,
            )
            for n in range(self.chains)
        )


def _drawn(sizes: Sequence[T], without: T, count: int, rng: np.random.Generator) -> list[T]:
    """Sizes in random order, each used once before any is repeated."""
    if not sizes:
        return [without] * count
    drawn: list[T] = []
    while len(drawn) < count:
        drawn += [sizes[int(n)] for n in rng.permutation(len(sizes))]
    return drawn[:count]
