"""Minimum cut of a grid in three dimensions, by growing two trees (Boykov and Kolmogorov)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from onkos.classic.learning import Bools

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

_FREE, _SOURCE, _SINK = 0, 1, 2
_TERMINAL, _NONE = 6, 7  # parents other than a neighbour


def minimum_cut(cost: Int64, ahead: Int32, back: Int32) -> Bools:
    """Minimum cut of a grid, exact.

    Parameters
    ----------
    cost
        (a, b, c): cost of a voxel on the second side (sink) minus its cost on the first (source).
    ahead, back
        (3, a, b, c): cost of a voxel on the first side and its successor along the axis on the
        second, and vice versa; not negative, the last entry of an axis is unused.

    Returns
    -------
    NDArray
        (a, b, c): True on the second side. Of several minimum cuts, the one with the smallest
        second side.

    References
    ----------
    Boykov Y, Kolmogorov V. An experimental comparison of min-cut/max-flow algorithms for energy
    minimization in vision. IEEE Trans Pattern Anal Mach Intell 2004;26:1124-1137.
    doi:10.1109/TPAMI.2004.60
    """
    sides = np.array(cost.shape) + 2  # a frame of voxels without edges: no border to look for
    inner = (slice(1, -1),) * 3
    capacity = np.zeros((*sides, 6), dtype=np.int32)
    for axis in range(3):
        room = np.moveaxis(capacity[(*inner, slice(2 * axis, 2 * axis + 2))], axis, 0)
        room[:-1, ..., 0] = np.moveaxis(ahead[axis], axis, 0)[:-1]
        room[1:, ..., 1] = np.moveaxis(back[axis], axis, 0)[:-1]
    terminal = np.zeros(tuple(sides), dtype=np.int64)
    terminal[inner] = cost
    stride = (int(sides[1] * sides[2]), int(sides[2]), 1)
    offset = np.array([s for one in stride for s in (one, -one)], dtype=np.int64)
    tree = _flow(capacity.reshape(-1, 6), terminal.reshape(-1), offset)
    second: Bools = tree.reshape(tuple(sides))[inner] == _SINK
    return second


@njit(cache=True, nogil=True)
def _flow(capacity: Any, terminal: Any, offset: Any) -> Any:  # pragma: no cover
    """Send as much flow as fits; return the tree each voxel ends in."""
    count = terminal.size
    tree = np.zeros(count, dtype=np.int8)
    parent = np.full(count, _NONE, dtype=np.int8)
    stamp = np.zeros(count, dtype=np.int32)
    depth = np.zeros(count, dtype=np.int32)
    queue = np.empty(count, dtype=np.int64)
    queued = np.zeros(count, dtype=np.bool_)
    orphans = np.empty(count, dtype=np.int64)
    ends = np.zeros(2, dtype=np.int64)  # head of the queue, and how many are in it
    for n in range(count):
        if terminal[n] != 0:
            tree[n] = _SOURCE if terminal[n] > 0 else _SINK
            parent[n] = _TERMINAL
            depth[n] = 1
            _enqueue(queue, queued, ends, n)
    state = (tree, parent, stamp, depth)
    lists = (queue, queued, ends, orphans)
    time = 0
    while ends[1] > 0:
        here = queue[ends[0]]
        if tree[here] == _FREE:
            _dequeue(queue, queued, ends)
            continue
        upper, step = _grow(capacity, offset, state, lists, here)
        if step < 0:
            _dequeue(queue, queued, ends)
            continue
        time += 1
        number = _augment(capacity, terminal, offset, state, orphans, (upper, step))
        _adopt(capacity, offset, state, lists, (number, time))
    return tree


@njit(cache=True, nogil=True, inline="always")
def _enqueue(queue: Any, queued: Any, ends: Any, n: int) -> None:  # pragma: no cover
    if not queued[n]:
        queued[n] = True
        queue[(ends[0] + ends[1]) % queue.size] = n
        ends[1] += 1


@njit(cache=True, nogil=True, inline="always")
def _dequeue(queue: Any, queued: Any, ends: Any) -> None:  # pragma: no cover
    queued[queue[ends[0]]] = False
    ends[0] = (ends[0] + 1) % queue.size
    ends[1] -= 1


@njit(cache=True, nogil=True)
def _grow(capacity: Any, offset: Any, state: Any, lists: Any, here: int) -> Any:  # pragma: no cover
    """Grow a voxel's tree into free neighbours; stop where it meets the other tree.

    Returns the voxel on the source's side and the step from it to the sink's, or step -1.
    """
    tree, parent, stamp, depth = state
    queue, queued, ends, _ = lists
    side = tree[here]
    for step in range(6):
        there = here + offset[step]
        room = capacity[here, step] if side == _SOURCE else capacity[there, step ^ 1]
        if room <= 0:
            continue
        if tree[there] == _FREE:
            tree[there] = side
            parent[there] = step ^ 1
            stamp[there] = stamp[here]
            depth[there] = depth[here] + 1
            _enqueue(queue, queued, ends, there)
        elif tree[there] != side:
            if side == _SOURCE:
                return here, step
            return there, step ^ 1
        elif stamp[there] <= stamp[here] and depth[there] > depth[here] + 1:
            parent[there] = step ^ 1
            stamp[there] = stamp[here]
            depth[there] = depth[here] + 1
    return here, -1


@njit(cache=True, nogil=True)
def _augment(
    capacity: Any, terminal: Any, offset: Any, state: Any, orphans: Any, bridge: Any
) -> Any:  # pragma: no cover
    """Send what fits along the path found; return how many voxels lost their parent."""
    parent = state[1]
    upper, step = bridge
    lower = upper + offset[step]
    most = np.int64(capacity[upper, step])
    most = min(most, _fits(capacity, terminal, offset, parent, (upper, 1)))
    most = min(most, _fits(capacity, terminal, offset, parent, (lower, 0)))
    capacity[upper, step] -= most
    capacity[lower, step ^ 1] += most
    number = 0
    for end in range(2):
        n = upper if end == 0 else lower
        down = 1 - 2 * end  # the flow runs towards the child, or towards the parent
        while parent[n] != _TERMINAL:
            way = parent[n]
            above = n + offset[way]
            capacity[n, way] += down * most
            capacity[above, way ^ 1] -= down * most
            if (capacity[above, way ^ 1] if end == 0 else capacity[n, way]) == 0:
                parent[n] = _NONE
                orphans[number] = n
                number += 1
            n = above
        terminal[n] -= down * most
        if terminal[n] == 0:
            parent[n] = _NONE
            orphans[number] = n
            number += 1
    return number


@njit(cache=True, nogil=True)
def _fits(
    capacity: Any, terminal: Any, offset: Any, parent: Any, end: Any
) -> Any:  # pragma: no cover
    """Least capacity between a voxel and its terminal."""
    n, from_source = end
    most = np.int64(2**60)
    while parent[n] != _TERMINAL:
        above = n + offset[parent[n]]
        room = capacity[above, parent[n] ^ 1] if from_source else capacity[n, parent[n]]
        most = min(most, np.int64(room))
        n = above
    return min(most, abs(terminal[n]))


@njit(cache=True, nogil=True)
def _adopt(
    capacity: Any, offset: Any, state: Any, lists: Any, when: Any
) -> None:  # pragma: no cover
    """Find each orphan a new parent that still hangs on its terminal, or set it free."""
    tree, parent, stamp, depth = state
    orphans = lists[3]
    number, time = when
    first = 0
    while number > 0:
        here = orphans[first]
        first = (first + 1) % orphans.size
        number -= 1
        side = tree[here]
        best, nearest = -1, np.int64(2**60)
        for step in range(6):
            there = here + offset[step]
            if tree[there] != side or parent[there] == _NONE:
                continue
            if _room(capacity, side, here, there, step) > 0:
                far = _rooted(offset, state, there, time)
                if far < nearest:
                    best, nearest = step, far
        if best >= 0:
            parent[here] = best
            stamp[here] = time
            depth[here] = nearest + 1
        else:
            number = _set_free(capacity, offset, state, lists, (here, first, number))


@njit(cache=True, nogil=True)
def _set_free(
    capacity: Any, offset: Any, state: Any, lists: Any, orphan: Any
) -> Any:  # pragma: no cover
    """Take a voxel out of its tree: its children are orphans, its neighbours may grow again."""
    tree, parent, _, _ = state
    queue, queued, ends, orphans = lists
    here, first, number = orphan
    side = tree[here]
    for step in range(6):
        there = here + offset[step]
        if tree[there] != side:
            continue
        if _room(capacity, side, here, there, step) > 0:
            _enqueue(queue, queued, ends, there)
        if parent[there] == (step ^ 1):
            parent[there] = _NONE
            orphans[(first + number) % orphans.size] = there
            number += 1
    tree[here] = _FREE
    parent[here] = _NONE
    return number


@njit(cache=True, nogil=True, inline="always")
def _room(capacity: Any, side: int, here: int, there: int, step: int) -> Any:  # pragma: no cover
    """Capacity left from a parent to its child (source) or from child to parent (sink)."""
    return capacity[there, step ^ 1] if side == _SOURCE else capacity[here, step]


@njit(cache=True, nogil=True)
def _rooted(offset: Any, state: Any, start: int, time: int) -> Any:  # pragma: no cover
    """Steps from a voxel up to its terminal, very many if an orphan lies between."""
    _, parent, stamp, depth = state
    n, far = start, np.int64(0)
    while stamp[n] != time:
        if parent[n] == _NONE:
            return np.int64(2**60)
        far += 1
        if parent[n] == _TERMINAL:
            stamp[n] = time
            depth[n] = 1
            far -= 1
            break
        n = n + offset[parent[n]]
    far += depth[n]
    n, left = start, far
    while stamp[n] != time:
        stamp[n] = time
        depth[n] = left
        left -= 1
        n = n + offset[parent[n]]
    return far
