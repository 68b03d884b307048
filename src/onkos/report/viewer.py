"""Images for the viewer inside the page: upright, reduced, eight bits, compressed."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from onkos.core.geometry import AnyArray, FloatArray, Geometry
from onkos.core.mask import Mask
from onkos.core.reading import Reading
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.report.display import Scale, scale_of
from onkos.report.pictures import grey, place
from onkos.report.planes import bounds_mm

LONGEST_SIDE = 160
#: All images together, in voxels of one byte: 12 MB as base64 even if nothing compresses.
VOXEL_BUDGET = 9_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """What the page's script needs, and what the reader must know about it.

    Parameters
    ----------
    facts
        Grid, roles with their scales and windows, tissues; goes into the page as JSON.
    images
        Compressed voxels in base64, one entry a role, x fastest; code 0 is outside.
    labels
        The outline on the same grid, likewise; empty without one.
    notes
        Sentences on the reduced resolution and on images that are left out.
    """

    facts: Mapping[str, Any]
    images: tuple[str, ...]
    labels: str
    notes: tuple[str, ...]


def viewer_of(reading: Reading, *, site: str, colours: Mapping[str, str]) -> Viewer | None:
    """Pack a reading's images for the viewer; None where the reference is a plain picture."""
    reference = reading.study.volume(reading.reference)
    if reference.geometry.ndim != 3:
        return None
    shown, left_out = _linked(reading.study, reading.reference)
    grid = upright_grid(reference.geometry, images=len(shown))
    low, high = bounds_mm(reference.geometry)
    middle = _nearest(grid, (low + high) / 2)
    lesions = [
        {"name": lesion.id, "at": _nearest(grid, place(lesion)[0])}
        for lesion in reading.lesions
        if lesion.where is not None
    ]
    roles, images = [], []
    for role, volume in shown.items():
        scale = scale_of(volume, site=site)
        roles.append(_role_facts(role, volume, scale))
        images.append(_packed(scale.encode(_reduced(volume, grid).on(grid).data)))
    step = grid.spacing_mm[0]
    facts = {
        "shape": grid.shape,
        "step_mm": step,
        "origin_mm": grid.origin_mm.tolist(),
        "start": lesions[0]["at"] if lesions else middle,
        "lesions": lesions,
        "roles": roles,
        "tissues": _tissues(reading.mask, colours),
    }
    finest = min(reference.geometry.spacing_mm)
    resolution = (
        f"The viewer shows the images at {step:.2g} mm in 255 grey levels"
        f" (acquired at down to {finest:.2g} mm); the outline was made on the full images."
    )
    return Viewer(
        facts=facts,
        images=tuple(images),
        labels=_packed(reading.mask.on(grid).labels.astype(np.uint8)) if reading.mask else "",
        notes=(resolution, *left_out),
    )


def upright_grid(geometry: Geometry, *, images: int) -> Geometry:
    """Isotropic grid along the patient's axes around a volume, within side and budget."""
    low, high = bounds_mm(geometry)
    size = high - low
    by_budget = (float(np.prod(size)) * images / VOXEL_BUDGET) ** (1 / 3)
    step = max(float(size.max()) / LONGEST_SIDE, by_budget, min(geometry.spacing_mm))
    shape = np.maximum(np.floor(size / step + 1e-6), 1).astype(int)
    origin = (low + high) / 2 - (shape - 1) * step / 2
    return Geometry.upright(shape.tolist(), spacing_mm=(step,) * 3, origin_mm=origin.tolist())


def _linked(study: Study, reference: str) -> tuple[dict[str, Volume], tuple[str, ...]]:
    """Images that share the reference's space, the reference first, and why others do not."""
    frame = _frame(study.volume(reference))
    shown = {reference: grey(study.volume(reference))}
    left_out = []
    for role, volume in study.volumes.items():
        if volume.geometry.ndim != 3:
            left_out.append(f"{role} is a plain picture and is not in the viewer.")
        elif frame and _frame(volume) and _frame(volume) != frame:
            left_out.append(
                f"{role} lies in another frame of reference than {reference}: it cannot be "
                "linked to it and is not in the viewer."
            )
        elif role != reference:
            shown[role] = grey(volume)
    return shown, tuple(left_out)


def _nearest(grid: Geometry, mm: FloatArray) -> list[int]:
    """Index of the voxel of a grid that lies nearest to a place."""
    index = np.clip(np.rint(grid.to_index(mm)), 0, np.array(grid.shape) - 1)
    return [int(side) for side in index]


def _frame(volume: Volume) -> str:
    return volume.source.frame_of_reference_uid if volume.source else ""


def _role_facts(role: str, volume: Volume, scale: Scale) -> dict[str, Any]:
    return {
        "name": role,
        "unit": {"[hnsf'U]": "HU", "1": "", "g/ml": "SUV"}.get(volume.unit, volume.unit),
        "levels": [None, *(round(float(level), 4) for level in scale.levels)],
        "windows": [
            {"name": window.name, "low": window.low, "high": window.high}
            for window in scale.windows
        ],
    }


def _tissues(mask: Mask | None, colours: Mapping[str, str]) -> list[dict[str, Any]]:
    if mask is None:
        return []
    counts = mask.counts
    return [
        {"label": label, "name": name, "colour": colours[name], "voxels": counts[name]}
        for label, name in mask.names.items()
    ]


def _reduced(volume: Volume, grid: Geometry) -> Volume:
    """Average whole blocks of voxels that are finer than the grid, so that none is skipped."""
    step = grid.spacing_mm[0]
    blocks = [
        min(max(1, int(step / own + 1e-6)), side)
        for own, side in zip(volume.geometry.spacing_mm, volume.geometry.shape, strict=True)
    ]
    if max(blocks) == 1:
        return volume
    sides = [side // block for side, block in zip(volume.geometry.shape, blocks, strict=True)]
    data = volume.data[tuple(slice(n * block) for n, block in zip(sides, blocks, strict=True))]
    for axis, (side, block) in enumerate(zip(sides, blocks, strict=True)):
        split = (*data.shape[:axis], side, block, *data.shape[axis + 1 :])
        data = data.reshape(split).mean(axis=axis + 1, dtype=np.float32)
    affine = volume.geometry.affine.copy()
    affine[:3, 3] = volume.geometry.to_mm([(block - 1) / 2 for block in blocks])
    affine[:3, :3] *= blocks
    return replace(volume, data=data, geometry=Geometry(shape=tuple(sides), affine=affine))


def _packed(codes: AnyArray) -> str:
    return base64.b64encode(gzip.compress(codes.tobytes(order="F"), 6, mtime=0)).decode("ascii")
