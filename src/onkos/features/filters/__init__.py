"""Convolutional filters of IBSI 2: a volume in, its response map out on the same grid.

Each filter is a value that holds its settings and has ``respond(volume, threads=...)``. Sizes are
in millimetres where IBSI has them so (Laplacian of Gaussian, Gabor), else in voxels. Maps are
float32; whole images are held a few times over, never once an orientation.
"""

from __future__ import annotations

from onkos.features.filters.boundary import MIRROR, ZERO, Boundary
from onkos.features.filters.gabor import Gabor
from onkos.features.filters.laws import Laws
from onkos.features.filters.log import LaplacianOfGaussian
from onkos.features.filters.mean import Mean
from onkos.features.filters.simoncelli import Riesz, Simoncelli, riesz_orders
from onkos.features.filters.turns import Pooling
from onkos.features.filters.wavelets import Wavelet

Filter = Mean | LaplacianOfGaussian | Laws | Gabor | Wavelet | Simoncelli | Riesz

__all__ = [
    "MIRROR",
    "ZERO",
    "Boundary",
    "Filter",
    "Gabor",
    "LaplacianOfGaussian",
    "Laws",
    "Mean",
    "Pooling",
    "Riesz",
    "Simoncelli",
    "Wavelet",
    "riesz_orders",
]
