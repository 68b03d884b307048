"""Translation of a PyRadiomics parameter file to Onkos settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from onkos.core.errors import UsageError
from onkos.features.radiomics import catalogue
from onkos.features.radiomics.normalisation import Normalisation
from onkos.features.radiomics.pyradiomics import names
from onkos.features.radiomics.pyradiomics.images import Images, images
from onkos.features.radiomics.pyradiomics.notes import Difference, Notes
from onkos.features.radiomics.pyradiomics.schema import SECTIONS, require_valid
from onkos.features.radiomics.settings import Settings

_INTERPOLATORS = {"sitkNearestNeighbor": "nearest", "sitkLinear": "linear", "sitkBSpline": "cubic"}
_NUMBERED = {1: "sitkNearestNeighbor", 2: "sitkLinear", 3: "sitkBSpline"}
_ANY_SIZE = "regions of any size are extracted; what is undefined is empty, with a caveat"
_WITHOUT_EFFECT = {
    "additionalInfo": "no diagnostics columns; the hash of the settings and the version are given",
    "geometryTolerance": "grids of image and mask that differ are refused, to our own tolerance",
    "correctMask": "a mask on another grid is refused, never resampled unasked",
    "preCrop": "nothing depends on it: what a filter or spline needs around a region is read",
    "padDistance": "nothing is cut: what a filter or spline needs around a region is read, where "
    "PyRadiomics sees only this many voxels around it once it resamples or crops",
    "label_channel": "every region of the mask is a row",
    "minimumROIDimensions": _ANY_SIZE,
    "minimumROISize": _ANY_SIZE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """Translated parameter file.

    Parameters
    ----------
    settings
        Settings that give the features asked for, where we have them.
    columns
        PyRadiomics' name of each (``original_glcm_Contrast``) -> header of our column
        (``cm_contrast_3D_avg_ACUI``); equal values unless a difference says otherwise.
    differences
        What is left out, what has another value and what has no effect here, in words.
    """

    settings: Settings
    columns: Mapping[str, str]
    differences: tuple[Difference, ...]


def is_parameters(plain: Any) -> bool:
    """Whether a table is a PyRadiomics parameter file, by its sections."""
    return isinstance(plain, Mapping) and bool({*SECTIONS, "inputImage"} & set(plain))


def translate(plain: Mapping[str, Any]) -> Translation:
    """Translate a parameter file of PyRadiomics (3.0 or 3.1) to Onkos settings.

    Parameters
    ----------
    plain
        What YAML or JSON hold: ``imageType``, ``featureClass``, ``setting``, ``voxelSetting``.

    Raises
    ------
    UsageError
        For what PyRadiomics' own schema refuses, and for settings that would change every value
        and that we cannot follow.

    References
    ----------
    van Griethuysen JJM et al. Computational radiomics system to decode the radiographic
    phenotype. Cancer Res 2017;77:e104-e107. doi:10.1158/0008-5472.CAN-17-0339
    """
    require_valid(plain)
    notes = Notes()
    given = plain.get("setting", {})
    setting = {k: v for k, v in given.items() if v is not None or k == "interpolator"}
    asked = _asked(plain.get("featureClass", {}))
    seen = images(plain.get("imageType", {}), setting, notes)
    aggregation = _aggregation(setting)
    if {"glcm"} & set(asked):
        notes.differs("glcm Correlation, Imc1", "empty in a region of one level; there 1 and 0")
    tags = _tags(asked, aggregation, setting, notes)
    _note_the_rest(setting, plain.get("voxelSetting", {}), notes)
    families = {tag.split("_", 1)[0] for tag in tags.values()}
    if not tags:
        raise UsageError("featureClass: none of the features asked for is here; see the docs")
    settings = Settings(
        **_processing(setting, notes),
        discretisation=seen.discretisation,
        bins=seen.bins,
        first_bin="multiple",
        dependence=setting.get("gldm_a", 0),
        families=tuple(family for family in catalogue.FAMILIES if family in families),
        aggregations=(aggregation,),
        features=tuple(dict.fromkeys(tags.values())),
        original=seen.original,
        filters=tuple(image.filtering for image in seen.filtered),
    )
    columns = MappingProxyType(_columns(tags, seen))
    return Translation(settings=settings, columns=columns, differences=tuple(notes.found))


def _asked(classes: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Features by class: those named, all of a class without names, all classes without any."""
    if not classes:
        return {group: names.every(group) for group in names.SAME if group != "shape2D"}
    return {group: named or names.every(group) for group, named in classes.items()}


def _tags(
    asked: Mapping[str, Sequence[str]], aggregation: str, setting: Mapping[str, Any], notes: Notes
) -> dict[tuple[str, str], str]:
    """Onkos tag of each feature by class and name."""
    shift = setting.get("voxelArrayShift", 0)
    tags: dict[tuple[str, str], str] = {}
    for group, named in asked.items():
        for name in named:
            where, key = f"{group} {name}", (group, name)
            tag = names.tag(group, name, aggregation)
            if tag is None:
                reason = names.ABSENT.get(key) or names.DEPRECATED[key]
                notes.left_out(where, reason)
                continue
            tags[key] = tag
            if key in names.OTHER:
                notes.differs(where, names.OTHER[key][1])
            elif group == "shape" and (name in names.MESH or name in names.REDUNDANT):
                notes.differs(where, names.MESH_REASON)
            elif group == "firstorder" and name in names.SHIFTED and shift:
                notes.differs(where, f"PyRadiomics adds voxelArrayShift, {shift}, to intensities")
    return tags


def _columns(tags: Mapping[tuple[str, str], str], seen: Images) -> dict[str, str]:
    """PyRadiomics names and Onkos column headers of all features, image by image."""
    columns: dict[str, str] = {}
    shown = [("original", ""), *((one.name, f"{one.filtering.id}_") for one in seen.filtered)]
    for image, start in shown:
        for (group, name), tag in tags.items():
            # shape is described once, of the original, whether its intensities are asked for or not
            there = not start if group == "shape" else start or seen.original
            if there:
                columns[f"{image}_{group}_{name}"] = f"{start}{tag}_{catalogue.identifier(tag)}"
    return columns


def _aggregation(setting: Mapping[str, Any]) -> str:
    """Aggregation; PyRadiomics averages over directions, or merges their matrices."""
    if setting.get("distances", [1]) != [1]:
        raise UsageError(
            f"distances {setting['distances']}: only [1], as in IBSI's reference; leave it out"
        )
    if not setting.get("symmetricalGLCM", True):
        raise UsageError("symmetricalGLCM false: IBSI's matrices are symmetrical; leave it out")
    norm = setting.get("weightingNorm")
    if norm not in (None, "no_weighting"):
        raise UsageError(
            f"weightingNorm {norm}: directions are not weighted by distance here; leave it out, or "
            "say no_weighting to sum their matrices"
        )
    flat = setting.get("force2D", False)
    if flat and setting.get("force2Ddimension", 0) != 0:
        raise UsageError(
            f"force2Ddimension {setting['force2Ddimension']}: slices are the planes of the last "
            "axis here, dimension 0; turn the image's axes first"
        )
    return f"{'2_5D' if flat else '3D'}_{'avg' if norm is None else 'comb'}"


def _processing(setting: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Normalisation, interpolation and re-segmentation."""
    return {
        "normalisation": _normalisation(setting, notes),
        **_interpolation(setting, notes),
        **_resegmentation(setting),
    }


def _normalisation(setting: Mapping[str, Any], notes: Notes) -> Normalisation | None:
    if setting.get("normalize", False):
        return Normalisation(
            scale=float(setting.get("normalizeScale", 1)),
            outlier_sigma=setting.get("removeOutliers"),
        )
    for key in ("normalizeScale", "removeOutliers"):
        if key in setting and not (key == "normalizeScale" and setting[key] == 1):
            notes.without_effect(f"setting {key}", "normalize is not true, in PyRadiomics neither")
    return None


def _interpolation(setting: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    spacing = setting.get("resampledPixelSpacing")
    if spacing is None or not any(spacing):
        return {}
    word = setting.get("interpolator", "sitkBSpline")
    if word is None:
        notes.without_effect("setting resampledPixelSpacing", "interpolator is null, there too")
        return {}
    word = _NUMBERED.get(word, word)
    if word not in _INTERPOLATORS:
        raise UsageError(f"interpolator {word}: known here are {', '.join(_INTERPOLATORS)}")
    if len(spacing) != 3 or not all(spacing[:2]):
        raise UsageError(
            f"resampledPixelSpacing {spacing}: expected three lengths above 0, or 0 for the last "
            "alone, which keeps the distance of slices"
        )
    sides = tuple(float(side) for side in (spacing if spacing[2] else spacing[:2]))
    notes.differs(
        "setting resampledPixelSpacing",
        "equal in the published baseline, but PyRadiomics does not resample along an axis where "
        "the region is one voxel thick, and has 0 beyond the outermost voxels",
    )
    return {
        "spacing_mm": sides,
        "interpolation": _INTERPOLATORS[word],
        "mask_interpolation": "nearest",
        "alignment": "corner",
        "keep_type": True,
    }


def _resegmentation(setting: Mapping[str, Any]) -> dict[str, Any]:
    ends = setting.get("resegmentRange")
    if ends is None:
        return {}
    if setting.get("resegmentShape", False):
        raise UsageError(
            "resegmentShape true: shape is that of the outline here; re-segment the mask first"
        )
    if len(ends) not in (1, 2):
        raise UsageError(f"resegmentRange {ends}: expected one or two numbers")
    mode = setting.get("resegmentMode", "absolute")
    low, high = (*sorted(float(end) for end in ends), None)[:2]
    if mode == "absolute":
        return {"low": low, "high": high}
    if mode == "sigma" and high is not None and low == -high:
        return {"outlier_sigma": high}
    told = "[-n, n] alone" if mode == "sigma" else "absolute, or sigma with [-n, n]"
    raise UsageError(f"resegmentRange {ends}, resegmentMode {mode}: known here is {told}")


def _note_the_rest(setting: Mapping[str, Any], voxel: Mapping[str, Any], notes: Notes) -> None:
    label = setting.get("label", 1)
    notes.differs(
        "setting label",
        f"PyRadiomics extracts label {label} alone; here every region of the mask is a row",
    )
    for key, reason in _WITHOUT_EFFECT.items():
        if key in setting:
            notes.without_effect(f"setting {key}", reason)
    for key in voxel:
        notes.without_effect(
            f"voxelSetting {key}", "features of regions; `onkos maps` has those of every voxel"
        )
