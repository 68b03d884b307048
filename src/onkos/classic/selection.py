"""Feature selection: by F statistic, by mRMR, or by the lasso."""

from __future__ import annotations

import numpy as np

from onkos.classic.learning import IntArray
from onkos.classic.penalised import elastic_net, strongest_penalty
from onkos.core.geometry import FloatArray


def relevance(x: FloatArray, y: IntArray) -> FloatArray:
    """One-way analysis of variance: F statistic of each column between the classes."""
    truth = np.eye(int(y.max()) + 1)[y]
    truth = truth[:, truth.any(axis=0)]
    counts = truth.sum(axis=0)
    centred = x - x.mean(axis=0)
    means = truth.T @ centred / counts[:, None]
    between = (counts[:, None] * means**2).sum(axis=0)
    within = np.maximum((centred**2).sum(axis=0) - between, 0.0)
    freedom = max(len(x) - len(counts), 1)
    floor = 1e-12 * np.maximum(between, 1e-300)
    f: FloatArray = between / max(len(counts) - 1, 1) / np.maximum(within / freedom, floor)
    return f


def by_relevance(f: FloatArray, keep: int) -> IntArray:
    """Columns of the largest F statistics."""
    return np.argsort(-f, kind="stable")[:keep]


def by_relevance_and_redundancy(x: FloatArray, y: IntArray, keep: int) -> IntArray:
    """Minimum redundancy, maximum relevance (mRMR): columns chosen one by one.

    Relevance is the correlation ratio with the class, redundancy the mean absolute
    correlation with the columns already chosen; the difference decides.

    References
    ----------
    Peng H, Long F, Ding C. Feature selection based on mutual information. IEEE Trans Pattern
    Anal Mach Intell 2005;27:1226-1238. doi:10.1109/TPAMI.2005.159
    """
    f = relevance(x, y)
    classes = len(np.unique(y))
    explained = f * (classes - 1) / (f * (classes - 1) + max(len(x) - classes, 1))
    centred = x - x.mean(axis=0)
    unit = centred / np.maximum(np.sqrt((centred**2).sum(axis=0)), 1e-300)
    gain = np.sqrt(explained)
    redundancy = np.zeros(x.shape[1])
    chosen: list[int] = []
    for _ in range(min(keep, x.shape[1])):
        score = gain - redundancy / max(len(chosen), 1)
        score[chosen] = -np.inf
        chosen.append(int(np.argmax(score)))
        redundancy += np.abs(unit.T @ unit[:, chosen[-1]])
    return np.array(chosen, dtype=np.int64)


def by_lasso(x: FloatArray, y: IntArray, keep: int) -> IntArray:
    """Columns with the largest lasso coefficients, at a tenth of the penalty that zeroes all."""
    truth = np.eye(int(y.max()) + 1)[y]
    weight = np.ones(len(y))
    penalty = 0.1 * strongest_penalty(x, truth, weight)
    lasso = np.full(x.shape[1], penalty)
    coefficients, _ = elastic_net(x, truth, weight, lasso=lasso, ridge=0.0, tolerance=1e-3)
    size = np.abs(coefficients).max(axis=1)
    order = np.argsort(-size, kind="stable")[:keep]
    return order[size[order] > 0] if (size > 0).any() else order[:1]
