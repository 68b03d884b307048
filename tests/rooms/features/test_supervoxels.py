"""Supervoxels on images whose right answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from onkos.core.errors import ContentError
from onkos.features.regions import sizes
from onkos.features.supervoxels import Partition, Regions, supervoxels

ROUND = Partition(edge_mm=6.0, compactness=1e3)  # the image hardly counts


def cut(image, *, spacing, partition=None, inside=None) -> Regions:
    inside = np.ones(image.shape[:3], dtype=bool) if inside is None else inside
    return supervoxels(
        image.astype(np.float32), inside, spacing_mm=spacing, partition=partition or Partition()
    )


def extents_mm(regions: Regions, spacing) -> np.ndarray:
    blocks = ndimage.find_objects(regions.labels)
    sides = [[side.stop - side.start for side in block] for block in blocks]
    return np.array(sides) * spacing


@pytest.mark.parametrize(
    "spacing", [(3.0, 1.0, 1.5), (1.0, 3.0, 1.0), (6.0, 0.75, 1.2), (2.0, 2.0, 0.5)], ids=str
)
def test_without_intensities_supervoxels_are_cubes_of_the_edge_in_millimetres(spacing, rng):
    shape = tuple(round(48.0 / step) for step in spacing)
    regions = cut(rng.normal(size=(*shape, 2)), spacing=spacing, partition=ROUND)
    assert regions.count == 8**3
    volumes = sizes(regions) * np.prod(spacing)
    assert volumes.mean() == pytest.approx(6.0**3, rel=0.01)
    assert volumes.min() > 0.4 * 6.0**3
    assert volumes.max() < 2.5 * 6.0**3
    assert np.median(extents_mm(regions, spacing), axis=0) == pytest.approx([6.0] * 3, abs=2.0)


def test_slices_further_apart_than_an_edge_are_never_joined(rng):
    image = rng.normal(0, 0.1, size=(9, 30, 24, 2))
    regions = cut(image, spacing=(20.0, 1.0, 1.0))
    assert extents_mm(regions, (20.0, 1.0, 1.0))[:, 0].max() == 20.0
    assert regions.count == pytest.approx(9 * 5 * 4, rel=0.1)


def test_a_single_slice_gives_squares(rng):
    regions = cut(rng.normal(size=(1, 36, 54, 3)), spacing=(1.0, 1.0, 1.0), partition=ROUND)
    assert regions.count == 6 * 9
    assert np.median(extents_mm(regions, (1.0, 1.0, 1.0)), axis=0).tolist() == [1.0, 6.0, 6.0]


def test_regions_follow_an_oblique_step_of_intensity(rng):
    spacing = (3.0, 1.0, 1.5)
    k, j, i = (axis * step for axis, step in zip(np.indices((12, 40, 30)), spacing, strict=True))
    bright = 0.6 * k + 1.0 * j + 0.3 * i > 33.0
    image = np.stack([4.0 * bright, -4.0 * bright], axis=-1) + rng.normal(0, 0.3, (12, 40, 30, 2))

    def mixed(partition: Partition) -> float:
        regions = cut(image, spacing=spacing, partition=partition)
        n = sizes(regions)
        part = ndimage.sum_labels(bright, regions.labels, np.arange(1, regions.count + 1)) / n
        return float((n * np.minimum(part, 1 - part)).sum() / n.sum())

    assert mixed(Partition(edge_mm=6.0, compactness=0.5)) < 0.002
    assert mixed(ROUND) > 0.02


def test_a_step_in_one_channel_of_four_is_enough(rng):
    bright = np.indices((6, 30, 30))[2] > 13
    image = rng.normal(0, 0.1, (6, 30, 30, 4))
    image[..., 2] += 5.0 * bright
    regions = cut(image, spacing=(2.0, 1.0, 1.0))
    part = ndimage.mean_labels if hasattr(ndimage, "mean_labels") else ndimage.mean
    means = part(bright, regions.labels, np.arange(1, regions.count + 1))
    assert set(np.unique(means)) == {0.0, 1.0}


def test_two_heads_that_do_not_touch_share_no_region(rng):
    inside = np.ones((6, 20, 40), dtype=bool)
    inside[..., 18:20] = False
    regions = cut(rng.normal(size=(6, 20, 40, 1)), spacing=(2.0, 1.0, 1.0), inside=inside)
    left, right = set(regions.labels[..., :18].ravel()), set(regions.labels[..., 20:].ravel())
    assert not left & right


@pytest.mark.parametrize(
    ("image", "inside", "edge"),
    [
        ((4, 5, 6), (4, 5, 6), 6.0),
        ((4, 5, 6, 1), (4, 6, 5), 6.0),
        ((4, 5, 6, 1), (4, 5, 6), 0.0),
        ((4, 5, 6, 1), (4, 5, 6), -2.0),
    ],
    ids=["no channels", "other shape", "no edge", "negative edge"],
)
def test_what_does_not_fit_is_refused(image, inside, edge):
    with pytest.raises(ContentError, match="expected"):
        supervoxels(
            np.zeros(image, dtype=np.float32),
            np.ones(inside, dtype=bool),
            spacing_mm=(1.0, 1.0, 1.0),
            partition=Partition(edge_mm=edge),
        )
