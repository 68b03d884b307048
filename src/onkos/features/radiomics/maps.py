"""Feature maps: features of a small window around every voxel of a region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import ContentError, UsageError
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.core.volume import Volume
from onkos.features.radiomics import catalogue
from onkos.features.radiomics.grid import axes_to
from onkos.features.radiomics.region import Block, Region, blocks, in_levels, region
from onkos.features.radiomics.settings import Settings
from onkos.features.radiomics.usable import require_usable
from onkos.features.radiomics.window import KNOWN, column, layout, windows
from onkos.features.threads import each, slabs

RegionMap = tuple[NDArray[Any], NDArray[np.float32]]

#: Features mapped by default.
DEFAULT = (
    "stat_mean",
    "stat_var",
    "ih_entropy",
    "cm_contrast_3D_comb",
    "cm_joint_entr_3D_comb",
    "cm_inv_diff_3D_comb",
)

_WIDEST = 7
_WITHOUT_UNIT = ("skew", "kurt", "cov", "qcod")
_IN_SQUARED_UNITS = ("var", "energy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Window around a voxel: a cube with sides of 2 ``radius`` + 1 voxels.

    Parameters
    ----------
    radius
        1 to 7 voxels of the image's grid, whatever their size in mm.
    masked
        Whether only voxels of the region are used. Otherwise all within the cube are, and
        levels are computed over the box that holds the region and its windows, as in
        PyRadiomics.

    Raises
    ------
    UsageError
        If the radius is not among the known ones.
    """

    radius: int = 1
    masked: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.radius <= _WIDEST:
            raise UsageError(f"radius {self.radius}: expected 1 to {_WIDEST} voxels")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maps(Mapping[str, Volume]):
    """Features of every voxel, by tag; volumes are built on access.

    Iterating without keeping the volumes holds one at a time; ``dict(maps)`` holds them all.

    Parameters
    ----------
    names
        Tags, e.g. ``cm_contrast_3D_comb``.
    parts
        For each region: indices of its voxels in the raveled (k, j, i) grid, and their values,
        (names, voxels), 32 bits.
    image
        The image without its pixels: its grid, modality, unit, and all caveats.
    """

    names: tuple[str, ...]
    parts: tuple[RegionMap, ...]
    image: Volume

    def __getitem__(self, name: str) -> Volume:
        """Volume of a feature on the image's grid, NaN outside and where it is undefined."""
        if name not in self.names:
            raise KeyError(name)
        row = self.names.index(name)
        grid = np.full(self.image.geometry.shape[::-1], np.nan, dtype=np.float32)
        undefined = 0
        for where, values in self.parts:
            grid.reshape(-1)[where] = values[row]
            undefined += int(np.isnan(values[row]).sum())
        caveats = self.image.caveats
        if undefined:
            text = (
                f"Undefined in {undefined} of {self.voxels} windows: too small or too homogeneous."
            )
            caveats = (*caveats, Caveat(code="undefined", text=text, where=name))
        unit = _unit(name, self.image.unit)
        return replace(self.image, data=grid.T, unit=unit, caveats=caveats)

    def __iter__(self) -> Iterator[str]:
        """Tags in the order requested."""
        return iter(self.names)

    def __len__(self) -> int:
        """Number of maps."""
        return len(self.names)

    @property
    def voxels(self) -> int:
        """How many voxels have a window."""
        return sum(len(where) for where, _ in self.parts)


def maps(
    volume: Volume,
    mask: Mask,
    settings: Settings | None = None,
    *,
    features: Sequence[str] | None = None,
    window: Window | None = None,
    threads: int = 2,
) -> Maps:
    """Radiomic features of the neighbourhood of every voxel (PyRadiomics: voxel-based).

    They show spatial heterogeneity within a tumour (habitats, necrosis, biopsy targets). A value
    equals that of :func:`radiomics` for the window alone, with levels computed once over the
    whole region. Windows are small, so values are noisy, and those of neighbouring voxels are
    correlated. They are research values.

    Memory: 4 bytes per voxel of a region for each map, and 4 for its index; 4 bytes per voxel of
    the image for the volume in use; during computation 24 bytes per voxel of the region's
    bounding box (and 4 of the image if it is normalised), and per thread a workspace that
    depends on the window and the number of levels: under 1 MiB with radius 1 or 2, at most
    100 MiB.

    Parameters
    ----------
    volume
        Grey values on a grid of three axes.
    mask
        Regions on the same grid, processed separately: each has its own levels, and a masked
        window does not include other regions. Select or merge labels beforehand.
    settings
        Normalisation, re-segmentation, discretisation, dependence; the defaults of
        :class:`Settings` if None. Families and aggregations are those of ``features``. Voxels
        removed by re-segmentation get no value and are not used.
    features
        Tags of the families stat, ih, cm, rlm (``_3D_comb``), szm, ngt and ngl (``_3D``); or
        names of families, for all of theirs. Those of the settings if None, else six.
    window
        Radius 1 with the mask if None.
    threads
        Number of threads; the values do not depend on it.

    Raises
    ------
    UsageError
        If a feature is unknown (the message names the known ones), or the settings ask for
        another grid or for filters.
    GeometryError
        If the grids differ, are sheared (gantry tilt), or are plain pictures.
    ContentError
        If the image has colours, an intensity that takes part is not a number, or no voxel is
        left in any region.

    References
    ----------
    van Griethuysen JJM et al. Computational radiomics system to decode the radiographic
    phenotype. Cancer Res 2017;77:e104-e107. doi:10.1158/0008-5472.CAN-17-0339
    """
    settings = Settings() if settings is None else settings
    window = Window() if window is None else window
    names = tags(settings.features or DEFAULT if features is None else features)
    require_usable(volume, mask, doing="maps")
    _require_own_grid(volume, settings)
    if settings.normalisation is not None:
        scaled = settings.normalisation.applied(volume.data.T).T
        volume = replace(volume, data=scaled, unit="1")
    labels = mask.labels.T
    parts: list[RegionMap] = []
    caveats = [*volume.caveats, *mask.caveats]
    wanted = sorted(mask.names)
    for label, block in zip(wanted, blocks(labels, np.array(wanted, dtype=np.int64)), strict=True):
        part = None
        if block is not None:
            try:
                part = _of_region(
                    volume, (labels, label, block), (names, settings, window), threads
                )
            except ContentError as error:
                raise ContentError(f"region {mask.names[label]!r}: {error}") from error
        if part is None:
            text = "The region has no voxel, or re-segmentation left none."
            caveats.append(Caveat(code="empty-region", text=text, where=mask.names[label]))
        else:
            parts.append(part)
    if not parts:
        raise ContentError("maps of a mask without a voxel to look at: expected an outlined region")
    nothing = np.broadcast_to(np.float32(np.nan), volume.geometry.shape)
    image = replace(volume, data=nothing, source=None, caveats=tuple(caveats))
    return Maps(names=names, parts=tuple(parts), image=image)


def tags(features: Sequence[str]) -> tuple[str, ...]:
    """Tags of the features asked for, with families spelled out, each once.

    Raises
    ------
    UsageError
        If one is unknown, or nothing is asked for; the message names the known ones.
    """
    known = {family: catalogue.tags((family,), ("3D_comb",)) for family in KNOWN}
    every = [tag for family in known.values() for tag in family]
    unknown = [name for name in features if name not in known and name not in every]
    if unknown or not features:
        near = [one for name in unknown for one in get_close_matches(name, every, n=3)]
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(
            f"maps of {unknown or 'no feature'}: {meant}Known are the families {', '.join(known)}, "
            "and the tags of their features, as `onkos features` has them for columns"
        )
    return tuple(dict.fromkeys(tag for name in features for tag in known.get(name, (name,))))


def _of_region(volume: Volume, where: Any, asked: Any, threads: int) -> RegionMap | None:
    """Places and values of one label's voxels; None where re-segmentation leaves none."""
    labels, label, block = where
    _, settings, window = asked
    plain = replace(settings, families=("stat",), features=(), spacing_mm=None)  # no margin
    looked_at = labels
    if not window.masked:
        sides = zip(block, labels.shape, strict=True)
        far = window.radius
        block = tuple((max(a - far, 0), min(b + far, side)) for (a, b), side in sides)
        looked_at = np.broadcast_to(labels.dtype.type(label), labels.shape)
    steps = volume.geometry.spacing_mm[::-1]
    found = region(volume.data.T, looked_at, label, block, steps, plain)
    if found is None:
        return None
    centres = np.logical_and(
        found.inside, labels[tuple(slice(*ends) for ends in block)] == label, order="C"
    )
    if not centres.any():
        return None
    values = _values(found, centres, asked, threads)
    return _places(centres, block, labels.shape), values


def _values(
    found: Region, centres: NDArray[np.bool_], asked: Any, threads: int
) -> NDArray[np.float32]:
    """Values, (names, voxels), of the centres in the order of the grid."""
    names, settings, window = asked
    levels, count = in_levels(found, settings)
    inner, box = levels[1:-1, 1:-1, 1:-1], np.ascontiguousarray(found.box)
    columns = [_column(name) for name in names]
    families = {name.split("_", 1)[0] for name in names}
    plan = (
        window.radius,
        count,
        settings.dependence,
        np.array([family in families for family in KNOWN]),
        np.array(columns, dtype=np.intp),
        layout(window.radius),
    )
    starts = [0, *accumulate(int(plane.sum()) for plane in centres)]
    out = np.empty((len(names), starts[-1]), dtype=np.float32)

    def part(start: int, stop: int) -> None:
        windows(inner, box, centres, (start, stop), plan, out[:, starts[start] : starts[stop]])

    each(part, slabs(len(centres), parts=8 * threads), threads=threads)
    out.setflags(write=False)
    return out


def _places(centres: NDArray[np.bool_], block: Block, shape: tuple[int, ...]) -> NDArray[Any]:
    """Where voxels of a block lie in the raveled grid, in as few bytes as hold it."""
    kind = np.int32 if np.prod(shape, dtype=np.int64) < 1 << 31 else np.int64
    (first, _), (top, _), (left, _) = block
    made = []
    for k, plane in enumerate(centres, start=first):
        j, i = np.nonzero(plane)
        made.append((((k * shape[1]) + j + top) * shape[2] + i + left).astype(kind))
    return np.concatenate(made)


def _column(name: str) -> int:
    family, rest = name.split("_", 1)
    for ending in catalogue.endings(family, ("3D_comb",)):
        rest = rest.removesuffix(ending)
    return column(family, rest)


def _unit(name: str, unit: str) -> str:
    """UCUM unit of a feature; only intensities have one."""
    family, rest = name.split("_", 1)
    if family != "stat" or unit == "1" or rest in _WITHOUT_UNIT:
        return "1"
    return f"({unit})2" if rest in _IN_SQUARED_UNITS else unit


def _require_own_grid(volume: Volume, settings: Settings) -> None:
    if settings.filters or not settings.original:
        raise UsageError(
            "maps with filters: maps are of one image; filter the volume first, then map the "
            "response with settings that name no filter"
        )
    steps = volume.geometry.spacing_mm[::-1]
    if not all(axis.same for axis in axes_to(volume.data.T.shape, steps, settings.spacing_mm)):
        raise UsageError(
            f"maps with spacing_mm {settings.spacing_mm} on {volume.geometry}: maps lie on the "
            "image's own grid; bring volume and mask onto the grid you mean first, with "
            ".on(geometry), and leave spacing_mm out"
        )
