"""Schema of a PyRadiomics parameter file: its keys and the types of their values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from onkos.core.errors import UsageError
from onkos.features.radiomics.pyradiomics.names import SAME, known

SECTIONS = ("imageType", "featureClass", "setting", "voxelSetting")
IMAGE_TYPES = (
    "Original",
    "LoG",
    "Wavelet",
    "Square",
    "SquareRoot",
    "Logarithm",
    "Exponential",
    "Gradient",
    "LBP2D",
    "LBP3D",
)

Check = Callable[[Any], bool]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _positive(value: Any) -> bool:
    return _number(value) and value > 0


def _count(value: Any) -> bool:
    return _whole(value) and value > 0


def _index(value: Any) -> bool:
    return _whole(value) and value >= 0


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _word(value: Any) -> bool:
    return isinstance(value, str)


def _not_negative(value: Any) -> bool:
    return _number(value) and bool(value >= 0)


def _list(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


_SETTINGS: dict[str, tuple[Check, str]] = {
    "minimumROIDimensions": (lambda v: _whole(v) and 1 <= v <= 3, "1, 2 or 3"),
    "minimumROISize": (_count, "a whole number above 0"),
    "geometryTolerance": (_positive, "a number above 0"),
    "correctMask": (_truth, "true or false"),
    "additionalInfo": (_truth, "true or false"),
    "label": (_count, "a whole number above 0"),
    "label_channel": (_index, "a whole number from 0"),
    "binWidth": (_positive, "a number above 0"),
    "binCount": (_count, "a whole number above 0"),
    "normalize": (_truth, "true or false"),
    "normalizeScale": (_positive, "a number above 0"),
    "removeOutliers": (_positive, "a number above 0"),
    "resampledPixelSpacing": (_list(_not_negative), "a list of lengths from 0"),
    "interpolator": (lambda v: _word(v) or _count(v), "a name of SimpleITK's"),
    "padDistance": (_index, "a whole number from 0"),
    "distances": (_list(_count), "a list of whole numbers above 0"),
    "force2D": (_truth, "true or false"),
    "force2Ddimension": (lambda v: _whole(v) and 0 <= v <= 2, "0, 1 or 2"),
    "resegmentRange": (_list(_number), "a list of one or two numbers"),
    "resegmentMode": (
        lambda v: v in ("absolute", "relative", "sigma"),
        "absolute, relative or sigma",
    ),
    "resegmentShape": (_truth, "true or false"),
    "preCrop": (_truth, "true or false"),
    "sigma": (_list(_positive), "a list of numbers above 0"),
    "start_level": (_index, "a whole number from 0"),
    "level": (_count, "a whole number above 0"),
    "wavelet": (_word, "a wavelet of PyWavelets"),
    "gradientUseSpacing": (_truth, "true or false"),
    "lbp2DRadius": (_positive, "a number above 0"),
    "lbp2DSamples": (_count, "a whole number above 0"),
    "lbp2DMethod": (
        lambda v: v in ("default", "ror", "uniform", "var"),
        "default, ror, uniform or var",
    ),
    "lbp3DLevels": (_count, "a whole number above 0"),
    "lbp3DIcosphereRadius": (_positive, "a number above 0"),
    "lbp3DIcosphereSubdivision": (_index, "a whole number from 0"),
    "voxelArrayShift": (_whole, "a whole number"),
    "symmetricalGLCM": (_truth, "true or false"),
    "weightingNorm": (
        lambda v: v in ("euclidean", "manhattan", "infinity", "no_weighting"),
        "euclidean, manhattan, infinity or no_weighting",
    ),
    "gldm_a": (_index, "a whole number from 0"),
}
_VOXEL_SETTINGS = ("kernelRadius", "maskedKernel", "initValue", "voxelBatch")


def require_valid(plain: Mapping[str, Any]) -> None:
    """Refuse what PyRadiomics' own schema refuses; the message names the known words.

    Raises
    ------
    UsageError
        For an unknown section, setting, class, feature or image type, or a value of a wrong kind.
    """
    _require_known("PyRadiomics parameters", plain, SECTIONS)
    for name in SECTIONS:
        section = plain.get(name, {})
        if not isinstance(section, Mapping):
            raise UsageError(f"{name} = {section!r}: expected a table, {{}} for an empty one")
    _require_settings("setting", plain.get("setting", {}))
    _require_known("voxelSetting", plain.get("voxelSetting", {}), _VOXEL_SETTINGS)
    _require_known("imageType", plain.get("imageType", {}), IMAGE_TYPES)
    for image_type, custom in plain.get("imageType", {}).items():
        if not isinstance(custom, Mapping):
            raise UsageError(
                f"imageType {image_type} = {custom!r}: expected a table, {{}} for none"
            )
        _require_settings(f"imageType {image_type}", custom)
    _require_known("featureClass", plain.get("featureClass", {}), tuple(SAME))
    for group, features in plain.get("featureClass", {}).items():
        if features is not None and not isinstance(features, list):
            raise UsageError(f"featureClass {group} = {features!r}: expected a list of features")
        _require_known(f"featureClass {group}", features or [], known(group))


def _require_settings(where: str, given: Mapping[str, Any]) -> None:
    _require_known(where, given, tuple(_SETTINGS))
    for key, value in given.items():
        check, expected = _SETTINGS[key]
        if value is not None and not check(value):
            raise UsageError(f"{where}: {key} = {value!r}; expected {expected}")


def _require_known(where: str, given: Any, words: tuple[str, ...]) -> None:
    unknown = [word for word in given if word not in words]
    if unknown:
        raise UsageError(f"{where}: unknown {unknown}; known are {', '.join(words)}")
