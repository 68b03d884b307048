"""Size and shape of a lesion in space."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes

from onkos.core.geometry import AnyArray, FloatArray, Geometry

SMALLEST = 8  # voxels: fewer have a volume but no shape


def morphology(inside: AnyArray, geometry: Geometry) -> dict[str, float]:
    """Size in ml and mm; sphericity, compactness and the like without unit.

    The surface is the triangles through the middle between voxels in and out, in millimetres on
    any grid. Shapes are NaN under 8 voxels, hulls also where all voxels lie in one plane.

    - ``sphericity``: surface of a ball of that volume over the surface; ``compactness``: its
      third power;
    - ``elongation``, ``flatness``: second and third axis of the ellipsoid of the same moments
      over the first;
    - ``solidity``: volume over that of the convex hull, lower when lobulated or spiculated;
    - ``roughness``: standard deviation over mean of the surface's distances from the middle.
    """
    count = int(inside.sum())
    volume_mm3 = count * geometry.voxel_ml * 1000
    names = ("sphericity", "compactness", "elongation", "flatness", "solidity", "roughness")
    numbers = {
        "volume-ml": volume_mm3 / 1000,
        "diameter-mm": 2 * (3 * volume_mm3 / (4 * math.pi)) ** (1 / 3),
        "longest-mm": math.nan,
        "surface-mm2": math.nan,
        **dict.fromkeys(names, math.nan),
    }
    if count < SMALLEST:
        return numbers
    vertices, faces = _surface(inside, geometry)
    triangles = vertices[faces]
    crosses = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    surface = float(np.linalg.norm(crosses, axis=1).sum()) / 2
    within = abs(float((triangles[:, 0] * crosses).sum())) / 6
    places = geometry.to_mm(np.argwhere(inside))
    moments = np.cov(places.T, bias=True) + geometry.axes_mm @ geometry.axes_mm.T / 12
    axes = np.sqrt(np.linalg.eigvalsh(moments))
    reach = np.linalg.norm(vertices - places.mean(axis=0), axis=1)
    sphericity = math.pi ** (1 / 3) * (6 * within) ** (2 / 3) / surface
    numbers |= {
        "surface-mm2": surface,
        "sphericity": sphericity,
        "compactness": sphericity**3,
        "elongation": float(axes[1] / axes[2]),
        "flatness": float(axes[0] / axes[2]),
        "roughness": float(reach.std() / reach.mean()),
    }
    try:
        hull = ConvexHull(vertices)
    except QhullError:
        return numbers
    return numbers | {
        "longest-mm": float(pdist(vertices[hull.vertices]).max()),
        "solidity": within / float(hull.volume),
    }


def _surface(inside: AnyArray, geometry: Geometry) -> tuple[FloatArray, AnyArray]:
    """Vertices in mm, about the first of them, and triangles."""
    vertices, faces, _, _ = marching_cubes(np.pad(inside, 1).astype(np.float32), 0.5)
    return geometry.to_mm(vertices.astype(np.float64) - 1), faces
