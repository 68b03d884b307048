"""What holds for perturbed regions, whatever their grid and shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awkward import geometries
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.perturbation import (
    Perturbation,
    Perturbations,
    judged,
    measured,
    perturbed,
)
from onkos.features.radiomics import Settings, radiomics

FEW = settings(max_examples=20)
PLAN = Perturbations(noises=1, contours=1, chains=2)
STILL = Perturbation()


@st.composite
def patients(draw: st.DrawFn) -> tuple[Volume, Mask]:
    """Two ragged regions in noise on an awkward grid, some with two slices, up to its edges."""
    grid = draw(geometries(smallest=2, largest=9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    data = rng.normal(40, 30, size=grid.shape).astype(np.float32)
    filled = draw(st.sampled_from([0.2, 0.6, 1.0]))
    labels = np.where(rng.random(grid.shape) < filled, rng.integers(1, 3, grid.shape), 0)
    labels.flat[:2] = 1, 2
    volume = Volume(data=data, geometry=grid, modality="MR", unit="1")
    return volume, Mask(labels=labels.astype(np.uint8), geometry=grid, names={1: "a", 2: "b"})


def made(volume, mask, variants, *, seed=3, threads=1):
    rng = np.random.default_rng(seed)
    return list(perturbed(volume, mask, variants, rng=rng, threads=threads))


@FEW
@given(patients())
def test_without_perturbation_the_features_are_those_of_the_image(patient):
    found = measured(*patient, [STILL, STILL], rng=np.random.default_rng(0), threads=1)
    plain = radiomics(*patient, threads=1)
    assert tuple(one.region for one in found) == plain.labels
    for one, line in zip(found, plain.values, strict=True):
        np.testing.assert_array_equal(one.values, np.stack([line, line]))


def test_without_perturbation_every_feature_that_varies_has_an_icc_of_1(rng):
    grid = Geometry.upright((9, 8, 4), spacing_mm=(0.7, 0.9, 2.5))
    asked = Settings(families=("morph", "stat"))
    found = []
    for _ in range(12):
        data = rng.normal(rng.uniform(0, 80), 20, size=grid.shape)
        labels = (rng.random(grid.shape) < rng.uniform(0.2, 0.8)).astype(np.uint8)
        volume = Volume(data=data, geometry=grid, modality="CT", unit="HU")
        mask = Mask(labels=labels, geometry=grid, names={1: "tumour"})
        found += measured(volume, mask, [STILL] * 3, settings=asked, rng=rng, threads=1)
    stabilities = judged(found, [STILL] * 3, rng=rng).of()
    told = [one for one in stabilities if one.told]
    assert len(told) > 30
    for one in told:
        assert (one.icc.low, one.icc.value) == pytest.approx((1, 1), abs=1e-9), one.feature
    assert {one.unstable for one in told} == {"no"}


@FEW
@given(patients(), st.integers(0, 2**32))
def test_a_seed_gives_the_same_whatever_the_threads(patient, seed):
    variants = PLAN.variants(np.random.default_rng(seed))
    assert variants == PLAN.variants(np.random.default_rng(seed))
    here = made(*patient, variants, seed=seed)
    there = made(*patient, variants, seed=seed, threads=2)
    assert len(here) == 2 * len(variants)
    for one, other in zip(here, there, strict=True):
        assert one.perturbation == other.perturbation
        assert one.volume.geometry == other.volume.geometry
        np.testing.assert_array_equal(one.volume.data, other.volume.data)
        np.testing.assert_array_equal(one.mask.labels, other.mask.labels)


@FEW
@given(patients())
def test_regions_do_not_know_of_each_other(patient):
    volume, mask = patient
    variants = PLAN.variants(np.random.default_rng(0))
    both = [one for one in made(volume, mask, variants) if one.region == "b"]
    alone = made(volume, mask.select("b"), variants)
    for one, other in zip(both, alone, strict=True):
        np.testing.assert_array_equal(one.mask.labels, other.mask.labels)
        np.testing.assert_array_equal(one.volume.data, other.volume.data)


@FEW
@given(patients(), st.tuples(*[st.sampled_from([-0.5, 0.0, 0.25, 0.5, 0.75])] * 3))
def test_a_shift_keeps_every_voxel_of_the_outline(patient, shift):
    volume, mask = patient
    for one in made(volume, mask, [Perturbation(shift=shift)]):
        assert one.mask.counts[one.region] == mask.counts[one.region]
        inside = one.mask.labels > 0
        values = volume.data[mask.labels == mask.label(one.region)]
        assert np.isfinite(one.volume.data[inside]).all()
        assert one.volume.data[inside].min() >= volume.data.min() - 1e-3
        if shift == (0.0, 0.0, 0.0):
            np.testing.assert_array_equal(np.sort(one.volume.data[inside]), np.sort(values))


@FEW
@given(
    geometries(smallest=5, largest=9),
    st.floats(-10, 10),
    st.tuples(*[st.floats(0, 0.9)] * 3),
)
def test_what_is_in_the_patient_stays_where_it_is(grid, degrees, shift):
    places = grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)) - grid.origin_mm
    slope = np.array([3.0, -2.0, 1.0])
    volume = Volume(data=places @ slope, geometry=grid, modality="CT", unit="HU")
    labels = np.zeros(grid.shape, dtype=np.uint8)
    labels[2:-2, 2:-2, 2:-2] = 1
    mask = Mask(labels=labels, geometry=grid, names={1: "tumour"})
    (one,) = made(volume, mask, [Perturbation(rotation_deg=degrees, shift=shift)])
    index = np.argwhere(one.mask.labels)
    there = (one.mask.geometry.to_mm(index) - grid.origin_mm) @ slope
    np.testing.assert_allclose(one.volume.data[tuple(index.T)], there, rtol=1e-4, atol=1e-2)
    assert not one.mask.geometry.is_sheared
    assert one.mask.geometry.spacing_mm == pytest.approx(grid.spacing_mm)
    turned = abs(degrees) > 1e-9
    cosine = float(one.mask.geometry.directions[:, 0] @ grid.directions[:, 0])
    assert cosine == pytest.approx(np.cos(np.radians(degrees)), abs=1e-9) or not turned
    np.testing.assert_allclose(one.mask.geometry.directions[:, 2], grid.directions[:, 2], atol=1e-9)


@FEW
@given(patients(), st.floats(-0.6, 0.6))
def test_growth_adds_just_that_part_and_shrinking_takes_it_off(patient, growth):
    volume, mask = patient
    for one in made(volume, mask, [Perturbation(growth=growth)]):
        before = made(volume, mask.select(one.region), [STILL])[0].mask.labels > 0
        wanted = round(int(before.sum()) * (1 + growth))
        after = one.mask.labels > 0
        if one.vanished:
            assert not after.any()
            assert wanted < 1 or wanted > before.size
        else:
            assert int(after.sum()) == wanted
            assert not (before & ~after).any() if growth > 0 else not (after & ~before).any()
