"""Slabs of an image worked on by several threads; the answer never depends on how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")

SLABS = 8  # fixed: sums are gathered slab by slab, so their rounding is the same on any machine


def slabs(side: int, *, parts: int = SLABS) -> list[tuple[int, int]]:
    """Cut 0..side into at most ``parts`` consecutive (start, stop) of nearly equal length."""
    parts = max(1, min(parts, side))
    edges = [side * part // parts for part in range(parts + 1)]
    return list(pairwise(edges))


def each(work: Callable[..., T], jobs: Sequence[tuple[int, ...]], *, threads: int) -> list[T]:
    """Call ``work(*job)`` for every job and return the answers in the order of the jobs.

    The work must release the interpreter lock (numba ``nogil``) for threads to help.
    """
    if threads <= 1 or len(jobs) <= 1:
        return [work(*job) for job in jobs]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(lambda job: work(*job), jobs))
