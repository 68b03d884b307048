"""Boundary conditions of the filters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import UsageError

Float32 = NDArray[np.float32]
Ints = NDArray[np.intp]
Beyond = Literal["constant", "nearest", "mirror", "periodic"]

_BEYOND = ("constant", "nearest", "mirror", "periodic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """Boundary condition of a filter, as IBSI defines them.

    Parameters
    ----------
    beyond
        ``constant``: one value everywhere outside; ``nearest``: the value of the nearest voxel;
        ``mirror``: the image reflected at its outer face, so that the edge voxel is repeated;
        ``periodic``: the image repeated. IBSI recommends ``mirror``.
    value
        The value outside, in the image's unit; only for ``constant``.

    Raises
    ------
    UsageError
        For an unknown condition, or a value that is not finite or would not be used.

    References
    ----------
    Depeursinge A et al. Standardised convolutional filtering for radiomics.
    arXiv:2006.05470
    """

    beyond: Beyond = "mirror"
    value: float = 0.0

    def __post_init__(self) -> None:
        if self.beyond not in _BEYOND:
            raise UsageError(
                f"boundary {self.beyond!r}: expected constant, nearest, mirror or periodic"
            )
        if not math.isfinite(self.value) or (self.value and self.beyond != "constant"):
            raise UsageError(
                f"boundary {self.beyond!r} with value {self.value}: expected a finite value, "
                "and one other than 0 only for constant"
            )

    def places(self, side: int, before: int, after: int) -> Ints:
        """Source index of each position from ``-before`` to ``side + after`` along an axis.

        -1 stands for the constant.
        """
        index = np.arange(-before, side + after)
        if self.beyond == "periodic":
            return index % side
        if self.beyond == "nearest":
            return index.clip(0, side - 1)
        if self.beyond == "mirror":
            folded = index % (2 * side)
            return np.minimum(folded, 2 * side - 1 - folded)
        return np.where((index >= 0) & (index < side), index, -1)

    def padded(self, data: Float32, width: tuple[tuple[int, int], ...]) -> Float32:
        """Copy of the array, extended on each axis by (before, after) voxels."""
        if self.beyond == "constant":
            return np.pad(data, width, constant_values=self.value)
        extended = data
        for axis, (before, after) in enumerate(width):
            if before or after:
                places = self.places(data.shape[axis], before, after)
                extended = extended.take(places, axis=axis)
        return extended


ZERO = Boundary(beyond="constant")
MIRROR = Boundary()
