"""What holds for the descriptors of any picture, wherever in it and whichever way up things lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.pictures import (
    Vocabulary,
    bag_of_words,
    binary_patterns,
    cooccurrence,
    dense_keypoints,
    gradients,
    ultrasound_lesion,
    waves,
)

FEW = settings(max_examples=20)
SEEDS = st.integers(0, 2**32 - 1)
PLACES = st.tuples(st.integers(8, 40), st.integers(8, 70))


def picture(grey: np.ndarray) -> Volume:
    return Volume(data=grey.T, geometry=Geometry.picture(grey.T.shape), modality="US", unit="1")


def outlined(inside: np.ndarray) -> Mask:
    return Mask(labels=inside.T, geometry=Geometry.picture(inside.T.shape), names={1: "lesion"})


def speckle(seed: int, shape: tuple[int, int] = (30, 40)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.float64)


def placed(patch: np.ndarray, at: tuple[int, int]) -> tuple[Volume, Mask]:
    """A patch in a larger picture, its outline 6 pixels within its edge."""
    grey, inside = np.full((90, 130), 90.0), np.zeros((90, 130), dtype=bool)
    rows, columns = (slice(a, a + side) for a, side in zip(at, patch.shape, strict=True))
    grey[rows, columns] = patch
    inside[rows.start + 6 : rows.stop - 6, columns.start + 6 : columns.stop - 6] = True
    return picture(grey), outlined(inside)


@FEW
@given(SEEDS, PLACES, PLACES)
def test_texture_inside_does_not_know_where_it_lies(seed, one, other):
    patch = speckle(seed)
    for describe in (binary_patterns, cooccurrence):
        here, there = (describe(*placed(patch, at)).values for at in (one, other))
        np.testing.assert_allclose(there, here, rtol=1e-12, atol=1e-12)


@FEW
@given(SEEDS, st.integers(1, 3))
def test_binary_patterns_and_cooccurrence_are_the_same_whichever_way_up(seed, turns):
    grey = speckle(seed)
    turned = picture(np.rot90(grey, turns))
    for describe in (binary_patterns, cooccurrence):
        np.testing.assert_allclose(
            describe(turned).values, describe(picture(grey)).values, rtol=1e-9, atol=1e-9
        )


@FEW
@given(SEEDS, st.floats(0.2, 5.0), st.floats(-50.0, 50.0))
def test_brightness_and_gain_change_nothing(seed, gain, brightness):
    grey = speckle(seed)
    one, other = picture(grey), picture(np.rint(grey) * gain + brightness)
    for describe in (gradients, binary_patterns, waves):
        np.testing.assert_allclose(
            describe(other).values, describe(one).values, rtol=1e-5, atol=1e-6
        )


@FEW
@given(SEEDS, st.integers(1, 4), st.integers(2, 30))
def test_a_hard_or_soft_bag_sums_to_one_and_order_does_not_matter(seed, neighbours, count):
    rng = np.random.default_rng(seed)
    words = Vocabulary(words=rng.normal(size=(7, 5)), rarity=np.ones(7), spread=1.0)
    descriptors = rng.normal(size=(count, 5))
    bag = bag_of_words(descriptors, words, neighbours=neighbours).values
    assert bag.sum() == pytest.approx(1)
    assert (bag >= 0).all()
    shuffled = bag_of_words(rng.permutation(descriptors), words, neighbours=neighbours).values
    np.testing.assert_allclose(shuffled, bag, atol=1e-12)


@FEW
@given(SEEDS, PLACES, PLACES)
def test_descriptors_on_the_grid_move_with_the_picture(seed, one, other):
    patch = speckle(seed, (40, 50))
    found = []
    for at in (one, other):
        grey = np.full((90, 130), 90.0)
        grey[at[0] : at[0] + 40, at[1] : at[1] + 50] = patch
        middle = np.zeros(grey.shape, dtype=bool)
        middle[at[0] + 20, at[1] + 25] = True
        found.append(dense_keypoints(picture(grey), outlined(middle), sizes=(24.0,)).descriptors)
    np.testing.assert_allclose(found[0], found[1], atol=0.02)


@FEW
@given(st.integers(0, 30), st.integers(0, 40), st.sampled_from([1, 2]))
def test_a_lesion_is_described_alike_wherever_it_lies_and_at_any_scale(down, right, scale):
    row, column = np.indices((100, 140))
    angle = np.arctan2(row - 35 - down, column - 50 - right)
    distance = np.hypot(row - 35 - down, column - 50 - right)
    inside = distance <= 18 + 3 * np.cos(3 * angle)
    grey = np.where(inside, 40.0, 110.0)
    one = ultrasound_lesion(picture(grey), outlined(inside))
    big = np.ones((scale, scale))
    other = ultrasound_lesion(picture(np.kron(grey, big)), outlined(np.kron(inside, big) > 0))
    for name in one.names:
        if name.startswith(("shape", "orientation")) and not name.endswith(("px", "px2")):
            assert other[name] == pytest.approx(one[name], rel=0.05, abs=0.06), name
    area = other["shape-area-px2"] / one["shape-area-px2"]
    assert area == pytest.approx(scale**2, rel=0.02)
