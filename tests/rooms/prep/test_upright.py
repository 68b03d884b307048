"""Turning an array upright and back, whatever way it was stored."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from awkward import geometries
from onkos.core.geometry import Geometry
from onkos.prep.upright import Turn


@given(geometries(), st.integers(0, 2**31))
def test_undone_it_is_as_before(geometry, seed):
    array = np.random.default_rng(seed).normal(size=geometry.shape)
    turn = Turn.of(geometry)
    assert np.array_equal(turn.undo(turn.apply(array)), array)
    assert sorted(turn.order) == [0, 1, 2]
    assert sorted(turn.spacing_mm) == sorted(geometry.spacing_mm)


def test_upright_axes_run_to_superior_posterior_left():
    stored = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])  # axes: P, I, R
    grid = Geometry.upright((4, 5, 6), spacing_mm=(1, 2, 3), origin_mm=(9, 9, 9), directions=stored)
    index = np.indices(grid.shape)
    place = grid.to_mm(np.moveaxis(index, 0, -1))
    upright = Turn.of(grid).apply(place)
    for axis, patient_axis in enumerate((2, 1, 0)):
        assert (np.diff(upright[..., patient_axis], axis=axis) > 0).all()


def test_a_picture_is_one_slice_as_it_is_seen():
    picture = Geometry.picture((6, 4))
    turn = Turn.of(picture)
    array = np.arange(24).reshape(6, 4)
    assert turn.apply(array).shape == (1, 4, 6)
    assert np.array_equal(turn.undo(turn.apply(array)), array)
