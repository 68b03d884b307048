"""Classic features of computer-aided diagnosis of lung nodules on CT."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import AnyArray, FloatArray, Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.lesion.morphology import morphology
from onkos.features.lesion.runs import cooccurrence_counts, run_features, run_lengths
from onkos.features.pictures.picture import Description
from onkos.features.pictures.texture import haralick

HOUNSFIELD = "[hnsf'U]"
FAT_HU = (-120.0, -30.0)
GROUND_GLASS_HU = (-750.0, -300.0)
CALCIFIED_HU = 200.0
TEXTURE_HU = (-1000.0, 400.0)
BIN_HU = 25.0
GRID_MM = 1.0
SHELL_MM = 2.0  # on either side of the margin
AROUND_MM = 6.0  # margin of the block around the nodule


def nodule(ct: Volume, mask: Mask, *, name: str | None = None) -> Description:
    """Morphology, density, texture and margin of one outlined lung nodule.

    The three groups of features that deep features are compared with in the reference, and the
    margin. Texture and margin are computed after resampling to 1 mm, so that they do not depend
    on slice thickness.

    - ``shape-...``: see :func:`onkos.features.lesion.morphology.morphology`;
    - ``density-...``: HU of the voxels outlined; parts that are fat (-120 to -30 HU), ground
      glass (-750 to -300), solid (above -300), calcified (above 200); ``density-mass-g`` as if
      HU were mass over that of water;
    - ``glcm-...`` (Haralick) and ``runs-...`` (Galloway): neighbours and runs in all directions
      together, bins of 25 HU from -1000 to 400;
    - ``margin-...``: slope across the margin in HU per mm (mean and standard deviation of its
      size), its part along the outward normal (1: darkening straight outwards), and the shell of
      2 mm inside less that outside in HU.

    NaN: shapes of fewer than 8 voxels; texture where the nodule has no 1 mm voxel; what the edge
    of the volume cuts off is left out of the margin, NaN where nothing is left; skewness and
    kurtosis of one value.

    Parameters
    ----------
    ct
        CT in Hounsfield units.
    mask
        The outline, on the same grid.
    name
        Which of the mask's tissues; None for all together.

    Raises
    ------
    ContentError
        If the unit is not HU, a value in the outline is not finite, or the outline is empty.
    GeometryError
        If the grids differ or are not volumes.

    References
    ----------
    Sun W, Zheng B, Qian W. Automatic feature learning using multichannel ROI based on deep
    structured algorithms for computerized lung cancer diagnosis. Comput Biol Med 2017;89:530-539.
    doi:10.1016/j.compbiomed.2017.04.006
    """
    inside = _outlined(ct, mask, name)
    values = np.asarray(ct.data)[inside].astype(np.float64)
    if not np.isfinite(values).all():
        raise ContentError(
            f"{int((~np.isfinite(values)).sum())} of {values.size} voxels of the nodule are not "
            "finite; fill them or outline the nodule anew"
        )
    block = _box(inside)
    within = inside[block]
    shapes = morphology(within, ct.geometry.crop([side.start for side in block], within.shape))
    grey, lesion = _resampled(ct, inside, block)
    parts = {
        "shape": shapes,
        "density": _density(values, shapes["volume-ml"]),
        "glcm": {},
        "runs": {},
        "margin": _margin(grey, lesion),
    }
    parts["glcm"], parts["runs"] = _texture(grey, lesion)
    return Description.of(
        {f"{part}-{key}": value for part, found in parts.items() for key, value in found.items()}
    )


def _outlined(ct: Volume, mask: Mask, name: str | None) -> AnyArray:
    if ct.geometry.ndim != 3:
        raise GeometryError("a plain picture has no nodule's volume; expected a CT volume")
    if ct.unit != HOUNSFIELD:
        raise ContentError(
            f"values in {ct.unit!r}; expected Hounsfield units ({HOUNSFIELD}), as densities are "
            "told by them"
        )
    ct.geometry.require_same(mask.geometry, doing="describing a nodule")
    inside = np.asarray(mask.where() if name is None else mask.where(name), dtype=bool)
    if not inside.any():
        raise ContentError(f"the outline of {name or 'the nodule'} is empty; expected its voxels")
    return inside


def _box(inside: AnyArray) -> tuple[slice, ...]:
    hit = np.argwhere(inside)
    return tuple(
        slice(int(low), int(high) + 1)
        for low, high in zip(hit.min(axis=0), hit.max(axis=0), strict=True)
    )


def _resampled(
    ct: Volume, inside: AnyArray, block: tuple[slice, ...]
) -> tuple[FloatArray, AnyArray]:
    """Cube of 1 mm voxels around the nodule, NaN beyond the CT; and the nodule in it."""
    steps = np.array(ct.geometry.spacing_mm)
    start = np.array([side.start for side in block])
    size = (np.array(inside[block].shape) - 1) * steps
    shape = tuple(int(n) for n in np.ceil((size + 2 * AROUND_MM) / GRID_MM) + 1)
    affine = np.eye(4)
    affine[:3, :3] = ct.geometry.directions * GRID_MM
    corner = (start + size / steps / 2) - (np.array(shape) - 1) / 2 * GRID_MM / steps
    affine[:3, 3] = ct.geometry.to_mm(corner)
    grid = Geometry(shape=shape, affine=affine)
    filled = Mask(labels=inside, geometry=ct.geometry, names={1: "nodule"})
    return (
        np.asarray(ct.on(grid).data, dtype=np.float64),
        np.asarray(filled.on(grid).where(), dtype=bool),
    )


def _density(values: FloatArray, volume_ml: float) -> dict[str, float]:
    mean, sd = float(values.mean()), float(values.std())
    deciles = np.quantile(values, [0.1, 0.25, 0.5, 0.75, 0.9])
    bins = np.floor((values - values.min()) / BIN_HU).astype(int)
    shares = np.bincount(bins) / len(values)
    held = shares[shares > 0]
    scaled = (values - mean) / sd if sd > 0 else np.full(1, math.nan)
    glass = (values >= GROUND_GLASS_HU[0]) & (values <= GROUND_GLASS_HU[1])
    return {
        "mean-hu": mean,
        "sd-hu": sd,
        "least-hu": float(values.min()),
        "greatest-hu": float(values.max()),
        **{
            f"p{name}-hu": float(value)
            for name, value in zip((10, 25, 50, 75, 90), deciles, strict=True)
        },
        "skewness": float((scaled**3).mean()),
        "kurtosis": float((scaled**4).mean()) - 3,
        "entropy": float(-(held * np.log2(held)).sum()) + 0.0,
        "fat": float(((values >= FAT_HU[0]) & (values <= FAT_HU[1])).mean()),
        "ground-glass": float(glass.mean()),
        "solid": float((values > GROUND_GLASS_HU[1]).mean()),
        "calcified": float((values > CALCIFIED_HU).mean()),
        "mass-g": volume_ml * max(0.0, mean + 1000) / 1000,
    }


def _texture(grey: FloatArray, lesion: AnyArray) -> tuple[dict[str, float], dict[str, float]]:
    levels = round((TEXTURE_HU[1] - TEXTURE_HU[0]) / BIN_HU)
    known = lesion & np.isfinite(grey)
    scaled = (np.where(known, grey, 0.0) - TEXTURE_HU[0]) / BIN_HU
    binned = np.where(known, np.floor(scaled).clip(0, levels - 1), -1).astype(np.int64)
    counts = cooccurrence_counts(binned, levels)
    runs = run_lengths(binned, levels)
    return haralick(counts / max(counts.sum(), 1.0)), run_features(runs, int(known.sum()))


def _margin(grey: FloatArray, lesion: AnyArray) -> dict[str, float]:
    names = ("slope-hu-per-mm", "slope-sd-hu-per-mm", "radial", "step-hu")
    if not lesion.any():
        return dict.fromkeys(names, math.nan)
    outside = ndimage.distance_transform_edt(~lesion, sampling=GRID_MM)
    depth = ndimage.distance_transform_edt(lesion, sampling=GRID_MM)
    signed = outside - depth
    slopes = np.gradient(grey, GRID_MM)
    normal = np.gradient(ndimage.gaussian_filter(signed, 1.0), GRID_MM)
    size = np.sqrt(sum(one**2 for one in slopes))
    along = -sum(one * other for one, other in zip(slopes, normal, strict=True))
    along /= np.maximum(np.sqrt(sum(one**2 for one in normal)), 1e-9)
    near = (np.abs(signed) <= SHELL_MM) & np.isfinite(size)
    inner = grey[lesion & (depth <= SHELL_MM) & np.isfinite(grey)]
    outer = grey[~lesion & (outside <= SHELL_MM) & np.isfinite(grey)]
    steep = float(size[near].sum())
    return {
        "slope-hu-per-mm": float(size[near].mean()) if near.any() else math.nan,
        "slope-sd-hu-per-mm": float(size[near].std()) if near.any() else math.nan,
        "radial": float(along[near].sum()) / steep if steep > 0 else math.nan,
        "step-hu": float(inner.mean() - outer.mean()) if inner.size and outer.size else math.nan,
    }
