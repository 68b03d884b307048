"""Counts of pairs, runs, zones and neighbourhoods against plain loops over voxels."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy import ndimage

from onkos.features.radiomics import matrices, sweep, zones

LEVELS = 4
HALF = [step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]


@pytest.fixture
def levels(rng) -> np.ndarray:
    inner = rng.integers(0, LEVELS + 1, size=(5, 7, 6))
    inner[1:4, 2:5, 1:4] = 2  # something that has runs and zones
    return np.pad(inner.astype(np.uint8), 1)


def counted(levels, steps_flat=False, dependence=0):
    steps = sweep.directions(levels.shape, flat=steps_flat)
    tables = sweep.empty_tables(levels.shape, LEVELS, len(steps), len(steps))
    sweep.sweep(levels, (1, levels.shape[0] - 1), steps, dependence, tables)
    sweep.lonely(tables[1], tables[3], len(steps))
    return tables


def voxels(levels):
    return [(place, int(levels[place])) for place in zip(*np.nonzero(levels), strict=True)]


def moved(place, step, times=1):
    return tuple(int(a) + times * b for a, b in zip(place, step, strict=True))


def test_pairs_are_those_of_each_direction(levels):
    pairs = counted(levels)[0]
    for n, step in enumerate(HALF):
        found = Counter((mine, int(levels[moved(place, step)])) for place, mine in voxels(levels))
        for i, j in itertools.product(range(1, LEVELS + 1), repeat=2):
            assert pairs[n, i, j] == found[i, j]


def test_runs_are_those_of_each_direction(levels):
    runs = counted(levels)[1]
    for n, step in enumerate(HALF):
        found = Counter()
        for place, mine in voxels(levels):
            if levels[moved(place, step, -1)] != mine:
                length = 1
                while levels[moved(place, step, length)] == mine:
                    length += 1
                found[mine, length] += 1
        for level, length in itertools.product(range(1, LEVELS + 1), range(1, runs.shape[2])):
            assert runs[n, level, length] == found[level, length]


@pytest.mark.parametrize("dependence", [0, 1])
@pytest.mark.parametrize("flat", [False, True])
def test_neighbourhoods_are_those_of_each_voxel(levels, flat, dependence):
    _, _, away, numbers, dependences = counted(levels, flat, dependence)
    half = HALF[:4] if flat else HALF
    every = [*half, *(tuple(-a for a in step) for step in half)]
    sums, count, alike = Counter(), Counter(), Counter()
    for place, mine in voxels(levels):
        around = [int(levels[moved(place, step)]) for step in every]
        around = [level for level in around if level]
        sums[mine, len(around)] += abs(mine * len(around) - sum(around))
        count[mine, len(around)] += 1
        alike[mine, 1 + sum(abs(level - mine) <= dependence for level in around)] += 1
    for table, found in ((away, sums), (numbers, count), (dependences, alike)):
        assert {key: int(table[key]) for key in zip(*np.nonzero(table), strict=True)} == {
            key: value for key, value in found.items() if value
        }


def zone_features(levels, structure, far, planes=slice(None)):
    by_size, by_distance = Counter(), Counter()
    for level in range(1, LEVELS + 1):
        part = levels[planes] == level
        marks, count = ndimage.label(part, structure)
        for mark in range(1, count + 1):
            by_size[level, int((marks == mark).sum())] += 1
            by_distance[level, int(far[planes][marks == mark].min())] += 1
    total = float((levels[planes] > 0).sum())
    return [matrix_features(found, total) for found in (by_size, by_distance)]


def matrix_features(found, total):
    sizes = np.arange(1, max(size for _, size in found) + 1)
    counts = np.zeros((LEVELS + 1, len(sizes)), dtype=np.int64)
    for (level, size), n in found.items():
        counts[level, size - 1] = n
    return matrices.emphases(counts, sizes, total)


def test_zones_of_space_are_connected_components(levels):
    outline = (levels > 0).astype(np.uint8)
    far = ndimage.distance_transform_cdt(outline, metric="taxicab")
    size, distance = zone_features(levels, np.ones((3, 3, 3)), far)
    found = zones.textures(levels, outline, LEVELS, flat=False)
    np.testing.assert_allclose(found["szm_3D"], size, rtol=1e-12)
    np.testing.assert_allclose(found["dzm_3D"], distance, rtol=1e-12)


def test_zones_of_slices_are_connected_components_within_them(levels):
    outline = (levels > 0).astype(np.uint8)
    far = np.array([ndimage.distance_transform_cdt(plane, metric="taxicab") for plane in outline])
    flat = np.zeros((3, 3, 3))
    flat[1] = 1
    found = zones.textures(levels, outline, LEVELS, flat=True)
    whole = zone_features(levels, flat, far)
    each = [zone_features(levels, flat, far, slice(k, k + 1)) for k in range(1, 6)]
    np.testing.assert_allclose(found["szm_2_5D"], whole[0], rtol=1e-12)
    np.testing.assert_allclose(found["dzm_2_5D"], whole[1], rtol=1e-12)
    np.testing.assert_allclose(found["szm_2D"], np.mean([s for s, _ in each], axis=0))
    np.testing.assert_allclose(found["dzm_2D"], np.mean([d for _, d in each], axis=0))


def test_zones_larger_than_the_table_are_counted_too():
    inner = np.ones((9, 8, 13), dtype=np.uint8)
    inner[4] = 2
    inner[8, 7, 12] = 3
    levels = np.pad(inner, 1)
    found = zones.textures(levels, (levels > 0).astype(np.uint8), 3, flat=False)["szm_3D"]
    sizes = [4 * 104, 4 * 104 - 1, 104, 1]
    assert found[1] == pytest.approx(np.mean(np.square(sizes)))
    assert found[10] == pytest.approx(4 / 4)
    assert found[12] == pytest.approx(4 / inner.size)


def test_more_levels_than_a_byte_holds_are_told_apart(rng):
    inner = rng.integers(250, 300, size=(4, 5, 6)).astype(np.uint16)
    found = sweep.textures_3d(np.pad(inner, 1), 300, dependence=0, averaged=False, threads=1)
    assert found["ngl_3D"][3] == pytest.approx(np.mean(inner.astype(float) ** 2))


def test_slices_without_a_pair_are_left_out_of_means():
    levels = np.zeros((4, 5, 5), dtype=np.uint8)
    levels[1, 1, 1] = 3
    levels[2, 1:4, 1:4] = [[1, 2, 1], [2, 3, 1], [1, 1, 2]]
    found = sweep.textures_2d(levels, 3, dependence=0)
    alone = sweep.textures_2d(levels[[0, 2, 3]], 3, dependence=0)
    np.testing.assert_allclose(found["cm_2D_avg"], alone["cm_2D_avg"])
    assert np.isfinite(found["cm_2_5D_comb"]).all()


def test_a_symmetric_pair_matrix_is_worked_out_by_hand():
    counts = np.zeros((3, 3), dtype=np.int64)
    counts[1, 1], counts[1, 2], counts[2, 2] = 1, 2, 1
    found = matrices.cooccurrences(counts)
    assert found[0] == pytest.approx(0.25)  # joint maximum
    assert found[1] == pytest.approx(1.5)  # joint average
    assert found[3] == pytest.approx(2.0)  # joint entropy, bits
    assert found[11] == pytest.approx(0.5)  # contrast
    assert found[18] == pytest.approx(0.0, abs=1e-12)  # correlation
    assert np.isnan(matrices.cooccurrences(np.zeros((3, 3), dtype=np.int64))).all()
