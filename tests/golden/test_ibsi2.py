"""Response maps of IBSI 2, phase 1: 30 of 30 within 1 % of the reference's range at every voxel.

References
----------
Whybra P et al. The Image Biomarker Standardization Initiative: standardized convolutional filters
for reproducible radiomics and enhanced clinical insights. Radiology 2024;310:e231319.
doi:10.1148/radiol.231319
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from onkos.features.filters import (
    ZERO,
    Boundary,
    Filter,
    Gabor,
    LaplacianOfGaussian,
    Laws,
    Mean,
    Simoncelli,
    Wavelet,
)
from onkos.io import nifti

NEAREST, PERIODIC, MIRROR = (
    Boundary(beyond="nearest"),
    Boundary(beyond="periodic"),
    Boundary(beyond="mirror"),
)
TOLERANCE = 0.01  # of the range of the reference map, at every voxel


def laws(kernels: tuple[str, ...], boundary: Boundary) -> list[Filter]:
    return [
        Laws(kernels=kernels, boundary=boundary),
        Laws(kernels=kernels, pooling="max", boundary=boundary),
        Laws(kernels=kernels, pooling="max", energy_radius=7, boundary=boundary),
    ]


def gabor(sizes: tuple[float, float, float], boundary: Boundary, turn: tuple[float, float]):
    sigma, wavelength, aspect = sizes
    angle, step = turn
    one = {"sigma_mm": sigma, "wavelength_mm": wavelength, "aspect": aspect}
    return [
        Gabor(**one, angle=angle, boundary=boundary),
        Gabor(**one, angle_step=step, all_planes=True, boundary=boundary),
    ]


def wavelet(family: str, band: str, boundary: Boundary) -> list[Filter]:
    return [
        Wavelet(family=family, band=band, boundary=boundary),
        Wavelet(family=family, band=band, pooling="mean", boundary=boundary),
    ]


def settings() -> dict[str, Filter]:
    """Filter of each test, as the IBSI reference manual sets them."""
    pi = math.pi
    laws_a = laws(("E5", "L5", "S5"), ZERO)
    laws_b = laws(("E3", "W5", "R5"), MIRROR)
    laws_c = laws(("L5", "S5"), MIRROR)
    gabor_a = gabor((10.0, 4.0, 0.5), ZERO, (pi / 3, pi / 4))
    gabor_b = gabor((20.0, 8.0, 2.5), MIRROR, (5 * pi / 4, pi / 8))
    db2, coif1 = wavelet("db2", "LHL", ZERO), wavelet("coif1", "HHL", PERIODIC)
    made = {
        f"1A{n}": Mean(support=15, boundary=boundary)
        for n, boundary in enumerate((ZERO, NEAREST, PERIODIC, MIRROR), start=1)
    }
    made |= {
        "1B1": Mean(support=15, slicewise=True, boundary=ZERO),
        "2A": LaplacianOfGaussian(sigma_mm=3.0, boundary=ZERO),
        "2B": LaplacianOfGaussian(sigma_mm=5.0, boundary=MIRROR),
        "2C": LaplacianOfGaussian(sigma_mm=5.0, slicewise=True, boundary=MIRROR),
        **{f"3A{n}": one for n, one in enumerate(laws_a, start=1)},
        **{f"3B{n}": one for n, one in enumerate(laws_b, start=1)},
        **{f"3C{n}": one for n, one in enumerate(laws_c, start=1)},
        **{f"4A{n}": one for n, one in enumerate(gabor_a, start=1)},
        **{f"4B{n}": one for n, one in enumerate(gabor_b, start=1)},
        **{f"5A{n}": one for n, one in enumerate(db2, start=1)},
        **{f"6A{n}": one for n, one in enumerate(coif1, start=1)},
        "7A1": Wavelet(family="haar", band="LLL", level=2, pooling="mean", boundary=MIRROR),
        "7A2": Wavelet(family="haar", band="HHH", level=2, pooling="mean", boundary=MIRROR),
        **{f"8A{n}": Simoncelli(level=n, boundary=PERIODIC) for n in (1, 2, 3)},
    }
    return made


def rows(data_dir: Path) -> list[tuple[str, float, float, float]]:
    """One a map: its name, our largest difference as part of its range, 0, the tolerance."""
    folder = data_dir / "ibsi-reference"
    maps = {
        path.name.split("_CT_")[1].split("_")[0]: path
        for path in sorted((folder / "ibsi_2_reference_response_maps").glob("*.nii.gz"))
    }
    filters = settings()
    assert sorted(maps) == sorted(filters)
    compared = []
    for test, path in maps.items():
        phantom = path.name.split("_CT_")[0].split("_")[-1]
        volume = nifti.read(folder / "ibsi_2_digital_phantom" / f"{phantom}.nii.gz")
        expected = np.asarray(nifti.read(path).data, dtype=np.float64)
        ours = filters[test].respond(volume, threads=2).data
        worst = float(np.abs(ours - expected).max() / np.ptp(expected))
        compared.append((f"{test} {phantom}", worst, 0.0, TOLERANCE))
    return compared


@pytest.mark.data
def test_every_response_map_agrees_with_the_reference(data_dir):
    compared = rows(data_dir)
    assert len(compared) == 30
    for name, ours, reference, tolerance in compared:
        assert abs(ours - reference) <= tolerance, name
