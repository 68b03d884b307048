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
from onkos.io.damage import refusing
from onkos.io.nifti import as_labels, named

SUFFIXES = (".nrrd", ".nhdr")

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
        If its space is not anatomical or its directions span none.
    """
    data, _, geometry, caveats = _load(path)
    if data.dtype.kind == "f" and not np.isfinite(data).all():
        text = f"{path.name}: some values are not numbers; they are kept as they are."
        caveats = (*caveats, Caveat(code="not-finite", text=text))
    return Volume(data=data, geometry=geometry, modality=modality, unit=unit, caveats=caveats)


def read_mask(path: Path, names: Mapping[int, str] | None) -> Mask:
    """Read an NRRD label map; 3D Slicer's segment names are used where it has them."""
    data, header, geometry, caveats = _load(path)
    labels = as_labels(data, str(path))
    told = names if names is not None else _segments(header) or None
    return Mask(labels=labels, geometry=geometry, names=named(labels, told), caveats=caveats)


def _load(path: Path) -> tuple[AnyArray, Mapping[str, Any], Geometry, tuple[Caveat, ...]]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    with refusing(path, nrrd.NRRDError, what="NRRD file"):
        with path.open("rb") as file:
            header = nrrd.read_header(file)
            _require_own_data(path, header)
            data = nrrd.read_data(header, file, str(path), index_order="F")
        if data.ndim != 3:
            raise ContentError(
                f"{path}: array of shape {data.shape}; expected three axes. Export overlapping or "
                "layered segments, or time points, one by one"
            )
        geometry, caveats = _geometry(data, header, path)
    return data, header, geometry, caveats


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
    if "space directions" not in header:
        if "spacings" not in header:
            raise GeometryError(f"{path}: no space directions and no spacings; export it again")
        text = f"{path.name}: the file states no space, so which side is left is not known."
        grid = Geometry.upright(data.shape, spacing_mm=header["spacings"])
        return grid, (Caveat(code="orientation-unknown", text=text),)
    if space not in _TO_LPS:
        raise GeometryError(f"{path}: space {space!r}; expected one of {sorted(_TO_LPS)}")
    turn = np.array(_TO_LPS[space], dtype=np.float64)
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(header["space directions"], dtype=np.float64).T * turn[:, None]
    affine[:3, 3] = np.asarray(header.get("space origin", (0, 0, 0)), dtype=np.float64) * turn
    try:
        return Geometry(shape=data.shape, affine=affine), ()
    except GeometryError as error:
        raise GeometryError(f"{path}: {error}") from error


def _segments(header: Mapping[str, Any]) -> dict[int, str]:
    """Names that 3D Slicer gives to label values, each once."""
    found: dict[int, str] = {}
    number = 0
    while f"Segment{number}_LabelValue" in header:
        value = int(header[f"Segment{number}_LabelValue"])
        name = str(header.get(f"Segment{number}_Name", f"label-{value}"))
        found[value] = name if name not in found.values() else f"{name} ({value})"
        number += 1
    return found
