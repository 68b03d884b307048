"""Overlap of an outline with its reference: Dice, Jaccard, sensitivity, specificity, volumes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from onkos.core.geometry import AnyArray
from onkos.core.mask import Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Voxel counts of one outlined region against its reference.

    ``inside`` is the number of voxels that could have been outlined at all: specificity is
    taken within it (the head, say), so that empty air does not flatter it.
    """

    true_positive: int
    false_positive: int
    false_negative: int
    inside: int
    voxel_ml: float | None

    @property
    def present(self) -> bool:
        """True when the reference has this tissue."""
        return self.true_positive + self.false_negative > 0

    @property
    def missed(self) -> bool:
        """True when the reference has this tissue and not one voxel of it was found."""
        return self.present and self.true_positive == 0

    @property
    def dice(self) -> float:
        """Dice's coefficient; 1 when both are empty, 0 when one is.

        References
        ----------
        Dice LR. Measures of the amount of ecologic association between species. Ecology
        1945;26:297-302. doi:10.2307/1932409
        """
        total = 2 * self.true_positive + self.false_positive + self.false_negative
        return 1.0 if total == 0 else 2 * self.true_positive / total

    @property
    def sensitivity(self) -> float:
        """Share of the reference that was found; NaN when there is nothing to find."""
        if not self.present:
            return math.nan
        return self.true_positive / (self.true_positive + self.false_negative)

    @property
    def iou(self) -> float:
        """Intersection over union (Jaccard's index); 1 when both are empty, 0 when one is."""
        union = self.true_positive + self.false_positive + self.false_negative
        return 1.0 if union == 0 else self.true_positive / union

    @property
    def precision(self) -> float:
        """Share of what was outlined that is true; NaN when nothing was outlined."""
        if not self.outlined:
            return math.nan
        return self.true_positive / self.outlined

    @property
    def specificity(self) -> float:
        """Share of the voxels without tissue, within ``inside``, that were left out.

        NaN when every voxel of ``inside`` is tissue.
        """
        negative = self.inside - self.true
        return math.nan if negative <= 0 else 1 - self.false_positive / negative

    @property
    def balanced_error(self) -> float:
        """Balanced error rate: mean of the miss rate and the false alarm rate within ``inside``.

        NaN when either class is absent.
        """
        negative = self.inside - self.true_positive - self.false_negative
        if not self.present or negative <= 0:
            return math.nan
        return (1 - self.sensitivity + self.false_positive / negative) / 2

    @property
    def volume_error_ml(self) -> float:
        """Outlined minus true volume in ml; NaN for a picture."""
        if self.voxel_ml is None:
            return math.nan
        return (self.false_positive - self.false_negative) * self.voxel_ml

    @property
    def relative_volume_error(self) -> float:
        """Outlined minus true volume as a part of the true one; -1 for a miss.

        0 when both are empty. NaN when there is nothing to outline and something was: no ratio
        says how wrong that is, ``volume_error_ml`` does.
        """
        if not self.present:
            return 0.0 if not self.outlined else math.nan
        return (self.false_positive - self.false_negative) / self.true

    @property
    def outlined(self) -> int:
        """Voxels outlined."""
        return self.true_positive + self.false_positive

    @property
    def true(self) -> int:
        """Voxels of the reference."""
        return self.true_positive + self.false_negative


def overlap(
    prediction: Mask, truth: Mask, *tissues: str, inside: AnyArray | None = None
) -> Overlap:
    """Count agreement on the union of some tissues (of all without a name).

    A tissue that one of the two does not name counts as empty there.

    Parameters
    ----------
    prediction, truth
        Masks on one grid.
    tissues
        Names whose union is judged, e.g. ``"core", "oedema"`` for the whole tumour.
    inside
        Boolean array: where outlining was possible; the whole grid if not given. Must hold
        all of both regions, otherwise those voxels are added to it.

    Raises
    ------
    GeometryError
        If the grids differ.
    """
    truth.geometry.require_same(prediction.geometry, doing="comparing outlines")
    outlined, true = region(prediction, tissues), region(truth, tissues)
    both = int(np.count_nonzero(outlined & true))
    possible = outlined.size if inside is None else int(np.count_nonzero(inside | outlined | true))
    known = truth.geometry.ndim == 3 and truth.geometry.calibrated
    return Overlap(
        true_positive=both,
        false_positive=int(np.count_nonzero(outlined)) - both,
        false_negative=int(np.count_nonzero(true)) - both,
        inside=possible,
        voxel_ml=truth.geometry.voxel_ml if known else None,
    )


def region(mask: Mask, tissues: tuple[str, ...]) -> AnyArray:
    """Voxels of the named tissues (of all without a name); unknown names are empty."""
    if not tissues:
        return mask.where()
    known = [name for name in tissues if name in mask.names.values()]
    if not known:
        return np.zeros(mask.geometry.shape, dtype=bool)
    return mask.where(*known)
