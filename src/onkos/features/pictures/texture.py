"""Texture of a picture: HOG, local binary patterns, co-occurrence and Gabor filters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from skimage import feature, transform

from onkos.core.errors import UsageError
from onkos.core.geometry import AnyArray
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.pictures.picture import (
    Bools,
    Description,
    FloatArray,
    box,
    joined,
    numbered,
    picture_region,
)

MARGIN = 0.25  # of the lesion's sides, around it, where a picture is cropped to its mask


def gradients(
    picture: Volume,
    mask: Mask | None = None,
    *,
    cells: int = 8,
    orientations: int = 9,
    pixels: int = 16,
) -> Description:
    """Histogram of oriented gradients (HOG).

    The picture, or the mask's bounding box enlarged by a quarter of its sides, is resized to
    ``cells x cells`` cells of ``pixels x pixels`` pixels, so that the length is fixed; blocks of
    2 x 2 cells are normalised (L2-Hys). A picture without edges gives zeros, never NaN.

    References
    ----------
    Dalal N, Triggs B. Histograms of oriented gradients for human detection. CVPR 2005.
    doi:10.1109/CVPR.2005.177
    """
    if cells < 2 or orientations < 2 or pixels < 4:
        raise UsageError(
            f"cells {cells}, orientations {orientations}, pixels {pixels}: expected at least "
            "2, 2 and 4"
        )
    seen = picture_region(picture, mask)
    cut = seen.grey if mask is None else seen.grey[seen.widened(MARGIN)]
    side = cells * pixels
    scaled = transform.resize(cut, (side, side), order=1, anti_aliasing=max(cut.shape) > side)
    spread = float(np.ptp(scaled))
    level = np.round((scaled - scaled.min()) / spread, 9) if spread > 0 else scaled * 0
    histogram = feature.hog(
        level,  # without rounding, equal neighbours would have gradients of random direction
        orientations=orientations,
        pixels_per_cell=(pixels, pixels),
        cells_per_block=(2, 2),
        block_norm="L2-Hys",
    )
    return numbered("hog", histogram)


def binary_patterns(
    picture: Volume,
    mask: Mask | None = None,
    *,
    radii: Sequence[int] = (1, 2, 4),
    points: int = 8,
) -> Description:
    """Rotation-invariant uniform local binary patterns (LBP) at several radii.

    For each radius the frequencies of the ``points + 2`` patterns among the pixels inside, those
    nearer to the picture's edge than the radius left out. NaN where none is left. Invariant to
    brightness and gain.

    References
    ----------
    Ojala T et al. Multiresolution gray-scale and rotation invariant texture classification with
    local binary patterns. IEEE TPAMI 2002;24:971-987. doi:10.1109/TPAMI.2002.1017623
    """
    if not radii or min(radii) < 1 or points < 4:
        raise UsageError(f"radii {tuple(radii)}, points {points}: expected >= 1 pixel and >= 4")
    seen = picture_region(picture, mask)
    parts = []
    for radius in radii:
        codes = _uniform_patterns(seen.grey, radius, points)
        inner = (slice(radius, -radius),) * 2
        found = codes[seen.inside[inner]]
        counts = np.bincount(found, minlength=points + 2)
        shares = counts / len(found) if len(found) else np.full(points + 2, np.nan)
        parts.append(numbered(f"lbp-r{radius}", shares))
    return joined(parts)


def _uniform_patterns(grey: FloatArray, radius: int, points: int) -> NDArray[np.intp]:
    """Code of each pixel at least ``radius`` from the edge: ones in the ring, or points + 1."""
    tall, wide = (max(0, side - 2 * radius) for side in grey.shape)
    if not tall or not wide:
        return np.empty((tall, wide), dtype=np.intp)
    centre = grey[radius : radius + tall, radius : radius + wide]
    ring = np.empty((points, tall, wide), dtype=bool)
    level = np.abs(grey).max() * 1e-9  # differences below are rounding of the interpolation
    for point in range(points):
        angle = 2 * math.pi * point / points
        at = round(-radius * math.sin(angle), 6), round(radius * math.cos(angle), 6)
        ring[point] = _shifted(grey, at, radius, (tall, wide)) - centre >= -level
    ones = ring.sum(axis=0)
    changes = (ring != np.roll(ring, 1, axis=0)).sum(axis=0)
    return np.where(changes <= 2, ones, points + 1)


def _shifted(
    grey: FloatArray, at: tuple[float, float], radius: int, shape: tuple[int, int]
) -> FloatArray:
    """Values at an offset from each inner pixel, bilinear."""
    row, column = math.floor(at[0]), math.floor(at[1])
    down, right = at[0] - row, at[1] - column
    total = np.zeros(shape)
    for step, part in ((0, 1 - down), (1, down)):
        for side, share in ((0, 1 - right), (1, right)):
            if part * share:
                top, left = radius + row + step, radius + column + side
                total += part * share * grey[top : top + shape[0], left : left + shape[1]]
    return total


def cooccurrence(
    picture: Volume,
    mask: Mask | None = None,
    *,
    distances: Sequence[int] = (1, 2, 4),
    levels: int = 32,
) -> Description:
    """Haralick features of the grey level co-occurrence matrix: mean and range over directions.

    Grey values inside are discretised into equal bins over their range; for each distance there
    is one symmetric matrix per direction (four), of pairs inside. NaN where there is no pair at
    that distance; a region of one grey value has correlation 1 and information measures 0.

    References
    ----------
    Haralick RM et al. Textural features for image classification. IEEE Trans Syst Man Cybern
    1973;3:610-621. doi:10.1109/TSMC.1973.4309314
    """
    if not distances or min(distances) < 1 or levels < 2:
        raise UsageError(f"distances {tuple(distances)}, levels {levels}: expected >= 1 and >= 2")
    seen = picture_region(picture, mask)
    block = box(seen.inside)
    grey, inside = seen.grey[block], seen.inside[block]
    low, high = grey[inside].min(), grey[inside].max()
    scaled = (grey - low) / (high - low) * levels if high > low else np.zeros_like(grey)
    binned = scaled.clip(0, levels - 1).astype(np.intp)
    parts = []
    for distance in distances:
        turns = [
            haralick(_pairs(binned, inside, (down * distance, right * distance), levels))
            for down, right in ((0, 1), (1, 1), (1, 0), (1, -1))
        ]
        table = np.array([list(turn.values()) for turn in turns])
        known = ~np.isnan(table).any(axis=1)
        for name, column in zip(turns[0], table[known].T, strict=True):
            empty = not known.any()
            parts.append(
                Description.of(
                    {
                        f"glcm-d{distance}-{name}": math.nan if empty else float(column.mean()),
                        f"glcm-d{distance}-{name}-range": math.nan
                        if empty
                        else float(np.ptp(column)),
                    }
                )
            )
    return joined(parts)


def _pairs(
    binned: NDArray[np.intp], inside: Bools, step: tuple[int, int], levels: int
) -> FloatArray:
    """Symmetric probabilities of the greys of two pixels one step apart; zeros without pairs."""
    down, right = step
    tall, wide = (side - abs(s) for side, s in zip(binned.shape, step, strict=True))
    if tall <= 0 or wide <= 0:
        return np.zeros((levels, levels))
    left = max(0, -right)
    one = (slice(0, tall), slice(left, left + wide))
    other = (slice(down, down + tall), slice(left + right, left + right + wide))
    both = inside[one] & inside[other]
    index = binned[one][both] * levels + binned[other][both]
    counts = np.bincount(index, minlength=levels**2).reshape(levels, levels).astype(np.float64)
    counts += counts.T
    matrix: FloatArray = counts / max(counts.sum(), 1)
    return matrix


def haralick(matrix: FloatArray) -> dict[str, float]:
    """Haralick features of one symmetric co-occurrence matrix; all NaN if it is empty."""
    levels = len(matrix)
    i, j = np.indices(matrix.shape)
    edge = matrix.sum(axis=1)
    k = np.arange(levels)
    sums = np.bincount((i + j).ravel(), weights=matrix.ravel(), minlength=2 * levels - 1)
    gaps = np.bincount(np.abs(i - j).ravel(), weights=matrix.ravel(), minlength=levels)
    mean = float(edge @ k)
    variance = float(edge @ (k - mean) ** 2)
    entropy, edge_entropy = _entropy(matrix), _entropy(edge)
    crossed = 2 * edge_entropy  # entropy of the product of the edges, either way
    k2, centred = np.arange(2 * levels - 1), i + j - 2 * mean
    numbers = {
        "contrast": float(gaps @ k**2),
        "dissimilarity": float(gaps @ k),
        "homogeneity": float((matrix / (1 + (i - j) ** 2)).sum()),
        "energy": float((matrix**2).sum()),
        "entropy": entropy,
        "greatest": float(matrix.max()),
        "correlation": float((matrix * (i - mean) * (j - mean)).sum()) / variance
        if variance > 1e-12
        else 1.0,
        "variance": variance,
        "sum-mean": float(sums @ k2),
        "sum-variance": float(sums @ (k2 - 2 * mean) ** 2),
        "sum-entropy": _entropy(sums),
        "difference-variance": float(gaps @ k**2 - (gaps @ k) ** 2),
        "difference-entropy": _entropy(gaps),
        "information-1": (entropy - crossed) / edge_entropy if edge_entropy > 0 else 0.0,
        "information-2": math.sqrt(max(0.0, 1 - math.exp(-2 * (crossed - entropy)))),
        "shade": float((matrix * centred**3).sum()),
        "prominence": float((matrix * centred**4).sum()),
    }
    return numbers if matrix.any() else dict.fromkeys(numbers, math.nan)


def _entropy(shares: AnyArray) -> float:
    """In nats."""
    held = shares[shares > 0]
    return float(-(held * np.log(held)).sum()) + 0.0


def waves(
    picture: Volume,
    mask: Mask | None = None,
    *,
    wavelengths: Sequence[float] = (4.0, 8.0, 16.0, 32.0),
    orientations: int = 6,
) -> Description:
    """Gabor features: mean and standard deviation inside of the magnitude of filter responses.

    Filters of one octave bandwidth, defined in Fourier space as in the reference; wavelengths in
    pixels; the picture is mirrored at its edges. Grey values are first standardised by mean and
    standard deviation inside, so the result does not depend on brightness and gain; a region of
    one grey value gives the unscaled response to its surroundings.

    References
    ----------
    Manjunath BS, Ma WY. Texture features for browsing and retrieval of image data. IEEE TPAMI
    1996;18:837-842. doi:10.1109/34.531803
    """
    if not wavelengths or min(wavelengths) < 2 or orientations < 1:
        raise UsageError(
            f"wavelengths {tuple(wavelengths)}, orientations {orientations}: expected >= 2 pixels "
            "and at least one"
        )
    seen = picture_region(picture, mask)
    inside = seen.grey[seen.inside]
    grey = (seen.grey - inside.mean()) / (inside.std() or 1.0)
    tall, wide = grey.shape
    mirrored = np.pad(grey, ((0, tall), (0, wide)), mode="symmetric")
    spectrum = fft.fft2(mirrored)
    v, u = (fft.fftfreq(side) for side in mirrored.shape)
    numbers: dict[str, float] = {}
    for wavelength in wavelengths:
        for turn in range(orientations):
            angle = math.pi * turn / orientations
            along = u[None, :] * math.cos(angle) + v[:, None] * math.sin(angle)
            across = v[:, None] * math.cos(angle) - u[None, :] * math.sin(angle)
            spread = 0.28 / wavelength  # half the response at the ends of one octave
            shape = np.exp(-((along - 1 / wavelength) ** 2 + across**2) / (2 * spread**2))
            answer = np.abs(fft.ifft2(spectrum * shape)[:tall, :wide])[seen.inside]
            name = f"gabor-w{wavelength:g}-o{turn}"
            numbers |= {f"{name}-mean": float(answer.mean()), f"{name}-sd": float(answer.std())}
    return Description.of(numbers)
