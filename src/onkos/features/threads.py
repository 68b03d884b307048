"""Parallel work on slabs of an image; results do not depend on the number of threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")

SLABS = 8  # fixed: sums are added slab by slab, so rounding does not depend on the threads


def slabs(side: int, *, parts: int = SLABS) -> list[tuple[int, int]]:
    """Cut 0..side into at most ``parts`` consecutive (start, stop) of nearly equal length."""
    parts = max(1, min(parts, side))
    edges = [side * part // parts for part in range(parts + 1)]
    return list(pairwise(edges))


def each(work: Callable[..., T], jobs: Sequence[tuple[int, ...]], *, threads: int) -> list[T]:
    """Call ``work(*job)`` for every job and return the results in the order of the jobs.

    The work must release the interpreter lock (numba ``nogil``) for threads to help.
    """
    if threads <= 1 or len(jobs) <= 1:
        return [work(*job) for job in jobs]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(lambda job: work(*job), jobs))
