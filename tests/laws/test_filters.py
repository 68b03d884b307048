"""What holds for the convolutional filters on any image, whatever its sides and boundary."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from awkward import geometries
from onkos.core.geometry import Geometry
from onkos.core.volume import Volume
from onkos.features.filters import (
    MIRROR,
    Boundary,
    Filter,
    Gabor,
    LaplacianOfGaussian,
    Laws,
    Mean,
    Riesz,
    Simoncelli,
    Wavelet,
    riesz_orders,
)
from onkos.features.filters.separable import Taps, convolve_axes
from onkos.features.filters.turns import orientations

FEW = settings(max_examples=25)
PERIODIC = Boundary(beyond="periodic")
SEEDS = st.integers(0, 2**32 - 1)
PADS = {"nearest": "edge", "mirror": "symmetric", "periodic": "wrap"}


@st.composite
def boundaries(draw: st.DrawFn) -> Boundary:
    beyond = draw(st.sampled_from(["constant", "nearest", "mirror", "periodic"]))
    value = draw(st.sampled_from([0.0, -3.5, 40.0])) if beyond == "constant" else 0.0
    return Boundary(beyond=beyond, value=value)


def noise(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def cube(data: np.ndarray, *, step_mm: float = 1.0) -> Volume:
    grid = Geometry.upright(data.shape, spacing_mm=(step_mm,) * 3, origin_mm=(7.0, -30.0, 2.0))
    return Volume(data=data, geometry=grid, modality="CT", unit="[hnsf'U]")


def padded(data: np.ndarray, width: int, boundary: Boundary) -> np.ndarray:
    if boundary.beyond == "constant":
        return np.pad(data, width, constant_values=boundary.value)
    return np.pad(data, width, mode=PADS[boundary.beyond])


def whole(data: np.ndarray, kernel: np.ndarray, boundary: Boundary) -> np.ndarray:
    """Plain convolution with a whole kernel of odd sides on the extended image."""
    width = max(1, max(kernel.shape) // 2)
    full = ndimage.convolve(padded(data.astype(np.float64), width, boundary), kernel)
    return full[(slice(width, -width),) * data.ndim]


@FEW
@given(st.tuples(*[st.integers(1, 9)] * 3), SEEDS, boundaries())
def test_axis_by_axis_is_the_convolution_with_the_product(shape, seed, boundary):
    rng = np.random.default_rng(seed)
    data = noise(shape, seed)
    sides = rng.choice([1, 3, 5, 7], size=3)
    kernels = [rng.normal(size=side) for side in sides]
    product_ = np.einsum("i,j,k->ijk", *kernels)
    ours = convolve_axes(
        data, [Taps.centred(k.tolist()) for k in kernels], axes=(0, 1, 2), boundary=boundary
    )
    expected = whole(data, product_, boundary)
    np.testing.assert_allclose(ours, expected, atol=1e-4 * (1 + np.abs(expected).max()))


@FEW
@given(st.tuples(*[st.integers(3, 9)] * 3), SEEDS, boundaries())
def test_the_laplacian_of_gaussian_is_that_of_its_formula(shape, seed, boundary):
    data = noise(shape, seed)
    filter_ = LaplacianOfGaussian(sigma_mm=1.8, cutoff=3.0, boundary=boundary)
    ours = filter_.respond(cube(data, step_mm=1.5)).data
    sigma, half = 1.2, math.floor(3.6 + 0.5)
    square = sum(k**2 for k in np.mgrid[[slice(-half, half + 1)] * 3])
    kernel = (square / sigma**2 - 3) / sigma**2 * np.exp(-square / (2 * sigma**2))
    expected = whole(data, kernel / (math.sqrt(2 * math.pi) * sigma) ** 3, boundary)
    np.testing.assert_allclose(ours, expected, atol=1e-4 * (1 + abs(boundary.value)))


@FEW
@given(st.floats(-1000, 1000), boundaries())
def test_a_constant_image_stays_itself_or_vanishes(value, boundary):
    if boundary.beyond == "constant":
        boundary = Boundary(beyond="constant", value=value)
    volume = cube(np.full((9, 12, 10), value, dtype=np.float32))
    size = 1e-5 * (abs(value) + 1e-3)
    mean = Mean(support=5, boundary=boundary).respond(volume).data
    np.testing.assert_allclose(mean, value, atol=size)
    nothing: list[Filter] = [
        Laws(kernels=("E5", "L5", "S3"), boundary=boundary),
        Laws(kernels=("L5", "R5"), pooling="max", energy_radius=2, boundary=boundary),
        Wavelet(family="db2", band="LHL", level=2, pooling="mean", boundary=boundary),
        Simoncelli(level=1, boundary=boundary, sampling="dft"),
        Simoncelli(level=1, riesz=(1, 0, 1), boundary=boundary, sampling="dft"),
        Riesz(orders=(1, 0, 0), boundary=boundary),
    ]
    for filter_ in nothing:
        np.testing.assert_allclose(filter_.respond(volume).data, 0, atol=20 * size)


POOLED: list[Filter] = [
    Mean(support=3),
    LaplacianOfGaussian(sigma_mm=1.5),
    Laws(kernels=("E5", "L5", "S5"), pooling="max"),
    Laws(kernels=("E3", "W5", "R5"), pooling="min", energy_radius=1),
    Wavelet(family="db2", band="LHL", pooling="mean"),
    Wavelet(family="haar", band="HHL", level=2, pooling="max"),
    Wavelet(family="coif1", band="HLL", pooling="max", boundary=Boundary(beyond="nearest")),
    Simoncelli(level=2, boundary=PERIODIC, sampling="dft"),
    Gabor(sigma_mm=1.0, wavelength_mm=2.0, angle_step=math.pi / 4, all_planes=True),
]


@pytest.mark.parametrize("filter_", POOLED, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("plane", [(0, 1), (1, 2), (2, 0)])
def test_what_counts_directions_alike_turns_with_the_image(filter_, plane):
    data = noise((10, 13, 8), 5)
    turned = filter_.respond(cube(np.rot90(data, axes=plane))).data
    expected = np.rot90(filter_.respond(cube(data)).data, axes=plane)
    np.testing.assert_allclose(turned, expected, atol=2e-5)


def test_one_orientation_alone_does_not_turn_with_the_image():
    data = noise((10, 10, 10), 5)
    filter_ = Laws(kernels=("E5", "L5", "S5"))
    turned = filter_.respond(cube(np.rot90(data))).data
    assert np.abs(turned - np.rot90(filter_.respond(cube(data)).data)).max() > 0.1


@pytest.mark.parametrize("dimensions", [2, 3])
def test_orientations_are_the_proper_rotations(dimensions):
    matrices = set()
    for turn in orientations(dimensions):
        matrix = np.zeros((dimensions, dimensions))
        for axis, (number, flip) in enumerate(turn):
            matrix[axis, number] = -1 if flip else 1
        assert np.linalg.det(matrix) == pytest.approx(1)
        matrices.add(matrix.tobytes())
    assert len(matrices) == {2: 4, 3: 24}[dimensions]


@pytest.mark.parametrize("pooling", ["max", "mean", "min"])
def test_pooling_is_over_all_24_turned_kernels(pooling):
    data, names = noise((7, 6, 8), 3), ("E5", "S3", "L5")
    ours = Laws(kernels=names, pooling=pooling).respond(cube(data)).data
    kernels = [
        np.array([0, -1, 0, 1, 0]) * 0.0,
        np.array([0, -1, 2, -1, 0]) / math.sqrt(6),
        np.array([1, 4, 6, 4, 1]) / math.sqrt(70),
    ]
    kernels[0] = np.array([-1, -2, 0, 2, 1]) / math.sqrt(10)
    product_ = np.einsum("i,j,k->ijk", *kernels)
    maps = []
    for turn in orientations(3):
        turned = product_.transpose([number for number, _ in turn])
        flipped = np.flip(turned, [axis for axis, (_, flip) in enumerate(turn) if flip])
        maps.append(whole(data, flipped, MIRROR))
    expected = {"max": np.max, "mean": np.mean, "min": np.min}[pooling](maps, axis=0)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


@FEW
@given(SEEDS, st.tuples(*[st.integers(16, 24)] * 3))
def test_the_levels_of_simoncelli_hold_the_energy_between_them(seed, shape):
    spectrum = np.fft.fftn(noise(shape, seed).astype(np.float64))
    radius = np.sqrt(
        sum(f**2 for f in np.meshgrid(*[2 * np.fft.fftfreq(n) for n in shape], indexing="ij"))
    )
    spectrum[(radius >= 0.5) | (radius <= 0.125)] = 0  # where two of three levels overlap
    image = np.fft.ifftn(spectrum).real.astype(np.float32)
    energy = sum(
        float(
            (
                Simoncelli(level=level, boundary=PERIODIC, sampling="dft").respond(cube(image)).data
                ** 2
            ).sum()
        )
        for level in (1, 2, 3)
    )
    assert energy == pytest.approx(float((image**2).sum()), rel=1e-4)


@FEW
@given(SEEDS, st.integers(1, 3), st.sampled_from([2, 3]))
def test_riesz_transforms_of_one_order_hold_the_energy(seed, total, dimensions):
    image = noise((15, 11, 9), seed)  # odd sides have no Nyquist frequency
    axes = tuple(range(dimensions))
    centred = image - image.mean(axis=axes, keepdims=True)
    energy = sum(
        float((Riesz(orders=orders, boundary=PERIODIC).respond(cube(image)).data ** 2).sum())
        for orders in riesz_orders(total, dimensions=dimensions)
    )
    assert energy == pytest.approx(float((centred**2).sum()), rel=1e-4)


@pytest.mark.parametrize("sampling", ["ibsi", "dft"])
def test_simoncelli_with_riesz_is_one_after_the_other_without_nyquist(sampling):
    image = cube(noise((16, 12, 14), 1))
    together = Simoncelli(level=1, riesz=(0, 1, 0), boundary=PERIODIC, sampling="dft")
    one = Simoncelli(level=1, boundary=PERIODIC, sampling="dft").respond(image)
    after = Riesz(orders=(0, 1, 0), boundary=PERIODIC).respond(one).data
    np.testing.assert_allclose(together.respond(image).data, after, atol=1e-5)
    other = Simoncelli(level=1, riesz=(0, 1, 0), boundary=PERIODIC, sampling=sampling)
    agree = np.corrcoef(other.respond(image).data.ravel(), after.ravel())[0, 1]
    assert agree > (0.999999 if sampling == "dft" else 0.9)


def test_further_extension_hardly_changes_a_simoncelli_map():
    image = noise((20, 24, 22), 4)
    inner = Simoncelli(level=1, boundary=MIRROR, sampling="dft").respond(cube(image)).data
    wide = cube(np.pad(image, 40, mode="symmetric"))
    far = (
        Simoncelli(level=1, boundary=MIRROR, sampling="dft")
        .respond(wide)
        .data[40:-40, 40:-40, 40:-40]
    )
    assert np.abs(inner - far).max() < 0.01 * np.ptp(far)


IN_MM: list[Filter] = [
    LaplacianOfGaussian(sigma_mm=2.0),
    Gabor(sigma_mm=2.0, wavelength_mm=3.0, angle=0.4, aspect=0.7, all_planes=True),
]


@pytest.mark.parametrize("filter_", IN_MM, ids=["log", "gabor"])
@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_sizes_in_millimetres_grow_with_the_voxels(filter_, factor):
    data = noise((9, 10, 8), 2)
    sizes = {
        name: getattr(filter_, name) * factor
        for name in ("sigma_mm", "wavelength_mm")
        if hasattr(filter_, name)
    }
    larger = type(filter_)(
        **{name: getattr(filter_, name) for name in filter_.__dataclass_fields__} | sizes
    )
    small = filter_.respond(cube(data, step_mm=0.8)).data
    large = larger.respond(cube(data, step_mm=0.8 * factor)).data
    np.testing.assert_allclose(large, small, atol=1e-6)


@FEW
@given(geometries())
def test_the_same_blob_answers_alike_on_any_grid(geometry):
    """In a Gaussian blob the Laplacian of Gaussian at its centre is known in closed form."""
    steps = np.array(geometry.spacing_mm)
    sigma, width = 1.4 * steps.max(), 1.0 * steps.max()
    half = np.ceil(5 * sigma / steps).astype(int)
    shape = tuple(2 * half + 1)
    grid = Geometry.upright(shape, spacing_mm=steps, directions=geometry.directions)
    axes = np.ogrid[tuple(slice(-h, h + 1) for h in half)]
    square = sum((k * step) ** 2 for k, step in zip(axes, steps, strict=True))
    blob = np.exp(-square / (2 * sigma**2)).astype(np.float32)
    volume = Volume(data=blob, geometry=grid, modality="CT", unit="1")
    ours = LaplacianOfGaussian(sigma_mm=width).respond(volume).data[tuple(half)]
    expected = -3 * np.prod(steps) ** (2 / 3) * sigma**3 / (sigma**2 + width**2) ** 2.5
    assert ours == pytest.approx(expected, rel=0.01)


EACH: list[Filter] = [*POOLED, Riesz(orders=(0, 2, 1)), Simoncelli(riesz=(1, 0), slicewise=True)]


@pytest.mark.parametrize("filter_", EACH, ids=lambda one: type(one).__name__)
def test_filters_are_linear_or_homogeneous_and_threads_change_nothing(filter_):
    data = noise((11, 9, 10), 8)
    once = filter_.respond(cube(data))
    np.testing.assert_array_equal(filter_.respond(cube(data), threads=2).data, once.data)
    np.testing.assert_allclose(filter_.respond(cube(data * 4)).data, once.data * 4, atol=1e-4)
    assert once.data.dtype == np.float32
    assert once.geometry == cube(data).geometry


SLICEWISE: list[Filter] = [
    Mean(support=3, slicewise=True),
    LaplacianOfGaussian(sigma_mm=1.5, slicewise=True),
    Laws(kernels=("E5", "S5"), pooling="max", energy_radius=1),
    Wavelet(family="db2", band="HL", pooling="mean"),
    Gabor(sigma_mm=1.5, wavelength_mm=2.0, angle=0.3),
    Simoncelli(slicewise=True),
    Riesz(orders=(1, 1)),
]


@pytest.mark.parametrize("filter_", SLICEWISE, ids=lambda one: type(one).__name__)
def test_slice_by_slice_is_each_slice_as_a_picture(filter_):
    data = noise((11, 9, 4), 8)
    volume = filter_.respond(cube(data)).data
    for k in range(4):
        grid = Geometry.picture((11, 9), spacing_mm=(1.0, 1.0))
        picture = Volume(data=data[..., k], geometry=grid, modality="US", unit="1")
        np.testing.assert_allclose(filter_.respond(picture).data, volume[..., k], atol=1e-5)


def test_a_wave_and_its_opposite_have_one_modulus():
    data = cube(noise((12, 9, 7), 1))
    one, other = (
        Gabor(sigma_mm=2, wavelength_mm=3, aspect=0.6, angle=angle).respond(data).data
        for angle in (0.5, 0.5 + math.pi)
    )
    np.testing.assert_allclose(one, other, atol=1e-5)
    turned = Gabor(sigma_mm=2, wavelength_mm=3, aspect=0.6, angle_step=math.pi / 3)
    all_six = [
        Gabor(sigma_mm=2, wavelength_mm=3, aspect=0.6, angle=k * math.pi / 3).respond(data).data
        for k in range(6)
    ]
    np.testing.assert_allclose(turned.respond(data).data, np.mean(all_six, axis=0), atol=1e-5)


def test_every_boundary_finds_its_places():
    for beyond, side, before, after in product(PADS, (1, 2, 5), (0, 7), (0, 11)):
        line = np.arange(side)
        places = Boundary(beyond=beyond).places(side, before, after)
        np.testing.assert_array_equal(places, np.pad(line, (before, after), mode=PADS[beyond]))
