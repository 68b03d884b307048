"""Outlined tissue on a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import AnyArray, Geometry
from onkos.core.sampling import planes, sample_nearest
from onkos.core.source import Caveat


def label_counts(labels: AnyArray) -> dict[int, int]:
    """Voxels of each non-zero label, in bounded memory."""
    counts: dict[int, int] = {}
    for plane in np.moveaxis(labels, -1, 0):
        if plane.any():
            for label, n in zip(*np.unique(plane, return_counts=True), strict=True):
                counts[int(label)] = counts.get(int(label), 0) + int(n)
    counts.pop(0, None)
    return counts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mask:
    """A label map: every voxel belongs to one named tissue or to none (0).

    Tissues that overlap are held as several masks.

    Parameters
    ----------
    labels
        Integer or boolean array of ``geometry.shape``; kept as a read-only view (bool as uint8).
    geometry
        The grid.
    names
        Name of each label from 1 on. A label may be named and absent, never present and unnamed.
    caveats
        What a reader must know about how the outline came to be.

    Raises
    ------
    GeometryError
        If the array does not fit the grid.
    ContentError
        If the labels are not integers, are negative, or one of them has no name.
    """

    labels: AnyArray
    geometry: Geometry
    names: Mapping[int, str]
    caveats: tuple[Caveat, ...] = ()

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels)
        labels = labels.view(np.uint8) if labels.dtype == bool else labels.view()
        if labels.shape != self.geometry.shape:
            raise GeometryError(
                f"labels of shape {labels.shape} on a grid of shape {self.geometry.shape}"
            )
        if not np.issubdtype(labels.dtype, np.integer):
            raise ContentError(
                f"labels of type {labels.dtype}: expected integers; round them first"
            )
        names = {int(label): str(name) for label, name in self.names.items()}
        if min(names, default=1) < 1 or len(set(names.values())) != len(names):
            raise ContentError(f"names {names}: expected labels from 1 on and each name once")
        unnamed = sorted(set(label_counts(labels)) - set(names))
        if unnamed:
            raise ContentError(f"labels {unnamed[:10]} are present but not named in {names}")
        labels.setflags(write=False)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "names", MappingProxyType(names))

    def label(self, name: str) -> int:
        """Label of a tissue; :class:`ContentError` if the mask does not know it."""
        for label, known in self.names.items():
            if known == name:
                return label
        raise ContentError(f"no tissue {name!r} in this mask; it has {list(self.names.values())}")

    def where(self, *names: str) -> AnyArray:
        """Boolean array: voxels of any of the named tissues (of all of them without a name)."""
        if not names:
            labelled: AnyArray = self.labels != 0
            return labelled
        return np.isin(self.labels, [self.label(name) for name in names])

    def select(self, *names: str) -> Mask:
        """Mask with only the named tissues; labels stay as they are."""
        kept = {self.label(name): name for name in names}
        labels = np.where(np.isin(self.labels, list(kept)), self.labels, 0)
        told = tuple(one for one in self.caveats if one.region in ("", *names))
        return replace(self, labels=labels.astype(self.labels.dtype), names=kept, caveats=told)

    def caveats_of(self, name: str) -> tuple[Caveat, ...]:
        """What a reader must know about one tissue: its own caveats and those of the mask."""
        return tuple(one for one in self.caveats if one.region in ("", name))

    @property
    def counts(self) -> dict[str, int]:
        """Voxels of each named tissue, absent ones as 0."""
        found = label_counts(self.labels)
        return {name: found.get(label, 0) for label, name in self.names.items()}

    @property
    def volumes_ml(self) -> dict[str, float]:
        """Volume of each named tissue in millilitres."""
        return {name: n * self.geometry.voxel_ml for name, n in self.counts.items()}

    def bounds(self) -> tuple[slice, ...] | None:
        """Smallest block that holds every labelled voxel; None for an empty mask."""
        block = []
        for axis in range(self.labels.ndim):
            others = tuple(other for other in range(self.labels.ndim) if other != axis)
            hit = np.flatnonzero(self.labels.any(axis=others))
            if hit.size == 0:
                return None
            block.append(slice(int(hit[0]), int(hit[-1]) + 1))
        return tuple(block)

    def crop(self, block: Sequence[slice]) -> Mask:
        """Cut out the part of the mask in a block, on the grid of that block."""
        start = [side.start for side in block]
        shape = [side.stop - side.start for side in block]
        return replace(
            self, labels=self.labels[tuple(block)], geometry=self.geometry.crop(start, shape)
        )

    def on(self, geometry: Geometry) -> Mask:
        """Bring the labels onto another grid: each voxel takes the label its centre lies in.

        Raises
        ------
        GeometryError
            If one grid is a plain picture and the other a volume, or one is uncalibrated.
        """
        if self.geometry.matches(geometry):
            return replace(self, geometry=geometry)
        out = np.empty(geometry.shape, dtype=self.labels.dtype, order="F")
        for block, points in planes(self.geometry, geometry):
            out[..., block] = sample_nearest(self.labels, points)
        return replace(self, labels=out, geometry=geometry)
