"""How grey values become brightness: windows, presets, and a scale of 255 steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.volume import Volume

_LEVELS = 255
_SAMPLES_PER_AXIS = 64


@dataclass(frozen=True, slots=True)
class Window:
    """Values shown as black and as white, under the name a radiologist gives the pair."""

    name: str
    low: float
    high: float


CT_WINDOWS = (
    Window("Soft tissue", -160, 240),
    Window("Brain", 0, 80),
    Window("Lung", -1350, 150),
    Window("Bone", -500, 1300),
)
SUV_WINDOWS = (Window("SUV 0-10", 0, 10), Window("SUV 0-5", 0, 5), Window("SUV 0-20", 0, 20))
_CT_WINDOW_OF_SITE = {"brain": "Brain", "lung": "Lung"}

# Most steps lie where soft tissue does: 3 HU there, 14 HU in air, 79 HU in dense bone.
_CT_LEVELS = np.concatenate(
    [
        np.linspace(-1024, -200, 60, endpoint=False),
        np.linspace(-200, 300, 160, endpoint=False),
        np.linspace(300, 3071, 35),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The 255 values an image is reduced to for the viewer, and its windows, the first in use.

    Code 0 means outside the image; code n from 1 on means ``levels[n - 1]``.
    """

    levels: FloatArray
    windows: tuple[Window, ...]

    def encode(self, data: AnyArray) -> AnyArray:
        """Codes (uint8) of values: the nearest level; NaN becomes 0."""
        between = (self.levels[1:] + self.levels[:-1]) / 2
        codes = np.searchsorted(between.astype(np.float32), data).astype(np.uint8)
        return np.where(np.isnan(data), np.uint8(0), codes + np.uint8(1))


def scale_of(volume: Volume, *, site: str) -> Scale:
    """Choose levels and windows: HU for CT, SUV for PET, the middle 99 % for anything else."""
    if volume.modality == "CT":
        first = _CT_WINDOW_OF_SITE.get(site, "Soft tissue")
        ordered = sorted(CT_WINDOWS, key=lambda window: window.name != first)
        return Scale(levels=_CT_LEVELS, windows=tuple(ordered))
    values = _inside(volume)
    if volume.modality == "PT" and volume.unit == "g/ml":
        top = max(20.0, float(values.max()))
        return Scale(levels=np.linspace(0.0, top, _LEVELS), windows=SUV_WINDOWS)
    low, high = (float(value) for value in np.percentile(values, [0.5, 99.5]))
    high = high if high > low else low + 1.0
    middle = (low + high) / 2
    windows = (
        Window("Full range", low, high),
        Window("Dark tissue", low, middle),
        Window("Bright tissue", middle, high),
    )
    return Scale(levels=np.linspace(low, high, _LEVELS), windows=windows)


def brightness(data: AnyArray, window: Window) -> AnyArray:
    """Values as 0 (black) to 255 (white), uint8; NaN is black."""
    share = (np.nan_to_num(data, nan=window.low) - window.low) / (window.high - window.low)
    shown: AnyArray = (np.clip(share, 0.0, 1.0) * 255).round().astype(np.uint8)
    return shown


def _inside(volume: Volume) -> AnyArray:
    """A sample of the finite values that differ from the image's corner, i.e. from background."""
    thinned = tuple(slice(None, None, -(-side // _SAMPLES_PER_AXIS)) for side in volume.data.shape)
    sample = volume.data[thinned].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    corner = volume.data.flat[0]
    body: AnyArray = sample[sample != corner]
    if body.size and body.min() < body.max():
        return body
    return sample if sample.size else np.zeros(1)
