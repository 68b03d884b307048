"""Textons: the few kinds of local texture that occur, learnt from filter responses."""

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
    lies in a few directions U of response space, and a texton that is a mean of projected
    responses lies there too: so the nearest texton needs only the few kernels U' B, not the
    whole bank. The assignment is that of the whole bank exactly, up to rounding.

    Parameters
    ----------
    bank
        The filters.
    basis
        (filters, few) orthonormal columns U.
    centres
        (textons, few) coordinates of the textons.
    energy
        Part of the responses' variance that the basis holds.
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
        One row a sampled voxel, training patients only.
    bank
        The filters that answered.
    count
        Number of textons (k of k-means).
    energy
        Part of the responses' second moment that the basis must hold.
    rng
        Of k-means.
    """
    moment = responses.T @ responses / len(responses)
    values, vectors = np.linalg.eigh(moment)
    values, vectors = values[::-1], vectors[:, ::-1]
    held = np.cumsum(values) / values.sum()
    few = int(np.searchsorted(held, energy)) + 1
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

    Voxels outside keep 0 and mean nothing. Beyond the edge of the image it is taken as 0.
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
    out = np.zeros(inside.shape, dtype=np.uint8)

    def assign(start: int, stop: int) -> None:
        _assign(padded, inside, (kernels, centres), out, start, stop)

    each(assign, slabs(inside.shape[0]), threads=threads)
    return out


@njit(cache=True, nogil=True, fastmath={"contract"})
def _assign(
    padded: Any, inside: Any, learnt: Any, out: Any, start: int, stop: int
) -> None:  # pragma: no cover
    """Row by row: the few responses, then the texton nearest to them."""
    kernels, centres = learnt
    width = inside.shape[2]
    answers = np.empty((kernels.shape[0], width), dtype=np.float32)
    score = np.empty((2, width), dtype=np.float32)
    for k in range(start, stop):
        for j in range(inside.shape[1]):
            reach = np.flatnonzero(inside[k, j])
            if reach.size > 0:
                span = (reach[0], reach[-1] + 1)
                _respond(padded[k, j : j + kernels.shape[1]], kernels, answers, span)
                _choose(answers, centres, score, out[k, j], span)


@njit(cache=True, nogil=True, fastmath={"contract"})
def _respond(rows: Any, kernels: Any, answers: Any, span: Any) -> None:  # pragma: no cover
    """Correlate one row of voxels with the kernels, the inner loop running along the row."""
    first, last = span
    answers[:, first:last] = 0
    for n in range(kernels.shape[0]):
        answer = answers[n]
        for dj in range(kernels.shape[1]):
            row = rows[dj]
            for di in range(kernels.shape[2]):
                weight = kernels[n, dj, di]
                for i in range(first, last):
                    answer[i] += weight * row[i + di]


@njit(cache=True, nogil=True, fastmath={"contract"})
def _choose(
    answers: Any, centres: Any, score: Any, out: Any, span: Any
) -> None:  # pragma: no cover
    """Write the nearest texton c of each response y: the one with the largest c.y - c.c / 2."""
    first, last = span
    best, now = score
    best[first:last] = -np.inf
    for t in range(centres.shape[0]):
        now[first:last] = -(centres[t] ** 2).sum() / np.float32(2)
        for n in range(centres.shape[1]):
            weight = centres[t, n]
            for i in range(first, last):
                now[i] += weight * answers[n, i]
        for i in range(first, last):
            if now[i] > best[i]:
                best[i] = now[i]
                out[i] = t
