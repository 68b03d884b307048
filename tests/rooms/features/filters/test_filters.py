"""What the filters refuse, and what they hand on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.core.errors import ContentError, GeometryError, UsageError
from onkos.core.geometry import Geometry
from onkos.core.source import Caveat
from onkos.core.volume import Volume
from onkos.features.filters import (
    Boundary,
    Gabor,
    LaplacianOfGaussian,
    Laws,
    Mean,
    Riesz,
    Simoncelli,
    Wavelet,
)


def volume(spacing: tuple[float, ...] = (1.0, 1.0, 3.0), **changes: object) -> Volume:
    shape = (6, 7, 5)
    fields = {
        "data": np.arange(210, dtype=np.int16).reshape(shape),
        "geometry": Geometry.upright(shape, spacing_mm=spacing),
        "modality": "CT",
        "unit": "[hnsf'U]",
    }
    return Volume(**{**fields, **changes})


def picture(*, spacing: tuple[float, float] | None) -> Volume:
    data = np.random.default_rng(0).normal(size=(9, 8))
    grid = Geometry.picture((9, 8), spacing_mm=spacing)
    return Volume(data=data, geometry=grid, modality="US", unit="1")


@pytest.mark.parametrize(
    "build",
    [
        lambda: Mean(support=4),
        lambda: Mean(support=-1),
        lambda: LaplacianOfGaussian(sigma_mm=0.0),
        lambda: LaplacianOfGaussian(sigma_mm=1.0, cutoff=math.nan),
        lambda: Laws(kernels=("E5",)),
        lambda: Laws(kernels=("E5", "Q5")),
        lambda: Laws(kernels=("E5", "L5"), energy_radius=-1),
        lambda: Wavelet(family="nonesuch", band="LL"),
        lambda: Wavelet(family="haar", band="LX"),
        lambda: Wavelet(family="haar", band="LL", level=0),
        lambda: Gabor(sigma_mm=-1.0, wavelength_mm=2.0),
        lambda: Gabor(sigma_mm=1.0, wavelength_mm=2.0, angle_step=1.0),
        lambda: Gabor(sigma_mm=1.0, wavelength_mm=2.0, angle_step=0.0),
        lambda: Simoncelli(level=0),
        lambda: Simoncelli(sampling="fft"),
        lambda: Simoncelli(riesz=(0, 0, 0)),
        lambda: Riesz(orders=(1, -1)),
        lambda: Boundary(beyond="reflect"),
        lambda: Boundary(beyond="mirror", value=1.0),
        lambda: Boundary(beyond="constant", value=math.inf),
    ],
)
def test_settings_that_mean_nothing_are_refused(build):
    with pytest.raises(UsageError, match="expected"):
        build()


@pytest.mark.parametrize(
    "filter_",
    [
        Simoncelli(),
        Riesz(orders=(1, 0, 0)),
        Laws(kernels=("E5", "L5", "S5"), pooling="max"),
        Wavelet(family="haar", band="HHH", pooling="mean"),
    ],
)
def test_directions_alike_need_voxels_of_equal_sides(filter_):
    with pytest.raises(GeometryError, match="1 x 1 x 3 mm; expected equal sides"):
        filter_.respond(volume())
    assert filter_.respond(volume((2.0, 2.0, 2.01))).data.shape == (6, 7, 5)


def test_pooled_in_the_plane_only_the_plane_need_be_square():
    assert Laws(kernels=("E5", "S5"), pooling="max").respond(volume()).data.shape == (6, 7, 5)


def test_values_that_are_not_finite_are_refused():
    data = np.ones((6, 7, 5))
    data[2, 3, 1] = np.nan
    with pytest.raises(ContentError, match="1 of 210 values are not finite"):
        Mean(support=3).respond(volume(data=data))


def test_colours_are_refused():
    with pytest.raises(ContentError, match="one channel"):
        Mean(support=3).respond(volume(data=np.ones((6, 7, 5, 3))))


def test_a_sheared_grid_is_refused():
    affine = np.eye(4)
    affine[1, 2] = 0.4
    with pytest.raises(GeometryError, match="right angles"):
        LaplacianOfGaussian(sigma_mm=2).respond(
            volume(geometry=Geometry(shape=(6, 7, 5), affine=affine))
        )


@pytest.mark.parametrize(
    "filter_",
    [
        Laws(kernels=("E5", "L5", "S5")),
        Wavelet(family="haar", band="LLL"),
        Gabor(sigma_mm=1.0, wavelength_mm=2.0, all_planes=True),
    ],
)
def test_a_picture_has_no_third_axis(filter_):
    with pytest.raises(ContentError, match="plain picture"):
        filter_.respond(picture(spacing=(1.0, 1.0)))


def test_riesz_orders_must_fit_the_axes():
    with pytest.raises(UsageError, match="one an axis"):
        Riesz(orders=(1, 0, 0)).respond(picture(spacing=None))
    with pytest.raises(UsageError, match="one an axis"):
        Simoncelli(riesz=(1, 0)).respond(volume((1.0, 1.0, 1.0)))


def test_millimetres_are_refused_on_a_picture_of_unknown_pixels_and_voxels_are_not():
    unknown = picture(spacing=None)
    for filter_ in (LaplacianOfGaussian(sigma_mm=1), Gabor(sigma_mm=1, wavelength_mm=2)):
        with pytest.raises(GeometryError, match="pixel size is unknown"):
            filter_.respond(unknown)
    for filter_ in (Mean(support=3), Laws(kernels=("E5", "S5"), pooling="max"), Simoncelli()):
        assert np.isfinite(filter_.respond(unknown).data).all()


def test_a_map_keeps_grid_modality_and_caveats_and_only_a_mean_keeps_the_unit():
    caveat = Caveat(code="x", text="Known to be odd.")
    given = volume(caveats=(caveat,))
    mean = Mean(support=3).respond(given)
    assert (mean.unit, mean.modality, mean.caveats) == ("[hnsf'U]", "CT", (caveat,))
    assert mean.geometry == given.geometry
    assert LaplacianOfGaussian(sigma_mm=2).respond(given).unit == "1"


def test_energy_beyond_a_constant_edge_is_that_of_the_constant():
    flat = volume(data=np.full((6, 7, 5), 10.0))
    boundary = Boundary(beyond="constant", value=10.0)
    energy = Laws(kernels=("L3", "L3", "L3"), energy_radius=2, boundary=boundary).respond(flat).data
    np.testing.assert_allclose(energy, 10 * (4 / math.sqrt(6)) ** 3, rtol=1e-5)


def test_one_slice_is_filtered_as_a_volume():
    thin = Volume(
        data=np.ones((5, 6, 1)),
        geometry=Geometry.upright((5, 6, 1), spacing_mm=(1, 1, 1)),
        modality="CT",
        unit="1",
    )
    for filter_ in (
        Mean(support=3),
        Simoncelli(),
        Simoncelli(boundary=Boundary(beyond="periodic")),
    ):
        assert np.isfinite(filter_.respond(thin).data).all()
