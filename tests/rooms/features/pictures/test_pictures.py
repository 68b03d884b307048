"""Texture, gradients, keypoints and visual words of pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from onkos.core.errors import CohortError, ContentError, GeometryError, UsageError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.pictures import (
    Description,
    Vocabulary,
    bag_of_words,
    binary_patterns,
    cooccurrence,
    dense_keypoints,
    gradients,
    joined,
    keypoints,
    learn_vocabulary,
    waves,
)
from onkos.features.pictures.texture import haralick

ALL = (gradients, binary_patterns, cooccurrence, waves)


def picture(grey: np.ndarray, *, spacing: tuple[float, float] | None = None) -> Volume:
    """Rows and columns as a picture of columns and rows."""
    data = np.swapaxes(grey, 0, 1)
    grid = Geometry.picture(data.shape[:2], spacing_mm=spacing)
    return Volume(data=data, geometry=grid, modality="US", unit="1")


def outlined(inside: np.ndarray) -> Mask:
    return Mask(labels=inside.T, geometry=Geometry.picture(inside.T.shape), names={1: "lesion"})


def speckle(shape: tuple[int, int] = (70, 90), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def grating(wavelength: float, angle: float, shape: tuple[int, int] = (96, 128)) -> np.ndarray:
    row, column = np.indices(shape)
    along = column * math.cos(angle) + row * math.sin(angle)
    return 100 + 50 * np.sin(2 * math.pi * along / wavelength)


def test_a_description_keeps_names_and_numbers_together():
    one = Description.of({"a": 1.0, "b": math.nan})
    assert one["a"] == 1.0
    assert not one.values.flags.writeable
    assert joined([one, Description.of({"c": 3.0})]).names == ("a", "b", "c")
    with pytest.raises(ContentError, match="no number 'z'"):
        one["z"]
    with pytest.raises(ContentError, match="one number a name"):
        joined([one, one])
    with pytest.raises(ContentError, match="infinite"):
        Description.of({"a": math.inf})


@pytest.mark.parametrize("describe", ALL)
def test_what_cannot_be_described_is_refused(describe):
    grey = speckle().astype(float)
    grey[3, 4] = np.nan
    with pytest.raises(ContentError, match="1 of 6300 pixels are not finite"):
        describe(picture(grey))
    with pytest.raises(ContentError, match="mask of the picture is empty"):
        describe(picture(speckle()), outlined(np.zeros((70, 90), dtype=bool)))
    with pytest.raises(GeometryError, match="grids differ"):
        describe(picture(speckle()), outlined(np.ones((71, 90), dtype=bool)))
    cube = Volume(
        data=np.zeros((4, 4, 4)),
        geometry=Geometry.upright((4, 4, 4), spacing_mm=(1, 1, 1)),
        modality="MR",
        unit="1",
    )
    with pytest.raises(GeometryError, match="expected a plain picture"):
        describe(cube)


@pytest.mark.parametrize("describe", ALL)
def test_equal_colours_are_the_greys_they_show_and_names_never_change(describe):
    grey = speckle()
    plain, coloured = describe(picture(grey)), describe(picture(np.dstack([grey] * 3)))
    np.testing.assert_allclose(coloured.values, plain.values, rtol=1e-6, atol=1e-7)
    other = describe(picture(speckle((33, 41))))
    assert other.names == plain.names
    flat = describe(picture(np.full((40, 40), 7.0)))
    assert flat.names == plain.names
    assert np.isfinite(flat.values).all()


def test_gradients_have_the_length_of_their_blocks_and_find_the_direction():
    steep = gradients(picture(grating(16, 0.0)), cells=4, orientations=8, pixels=8)
    assert steep.values.shape == (3 * 3 * 4 * 8,)
    by_turn = steep.values.reshape(-1, 8).sum(axis=0)
    turned = gradients(picture(grating(16, math.pi / 2)), cells=4, orientations=8, pixels=8)
    assert by_turn.argmax() == 0
    assert turned.values.reshape(-1, 8).sum(axis=0).argmax() == 4


def test_gradients_of_a_mask_are_those_of_its_surroundings():
    grey, inside = speckle((100, 120)), np.zeros((100, 120), dtype=bool)
    inside[40:60, 50:90] = True
    cropped = gradients(picture(grey[35:65, 40:100]))
    np.testing.assert_allclose(gradients(picture(grey), outlined(inside)).values, cropped.values)


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_binary_patterns_agree_with_scikit_image(radius):
    grey = speckle()
    inside = np.zeros(grey.shape, dtype=bool)
    inside[5:60, 12:80] = True
    ours = binary_patterns(picture(grey), outlined(inside), radii=(radius,))
    codes = local_binary_pattern(grey, 8, radius, method="uniform")
    expected = np.bincount(codes[inside].astype(int), minlength=10) / inside.sum()
    np.testing.assert_allclose(ours.values, expected, atol=2e-3)
    assert ours.values.sum() == pytest.approx(1)


def test_binary_patterns_without_a_pixel_are_not_numbers():
    inside = np.zeros((70, 90), dtype=bool)
    inside[0:2, 0:2] = True
    found = binary_patterns(picture(speckle()), outlined(inside), radii=(1, 4))
    assert np.isfinite(found.values[:10]).all()
    assert np.isnan(found.values[10:]).all()


def test_cooccurrence_of_haralicks_own_example():
    """The 4 x 4 picture of the paper's figure 3, with its matrices of the four directions."""
    matrix = np.array([[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]]) / 24
    grey = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]])
    found = cooccurrence(picture(grey), distances=(1,), levels=4)
    assert haralick(matrix)["contrast"] == pytest.approx((2 * 2 + 2 * 4 + 2) / 24)
    assert haralick(matrix)["energy"] == pytest.approx(
        (16 + 4 + 1 + 4 + 16 + 1 + 36 + 1 + 1 + 4) / 576
    )
    each = {
        "0": [[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]],
        "90": [[6, 0, 2, 0], [0, 4, 2, 0], [2, 2, 2, 2], [0, 0, 2, 0]],
        "135": [[2, 1, 3, 0], [1, 2, 1, 0], [3, 1, 0, 2], [0, 0, 2, 0]],
        "45": [[4, 1, 0, 0], [1, 2, 2, 0], [0, 2, 4, 1], [0, 0, 1, 0]],
    }
    contrasts = [
        haralick(np.array(counts) / np.sum(counts))["contrast"] for counts in each.values()
    ]
    assert found["glcm-d1-contrast"] == pytest.approx(np.mean(contrasts))
    assert found["glcm-d1-contrast-range"] == pytest.approx(np.ptp(contrasts))


def test_cooccurrence_looks_only_inside_and_has_no_number_without_pairs():
    grey, inside = speckle().astype(float), np.zeros((70, 90), dtype=bool)
    inside[20:40, 30:50] = True
    other = grey.copy()
    other[~inside] = -500.0
    one = cooccurrence(picture(grey), outlined(inside))
    np.testing.assert_array_equal(one.values, cooccurrence(picture(other), outlined(inside)).values)
    inside[:] = False
    inside[3, 3:5] = True
    few = cooccurrence(picture(grey), outlined(inside), distances=(1, 2))
    assert few["glcm-d1-contrast"] == pytest.approx(31**2)
    assert math.isnan(few["glcm-d2-contrast"])


def test_haralick_of_one_grey_and_of_independent_greys():
    alone = np.zeros((4, 4))
    alone[2, 2] = 1
    assert haralick(alone)["correlation"] == 1.0
    assert haralick(alone)["entropy"] == haralick(alone)["information-1"] == 0.0
    even = haralick(np.full((4, 4), 1 / 16))
    assert even["entropy"] == pytest.approx(math.log(16))
    assert even["correlation"] == pytest.approx(0, abs=1e-12)
    assert even["information-2"] == pytest.approx(0, abs=1e-6)
    assert all(math.isnan(value) for value in haralick(np.zeros((4, 4))).values())


def test_waves_answer_to_their_own_length_and_direction_and_not_to_gain():
    grey = grating(8.0, math.pi / 3)
    found = waves(picture(grey))
    means = {
        name: value for name, value in zip(found.names, found.values, strict=True) if "mean" in name
    }
    assert max(means, key=means.get) == "gabor-w8-o2-mean"
    np.testing.assert_allclose(waves(picture(grey * 3 + 40)).values, found.values, atol=1e-9)


@pytest.mark.parametrize(
    "ask",
    [
        lambda p: gradients(p, cells=1),
        lambda p: binary_patterns(p, radii=()),
        lambda p: cooccurrence(p, levels=1),
        lambda p: waves(p, wavelengths=(1.0,)),
        lambda p: keypoints(p, limit=0),
        lambda p: dense_keypoints(p, step=0),
    ],
)
def test_settings_that_mean_nothing_are_refused(ask):
    with pytest.raises(UsageError, match="expected"):
        ask(picture(speckle()))


def test_dense_keypoints_lie_on_the_grid_inside():
    inside = np.zeros((70, 90), dtype=bool)
    inside[20:50, 10:60] = True
    found = dense_keypoints(picture(speckle()), outlined(inside), step=10, sizes=(8.0, 12.0))
    assert found.descriptors.shape == (2 * 3 * 5, 128)
    assert {tuple(place) for place in found.places} == {
        (column, row) for row in (25, 35, 45) for column in (15, 25, 35, 45, 55)
    }
    np.testing.assert_allclose((found.descriptors.astype(float) ** 2).sum(axis=1), 1, atol=1e-5)
    dot = np.zeros((70, 90), dtype=bool)
    dot[3, 7] = True
    lonely = dense_keypoints(picture(speckle()), outlined(dot), step=10, sizes=(8.0,))
    assert lonely.places.tolist() == [[7.0, 3.0]]


def test_a_descriptor_sees_its_window_and_no_further():
    grey = speckle((120, 120)).astype(np.uint8).astype(float)
    away = np.abs(np.indices(grey.shape) - 60).max(axis=0)
    middle = outlined(away == 0)
    seen, ringed, marked = (
        dense_keypoints(picture(np.where(changed, 255, grey)), middle, sizes=(48.0,)).descriptors
        for changed in (away < 0, away > 48, (away > 12) & (away < 20))
    )
    np.testing.assert_array_equal(ringed, seen)
    assert np.abs(marked - seen).max() > 0.05


def test_a_scaled_picture_is_described_like_the_large_one():
    row, column = np.indices((128, 96))
    grey = 120 + 60 * np.sin(row / 9) * np.cos(column / 7) + 30 * np.sin((row + column) / 5)
    large = picture(np.kron(np.rint(grey), np.ones((4, 4))))
    own = dense_keypoints(picture(np.rint(grey)), step=12, sizes=(32.0,))
    scaled = dense_keypoints(large, step=12, sizes=(32.0,), side=96)
    np.testing.assert_allclose(scaled.descriptors, own.descriptors, atol=1e-6)
    np.testing.assert_allclose(scaled.places, own.places * 4 + 1.5)
    np.testing.assert_allclose(scaled.sizes, 128.0)
    dot = np.zeros((512, 384), dtype=bool)
    dot[300, 200] = True
    assert len(dense_keypoints(large, outlined(dot), sizes=(32.0,), side=96).places) == 1


def test_keypoints_lie_inside_and_a_flat_picture_has_none():
    row, column = np.indices((90, 110))
    blob = 200 * np.exp(-((row - 30) ** 2 + (column - 70) ** 2) / 60.0)
    found = keypoints(picture(blob))
    assert np.hypot(*(found.places - (70, 30)).T).min() < 1.5
    inside = np.zeros(blob.shape, dtype=bool)
    inside[60:, :] = True
    assert len(keypoints(picture(blob), outlined(inside)).places) == 0
    none = keypoints(picture(np.full((50, 50), 9.0)))
    assert none.descriptors.shape == (0, 128)


def clouds(rng: np.random.Generator) -> list[np.ndarray]:
    """Pictures with descriptors around three middles, of which one is rare."""
    middles = np.eye(3) * 10
    pictures = []
    for number in range(12):
        which = rng.integers(0, 2, 40) if number else np.full(40, 2)
        pictures.append((middles[which] + rng.normal(0, 0.1, (40, 3))).astype(np.float32))
    return pictures


def test_words_are_the_kinds_of_detail_and_the_bag_their_shares(rng):
    pictures = clouds(rng)
    vocabulary = learn_vocabulary(pictures, count=3, rng=rng)
    order = vocabulary.words.argmax(axis=1)
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_allclose(vocabulary.words[order.argsort()], np.eye(3) * 10, atol=0.2)
    bag = bag_of_words(np.vstack([np.eye(3), np.eye(3)[:1]]) * 10, vocabulary)
    assert bag.values[order.argsort()].tolist() == [0.5, 0.25, 0.25]
    assert vocabulary.rarity[order.argsort()][2] == pytest.approx(math.log(13 / 2) + 1)
    weighed = bag_of_words(pictures[0], vocabulary, tf_idf=True)
    assert np.linalg.norm(weighed.values) == pytest.approx(1)
    again = learn_vocabulary(
        clouds(np.random.default_rng(3)), count=3, rng=np.random.default_rng(4)
    )
    same = learn_vocabulary(clouds(np.random.default_rng(3)), count=3, rng=np.random.default_rng(4))
    np.testing.assert_array_equal(again.words, same.words)


def test_soft_assignment_shares_what_lies_between(rng):
    vocabulary = Vocabulary(words=np.array([[0.0], [2.0], [50.0]]), rarity=np.ones(3), spread=1.0)
    middle = np.array([[1.0]])
    assert bag_of_words(middle, vocabulary, neighbours=2).values.tolist() == [0.5, 0.5, 0.0]
    near = bag_of_words(np.array([[0.5]]), vocabulary, neighbours=2).values
    assert near[0] / near[1] == pytest.approx(math.exp((1.5**2 - 0.5**2) / 2))
    assert np.isnan(bag_of_words(np.empty((0, 128)), vocabulary).values).all()


def test_a_vocabulary_survives_as_arrays(rng):
    vocabulary = learn_vocabulary(clouds(rng), count=3, rng=rng)
    back = Vocabulary.from_arrays({k: v.copy() for k, v in vocabulary.to_arrays().items()})
    np.testing.assert_array_equal(back.words, vocabulary.words)
    np.testing.assert_array_equal(back.rarity, vocabulary.rarity)
    assert back.spread == vocabulary.spread
    with pytest.raises(ContentError, match="expected words, rarity and spread"):
        Vocabulary.from_arrays({"words": vocabulary.words})


def test_what_words_cannot_be_made_of_is_refused(rng):
    with pytest.raises(CohortError, match="10 descriptors in 1 pictures for 11 words"):
        learn_vocabulary([np.zeros((10, 4), dtype=np.float32)], count=11, rng=rng)
    with pytest.raises(CohortError, match="0 descriptors"):
        learn_vocabulary([], count=4, rng=rng)
    vocabulary = learn_vocabulary(clouds(rng), count=3, rng=rng)
    with pytest.raises(ContentError, match="length 4 for words of length 3"):
        bag_of_words(np.zeros((5, 4)), vocabulary)
    with pytest.raises(ContentError, match="finite"):
        bag_of_words(np.full((5, 3), np.nan), vocabulary)
    with pytest.raises(UsageError, match="1 to the 3 words"):
        bag_of_words(np.zeros((5, 3)), vocabulary, neighbours=4)
    with pytest.raises(ContentError, match="finite"):
        Vocabulary(words=np.ones((2, 2)), rarity=np.array([1, np.inf]), spread=1.0)
