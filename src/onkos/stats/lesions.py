"""Which lesions were found: outlines compared lesion by lesion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import cc3d
import numpy as np
from scipy.optimize import linear_sum_assignment

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.mask import Mask
from onkos.stats.overlap import region
from onkos.stats.surfaces import distances_between

_Block = tuple[slice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionRule:
    """When a lesion of the truth counts as found.

    Parameters
    ----------
    by
        ``"iou"``: intersection over union above ``threshold``; ``"centre"``: centres of mass no
        further apart than ``threshold`` mm; ``"overlap"``: at least one voxel in common.

        By IoU and by centre, lesions and predicted regions are paired one to one: as many
        pairs as can be, and among those the largest sum of IoU (least sum of distances).
        By overlap, a lesion's partner is the union of all regions that touch it, and a region
        that touches two lesions finds both; it is false only when it touches none.
    threshold
        Part (0 up to, not including, 1) or mm; must not be given for ``"overlap"``.

    Raises
    ------
    ContentError
        If the threshold is missing, unneeded or out of range.
    """

    by: Literal["iou", "overlap", "centre"]
    threshold: float | None = None

    def __post_init__(self) -> None:
        limit = self.threshold
        fits = {
            "overlap": limit is None,
            "iou": limit is not None and 0 <= limit < 1,
            "centre": limit is not None and 0 <= limit < math.inf,
        }
        if not fits.get(self.by, False):
            raise ContentError(
                f"lesion rule {self.by!r} with threshold {limit}: expected 'iou' with 0 <= part "
                "< 1, 'centre' with mm, or 'overlap' without one"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionFound:
    """What became of one lesion of the truth; a missed one has Dice 0 and costs ``miss_mm``."""

    voxels: int
    found: bool
    dice: float
    iou: float
    hd95_mm: float
    assd_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionWise:
    """Lesions of one patient, and the regions that are none.

    Parameters
    ----------
    lesions
        Every lesion of the truth, found or not, in order of their first voxel.
    predicted
        Number of connected regions outlined.
    spurious
        Number of those that belong to no lesion.
    rule
        When a lesion counted as found.
    miss_mm
        What every distance of a missed lesion (or a spurious region) costs.
    """

    lesions: tuple[LesionFound, ...]
    predicted: int
    spurious: int
    rule: LesionRule
    miss_mm: float

    @property
    def found(self) -> int:
        """Lesions found."""
        return sum(lesion.found for lesion in self.lesions)

    @property
    def missed(self) -> int:
        """Lesions not found."""
        return len(self.lesions) - self.found

    @property
    def recall(self) -> float:
        """Share of the lesions that were found; NaN when there are none."""
        return self.found / len(self.lesions) if self.lesions else math.nan

    @property
    def precision(self) -> float:
        """Share of the outlined regions that are lesions; NaN when nothing was outlined."""
        return 1 - self.spurious / self.predicted if self.predicted else math.nan

    @property
    def f1(self) -> float:
        """F1 score of the detection, 2 TP / (2 TP + FP + FN); 1 when both are empty."""
        total = 2 * self.found + self.spurious + self.missed
        return 2 * self.found / total if total else 1.0

    @property
    def segmentation_quality(self) -> float:
        """Mean IoU of the lesions found; 0 when none was, 1 when both are empty."""
        if not self.found:
            return float(not self.lesions and not self.predicted)
        return sum(lesion.iou for lesion in self.lesions if lesion.found) / self.found

    @property
    def panoptic_quality(self) -> float:
        """Segmentation quality times recognition quality (F1); published for IoU above 0.5.

        References
        ----------
        Kirillov A, et al. Panoptic segmentation. CVPR 2019:9404-9413.
        doi:10.1109/CVPR.2019.00963
        """
        return self.segmentation_quality * self.f1

    @property
    def dice(self) -> float:
        """Mean Dice over lesions and spurious regions, which count 0; 1 when both are empty.

        References
        ----------
        Moawad AW, et al. The Brain Tumor Segmentation - Metastases (BraTS-METS) Challenge 2023.
        arXiv:2306.00838. doi:10.48550/arXiv.2306.00838
        """
        count = len(self.lesions) + self.spurious
        return sum(lesion.dice for lesion in self.lesions) / count if count else 1.0

    @property
    def hd95_mm(self) -> float:
        """Mean HD95 over lesions and spurious regions; missed and spurious cost ``miss_mm``."""
        return self._mean_mm(sum(lesion.hd95_mm for lesion in self.lesions))

    @property
    def assd_mm(self) -> float:
        """Mean ASSD over lesions and spurious regions; missed and spurious cost ``miss_mm``."""
        return self._mean_mm(sum(lesion.assd_mm for lesion in self.lesions))

    def _mean_mm(self, total: float) -> float:
        count = len(self.lesions) + self.spurious
        return (total + self.spurious * self.miss_mm) / count if count else 0.0


def match_lesions(
    prediction: Mask,
    truth: Mask,
    *tissues: str,
    rule: LesionRule,
    miss_mm: float,
    touching: Literal["corners", "faces"] = "corners",
) -> LesionWise:
    """Compare two outlines lesion by lesion, on the union of some tissues.

    Parameters
    ----------
    prediction, truth
        Masks on one grid with known spacing, 2-D or 3-D.
    tissues
        Names whose union is judged; all of them without a name.
    rule
        When a lesion counts as found.
    miss_mm
        What the distances of a missed lesion are, e.g. :func:`onkos.stats.surfaces.diagonal_mm`.
    touching
        Voxels belong together when they share a corner (26 neighbours, 8 in 2-D) or only when
        they share a face (6, 4).

    Raises
    ------
    GeometryError
        If the grids differ or have no millimetres.
    ContentError
        If ``miss_mm`` is not a positive number.
    """
    truth.geometry.require_same(prediction.geometry, doing="comparing lesions")
    if not (math.isfinite(miss_mm) and miss_mm > 0):
        raise ContentError(f"a miss costs {miss_mm} mm: expected a positive number")
    axes_mm = truth.geometry.axes_mm
    ours = _Regions.of(region(prediction, tissues), touching)
    theirs = _Regions.of(region(truth, tissues), touching)
    shared = _shared_voxels(theirs, ours)
    partners = _partners(theirs, ours, shared, rule, axes_mm)
    lesions = tuple(
        _compared(theirs, ours, lesion, partners[lesion], (axes_mm, float(miss_mm)))
        for lesion in range(theirs.count)
    )
    used = {partner for some in partners for partner in some}
    return LesionWise(
        lesions=lesions,
        predicted=ours.count,
        spurious=ours.count - len(used),
        rule=rule,
        miss_mm=float(miss_mm),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Regions:
    """Connected regions: labels from 1, and of each (from 0) its voxels, block and centre."""

    labels: AnyArray
    voxels: AnyArray
    blocks: tuple[_Block, ...]
    centres: FloatArray

    @property
    def count(self) -> int:
        return len(self.voxels)

    @classmethod
    def of(cls, marked: AnyArray, touching: Literal["corners", "faces"]) -> _Regions:
        corners, faces = (26, 6) if marked.ndim == 3 else (8, 4)
        labels = cc3d.connected_components(
            marked.astype(bool, copy=False),
            connectivity=corners if touching == "corners" else faces,
        )
        told: dict[str, Any] = cc3d.statistics(labels, no_slice_conversion=False)
        return cls(
            labels=labels,
            voxels=np.asarray(told["voxel_counts"][1:], dtype=np.int64),
            blocks=tuple(tuple(block) for block in told["bounding_boxes"][1:]),
            centres=np.asarray(told["centroids"][1:], dtype=np.float64),
        )


def _shared_voxels(theirs: _Regions, ours: _Regions) -> AnyArray:
    """(lesions, predicted) voxels in common."""
    both = (theirs.labels > 0) & (ours.labels > 0)
    rows = theirs.labels[both].astype(np.int64) - 1
    columns = ours.labels[both].astype(np.int64) - 1
    shared = np.bincount(rows * ours.count + columns, minlength=theirs.count * ours.count)
    return shared.reshape(theirs.count, ours.count)


def _partners(
    theirs: _Regions, ours: _Regions, shared: AnyArray, rule: LesionRule, axes_mm: FloatArray
) -> list[tuple[int, ...]]:
    """Predicted regions of each lesion, empty when it was missed."""
    if rule.by == "overlap":
        return [tuple(np.flatnonzero(row).tolist()) for row in shared]
    if rule.by == "iou":
        closeness = shared / (theirs.voxels[:, None] + ours.voxels[None, :] - shared)
        allowed = closeness > rule.threshold
    else:
        apart = (theirs.centres[:, None, :] - ours.centres[None, :, :]) @ axes_mm.T
        closeness = -np.linalg.norm(apart, axis=-1)
        allowed = -closeness <= rule.threshold
    partners: list[tuple[int, ...]] = [()] * theirs.count
    for lesion, predicted in paired(closeness, allowed):
        partners[lesion] = (predicted,)
    return partners


def paired(closeness: FloatArray, allowed: AnyArray) -> list[tuple[int, int]]:
    """Pair rows with columns one to one: as many as are allowed, then the closest in sum.

    References
    ----------
    Kuhn HW. The Hungarian method for the assignment problem. Nav Res Logist Q 1955;2:83-97.
    doi:10.1002/nav.3800020109
    """
    if not allowed.any():
        return []
    spread = float(np.ptp(closeness[allowed])) or 1.0
    above = (closeness - closeness[allowed].min()) / spread  # 0 to 1 where allowed
    gain = np.where(allowed, min(allowed.shape) + above, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [
        (int(row), int(column))
        for row, column in zip(rows, columns, strict=True)
        if allowed[row, column]
    ]


def _compared(
    theirs: _Regions,
    ours: _Regions,
    lesion: int,
    partners: tuple[int, ...],
    scale: tuple[FloatArray, float],
) -> LesionFound:
    """Overlap and distances of one lesion and its partners, in the block that holds them."""
    axes_mm, miss_mm = scale
    size = int(theirs.voxels[lesion])
    if not partners:
        return LesionFound(
            voxels=size, found=False, dice=0.0, iou=0.0, hd95_mm=miss_mm, assd_mm=miss_mm
        )
    blocks = [theirs.blocks[lesion], *(ours.blocks[partner] for partner in partners)]
    block = tuple(
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*blocks, strict=True)
    )
    true = theirs.labels[block] == lesion + 1
    outlined = np.isin(ours.labels[block], np.array(partners) + 1)
    both = int(np.count_nonzero(true & outlined))
    total = size + int(np.count_nonzero(outlined))
    apart = distances_between(outlined, true, axes_mm=axes_mm, miss_mm=miss_mm)
    return LesionFound(
        voxels=size,
        found=True,
        dice=2 * both / total,
        iou=both / (total - both),
        hd95_mm=apart.hd95,
        assd_mm=apart.assd,
    )
