"""Supervoxels: small compact regions of homogeneous intensity over all channels (SLIC)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from onkos.core.errors import ContentError
from onkos.features.threads import each, slabs

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Settings of the supervoxels.

    Parameters
    ----------
    edge_mm
        Edge of a supervoxel if all were cubes (squares in a single slice).
    compactness
        Intensity difference (in the image's units, root mean square over the channels) that
        weighs as much as a distance of ``edge_mm``; larger gives more compact regions.
    iterations
        Iterations of assignment and update of the centres.
    smallest
        Components below this fraction of a supervoxel's volume are merged into the most
        similar neighbour.
    """

    edge_mm: float = 6.0
    compactness: float = 0.5
    iterations: int = 5
    smallest: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regions:
    """Supervoxels of one image: ``labels`` (k, j, i) from 1 to ``count``, 0 outside."""

    labels: Int32
    count: int


def supervoxels(
    image: Float32,
    inside: Bools,
    *,
    spacing_mm: tuple[float, float, float],
    partition: Partition,
    threads: int = 1,
) -> Regions:
    """Divide an image into supervoxels: connected, compact, homogeneous in all channels.

    Simple linear iterative clustering (SLIC) in three dimensions and in millimetres: each voxel
    is assigned to the most similar of the eight centres whose cells of the initial grid are
    nearest, centres are updated to the mean of their voxels, and disconnected components become
    regions of their own or are merged into a neighbour. The result does not
    depend on the number of threads.

    Parameters
    ----------
    image
        (k, j, i, channels), finite inside; a picture has one slice.
    inside
        (k, j, i): voxels to be divided.
    spacing_mm
        Voxel spacing along k, j, i.
    partition
        Size and shape of the supervoxels.
    threads
        Number of threads.

    Raises
    ------
    ContentError
        If the shapes do not fit, or the edge is not positive.

    References
    ----------
    Achanta R et al. SLIC superpixels compared to state-of-the-art superpixel methods. IEEE
    Trans Pattern Anal Mach Intell 2012;34:2274-2282. doi:10.1109/TPAMI.2012.120
    """
    if image.ndim != 4 or image.shape[:3] != inside.shape or partition.edge_mm <= 0:
        raise ContentError(
            f"image {image.shape}, inside {inside.shape}, edge {partition.edge_mm} mm: expected "
            "(k, j, i, channels), (k, j, i) and a positive edge"
        )
    spacing = np.asarray(spacing_mm, dtype=np.float32)
    cells, cell = _grid(inside.shape, spacing, partition.edge_mm)
    image = np.ascontiguousarray(image, dtype=np.float32)
    centres, alive = _start(image, inside, cells, cell)
    nearness = np.float32((partition.compactness / partition.edge_mm) ** 2)
    labels = np.zeros(inside.shape, dtype=np.int32)
    jobs = slabs(inside.shape[0])

    def assign(start: int, stop: int) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = _assign(
            image, inside, labels, (centres, alive), (cells, cell, spacing, nearness), (start, stop)
        )
        return sums

    for _ in range(partition.iterations):
        sums = np.sum(each(assign, jobs, threads=threads), axis=0)
        alive = sums[:, 0] > 0
        centres = (sums[:, 1:] / np.maximum(sums[:, :1], 1)).astype(np.float32)
    smallest = int(partition.smallest * float(np.prod(cell)))
    connected, count = _connect(image, labels, smallest)
    return Regions(labels=connected, count=int(count))


def _grid(shape: tuple[int, ...], spacing: Float32, edge_mm: float) -> tuple[Int32, Float32]:
    """Cells along each axis, and voxels a cell along each axis.

    A thin axis has one cell; slices further apart than an edge have one cell each.
    """
    extent = np.asarray(shape) * spacing
    cells = np.clip(np.rint(extent / edge_mm), 1, shape).astype(np.int32)
    return cells, (np.asarray(shape) / cells).astype(np.float32)


@njit(cache=True, nogil=True)
def _start(image: Any, inside: Any, cells: Any, cell: Any) -> Any:  # pragma: no cover
    """Initial centres: the mean of the voxels inside each cell, which is robust to noise."""
    channels = image.shape[3]
    count = cells[0] * cells[1] * cells[2]
    sums = np.zeros((count, 4 + channels), dtype=np.float64)
    for k in range(image.shape[0]):
        a = min(int(k / cell[0]), cells[0] - 1)
        for j in range(image.shape[1]):
            b = min(int(j / cell[1]), cells[1] - 1)
            for i in range(image.shape[2]):
                if inside[k, j, i]:
                    c = min(int(i / cell[2]), cells[2] - 1)
                    _add(sums[(a * cells[1] + b) * cells[2] + c], image, k, j, i)
    centres = np.zeros((count, 3 + channels), dtype=np.float32)
    alive = np.zeros(count, dtype=np.bool_)
    for n in range(count):
        if sums[n, 0] > 0:
            alive[n] = True
            centres[n] = sums[n, 1:] / sums[n, 0]
    return centres, alive


@njit(cache=True, nogil=True, inline="always")
def _add(row: Any, image: Any, k: int, j: int, i: int) -> None:  # pragma: no cover
    row[0] += 1
    row[1] += k
    row[2] += j
    row[3] += i
    for channel in range(image.shape[3]):
        row[4 + channel] += image[k, j, i, channel]


@njit(cache=True, nogil=True)
def _assign(
    image: Any, inside: Any, labels: Any, seeds: Any, scale: Any, slab: Any
) -> Any:  # pragma: no cover
    """Give each voxel of a slab its most similar centre; return sums for the new centres."""
    cell = scale[1]
    sums = np.zeros((seeds[0].shape[0], 4 + image.shape[3]), dtype=np.float64)
    for k in range(slab[0], slab[1]):
        a = int(np.floor((k + 0.5) / cell[0] - 0.5))
        for j in range(image.shape[1]):
            b = int(np.floor((j + 0.5) / cell[1] - 0.5))
            for i in range(image.shape[2]):
                if inside[k, j, i]:
                    c = int(np.floor((i + 0.5) / cell[2] - 0.5))
                    chosen = _nearest(image[k, j, i], seeds, scale, (k, j, i), (a, b, c))
                    if chosen < 0:  # no centre around it has voxels: keep its region
                        chosen = max(labels[k, j, i] - 1, 0)
                    labels[k, j, i] = chosen + 1
                    _add(sums[chosen], image, k, j, i)
    return sums


@njit(cache=True, nogil=True, inline="always")
def _nearest(
    values: Any, seeds: Any, scale: Any, voxel: Any, corner: Any
) -> Any:  # pragma: no cover
    """Most similar non-empty centre of the eight cells from ``corner`` on; -1 if none."""
    centres, alive = seeds
    cells, _, spacing, nearness = scale
    best, chosen = np.float32(np.inf), -1
    for a in range(max(corner[0], 0), min(corner[0] + 2, cells[0])):
        for b in range(max(corner[1], 0), min(corner[1] + 2, cells[1])):
            for c in range(max(corner[2], 0), min(corner[2] + 2, cells[2])):
                n = (a * cells[1] + b) * cells[2] + c
                if not alive[n]:
                    continue
                far = np.float32(0)
                for axis in range(3):
                    step = (centres[n, axis] - np.float32(voxel[axis])) * spacing[axis]
                    far += step * step
                unlike = np.float32(0)
                for channel in range(values.shape[0]):
                    difference = centres[n, 3 + channel] - values[channel]
                    unlike += difference * difference
                distance = unlike / np.float32(values.shape[0]) + nearness * far
                if distance < best:
                    best, chosen = distance, n
    return chosen


@njit(cache=True, nogil=True)
def _connect(image: Any, labels: Any, smallest: int) -> Any:  # pragma: no cover
    """Number connected components; a small one is merged into its most similar neighbour."""
    out = np.zeros(labels.shape, dtype=np.int32)
    stack = np.empty(labels.size, dtype=np.int64)
    flat = out.reshape(-1)
    count = 0
    for place in range(labels.size):
        if flat[place] != 0 or labels.reshape(-1)[place] == 0:
            continue
        count += 1
        size, neighbour = _flood(image, labels, out, stack, (place, count))
        if size < smallest and neighbour != 0:
            for n in range(size):
                flat[stack[n]] = neighbour
            count -= 1
    return out, count


@njit(cache=True, nogil=True)
def _flood(image: Any, labels: Any, out: Any, stack: Any, seed: Any) -> Any:  # pragma: no cover
    """Flood-fill one component (6 neighbours) from its first voxel.

    Returns its size, its voxels being the first entries of the stack, and the number of the
    component with the most similar voxel across its boundary, 0 if none is numbered yet.
    """
    place, number = seed
    height, width = labels.shape[1], labels.shape[2]
    own = labels.reshape(-1)[place]
    out.reshape(-1)[place] = number
    stack[0] = place
    size, head, likest, neighbour = 1, 0, np.inf, 0
    while head < size:
        here = stack[head]
        head += 1
        k, j, i = here // (width * height), (here // width) % height, here % width
        for step in range(6):
            away = 1 - 2 * (step % 2)
            kk, jj, ii = k + away * (step < 2), j + away * (2 <= step < 4), i + away * (step >= 4)
            if min(kk, jj, ii) < 0 or kk >= labels.shape[0] or jj >= height or ii >= width:
                continue
            if labels[kk, jj, ii] == own and out[kk, jj, ii] == 0:
                out[kk, jj, ii] = number
                stack[size] = (kk * height + jj) * width + ii
                size += 1
            elif out[kk, jj, ii] not in (0, number):
                unlike = ((image[kk, jj, ii] - image[k, j, i]) ** 2).sum()
                if unlike < likest:
                    likest, neighbour = unlike, out[kk, jj, ii]
    return size, neighbour
