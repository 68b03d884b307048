"""Random walker segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from onkos.classic.learning import Bools
from onkos.classic.scene import Float32, Outline, Scene, divided, edges
from onkos.core.geometry import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomWalker:
    """Random walker with seeds, with probabilities as priors, or with both.

    A voxel's probability of a class is the probability that a random walk from it ends in that
    class: at the first seed it meets, or, with a small chance at each step, by the voxel's own
    given probability. Steps across image edges are improbable. With seeds alone each probability
    is the weighted mean of its neighbours'; a part of the image not connected to any seed takes
    the probabilities of its intensities under the seeds' distributions.

    Parameters
    ----------
    contrast
        How strongly image edges hinder a step.
    stop
        Weight of a voxel's own given probability; ignored where only seeds are given.
    accuracy
        Relative residual at which the linear equations count as solved.

    References
    ----------
    Grady L. Random walks for image segmentation. IEEE Trans Pattern Anal Mach Intell
    2006;28:1768-1783. doi:10.1109/TPAMI.2006.233
    Grady L. Multilabel random walker image segmentation using prior models. CVPR 2005;763-770.
    doi:10.1109/CVPR.2005.239
    """

    contrast: float = 2.0
    stop: float = 0.1
    accuracy: float = 1e-4

    def solve(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Solve for the probabilities, one class after the other."""
        inside, says = scene.within, scene.evidence()
        weights = edges(scene, contrast=self.contrast)
        weights = np.where(weights > 0, np.maximum(weights, np.float32(1e-4)), 0)
        known = np.zeros(inside.shape, dtype=np.bool_)
        if scene.seeds is not None:
            known = inside & (scene.seeds >= 0)
        stop = self.stop if scene.probability is not None else 0.0
        free = inside & ~known
        shares = np.zeros(says.shape, dtype=np.float32)
        settled = True
        for code in range(1, len(says)):
            fixed = np.where(known, np.round(says[code]), 0).astype(np.float64)
            shares[code], fine = _walked(weights, says[code], fixed, free, (stop, self.accuracy))
            settled = settled and fine
        shares[0] = np.maximum(1 - shares[1:].sum(axis=0), 0)
        if not stop:
            lost = inside & ~_reached(weights > 0, inside, known)
            shares = np.where(lost, says, shares)
        shares = shares / np.maximum(shares.sum(axis=0), 1e-6)
        return divided(scene, shares.astype(np.float32), settled=settled)


def _walked(
    weights: Float32, says: Float32, fixed: FloatArray, free: Bools, how: tuple[float, float]
) -> tuple[Float32, bool]:
    """One class's probability: conjugate gradients with a diagonal preconditioner."""
    stop, accuracy = how
    start = np.where(free, says if stop else 0.0, fixed).astype(np.float64)
    diagonal = _degrees(weights) + stop
    diagonal = np.where(free & (diagonal > 0), diagonal, 1.0)
    pulled = np.where(free, stop * says, 0).astype(np.float64)
    change = np.zeros_like(start)
    applied = np.empty_like(start)
    _apply(weights, start, free, stop, applied)
    rest = np.where(free, pulled - applied, 0.0)
    goal = accuracy * max(float(np.sqrt((rest**2).sum())), 1e-12)
    towards = rest / diagonal
    power, size = float((rest * towards).sum()), float((rest**2).sum())
    most = 20 * sum(free.shape) + 100
    for _ in range(most):
        if power <= 0 or size <= goal**2:
            return (start + change).astype(np.float32), True
        _apply(weights, towards, free, stop, applied)
        along = power / float((towards * applied).sum())
        power, size = _step((change, rest, towards, applied, diagonal), along, power)
    return (start + change).astype(np.float32), False


def _reached(linked: Bools, inside: Bools, known: Bools) -> Bools:
    """Voxels connected to a seed through edges of the graph."""
    numbers = np.where(inside, np.arange(inside.size).reshape(inside.shape), -1)
    ends = [
        np.stack([numbers[linked[axis]], np.roll(numbers, -1, axis=axis)[linked[axis]]])
        for axis in range(3)
    ]
    one, two = np.concatenate(ends, axis=1)
    graph = sparse.coo_array(
        (np.ones(len(one), dtype=np.int8), (one, two)), shape=(inside.size,) * 2
    )
    piece = connected_components(graph, directed=False)[1].reshape(inside.shape)
    return np.isin(piece, np.unique(piece[known]))


def _degrees(weights: Float32) -> FloatArray:
    """Sum of the weights of each voxel's edges."""
    total: FloatArray = weights.sum(axis=0).astype(np.float64)
    total[1:] += weights[0, :-1]
    total[:, 1:] += weights[1, :, :-1]
    total[:, :, 1:] += weights[2, :, :, :-1]
    return total


@njit(cache=True, nogil=True)
def _apply(weights: Any, x: Any, free: Any, stop: float, out: Any) -> None:  # pragma: no cover
    """Multiply by the graph Laplacian plus ``stop``; rows of voxels that are not free are zero."""
    sides = x.shape
    for i in range(sides[0]):
        for j in range(sides[1]):
            for k in range(sides[2]):
                if not free[i, j, k]:
                    out[i, j, k] = 0.0
                    continue
                own = x[i, j, k]
                total = stop * own
                if i + 1 < sides[0]:
                    total += weights[0, i, j, k] * (own - x[i + 1, j, k])
                if i > 0:
                    total += weights[0, i - 1, j, k] * (own - x[i - 1, j, k])
                if j + 1 < sides[1]:
                    total += weights[1, i, j, k] * (own - x[i, j + 1, k])
                if j > 0:
                    total += weights[1, i, j - 1, k] * (own - x[i, j - 1, k])
                if k + 1 < sides[2]:
                    total += weights[2, i, j, k] * (own - x[i, j, k + 1])
                if k > 0:
                    total += weights[2, i, j, k - 1] * (own - x[i, j, k - 1])
                out[i, j, k] = total


@njit(cache=True, nogil=True)
def _step(vectors: Any, along: float, power: float) -> Any:  # pragma: no cover
    """One step of conjugate gradients.

    Returns the new residual's product with its preconditioned self, and with itself.
    """
    change, rest, towards, applied, diagonal = vectors
    change, rest, towards = change.ravel(), rest.ravel(), towards.ravel()
    applied, diagonal = applied.ravel(), diagonal.ravel()
    new, size = 0.0, 0.0
    for n in range(change.size):
        change[n] += along * towards[n]
        rest[n] -= along * applied[n]
        size += rest[n] * rest[n]
        new += rest[n] * rest[n] / diagonal[n]
    for n in range(change.size):
        towards[n] = rest[n] / diagonal[n] + new / power * towards[n]
    return new, size
