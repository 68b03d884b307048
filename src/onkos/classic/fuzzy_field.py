"""Spatial fuzzy c-means of voxels (FCM_S)."""

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
    """Spatial fuzzy c-means: each voxel has a degree of membership in every tissue.

    A voxel's distance from a class is that of its own intensities plus, with weight ``lean``,
    that of the smoothed image; with ``lean`` 0 this is plain fuzzy c-means. Classes are
    initialised from probabilities or seeds; without them they are clustered, and numbered by
    rising mean of the first channel.

    Parameters
    ----------
    lean
        Weight of the smoothed image.
    reach_mm
        Standard deviation of the Gaussian that smooths it.
    trust
        Weight of given probabilities: their negative logarithm is added to the squared
        distances, in units of the image's variance.
    fuzziness
        Exponent of the memberships.
    rounds
        Maximum number of iterations; converged once centres move by less than 1e-3 of the
        image's standard deviation.
    classes
        Number of clusters where neither probabilities nor seeds are given.

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
        """Segment the scene."""
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
        """Centres after the iterations, and whether they converged."""
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
    """Image smoothed by a Gaussian, normalised so that voxels outside have no weight."""
    reach = reach_mm / np.asarray(scene.spacing_mm)
    inside = scene.within.astype(np.float32)
    weight = np.maximum(gaussian_filter(inside, reach, mode="constant"), 1e-6)
    parts = [
        gaussian_filter(np.where(scene.within, channel, 0), reach, mode="constant") / weight
        for channel in scene.image
    ]
    return np.stack(parts)
