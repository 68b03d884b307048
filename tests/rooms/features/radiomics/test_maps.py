"""Maps of features against the features of each window by itself."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from onkos.core.errors import ContentError, GeometryError, UsageError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.radiomics import Settings, radiomics, sweep, zones
from onkos.features.radiomics.catalogue import tags
from onkos.features.radiomics.intensity import histogram, statistics
from onkos.features.radiomics.maps import DEFAULT, Window, maps
from onkos.features.radiomics.window import KNOWN, _scratch, layout

TURN = np.array([[0.0, -0.8, 0.6], [1.0, 0.0, 0.0], [0.0, 0.6, 0.8]])
GRID = Geometry.upright(
    (11, 8, 6), spacing_mm=(0.8, 1.1, 2.5), origin_mm=(-30.0, 12.0, 5.0), directions=TURN
)
COUNT = 9
BY_ONE = Settings(discretisation="width", bins=1.0, low=1.0)  # a level is an intensity's floor
TABLES = dict(zip(KNOWN, ("stat", "ih", "cm_3D_comb", "rlm_3D_comb"), strict=False))


def given(data, labels, geometry=GRID, **names):
    names = names or {"tumour": 1}
    return (
        Volume(data=data, geometry=geometry, modality="CT", unit="[hnsf'U]"),
        Mask(labels=labels, geometry=geometry, names={n: name for name, n in names.items()}),
    )


def arrays(*arguments, **options):
    return {name: volume.data for name, volume in maps(*arguments, **options).items()}


@pytest.fixture
def data(rng) -> np.ndarray:
    made = rng.uniform(1.0, COUNT, size=GRID.shape)
    made[4:8, 3:7, 2:5] = np.floor(made[4:8, 3:7, 2:5] / 4) * 4 + 1.5  # runs and zones
    made[3, 3, 2] = COUNT + 0.5
    return made


@pytest.fixture
def labels(rng) -> np.ndarray:
    """A region with holes that touches three sides of the image, and a voxel far from it."""
    made = np.zeros(GRID.shape, dtype=np.uint8)
    made[:9, :7, 1:] = rng.random((9, 7, 5)) < 0.8
    made[3, 3, 2] = made[5, 4, 3] = made[10, 7, 0] = 1
    return made


def of_window(data, levels, dependence):
    """Features of one window by tag, from the functions that serve whole regions."""
    inside = levels > 0
    padded = np.pad(np.ascontiguousarray(levels.T), 1)
    found = sweep.textures_3d(padded, COUNT, dependence=dependence, averaged=False, threads=1)
    found |= zones.textures(padded, (padded > 0).astype(np.uint8), COUNT, flat=False)
    found["stat"] = statistics(np.sort(data[inside]))
    found["ih"] = histogram(np.bincount(levels[inside]))
    values = {}
    for family in KNOWN:
        table = found[TABLES.get(family, f"{family}_3D")]
        values.update(zip(tags((family,), ("3D_comb",)), table, strict=False))
    return values


def require_windows(found, data, levels, radius, *, centres, dependence=0):
    """Every map is NaN outside, and at a centre what the window there gives."""
    for n, at in enumerate(zip(*np.nonzero(centres), strict=True)):
        if n % 5 == 0 or at[0] == 10:
            block = tuple(slice(max(a - radius, 0), a + radius + 1) for a in at)
            for name, value in of_window(data[block], levels[block], dependence).items():
                np.testing.assert_allclose(
                    found[name][at], value, rtol=2e-6, atol=1e-6, err_msg=f"{name} at {at}"
                )
    for grid in found.values():
        assert grid.shape == centres.shape
        assert np.isnan(grid[~centres]).all()


@pytest.mark.parametrize(("radius", "dependence"), [(1, 0), (1, 2), (2, 0), (3, 1)])
def test_every_value_is_the_feature_of_its_window(radius, dependence, data, labels):
    window, settings = Window(radius=radius), replace(BY_ONE, dependence=dependence)
    found = arrays(*given(data, labels), settings, features=KNOWN, window=window)
    levels = np.where(labels == 1, np.floor(data).astype(int), 0)
    require_windows(found, data, levels, radius, centres=labels == 1, dependence=dependence)
    assert np.isfinite(found["cm_contrast_3D_comb"]).sum() > 100


def test_a_family_by_itself_has_the_values_it_has_among_all(data, labels):
    whole = arrays(*given(data, labels), BY_ONE, features=KNOWN)
    for family in KNOWN:
        for name, grid in arrays(*given(data, labels), BY_ONE, features=(family,)).items():
            np.testing.assert_array_equal(grid, whole[name], err_msg=name)


def test_a_value_is_what_radiomics_says_of_the_window_as_a_region(data, labels):
    found = arrays(*given(data, labels), BY_ONE, features=KNOWN, window=Window(radius=2))
    families = Settings(**{**BY_ONE.to_plain(), "families": KNOWN})
    at = (5, 4, 3)
    part = np.zeros_like(labels)
    part[3:8, 2:7, 1:6] = labels[3:8, 2:7, 1:6]
    row = radiomics(*given(data, part), families).row("tumour")
    of_count = ("cm_inv_diff_norm_3D_comb", "cm_inv_diff_mom_norm_3D_comb")  # levels of all
    for name in set(row) - set(of_count):
        np.testing.assert_allclose(found[name][at], row[name], rtol=2e-6, err_msg=name)


def test_windows_without_a_mask_take_levels_of_the_box_around(data, labels):
    labels[:] = 0
    labels[3:6, 2:5, 2:4] = 1
    labels[4, 3, 3] = 0
    data[3, 4, 1], data[9, 6, 5] = COUNT + 0.9, 300.0  # the first is in the box, the other is not
    window = Window(radius=2, masked=False)
    found = arrays(*given(data, labels), BY_ONE, features=KNOWN, window=window)
    box = (slice(1, 8), slice(0, 7), slice(0, 6))
    levels, values = np.floor(data).astype(int)[box], data[box]
    cut = {name: grid[box] for name, grid in found.items()}
    require_windows(cut, values, levels, 2, centres=labels[box] == 1)


def test_levels_are_those_of_the_whole_region(data, labels):
    settings = Settings(bins=COUNT)
    found = arrays(*given(data, labels), settings, features=("ih_max", "ih_min"))
    inside = labels == 1
    low, high = data[inside].min(), data[inside].max()
    assert np.nanmax(found["ih_max"]) == COUNT
    far = (10, 7, 0)
    level = np.floor(COUNT * (data[far] - low) / (high - low)) + 1
    assert found["ih_max"][far] == found["ih_min"][far] == level


def test_what_is_resegmented_away_has_no_value_and_takes_no_part(data, labels):
    settings = replace(BY_ONE, high=6.5)
    found = arrays(*given(data, labels), settings, features=("stat_max",))["stat_max"]
    np.testing.assert_array_equal(np.isfinite(found), (labels == 1) & (data <= 6.5))
    assert np.nanmax(found) <= 6.5


def test_regions_do_not_look_into_each_other(data, labels):
    labels[labels == 1] = 3
    labels[5:9][labels[5:9] == 3] = 1
    both = arrays(*given(data, labels, a=1, b=3), BY_ONE, features=("cm", "stat"))
    for label in (1, 3):
        part = np.where(labels == label, 1, 0).astype(np.uint8)
        alone = arrays(*given(data, part), BY_ONE, features=("cm", "stat"))
        for name, grid in alone.items():
            np.testing.assert_array_equal(grid[part == 1], both[name][part == 1], err_msg=name)


def test_a_mirrored_image_has_mirrored_maps(data, labels):
    here = arrays(*given(data, labels), BY_ONE, features=KNOWN)
    there = arrays(*given(data[::-1, :, ::-1], labels[::-1, :, ::-1]), BY_ONE, features=KNOWN)
    for name, grid in here.items():
        np.testing.assert_allclose(there[name][::-1, :, ::-1], grid, rtol=1e-5, atol=1e-6)


def test_values_do_not_depend_on_threads_or_on_the_layout_of_memory(data, labels):
    one = arrays(*given(data, labels), BY_ONE, features=KNOWN, threads=1)
    data, labels = np.asfortranarray(data), np.asfortranarray(labels)
    for name, grid in arrays(*given(data, labels), BY_ONE, features=KNOWN, threads=3).items():
        np.testing.assert_array_equal(grid, one[name], err_msg=name)


def test_volumes_lie_on_the_image_with_their_unit_and_what_is_undefined(data, labels):
    made = maps(*given(data, labels, a=1, absent=4), BY_ONE, features=(*DEFAULT, "cm_corr_3D_comb"))
    assert tuple(made) == (*DEFAULT, "cm_corr_3D_comb")
    assert made.voxels == labels.sum()
    assert made["stat_mean"].geometry == GRID
    assert made["stat_mean"].data.dtype == np.float32
    assert made["stat_mean"].unit == "[hnsf'U]"
    assert made["stat_var"].unit == "([hnsf'U])2"
    assert made["cm_contrast_3D_comb"].unit == "1"
    assert [caveat.where for caveat in made["stat_mean"].caveats] == ["absent"]
    correlation = made["cm_corr_3D_comb"]
    missing = int(np.isnan(correlation.data[labels == 1]).sum())
    assert missing >= 1  # the voxel far from all
    assert f"Undefined in {missing} of {labels.sum()}" in str(correlation.caveats[-1])
    with pytest.raises(KeyError):
        made["stat_skew"]


@pytest.mark.parametrize("many", [4096, 5000])
def test_many_levels_are_counted_or_refused(many, rng):
    data = rng.permutation(many)[: np.prod(GRID.shape)].reshape(GRID.shape).astype(np.int16)
    data[5, 4, 3], data[6, 4, 3] = 0, many - 1
    image = given(data, np.ones(GRID.shape, dtype=np.uint8))
    settings = Settings(discretisation="width", bins=1.0)
    if many > 4096:
        with pytest.raises(ContentError, match=r"region 'tumour'.*levels"):
            maps(*image, settings)
        return
    found = arrays(*image, settings, features=("cm_joint_entr_3D_comb", "ih_max"))
    assert found["ih_max"][5, 4, 3] == many
    assert found["cm_joint_entr_3D_comb"][5, 4, 3] == pytest.approx(1 + np.log2(158))


def test_unknown_features_are_refused_and_the_known_ones_named(data, labels):
    with pytest.raises(UsageError, match=r"cm_contrast_2D_avg.*cm_contrast_3D_comb"):
        maps(*given(data, labels), features=("stat", "cm_contrast_2D_avg"))
    with pytest.raises(UsageError, match="no feature"):
        maps(*given(data, labels), features=())


@pytest.mark.parametrize("radius", [0, 8])
def test_a_window_is_one_to_seven_voxels_wide(radius):
    with pytest.raises(UsageError, match=f"radius {radius}"):
        Window(radius=radius)


def test_what_cannot_be_mapped_is_refused(data, labels):
    image, mask = given(data, labels)
    with pytest.raises(UsageError, match="own grid"):
        maps(image, mask, Settings(spacing_mm=(1.0, 1.0, 1.0)))
    filtered = Settings.from_plain({"filters": [{"kind": "mean", "support": 3}]})
    with pytest.raises(UsageError, match="filter the volume first"):
        maps(image, mask, filtered)
    with pytest.raises(ContentError, match="without a voxel"):
        maps(image, given(data, np.zeros_like(labels))[1])
    with pytest.raises(ContentError, match="without a voxel"):
        maps(image, mask, Settings(low=5000.0))
    holed = np.where(labels == 1, np.nan, data)
    with pytest.raises(ContentError, match=r"region 'tumour'.*not numbers"):
        maps(given(holed, labels)[0], mask)
    moved = Geometry(shape=GRID.shape, affine=GRID.affine + 1e-1 * np.eye(4, k=3))
    with pytest.raises(GeometryError, match="grids differ"):
        maps(replace(image, geometry=moved), mask)
    coloured = replace(image, data=np.stack([data] * 3, axis=-1))
    with pytest.raises(ContentError, match="colour"):
        maps(coloured, mask)
    flat = Geometry.picture((11, 8))
    with pytest.raises(GeometryError, match="picture"):
        maps(*given(data[..., 0], labels[..., 0], flat))


def test_a_normalised_image_is_what_is_mapped(data, labels):
    made = maps(*given(data, labels), Settings.from_plain({"normalisation": {"scale": 100.0}}))
    scaled = 100 * (data - data.mean()) / data.std(ddof=1)
    expected = maps(*given(scaled.astype(np.float32), labels))
    assert made["stat_mean"].unit == "1"
    for name, volume in expected.items():
        np.testing.assert_allclose(made[name].data, volume.data, rtol=1e-4, atol=1e-4)


def test_features_that_settings_name_are_mapped(data, labels):
    settings = Settings(features=("ngt_busyness_3D", "stat_rms"))
    assert tuple(maps(*given(data, labels), settings)) == settings.features
    assert tuple(maps(*given(data, labels), settings, features=("stat_min",))) == ("stat_min",)


def test_the_grid_asked_for_may_be_the_image_s_own(data, labels):
    settings = replace(BY_ONE, spacing_mm=GRID.spacing_mm)
    found = arrays(*given(data, labels), settings)
    for name, grid in arrays(*given(data, labels), BY_ONE).items():
        np.testing.assert_array_equal(grid, found[name])


def test_memory_stays_within_its_bound(rng):
    shape, voxel = (70, 66, 48), 4
    labels = np.zeros(shape, dtype=np.uint8, order="F")
    labels[10:58, 12:60, 4:44] = 1
    data = np.asfortranarray(rng.integers(0, 900, size=shape).astype(np.int16))
    grid = Geometry.upright(shape, spacing_mm=(1, 1, 1))
    image = given(data, labels, grid)
    box = labels.sum(dtype=int)
    maps(*image, features=("cm",))  # compiled, so that only the work is counted
    tracemalloc.start()
    made = maps(*image, features=("cm",), threads=2)
    held, most = tracemalloc.get_traced_memory()
    assert held <= voxel * box * (25 + 1) + 100_000
    assert most <= voxel * box * (25 + 1) + 24 * box + 500_000
    tracemalloc.reset_peak()
    for volume in made.values():
        assert volume.data.shape == shape
        del volume
    assert tracemalloc.get_traced_memory()[1] <= held + voxel * data.size + 4 * box + 100_000
    tracemalloc.stop()


@pytest.mark.parametrize(("radius", "mebibytes"), [(1, 1), (2, 1), (7, 100)])
def test_the_scratch_of_a_thread_stays_within_its_bound(radius, mebibytes):
    plan = (radius, 4096, 0, np.ones(len(KNOWN), dtype=bool), np.arange(3), layout(radius))
    held = [_scratch(plan)]
    size = 0
    while held:
        one = held.pop()
        size += one.nbytes if isinstance(one, np.ndarray) else held.extend(one) or 0
    assert size <= mebibytes << 20
