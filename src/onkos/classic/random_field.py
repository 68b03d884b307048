"""Conditional random field in which every voxel speaks with every other near or like it."""

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

    A voxel's class leans on those of all voxels around it (a Gaussian in millimetres) and, more,
    on those that also look like it (a Gaussian in millimetres and intensity, one a channel).
    Each message is the mean over the neighbourhood, so weights do not depend on the grid.

    Parameters
    ----------
    near, alike
        Weights of the two.
    near_mm, alike_mm
        Their reach, as standard deviations.
    alike_intensity
        Reach in intensity, in standard deviations of the channel inside.
    rounds
        Rounds of the mean field.

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
        """Divide the voxels."""
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
        """One a channel that varies; voxels outside take its mean and never count."""
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
