"""Awkward geometry for laws: unequal sides and steps, oblique, off-centre, negative directions."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from onkos.core.geometry import Geometry


@st.composite
def geometries(draw: st.DrawFn, *, smallest: int = 3, largest: int = 14) -> Geometry:
    """Grids of three axes at any angle, some of them mirrored."""
    shape = tuple(draw(st.integers(smallest, largest)) for _ in range(3))
    spacing = [draw(st.floats(0.3, 5.0)) for _ in range(3)]
    origin = [draw(st.floats(-400.0, 400.0)) for _ in range(3)]
    angles = [draw(st.floats(-180.0, 180.0)) for _ in range(3)]
    mirror = np.diag([draw(st.sampled_from([-1.0, 1.0])) for _ in range(3)])
    turned = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ mirror
    return Geometry.upright(shape, spacing_mm=spacing, origin_mm=origin, directions=turned)
