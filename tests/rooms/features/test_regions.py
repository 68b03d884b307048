"""Statistics of regions against numpy and scipy, region by region."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from onkos.features.regions import (
    FIRST_ORDER,
    QUANTILES,
    diffused,
    first_order,
    histograms,
    neighbours,
    sizes,
    votes,
)
from onkos.features.supervoxels import Regions

BIN = 16 / 64  # -6 to 10 in 64 bins


def scattered(rng: np.random.Generator, shape=(5, 9, 7), count: int = 6) -> Regions:
    """Regions of any form, each with at least one voxel, and some voxels outside."""
    labels = rng.integers(0, count + 1, size=shape).astype(np.int32)
    labels.flat[:count] = np.arange(1, count + 1)
    return Regions(labels=labels, count=count)


@pytest.fixture
def regions(rng) -> Regions:
    return scattered(rng)


def test_moments_are_those_of_scipy(regions, rng):
    image = rng.gamma(2.0, 1.5, size=(*regions.labels.shape, 3)).astype(np.float32) - 3
    found = dict(zip(FIRST_ORDER, np.moveaxis(first_order(image, regions), 2, 0), strict=True))
    for n in range(regions.count):
        for channel in range(3):
            values = image[regions.labels == n + 1, channel].astype(np.float64)
            at = (n, channel)
            assert found["mean"][at] == pytest.approx(values.mean(), abs=1e-6)
            assert found["sd"][at] == pytest.approx(values.std(), rel=1e-6)
            assert found["skewness"][at] == pytest.approx(stats.skew(values), abs=1e-5)
            assert found["kurtosis"][at] == pytest.approx(stats.kurtosis(values), abs=1e-5)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_quantiles_are_within_one_bin(seed):
    rng = np.random.default_rng(seed)
    regions = scattered(rng)
    image = (rng.normal(size=(*regions.labels.shape, 2)) * rng.uniform(0.1, 8)).astype(np.float32)
    found = first_order(image, regions)[..., -len(QUANTILES) :]
    for n in range(regions.count):
        for channel in range(2):
            ordered = np.sort(np.clip(image[regions.labels == n + 1, channel], -6, 10))
            for got, q in zip(found[n, channel], QUANTILES, strict=True):
                place = int(np.ceil(q * len(ordered) - 1e-9)) - 1
                assert got == pytest.approx(ordered[place], abs=BIN)


def test_quantiles_of_values_spread_evenly_are_exact():
    regions = Regions(labels=np.ones((1, 64, 20), dtype=np.int32), count=1)
    middles = -6 + BIN * (np.arange(64) + 0.5)
    image = np.repeat(middles, 20).reshape(1, 64, 20, 1).astype(np.float32)
    expected = [-6 + 16 * q for q in QUANTILES]
    assert first_order(image, regions)[0, 0, -3:] == pytest.approx(expected)


def test_an_even_region_has_no_skewness_and_no_kurtosis():
    regions = Regions(labels=np.repeat([[[1, 2]]], 5, axis=1).astype(np.int32), count=2)
    image = np.full((1, 5, 2, 1), 1.25, dtype=np.float32)
    image[0, 0, 1] = 4.0
    even, uneven = first_order(image, regions)[:, 0]
    assert even[:4].tolist() == [1.25, 0, 0, 0]
    assert uneven[2] > 1


def test_histograms_are_shares_and_votes_are_voxels(regions, rng):
    classes = rng.integers(0, 4, size=regions.labels.shape).astype(np.uint8)
    counted = votes(classes, regions, count=5)
    for n in range(regions.count):
        own = classes[regions.labels == n + 1]
        assert counted[n].tolist() == np.bincount(own, minlength=5).tolist()
    assert counted.sum(axis=1).tolist() == sizes(regions).tolist()
    shares = histograms(classes, regions, count=5)
    np.testing.assert_allclose(shares, counted / sizes(regions)[:, None])


def test_contacts_are_shared_faces_in_every_direction():
    # 1 1 2      3 faces of 1 and 2, 1 of 2 and 3 in the plane, 2 more through to the next slice
    # 1 2 2
    # 0 2 3
    labels = np.array([[[1, 1, 2], [1, 2, 2], [0, 2, 3]], [[1, 0, 0], [0, 0, 3], [0, 0, 0]]])
    found = neighbours(Regions(labels=labels.astype(np.int32), count=3)).toarray()
    np.testing.assert_allclose(found, [[0, 1, 0], [3 / 6, 0, 3 / 6], [0, 1, 0]])


def test_a_region_without_neighbours_has_itself():
    labels = np.array([[[1, 0, 2, 3]]], dtype=np.int32)
    found = neighbours(Regions(labels=labels, count=3)).toarray()
    np.testing.assert_array_equal(found, [[1, 0, 0], [0, 0, 1], [0, 1, 0]])


def test_spreading_keeps_constants_and_the_range(regions, rng):
    matrix = neighbours(regions)
    constant = np.full((regions.count, 2), 3.5)
    np.testing.assert_allclose(diffused(matrix, constant, steps=9), constant)
    values = rng.normal(size=(regions.count, 2))
    spread = diffused(matrix, values, steps=40)
    assert np.all(spread.max(axis=0) <= values.max(axis=0))
    assert np.all(np.ptp(spread, axis=0) < 0.1 * np.ptp(values, axis=0))
    np.testing.assert_array_equal(diffused(matrix, values, steps=0), values)


def test_one_step_keeps_half_and_takes_half_from_the_neighbours():
    labels = np.array([[[1, 2, 3]]], dtype=np.int32)
    values = np.array([[8.0], [0.0], [4.0]])
    found = diffused(neighbours(Regions(labels=labels, count=3)), values, steps=1)
    assert found.ravel().tolist() == [4.0, 3.0, 2.0]
