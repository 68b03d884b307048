"""From volume and mask to the table: labels, image processing, refusals, caveats."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError, GeometryError, UsageError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.radiomics import Settings, radiomics
from onkos.features.radiomics.intensity import histogram, statistics, volume_histogram
from onkos.features.radiomics.region import blocks

GRID = Geometry.upright((14, 12, 9), spacing_mm=(0.8, 1.1, 2.5), origin_mm=(-30.0, 12.0, 5.0))


def volume(data, geometry=GRID):
    return Volume(data=data, geometry=geometry, modality="CT", unit="[hnsf'U]")


def mask(labels, geometry=GRID, **names):
    names = names or {"tumour": 1}
    return Mask(labels=labels, geometry=geometry, names={n: name for name, n in names.items()})


@pytest.fixture
def data(rng) -> np.ndarray:
    return rng.integers(-200, 300, size=GRID.shape).astype(np.int16)


@pytest.fixture
def labels() -> np.ndarray:
    made = np.zeros(GRID.shape, dtype=np.uint8)
    made[2:9, 3:10, 2:7] = 1
    made[10:13, 1:5, 1:4] = 5
    return made


def test_one_row_a_label_in_order_with_absent_ones_told(data, labels):
    table = radiomics(volume(data), mask(labels, core=5, oedema=1, absent=3))
    assert table.labels == ("oedema", "absent", "core")
    assert np.isnan(table.values[1]).all()
    assert table.caveats["absent"][0].code == "empty-region"
    assert np.isfinite(table.values[[0, 2]]).all()
    assert "core" not in table.caveats


def test_columns_carry_tag_and_identifier_and_are_found_by_either(data, labels):
    table = radiomics(volume(data), mask(labels, a=1, b=5))
    assert "morph_volume_RNU0" in table.columns
    assert "cm_contrast_3D_comb_ACUI" in table.columns
    for name in ("stat_mean", "stat_mean_Q4LE", "Q4LE"):
        assert table.column(name)[0] == pytest.approx(data[labels == 1].mean())
    assert table.row("b")["stat_max"] == data[labels == 5].max()
    assert table.aggregations["cm_contrast_3D_comb"] == "IAZD"
    with pytest.raises(UsageError, match="ivh_v10, ivh_v90"):
        table.column("BC2M")
    with pytest.raises(UsageError, match="no region 'c'"):
        table.row("c")


def test_the_layout_of_memory_does_not_matter(data, labels):
    here = radiomics(volume(data), mask(labels, a=1, b=5))
    there = radiomics(volume(np.asfortranarray(data)), mask(np.asfortranarray(labels), a=1, b=5))
    np.testing.assert_array_equal(here.values, there.values)


def test_families_asked_for_are_the_columns(data, labels):
    asked = Settings(families=("stat", "szm"), aggregations=("2D_avg", "3D_comb"))
    names = radiomics(volume(data), mask(labels, a=1, b=5), asked).names
    assert len(names) == 18 + 2 * 16
    assert names[0] == "stat_mean"
    assert names[-1] == "szm_zs_entr_3D"


@pytest.mark.parametrize(
    "family", ["morph", "loc", "stat", "ih", "ivh", "cm", "rlm", "szm", "dzm", "ngt", "ngl"]
)
def test_a_family_by_itself_has_the_values_it_has_among_all(family, data, labels):
    whole = radiomics(volume(data), mask(labels, a=1, b=5))
    alone = radiomics(volume(data), mask(labels, a=1, b=5), Settings(families=(family,)))
    kept = [n for n, name in enumerate(whole.names) if name.startswith(f"{family}_")]
    np.testing.assert_array_equal(alone.values, whole.values[:, kept])


def test_resegmentation_narrows_intensities_and_keeps_the_shape(data, labels):
    asked = Settings(low=-100, high=150)
    whole, part = (radiomics(volume(data), mask(labels, a=1, b=5), s) for s in (None, asked))
    assert part.column("stat_min").min() >= -100
    assert part.column("stat_max").max() <= 150
    np.testing.assert_array_equal(part.column("morph_volume"), whole.column("morph_volume"))


def test_resegmentation_that_leaves_nothing_is_told(data, labels):
    table = radiomics(volume(data), mask(labels, a=1, b=5), Settings(low=5000))
    assert np.isfinite(table.column("morph_volume")).all()
    assert np.isnan(table.column("stat_mean")).all()
    assert table.caveats["a"][0].code == "empty-region"


def test_outliers_are_those_beyond_three_deviations(data, labels):
    data = data.copy()
    data[4, 4, 4] = 30000
    table = radiomics(volume(data), mask(labels, a=1, b=5), Settings(outlier_sigma=3))
    assert table.column("stat_max")[0] < 301


def test_fixed_width_bins_begin_where_asked(data, labels):
    def lowest(**options):
        asked = Settings(discretisation="width", bins=25, families=("ih",), **options)
        return radiomics(volume(data), mask(labels, a=1, b=5), asked).column("ih_min")[0]

    least = data[labels == 1].min()
    assert lowest() == 1
    assert lowest(low=-1000.0) == (least + 1000) // 25 + 1
    assert lowest(first_bin="multiple") == 1


def test_too_many_levels_are_refused(data, labels):
    asked = Settings(discretisation="width", bins=0.01)
    with pytest.raises(ContentError, match=r"region 'a'.*wider bins"):
        radiomics(volume(data), mask(labels, a=1, b=5), asked)


def test_a_finer_grid_keeps_volume_and_mean(labels):
    slope = np.indices(GRID.shape)[0] * 10.0
    asked = Settings(spacing_mm=(0.5, 0.5, 0.5), families=("morph", "stat"))
    coarse = radiomics(volume(slope), mask(labels, a=1, b=5), Settings(families=("morph", "stat")))
    fine = radiomics(volume(slope), mask(labels, a=1, b=5), asked)
    for name, within in (("morph_vol_approx", 0.1), ("stat_mean", 0.02)):
        np.testing.assert_allclose(fine.column(name), coarse.column(name), rtol=within)


def test_a_region_lost_in_interpolation_is_told(data):
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[5, 5, 4] = 1
    table = radiomics(volume(data), mask(labels), Settings(spacing_mm=(5, 5, 5)))
    assert np.isnan(table.values).all()
    assert table.caveats["tumour"][0].code == "empty-region"


def test_an_oblique_grid_gives_the_same_values(data, labels):
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    oblique = Geometry.upright(GRID.shape, spacing_mm=GRID.spacing_mm, directions=turn)
    here = radiomics(volume(data), mask(labels, a=1, b=5))
    there = radiomics(volume(data, oblique), mask(labels, oblique, a=1, b=5))
    np.testing.assert_allclose(there.values, here.values, rtol=1e-9)


def test_what_cannot_be_measured_is_refused(data, labels):
    affine = GRID.affine.copy()
    affine[1, 2] += 1.0
    tilted = Geometry(shape=GRID.shape, affine=affine)
    with pytest.raises(GeometryError, match="gantry tilt"):
        radiomics(volume(data, tilted), mask(labels, tilted, a=1, b=5))
    with pytest.raises(GeometryError, match="grids differ"):
        radiomics(volume(data), mask(labels, tilted, a=1, b=5))
    flat = Geometry.picture((4, 5))
    with pytest.raises(GeometryError, match="three axes"):
        radiomics(volume(data[:4, :5, 0], flat), mask(labels[2:6, 3:8, 3], flat))
    with pytest.raises(ContentError, match="colour"):
        radiomics(volume(np.stack([data] * 3, axis=-1)), mask(labels, a=1, b=5))


def test_intensities_that_are_no_numbers_are_refused_only_where_they_count(data, labels):
    data = data.astype(np.float32)
    data[0, 0, 8] = np.nan
    asked = Settings(families=("stat",))
    radiomics(volume(data), mask(labels, a=1, b=5), asked)
    data[4, 4, 4] = np.inf
    with pytest.raises(ContentError, match=r"region 'a'.*not numbers"):
        radiomics(volume(data), mask(labels, a=1, b=5), asked)


def test_boxes_of_a_thousand_labels_come_from_one_pass(rng):
    labels = np.zeros((40, 50, 60), dtype=np.int32)
    corners = {}
    for n, place in enumerate(np.ndindex(10, 10, 10)):
        a, b, c = (4 * place[0], 5 * place[1], 6 * place[2])
        labels[a : a + 2, b : b + 3, c : c + 4] = 7 * n + 3
        corners[7 * n + 3] = ((a, a + 2), (b, b + 3), (c, c + 4))
    found = blocks(labels, np.array([1, *corners]))
    assert found[0] is None
    assert found[1:] == list(corners.values())


def test_statistics_of_a_few_values_by_hand():
    found = statistics(np.array([1.0, 2.0, 3.0, 4.0]))
    assert found[:2] == pytest.approx([2.5, 1.25])
    assert found[9] == pytest.approx(1.5)
    assert found[11] == pytest.approx(1.0)
    assert found[16:] == pytest.approx([30, np.sqrt(7.5)])
    even = statistics(np.zeros(3))
    assert np.isnan(even[14:16]).all()


def test_a_histogram_counts_as_its_values_do(rng):
    levels = np.sort(rng.integers(1, 9, size=101))
    found = histogram(np.bincount(levels))
    np.testing.assert_allclose(found[:9], statistics(levels.astype(float))[:9], rtol=1e-12)
    np.testing.assert_allclose(found[10:17], statistics(levels.astype(float))[9:16], rtol=1e-12)


def test_a_volume_histogram_of_even_steps_is_a_straight_line():
    found = volume_histogram(np.linspace(0, 1, 1001), Settings())
    assert found[:4] == pytest.approx([0.9, 0.1, 0.9, 0.1], abs=0.002)
    assert found[6] == pytest.approx(0.5, abs=0.001)
    assert np.isnan(volume_histogram(np.ones(5), Settings())).all()
