"""Textons against scipy's filters and a search through all of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from onkos.features.gabor import GaborBank
from onkos.features.textons import (
    Textons,
    learn_textons,
    nearest_textons,
    sample_responses,
)

BANK = GaborBank()
SPACING = (4.0, 1.0, 1.4)


def texture(rng: np.random.Generator, shape=(4, 26, 31)) -> np.ndarray:
    """Fine on one side, coarse on the other."""
    noise = rng.normal(size=shape)
    coarse = ndimage.gaussian_filter(noise, (0, 2, 2)) * 5
    right = np.arange(shape[2]) > shape[2] // 2
    return np.where(right, coarse, ndimage.gaussian_filter(noise, (0, 0.6, 0.6))).astype(np.float32)


def filtered(channel: np.ndarray) -> np.ndarray:
    """Responses of the whole bank everywhere, (k, j, i, filters), by scipy."""
    kernels = BANK.kernels(SPACING[1:])
    return np.stack(
        [
            ndimage.correlate(channel.astype(np.float64), kernel[None], mode="constant")
            for kernel in kernels
        ],
        axis=-1,
    )


@pytest.fixture(scope="module")
def channel() -> np.ndarray:
    return texture(np.random.default_rng(8))


@pytest.fixture(scope="module")
def responses(channel) -> np.ndarray:
    return filtered(channel)


@pytest.fixture(scope="module")
def learnt(responses) -> Textons:
    flat = responses.reshape(-1, BANK.size)
    return learn_textons(flat, bank=BANK, count=7, energy=0.93, rng=np.random.default_rng(1))


def test_sampled_responses_are_those_of_scipy(channel, responses, rng):
    places = np.column_stack([rng.integers(0, side, 200) for side in channel.shape])
    found = sample_responses(channel, places, bank=BANK, spacing_mm=SPACING)
    np.testing.assert_allclose(found, responses[tuple(places.T)], atol=1e-9)


def test_a_constant_answers_nothing():
    places = np.array([[0, 12, 12]])
    even = np.full((1, 25, 25), 7.0, dtype=np.float32)
    found = sample_responses(even, places, bank=BANK, spacing_mm=(1.0, 1.0, 1.0))
    np.testing.assert_allclose(found, 0, atol=1e-9)


def test_the_basis_holds_as_much_as_was_asked_and_no_column_more(responses, learnt):
    flat = responses.reshape(-1, BANK.size)
    np.testing.assert_allclose(
        learnt.basis.T @ learnt.basis, np.eye(len(learnt.basis.T)), atol=1e-9
    )
    total = (flat**2).sum()
    held = ((flat @ learnt.basis) ** 2).sum(axis=0)
    assert held.sum() / total == pytest.approx(learnt.energy)
    assert held.sum() / total >= 0.93
    assert (held.sum() - held[-1]) / total < 0.93
    best = np.linalg.svd(flat, compute_uv=False)[: len(held)] ** 2
    np.testing.assert_allclose(held, best, rtol=1e-6)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_nearest_texton_is_that_of_the_whole_bank(channel, responses, learnt, threads):
    inside = np.zeros(channel.shape, dtype=bool)
    inside[:, 3:-2, 1:] = True
    found = nearest_textons(
        [channel], inside, dictionaries=[learnt], spacing_mm=SPACING, threads=threads
    )[0]
    away = ((responses[..., None, :] - learnt.full_centres) ** 2).sum(axis=-1)
    gap = np.diff(np.sort(away, axis=-1)[..., :2])[..., 0]
    clear = inside & (gap > 1e-4)
    assert clear.sum() > 0.99 * inside.sum()
    np.testing.assert_array_equal(found[clear], away.argmin(axis=-1)[clear])
    assert len(np.unique(found[inside])) == 7


def test_textons_tell_stripes_from_stripes_across(rng):
    j, i = np.indices((40, 40)) * 1.0
    noise = rng.normal(0, 0.3, size=(1, 40, 40))
    stripes = (np.where(i < 20, np.sin(2 * np.pi * i / 4), np.sin(2 * np.pi * j / 4)) + noise)[
        ..., :
    ]
    image = stripes.astype(np.float32)
    inside = np.ones(image.shape, dtype=bool)
    places = np.argwhere(inside)
    answers = sample_responses(image, places, bank=BANK, spacing_mm=(1.0, 1.0, 1.0))
    learnt = learn_textons(answers, bank=BANK, count=8, energy=0.93, rng=rng)
    found = nearest_textons([image], inside, dictionaries=[learnt], spacing_mm=(1.0, 1.0, 1.0))[0]
    one, other = (
        np.bincount(side.ravel(), minlength=8) / side.size
        for side in (found[..., 5:15], found[..., 25:35])
    )
    assert np.abs(one - other).sum() / 2 > 0.95


def test_every_channel_has_its_own_dictionary(channel, learnt):
    inside = np.ones(channel.shape, dtype=bool)
    backwards = Textons(
        bank=BANK, basis=learnt.basis, centres=learnt.centres[::-1].copy(), energy=learnt.energy
    )
    one, other = nearest_textons(
        [channel, channel], inside, dictionaries=[learnt, backwards], spacing_mm=SPACING
    )
    assert np.mean(one == 6 - other) > 0.999


def test_the_whole_energy_can_be_asked_for(responses):
    flat = responses.reshape(-1, BANK.size)[::7]
    whole = learn_textons(flat, bank=BANK, count=3, energy=1.0, rng=np.random.default_rng(0))
    assert whole.energy == pytest.approx(1.0)
    np.testing.assert_allclose((flat @ whole.basis) @ whole.basis.T, flat, atol=1e-6)


def test_the_generator_decides_the_textons(responses):
    flat = responses.reshape(-1, BANK.size)[::3]

    def centres(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return learn_textons(flat, bank=BANK, count=5, energy=0.9, rng=rng).centres

    np.testing.assert_array_equal(centres(4), centres(4))
    assert not np.array_equal(centres(4), centres(5))
