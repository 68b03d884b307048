"""Intensities brought to one scale before anything else, for images without a unit (MR)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import ContentError, UsageError
from onkos.features.radiomics.kinds import require_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """Z-scores by mean and standard deviation (n - 1) of all voxels of the image.

    Over the whole image, air and background included, as in PyRadiomics and ITK: the result
    depends on how much air is in the image.

    Parameters
    ----------
    scale
        Value of one standard deviation after normalisation.
    outlier_sigma
        Values are clipped at this many standard deviations from the mean; None for no clipping.

    Raises
    ------
    UsageError
        If a number is not positive.
    """

    scale: float = 1.0
    outlier_sigma: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.scale < math.inf:
            raise UsageError(f"normalisation scale {self.scale}: expected a number above 0")
        if self.outlier_sigma is not None and not self.outlier_sigma > 0:
            raise UsageError(
                f"normalisation outlier_sigma {self.outlier_sigma}: expected a number above 0"
            )

    @classmethod
    def from_plain(cls, plain: Any) -> Normalisation:
        """Build from a table of TOML or JSON; :class:`UsageError` names an unknown key."""
        known = [field.name for field in fields(cls)]
        if not isinstance(plain, Mapping) or not set(plain) <= set(known):
            raise UsageError(f"normalisation {plain!r}: known are {', '.join(known)}")
        for key, value in plain.items():
            require_kind(cls, key, value)
        return cls(**plain)

    def to_plain(self) -> dict[str, float]:
        """Numbers by name; what is None is left out."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return {key: value for key, value in plain.items() if value is not None}

    def applied(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """Normalise an image.

        Raises
        ------
        ContentError
            If an intensity is not a number, or all are the same.
        """
        count = image.size
        mean = sum(float(part.sum(dtype=np.float64)) for part in image) / count
        if not math.isfinite(mean):
            raise ContentError(
                "normalisation: some intensities of the image are not numbers; crop it first"
            )
        square = sum(float(((part - mean) ** 2).sum(dtype=np.float64)) for part in image)
        if square == 0 or count < 2:
            raise ContentError("normalisation: all intensities of the image are the same")
        sigma = math.sqrt(square / (count - 1))
        out = np.empty(image.shape, dtype=np.float32)
        for here, part in zip(out, image, strict=True):
            scaled = (part - mean) / sigma
            if self.outlier_sigma is not None:
                scaled = scaled.clip(-self.outlier_sigma, self.outlier_sigma)
            here[:] = scaled * self.scale
        return out
