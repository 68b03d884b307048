"""NRRD files, and the segmentations that 3D Slicer writes in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nrrd
import numpy as np

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import AnyArray, Geometry
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.core.volume import Volume
from onkos.io.damage import plain, refusing
from onkos.io.looked_at import caveats_by_rule
from onkos.io.nifti import as_labels, named

SUFFIXES = (".nrrd", ".nhdr")

_MM_OF_UNIT = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 10.0),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1000.0),
    **dict.fromkeys(("um", "\u00b5m", "\u03bcm", "micron", "microns", "micrometer"), 1e-3),
    **dict.fromkeys(("micrometers", "micrometre", "micrometres"), 1e-3),
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre", "nanometres"), 1e-6),
    **dict.fromkeys(("in", "inch", "inches"), 25.4),
    "": 1.0,
}
_SPATIAL = ("domain", "space")
_UNKNOWN = ("???", "none", "nan", "unknown")

_TO_LPS = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}


def read(path: Path, *, modality: str = "", unit: str = "1") -> Volume:
    """Read an NRRD image of three spatial axes.

    Raises
    ------
    ContentError
        If the file is damaged or has further axes.
    GeometryError
        If its space is not anatomical, its directions span none, or its unit of length is unknown.
    """
    (data,), _, geometry, caveats = _load(path)
    if data.dtype.kind == "f" and not np.isfinite(data).all():
        text = f"{path.name}: some values are not numbers; they are kept as they are."
        caveats = (*caveats, Caveat(code="not-finite", text=text))
    return Volume(data=data, geometry=geometry, modality=modality, unit=unit, caveats=caveats)


def read_mask(path: Path, names: Mapping[int, str] | None) -> Mask:
    """Read an NRRD label map; 3D Slicer's segment names are used where it has them.

    Raises
    ------
    ContentError
        As :func:`read`, and if it holds several layers of segments: see :func:`read_masks`.
    """
    found = read_masks(path, names)
    if len(found) > 1:
        raise ContentError(
            f"{path}: {len(found)} layers of segments that overlap; expected one label map. Export "
            "the segments that are meant as one label map without overlaps"
        )
    return found[0]


def read_masks(path: Path, names: Mapping[int, str] | None) -> tuple[Mask, ...]:
    """Read every layer of an NRRD label map or of a segmentation of 3D Slicer, one mask each."""
    layers, header, geometry, caveats = _load(path, layered=True)
    made = []
    for number, data in enumerate(layers):
        labels = as_labels(data, str(path))
        told = names
        if names is None and (segments := _segments(header, number, path)):
            told = {**named(labels, None), **segments}
        told = named(labels, told)
        made.append(Mask(labels=labels, geometry=geometry, names=told, caveats=caveats))
    return tuple(made)


def _load(
    path: Path, *, layered: bool = False
) -> tuple[list[AnyArray], Mapping[str, Any], Geometry, tuple[Caveat, ...]]:
    """Layers of three axes, the header, their grid, and doubts."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    with refusing(path, nrrd.NRRDError, what="NRRD file"):
        with path.open("rb") as file:
            header = nrrd.read_header(file)
            _require_own_data(path, header)
            data = nrrd.read_data(header, file, str(path), index_order="F")
        layers = _layers(data, header, path, layered=layered)
        geometry, caveats = _geometry(layers[0], header, path)
        told = caveats_by_rule(
            "nrrd", lambda name: _text(header, name), placed=True, where=path.name
        )
    return layers, header, geometry, (*caveats, *told)


def _text(header: Mapping[str, Any], name: str) -> str:
    value = header.get(name)
    return "" if value is None or str(value).lower() == "nan" else str(value)


def _layers(
    data: AnyArray, header: Mapping[str, Any], path: Path, *, layered: bool
) -> list[AnyArray]:
    """Arrays of three spatial axes; an axis of length one that is none of space is dropped."""
    extra = _axes_beside_space(data, header)
    for axis in sorted(extra, reverse=True):
        if data.shape[axis] == 1:
            data = data.squeeze(axis)
            extra.remove(axis)
    if data.ndim == 3 and not extra:
        return [data]
    kinds = [str(kind).lower() for kind in header.get("kinds", ())]
    is_list = len(extra) == 1 and (not kinds or kinds[extra[0]] in ("list", "???", "none"))
    if layered and data.ndim == 4 and is_list:
        return list(np.moveaxis(data, extra[0], 0))
    raise ContentError(
        f"{path}: array of shape {data.shape} with axes {', '.join(kinds) or 'of no stated kind'}; "
        "expected three axes of space. Export time points or components one by one"
    )


def _axes_beside_space(data: AnyArray, header: Mapping[str, Any]) -> list[int]:
    """Axes that are none of space: without a direction, else of another kind."""
    directions = header.get("space directions")
    if directions is not None and len(directions) == data.ndim:
        none = [
            axis
            for axis, row in enumerate(directions)
            if row is None or np.isnan(np.asarray(row, dtype=np.float64)).all()
        ]
        if none:
            return none
    kinds = [str(kind).lower() for kind in header.get("kinds", ())]
    if len(kinds) == data.ndim and (named := [a for a, k in enumerate(kinds) if k not in _SPATIAL]):
        return named
    lone = [axis for axis in range(data.ndim - 1, -1, -1) if data.shape[axis] == 1]
    return sorted(lone[: max(0, data.ndim - 3)])


def _require_own_data(path: Path, header: Mapping[str, Any]) -> None:
    """Refuse a header whose values lie in a file outside its own folder."""
    name = header.get("data file", header.get("datafile"))
    if name is None:
        return
    folder = path.parent.resolve()
    if folder not in (folder / str(name)).resolve().parents:
        raise ContentError(
            f"{path}: its values are said to lie in {name!r}, outside its folder; expected a file "
            "beside it. Move it there and name it so if you trust it"
        )


def _geometry(
    data: AnyArray, header: Mapping[str, Any], path: Path
) -> tuple[Geometry, tuple[Caveat, ...]]:
    """Grid in LPS mm; a file without a space is placed by its spacing alone, with a caveat."""
    space = str(header.get("space", "")).lower()
    scale, caveats = _mm(header, path)
    if "space directions" not in header:
        if "spacings" not in header:
            raise GeometryError(f"{path}: no space directions and no spacings; export it again")
        spacings = np.asarray(header["spacings"], dtype=np.float64)
        spacing = spacings[np.isfinite(spacings)][:3] * scale
        text = f"{path.name}: the file states no space, so which side is left is not known."
        told = Caveat(code="orientation-unknown", text=text)
        return Geometry.upright(data.shape, spacing_mm=spacing.tolist()), (told, *caveats)
    if space not in _TO_LPS:
        raise GeometryError(
            f"{path}: space {space or 'not stated'!r}; expected one of {', '.join(_TO_LPS)}. "
            "Export it again with its orientation"
        )
    turn = np.array(_TO_LPS[space], dtype=np.float64)
    affine = np.eye(4)
    rows = [row for row in header["space directions"] if row is not None]
    directions = np.asarray(rows, dtype=np.float64)
    directions = directions[np.isfinite(directions).all(axis=1)]
    affine[:3, :3] = directions.T * turn[:, None] * scale
    origin = np.asarray(header.get("space origin", (0, 0, 0)), dtype=np.float64)
    affine[:3, 3] = origin * turn * scale
    if "space origin" not in header:
        text = (
            f"{path.name}: no space origin is stated; the first voxel is taken to lie at 0, 0, 0."
        )
        caveats = (*caveats, Caveat(code="place-unknown", text=text))
    try:
        return Geometry(shape=data.shape, affine=affine), caveats
    except GeometryError as error:
        raise GeometryError(f"{path}: {error}") from error


def _mm(header: Mapping[str, Any], path: Path) -> tuple[float, tuple[Caveat, ...]]:
    """Millimetres of a unit of length, as the file states it; 1 where it states none."""
    name = "space units" if "space units" in header else "units"
    stated = {str(unit).strip().lower() for unit in header.get(name, ())}
    if name == "units":  # axes that are none of space may have others
        stated = {unit for unit in stated if unit in _MM_OF_UNIT or unit in _UNKNOWN}
    lengths = {_MM_OF_UNIT[unit] for unit in stated if unit in _MM_OF_UNIT}
    strange = sorted(stated - set(_MM_OF_UNIT) - set(_UNKNOWN))
    if strange or len(lengths) > 1:
        raise GeometryError(
            f"{path}: {name} are {', '.join(sorted(stated))}; expected one unit of length, as mm, "
            "cm or um. Export it again in mm"
        )
    if stated & set(_UNKNOWN) and not lengths:
        text = f"{path.name}: the unit of length is not known ({name}); taken for mm."
        return 1.0, (Caveat(code="unit-of-length-unknown", text=text),)
    return next(iter(lengths), 1.0), ()


def _segments(header: Mapping[str, Any], layer: int, path: Path) -> dict[int, str]:
    """Names that 3D Slicer gives to the label values of a layer, each once."""
    found: dict[int, str] = {}
    number = 0
    while f"Segment{number}_ID" in header or f"Segment{number}_LabelValue" in header:
        try:
            value = int(header.get(f"Segment{number}_LabelValue", 1))
            own = int(header.get(f"Segment{number}_Layer", number if _is_old(header) else 0))
        except ValueError as error:
            raise ContentError(
                f"{path}: the label or layer of segment {number} is no number; export it again"
            ) from error
        name = plain(header.get(f"Segment{number}_Name", f"label-{value}"))
        if own == layer:
            found[value] = name if name not in found.values() else f"{name} ({value})"
        number += 1
    return found


def _is_old(header: Mapping[str, Any]) -> bool:
    """Whether the segments are each a layer of its own, as 3D Slicer wrote until 4.11."""
    return not any(str(key).endswith(("_Layer", "_LabelValue")) for key in header)
