"""Segmentation on the graph of supervoxels: normalised cut and label propagation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import eigsh
from skimage.segmentation import slic
from sklearn.cluster import KMeans

from onkos.classic.learning import IntArray
from onkos.classic.neighbours import propagated
from onkos.classic.scene import Float32, Int32, Outline, Scene, divided
from onkos.core.geometry import AnyArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalisedCut:
    """Normalised cut of the graph of supervoxels.

    The graph is cut into pieces with strong internal and weak external similarity; each piece
    takes the mean of the given probabilities of its voxels: the image determines the boundaries,
    the probabilities the class of each piece.

    Parameters
    ----------
    pieces
        Number of pieces.
    contrast
        How fast similarity falls with the difference of mean intensities.
    edge_mm
        Edge of a supervoxel, where the scene has none of its own.

    References
    ----------
    Shi J, Malik J. Normalized cuts and image segmentation. IEEE Trans Pattern Anal Mach Intell
    2000;22:888-905. doi:10.1109/34.868688
    """

    pieces: int = 24
    contrast: float = 3.0
    edge_mm: float = 6.0

    def solve(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Segment the scene."""
        regions, count = partition(scene, edge_mm=self.edge_mm)
        says = pooled(scene.evidence(), regions, count)
        sizes = np.bincount(regions.ravel(), minlength=count + 1)[1:]
        graph = likeness(scene, regions, count, contrast=self.contrast)
        piece = cut_pieces(graph, min(self.pieces, count), rng=rng)
        total = np.zeros((int(piece.max()) + 1, says.shape[1]))
        np.add.at(total, piece, says * sizes[:, None])
        share = total / total.sum(axis=1, keepdims=True)
        return divided(scene, painted(share[piece], regions))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionPropagation:
    """Label propagation over the graph of supervoxels.

    Parameters
    ----------
    give_way
        Alpha of Zhou: at 0 each region keeps its given probabilities, towards 1 its neighbours
        decide.
    contrast
        How fast similarity falls with the difference of mean intensities.
    edge_mm
        Edge of a supervoxel, where the scene has none of its own.

    References
    ----------
    Zhou D et al. Learning with local and global consistency. NIPS 2003;16:321-328.
    """

    give_way: float = 0.7
    contrast: float = 2.0
    edge_mm: float = 6.0

    def solve(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Segment the scene."""
        regions, count = partition(scene, edge_mm=self.edge_mm)
        says = pooled(scene.evidence(), regions, count)
        graph = likeness(scene, regions, count, contrast=self.contrast)
        spread = propagated(graph, says, give_way=self.give_way)
        share = spread / spread.sum(axis=1, keepdims=True)
        return divided(scene, painted(share, regions))


def partition(scene: Scene, *, edge_mm: float) -> tuple[Int32, int]:
    """Regions numbered from 1 on without a gap, 0 outside: the scene's own, or SLIC's."""
    inside = scene.within
    if scene.regions is not None:
        labels = np.where(inside, scene.regions, 0)
        missed = inside & (labels == 0)
        labels = np.where(missed, int(labels.max()) + 1, labels)
    else:
        spread = [max(float(channel[inside].std()), 1e-12) for channel in scene.image]
        volume = float(
            np.prod([s for s, n in zip(scene.spacing_mm, inside.shape, strict=True) if n > 1])
        )
        axes = sum(side > 1 for side in inside.shape)
        wanted = max(2, round(inside.size * volume / edge_mm ** max(axes, 1)))
        evened = [
            np.where(inside, c, c[inside].mean()) / s
            for c, s in zip(scene.image, spread, strict=True)
        ]
        labels = slic(
            np.stack(evened, axis=-1),
            n_segments=wanted,
            compactness=0.5,
            sigma=tuple(1.0 / np.asarray(scene.spacing_mm)),
            max_num_iter=5,
            spacing=scene.spacing_mm,
            start_label=1,
            channel_axis=-1,
        )
        labels = np.where(inside, labels, 0)
    present, numbered = np.unique(labels, return_inverse=True)
    shift = 0 if present[0] == 0 else 1
    regions = (numbered.reshape(inside.shape) + shift).astype(np.int32)
    return regions, int(regions.max())


def pooled(values: Float32, regions: AnyArray, count: int) -> FloatArray:
    """(regions, channels): mean of each channel over each region."""
    flat = regions.ravel()
    sizes = np.maximum(np.bincount(flat, minlength=count + 1)[1:], 1)
    columns = [np.bincount(flat, channel.ravel(), minlength=count + 1)[1:] for channel in values]
    means: FloatArray = np.stack(columns, axis=1) / sizes[:, None]
    return means


def painted(shares: FloatArray, regions: AnyArray) -> Float32:
    """(classes, *grid): each region's values in all of its voxels, 0 outside."""
    rows = np.concatenate([np.zeros((1, shares.shape[1])), shares]).astype(np.float32)
    return np.moveaxis(rows[regions], -1, 0)


def likeness(scene: Scene, regions: Int32, count: int, *, contrast: float) -> sparse.csr_array:
    """Symmetric graph of adjacent regions: contact area times similarity of mean intensity."""
    ends, areas = [], []
    steps = np.asarray(scene.spacing_mm)
    for axis in range(3):
        one = np.delete(regions, -1, axis=axis).ravel()
        two = np.delete(regions, 0, axis=axis).ravel()
        apart = (one != two) & (one > 0) & (two > 0)
        ends.append(np.stack([one[apart] - 1, two[apart] - 1]))
        areas.append(np.full(int(apart.sum()), np.prod(steps) / steps[axis]))
    rows, columns = np.concatenate(ends, axis=1)
    touch = sparse.csr_array((np.concatenate(areas), (rows, columns)), shape=(count, count))
    both = sparse.coo_array(touch + touch.T)
    image = np.where(scene.within, scene.image, 0)
    means = pooled(image, regions, count)
    first, second = both.coords
    square = (means[first] - means[second]) ** 2
    scale = np.maximum(square.mean(axis=0), 1e-12) if len(square) else np.ones(means.shape[1])
    alike = np.exp(-contrast / 2 * (square / scale).mean(axis=1)) + 1e-4
    mean = both.data.mean() if both.nnz else 1.0
    return sparse.csr_array((both.data / mean * alike, (first, second)), shape=(count, count))


def cut_pieces(graph: sparse.csr_array, pieces: int, *, rng: np.random.Generator) -> IntArray:
    """Piece of each node: k-means on the leading eigenvectors of the normalised graph."""
    count = graph.shape[0]
    if pieces >= count - 1:
        return np.arange(count)
    degree = np.asarray(graph.sum(axis=1)).ravel() + 1e-9
    scale = sparse.diags_array(1 / np.sqrt(degree))
    laplacian = sparse.csc_array(sparse.eye_array(count) - scale @ graph @ scale)
    start = np.sqrt(degree) + 0.01 * rng.random(count)
    _, vectors = eigsh(laplacian, k=pieces, sigma=-1e-3, which="LM", v0=start)
    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    means = KMeans(n_clusters=pieces, n_init=3, random_state=int(rng.integers(2**31)))
    return np.asarray(means.fit_predict(rows), dtype=np.int64)


def with_regions(scene: Scene, *, edge_mm: float = 6.0) -> Scene:
    """Return the scene with regions of its own, so that several members share them."""
    regions, _ = partition(scene.raised(), edge_mm=edge_mm)
    return replace(scene, regions=regions.reshape(scene.image.shape[1:]))
