"""The head is found whatever the air around it looks like."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ModelError
from onkos.prep.head import depth_mm, find_head

SHAPE = (7, 34, 26)


def ball(radius: float = 9.0) -> np.ndarray:
    k, j, i = np.indices(SHAPE)
    return (j - 17) ** 2 + (i - 12) ** 2 + (2 * (k - 3)) ** 2 < radius**2


def pictured(air: np.ndarray, brain: np.ndarray) -> np.ndarray:
    return np.where(ball(), brain, air)[..., None].astype(np.float32)


def test_air_that_is_exactly_zero(rng):
    head = find_head(pictured(np.zeros(SHAPE), rng.normal(100, 10, SHAPE)), where="here")
    assert np.array_equal(head, ball())


def test_noisy_air_is_not_taken_for_head(rng):
    noise = np.rint(np.hypot(rng.normal(0, 4, SHAPE), rng.normal(0, 4, SHAPE)))
    head = find_head(pictured(noise, rng.normal(100, 10, SHAPE)), where="here")
    assert np.array_equal(head, ball())


def test_noise_that_a_tenth_of_the_bright_end_does_not_cover(rng):
    noise = np.rint(np.hypot(rng.normal(0, 8, SHAPE), rng.normal(0, 8, SHAPE)))
    head = find_head(pictured(noise, rng.normal(100, 5, SHAPE)), where="here")
    assert np.array_equal(head, ball())


def test_a_brain_standardised_around_the_value_of_the_air(rng):
    head = find_head(pictured(np.zeros(SHAPE), rng.normal(0, 1, SHAPE)), where="here")
    assert np.array_equal(head, ball())


def test_holes_are_filled_and_specks_left_out(rng):
    brain = rng.normal(100, 10, SHAPE)
    brain[2:5, 15:19, 10:14] = 0  # fluid that FLAIR nulls
    air = np.zeros(SHAPE)
    air[3, 1:3, 1:3] = 90
    assert np.array_equal(find_head(pictured(air, brain), where="here"), ball())


def test_what_was_not_measured_is_not_head(rng):
    image = pictured(np.zeros(SHAPE), rng.normal(100, 10, SHAPE))
    image[:, :, :5] = np.nan
    head = find_head(image, where="here")
    assert not head[:, :, :5].any()
    assert np.array_equal(head[:, :, 5:], ball()[:, :, 5:])


def test_an_empty_image_is_refused_by_name():
    with pytest.raises(ModelError, match=r"study of P7: no head in the image"):
        find_head(np.zeros((*SHAPE, 2), np.float32), where="study of P7")


def test_depth_is_measured_in_millimetres_and_ends_at_the_image():
    slab = np.ones((1, 9, 5), dtype=bool)
    depth = depth_mm(slab, (7.0, 0.5, 3.0))
    assert depth[0, 4, 2] == pytest.approx(2.5)  # five rows of 0.5 mm; columns are farther
    assert depth[0, 0, 2] == pytest.approx(0.5)
    assert depth_mm(~slab, (7.0, 0.5, 3.0)).max() == 0
