"""Shape and orientation of an outlined lesion in a picture."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage import measure

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray
from onkos.features.pictures.picture import Bools, Description, FloatArray, PictureRegion

POINTS = 360  # of the outline
STAIRCASE = 2.0  # pixels: Gaussian along the outline
DENT = 0.05  # a depression counts from this part of the equivalent radius
CORNER_DEG = 50.0  # an outline that turns more than this within CORNER_ARC is angular there
CORNER_ARC = 0.35  # of the equivalent radius
FINE = 5  # ripples around the outline, from which on they are fine
SMALLEST = 12  # pixels: fewer have no shape


def outline(inside: Bools, steps: tuple[float, float]) -> FloatArray:
    """Closed outline of the largest component: (360, 2) equidistant points (right, down).

    The pixel staircase is smoothed by a Gaussian of two pixels along the outline; the points
    run clockwise (right, down, left).

    Raises
    ------
    ContentError
        If the largest component has fewer than 12 pixels.
    """
    piece = largest(inside)
    if piece.sum() < SMALLEST:
        raise ContentError(
            f"the outlined lesion has {int(piece.sum())} pixels; expected at least {SMALLEST} to "
            "have a shape, use a picture of higher resolution"
        )
    found = measure.find_contours(np.pad(piece, 1).astype(np.float64), 0.5)
    rows, columns = (max(found, key=len)[:-1] - 1).T
    points = np.column_stack([columns * steps[1], rows * steps[0]])
    if area(points) < 0:
        points = points[::-1]
    points = _even(points, POINTS)
    pixel = math.sqrt(steps[0] * steps[1]) * POINTS / perimeter(points)  # in points
    return ndimage.gaussian_filter1d(points, STAIRCASE * pixel, axis=0, mode="wrap")


def largest(inside: Bools) -> Bools:
    """Largest component (4 neighbours), holes filled."""
    labels, count = ndimage.label(inside)
    sizes = np.bincount(labels.ravel())[1:]
    piece: Bools = ndimage.binary_fill_holes(labels == sizes.argmax() + 1) if count else inside
    return piece


def area(points: FloatArray) -> float:
    """Area within a closed outline; positive when it runs clockwise."""
    x, y = points.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def perimeter(points: FloatArray) -> float:
    """Length of a closed outline."""
    return float(np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1).sum())


def shape(lesion: PictureRegion) -> Description:
    """Shape of the outline: size, circularity, smoothness, lobulation and orientation.

    Sizes are in millimetres where the pixel size is known, else in pixels, as their names say.
    All others are dimensionless and do not depend on scale. None is ever NaN.

    References
    ----------
    Chen CM et al. Breast lesions on sonograms: computer-aided diagnosis with nearly
    setting-independent features and artificial neural networks. Radiology 2003;226:504-514.
    doi:10.1148/radiol.2262011843
    Kilday J et al. Classifying mammographic lesions using computerized image analysis. IEEE Trans
    Med Imaging 1993;12:664-669. doi:10.1109/42.251116
    """
    unit, steps = ("px", (1.0, 1.0)) if lesion.spacing_mm is None else ("mm", lesion.spacing_mm)
    points = outline(lesion.inside, steps)
    covered, around = area(points), perimeter(points)
    hull = ConvexHull(points)
    width, depth = np.ptp(points, axis=0)
    long, short, angle = _axes(lesion.inside, steps)
    radius = math.sqrt(covered / math.pi)
    depths = dents(points, hull.vertices)
    ellipse = _ellipse_perimeter(long / 2, short / 2)
    numbers = {
        f"shape-area-{unit}2": covered,
        f"shape-width-{unit}": float(width),
        f"shape-depth-{unit}": float(depth),
        "shape-depth-to-width": float(depth / width),
        "shape-long-to-short": long / short,
        "shape-circularity": 4 * math.pi * covered / around**2,
        "shape-solidity": covered / hull.volume,  # in a plane SciPy's volume is the area
        "shape-convexity": hull.area / around,  # and its area the perimeter
        "shape-extent": covered / float(width * depth),
        "shape-ellipse-ratio": around / ellipse,
        "shape-lobulations": float((depths > DENT * radius).sum()),
        "shape-deepest-dent": float(depths.max(initial=0.0)) / radius,
        "shape-corners": float(corners(points, radius)),
        "orientation-angle-deg": angle,
        "orientation-parallel": float(angle < 45.0),
    }
    return Description.of(numbers | _radial(points))


def dents(points: FloatArray, vertices: AnyArray) -> FloatArray:
    """Maximum depth of the outline below each edge of its convex hull."""
    order = np.sort(vertices)
    found = []
    for start, stop in zip(order, np.append(order[1:], order[0] + len(points)), strict=True):
        between = points[np.arange(start, stop + 1) % len(points)]
        chord = between[-1] - between[0]
        away = between - between[0]
        length = max(float(np.linalg.norm(chord)), 1e-12)
        found.append(np.abs(chord[0] * away[:, 1] - chord[1] * away[:, 0]).max() / length)
    return np.array(found)


def corners(points: FloatArray, radius: float) -> int:
    """Number of sharp convex corners: angular margin."""
    step = max(1, round(CORNER_ARC * radius / perimeter(points) * len(points) / 2))
    before, after = points - np.roll(points, step, axis=0), np.roll(points, -step, axis=0) - points
    turn = np.degrees(
        np.arctan2(
            before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(axis=1)
        )
    )
    sharp = turn > CORNER_DEG
    return int((sharp & ~np.roll(sharp, 1)).sum())


def _radial(points: FloatArray) -> dict[str, float]:
    """Kilday's normalised radial length: distances from the centroid over their maximum."""
    middle = _centroid(points)
    lengths = np.linalg.norm(points - middle, axis=1)
    lengths = lengths / lengths.max()
    shares = np.histogram(lengths, bins=20, range=(0, 1))[0] / len(lengths)
    held = shares[shares > 0]
    above = lengths > lengths.mean()
    waves = np.abs(np.fft.rfft(lengths)) / len(lengths)
    return {
        "shape-radial-mean": float(lengths.mean()),
        "shape-radial-sd": float(lengths.std()),
        "shape-radial-entropy": float(-(held * np.log(held)).sum()) + 0.0,
        "shape-radial-crossings": float((above != np.roll(above, 1)).sum()),
        "shape-radial-roughness": float(np.abs(np.diff(lengths, append=lengths[:1])).mean()),
        "shape-radial-fine": float(np.sqrt((waves[FINE:] ** 2).sum())),
    }


def _centroid(points: FloatArray) -> FloatArray:
    """Centroid of the area within the outline."""
    x, y = points.T
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    sums = [((part + np.roll(part, -1)) * cross).sum() for part in (x, y)]
    middle: FloatArray = np.array(sums) / (3 * cross.sum())
    return middle


def _axes(inside: Bools, steps: tuple[float, float]) -> tuple[float, float, float]:
    """Axes of the ellipse of equal moments, and the angle of the long one to the horizontal."""
    places = np.argwhere(largest(inside)) * steps
    moments = np.cov(places[:, ::-1].T, bias=True) + np.diag([steps[1] ** 2, steps[0] ** 2]) / 12
    values, vectors = np.linalg.eigh(moments)
    short, long = 4 * np.sqrt(values)
    right, down = vectors[:, 1]
    return float(long), float(short), math.degrees(math.atan2(abs(down), abs(right)))


def _ellipse_perimeter(a: float, b: float) -> float:
    """Ramanujan's second approximation."""
    h = ((a - b) / (a + b)) ** 2
    return math.pi * (a + b) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))


def _even(points: FloatArray, count: int) -> FloatArray:
    """Equidistant points of a closed outline."""
    closed = np.vstack([points, points[:1]])
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(closed, axis=0), axis=1).cumsum()])
    at = np.linspace(0, along[-1], count, endpoint=False)
    return np.column_stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)])
