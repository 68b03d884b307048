"""Distances between the surfaces of an outline and its reference, in millimetres."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import AnyArray, FloatArray, Geometry
from onkos.core.mask import Mask
from onkos.stats.elements import Indices, boundary_voxels, surfels
from onkos.stats.nearest import nearest_mm
from onkos.stats.overlap import region

Surface = Literal["voxels", "surfels"]
ROUNDING = 1 + 1e-9  # a distance that equals the tolerance but for rounding is within it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurfaceDistances:
    """Distances between two surfaces, in both directions; every metric is read from here.

    Nothing is ever NaN: two empty regions agree perfectly (0 mm, surface Dice 1); if only one
    of them is empty, each distance is ``miss_mm`` and the surface Dice is 0.

    Parameters
    ----------
    to_truth_mm, to_prediction_mm
        From each element of the prediction's surface to the nearest of the truth's, and back.
    prediction_areas, truth_areas
        Weight of each element: 1 for boundary voxels, mm^2 (mm in 2-D) for surfels.
    surface
        What the elements are, see :func:`surface_distances`.
    miss_mm
        What it costs when one of the two is empty.
    missed
        True when the truth has this tissue and no voxel of it was found.
    """

    to_truth_mm: FloatArray
    to_prediction_mm: FloatArray
    prediction_areas: FloatArray
    truth_areas: FloatArray
    surface: Surface
    miss_mm: float
    missed: bool

    @property
    def empty(self) -> Literal["neither", "prediction", "truth", "both"]:
        """Which of the two regions has no voxel."""
        if not self.prediction_areas.size:
            return "prediction" if self.truth_areas.size else "both"
        return "neither" if self.truth_areas.size else "truth"

    @property
    def hd(self) -> float:
        """Hausdorff distance: the largest distance of either surface from the other.

        References
        ----------
        Huttenlocher DP, et al. Comparing images using the Hausdorff distance. IEEE Trans
        Pattern Anal Mach Intell 1993;15:850-863. doi:10.1109/34.232073
        """
        if self.empty != "neither":
            return self._without_surface()
        return float(max(self.to_truth_mm.max(), self.to_prediction_mm.max()))

    @property
    def hd95(self) -> float:
        """The larger of the two directed 95th percentiles; see :meth:`hd_percentile`."""
        return self.hd_percentile(95.0)

    @property
    def hd95_pooled(self) -> float:
        """95th percentile of both directions' distances together; see :meth:`hd_percentile`."""
        return self.hd_percentile(95.0, pooled=True)

    def hd_percentile(self, percent: float, *, pooled: bool = False) -> float:
        """Distance that ``percent`` of the surface does not exceed.

        Of boundary voxels it is the percentile with linear interpolation (type 7). Of surfels
        it is the least distance within which that part of the area lies. By default the larger
        of the two directions counts; ``pooled`` takes both directions' elements together.

        Raises
        ------
        ContentError
            If ``percent`` is not above 0 and at most 100.
        """
        if not 0 < percent <= 100:
            raise ContentError(f"percentile {percent}: expected above 0 and at most 100")
        if self.empty != "neither":
            return self._without_surface()
        there = (self.to_truth_mm, self.prediction_areas)
        back = (self.to_prediction_mm, self.truth_areas)
        if pooled:
            distances, areas = (np.concatenate(pair) for pair in zip(there, back, strict=True))
            return self._percentile(distances, areas, percent)
        return max(self._percentile(*there, percent), self._percentile(*back, percent))

    @property
    def assd(self) -> float:
        """Average symmetric surface distance: the mean over all elements of both surfaces.

        References
        ----------
        Heimann T, et al. Comparison and evaluation of methods for liver segmentation from CT
        datasets. IEEE Trans Med Imaging 2009;28:1251-1265. doi:10.1109/TMI.2009.2013851
        """
        if self.empty != "neither":
            return self._without_surface()
        total = self.to_truth_mm @ self.prediction_areas + self.to_prediction_mm @ self.truth_areas
        return float(total / (self.prediction_areas.sum() + self.truth_areas.sum()))

    @property
    def masd(self) -> float:
        """Mean of the two directed average distances; equals ``assd`` for equal surfaces."""
        if self.empty != "neither":
            return self._without_surface()
        there = np.average(self.to_truth_mm, weights=self.prediction_areas)
        back = np.average(self.to_prediction_mm, weights=self.truth_areas)
        return float((there + back) / 2)

    def surface_dice(self, tolerance_mm: float) -> float:
        """Part of both surfaces that lies within a tolerance of the other (NSD).

        Surfels give the published, area-weighted definition; boundary voxels count each voxel
        once. 1 when both regions are empty, 0 when one is.

        Raises
        ------
        ContentError
            If the tolerance is negative or not finite.

        References
        ----------
        Nikolov S, et al. Clinically applicable segmentation of head and neck anatomy for
        radiotherapy. J Med Internet Res 2021;23:e26151. doi:10.2196/26151
        """
        if not (math.isfinite(tolerance_mm) and tolerance_mm >= 0):
            raise ContentError(f"tolerance {tolerance_mm} mm: expected a number not below 0")
        if self.empty != "neither":
            return float(self.empty == "both")
        limit = tolerance_mm * ROUNDING
        within = self.prediction_areas[self.to_truth_mm <= limit].sum()
        within += self.truth_areas[self.to_prediction_mm <= limit].sum()
        return float(within / (self.prediction_areas.sum() + self.truth_areas.sum()))

    def _without_surface(self) -> float:
        return 0.0 if self.empty == "both" else self.miss_mm

    def _percentile(self, distances: FloatArray, areas: FloatArray, percent: float) -> float:
        if self.surface == "voxels":
            return float(np.percentile(distances, percent))
        order = np.argsort(distances)
        within = np.cumsum(areas[order])
        place = int(np.searchsorted(within, within[-1] * percent / 100 / ROUNDING))
        return float(distances[order[place]])


def diagonal_mm(geometry: Geometry) -> float:
    """Longest distance between two voxels of a grid: the worst that a miss can cost there.

    Raises
    ------
    GeometryError
        If the grid has no millimetres.
    """
    ends = np.array(np.meshgrid(*[(-1, 1)] * geometry.ndim)).reshape(geometry.ndim, -1)
    reach = geometry.axes_mm @ (ends * (np.array(geometry.shape)[:, None] - 1))
    return float(np.linalg.norm(reach, axis=0).max())


def surface_distances(
    prediction: Mask,
    truth: Mask,
    *tissues: str,
    miss_mm: float,
    surface: Surface = "voxels",
) -> SurfaceDistances:
    """Measure how far two outlines' surfaces lie apart, on the union of some tissues.

    Parameters
    ----------
    prediction, truth
        Masks on one grid with known spacing, 2-D or 3-D, at any angle; sheared grids too.
    tissues
        Names whose union is judged; all of them without a name. Unknown names are empty.
    miss_mm
        What every distance is when one of the two has no voxel at all, for instance
        :func:`diagonal_mm` of the grid. It has no default: a missed lesion costs something.
    surface
        ``"voxels"``: centres of the voxels with a face on the outside, each of weight 1 (the
        usual HD95 and ASSD). ``"surfels"``: cells between voxel centres that the surface
        passes, weighted by the marching cubes area in them (the published surface Dice).

    Raises
    ------
    GeometryError
        If the grids differ, or have no millimetres.
    ContentError
        If ``miss_mm`` is not a positive number.
    """
    truth.geometry.require_same(prediction.geometry, doing="comparing surfaces")
    return distances_between(
        region(prediction, tissues),
        region(truth, tissues),
        axes_mm=truth.geometry.axes_mm,
        miss_mm=miss_mm,
        surface=surface,
    )


def distances_between(
    outlined: AnyArray,
    true: AnyArray,
    *,
    axes_mm: FloatArray,
    miss_mm: float,
    surface: Surface = "voxels",
) -> SurfaceDistances:
    """Measure how far the surfaces of two boolean arrays lie apart.

    The same as :func:`surface_distances`, on arrays of one grid whose steps in mm are the
    columns of ``axes_mm``.

    Raises
    ------
    GeometryError
        If the shapes differ or the axes do not fit them.
    ContentError
        If ``miss_mm`` is not a positive number.
    """
    if outlined.shape != true.shape or np.shape(axes_mm) != (true.ndim, true.ndim):
        raise GeometryError(
            f"regions of shape {outlined.shape} and {true.shape} with axes of shape "
            f"{np.shape(axes_mm)}; expected one shape, and one axis for each of its sides"
        )
    if not (math.isfinite(miss_mm) and miss_mm > 0):
        raise ContentError(
            f"a miss costs {miss_mm} mm: expected a positive number, such as diagonal_mm(geometry)"
        )
    outlined, true = outlined.astype(bool, copy=False), true.astype(bool, copy=False)
    ours, our_areas = _elements(outlined, axes_mm, surface)
    theirs, their_areas = _elements(true, axes_mm, surface)
    return SurfaceDistances(
        to_truth_mm=nearest_mm(ours, theirs, axes_mm),
        to_prediction_mm=nearest_mm(theirs, ours, axes_mm),
        prediction_areas=our_areas,
        truth_areas=their_areas,
        surface=surface,
        miss_mm=float(miss_mm),
        missed=bool(theirs.size) and not bool((outlined & true).any()),
    )


def _elements(
    marked: AnyArray, axes_mm: FloatArray, surface: Surface
) -> tuple[Indices, FloatArray]:
    if surface == "surfels":
        return surfels(marked, axes_mm)
    voxels = boundary_voxels(marked)
    return voxels, np.ones(len(voxels))
