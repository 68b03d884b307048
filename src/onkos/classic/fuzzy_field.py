"""Fuzzy c-means of voxels that also looks at each voxel's surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from onkos.classic.fuzzy import belonging
from onkos.classic.hidden_field import some_rows, started
from onkos.classic.learning import squared_distances
from onkos.classic.scene import Outline, Scene, divided
from onkos.core.geometry import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzyField:
    """Spatial fuzzy c-means: tissues of blurred borders, each voxel of several to a degree.

    A voxel's distance from a class counts its own intensities and, with weight ``lean``, those
    of the smoothed image; with ``lean`` 0 this is plain fuzzy c-means. Given probabilities or
    seeds, classes start from them; without, they are found and numbered by the first channel's
    mean.

    Parameters
    ----------
    lean
        Weight of the surroundings.
    reach_mm
        Standard deviation of the Gaussian that makes them.
    trust
        Weight of given probabilities: their negative logarithm adds to the distances, in units
        of the image's variance.
    fuzziness
        Exponent of the degrees.
    rounds
        Rounds at most; it rests once centres move by less than 1e-3 of the image's spread.
    classes
        How many to find where nothing is given.

    References
    ----------
    Chen S, Zhang D. Robust image segmentation using FCM with spatial constraints based on new
    kernel-induced distance measure. IEEE Trans Syst Man Cybern B 2004;34:1907-1916.
    doi:10.1109/TSMCB.2004.831165
    """

    lean: float = 2.0
    reach_mm: float = 1.5
    trust: float = 1.0
    fuzziness: float = 2.0
    rounds: int = 30
    classes: int = 3

    def solve(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Divide the voxels."""
        inside = scene.within
        x = scene.image[:, inside].T.astype(np.float64)
        around = smoothed(scene, self.reach_mm)[:, inside].T.astype(np.float64)
        scale = np.maximum(x.std(axis=0), 1e-12)
        x, around = x / scale, around / scale
        if scene.classes:
            degrees = scene.evidence()[:, inside].T.astype(np.float64)
            price = -self.trust * (1 + self.lean) * np.log(degrees)
        else:
            degrees = started(x, self.classes, rng)
            price = np.zeros_like(degrees)
        shown = some_rows(len(x), rng)
        centres, settled = self._rested((x[shown], around[shown], price[shown]), degrees[shown])
        whole = np.zeros((len(centres), *inside.shape), dtype=np.float32)
        whole[:, inside] = self._degrees(x, around, centres, price).T
        return divided(scene, whole, settled=settled)

    def _rested(
        self, rows: tuple[FloatArray, FloatArray, FloatArray], degrees: FloatArray
    ) -> tuple[FloatArray, bool]:
        """Centres once they rest, and whether they do."""
        x, around, price = rows
        mixed = (x + self.lean * around) / (1 + self.lean)
        centres = self._centres(degrees, mixed)
        for _ in range(self.rounds):
            moved = self._centres(self._degrees(x, around, centres, price), mixed)
            rested = bool(np.abs(moved - centres).max() < 1e-3)
            centres = moved
            if rested:
                return centres, True
        return centres, False

    def _degrees(
        self, x: FloatArray, around: FloatArray, centres: FloatArray, price: FloatArray
    ) -> FloatArray:
        square = squared_distances(x, centres) + self.lean * squared_distances(around, centres)
        return belonging(square + price, self.fuzziness)

    def _centres(self, degrees: FloatArray, mixed: FloatArray) -> FloatArray:
        share = degrees**self.fuzziness
        centres: FloatArray = share.T @ mixed / np.maximum(share.sum(axis=0), 1e-300)[:, None]
        return centres


def smoothed(scene: Scene, reach_mm: float) -> np.ndarray:
    """Image under a Gaussian of so many millimetres; what is outside does not count."""
    reach = reach_mm / np.asarray(scene.spacing_mm)
    inside = scene.within.astype(np.float32)
    weight = np.maximum(gaussian_filter(inside, reach, mode="constant"), 1e-6)
    parts = [
        gaussian_filter(np.where(scene.within, channel, 0), reach, mode="constant") / weight
        for channel in scene.image
    ]
    return np.stack(parts)
