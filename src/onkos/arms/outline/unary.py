"""What each supervoxel is taken by itself: a table member learnt on training patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onkos.arms.description import Description
from onkos.classic.arrays import taken
from onkos.classic.learning import softmax
from onkos.classic.table import FittedTable, Member
from onkos.core.errors import CohortError, ModelError
from onkos.core.geometry import AnyArray

Float32 = NDArray[np.float32]
FloatArray = NDArray[np.float64]
Bytes = NDArray[np.uint8]

_SHOWN = 10  # each scan is shown under several contrasts until so many are seen in all
_FEWEST = 4  # rows of a class that one can learn from


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Supervoxels of one training scan to learn from.

    Parameters
    ----------
    table
        (rows, features).
    classes
        (rows,): 0 is healthy.
    counts
        (classes,): how many supervoxels of each class the whole scan has.
    patient
        Whose scan it is.
    voxels
        Of its head.
    """

    table: Float32
    classes: Bytes
    counts: FloatArray
    patient: str
    voxels: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedUnary:
    """A fitted member with the frequencies of classes set right.

    Parameters
    ----------
    table
        The member; its classes are numbers, 0 being healthy.
    shift
        (classes learnt,): logarithm of how much more frequent each is in a scan than it was
        among the rows learnt from.
    classes
        Number of classes, those that could not be learnt included.
    """

    table: FittedTable
    shift: FloatArray
    classes: int

    def probabilities(self, described: Description) -> FloatArray:
        """Probability of each class in each supervoxel, (count, classes).

        Raises
        ------
        ContentError
            If the supervoxels are described by other numbers than those learnt from.
        """
        own = self.table.probabilities(described.table)
        shares = np.zeros((len(own), self.classes))
        shares[:, self.table.classes.astype(np.intp)] = softmax(
            np.log(np.maximum(own, 1e-12)) + self.shift
        )
        return shares

    def to_arrays(self) -> dict[str, AnyArray]:
        """Everything learnt, as arrays of numbers and text."""
        table = {f"table.{name}": array for name, array in self.table.to_arrays().items()}
        return {"shift": self.shift, "classes": np.array(self.classes), **table}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> FittedUnary:
        """Build it back; :class:`ModelError` if arrays are missing or do not fit each other."""
        table = FittedTable.from_arrays(
            {
                name.removeprefix("table."): array
                for name, array in arrays.items()
                if name.startswith("table.")
            }
        )
        shift, classes = taken(arrays, "shift"), int(taken(arrays, "classes"))
        known = table.classes
        if known.dtype.kind not in "iu" or known.min() < 0 or known.max() >= classes:
            raise ModelError(f"stored unary: classes {known.tolist()} of {classes}; fit it again")
        if shift.shape != known.shape:
            raise ModelError(f"stored unary: {shift.shape} shifts of {known.shape} classes")
        return cls(table=table, shift=shift, classes=classes)


def sampled(
    described: Description,
    votes: FloatArray,
    *,
    patient: str,
    cases: int,
    rows: int,
    rng: np.random.Generator,
) -> Sample:
    """Draw supervoxels of a scan, evenly over the classes, under several contrasts.

    Parameters
    ----------
    described, votes
        The scan, and the voxels of each class in each of its supervoxels.
    patient
        Whose scan it is.
    cases, rows
        Training scans in all, and rows they give in all.
    rng
        Of which are drawn, and of the contrasts.
    """
    truth = votes.argmax(axis=1)
    copies = max(1, round(_SHOWN / cases))
    most = max(2, round(rows / (cases * copies * votes.shape[1])))
    tables, classes = [], []
    for _ in range(copies):
        jittered = described.jittered(rng)
        for code in np.unique(truth):
            drawn = rng.permutation(np.flatnonzero(truth == code))[:most]
            tables.append(jittered[drawn])
            classes.append(np.full(len(drawn), code, dtype=np.uint8))
    return Sample(
        table=np.concatenate(tables),
        classes=np.concatenate(classes),
        counts=np.bincount(truth, minlength=votes.shape[1]).astype(np.float64),
        patient=patient,
        voxels=int(described.sizes.sum()),
    )


def fit_unary(
    samples: Sequence[Sample], member: Member, *, rng: np.random.Generator
) -> FittedUnary:
    """Learn what the classes look like.

    Rows were drawn evenly over the classes, so that a small tissue is learnt at all; its
    probability is then set back to how frequent it is (Saerens). A tissue of fewer than four
    rows cannot be learnt and has probability 0.

    Raises
    ------
    CohortError
        If there is only one patient, no two classes can be learnt, or images differ in channels.

    References
    ----------
    Saerens M, Latinne P, Decaestecker C. Adjusting the outputs of a classifier to new a priori
    probabilities. Neural Comput 2002;14:21-41. doi:10.1162/089976602753284446
    """
    wide = {one.table.shape[1] for one in samples}
    if len(wide) > 1:
        raise CohortError(
            f"cases are described by {sorted(wide)} numbers: their images have not equally many "
            "channels; expected images of one kind, e.g. all grey"
        )
    table = np.concatenate([one.table for one in samples])
    classes = np.concatenate([one.classes for one in samples]).astype(np.int64)
    patients = np.concatenate([np.full(len(one.classes), one.patient) for one in samples])
    counts = np.sum([one.counts for one in samples], axis=0)
    drawn = np.bincount(classes, minlength=len(counts))
    if np.count_nonzero(drawn >= _FEWEST) < 2:
        raise CohortError(
            f"{len(samples)} training cases: {drawn.tolist()} supervoxels of healthy and of each "
            "tissue; expected two or more to learn from; give outlines that are not empty"
        )
    enough = (drawn >= _FEWEST)[classes]
    fitted = member.fit(table[enough], classes[enough], patients[enough], rng=rng)
    learnt = fitted.classes
    share, part = counts[learnt] / counts[learnt].sum(), drawn[learnt] / drawn[learnt].sum()
    return FittedUnary(table=fitted, shift=np.log(share / part), classes=len(counts))


def chosen(member: Member, fitted: FittedUnary) -> Member:
    """Return the member with only the way to learn that was chosen."""
    return replace(member, candidates=(member.candidates[fitted.table.choice.best],))
