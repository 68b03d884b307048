"""Overlap of an outline with its reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awkward import geometries
from onkos.core.errors import GeometryError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.stats.overlap import overlap

GRID = Geometry.upright((4, 5, 6), spacing_mm=(1, 2, 5))
NAMES = {1: "core", 2: "oedema"}


def mask(labels: np.ndarray, geometry: Geometry = GRID) -> Mask:
    return Mask(labels=labels.astype(np.uint8), geometry=geometry, names=NAMES)


def boxed(stop: int, label: int = 1) -> Mask:
    labels = np.zeros(GRID.shape)
    labels[:2, :2, :stop] = label
    return mask(labels)


def test_counts_of_a_worked_example():
    found = overlap(boxed(3), boxed(5), "core")
    assert (found.true_positive, found.false_positive, found.false_negative) == (12, 0, 8)
    assert found.dice == pytest.approx(24 / 32)
    assert found.sensitivity == pytest.approx(0.6)
    assert found.balanced_error == pytest.approx(0.2)
    assert found.volume_error_ml == pytest.approx(-0.08)


def test_a_miss_costs_a_dice_of_zero_and_is_named():
    found = overlap(boxed(0), boxed(5), "core")
    assert (found.dice, found.sensitivity, found.missed) == (0.0, 0.0, True)


def test_nothing_there_and_nothing_found_is_right():
    found = overlap(boxed(0), boxed(0), "core")
    assert (found.dice, found.missed) == (1.0, False)
    assert math.isnan(found.sensitivity)


def test_a_tissue_that_one_side_does_not_name_is_empty_there():
    only = Mask(labels=boxed(4).labels, geometry=GRID, names={1: "core"})
    assert overlap(only, boxed(4, label=2), "oedema").dice == 0.0
    assert overlap(only, boxed(4, label=2)).dice == 1.0


def test_different_grids_are_refused():
    other = Geometry.upright((4, 5, 6), spacing_mm=(1, 2, 4))
    with pytest.raises(GeometryError, match="comparing outlines"):
        overlap(mask(np.zeros(other.shape), other), boxed(2))


@given(geometries(), st.integers(0, 2**32 - 1))
def test_dice_is_symmetric_and_one_with_itself(geometry, seed):
    rng = np.random.default_rng(seed)
    a = mask(rng.integers(0, 3, size=geometry.shape), geometry)
    b = mask(rng.integers(0, 3, size=geometry.shape), geometry)
    assert overlap(a, b, "core").dice == overlap(b, a, "core").dice
    assert overlap(a, a, "core").dice == 1.0
    assert overlap(a, b).volume_error_ml == pytest.approx(
        sum(a.volumes_ml.values()) - sum(b.volumes_ml.values())
    )


def test_ratios_of_a_worked_example():
    found = overlap(boxed(5), boxed(3), "core")
    assert (found.true_positive, found.false_positive, found.false_negative) == (12, 8, 0)
    assert found.iou == pytest.approx(12 / 20)
    assert found.precision == pytest.approx(12 / 20)
    assert found.specificity == pytest.approx(1 - 8 / 108)
    assert found.relative_volume_error == pytest.approx(8 / 12)


def test_ratios_where_one_or_both_are_empty():
    missed = overlap(boxed(0), boxed(5), "core")
    assert (missed.iou, missed.relative_volume_error, missed.specificity) == (0.0, -1.0, 1.0)
    assert math.isnan(missed.precision)
    nothing = overlap(boxed(0), boxed(0), "core")
    assert (nothing.iou, nothing.relative_volume_error) == (1.0, 0.0)
    invented = overlap(boxed(3), boxed(0), "core")
    assert (invented.iou, invented.precision) == (0.0, 0.0)
    assert math.isnan(invented.relative_volume_error)
    everything = overlap(boxed(3), boxed(3), inside=boxed(3).where())
    assert math.isnan(everything.specificity)


@given(geometries(), st.integers(0, 2**32 - 1))
def test_iou_follows_from_dice(geometry, seed):
    rng = np.random.default_rng(seed)
    a = mask(rng.integers(0, 3, size=geometry.shape), geometry)
    b = mask(rng.integers(0, 3, size=geometry.shape), geometry)
    found = overlap(a, b, "oedema")
    assert found.iou == pytest.approx(found.dice / (2 - found.dice))
