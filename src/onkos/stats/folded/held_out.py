"""Scores that a cross-validation gave to cases it had not learnt from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import CohortError, ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.ranking import classes as two_classes
from onkos.stats.ranking import rated
from onkos.stats.resampling import IntArray, numbered


@dataclass(frozen=True, slots=True, init=False, eq=False)
class HeldOut:
    """Held-out scores of one arm, and the fold that each of them comes from.

    Only scores of one fold come from one model and can be ranked against each other: models of
    different folds have seen different shares of diseased cases, and their scores differ for
    that reason alone.

    Parameters
    ----------
    truth
        Two classes: 1 or True where diseased. Several: the class of each case, one of
        ``classes``. Shape (cases,); kept as numbers of the classes.
    scores
        Two classes: higher means more likely diseased, shape (repeats, cases). Several: one
        score a class, shape (repeats, cases, classes).
    folds
        The fold in which each case was held out, in each repeat; shape (repeats, cases).
    patients
        The patient of each case, shape (cases,); kept as numbers. A patient is in one fold of a
        repeat.
    classes
        What the columns of the scores stand for; empty for two classes.

    Raises
    ------
    ContentError
        If shapes do not fit, a score is NaN, or a class has no case.
    CohortError
        If a patient's cases are in several folds of a repeat.
    """

    truth: IntArray
    scores: FloatArray
    folds: IntArray
    patients: IntArray
    classes: tuple[Hashable, ...] = ()

    def __init__(
        self,
        *,
        truth: ArrayLike,
        scores: ArrayLike,
        folds: ArrayLike,
        patients: Sequence[Hashable],
        classes: Sequence[Hashable] = (),
    ) -> None:
        names = tuple(np.asarray(classes).tolist()) if len(classes) else ()
        true = _coded(truth, names)
        given = np.asarray(scores, dtype=np.float64)
        rated(np.moveaxis(given, 1, -1) if given.ndim > 1 else given, cases=len(true))
        wanted = (len(given), len(true), len(names)) if names else (len(given), len(true))
        if given.shape != wanted or not len(given):
            raise ContentError(
                f"scores of shape {given.shape} for {len(true)} cases and {len(names) or 2} "
                "classes; expected (repeats, cases), or (repeats, cases, classes) with the names "
                "of several classes"
            )
        fold = np.asarray(folds)
        if fold.shape != wanted[:2] or not np.issubdtype(fold.dtype, np.integer):
            raise ContentError(
                f"folds of shape {fold.shape} and type {fold.dtype}; expected whole numbers of "
                f"shape {wanted[:2]}, one a repeat and case"
            )
        if len(patients) != len(true):
            raise ContentError(f"{len(patients)} patients of {len(true)} cases; expected one each")
        who = numbered(patients)
        _together(fold, who, patients)
        for name, value in (
            ("truth", true),
            ("scores", given),
            ("folds", fold.astype(np.intp)),
            ("patients", who),
        ):
            kept = value.copy()
            kept.flags.writeable = False
            object.__setattr__(self, name, kept)
        object.__setattr__(self, "classes", names)

    @property
    def cases(self) -> int:
        """How many cases there are."""
        return len(self.truth)

    def beside(self, other: HeldOut) -> None:
        """Check that another arm scored the same cases in the same folds.

        Raises
        ------
        ContentError
            If it did not: a paired comparison has no meaning then.
        """
        for name in ("truth", "folds", "patients"):
            if not np.array_equal(getattr(self, name), getattr(other, name)):
                raise ContentError(
                    f"the {name} of the two arms differ; a paired comparison needs the same "
                    "cases in the same folds and repeats: run both arms with one split"
                )
        if self.classes != other.classes:
            raise ContentError(
                f"classes {list(self.classes)} against {list(other.classes)}; expected the same "
                "in the same order"
            )


def _coded(truth: ArrayLike, names: tuple[Hashable, ...]) -> IntArray:
    """Number of the class of each case."""
    if not names:
        return two_classes(truth).astype(np.intp)
    labels = np.asarray(truth)
    if labels.ndim != 1 or not labels.size:
        raise ContentError(f"truth of shape {labels.shape}; expected one class a case, (cases,)")
    number = {name: code for code, name in enumerate(names)}
    if len(number) != len(names) or len(names) < 2:
        raise ContentError(f"classes {list(names)}: expected two or more, each once")
    unknown = sorted({str(label) for label in labels.tolist() if label not in number})
    if unknown:
        raise ContentError(f"classes {unknown[:5]} of the truth are not among {list(names)}")
    codes = np.array([number[label] for label in labels.tolist()], dtype=np.intp)
    absent = [name for name, code in number.items() if not (codes == code).any()]
    if absent:
        raise ContentError(f"classes {absent} do not occur in the truth; leave them out")
    return codes


def _together(folds: IntArray, who: IntArray, patients: Sequence[Hashable]) -> None:
    """Check that each patient is in one fold of each repeat."""
    first = np.unique(who, return_index=True)[1]
    for repeat, row in enumerate(folds):
        apart = np.flatnonzero(row != row[first][who])
        if apart.size:
            raise CohortError(
                f"patient {patients[int(apart[0])]!r} is in several folds of repeat "
                f"{repeat + 1}; expected all cases of a patient in one: split by patient"
            )
