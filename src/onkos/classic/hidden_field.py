"""Hidden Markov random field: a Gaussian mixture with spatial smoothing of the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from onkos.classic.fuzzy import fuzzy_c_means, scattered
from onkos.classic.learning import softmax
from onkos.classic.scene import Outline, Scene, divided, evenness
from onkos.core.geometry import FloatArray

_SHOWN = 200_000  # most voxels to fit distributions to, drawn at random


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenField:
    """Hidden Markov random field, fitted to the patient's own image by expectation-maximisation.

    Each class has a normal distribution of the intensities of all channels; neighbouring
    voxels tend to share a class (Potts prior, solved by mean field instead of Zhang's single
    best labelling). With no smoothing this is a Gaussian mixture. Classes are initialised from
    probabilities or seeds; without them they are clustered, and numbered by rising mean of the
    first channel.

    Parameters
    ----------
    smoothing
        Weight of a neighbour on an isotropic grid.
    trust
        Exponent of given probabilities, which enter as a prior.
    rounds
        Maximum number of iterations.
    rest
        Mean change of the probabilities below which the iteration has converged.
    classes
        Number of clusters where neither probabilities nor seeds are given.

    References
    ----------
    Zhang Y, Brady M, Smith S. Segmentation of brain MR images through a hidden Markov random
    field model and the expectation-maximization algorithm. IEEE Trans Med Imaging
    2001;20:45-57. doi:10.1109/42.906424
    Celeux G, Forbes F, Peyrard N. EM procedures using mean field-like approximations for Markov
    model-based image segmentation. Pattern Recognit 2003;36:131-144.
    doi:10.1016/S0031-3203(02)00027-4
    """

    smoothing: float = 0.4
    trust: float = 1.0
    rounds: int = 12
    rest: float = 1e-3
    classes: int = 3

    def solve(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Segment the scene."""
        inside = scene.within
        x = scene.image[:, inside].T.astype(np.float64)
        if scene.classes:
            given = scene.evidence()[:, inside].T.astype(np.float64)
            prior, shares = self.trust * np.log(given), given
        else:
            shares = started(x, self.classes, rng)
            prior = np.zeros_like(shares)
        places = np.full(inside.shape, -1, dtype=np.int64)
        places[inside] = np.arange(len(x))
        even = self.smoothing * evenness(inside.shape, scene.spacing_mm)
        known = None if scene.seeds is None else scene.seeds[inside]
        shown = some_rows(len(x), rng)
        settled = False
        for _ in range(self.rounds):
            before = shares
            logs = mixture(x, shares, shown=shown)
            if scene.classes:  # the given probabilities hold the class frequencies already
                logs += prior - np.log(np.maximum(shares.mean(axis=0), 1e-9))
            shares = _leant(logs, before, (places, even), known)
            if np.abs(shares - before).mean() < self.rest:
                settled = True
                break
        whole = np.zeros((shares.shape[1], *inside.shape), dtype=np.float32)
        whole[:, inside] = shares.T
        return divided(scene, whole, settled=settled)


def started(x: FloatArray, classes: int, rng: np.random.Generator) -> FloatArray:
    """Fuzzy c-means memberships; classes are numbered by rising mean of the first column."""
    some = x[np.sort(rng.permutation(len(x))[: _SHOWN // 10])]
    scale = np.maximum(x.std(axis=0), 1e-12)
    centres = fuzzy_c_means(some / scale, scattered(some / scale, classes, rng=rng)).centres
    centres = centres[np.argsort(centres[:, 0], kind="stable")]
    return fuzzy_c_means(x / scale, centres, rounds=1).degrees


def some_rows(count: int, rng: np.random.Generator) -> Any:
    """Rows to fit to: all, or a random sample of at most 200,000."""
    return slice(None) if count <= _SHOWN else np.sort(rng.permutation(count)[:_SHOWN])


def mixture(x: FloatArray, shares: FloatArray, *, shown: Any = slice(None)) -> FloatArray:
    """(rows, classes): log of mixing weight times normal density, fitted to the probabilities.

    Parameters
    ----------
    x
        (rows, columns).
    shares
        (rows, classes): probability of each class for each row.
    shown
        Rows that the distributions are fitted to.
    """
    own, part = x[shown], shares[shown]
    total = np.maximum(part.sum(axis=0), 1e-9)
    means = part.T @ own / total[:, None]
    floor = 1e-6 * np.diag(np.maximum(own.var(axis=0), 1e-12))
    whitening = np.empty((shares.shape[1], x.shape[1], x.shape[1]))
    fixed = np.empty(shares.shape[1])
    for code in range(shares.shape[1]):
        apart = own - means[code]
        covariance = (apart * part[:, [code]]).T @ apart / total[code] + floor
        root = np.linalg.cholesky(covariance)
        whitening[code] = np.linalg.inv(root)
        scale = 2 * np.log(np.diag(root)).sum() + x.shape[1] * np.log(2 * np.pi)
        fixed[code] = np.log(total[code] / len(own)) - scale / 2
    logs = np.empty_like(shares)
    _densities(x, means, whitening, fixed, logs)
    return logs


@njit(cache=True, nogil=True)
def _densities(
    x: Any, means: Any, whitening: Any, fixed: Any, out: Any
) -> None:  # pragma: no cover
    for row in range(x.shape[0]):
        for code in range(means.shape[0]):
            square = 0.0
            for one in range(x.shape[1]):
                white = 0.0
                for two in range(one + 1):
                    white += whitening[code, one, two] * (x[row, two] - means[code, two])
                square += white * white
            out[row, code] = fixed[code] - square / 2


def _leant(
    logs: FloatArray, shares: FloatArray, field: tuple[Any, FloatArray], known: Any
) -> FloatArray:
    """Class probabilities after two mean-field sweeps through the grid."""
    places, even = field
    if even.any():
        shares = shares.copy()
        for _ in range(2):
            _sweep(logs, shares, places, even)
    else:
        shares = softmax(logs)
    if known is not None:
        fixed = known >= 0
        shares[fixed] = np.eye(shares.shape[1])[known[fixed]]
    return shares


@njit(cache=True, nogil=True)
def _sweep(logs: Any, shares: Any, places: Any, even: Any) -> None:  # pragma: no cover
    """Update each voxel's probabilities from its log density and its neighbours', in place."""
    sides = places.shape
    classes = shares.shape[1]
    own = np.empty(classes)
    for i in range(sides[0]):
        for j in range(sides[1]):
            for k in range(sides[2]):
                n = places[i, j, k]
                if n < 0:
                    continue
                for code in range(classes):
                    own[code] = logs[n, code]
                for step in range(6):
                    axis = step // 2
                    away = 1 - 2 * (step % 2)
                    a, b, c = i + away * (axis == 0), j + away * (axis == 1), k + away * (axis == 2)
                    if min(a, b, c) < 0 or a >= sides[0] or b >= sides[1] or c >= sides[2]:
                        continue
                    m = places[a, b, c]
                    if m >= 0:
                        for code in range(classes):
                            own[code] += even[axis] * shares[m, code]
                highest = own.max()
                total = 0.0
                for code in range(classes):
                    own[code] = np.exp(own[code] - highest)
                    total += own[code]
                for code in range(classes):
                    shares[n, code] = own[code] / total
