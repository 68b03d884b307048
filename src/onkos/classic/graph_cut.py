"""Graph cut: the segmentation of minimum energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onkos.classic.maximum_flow import minimum_cut
from onkos.classic.scene import Float32, Outline, Scene, edges, kept_seeds

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

UNIT = 1000  # energies are whole numbers of thousandths, so that the cut is exact
_FIXED = 10_000_000  # cost of a class other than the seed's


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCut:
    """Minimum of data cost plus boundary cost, by graph cuts.

    The data cost of a class is the negative logarithm of its probability; a boundary costs its
    area, less where the image has an edge. Two classes are solved exactly, more by
    alpha-expansion, whose energy is at most twice the minimum. Energies are rounded to
    thousandths.

    Parameters
    ----------
    smoothing
        Cost of a boundary between two voxels of equal intensity on an isotropic grid.
    contrast
        How strongly image edges reduce that cost.

    References
    ----------
    Boykov Y, Veksler O, Zabih R. Fast approximate energy minimization via graph cuts. IEEE Trans
    Pattern Anal Mach Intell 2001;23:1222-1239. doi:10.1109/34.969114
    """

    smoothing: float = 1.5
    contrast: float = 1.0

    def solve(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Segment the scene."""
        data = data_costs(scene)
        border = np.rint(UNIT * self.smoothing * edges(scene, contrast=self.contrast))
        found = cheapest(data, border.astype(np.int32))
        labels = np.where(scene.within, found, 0).astype(np.uint8)
        return Outline(labels=kept_seeds(scene, labels), probabilities=None)


def data_costs(scene: Scene) -> Int64:
    """(classes, *grid): data cost of each class, in thousandths; 0 outside."""
    says: Float32 = scene.evidence()
    costs = np.rint(-UNIT * np.log(says)).astype(np.int64)
    if scene.seeds is not None:
        for code in range(len(costs)):
            other = (scene.seeds >= 0) & (scene.seeds != code)
            costs[code][other] = _FIXED
    return np.where(scene.within, costs, 0)


def energy(labels: NDArray[np.integer], data: Int64, border: Int32) -> int:
    """Energy of a labelling: data costs plus boundary costs between neighbours."""
    total = int(np.take_along_axis(data, labels[None].astype(np.int64), axis=0).sum())
    for axis in range(3):
        unlike = np.diff(labels.astype(np.int64), axis=axis) != 0
        total += int(np.delete(border[axis], -1, axis=axis)[unlike].astype(np.int64).sum())
    return total


def cheapest(data: Int64, border: Int32) -> NDArray[np.int64]:
    """Labelling of minimum energy; with more than two classes, a minimum under alpha-expansion.

    Parameters
    ----------
    data
        (classes, a, b, c).
    border
        (3, a, b, c): cost of different labels on neighbours along each axis.
    """
    if len(data) == 2:
        return minimum_cut(data[1] - data[0], border, border).astype(np.int64)
    labels: NDArray[np.int64] = data.argmin(axis=0)
    price = energy(labels, data, border)
    improved = True
    while improved:
        improved = False
        for code in range(len(data)):
            moved = _expanded(labels, code, data, border)
            cost = energy(moved, data, border)
            if cost < price:
                labels, price, improved = moved, cost, True
    return labels


def _expanded(
    labels: NDArray[np.int64], code: int, data: Int64, border: Int32
) -> NDArray[np.int64]:
    """One expansion move: any voxels may change to one class, at minimum energy."""
    own = np.take_along_axis(data, labels[None], axis=0)[0]
    cost = data[code] - own
    ahead, back = np.zeros_like(border), np.zeros_like(border)
    unlike = labels != code
    for axis in range(3):
        here, there = [slice(None)] * 3, [slice(None)] * 3
        here[axis], there[axis] = slice(0, -1), slice(1, None)
        first, second = tuple(here), tuple(there)
        price = border[axis][first]
        apart = price * (labels[first] != labels[second])
        left, right = price * unlike[first], price * unlike[second]
        cost[first] += right - apart
        cost[second] -= right
        ahead[axis][first] = left + right - apart
    changed = minimum_cut(cost, ahead, back)
    return np.where(changed, code, labels)
