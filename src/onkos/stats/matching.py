"""Which mark belongs to which lesion: boxes, centres or points against the truth of one case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.stats.lesions import paired
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import IntArray

NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Affinity:
    """How close each mark is to each lesion, and whether that is close enough.

    Parameters
    ----------
    closeness
        (marks, lesions), larger is closer: IoU, minus a distance, 1 for inside.
    accepted
        (marks, lesions): the criterion is met.
    """

    closeness: FloatArray
    accepted: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matching:
    """What became of the marks and lesions of one case.

    Every mark is one of: a hit, a double (close enough only to lesions that other marks had
    already found), ignored (close enough only to lesions that do not count), or false.

    Parameters
    ----------
    lesion
        (marks,) number of the lesion that the mark found, -1 for the others.
    double, ignored
        (marks,) booleans.
    scores
        (marks,) as given.
    lesion_scores
        One for each lesion that counts, in their order: score of its mark, -inf if missed.
    """

    lesion: IntArray
    double: BoolArray
    ignored: BoolArray
    scores: FloatArray
    lesion_scores: FloatArray

    @property
    def false(self) -> BoolArray:
        """(marks,): close enough to no lesion at all."""
        wrong: BoolArray = (self.lesion == NONE) & ~self.double & ~self.ignored
        return wrong

    @property
    def missed(self) -> int:
        """Lesions without a mark."""
        return int(np.isneginf(self.lesion_scores).sum())


def by_iou(boxes: ArrayLike, lesions: ArrayLike, *, at_least: float) -> Affinity:
    """Accept a box whose intersection over union with the lesion's box is at least so much.

    Parameters
    ----------
    boxes, lesions
        (n, 2, axes): lowest and highest corner, in one unit.
    at_least
        IoU, above 0 and at most 1.

    Raises
    ------
    ContentError
        If a box has no extent, a number is not finite, or the limit is out of range.
    """
    if not 0 < at_least <= 1:
        raise ContentError(f"IoU of at least {at_least}: expected above 0 and at most 1")
    ours, theirs = _boxes(boxes), _boxes(lesions)
    if len(ours) and len(theirs) and ours.shape[2] != theirs.shape[2]:
        raise ContentError(f"boxes of {ours.shape[2]} against {theirs.shape[2]} axes")
    if not (len(ours) and len(theirs)):
        return _nothing(len(ours), len(theirs))
    low = np.maximum(ours[:, None, 0], theirs[None, :, 0])
    high = np.minimum(ours[:, None, 1], theirs[None, :, 1])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    sizes = [(boxed[:, 1] - boxed[:, 0]).prod(axis=-1) for boxed in (ours, theirs)]
    iou = shared / (sizes[0][:, None] + sizes[1][None, :] - shared)
    return Affinity(closeness=iou, accepted=iou >= at_least)


def by_distance(centres_mm: ArrayLike, lesions_mm: ArrayLike, *, within_mm: ArrayLike) -> Affinity:
    """Accept a mark no further from the lesion's centre than so many millimetres.

    Parameters
    ----------
    centres_mm, lesions_mm
        (n, axes) positions.
    within_mm
        One distance, or one for each lesion (its radius, as LUNA16 has it).

    Raises
    ------
    ContentError
        If a number is not finite, or a distance is not positive.
    """
    ours, theirs = _points(centres_mm), _points(lesions_mm)
    limits = np.asarray(within_mm, dtype=np.float64)
    if limits.shape not in ((), (len(theirs),)) or not (limits > 0).all():
        raise ContentError(
            f"limits {limits.tolist()} mm for {len(theirs)} lesions: expected one positive "
            "distance, or one for each lesion"
        )
    if not (len(ours) and len(theirs)):
        return _nothing(len(ours), len(theirs))
    apart = np.linalg.norm(ours[:, None] - theirs[None], axis=-1)
    return Affinity(closeness=-apart, accepted=apart <= limits)


def by_mask(voxels: ArrayLike, labels: AnyArray, *, lesions: ArrayLike) -> Affinity:
    """Accept a mark whose voxel lies in the lesion.

    Parameters
    ----------
    voxels
        (marks, axes) whole indices into ``labels``.
    labels
        Label map of the truth.
    lesions
        Label of each lesion.

    Raises
    ------
    ContentError
        If a voxel lies outside the grid, or the indices are not whole numbers.
    """
    where = np.asarray(voxels)
    known = np.asarray(lesions)
    if where.size == 0:
        return _nothing(0, len(known))
    if where.ndim != 2 or where.shape[1] != labels.ndim or where.dtype.kind not in "iu":
        raise ContentError(f"voxels of shape {where.shape}, type {where.dtype}: expected indices")
    if (where < 0).any() or (where >= np.array(labels.shape)).any():
        raise ContentError(f"a mark lies outside the grid of shape {labels.shape}")
    inside = labels[tuple(where.T)][:, None] == known[None, :]
    return Affinity(closeness=inside.astype(np.float64), accepted=inside)


def match_marks(
    affinity: Affinity,
    scores: ArrayLike,
    *,
    method: Literal["greedy", "hungarian"] = "greedy",
    uncounted: ArrayLike | None = None,
) -> Matching:
    """Give each lesion at most one mark and each mark at most one lesion.

    ``"greedy"``: marks in order of falling score (equal scores: the closer one first) each take
    the closest lesion still free. A lesion's score is then that of its best mark, so that the
    pairs at any threshold are those of the marks above it: use it for FROC and average
    precision. ``"hungarian"``: as many pairs as can be, and among those the closest in sum,
    whatever the scores.

    Further marks on a lesion already found are doubles: the lesion counts once. Whether they
    cost anything is decided where the marks are judged, see :class:`onkos.stats.marks.Marks`.

    Parameters
    ----------
    affinity
        From :func:`by_iou`, :func:`by_distance` or :func:`by_mask`.
    scores
        (marks,) finite; a higher one is more suspicious.
    method
        How pairs are chosen.
    uncounted
        (lesions,) booleans: lesions that neither count as found nor as missed; marks close
        enough to one of them and to no free lesion that counts are ignored.

    Raises
    ------
    ContentError
        If a score is not finite or the shapes do not fit.
    """
    ratings = np.asarray(scores, dtype=np.float64)
    marks, lesions = affinity.accepted.shape
    skipped = np.zeros(lesions, bool) if uncounted is None else np.asarray(uncounted, dtype=bool)
    if ratings.shape != (marks,) or skipped.shape != (lesions,):
        raise ContentError(
            f"{ratings.shape} scores, {skipped.shape} flags for {marks} marks on {lesions} lesions"
        )
    if not np.isfinite(ratings).all():
        raise ContentError("a mark's score is not finite; expected a number for each mark")
    accepted = affinity.accepted & ~skipped
    if method == "greedy":
        lesion = _greedy(affinity.closeness, accepted, ratings)
    else:
        lesion = np.full(marks, NONE, dtype=np.intp)
        for mark, one in paired(affinity.closeness, accepted):
            lesion[mark] = one
    ignored = (lesion == NONE) & (affinity.accepted & skipped).any(axis=1)
    found = np.full(lesions, -np.inf)
    found[lesion[lesion != NONE]] = ratings[lesion != NONE]
    return Matching(
        lesion=lesion,
        double=(lesion == NONE) & ~ignored & accepted.any(axis=1),
        ignored=ignored,
        scores=ratings,
        lesion_scores=found[~skipped],
    )


def _greedy(closeness: FloatArray, accepted: BoolArray, ratings: FloatArray) -> IntArray:
    """Lesion of each mark, best score first."""
    lesion = np.full(len(ratings), NONE, dtype=np.intp)
    free = np.ones(accepted.shape[1], dtype=bool)
    best = np.where(accepted, closeness, -np.inf).max(axis=1, initial=-np.inf)
    for mark in np.lexsort((-best, -ratings)):
        open_to = np.flatnonzero(accepted[mark] & free)
        if open_to.size:
            taken = open_to[np.argmax(closeness[mark, open_to])]
            lesion[mark], free[taken] = taken, False
    return lesion


def _nothing(marks: int, lesions: int) -> Affinity:
    """Affinity where one side is empty."""
    return Affinity(
        closeness=np.zeros((marks, lesions)), accepted=np.zeros((marks, lesions), dtype=bool)
    )


def _boxes(corners: ArrayLike) -> FloatArray:
    boxes = np.asarray(corners, dtype=np.float64)
    if boxes.size == 0:
        return np.empty((0, 2, 0))
    if boxes.ndim != 3 or boxes.shape[1] != 2:
        raise ContentError(f"boxes of shape {boxes.shape}: expected (n, 2 corners, axes)")
    if not np.isfinite(boxes).all() or (boxes[:, 1] <= boxes[:, 0]).any():
        raise ContentError("a box has no extent or is not finite; expected low < high corners")
    return boxes


def _points(positions: ArrayLike) -> FloatArray:
    points = np.asarray(positions, dtype=np.float64)
    if points.size == 0:
        return np.empty((0, 0))
    if points.ndim != 2 or not np.isfinite(points).all():
        raise ContentError(f"positions of shape {points.shape}: expected finite (n, axes)")
    return points
