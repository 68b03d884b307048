"""Table members fitted to the seed voxels of one image, which then segment the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onkos.classic.fuzzy_field import smoothed
from onkos.classic.region_graph import painted, partition, pooled
from onkos.classic.scene import Float32, Outline, Scene, divided
from onkos.classic.table import Member
from onkos.core.errors import UsageError
from onkos.core.geometry import AnyArray

_ROWS = 1000  # most seed voxels of a class to fit to, drawn at random
_BLOCKS = 4  # along each axis: seeds of one block stay together in the inner folds


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedFromSeeds:
    """A table member fitted to the seeds of one image.

    The features of a voxel are its channels, unsmoothed and smoothed at two scales. The member
    is fitted to the seed voxels (blocks of the image take the place of patients in its inner
    folds) and predicts each supervoxel from its mean features.

    Parameters
    ----------
    member
        The table member.
    reach_mm
        Standard deviation of the finer smoothing; the coarser is twice that.
    edge_mm
        Edge of a supervoxel, where the scene has none of its own.
    """

    member: Member
    reach_mm: float = 1.0
    edge_mm: float = 6.0

    def solve(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Segment the scene."""
        if scene.seeds is None:
            raise UsageError(
                f"{self.member.name} on one image is fitted to seeds and was given none; mark some "
                "voxels of each class, or use the probabilities of a model fitted on other patients"
            )
        described = self._described(scene)
        x, y, block = self._marked(scene, described, rng)
        fitted = self.member.fit(x, y, block, rng=rng)
        regions, count = partition(scene, edge_mm=self.edge_mm)
        answers = fitted.probabilities(pooled(described, regions, count))
        shares = np.zeros((count, scene.classes))
        shares[:, fitted.classes] = answers
        return divided(scene, painted(shares, regions))

    def _described(self, scene: Scene) -> Float32:
        """(descriptors, *grid)."""
        fine, coarse = smoothed(scene, self.reach_mm), smoothed(scene, 2 * self.reach_mm)
        plain = np.where(scene.within, scene.image, 0)
        return np.concatenate([plain, fine, coarse]).astype(np.float32)

    def _marked(
        self, scene: Scene, described: Float32, rng: np.random.Generator
    ) -> tuple[AnyArray, AnyArray, AnyArray]:
        """Features, class and block of the seed voxels, at most 1,000 of each class."""
        seeds = np.where(scene.within, np.asarray(scene.seeds), -1).ravel()
        drawn = []
        for code in range(scene.classes):
            own = np.flatnonzero(seeds == code)
            drawn.append(np.sort(rng.permutation(own)[:_ROWS]))
        rows = np.concatenate(drawn)
        places = np.stack(np.unravel_index(rows, scene.within.shape), axis=1)
        cells = places * _BLOCKS // np.array(scene.within.shape)
        block = np.ravel_multi_index(cells.T, (_BLOCKS,) * 3)
        if len(np.unique(block)) < 2:
            block = np.arange(len(rows))
        return described.reshape(len(described), -1)[:, rows].T, seeds[rows], block
