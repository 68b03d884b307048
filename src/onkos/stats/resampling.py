"""Resamples of patients, drawn with replacement, as the multiplicities of their cases."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from onkos.core.errors import CohortError, ContentError
from onkos.core.geometry import FloatArray

IntArray = NDArray[np.intp]
Multiplicities = NDArray[np.int32]
Statistic = Callable[[Multiplicities], FloatArray]

BLOCK_BYTES = 1 << 22  # a block of multiplicities stays in a processor's cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Which cases belong together (a patient), and which patients are drawn apart (a stratum).

    Parameters
    ----------
    of_case
        Number of the cluster of each case, shape (cases,); clusters are numbered stratum by
        stratum.
    strata
        Number of clusters in each stratum, shape (strata,).
    """

    of_case: IntArray
    strata: IntArray

    @classmethod
    def of(
        cls,
        cases: int,
        *,
        groups: Sequence[Hashable] | None = None,
        strata: Sequence[Hashable] | None = None,
    ) -> Clusters:
        """Number clusters from the patient and the stratum of each case.

        Without ``groups`` every case is a patient of its own, without ``strata`` there is one.

        Raises
        ------
        ContentError
            If a sequence does not have one entry a case, or there are no cases.
        CohortError
            If a patient lies in two strata.
        """
        if cases == 0:
            raise ContentError("no cases to resample; expected at least one")
        for name, given in (("groups", groups), ("strata", strata)):
            if given is not None and len(given) != cases:
                raise ContentError(f"{len(given)} {name} for {cases} cases; expected one each")
        cluster = numbered(groups) if groups is not None else np.arange(cases)
        layer = numbered(strata) if strata is not None else np.zeros(cases, dtype=np.intp)
        count = int(cluster.max()) + 1
        layer_of = np.zeros(count, dtype=np.intp)
        layer_of[cluster] = layer
        if (layer_of[cluster] != layer).any():
            case = int(np.flatnonzero(layer_of[cluster] != layer)[0])
            who = case if groups is None else groups[case]
            raise CohortError(f"patient {who!r} lies in two strata; expected one stratum each")
        place = np.empty(count, dtype=np.intp)
        place[np.argsort(layer_of, kind="stable")] = np.arange(count)
        return cls(of_case=place[cluster], strata=np.bincount(layer_of).astype(np.intp))

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return int(self.strata.sum())

    @property
    def stratum(self) -> IntArray:
        """Stratum of each cluster, shape (count,)."""
        return np.repeat(np.arange(len(self.strata)), self.strata)

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum of the values of each cluster's cases, shape (count, ...)."""
        sums = np.zeros((self.count, *values.shape[1:]))
        np.add.at(sums, self.of_case, values)
        return sums

    def take(self, order: IntArray) -> Clusters:
        """Return the same clusters with the cases in another order."""
        return Clusters(of_case=self.of_case[order], strata=self.strata)


def numbered(labels: Sequence[Hashable]) -> IntArray:
    """Number labels in order of first appearance, shape (cases,)."""
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.intp)


def replicates(
    statistic: Statistic,
    *,
    clusters: Clusters,
    resamples: int,
    rng: np.random.Generator,
    threads: int = 2,
) -> FloatArray:
    """Evaluate a statistic on resamples of whole clusters, drawn within strata.

    The statistic gets multiplicities, shape (some resamples, cases): how often each case counts
    in each resample. Blocks are small enough to stay in cache. The floor of the memory moved is
    8 bytes a case and resample (a 4-byte count written once and read once), all of it in cache
    for fewer than a million cases; with 10,000 cases and 10,000 resamples that is 0.8 GB, and
    drawing, at a nanosecond or two a count, is the larger part.

    Each resample has a random stream of its own, seeded from ``rng``: the answer depends
    neither on the number of threads nor on the size of the blocks.

    Returns
    -------
    FloatArray
        Shape (resamples, ...), as the statistic gives it.
    """
    seeds = rng.integers(0, 2**64, size=resamples, dtype=np.uint64)
    alone = clusters.count == len(clusters.of_case)  # each case is a patient of its own
    place = np.argsort(clusters.of_case) if alone else np.arange(clusters.count)

    def evaluated(start: int, stop: int) -> FloatArray:
        counts = np.empty((stop - start, clusters.count), dtype=np.int32)
        _draw(seeds[start:stop], clusters.strata, place, counts)
        return statistic(counts if alone else counts[:, clusters.of_case])

    return _in_blocks(evaluated, rows=resamples, cases=len(clusters.of_case), threads=threads)


def leave_one_out(statistic: Statistic, *, clusters: Clusters, threads: int = 2) -> FloatArray:
    """Evaluate a statistic without each cluster in turn, shape (clusters, ...)."""

    def evaluated(start: int, stop: int) -> FloatArray:
        counts = np.ones((stop - start, clusters.count), dtype=np.int32)
        counts[np.arange(stop - start), np.arange(start, stop)] = 0
        return statistic(counts[:, clusters.of_case])

    return _in_blocks(evaluated, rows=clusters.count, cases=len(clusters.of_case), threads=threads)


def weighted_sums(weights: Multiplicities, values: FloatArray) -> FloatArray:
    """Sum of the values of cases that count as often as drawn, shape (resamples,).

    Without the copy to floats and the threads of their own that a matrix product would take.
    """
    out = np.empty(len(weights))
    _weighted_sums(weights, values, out)
    return out


def _in_blocks(
    evaluated: Callable[[int, int], FloatArray], *, rows: int, cases: int, threads: int
) -> FloatArray:
    """Concatenate what is evaluated on blocks of rows."""
    block = max(1, min(BLOCK_BYTES // (4 * cases), -(-rows // max(1, threads))))
    edges = [*range(0, rows, block), rows]
    jobs = list(pairwise(edges))
    if threads <= 1 or len(jobs) == 1:
        return np.concatenate([evaluated(*job) for job in jobs])
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return np.concatenate(list(pool.map(lambda job: evaluated(*job), jobs)))


@njit(cache=True, nogil=True)
def _weighted_sums(weights: Multiplicities, values: FloatArray, out: FloatArray) -> None:
    for row in range(weights.shape[0]):
        total = 0.0
        for case in range(weights.shape[1]):
            total += weights[row, case] * values[case]
        out[row] = total


@njit(cache=True, nogil=True)
def _draw(
    seeds: NDArray[np.uint64], strata: IntArray, place: IntArray, counts: Multiplicities
) -> None:
    """Count draws of clusters at their places: splitmix64 streams, Lemire's unbiased integers.

    Steele GL, Lea D, Flood CH. Fast splittable pseudorandom number generators. OOPSLA 2014.
    doi:10.1145/2660193.2660195; Lemire D. Fast random integer generation in an interval. ACM
    Trans Model Comput Simul 2019;29:3. doi:10.1145/3230636
    """
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    for row in range(seeds.size):
        state, drawn, start = seeds[row], counts[row], 0
        drawn[:] = 0
        for stratum in range(strata.size):
            size = np.uint64(strata[stratum])
            threshold = (np.uint64(1 << 32) - size) % size
            left = strata[stratum]
            while left > 0:
                state += np.uint64(0x9E3779B97F4A7C15)
                bits = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                bits = bits ^ (bits >> np.uint64(31))
                product = (bits & low) * size
                if (product & low) >= threshold:
                    drawn[place[start + np.int64(product >> half)]] += 1
                    left -= 1
                product = (bits >> half) * size
                if left > 0 and (product & low) >= threshold:
                    drawn[place[start + np.int64(product >> half)]] += 1
                    left -= 1
            start += strata[stratum]
