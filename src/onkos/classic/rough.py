"""Rough sets (Pawlak): indiscernibility, approximations, reducts."""

from __future__ import annotations

import numpy as np

from onkos.classic.learning import Bools, IntArray
from onkos.core.geometry import FloatArray


def discretise(x: FloatArray, cuts: FloatArray) -> IntArray:
    """Interval of each value: how many of its column's cuts lie below it.

    Parameters
    ----------
    x
        (rows, columns).
    cuts
        (cuts, columns), increasing; infinite where a column has fewer.
    """
    below: IntArray = (x[:, None, :] > cuts[None]).sum(axis=1)
    return below


def entropy_cuts(values: FloatArray, y: IntArray, *, most: int) -> FloatArray:
    """Supervised discretisation of one column by entropy and minimum description length.

    Parameters
    ----------
    values, y
        One column and the classes.
    most
        Maximum number of cuts.

    References
    ----------
    Fayyad UM, Irani KB. Multi-interval discretization of continuous-valued attributes for
    classification learning. IJCAI 1993;1022-1027.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    truth = np.eye(int(y.max()) + 1)[y[order]]
    cuts: list[float] = []
    parts = [(0, len(ordered))]
    while parts and len(cuts) < most:
        start, stop = parts.pop(0)
        place = _best_cut(ordered[start:stop], truth[start:stop])
        if place is not None:
            middle = start + place
            cuts.append(float(ordered[middle - 1] + ordered[middle]) / 2)
            parts += [(start, middle), (middle, stop)]
    return np.sort(np.array(cuts))


def classes_of(table: IntArray, attributes: IntArray) -> IntArray:
    """Indiscernibility class of each row on the given attributes, numbered from 0."""
    if len(attributes) == 0:
        return np.zeros(len(table), dtype=np.int64)
    return np.unique(table[:, attributes], axis=0, return_inverse=True)[1].reshape(-1)


def lower_approximation(blocks: IntArray, member: Bools, *, purity: float = 1.0) -> Bools:
    """Rows certainly in the set: all (or at least ``purity``) of their block are members.

    Parameters
    ----------
    blocks
        Indiscernibility class of each row.
    member
        Whether each row is in the set.
    purity
        Above one half; below 1 this is Ziarko's variable-precision model.

    References
    ----------
    Pawlak Z. Rough sets. Int J Comput Inf Sci 1982;11:341-356. doi:10.1007/BF01001956
    Ziarko W. Variable precision rough set model. J Comput Syst Sci 1993;46:39-59.
    doi:10.1016/0022-0000(93)90048-2
    """
    certain: Bools = _shares(blocks, member)[blocks] >= purity - 1e-12
    return certain


def upper_approximation(blocks: IntArray, member: Bools, *, purity: float = 1.0) -> Bools:
    """Rows possibly in the set: their block holds (more than 1 - ``purity``) members."""
    possible: Bools = _shares(blocks, member)[blocks] > 1 - purity + 1e-12
    return possible


def dependency(blocks: IntArray, y: IntArray, *, purity: float = 1.0) -> float:
    """Degree of dependency: fraction of the rows in the positive region."""
    counts = np.zeros((int(blocks.max()) + 1, int(y.max()) + 1))
    np.add.at(counts, (blocks, y), 1)
    total = counts.sum(axis=1)
    sure = counts.max(axis=1) >= purity * total - 1e-9
    return float(total[sure].sum() / len(y))


def reduct(
    table: IntArray, y: IntArray, among: IntArray, *, most: int, purity: float = 1.0
) -> IntArray:
    """Approximate reduct: greedy forward selection, then removal of superfluous attributes.

    Attributes are added by the largest dependency (ties: lowest remaining entropy, then the
    first) until the dependency of all given attributes is reached or there are ``most``; then
    each attribute that is not needed is removed.

    Parameters
    ----------
    table
        (rows, attributes), discrete.
    y
        Class of each row.
    among
        Attributes to choose from, in order of preference.
    most
        Maximum number of attributes.
    purity
        See :func:`lower_approximation`.
    """
    whole = dependency(classes_of(table, among), y, purity=purity)
    chosen: list[int] = []
    reached = -1.0
    while len(chosen) < min(most, len(among)) and reached < whole:
        left = [int(attribute) for attribute in among if int(attribute) not in chosen]
        tried = [_gain(table, y, [*chosen, attribute], purity) for attribute in left]
        chosen.append(left[tried.index(max(tried))])
        reached = max(tried)[0]
    for attribute in list(chosen):
        fewer = np.array([other for other in chosen if other != attribute], dtype=np.int64)
        if len(fewer) and dependency(classes_of(table, fewer), y, purity=purity) >= reached:
            chosen.remove(attribute)
    return np.array(chosen, dtype=np.int64)


def _gain(
    table: IntArray, y: IntArray, attributes: list[int], purity: float
) -> tuple[float, float]:
    blocks = classes_of(table, np.array(attributes))
    counts = np.zeros((int(blocks.max()) + 1, int(y.max()) + 1))
    np.add.at(counts, (blocks, y), 1)
    total = counts.sum(axis=1)
    sure = counts.max(axis=1) >= purity * total - 1e-9
    share = counts / total[:, None]
    logs = np.log(np.where(share > 0, share, 1.0))
    return float(total[sure].sum() / len(y)), float((counts * logs).sum())


def _shares(blocks: IntArray, member: Bools) -> FloatArray:
    """Fraction of each block that is in the set."""
    share: FloatArray = np.bincount(blocks, weights=member) / np.maximum(np.bincount(blocks), 1)
    return share


def _entropy(counts: FloatArray) -> FloatArray:
    """Entropy in bits of each row of counts."""
    share = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1e-300)
    bits: FloatArray = -(share * np.log2(np.where(share > 0, share, 1.0))).sum(axis=-1)
    return bits


def _best_cut(ordered: FloatArray, truth: FloatArray) -> int | None:
    """Best cut of a sorted column, or None where none passes the MDL criterion."""
    n = len(ordered)
    places = np.flatnonzero(np.diff(ordered) > 0) + 1
    if len(places) == 0:
        return None
    below = np.cumsum(truth, axis=0)[places - 1]
    total = truth.sum(axis=0)
    left, right = _entropy(below), _entropy(total - below)
    mean = (places * left + (n - places) * right) / n
    best = int(np.argmin(mean))
    kinds = [int((part > 0).sum()) for part in (total, below[best], total - below[best])]
    spent = kinds[0] * _entropy(total) - kinds[1] * left[best] - kinds[2] * right[best]
    price = (np.log2(n - 1) + np.log2(3.0 ** kinds[0] - 2) - spent) / n
    return int(places[best]) if _entropy(total) - mean[best] > price else None
