"""The bank of Gabor filters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onkos.features.gabor import GaborBank

BANK = GaborBank()
FEW = settings(max_examples=25)


def by_kind(kernels: np.ndarray, bank: GaborBank = BANK) -> np.ndarray:
    """Kernels as (wavelength, width, orientation, phase, height, width)."""
    sides = (len(bank.wavelengths_mm), len(bank.widths), bank.orientations, 2)
    return kernels.reshape(*sides, *kernels.shape[1:])


def grating(
    shape: tuple[int, int], *, wavelength_mm: float, angle: float, step_mm: float
) -> np.ndarray:
    """Waves whose crests follow each other in a direction, phase 0 in the middle."""
    y, x = ((np.arange(side) - side // 2) * step_mm for side in shape)
    along = x[None, :] * math.cos(angle) + y[:, None] * math.sin(angle)
    return np.exp(2j * math.pi * along / wavelength_mm)


def test_the_bank_has_96_filters():
    assert BANK.size == 96
    assert BANK.kernels((1.0, 1.0)).shape == (96, 11, 11)
    assert BANK.kernels((1.0, 2.5)).shape == (96, 11, 5)
    assert GaborBank(wavelengths_mm=(3.0,), widths=(0.4, 0.5), orientations=5).size == 20


@FEW
@given(st.floats(0.3, 6.0), st.floats(0.3, 6.0))
def test_filters_sum_to_zero_and_their_absolute_values_to_one(down, right):
    kernels = BANK.kernels((down, right))
    assert kernels.sum(axis=(1, 2)) == pytest.approx(
        np.zeros(96), abs=1e-10
    )  # rounding, times 1e5 at most
    total = np.abs(kernels).sum(axis=(1, 2))
    empty = total == 0  # a wave that such pixels cannot show, e.g. 6 mm on pixels of 6 mm
    assert total[~empty] == pytest.approx(np.ones(96 - empty.sum()))
    if max(down, right) < 0.49 * min(BANK.wavelengths_mm):
        assert not empty.any()


@FEW
@given(st.floats(0.3, 6.0), st.floats(0.3, 6.0))
def test_even_filters_are_even_and_odd_ones_odd(down, right):
    kernels = BANK.kernels((down, right))
    turned = kernels[:, ::-1, ::-1]
    np.testing.assert_allclose(turned[0::2], kernels[0::2], atol=1e-12)
    np.testing.assert_allclose(turned[1::2], -kernels[1::2], atol=1e-12)


def test_three_of_six_orientations_on_the_filter_is_turned_by_a_quarter():
    kernels = by_kind(BANK.kernels((0.8, 0.8)))
    for turn in range(3):
        quarter = np.rot90(kernels[:, :, turn], -1, axes=(-2, -1))
        np.testing.assert_allclose(kernels[:, :, turn + 3], quarter, atol=1e-12)


@FEW
@given(st.floats(0.3, 4.0), st.floats(0.3, 4.0))
def test_with_rows_and_columns_exchanged_orientations_run_the_other_way(down, right):
    one, other = by_kind(BANK.kernels((down, right))), by_kind(BANK.kernels((right, down)))
    for turn in range(6):
        sign = np.array([1.0, 1.0 if turn <= 3 else -1.0])[:, None, None]
        exchanged = np.swapaxes(other[:, :, (3 - turn) % 6], -1, -2) * sign
        np.testing.assert_allclose(one[:, :, turn], exchanged, atol=1e-9)


def test_the_answer_is_strongest_to_waves_of_the_filters_own_direction():
    kernels = by_kind(BANK.kernels((0.5, 0.5)))
    shape = kernels.shape[-2:]
    for number, wavelength in enumerate(BANK.wavelengths_mm):
        for turn in range(6):
            angle = math.pi * turn / 6
            wave = grating(shape, wavelength_mm=wavelength, angle=angle, step_mm=0.5)
            answers = np.abs((kernels[number] * wave.real).sum(axis=(-2, -1)))[..., 0]
            assert answers.argmax(axis=1).tolist() == [turn, turn]
            odd = np.abs((kernels[number] * wave.imag).sum(axis=(-2, -1)))[..., 1]
            assert odd.argmax(axis=1).tolist() == [turn, turn]


def test_the_answer_is_strongest_to_waves_of_the_filters_own_length():
    bank = GaborBank(radius_mm=15.0)  # wide enough that no envelope is cut off
    kernels = by_kind(bank.kernels((0.5, 0.5)), bank)
    shape = kernels.shape[-2:]
    lengths = np.array([*bank.wavelengths_mm])
    waves = [grating(shape, wavelength_mm=one, angle=0.0, step_mm=0.5).real for one in lengths]
    answers = np.array([[(k * wave).sum() for wave in waves] for k in kernels[:, 1, 0, 0]])
    assert answers.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_the_same_filter_in_millimetres_whatever_the_pixels():
    fine = by_kind(BANK.kernels((0.25, 0.25)))[3, 1]
    coarse = by_kind(BANK.kernels((0.5, 0.5)))[3, 1]
    assert np.corrcoef(fine[:, :, ::2, ::2].ravel(), coarse.ravel())[0, 1] > 0.9999
