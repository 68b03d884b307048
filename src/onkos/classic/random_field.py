"""Fully connected conditional random field (dense CRF)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from onkos.classic.bilateral import BilateralGrid
from onkos.classic.learning import Bools
from onkos.classic.scene import Float32, Outline, Scene, divided


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomField:
    """Fully connected conditional random field, solved by mean field.

    A voxel's class depends on those of all voxels around it (spatial Gaussian kernel in
    millimetres) and on those of similar intensity (bilateral kernel in millimetres and
    intensity, one per channel). Messages are means over the neighbourhood, so weights do not
    depend on the grid.

    Parameters
    ----------
    near, alike
        Weights of the spatial and the bilateral kernel.
    near_mm, alike_mm
        Their standard deviations.
    alike_intensity
        Standard deviation of the bilateral kernel in intensity, in units of the channel's
        standard deviation inside.
    rounds
        Mean-field iterations.

    References
    ----------
    Krahenbuhl P, Koltun V. Efficient inference in fully connected CRFs with Gaussian edge
    potentials. NIPS 2011;24:109-117. doi:10.48550/arXiv.1210.5644
    """

    near: float = 3.0
    alike: float = 3.0
    near_mm: float = 1.5
    alike_mm: float = 8.0
    alike_intensity: float = 0.4
    rounds: int = 5

    def solve(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Segment the scene."""
        inside, says = scene.within, scene.evidence()
        logs = np.log(says)
        shares = np.where(inside, says, 0)
        spacing = np.asarray(scene.spacing_mm)
        grids = self._grids(scene)
        reach = tuple(self.near_mm / spacing)
        weight = gaussian_filter(inside.astype(np.float32), reach, mode="constant")
        weight = np.maximum(weight, 1e-6)
        for _ in range(self.rounds):
            message = np.stack(
                [gaussian_filter(s, reach, mode="constant") / weight for s in shares]
            )
            message *= self.near
            for grid in grids:
                message += self.alike / len(grids) * grid.averaged(shares, inside)
            shares = self._renewed((logs + message).astype(np.float32), inside)
        return divided(scene, shares)

    def _grids(self, scene: Scene) -> list[BilateralGrid]:
        """One per channel that is not constant; voxels outside take its mean and have no weight."""
        inside = scene.within
        reach = tuple(self.alike_mm / np.asarray(scene.spacing_mm))
        grids = []
        for channel in scene.image:
            own = channel[inside]
            spread = float(own.std())
            if spread > 0:
                wide = 6 * spread
                middle = float(own.mean())
                shown = np.where(inside, np.clip(channel, middle - wide, middle + wide), middle)
                grids.append(
                    BilateralGrid.over(
                        shown.astype(np.float32),
                        reach_voxels=reach,
                        reach_intensity=self.alike_intensity * spread,
                    )
                )
        return grids

    def _renewed(self, scores: Float32, inside: Bools) -> Float32:
        scores = scores - scores.max(axis=0)
        shares = np.exp(scores)
        return np.where(inside, shares / shares.sum(axis=0), 0).astype(np.float32)
