"""Agreement weights: partial credit for a pair of different ratings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError, UsageError
from onkos.core.geometry import FloatArray

Weighting = Literal[
    "identity", "linear", "quadratic", "ordinal", "radical", "ratio", "circular", "bipolar"
]
Metric = Literal["nominal", "ordinal", "interval", "ratio"]


def agreement_weights(categories: Sequence[Any], kind: Weighting | ArrayLike) -> FloatArray:
    """Matrix of agreement weights: 1 on the diagonal, less for ratings farther apart.

    Parameters
    ----------
    categories
        The categories in their order. Numbers count as they are; names count as 1, 2, 3 ...
    kind
        Name of a weighting, or a symmetric matrix of weights with ones on the diagonal and
        nothing above 1.

    Returns
    -------
    array
        Shape (categories, categories).

    Raises
    ------
    ContentError
        If the matrix is not one of agreement weights, or ratio weights meet negative numbers.
    UsageError
        If the weighting is not known.

    References
    ----------
    Gwet KL. Handbook of inter-rater reliability. 4th ed. Advanced Analytics, 2014; chapter 3.
    """
    if not isinstance(kind, str):
        return _checked(np.asarray(kind, dtype=np.float64), len(categories))
    if kind not in _APART:
        raise UsageError(f"weights {kind!r}: expected one of {', '.join(_APART)}, or a matrix")
    x = scores(categories)
    if kind == "ratio" and x.min() < 0:
        raise ContentError(f"ratio weights of categories from {x.min():g}: expected none below 0")
    apart = _APART[kind](x[:, None], x[None, :])
    largest = apart.max()
    weights: FloatArray = 1 - apart / largest if largest > 0 else np.ones_like(apart)
    return weights


def weights_of_disagreement(disagreement: ArrayLike) -> FloatArray:
    """Agreement weights of a matrix of disagreement (0 on the diagonal), as in Cohen 1968.

    References
    ----------
    Cohen J. Weighted kappa. Psychol Bull 1968;70:213-220. doi:10.1037/h0026256
    """
    apart = np.asarray(disagreement, dtype=np.float64)
    if apart.ndim != 2 or not np.isfinite(apart).all() or apart.max(initial=0) <= 0:
        raise ContentError(
            f"disagreement of shape {apart.shape}: expected a finite matrix with something above 0"
        )
    return _checked(1 - apart / apart.max(), len(apart))


def scores(categories: Sequence[Any]) -> FloatArray:
    """Numbers that stand for the categories: themselves, or 1, 2, 3 ... for names."""
    if all(isinstance(category, (int, float, np.number)) for category in categories):
        return np.asarray(categories, dtype=np.float64)
    return np.arange(1.0, len(categories) + 1)


def _checked(weights: FloatArray, n: int) -> FloatArray:
    if weights.shape != (n, n):
        raise ContentError(
            f"weights of shape {weights.shape} for {n} categories; expected ({n},)*2"
        )
    fair = np.isfinite(weights).all() and np.allclose(weights, weights.T, atol=1e-12)
    if not fair or not np.allclose(np.diag(weights), 1) or weights.max() > 1 + 1e-12:
        raise ContentError(
            "weights: expected a finite symmetric matrix, 1 on the diagonal and nowhere above; "
            "turn disagreement into agreement with weights_of_disagreement"
        )
    return weights


def _steps_apart(a: FloatArray, b: FloatArray) -> FloatArray:
    """Pairs of ranks within the span of two categories."""
    rank = np.arange(a.size, dtype=np.float64)
    span = np.abs(rank[:, None] - rank[None, :]) + 1
    return np.asarray(span * (span - 1) / 2)


def _share_apart(a: FloatArray, b: FloatArray) -> FloatArray:
    total = a + b
    return np.asarray(((a - b) / np.where(total == 0, 1, total)) ** 2)


def _around(a: FloatArray, b: FloatArray) -> FloatArray:
    turn = a.max() - a.min() + 1
    return np.asarray(np.sin(np.pi * (a - b) / turn) ** 2)


def _between_poles(a: FloatArray, b: FloatArray) -> FloatArray:
    room = (a + b - 2 * a.min()) * (2 * a.max() - a - b)
    return np.asarray((a - b) ** 2 / np.where(room == 0, 1, room))


_APART: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "identity": lambda a, b: np.asarray(a != b, dtype=np.float64),
    "linear": lambda a, b: np.asarray(np.abs(a - b)),
    "quadratic": lambda a, b: np.asarray((a - b) ** 2),
    "ordinal": _steps_apart,
    "radical": lambda a, b: np.asarray(np.sqrt(np.abs(a - b))),
    "ratio": _share_apart,
    "circular": _around,
    "bipolar": _between_poles,
}
