"""What holds for the supervoxels of any image, whatever its grid, mask and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from onkos.features.regions import centroids, neighbours, sizes
from onkos.features.supervoxels import Partition, Regions, supervoxels

FEW = settings(max_examples=40)


@dataclass(frozen=True)
class Cut:
    """An image, how it was to be cut, and what came of it."""

    image: np.ndarray
    inside: np.ndarray
    spacing: tuple[float, float, float]
    partition: Partition
    regions: Regions

    def again(self, *, threads: int) -> Regions:
        return supervoxels(
            self.image,
            self.inside,
            spacing_mm=self.spacing,
            partition=self.partition,
            threads=threads,
        )


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    """Images of unequal sides and steps (slices thinner and thicker than an edge), with holes."""
    shape = (draw(st.integers(1, 12)), draw(st.integers(2, 24)), draw(st.integers(2, 24)))
    spacing = (draw(st.floats(0.5, 20.0)), draw(st.floats(0.5, 4.0)), draw(st.floats(0.5, 4.0)))
    partition = Partition(
        edge_mm=draw(st.floats(2.0, 9.0)),
        compactness=draw(st.sampled_from([0.05, 0.5, 50.0])),
        iterations=draw(st.integers(1, 4)),
        smallest=draw(st.sampled_from([0.0, 0.2, 0.6])),
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    smooth = ndimage.gaussian_filter(rng.normal(size=(*shape, 2)), (1, 2, 2, 0)) * 4
    image = (smooth + 0.3 * rng.normal(size=(*shape, 2))).astype(np.float32)
    inside = rng.random(shape) < draw(st.sampled_from([0.3, 0.9, 1.0]))
    inside.flat[rng.integers(inside.size)] = True
    regions = supervoxels(image, inside, spacing_mm=spacing, partition=partition)
    return Cut(image, inside, spacing, partition, regions)


@FEW
@given(cuts())
def test_every_voxel_inside_has_one_region_and_none_outside(cut):
    np.testing.assert_array_equal(cut.regions.labels > 0, cut.inside)
    used = np.unique(cut.regions.labels[cut.inside])
    np.testing.assert_array_equal(used, np.arange(1, cut.regions.count + 1))


@FEW
@given(cuts())
def test_every_region_hangs_together_by_faces(cut):
    for label, block in enumerate(ndimage.find_objects(cut.regions.labels), start=1):
        _, pieces = ndimage.label(cut.regions.labels[block] == label)
        assert pieces == 1


@FEW
@given(cuts(), st.integers(2, 5))
def test_the_number_of_threads_changes_nothing(cut, threads):
    other = cut.again(threads=threads)
    assert other.count == cut.regions.count
    np.testing.assert_array_equal(other.labels, cut.regions.labels)


@FEW
@given(cuts())
def test_a_small_piece_stays_alone_only_where_nothing_came_before_it(cut):
    extent = np.array(cut.inside.shape) * cut.spacing
    wanted = np.clip(np.rint(extent / cut.partition.edge_mm), 1, cut.inside.shape)
    smallest = int(cut.partition.smallest * np.prod(cut.inside.shape / wanted))
    labels = cut.regions.labels
    for label in 1 + np.flatnonzero(sizes(cut.regions) < smallest):
        first = np.argwhere(labels == label)[0]
        before = [first - step for step in np.eye(3, dtype=int) if (first - step).min() >= 0]
        assert not any(cut.inside[tuple(place)] for place in before)


@FEW
@given(cuts())
def test_a_region_reaches_no_further_than_the_cells_around_it(cut):
    extent = np.array(cut.inside.shape) * cut.spacing
    cells = np.clip(np.rint(extent / cut.partition.edge_mm), 1, cut.inside.shape)
    strict = Partition(edge_mm=cut.partition.edge_mm, smallest=0.0)  # nothing joins a neighbour
    regions = supervoxels(cut.image, cut.inside, spacing_mm=cut.spacing, partition=strict)
    reach = 2 * np.array(cut.inside.shape) / cells + 1
    for block in ndimage.find_objects(regions.labels):
        assert all(side.stop - side.start <= far for side, far in zip(block, reach, strict=True))


@FEW
@given(cuts())
def test_sizes_centroids_and_contacts_agree_with_the_labels(cut):
    labels, count = cut.regions.labels, cut.regions.count
    index = np.arange(1, count + 1)
    np.testing.assert_array_equal(sizes(cut.regions), ndimage.sum_labels(labels > 0, labels, index))
    expected = ndimage.center_of_mass(np.ones(labels.shape), labels, index)
    np.testing.assert_allclose(centroids(cut.regions), expected, atol=1e-9)
    contacts = neighbours(cut.regions).toarray()
    faces = np.zeros((count, count))
    for axis in range(3):
        one = labels.take(range(labels.shape[axis] - 1), axis=axis).ravel()
        next_ = labels.take(range(1, labels.shape[axis]), axis=axis).ravel()
        apart = (one != next_) & (one > 0) & (next_ > 0)
        np.add.at(faces, (one[apart] - 1, next_[apart] - 1), 1)
    faces += faces.T
    faces[faces.sum(axis=1) == 0] = np.eye(count)[faces.sum(axis=1) == 0]
    np.testing.assert_allclose(contacts, faces / faces.sum(axis=1, keepdims=True), atol=1e-12)
    assert contacts.sum(axis=1) == pytest.approx(1.0)
