"""The other side of a head whose mid-plane is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from onkos.features.regions import centroids, first_order
from onkos.features.supervoxels import Partition, Regions, supervoxels
from onkos.features.symmetry import opposite

SPACING = (4.0, 2.0, 2.5)
SHAPE = (20, 60, 48)


def head(
    rng: np.random.Generator, *, offset_mm: float, yaw: float, lesion: bool
) -> tuple[Regions, np.ndarray, np.ndarray, np.ndarray]:
    """Regions, centroids and means of a head that is alike on both sides of a plane.

    An ear on one side moves the middle of the outline to ``offset_mm`` from the plane, which is
    turned by ``yaw``. Also returned is where each centroid's mirror image lies, (count, 3).
    """
    points = (np.moveaxis(np.indices(SHAPE), 0, -1) - (np.array(SHAPE) - 1) / 2) * SPACING
    normal = np.array([0.0, np.sin(yaw), np.cos(yaw)])
    towards = points @ normal
    along = points - towards[..., None] * normal
    inside = (towards / 42) ** 2 + ((along / [36.0, 54.0, 54.0]) ** 2).sum(axis=-1) <= 1
    side = np.sign(offset_mm)
    ear = np.linalg.norm(points - [0.0, 0.0, side * (42 + 2 * abs(offset_mm) - 6)], axis=-1) < 6
    inside |= ear & (offset_mm != 0)
    folded = along + np.abs(towards)[..., None] * normal  # onto one side
    lumps = ndimage.gaussian_filter(rng.normal(size=(40, 160, 120, 2)), (1, 3, 3, 0))
    index = np.moveaxis(folded / [4.0, 1.5, 1.5] + np.array([20, 80, 20]), -1, 0)
    image = np.stack(
        [
            ndimage.map_coordinates(lumps[..., n] / lumps.std(), index, order=1, mode="wrap")
            for n in range(2)
        ],
        axis=-1,
    )
    if lesion:
        image[np.linalg.norm(points - [0.0, 15.0, 22.0], axis=-1) < 14] += 4.0
    image = (image + rng.normal(0, 0.1, image.shape)).astype(np.float32)
    regions = supervoxels(image, inside, spacing_mm=SPACING, partition=Partition(edge_mm=6.0))
    where = centroids(regions)
    away = (where - (np.array(SHAPE) - 1) / 2) * SPACING
    mirrored = away - 2 * (away @ normal)[:, None] * normal
    return regions, where, first_order(image, regions)[..., 0], mirrored


@pytest.mark.parametrize("lesion", [False, True], ids=["healthy", "lesion"])
@pytest.mark.parametrize(("offset_mm", "yaw_degrees"), [(0.0, 0.0), (5.0, 0.0), (-4.0, 7.0)])
def test_the_opposite_region_lies_at_the_mirror_image(rng, offset_mm, yaw_degrees, lesion):
    yaw = np.deg2rad(yaw_degrees)
    regions, where, means, mirrored = head(rng, offset_mm=offset_mm, yaw=yaw, lesion=lesion)
    found = opposite(regions, where, means, spacing_mm=SPACING)
    middle = (np.array(SHAPE) - 1) / 2
    there = found >= 0
    assert there.mean() > 0.9
    away = np.linalg.norm((where[found[there]] - middle) * SPACING - mirrored[there], axis=1)
    assert np.median(away) < 4.5
    assert np.percentile(away, 95) < 8.0


def test_a_region_whose_mirror_image_is_outside_has_no_other_side():
    labels = np.zeros((1, 9, 41), dtype=np.int32)
    labels[0, :, 0:5], labels[0, :, 36:41], labels[0, :4, 16:19] = 1, 2, 3
    regions = Regions(labels=labels, count=3)
    values = np.array([[1.0], [1.0], [0.0]])
    found = opposite(regions, centroids(regions), values, spacing_mm=(1.0, 1.0, 1.0))
    assert found[:2].tolist() == [1, 0]
    assert found[2] in (-1, 2)
