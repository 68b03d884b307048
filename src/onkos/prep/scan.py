"""A study made ready for a learner: one grid, upright, the head found, intensities comparable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import CohortError, ModelError
from onkos.core.geometry import AnyArray, Geometry
from onkos.core.mask import Mask
from onkos.core.study import Study
from onkos.io.whole import written_whole
from onkos.prep.head import depth_mm, find_head
from onkos.prep.upright import Turn

Float32 = NDArray[np.float32]
Bools = NDArray[np.bool_]

_DEEP_MM = 4.0  # below scalp, or below the partial volume at the edge of a stripped brain
_OUTLINED_ON = ("t1c",)  # among equally fine images: where a reader outlines a glioma's core
_LIMIT = 12.0  # standard deviations: beyond lies an artefact, not tissue


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """What a segmenter sees of a study.

    Parameters
    ----------
    image
        (k, j, i, channels) inside the head's box, standardised by the head below its surface;
        0 outside the head and where nothing was measured.
    head
        (k, j, i) voxels of the head.
    depth_mm
        (k, j, i) distance from the head's surface.
    spacing_mm
        Along k, j, i; pixels of unknown size count as 1 mm.
    covered
        Part of the head that every image covers.
    geometry, turn, box
        The way back to the reference image.
    """

    image: Float32
    head: Bools
    depth_mm: Float32
    spacing_mm: tuple[float, float, float]
    covered: float
    geometry: Geometry
    turn: Turn
    box: tuple[slice, slice, slice]

    def cut(self, mask: Mask) -> AnyArray:
        """Labels of a mask on the reference grid, as (k, j, i) in the head's box."""
        return np.ascontiguousarray(self.turn.apply(mask.labels)[self.box])

    def outline(self, classes: NDArray[np.uint8], names: Mapping[int, str]) -> Mask:
        """Mask on the reference grid from classes in the head's box, n being the n-th name."""
        whole = np.zeros(self._upright_shape, dtype=np.min_scalar_type(max(names)))
        whole[self.box] = np.array([0, *names], dtype=whole.dtype)[classes]
        return Mask(labels=self.turn.undo(whole), geometry=self.geometry, names=names)

    def save(self, path: Path) -> None:
        """Keep it for another pass over the same cases, whole or not at all."""
        with written_whole(path) as temporary, temporary.open("wb") as handle:
            np.savez(
                handle,
                image=self.image,
                head=self.head,
                depth_mm=self.depth_mm,
                covered=self.covered,
                affine=self.geometry.affine,
                shape=self.geometry.shape,
                calibrated=self.geometry.calibrated,
                box=[(side.start, side.stop) for side in self.box],
            )

    @classmethod
    def load(cls, path: Path) -> Scan:
        """Take up what :meth:`save` kept."""
        with np.load(path, allow_pickle=False) as kept:
            geometry = Geometry(
                affine=kept["affine"],
                shape=tuple(int(side) for side in kept["shape"]),
                calibrated=bool(kept["calibrated"]),
            )
            turn = Turn.of(geometry)
            k, j, i = (slice(int(start), int(stop)) for start, stop in kept["box"])
            return cls(
                image=kept["image"],
                head=kept["head"],
                depth_mm=kept["depth_mm"],
                spacing_mm=turn.spacing_mm,
                covered=float(kept["covered"]),
                geometry=geometry,
                turn=turn,
                box=(k, j, i),
            )

    def touches_edge(self, classes: NDArray[np.uint8]) -> bool:
        """Tell whether outlined tissue reaches a face of the image along an axis of > 1 voxel."""
        for axis, (side, block) in enumerate(zip(self._upright_shape, self.box, strict=True)):
            first, last = np.take(classes, 0, axis=axis), np.take(classes, -1, axis=axis)
            if side > 1 and block.start == 0 and first.any():
                return True
            if side > 1 and block.stop == side and last.any():
                return True
        return False

    @property
    def _upright_shape(self) -> tuple[int, ...]:
        sides = tuple(self.geometry.shape[axis] for axis in self.turn.order)
        return sides if len(sides) == 3 else (1, *sides)


def common_roles(first: Study, others: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], str]:
    """Roles that every study has, in the first one's order, and the one to outline on.

    That is the one with the finest grid.

    Parameters
    ----------
    first
        One study.
    others
        Roles of every other one.

    Raises
    ------
    CohortError
        If no role is common to all.
    """
    roles = [role for role in first.volumes if all(role in has for has in others)]
    if not roles:
        raise CohortError(
            "no image role is common to all cases; expected one, e.g. 'flair'; "
            "name the series' roles in the cohort's table"
        )

    def fitness(role: str) -> tuple[float, bool]:
        return round(_voxel(first.volumes[role].geometry), 3), role not in _OUTLINED_ON

    return tuple(roles), min(roles, key=fitness)


def prepare(study: Study, roles: Sequence[str], *, reference: str) -> Scan:
    """Make a study ready.

    Raises
    ------
    ModelError
        If an image is missing, the images do not overlap, or no head is found.
    """
    missing = [role for role in roles if role not in study.volumes]
    if missing:
        raise ModelError(
            f"study of {study.patient.id}: the model needs images {list(roles)}, and {missing} "
            f"are missing among {sorted(study.volumes)}; name them with --role ROLE=SERIES_UID, "
            "or fit a model on the images at hand"
        )
    geometry = study.volumes[reference].geometry
    turn = Turn.of(geometry)
    measured = _stacked(study, roles, geometry, turn)
    head = find_head(measured, where=f"study of {study.patient.id}")
    box = _box(head)
    measured, head = measured[box], np.ascontiguousarray(head[box])
    depth = depth_mm(head, turn.spacing_mm)
    known: Bools = np.asarray(np.isfinite(measured).all(axis=-1))
    return Scan(
        image=_standardised(measured, head, depth),
        head=head,
        depth_mm=depth,
        spacing_mm=turn.spacing_mm,
        covered=float(known[head].mean()),
        geometry=geometry,
        turn=turn,
        box=box,
    )


def _stacked(study: Study, roles: Sequence[str], geometry: Geometry, turn: Turn) -> Float32:
    """Images on the reference grid, upright, channels last."""
    channels: list[AnyArray] = []
    for role in roles:
        volume = study.volumes[role].on(geometry)
        upright = turn.apply(volume.data)
        channels.extend(np.moveaxis(upright, -1, 0) if volume.channels > 1 else [upright])
    stacked = np.empty((*channels[0].shape, len(channels)), dtype=np.float32)
    for number, channel in enumerate(channels):
        stacked[..., number] = channel
    return stacked


def _box(head: Bools) -> tuple[slice, slice, slice]:
    sides = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        hit = np.flatnonzero(head.any(axis=others))
        sides.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return sides[0], sides[1], sides[2]


def _standardised(measured: Float32, head: Bools, depth: Float32) -> Float32:
    """Each channel less its mean, over its standard deviation, below the head's surface.

    The deviation grows with the tumour's contrast and size, which evens these out between
    patients; quartiles, the mode and ranks were tried and did worse.
    """
    deep = head & (depth >= min(_DEEP_MM, float(depth.max())))
    image = np.zeros(measured.shape, dtype=np.float32)
    for number in range(measured.shape[-1]):
        channel = measured[..., number]
        values = channel[deep]
        values = values[np.isfinite(values)].astype(np.float64)
        if values.size == 0:
            raise ModelError("an image does not cover the head of the reference image; re-export")
        mean, spread = float(values.mean()), float(values.std())
        spread = max(spread, 1e-6 * max(abs(mean), 1.0))
        scaled = np.clip((channel - mean) / spread, -_LIMIT, _LIMIT)
        image[..., number] = np.where(head & np.isfinite(channel), scaled, 0)
    return image


def _voxel(geometry: Geometry) -> float:
    """Size of a voxel or pixel, for comparing grids only."""
    return abs(float(np.linalg.det(geometry.affine[:-1, :-1])))
