"""Outlines compared lesion by lesion."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.stats.lesions import LesionRule, match_lesions, paired

GRID = Geometry.upright((30, 9, 7), spacing_mm=(1.0, 2.0, 2.5))
OVERLAP = LesionRule(by="overlap")


def blocks(*spans: tuple[int, int], grid: Geometry = GRID, height: int = 4) -> Mask:
    labels = np.zeros(grid.shape, dtype=np.uint8)
    for low, high in spans:
        labels[low:high, 2 : 2 + height] = 1
    return Mask(labels=labels, geometry=grid, names={1: "lesion"})


def judged(prediction: Mask, truth: Mask, rule: LesionRule, **options: str):
    return match_lesions(prediction, truth, rule=rule, miss_mm=50.0, **options)


def test_a_missed_lesion_costs_what_the_caller_says():
    found = judged(blocks((0, 4)), blocks((0, 4), (10, 14)), LesionRule(by="iou", threshold=0.5))
    assert (found.found, found.missed, found.spurious) == (1, 1, 0)
    assert (found.recall, found.precision) == (0.5, 1.0)
    assert found.f1 == pytest.approx(2 / 3)
    assert [lesion.dice for lesion in found.lesions] == [1.0, 0.0]
    assert [lesion.hd95_mm for lesion in found.lesions] == [0.0, 50.0]
    assert (found.dice, found.hd95_mm, found.assd_mm) == (0.5, 25.0, 25.0)


def test_panoptic_quality_of_a_worked_example():
    """IoU 3/4 and 1 found, one lesion missed, two regions spurious."""
    prediction = blocks((0, 3), (8, 12), (20, 22), (24, 26))
    truth = blocks((0, 4), (8, 12), (15, 18))
    found = judged(prediction, truth, LesionRule(by="iou", threshold=0.5))
    assert (found.found, found.missed, found.spurious, found.predicted) == (2, 1, 2, 4)
    assert found.segmentation_quality == pytest.approx((0.75 + 1) / 2)
    assert found.f1 == pytest.approx(4 / 7)
    assert found.panoptic_quality == pytest.approx(0.875 * 4 / 7)
    assert found.hd95_mm == pytest.approx((1.0 + 0.0 + 3 * 50.0) / 5)
    assert found.dice == pytest.approx((6 / 7 + 1) / 5)


def test_iou_must_be_above_the_threshold():
    half = (blocks((0, 2)), blocks((0, 4)))
    assert judged(*half, LesionRule(by="iou", threshold=0.5)).found == 0
    assert judged(*half, LesionRule(by="iou", threshold=0.49)).found == 1


def test_by_overlap_one_region_may_find_two_lesions_and_be_compared_with_each():
    found = judged(blocks((0, 14)), blocks((0, 4), (10, 14)), OVERLAP)
    assert (found.found, found.missed, found.spurious) == (2, 0, 0)
    assert [lesion.iou for lesion in found.lesions] == pytest.approx([4 / 14, 4 / 14])
    strict = judged(blocks((0, 14)), blocks((0, 4), (10, 14)), LesionRule(by="iou", threshold=0.1))
    assert (strict.found, strict.missed) == (1, 1)


def test_by_overlap_two_regions_on_one_lesion_are_taken_together():
    found = judged(blocks((0, 2), (3, 5)), blocks((0, 5)), OVERLAP)
    assert (found.found, found.spurious, found.precision) == (1, 0, 1.0)
    assert found.lesions[0].dice == pytest.approx(2 * 4 / 9)


def test_by_centre_distances_are_millimetres_on_an_oblique_grid():
    turn = np.array([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    grid = Geometry.upright((30, 9, 7), spacing_mm=(2.0, 1.0, 3.0), directions=turn)
    pair = (blocks((3, 6), grid=grid), blocks((4, 7), grid=grid))
    assert judged(*pair, LesionRule(by="centre", threshold=2.0 + 1e-9)).found == 1
    assert judged(*pair, LesionRule(by="centre", threshold=1.99)).found == 0


def test_corners_join_voxels_unless_only_faces_may():
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[2, 2, 2] = labels[3, 3, 3] = 1
    mask = Mask(labels=labels, geometry=GRID, names={1: "lesion"})
    assert len(judged(mask, mask, OVERLAP).lesions) == 1
    assert len(judged(mask, mask, OVERLAP, touching="faces").lesions) == 2


def test_pictures_and_either_order_of_memory_are_judged_alike():
    grid = Geometry.picture((30, 9), spacing_mm=(1.0, 2.0))
    plain = judged(blocks((0, 3), grid=grid), blocks((0, 4), (8, 9), grid=grid), OVERLAP)
    turned = [
        Mask(labels=np.asfortranarray(mask.labels), geometry=grid, names=mask.names)
        for mask in (blocks((0, 3), grid=grid), blocks((0, 4), (8, 9), grid=grid))
    ]
    assert judged(*turned, OVERLAP) == plain
    assert (plain.found, plain.missed) == (1, 1)


def test_nothing_there_and_nothing_found():
    found = judged(blocks(), blocks(), OVERLAP)
    assert math.isnan(found.recall)
    assert math.isnan(found.precision)
    assert (found.f1, found.panoptic_quality, found.dice, found.hd95_mm) == (1.0, 1.0, 1.0, 0.0)
    invented = judged(blocks((0, 3)), blocks(), OVERLAP)
    assert (invented.f1, invented.segmentation_quality, invented.dice) == (0.0, 0.0, 0.0)
    assert (invented.hd95_mm, invented.precision) == (50.0, 0.0)


def test_pairs_are_as_many_as_can_be_and_then_the_closest():
    closeness = np.array([[0.9, 0.8], [0.7, 0.0]])
    everything = np.ones((2, 2), dtype=bool)
    assert paired(closeness, closeness > 0) == [(0, 1), (1, 0)]
    assert paired(np.array([[-1.0, -9.0], [-9.0, -1.0]]), everything) == [(0, 0), (1, 1)]
    assert paired(closeness, ~everything) == []


def test_what_is_refused():
    for by, threshold in (("iou", None), ("iou", 1.0), ("overlap", 0.5), ("centre", -1.0)):
        with pytest.raises(ContentError, match="lesion rule"):
            LesionRule(by=by, threshold=threshold)
    with pytest.raises(ContentError, match="lesion rule 'nearest'"):
        LesionRule(by="nearest")
    with pytest.raises(ContentError, match="a miss costs"):
        match_lesions(blocks(), blocks(), rule=OVERLAP, miss_mm=math.nan)
    other = Geometry.upright(GRID.shape, spacing_mm=(1.0, 2.0, 2.4))
    with pytest.raises(GeometryError, match="comparing lesions"):
        judged(blocks(grid=other), blocks(), OVERLAP)
