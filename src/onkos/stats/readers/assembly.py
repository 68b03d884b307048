"""A reader study put together from a long table: one row a reading, or one row a mark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.ranking import BoolArray
from onkos.stats.readers.ratings import Kind, MarkTable, ReaderStudy
from onkos.stats.readers.spelling import Named, require_spelled_alike
from onkos.stats.resampling import IntArray


class Readings(Named, Protocol):
    """Columns of a table of ratings, all of one length."""

    @property
    def truth(self) -> Sequence[bool]:
        """True where the case is abnormal."""

    @property
    def rating(self) -> Sequence[float]:
        """How suspicious; NaN where the case was read and nothing marked."""

    @property
    def mark(self) -> Sequence[str]:
        """Empty, ``NL`` (no lesion there), ``LL`` (a lesion) or ``LL_IL`` (wrong place, LROC)."""

    @property
    def lesion(self) -> Sequence[str]:
        """The lesion that an ``LL`` mark hit; empty where not told."""

    @property
    def seconds(self) -> Sequence[float]:
        """Reading time; NaN where not timed."""


def assemble(
    readings: Readings,
    *,
    kind: Kind | None = None,
    lesions: Mapping[str, Sequence[float]] | None = None,
) -> ReaderStudy:
    """Put the rows of a table into a study.

    In an FROC study a case without marks leaves no trace among the marks, nor does a lesion that
    nobody found. So ``lesions`` must list every case of the study with its lesions; each listed
    case counts as read by every reader in every modality they took part in.

    Parameters
    ----------
    readings
        The rows.
    kind
        What was asked of the readers; :func:`kind_of` if not given.
    lesions
        FROC only: the weights of the lesions of every case, an empty list for a normal one.

    Raises
    ------
    ContentError
        If a reading occurs twice, truth contradicts itself, a mark is unknown or impossible, an
        FROC table comes without the list of lesions, or names differ by leading zeros only.
    """
    if not len(readings.case):
        raise ContentError("ratings: no rows; expected one a reading")
    require_spelled_alike(readings, lesions)
    kind = kind_of(readings, lesions=lesions) if kind is None else kind
    axes = [_Axis(column) for column in (readings.reader, readings.modality)]
    case = _Axis([*readings.case, *(lesions or {})])
    truth = _truth(readings, case, lesions)
    rows = (axes[0].index, axes[1].index, case.index[: len(readings.case)])
    shape = (len(axes[0].names), len(axes[1].names), len(case.names))
    marks = None
    if kind == "ROC":
        highest = _one_rating_each(readings, rows, shape)
    elif kind == "LROC":
        marks, highest = _placed(readings, rows, shape, truth)
    else:
        marks, highest = _marked(readings, rows, shape, _Truth(truth, case.names, lesions))
    return ReaderStudy(
        kind=kind,
        readers=axes[0].names,
        modalities=axes[1].names,
        cases=case.names,
        truth=truth,
        highest=highest,
        marks=marks,
        seconds=_seconds(readings, rows, shape),
    )


def kind_of(readings: Readings, *, lesions: Mapping[str, Sequence[float]] | None = None) -> Kind:
    """Tell from marks what kind of study a table holds.

    A list of lesions makes it FROC, a mark ``LL_IL`` LROC. It is ROC where no row is marked, or
    where every reader has exactly one rating of every case in every modality and ``NL`` stands
    at normal and ``LL`` at abnormal cases only. Anything else is FROC, and then needs the list
    of lesions.
    """
    if lesions is not None:
        return "FROC"
    if "LL_IL" in readings.mark:
        return "LROC"
    rows = set(zip(readings.reader, readings.modality, readings.case, strict=True))
    sizes = [len(set(column)) for column in (readings.reader, readings.modality, readings.case)]
    crossed = len(rows) == len(readings.case) == math.prod(sizes)
    expected = all(
        mark in ("", "LL" if abnormal else "NL")
        for mark, abnormal in zip(readings.mark, readings.truth, strict=True)
    )
    plain = all(mark == "" for mark in readings.mark)
    rated = not np.isnan(np.asarray(readings.rating, dtype=np.float64)).any()
    return "ROC" if plain or (crossed and expected and rated) else "FROC"


class _Axis:
    """Names in order (numbers as numbers) and where each row stands among them."""

    def __init__(self, column: Sequence[str]) -> None:
        self.names = tuple(sorted(dict.fromkeys(column), key=_natural))
        place = {name: number for number, name in enumerate(self.names)}
        self.index: IntArray = np.array([place[name] for name in column], dtype=np.intp)


class _Truth:
    """What is known of each case: abnormal or not, and the weights of its lesions."""

    def __init__(
        self,
        abnormal: BoolArray,
        names: tuple[str, ...],
        lesions: Mapping[str, Sequence[float]] | None,
    ) -> None:
        self.abnormal = abnormal
        if lesions is None:
            raise ContentError(
                "free-response marks alone: cases nobody marked and lesions nobody found cannot "
                "be counted; give the list of cases and lesions (--lesions FILE, a table with "
                "columns case, lesions, 0 for a normal case, and weights where lesions weigh "
                "differently)"
            )
        if missing := [name for name in names if name not in lesions]:
            raise ContentError(f"case {missing[0]} has ratings but is not in the list of lesions")
        most = max(len(weights) for weights in lesions.values())
        self.weight: FloatArray = np.zeros((len(names), max(most, 1)))
        for number, name in enumerate(names):
            weights = np.asarray(lesions[name], dtype=np.float64)
            if weights.size and not (np.isfinite(weights).all() and (weights > 0).all()):
                raise ContentError(
                    f"case {name}: lesion weights {list(lesions[name])}; expected > 0"
                )
            self.weight[number, : weights.size] = weights / max(weights.sum(), 1e-300)
        self.lesions = np.count_nonzero(self.weight, axis=1)
        self.equal = all(len(set(weights)) <= 1 for weights in lesions.values())


def _natural(name: str) -> tuple[int, float, str]:
    """Order numbers by value and before other names."""
    try:
        value = float(name)
    except ValueError:
        return (1, 0.0, name)
    return (0, value, name) if math.isfinite(value) else (1, 0.0, name)


def _truth(
    readings: Readings, case: _Axis, lesions: Mapping[str, Sequence[float]] | None
) -> BoolArray:
    """Truth of each case; refuses a case that is called both."""
    known: dict[str, bool] = {name: len(found) > 0 for name, found in (lesions or {}).items()}
    for row, (name, abnormal) in enumerate(zip(readings.case, readings.truth, strict=True)):
        if known.setdefault(name, abnormal) != abnormal:
            raise ContentError(
                f"case {name}: truth {int(abnormal)} in row {row + 1} and {int(not abnormal)} "
                "elsewhere; one case has one truth"
            )
    return np.array([known[name] for name in case.names], dtype=np.bool_)


def _where(readings: Readings, row: int) -> str:
    return (
        f"reader {readings.reader[row]}, modality {readings.modality[row]}, "
        f"case {readings.case[row]} (row {row + 1})"
    )


def _one_rating_each(
    readings: Readings, rows: tuple[IntArray, ...], shape: tuple[int, ...]
) -> FloatArray:
    """Ratings of an ROC study; refuses a second rating and an absent one."""
    rating = np.asarray(readings.rating, dtype=np.float64)
    if not np.isfinite(rating).all():
        row = int(np.flatnonzero(~np.isfinite(rating))[0])
        raise ContentError(
            f"{_where(readings, row)}: rating {rating[row]}; expected a number, leave an unread "
            "case out"
        )
    flat = np.ravel_multi_index(rows, shape)
    order = np.argsort(flat, kind="stable")
    again = np.flatnonzero(np.diff(flat[order]) == 0)
    if again.size:
        row = int(order[again[0] + 1])
        raise ContentError(f"{_where(readings, row)}: read twice; one rating a reading")
    highest = np.full(shape, np.nan)
    highest[rows] = rating
    return highest


def _placed(
    readings: Readings,
    rows: tuple[IntArray, ...],
    shape: tuple[int, ...],
    abnormal: BoolArray,
) -> tuple[MarkTable, FloatArray]:
    """Marks of an LROC study: one a normal case, one right or wrong place on an abnormal case.

    A table may give both places for an abnormal case: the lower rating is then a placeholder, and
    of two equal ones the right place is.
    """
    false, lesion = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, (mark, rating) in enumerate(zip(readings.mark, readings.rating, strict=True)):
        place = (rows[0][row], rows[1][row], rows[2][row])
        wanted = ("LL", "LL_IL") if abnormal[place[2]] else ("NL",)
        if mark not in wanted or not np.isfinite(rating):
            raise ContentError(
                f"{_where(readings, row)}: mark {mark!r} rated {rating}; expected "
                f"{' or '.join(wanted)} with a finite rating"
            )
        table = lesion if mark == "LL" else false
        if not np.isnan(table[place]):
            raise ContentError(f"{_where(readings, row)}: marked twice; LROC has one mark a case")
        table[place] = rating
    read = ~(np.isnan(false) & np.isnan(lesion))
    lesion[lesion <= false] = np.nan
    false[false < lesion] = np.nan
    false, lesion = np.nan_to_num(false, nan=-np.inf), np.nan_to_num(lesion, nan=-np.inf)
    highest = np.where(read, np.maximum(false, lesion), np.nan)
    weight = abnormal.astype(np.float64)[:, None]
    return MarkTable(false=false[..., None], lesion=lesion[..., None], weight=weight), highest


def _marked(
    readings: Readings, rows: tuple[IntArray, ...], shape: tuple[int, ...], truth: _Truth
) -> tuple[MarkTable, FloatArray]:
    """Marks of an FROC study."""
    took_part = np.zeros(shape[:2], dtype=np.bool_)
    took_part[rows[0], rows[1]] = True
    false: dict[tuple[int, ...], list[float]] = {}
    found: dict[tuple[int, ...], dict[str, float]] = {}
    for row, (mark, rating) in enumerate(zip(readings.mark, readings.rating, strict=True)):
        place = (int(rows[0][row]), int(rows[1][row]), int(rows[2][row]))
        if mark == "" and np.isnan(rating):
            continue
        if mark not in ("NL", "LL") or not np.isfinite(rating):
            raise ContentError(
                f"{_where(readings, row)}: mark {mark!r} rated {rating}; expected NL or LL with a "
                "finite rating, or both empty where nothing was marked"
            )
        if mark == "NL":
            false.setdefault(place, []).append(rating)
        else:
            hits = found.setdefault(place, {})
            _hit(hits, readings, (row, place[2]), truth)
    most = max((len(ratings) for ratings in false.values()), default=1)
    marks = MarkTable(
        false=_padded(false, (*shape, most)),
        lesion=np.full((*shape, truth.weight.shape[1]), -np.inf),
        weight=truth.weight,
    )
    for where, hits in found.items():
        for slot, (name, rating) in enumerate(hits.items()):
            marks.lesion[(*where, slot if truth.equal else int(name) - 1)] = rating
    highest = np.maximum(marks.highest_false, marks.lesion.max(axis=-1))
    highest[~took_part] = np.nan
    return marks, highest


def _hit(hits: dict[str, float], readings: Readings, where: tuple[int, int], truth: _Truth) -> None:
    """Note a lesion as found; refuses more lesions than there are, and one found twice."""
    row, number = where
    there = int(truth.lesions[number])
    name = readings.lesion[row] or (f"#{len(hits) + 1}" if truth.equal else "")
    if not truth.equal and (not name.isdigit() or not 1 <= int(name) <= there):
        raise ContentError(
            f"{_where(readings, row)}: lesion {name!r}; the lesions weigh differently, name each "
            f"one hit by its number, 1 to {there}"
        )
    if name in hits or len(hits) >= there:
        raise ContentError(
            f"{_where(readings, row)}: lesion mark {len(hits) + 1} on a case with {there} "
            "lesions; one LL mark a lesion, further ones are dropped by the scoring"
        )
    hits[name] = readings.rating[row]


def _padded(marks: Mapping[tuple[int, ...], Iterable[float]], shape: tuple[int, ...]) -> FloatArray:
    """Lists of ratings as one array, minus infinity where a list is shorter."""
    table = np.full(shape, -np.inf)
    for place, ratings in marks.items():
        for slot, rating in enumerate(ratings):
            table[(*place, slot)] = rating
    return table


def _seconds(
    readings: Readings, rows: tuple[IntArray, ...], shape: tuple[int, ...]
) -> FloatArray | None:
    """Reading times; the last of several rows of one reading counts, all must agree."""
    seconds = np.asarray(readings.seconds, dtype=np.float64)
    timed = np.flatnonzero(~np.isnan(seconds))
    if not timed.size:
        return None
    table = np.full(shape, np.nan)
    for row in timed:
        if not 0 < seconds[row] < np.inf:
            raise ContentError(f"{_where(readings, int(row))}: {seconds[row]} s; expected > 0")
        place = (rows[0][row], rows[1][row], rows[2][row])
        if not np.isnan(table[place]) and table[place] != seconds[row]:
            raise ContentError(
                f"{_where(readings, int(row))}: {seconds[row]} s here and {table[place]} s in an "
                "earlier row; one reading has one time"
            )
        table[place] = seconds[row]
    return table
