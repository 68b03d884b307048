"""Textons: cluster centres of filter responses (a dictionary of local textures)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from onkos.features.gabor import GaborBank
from onkos.features.threads import each, slabs

Float32 = NDArray[np.float32]
FloatArray = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Textons:
    """A dictionary of textons for one channel.

    Filter responses are linear in the image, r = B p for a patch p. Nearly all their variance
    lies in a low-dimensional subspace U, and so do textons, as means of projected responses.
    Finding the nearest texton therefore needs only the few kernels U' B instead of the whole
    bank, and gives the same assignment up to rounding.

    Parameters
    ----------
    bank
        The filters.
    basis
        (filters, few) orthonormal columns U.
    centres
        (textons, few) coordinates of the textons.
    energy
        Fraction of the responses' variance explained by the basis.
    """

    bank: GaborBank
    basis: FloatArray
    centres: FloatArray
    energy: float

    @property
    def full_centres(self) -> FloatArray:
        """(textons, filters): the textons as responses of the whole bank."""
        return self.centres @ self.basis.T

    def kernels(self, spacing_mm: tuple[float, float]) -> Float32:
        """(few, height, width) kernels U' B at a pixel spacing."""
        few: FloatArray = np.tensordot(self.basis.T, self.bank.kernels(spacing_mm), axes=1)
        return few.astype(np.float32)


def learn_textons(
    responses: FloatArray,
    *,
    bank: GaborBank,
    count: int,
    energy: float,
    rng: np.random.Generator,
) -> Textons:
    """Learn textons from responses of the whole bank (n, filters) of the training patients.

    Parameters
    ----------
    responses
        One row per sampled voxel, training patients only.
    bank
        The filters of these responses.
    count
        Number of textons (k of k-means).
    energy
        Fraction of the responses' second moment that the basis must explain.
    rng
        Of k-means.
    """
    moment = responses.T @ responses / len(responses)
    values, vectors = np.linalg.eigh(moment)
    values, vectors = values[::-1], vectors[:, ::-1]
    held = np.cumsum(values) / values.sum()
    few = min(int(np.searchsorted(held, energy)) + 1, len(held))  # rounding may leave held < 1
    basis = np.ascontiguousarray(vectors[:, :few])
    learner = MiniBatchKMeans(
        n_clusters=count,
        batch_size=4096,
        n_init=3,
        random_state=int(rng.integers(2**31)),
    )
    learner.fit(responses @ basis)
    return Textons(
        bank=bank,
        basis=basis,
        centres=np.asarray(learner.cluster_centers_, dtype=np.float64),
        energy=float(held[few - 1]),
    )


def sample_responses(
    channel: Float32,
    places: NDArray[np.intp],
    *,
    bank: GaborBank,
    spacing_mm: Spacing,
) -> FloatArray:
    """Responses (n, filters) of the whole bank at n places (n, 3) of a channel (k, j, i)."""
    kernels = bank.kernels(spacing_mm[1:])
    half = [side // 2 for side in kernels.shape[1:]]
    padded = np.pad(channel, ((0, 0), (half[0],) * 2, (half[1],) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernels.shape[1:], axis=(1, 2))
    patches = windows[tuple(places.T)].reshape(len(places), -1).astype(np.float64)
    responses: FloatArray = patches @ kernels.reshape(len(kernels), -1).T
    return responses


def nearest_textons(
    channels: Sequence[Float32],
    inside: Bools,
    *,
    dictionaries: Sequence[Textons],
    spacing_mm: Spacing,
    threads: int = 1,
) -> list[Bytes]:
    """Number of the nearest texton at every voxel inside, one array (k, j, i) a channel.

    Voxels outside are 0 without meaning. Beyond its edge the image is taken as 0.
    """
    return [
        _nearest(channel, inside, textons, spacing_mm, threads)
        for channel, textons in zip(channels, dictionaries, strict=True)
    ]


def _nearest(
    channel: Float32, inside: Bools, textons: Textons, spacing_mm: Spacing, threads: int
) -> Bytes:
    kernels = textons.kernels(spacing_mm[1:])
    half = [side // 2 for side in kernels.shape[1:]]
    padded = np.pad(channel, ((0, 0), (half[0],) * 2, (half[1],) * 2)).astype(np.float32)
    centres = textons.centres.astype(np.float32)
    learnt = (
        kernels.reshape(len(kernels), -1),
        kernels.shape[1:],
        centres,
        (centres**2).sum(axis=1) / 2,
    )
    out = np.zeros(inside.shape, dtype=np.uint8)

    def assign(start: int, stop: int) -> None:
        _assign(padded, inside, learnt, out, start, stop)

    each(assign, slabs(inside.shape[0]), threads=threads)
    return out


@njit(cache=True, nogil=True)
def _assign(
    padded: Any, inside: Any, learnt: Any, out: Any, start: int, stop: int
) -> None:  # pragma: no cover
    """Row by row: the responses y, then the nearest texton c, which maximises c.y - c.c / 2.

    The patches around all voxels of a row, as the columns of a matrix, are consecutive rows of
    ``shifted``, so both steps are matrix products without copies.
    """
    kernels, (tall, wide), centres, halves = learnt
    width = inside.shape[2]
    shifted = np.empty((padded.shape[1], wide, width), dtype=np.float32)
    responses = np.empty((kernels.shape[0], width), dtype=np.float32)
    scores = np.empty((centres.shape[0], width), dtype=np.float32)
    for k in range(start, stop):
        for y in range(padded.shape[1]):
            for x in range(wide):
                shifted[y, x] = padded[k, y, x : x + width]
        for j in range(inside.shape[1]):
            if inside[k, j].any():
                patches = shifted[j : j + tall].reshape(tall * wide, width)
                np.dot(kernels, patches, responses)
                np.dot(centres, responses, scores)
                _choose(scores, halves, out[k, j])


@njit(cache=True, nogil=True)
def _choose(scores: Any, halves: Any, out: Any) -> None:  # pragma: no cover
    best = scores[0] - halves[0]
    out[:] = 0
    for t in range(1, scores.shape[0]):
        for i in range(scores.shape[1]):
            now = scores[t, i] - halves[t]
            if now > best[i]:
                best[i] = now
                out[i] = t
