"""Perturbed regions: noise, outlines, what vanishes, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError, GeometryError, UsageError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.perturbation import Perturbation, Perturbations, measured, perturbed
from onkos.features.perturbation.noise import noise_level, noisy
from onkos.features.perturbation.outline import grown, redrawn
from onkos.features.radiomics import Settings, radiomics

TURN = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, -1.0]])
GRID = Geometry.upright(
    (30, 26, 12), spacing_mm=(0.8, 1.0, 2.5), origin_mm=(-30, 12, 5), directions=TURN
)


def ball(grid=GRID, radius_mm=8.0):
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    centre = grid.to_mm((np.array(grid.shape) - 1) / 2)
    return np.linalg.norm(grid.to_mm(index) - centre, axis=-1) <= radius_mm


def image(data, grid=GRID):
    return Volume(data=data, geometry=grid, modality="CT", unit="HU")


def mask(inside, grid=GRID):
    return Mask(labels=inside, geometry=grid, names={1: "tumour"})


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("sd", [0.5, 12.0])
@pytest.mark.parametrize("slices", [2, 12])
def test_the_noise_of_an_image_is_found_whatever_lies_under_it(rng, sd, slices):
    grid = Geometry.upright((60, 50, slices), spacing_mm=(0.8, 1.0, 2.5))
    smooth = np.indices(grid.shape).sum(axis=0) * 4.0 + 200 * ball(grid, 12.0)
    data = smooth + rng.normal(0, sd, grid.shape)
    assert noise_level(image(data, grid)) == pytest.approx(sd, rel=0.2)  # edges are 400 SD high


def test_padding_hides_no_noise_and_a_constant_image_has_none(rng):
    grid = Geometry.upright((60, 50, 3), spacing_mm=(0.8, 1.0, 2.5))
    data = np.full(grid.shape, -2000.0)
    assert noise_level(image(data, grid)) == 0
    data[:40] = rng.normal(40, 10, size=(40, 50, 3))
    assert noise_level(image(data, grid)) == pytest.approx(10, rel=0.15)
    with pytest.raises(ContentError, match="without any number"):
        noise_level(image(np.full(grid.shape, np.nan), grid))


def test_noise_has_the_size_asked_for(rng):
    still = image(np.full(GRID.shape, 40, dtype=np.int16))
    assert np.std(noisy(still, sd=7.0, rng=rng).data) == pytest.approx(7, rel=0.05)
    data = np.full(GRID.shape, 100.0) + rng.normal(0, 5.0, GRID.shape)
    variants = [Perturbation(), Perturbation(noise=2.0)]
    before, after = perturbed(image(data), mask(ball()), variants, rng=rng)
    added = (after.volume.data - before.volume.data)[after.mask.labels > 0]
    assert np.std(added) == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("growth", [-0.15, 0.15])
def test_growth_keeps_a_ball_a_ball(rng, growth):
    inside = ball()
    everywhere = np.ones(GRID.shape, dtype=bool)
    found = grown(inside, growth, spacing_mm=GRID.spacing_mm, allowed=everywhere, rng=rng)
    radius = 8.0 * (1 + growth) ** (1 / 3)
    assert dice(found, ball(radius_mm=radius)) > 0.94


def test_growth_goes_only_where_it_may(rng):
    inside = ball()
    nowhere = np.zeros(GRID.shape, dtype=bool)
    assert grown(inside, 0.2, spacing_mm=GRID.spacing_mm, allowed=nowhere, rng=rng) is None
    full = np.ones((4, 3, 2), dtype=bool)
    less = grown(full, -0.5, spacing_mm=(1, 1, 3), allowed=full, rng=rng)
    assert int(less.sum()) == 12


def test_a_redrawn_outline_follows_the_border_it_finds(rng):
    inside = ball()
    data = 100.0 * inside + rng.normal(0, 5, GRID.shape)
    drawn = [redrawn(data, inside, spacing_mm=GRID.spacing_mm, rng=rng) for _ in range(4)]
    assert all(dice(one, inside) > 0.9 for one in drawn)
    blurred = rng.normal(0, 5, GRID.shape)
    drawn = [redrawn(blurred, inside, spacing_mm=GRID.spacing_mm, rng=rng) for _ in range(4)]
    overlaps = [dice(one, inside) for one in drawn]
    assert min(overlaps) > 0.6
    assert max(overlaps) < 0.99
    assert any((drawn[0] != other).any() for other in drawn[1:])


def test_a_redrawn_outline_of_an_even_image_is_one(rng):
    data = np.zeros(GRID.shape)
    found = redrawn(data, ball(), spacing_mm=GRID.spacing_mm, rng=rng)
    assert dice(found, ball()) > 0.6


def test_a_region_that_vanishes_is_told_and_has_no_values(rng):
    inside = np.zeros(GRID.shape, dtype=bool)
    inside[10, 9, 4] = True
    data = rng.normal(size=GRID.shape)
    variants = [Perturbation(), Perturbation(growth=-0.9)]
    here, gone = perturbed(image(data), mask(inside), variants, rng=rng)
    assert not here.vanished
    assert gone.vanished
    assert not gone.mask.labels.any()
    (caveat,) = gone.mask.caveats
    assert caveat.code == "region-vanished"
    asked = Settings(families=("stat",))
    (found,) = measured(image(data), mask(inside), variants, settings=asked, rng=rng)
    assert found.vanished == 1
    assert found.values[0, 0] == pytest.approx(data[10, 9, 4], rel=1e-6)
    assert np.isnan(found.values[1]).all()


def test_filters_and_normalisation_see_what_they_see_in_the_whole_image(rng):
    grid = Geometry.upright((70, 60, 50), spacing_mm=(1.5, 1.5, 1.5))
    inside = np.zeros(grid.shape, dtype=bool)
    inside[40:48, 30:37, 22:26] = True
    asked = Settings.from_plain(
        {
            "families": ["stat", "cm"],
            "normalisation": {"scale": 100.0},
            "filters": [
                {"kind": "log", "sigma_mm": 3.0},
                {"kind": "mean", "support": 3},
                {"kind": "simoncelli", "level": 1},
            ],
        }
    )
    volume, outline = image(rng.normal(40, 20, grid.shape), grid), mask(inside, grid)
    (found,) = measured(volume, outline, [Perturbation()], settings=asked, rng=rng)
    plain = radiomics(volume, outline, asked)
    assert found.columns == plain.columns
    np.testing.assert_allclose(found.values, plain.values, rtol=1e-3, atol=1e-3)


def test_two_slices_are_perturbed_by_every_kind(rng):
    grid = Geometry.upright((24, 22, 2), spacing_mm=(0.7, 0.7, 5.0), directions=TURN)
    data = 100.0 * ball(grid) + rng.normal(0, 5, grid.shape)
    variants = Perturbations().variants(rng)
    found = list(perturbed(image(data, grid), mask(ball(grid), grid), variants, rng=rng))
    whole = ball(grid).sum()
    assert not any(one.vanished for one in found)
    assert all(0.5 < one.mask.counts["tumour"] / whole < 1.6 for one in found)


def test_a_large_image_is_cut_around_its_region(rng):
    grid = Geometry.upright((120, 110, 40), spacing_mm=(0.8, 1.0, 2.5))
    inside = np.zeros(grid.shape, dtype=bool)
    inside[50:56, 50:55, 20:22] = True
    variants = Perturbations(contours=1, noises=1, chains=2).variants(rng)
    for one in perturbed(
        image(rng.normal(size=grid.shape), grid), mask(inside, grid), variants, rng=rng
    ):
        assert one.volume.data.size < 50 * 40 * 16


def test_what_cannot_be_perturbed_is_refused(rng):
    data = rng.normal(size=GRID.shape)
    affine = GRID.affine.copy()
    affine[1, 2] += 1.0
    tilted = Geometry(shape=GRID.shape, affine=affine)
    for volume, outline, error, says in (
        (image(data, tilted), mask(ball(), tilted), GeometryError, "right angles"),
        (image(data), mask(ball(), tilted), GeometryError, "grids differ"),
        (image(np.stack([data] * 3, axis=-1)), mask(ball()), ContentError, "colour"),
        (image(np.full(GRID.shape, np.nan)), mask(ball()), ContentError, "not numbers"),
    ):
        with pytest.raises(error, match=says):
            next(perturbed(volume, outline, [Perturbation()], rng=rng))


def test_a_region_moved_over_what_was_not_measured_is_told(rng):
    data = rng.normal(size=GRID.shape)
    data[~ball()] = np.nan
    variants = [Perturbation(), Perturbation(shift=(0.5, 0.5, 0.5)), Perturbation(growth=0.1)]
    found = list(perturbed(image(data), mask(ball()), variants, rng=rng))
    assert [one.vanished for one in found] == [False, True, True]


def test_a_plan_has_every_kind_alone_and_chains_of_all():
    variants = Perturbations().variants(np.random.default_rng(0))
    kinds = [one.kind for one in variants]
    assert kinds[0] == "none"
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    assert counts == {
        "none": 1,
        "rotation": 4,
        "translation": 3,
        "noise": 4,
        "growth": 6,
        "contour": 4,
        "chain": 16,
    }
    chains = [one for one in variants if one.kind == "chain"]
    turns = [one.rotation_deg for one in chains]
    assert {turn: turns.count(turn) for turn in turns} == dict.fromkeys((-6, -2, 2, 6), 4)
    assert len({one.shift for one in chains}) == 16
    assert all(one.noise == 1 and one.growth and one.contour for one in chains)


def test_a_plan_of_one_kind_has_no_chains():
    plan = Perturbations(rotations_deg=(), shifts=(), noises=0, growths=(), contours=3)
    kinds = [one.kind for one in plan.variants(np.random.default_rng(0))]
    assert kinds == ["none", "contour", "contour", "contour"]
    assert plan.hash != Perturbations().hash


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"noise": -1.0}, "noise of 0 or more"),
        ({"growth": -1.0}, "nothing left"),
        ({"rotation_deg": 90.0}, "45 degrees"),
        ({"shift": (0.0, 2.0, 0.0)}, "one voxel"),
        ({"growth": float("nan")}, "finite"),
    ],
)
def test_sizes_that_are_none_are_refused(wrong, says):
    with pytest.raises(UsageError, match=says):
        Perturbation(**wrong)


def test_plans_that_perturb_nothing_or_less_are_refused():
    with pytest.raises(UsageError, match="nothing is perturbed"):
        Perturbations(rotations_deg=(0.0,), shifts=(0.0,), noises=0, growths=(), contours=0)
    with pytest.raises(UsageError, match="counts of 0 or more"):
        Perturbations(chains=-1)
    with pytest.raises(UsageError, match="45 degrees"):
        Perturbations(rotations_deg=(60.0,))
