"""PyRadiomics' image types as Onkos filters, each with its binning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from onkos.core.errors import UsageError
from onkos.features.filters import Boundary, LaplacianOfGaussian, Wavelet
from onkos.features.radiomics.filtered import Filtering
from onkos.features.radiomics.pyradiomics.notes import Notes

_BINS = ("binWidth", "binCount")
_OWN = {"LoG": ("sigma",), "Wavelet": ("wavelet", "start_level", "level")}
_LACKING = "we do not have this image; its features are missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One filtered image: PyRadiomics' name and the Onkos filter."""

    name: str
    filtering: Filtering


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """All images: whether the original is among them, its bins, and the filtered ones."""

    original: bool
    discretisation: str
    bins: float
    filtered: tuple[Image, ...]


def images(types: Mapping[str, Any], setting: Mapping[str, Any], notes: Notes) -> Images:
    """Images requested in a parameter file; the original alone if it names none."""
    types = types or {"Original": {}}
    filtered: list[Image] = []
    for name, custom in types.items():
        own = {key: value for key, value in custom.items() if value is not None}
        allowed = (*_BINS, *_OWN.get(name, ()))
        others = [key for key in own if key not in allowed]
        if name not in ("Original", *_OWN):
            notes.left_out(f"imageType {name}", _LACKING)
            continue
        if others:
            raise UsageError(
                f"imageType {name}: {others} for this image alone; expected only "
                f"{', '.join(allowed)}, the rest under setting"
            )
        made = {**setting, **own}
        if name == "LoG":
            filtered.extend(_laplacians(made, notes))
        elif name == "Wavelet":
            filtered.extend(_wavelets(made, notes))
    kind, bins = _bins({**setting, **(types.get("Original") or {})}, notes)
    return Images(
        original="Original" in types, discretisation=kind, bins=bins, filtered=tuple(filtered)
    )


def _bins(setting: Mapping[str, Any], notes: Notes | None = None) -> tuple[str, float]:
    """Discretisation and bins; a bin count overrides a width, as in PyRadiomics."""
    width, count = setting.get("binWidth"), setting.get("binCount")
    if count is None:
        return "width", float(25 if width is None else width)
    if width is not None and notes is not None:
        notes.without_effect("setting binWidth", "binCount rules it out, in PyRadiomics too")
    return "number", float(count)


def _laplacians(setting: Mapping[str, Any], notes: Notes) -> Iterator[Image]:
    sigmas = setting.get("sigma") or []
    if not sigmas:
        notes.left_out("imageType LoG", "no sigma is given, in PyRadiomics neither is an image")
        return
    notes.differs(
        "imageType LoG",
        "PyRadiomics has ITK's recursive filter, ours is the kernel itself up to 4 sigma: maps "
        "differ by up to 0.5 % of their range where sigma is at least as long as a voxel, by a "
        "tenth and more where a voxel is longer (thick slices); features by about 1 %, those that "
        "weigh low grey levels by more. Once it resamples or crops, PyRadiomics filters only what "
        "lies within padDistance of the region",
    )
    kind, bins = _bins(setting)
    for sigma in sigmas:
        name = f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D"
        kernel = LaplacianOfGaussian(sigma_mm=float(sigma), boundary=Boundary(beyond="nearest"))
        yield Image(
            name=name,
            filtering=Filtering(
                filter=kernel, name=name, discretisation=kind, bins=bins, scale_normalised=True
            ),
        )


def _wavelets(setting: Mapping[str, Any], notes: Notes) -> Iterator[Image]:
    start, levels = setting.get("start_level", 0), setting.get("level", 1)
    again = "PyRadiomics repeats the kernel unspread, ours is spread from level to level (a trous)"
    if start:
        notes.left_out(f"imageType Wavelet, start_level {start}", again)
        return
    letters = 2 if setting.get("force2D", False) else 3
    bands = ["".join(band) for band in product("LH", repeat=letters)]
    if levels > 1:
        notes.left_out(f"imageType Wavelet, levels 2 to {levels}", again)
        bands.remove("L" * letters)  # PyRadiomics gives the approximation of the last level alone
    notes.differs(
        "imageType Wavelet",
        "equal but for voxels near the edge of what PyRadiomics has cut out (padDistance): it "
        "repeats that periodically, we the whole image",
    )
    kind, bins = _bins(setting)
    for band in bands:
        filtered = Wavelet(
            family=setting.get("wavelet", "coif1"),
            band=band,
            boundary=Boundary(beyond="periodic"),
        )
        name = f"wavelet-{band}"
        yield Image(
            name=name,
            filtering=Filtering(filter=filtered, name=name, discretisation=kind, bins=bins),
        )
