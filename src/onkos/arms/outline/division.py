"""From what each supervoxel is by itself to an outline: a region member on the voxels near it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import edt
import numpy as np
from numpy.typing import NDArray

from onkos.arms.description import Description
from onkos.arms.supervoxel import without_islands
from onkos.classic.hidden_field import started
from onkos.classic.outliners import REGION_MEMBERS, RegionMember
from onkos.classic.region_graph import painted
from onkos.classic.scene import UNKNOWN, Float32, Outline, Scene
from onkos.core.errors import ModelError, OnkosError
from onkos.prep.scan import Scan

FloatArray = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Int32 = NDArray[np.int32]
Box = tuple[slice, slice, slice]

_POSSIBLE = 0.07  # probability of tumour below which a supervoxel is healthy
_MARGIN_MM = 10.0  # around what could be tumour: healthy tissue a member must see
_OWN = ("lift", "least", "confidence", "healthy")


class RefusedError(Exception):
    """A member could not divide a patch; the reason is its text."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patch:
    """Part of a scan in which tumour is possible, ready to be divided.

    Parameters
    ----------
    image
        (channels, k, j, i) in the box.
    spacing_mm
        Along k, j, i; pixels of unknown size count as 1 mm.
    inside
        (k, j, i): voxels to be divided.
    regions
        (k, j, i): supervoxels, 0 outside.
    shares
        (supervoxels, classes): probability of each class.
    box, shape
        Where it lies in the scan, and the scan's shape.
    """

    image: Float32
    spacing_mm: tuple[float, float, float]
    inside: Bools
    regions: Int32
    shares: FloatArray
    box: Box
    shape: tuple[int, ...]

    def whole(self, labels: Bytes) -> Bytes:
        """Labels in the scan, 0 outside the patch."""
        out: Bytes = np.zeros(self.shape, dtype=np.uint8)
        out[self.box] = labels
        return out


def patch_of(scan: Scan, described: Description, shares: FloatArray) -> Patch | None:
    """Cut out what could be tumour and 10 mm around it; None where nothing could."""
    possible = np.concatenate([[False], shares[:, 0] <= 1 - _POSSIBLE])[described.regions.labels]
    if not possible.any():
        return None
    spacing = scan.spacing_mm
    away = edt.edt(np.ascontiguousarray(~possible), anisotropy=spacing, black_border=False)
    near = scan.head & (away <= _MARGIN_MM)
    box = _box(near)
    return Patch(
        image=np.ascontiguousarray(np.moveaxis(scan.image[box], -1, 0)),
        spacing_mm=spacing,
        inside=np.ascontiguousarray(near[box]),
        regions=np.ascontiguousarray(described.regions.labels[box]),
        shares=shares,
        box=box,
        shape=near.shape,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """How a patch is divided.

    Parameters
    ----------
    member
        The region member with its settings; None takes each supervoxel as it is by itself.
    lift
        Factor on the odds of tumour: the outline of largest Dice is larger than that of the
        likeliest classes.
    least
        Probability of tumour (not lifted) that some supervoxel must reach, else nothing is
        outlined.
    confidence
        Probability from which a supervoxel is a seed that keeps its class; above 1 for none.
    healthy
        Kinds of healthy tissue, by intensity; members that give each class one distribution of
        intensities need more than one, since healthy tissue is white, grey and fluid.
    """

    member: RegionMember | None = None
    lift: float = 3.0
    least: float = 0.0
    confidence: float = 2.0
    healthy: int = 1

    def divided(self, patch: Patch, *, rng: np.random.Generator) -> tuple[Bytes, bool]:
        """Class of each voxel of the patch, and whether the member came to rest.

        Raises
        ------
        RefusedError
            If the member cannot divide this patch.
        """
        if 1 - patch.shares[:, 0].min() < self.least:
            return np.zeros(patch.inside.shape, dtype=np.uint8), True
        shares = self._lifted(patch.shares)
        probability = painted(shares, patch.regions)
        if self.member is None:
            labels = np.where(patch.inside, probability.argmax(axis=0), 0).astype(np.uint8)
            return without_islands(labels), True
        try:
            scene = self._scene(patch, probability, rng)
            found = self.member.outline(scene, rng=rng)
        except (OnkosError, ArithmeticError, RuntimeError, ValueError) as error:
            raise RefusedError(f"{self.member.name}: {error}") from error
        labels = found.labels
        if self.healthy > 1:
            labels = np.where(patch.inside, self._joined(found), 0).astype(np.uint8)
        return without_islands(labels), found.settled

    def with_setting(self, name: str, value: float) -> Self:
        """Return the same division with one setting, its own or the member's, changed."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ModelError(f"setting {name!r} of a division is {value!r}, expected a number")
        if name in _OWN:
            changed: Any = {name: value}
            return replace(self, **changed)
        if self.member is None or name not in {f.name for f in fields(_plain(self.member))}:
            raise ModelError(f"a division has no setting {name!r}; fit the model again")
        method = replace(_plain(self.member), **{name: value})
        return replace(self, member=replace(self.member, method=method))

    def to_plain(self) -> dict[str, float]:
        """Settings by name: its own, then the member's."""
        own = {name: getattr(self, name) for name in _OWN}
        return own if self.member is None else own | asdict(_plain(self.member))

    @classmethod
    def from_plain(cls, member: str, plain: Mapping[str, float]) -> Self:
        """Build a division back from the name of its member (may be empty) and its settings."""
        division = cls(member=REGION_MEMBERS[member] if member else None)
        for name, value in plain.items():
            division = division.with_setting(name, value)
        return division

    def _lifted(self, shares: FloatArray) -> FloatArray:
        lifted = shares * np.array([1.0] + [self.lift] * (shares.shape[1] - 1))
        out: FloatArray = lifted / lifted.sum(axis=1, keepdims=True)
        return out

    def _scene(self, patch: Patch, probability: Float32, rng: np.random.Generator) -> Scene:
        """Scene with seeds at confident supervoxels, healthy tissue in its kinds."""
        inside = patch.inside
        probability = np.where(inside, probability, np.float32(1 / len(probability)))
        seeds = np.where(
            inside & (probability.max(axis=0) >= self.confidence),
            probability.argmax(axis=0),
            UNKNOWN,
        )
        if self.healthy > 1:
            x = patch.image[:, inside].T.astype(np.float64)
            kinds = np.zeros((self.healthy, *inside.shape), dtype=np.float32)
            kinds[:, inside] = started(x, self.healthy, rng).T
            kinds[0, ~inside] = 1
            probability = np.concatenate([probability[0] * kinds, probability[1:]])
            seeds = np.where(seeds > 0, seeds + self.healthy - 1, UNKNOWN)
        return Scene(
            image=patch.image,
            spacing_mm=patch.spacing_mm,
            inside=inside,
            probability=probability,
            seeds=seeds if (seeds != UNKNOWN).any() else None,
            regions=patch.regions,
        )

    def _joined(self, found: Outline) -> NDArray[np.int64]:
        """Labels with the kinds of healthy tissue as one class again."""
        shares = found.probabilities
        if shares is None:
            return np.maximum(found.labels.astype(np.int64) - (self.healthy - 1), 0)
        healthy = shares[: self.healthy].sum(axis=0, keepdims=True)
        joined = np.concatenate([healthy, shares[self.healthy :]])
        return np.asarray(joined.argmax(axis=0), dtype=np.int64)


def _plain(member: RegionMember) -> Any:
    """Return the settings of a member, a dataclass of numbers."""
    return member.method


def _box(inside: Bools) -> Box:
    sides = []
    for axis in range(3):
        hit = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
        sides.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return sides[0], sides[1], sides[2]
