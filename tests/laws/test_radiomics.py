"""What holds for the features of any region, whatever its grid, shape and intensities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awkward import geometries
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.filters import Boundary, Gabor, LaplacianOfGaussian, Laws, Mean, Wavelet
from onkos.features.radiomics import Filtering, Settings, radiomics

FEW = settings(max_examples=20)
EVERY = ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb")
NUMBERED = Settings(bins=6, aggregations=EVERY)


def measured(data, labels, geometry, asked=NUMBERED, **options):
    names = {int(label): f"region-{label}" for label in np.unique(labels[labels > 0])}
    volume = Volume(data=data, geometry=geometry, modality="MR", unit="1")
    return radiomics(volume, Mask(labels=labels, geometry=geometry, names=names), asked, **options)


@st.composite
def patients(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Geometry]:
    """Whole-numbered intensities and two labels of any shape, on an awkward grid."""
    geometry = draw(geometries(smallest=3, largest=11))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    data = np.rint(rng.normal(40, 30, size=geometry.shape)).astype(np.int16)
    filled = draw(st.sampled_from([0.2, 0.6, 1.0]))
    labels = np.where(rng.random(geometry.shape) < filled, rng.integers(1, 3, geometry.shape), 0)
    labels.flat[:2] = 1, 2
    return data, labels.astype(np.uint8), geometry


@FEW
@given(patients())
def test_regions_do_not_know_of_each_other(patient):
    data, labels, geometry = patient
    both = measured(data, labels, geometry)
    for label in (1, 2):
        alone = measured(data, np.where(labels == label, 1, 0).astype(np.uint8), geometry)
        np.testing.assert_array_equal(both.values[label - 1], alone.values[0])


@FEW
@given(patients(), st.integers(1, 4))
def test_what_lies_around_changes_nothing_but_the_local_peak(patient, margin):
    data, labels, geometry = patient
    shape = tuple(side + 2 * margin for side in geometry.shape)
    wider = geometry.crop([-margin] * 3, shape)
    here = measured(data, labels, geometry)
    there = measured(np.pad(data, margin, constant_values=999), np.pad(labels, margin), wider)
    kept = [n for n, name in enumerate(here.names) if not name.startswith("loc")]
    np.testing.assert_allclose(
        there.values[:, kept], here.values[:, kept], rtol=1e-9, atol=1e-9, equal_nan=True
    )


@FEW
@given(patients())
def test_textures_and_sizes_of_space_do_not_depend_on_the_order_of_axes(patient):
    data, labels, geometry = patient
    affine = geometry.affine[:, [2, 0, 1, 3]]
    turned = Geometry(shape=tuple(np.array(geometry.shape)[[2, 0, 1]]), affine=affine)
    asked = Settings(bins=6, aggregations=("3D_comb", "3D_avg"))
    here = measured(data, labels, geometry, asked)
    there = measured(data.transpose(2, 0, 1), labels.transpose(2, 0, 1), turned, asked)
    # cells with diagonal corners inside are triangulated by one of two equal choices
    mesh = ("morph_area", "morph_av", "morph_comp", "morph_sph", "morph_asph", "morph_vol")
    loose = (*mesh, "morph_integ", "morph_area_dens")
    kept = [n for n, name in enumerate(here.names) if not name.startswith(loose)]
    np.testing.assert_allclose(
        there.values[:, kept], here.values[:, kept], rtol=1e-4, atol=1e-6, equal_nan=True
    )


@FEW
@given(patients(), st.integers(-300, 300))
def test_adding_a_number_to_all_intensities_moves_the_mean_and_no_texture(patient, added):
    data, labels, geometry = patient
    here = measured(data, labels, geometry)
    there = measured(data + np.int16(added), labels, geometry)
    np.testing.assert_allclose(
        there.column("stat_mean"), here.column("stat_mean") + added, rtol=0, atol=1e-3
    )
    textures = [n for n, name in enumerate(here.names) if name[:3] in ("cm_", "rlm", "szm", "ngt")]
    np.testing.assert_array_equal(there.values[:, textures], here.values[:, textures])


@FEW
@given(patients(), st.sampled_from([0.5, 2.0, 3.0]))
def test_a_larger_grid_scales_lengths_areas_and_volumes(patient, factor):
    data, labels, geometry = patient
    affine = geometry.affine @ np.diag([factor, factor, factor, 1.0])
    larger = Geometry(shape=geometry.shape, affine=affine)
    asked = Settings(families=("morph", "stat"))
    here, there = (measured(data, labels, grid, asked) for grid in (geometry, larger))
    for name, power in (
        ("volume", 3),
        ("area_mesh", 2),
        ("diam", 1),
        ("pca_maj_axis", 1),
        ("com", 1),
        ("sphericity", 0),
        ("moran_i", 0),
        ("vol_dens_aabb", 0),
    ):
        np.testing.assert_allclose(
            there.column(f"morph_{name}"),
            here.column(f"morph_{name}") * factor**power,
            rtol=1e-6,
            atol=1e-9,
        )


@FEW
@given(patients())
def test_the_number_of_threads_changes_no_bit(patient):
    data, labels, geometry = patient
    one = measured(data, labels, geometry, threads=1)
    two = measured(data, labels, geometry, threads=2)
    np.testing.assert_array_equal(one.values, two.values)


@FEW
@given(patients())
def test_shapes_lie_within_the_shapes_around_them(patient):
    data, labels, geometry = patient
    table = measured(data, labels, geometry, Settings(families=("morph",)))
    hull, box = table.column("morph_vol_dens_conv_hull"), table.column("morph_vol_dens_aabb")
    least = table.column("morph_vol_dens_ombb")
    ellipsoid = table.column("morph_vol_dens_mvee")
    assert (hull <= 1 + 1e-9).all()
    assert (box <= hull + 1e-9).all()
    assert (least >= box - 1e-9).all()
    assert (least <= hull + 1e-9).all()
    assert (ellipsoid <= hull + 1e-9).all()
    assert (table.column("morph_sphericity") <= 1).all()


@FEW
@given(patients())
def test_every_value_that_is_no_number_has_a_caveat_that_names_it(patient):
    table = measured(*patient)
    for label, line in zip(table.labels, table.values, strict=True):
        assert np.isnan(line).any() == (label in table.caveats)
        assert not np.isinf(line).any()


@FEW
@given(patients())
def test_interpolating_to_the_same_spacing_changes_nothing(patient):
    data, labels, geometry = patient
    asked = Settings(bins=6, spacing_mm=geometry.spacing_mm)
    np.testing.assert_array_equal(
        measured(data, labels, geometry, asked).values,
        measured(data, labels, geometry, Settings(bins=6)).values,
    )


def test_a_region_of_one_intensity_has_the_values_the_standard_gives():
    geometry = Geometry.upright((6, 5, 4), spacing_mm=(1.0, 2.0, 3.0))
    labels = np.ones(geometry.shape, dtype=np.uint8)
    table = measured(np.full(geometry.shape, 7, dtype=np.int16), labels, geometry)
    expected = {
        "stat_var": 0,
        "stat_skew": 0,
        "ih_entropy": 0,
        "ngt_coarseness_3D": 1e6,
        "ngt_contrast_3D": 0,
        "cm_joint_max_3D_comb": 1,
        "szm_z_perc_3D": 1 / 120,
    }
    for name, value in expected.items():
        assert table.column(name)[0] == pytest.approx(value)
    assert np.isnan(table.column("cm_corr_3D_comb")[0])
    assert np.isnan(table.column("morph_moran_i")[0])
    (caveat,) = table.caveats["region-1"]
    assert caveat.code == "single-intensity"


@st.composite
def filters(draw: st.DrawFn) -> Filtering:
    """Filters of all kinds that take any voxels, with any boundary."""
    beyond = draw(st.sampled_from(["mirror", "nearest", "periodic", "constant"]))
    boundary = Boundary(beyond=beyond)
    slicewise = draw(st.booleans())
    made = draw(
        st.sampled_from(
            [
                Mean(support=3, slicewise=slicewise, boundary=boundary),
                LaplacianOfGaussian(sigma_mm=0.6, slicewise=slicewise, boundary=boundary),
                Laws(kernels=("E5", "L3", "S5"), energy_radius=1, boundary=boundary),
                Laws(kernels=("R5", "E3"), boundary=boundary),
                Gabor(sigma_mm=0.5, wavelength_mm=2.0, aspect=0.8, boundary=boundary),
                Gabor(sigma_mm=0.5, wavelength_mm=2.0, all_planes=True, boundary=boundary),
                Wavelet(family="db2", band="HL", level=2, boundary=boundary),
                Wavelet(family="haar", band="LHL", boundary=boundary),
            ]
        )
    )
    return Filtering(filter=made, bins=6, discretisation=draw(st.sampled_from(["number", "width"])))


@FEW
@given(patients(), filters(), st.integers(0, 9), st.sampled_from([None, 30.0]))
def test_features_of_a_response_are_those_of_the_response_taken_as_an_image(
    patient, filtering, margin, low
):
    """Whatever is cut out around the labels, the filter answers as it does in the whole image."""
    data, labels, geometry = patient
    shape = tuple(side + 2 * margin for side in geometry.shape)
    wider = geometry.crop([-margin] * 3, shape)
    data = np.pad(data, margin, mode="wrap").astype(np.float32)
    labels = np.pad(labels, margin)
    families = ("stat", "ih", "cm", "szm")
    asked = Settings(families=families, low=low, filters=(filtering,))
    found = measured(data, labels, wider, asked)
    image = Volume(data=data, geometry=wider, modality="MR", unit="1")
    response = filtering.filter.respond(image)
    kept = labels if low is None else np.where(data >= low, labels, 0).astype(np.uint8)
    by_hand = radiomics(
        response,
        Mask(labels=kept, geometry=wider, names={1: "region-1", 2: "region-2"}),
        Settings(families=families, bins=6, discretisation=filtering.discretisation),
    )
    here = np.transpose([found.column(f"{filtering.id}_{name}") for name in by_hand.names])
    scale = np.nanmax(np.abs(response.data)) + 1e-6
    stat = [n for n, name in enumerate(by_hand.names) if name in ("stat_mean", "stat_max")]
    np.testing.assert_allclose(here[:, stat], by_hand.values[:, stat], atol=1e-5 * scale)
    if isinstance(filtering.filter, Gabor):
        return  # Fourier sums of another length differ in the last digit, and levels with them
    np.testing.assert_allclose(here, by_hand.values, rtol=1e-9, equal_nan=True)
