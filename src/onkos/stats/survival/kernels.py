"""Weighted survival sums over many resamples at once.

All take patients sorted by time and ``weights`` of shape (resamples, patients): how often each
patient was drawn. Events leave before censorings at the same time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from onkos.core.geometry import AnyArray, FloatArray

MOMENT, EVENT, STRATUM, RANK = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def kaplan_meier_curve(
    weight: FloatArray, time: AnyArray, event: AnyArray, of_event: bool
) -> FloatArray:
    """Kaplan-Meier value at each patient's own time; that of censoring if not ``of_event``."""
    n = time.size
    curve = np.empty(n)
    at_risk = weight.sum()
    value = 1.0
    start = 0
    while start < n:
        stop, events, censored = start, 0.0, 0.0
        while stop < n and time[stop] == time[start]:
            if event[stop]:
                events += weight[stop]
            else:
                censored += weight[stop]
            stop += 1
        if of_event and events > 0:
            value *= 1 - events / at_risk
        if not of_event and censored > 0:
            value *= 1 - censored / (at_risk - events)
        curve[start:stop] = value
        at_risk -= events + censored
        start = stop
    return curve


@njit(cache=True, nogil=True)
def survival_at(
    weights: FloatArray, time: FloatArray, event: AnyArray, horizons: FloatArray
) -> FloatArray:
    """Kaplan-Meier survival at horizons, shape (resamples, horizons).

    NaN where nobody drawn was followed to the horizon and the curve had not reached zero.
    """
    out = np.empty((weights.shape[0], horizons.size))
    for row in range(weights.shape[0]):
        curve = kaplan_meier_curve(weights[row], time, event, True)
        for k in range(horizons.size):
            before = np.searchsorted(time, horizons[k], side="left")
            until = np.searchsorted(time, horizons[k], side="right")
            value = 1.0 if until == 0 else curve[until - 1]
            if value > 0 and weights[row, before:].sum() == 0:
                value = np.nan
            out[row, k] = value
    return out


@njit(cache=True, nogil=True)
def concordance(weights: FloatArray, table: AnyArray, factor: FloatArray, own: bool) -> FloatArray:
    """Concordant, discordant and tied pairs of each resample, by a Fenwick tree over risks.

    ``table`` holds a row a patient, sorted by stratum and time: number of the (stratum, time),
    event, stratum and rank of the risk. A pair counts ``factor`` of its earlier patient and,
    with ``own``, one over the square of the resample's own censoring curve there (NaN where
    that curve is zero).
    """
    n = table.shape[0]
    moment, event = table[:, MOMENT], table[:, EVENT]
    size = table[:, RANK].max() + 1
    out = np.zeros((weights.shape[0], 3))
    survivors = np.zeros((2, size + 1))
    for row in range(weights.shape[0]):
        weight = weights[row]
        each = weight * factor
        if own:
            curve = kaplan_meier_curve(weight, moment, event, False)
            for i in range(n):
                if each[i] > 0 and event[i]:
                    each[i] = each[i] / curve[i] ** 2 if curve[i] > 0 else np.nan
        survivors[:] = 0.0
        total, stop = 0.0, n
        while stop > 0:
            start = stop - 1
            while start > 0 and moment[start - 1] == moment[stop - 1]:
                start -= 1
            if stop < n and table[stop, STRATUM] != table[start, STRATUM]:
                survivors[:] = 0.0
                total = 0.0
            total += _enter(survivors, weight, table, (start, stop), 0)
            for i in range(start, stop):
                if event[i] and weight[i] > 0:
                    lower = _below(survivors, table[i, RANK])
                    tied = survivors[1, table[i, RANK] + 1]
                    out[row, 0] += each[i] * lower
                    out[row, 1] += each[i] * (total - lower - tied)
                    out[row, 2] += each[i] * tied
            total += _enter(survivors, weight, table, (start, stop), 1)
            stop = start
    return out


@njit(cache=True, nogil=True)
def _enter(
    survivors: FloatArray,
    weight: FloatArray,
    table: AnyArray,
    span: tuple[int, int],
    kind: int,
) -> float:
    """Put the patients of one moment, censored (0) or with event (1), among the survivors.

    The first row of ``survivors`` is the tree, the second the weight at each rank.
    """
    total = 0.0
    for i in range(span[0], span[1]):
        if table[i, EVENT] == kind and weight[i] > 0:
            node = table[i, RANK] + 1
            survivors[1, node] += weight[i]
            total += weight[i]
            while node < survivors.shape[1]:
                survivors[0, node] += weight[i]
                node += node & -node
    return total


@njit(cache=True, nogil=True)
def _below(survivors: FloatArray, rank: int) -> float:
    """Weight of the survivors with a lower rank."""
    total = 0.0
    node = rank
    while node > 0:
        total += survivors[0, node]
        node -= node & -node
    return total


@njit(cache=True, nogil=True)
def censoring_curves(weights: FloatArray, time: FloatArray, event: AnyArray) -> FloatArray:
    """Kaplan-Meier value of censoring at each patient's own time, shape of ``weights``."""
    out = np.empty(weights.shape)
    for row in range(weights.shape[0]):
        out[row] = kaplan_meier_curve(weights[row], time, event, False)
    return out


@njit(cache=True, nogil=True)
def area_under_roc(
    cases: FloatArray, weights: FloatArray, until: int, order: AnyArray, rank: AnyArray
) -> FloatArray:
    """Area under the curve of events among the first ``until`` patients against the others.

    ``order`` sorts patients by risk and ``rank`` is the risk's rank, ties equal. NaN without
    cases or without controls.
    """
    out = np.empty(weights.shape[0])
    n = order.size
    for row in range(weights.shape[0]):
        below, won, of_cases = 0.0, 0.0, 0.0
        start = 0
        while start < n:
            stop, here, with_event = start, 0.0, 0.0
            while stop < n and rank[order[stop]] == rank[order[start]]:
                i = order[stop]
                if i < until:
                    with_event += cases[row, i]
                else:
                    here += weights[row, i]
                stop += 1
            won += with_event * (below + here / 2)
            below += here
            of_cases += with_event
            start = stop
        possible = of_cases * below
        out[row] = won / possible if possible > 0 else np.nan
    return out
