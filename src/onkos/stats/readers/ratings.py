"""Who read which case in which modality, and what they said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.marks import Marks
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import IntArray

Kind = Literal["ROC", "FROC", "LROC"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarkTable:
    """All readers' marks on suspected lesions; minus infinity where there is none.

    Parameters
    ----------
    false
        Ratings of marks that hit no lesion (non-lesion localisations), shape
        (readers, modalities, cases, most false marks on a case).
    lesion
        Ratings of the lesions themselves, shape (readers, modalities, cases, most lesions).
    weight
        Clinical weight of each lesion, shape (cases, most lesions); the weights of an abnormal
        case add up to 1, absent lesions have 0.
    """

    false: FloatArray
    lesion: FloatArray
    weight: FloatArray

    @property
    def lesions(self) -> IntArray:
        """Lesions of each case, shape (cases,)."""
        return np.asarray(np.count_nonzero(self.weight > 0, axis=-1), dtype=np.intp)

    @property
    def highest_false(self) -> FloatArray:
        """Highest rating of a false mark, shape (readers, modalities, cases)."""
        return np.asarray(np.max(self.false, axis=-1, initial=-np.inf))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReaderStudy:
    """Ratings of a reader study, valid once built.

    Higher ratings mean more suspicion. What a reader did not read is missing and is left out of
    every count of that reader; a case that was read without a mark is *not* missing, its
    highest rating is minus infinity.

    Parameters
    ----------
    kind
        ROC (one rating a case), FROC (any number of marks with ratings) or LROC (one marked
        place a case).
    readers, modalities, cases
        Names along the axes.
    truth
        True where a case is abnormal, shape (cases,).
    highest
        The highest rating given to a case, whatever it marked, shape
        (readers, modalities, cases); NaN where it was not read.
    marks
        The marks of an FROC or LROC study.
    seconds
        Reading time, same shape as ``highest``; NaN where unknown.

    Raises
    ------
    ContentError
        If axes disagree, a name occurs twice, one class is absent, a rating is not a number, or
        a reader read nothing, or only one class of cases, in a modality they took part in.
    """

    kind: Kind
    readers: tuple[str, ...]
    modalities: tuple[str, ...]
    cases: tuple[str, ...]
    truth: BoolArray
    highest: FloatArray
    marks: MarkTable | None = None
    seconds: FloatArray | None = None

    def __post_init__(self) -> None:
        _require_axes(self)
        if not self.truth.any() or self.truth.all():
            raise ContentError(
                f"truth: {int(self.truth.sum())} of {self.truth.size} cases abnormal; "
                "a reader study needs normal and abnormal cases"
            )
        _require_ratings(self)
        for array in (self.truth, self.highest):
            array.flags.writeable = False

    @property
    def read(self) -> BoolArray:
        """True where a case was read, shape (readers, modalities, cases)."""
        return np.asarray(~np.isnan(self.highest))

    @property
    def normal(self) -> IntArray:
        """Indices of the normal cases."""
        return np.flatnonzero(~self.truth)

    @property
    def abnormal(self) -> IntArray:
        """Indices of the abnormal cases."""
        return np.flatnonzero(self.truth)

    @property
    def took_part(self) -> BoolArray:
        """True where a reader read at all in a modality, shape (readers, modalities)."""
        return np.asarray(self.read.any(axis=-1))

    def require_marks(self, what: str) -> MarkTable:
        """Give the marks; :class:`ContentError` where there are none."""
        if self.marks is None:
            raise ContentError(f"{what}: this {self.kind} study has no marks; it needs FROC data")
        return self.marks

    def marks_of(self, reader: int, modality: int) -> Marks:
        """Marks of one reader in one modality, on the cases they read."""
        table = self.require_marks("marks of a reader")
        read = np.flatnonzero(self.read[reader, modality])
        false, lesion = (t[reader, modality][read] for t in (table.false, table.lesion))
        false_at, lesion_at = np.nonzero(~np.isneginf(false)), np.nonzero(table.weight[read])
        cases = tuple(self.cases[case] for case in read)
        return Marks(
            cases=cases,
            patients=cases,
            false_case=false_at[0],
            false_score=false[false_at],
            lesion_case=lesion_at[0],
            lesion_score=lesion[lesion_at],
            lesion_weight=table.weight[read][lesion_at],
        )

    def part(
        self, *, readers: Sequence[int] | None = None, modalities: Sequence[int] | None = None
    ) -> ReaderStudy:
        """Give the study of some readers and modalities, named by index; cases nobody read go."""
        rows = list(range(len(self.readers))) if readers is None else list(readers)
        columns = list(range(len(self.modalities))) if modalities is None else list(modalities)
        block = np.ix_(rows, columns)
        kept = np.flatnonzero(self.read[block].any(axis=(0, 1)))

        def cut(array: FloatArray) -> FloatArray:
            return np.asarray(array[block][:, :, kept])

        marks = None
        if self.marks is not None:
            marks = MarkTable(
                false=cut(self.marks.false),
                lesion=cut(self.marks.lesion),
                weight=self.marks.weight[kept],
            )
        return ReaderStudy(
            kind=self.kind,
            readers=tuple(self.readers[r] for r in rows),
            modalities=tuple(self.modalities[m] for m in columns),
            cases=tuple(self.cases[c] for c in kept),
            truth=self.truth[kept],
            highest=cut(self.highest),
            marks=marks,
            seconds=None if self.seconds is None else cut(self.seconds),
        )


def roc_study(
    ratings: ArrayLike,
    truth: ArrayLike,
    *,
    readers: Sequence[str] | None = None,
    modalities: Sequence[str] | None = None,
    cases: Sequence[str] | None = None,
) -> ReaderStudy:
    """Build an ROC study from a tensor of ratings.

    Parameters
    ----------
    ratings
        Shape (readers, modalities, cases); NaN where a case was not read.
    truth
        1 or True where abnormal, 0 or False where normal, shape (cases,).
    readers, modalities, cases
        Names; numbers from 1 where not given.

    Raises
    ------
    ContentError
        If the ratings do not make a valid :class:`ReaderStudy`.
    """
    table = np.array(ratings, dtype=np.float64)
    if table.ndim != 3:
        raise ContentError(f"ratings of shape {table.shape}; expected (readers, modalities, cases)")
    classes = np.asarray(truth)
    if not np.isin(classes, [0, 1]).all():
        raise ContentError(
            f"truth holds {np.unique(classes)[:5].tolist()}; expected 0 for normal, 1 for abnormal"
        )
    names = [
        tuple(str(n + 1) for n in range(size)) if given is None else tuple(map(str, given))
        for given, size in zip((readers, modalities, cases), table.shape, strict=True)
    ]
    return ReaderStudy(
        kind="ROC",
        readers=names[0],
        modalities=names[1],
        cases=names[2],
        truth=classes.astype(np.bool_),
        highest=table,
    )


def _require_axes(study: ReaderStudy) -> None:
    """Refuse names that do not fit the arrays, or occur twice."""
    shape = (len(study.readers), len(study.modalities), len(study.cases))
    arrays: dict[str, tuple[NDArray[Any] | None, tuple[int, ...]]] = {
        "ratings": (study.highest, shape),
        "truth": (study.truth, shape[2:]),
        "seconds": (study.seconds, shape),
    }
    if study.marks is not None:
        arrays["false marks"] = (study.marks.false[..., 0], shape)
        arrays["lesion marks"] = (study.marks.lesion[..., 0], shape)
        arrays["weights"] = (study.marks.weight[..., 0], shape[2:])
    for name, (array, wanted) in arrays.items():
        if array is not None and array.shape != wanted:
            raise ContentError(f"{name} of shape {array.shape}; expected {wanted}")
    for axis in ("readers", "modalities", "cases"):
        names: tuple[str, ...] = getattr(study, axis)
        twice = [name for name, times in Counter(names).items() if times > 1][:5]
        if twice or not names:
            raise ContentError(f"{axis}: {twice or 'none'} named twice or absent; name each once")


def _require_ratings(study: ReaderStudy) -> None:
    """Refuse ratings that are no numbers, and readers without both classes."""
    unmarked = study.kind != "ROC"
    bad = np.isposinf(study.highest) | (np.isneginf(study.highest) & (not unmarked))
    if bad.any():
        reader, modality, case = (int(index[0]) for index in np.nonzero(bad))
        raise ContentError(
            f"reader {study.readers[reader]}, modality {study.modalities[modality]}, case "
            f"{study.cases[case]}: rating {study.highest[reader, modality, case]}; expected a "
            "finite number, or NaN where the case was not read"
        )
    normal = np.asarray(study.read[..., study.normal].any(axis=-1))
    abnormal = np.asarray(study.read[..., study.abnormal].any(axis=-1))
    for reader, name in enumerate(study.readers):
        if not (normal | abnormal)[reader].any():
            raise ContentError(f"reader {name} read nothing; leave them out, or find their ratings")
    one_sided = np.argwhere(normal != abnormal)
    if one_sided.size:
        reader, modality = one_sided[0]
        only = "normal" if normal[reader, modality] else "abnormal"
        raise ContentError(
            f"reader {study.readers[reader]} read only {only} cases in modality "
            f"{study.modalities[modality]}; a figure of merit needs both classes"
        )
    if not (normal | abnormal).any(axis=0).all():
        empty = np.flatnonzero(~(normal | abnormal).any(axis=0))[0]
        raise ContentError(f"modality {study.modalities[empty]}: nobody read it; leave it out")
