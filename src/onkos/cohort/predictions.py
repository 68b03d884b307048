"""Finished predictions as a table, and as a folder of outlines, matched with their cohort."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from onkos.cohort.ratings import rows_under
from onkos.cohort.table import named_labels
from onkos.core.case import Case, Cohort
from onkos.core.errors import CohortError, ContentError
from onkos.core.mask import Mask
from onkos.io import outline

_NEEDED = ("case", "patient")
_PREFIX = "p_"
_ROUNDED = 0.005  # probabilities written with two decimals
_ENDING = ".nii.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedCase:
    """What was predicted of one case.

    Parameters
    ----------
    case, patient
        Which one.
    line
        Of the table where it stands (first).
    classes
        Probability of each class, summing to 1; of one class alone where only it is given.
    risks
        Time to predicted risk; the time is NaN where the table tells none.
    """

    case: str
    patient: str
    line: int
    classes: Mapping[str, float] = field(default_factory=dict)
    risks: Mapping[float, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", MappingProxyType(dict(self.classes)))
        object.__setattr__(self, "risks", MappingProxyType(dict(self.risks)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """A table of predictions.

    Parameters
    ----------
    path
        Where it was read from.
    cases
        Case to what was predicted of it.
    classes
        Names of the ``p_`` columns, in their order.
    surviving
        Whether there is a column ``risk``.
    sha256
        Of the file.
    """

    path: Path
    cases: Mapping[str, PredictedCase]
    classes: tuple[str, ...]
    surviving: bool
    sha256: str


def load_predictions(path: Path) -> Predictions:
    """Read a table of predictions, comma-separated UTF-8, plain or ``.gz``.

    Columns: ``case``, ``patient`` and either ``p_<class>`` for every class (a probability; for
    two classes one column is enough), or ``risk`` (higher: an earlier event). With a column
    ``time`` beside it, ``risk`` is the probability of the event by that time, and a case has one
    row for each time. Further columns are left alone. A case that got no answer is left out of
    the table: it then counts as missed.

    Raises
    ------
    CohortError
        If a column is missing, a case stands twice, or a cell holds no number, with its line.
    ContentError
        If a probability is not between 0 and 1 or those of a case do not sum to 1, with its
        line.
    """
    header, rows = rows_under(path, _NEEDED)
    classes = tuple(name.removeprefix(_PREFIX) for name in header if name.startswith(_PREFIX))
    found: dict[str, PredictedCase] = {}
    for line, row in rows:
        where = f"{path}, line {line}"
        if not row["case"] or not row["patient"]:
            raise CohortError(f"{where}: case and patient must not be empty")
        time = _number("time", row["time"], where) if row.get("time") else math.nan
        made = PredictedCase(
            case=row["case"],
            patient=row["patient"],
            line=line,
            classes=_probabilities(row, classes, where),
            risks={time: _number("risk", row["risk"], where)} if "risk" in row else {},
        )
        before = found.get(made.case)
        found[made.case] = made if before is None else _further(before, made, where)
    return Predictions(
        path=path,
        cases=MappingProxyType(found),
        classes=classes,
        surviving="risk" in header,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def require_known(predictions: Predictions, cohort: Cohort) -> None:
    """Refuse predictions of cases that the truth does not have, or of another patient.

    Raises
    ------
    CohortError
        With the line of the first such prediction.
    """
    patients = {case.id: case.patient for case in cohort.cases}
    for made in predictions.cases.values():
        where = f"{predictions.path}, line {made.line}: case {made.case!r}"
        if made.case not in patients:
            raise CohortError(
                f"{where} is not among the {len(patients)} cases of the truth, {cohort.name}; "
                "correct its name, or take the row out"
            )
        if made.patient != patients[made.case]:
            raise CohortError(
                f"{where} is of patient {made.patient!r} here and of patient "
                f"{patients[made.case]!r} in the truth; correct the one that is wrong"
            )


def require_classes(predictions: Predictions, cohort: Cohort) -> tuple[str, ...]:
    """Match the ``p_`` columns with the classes of the truth, and name all classes.

    Of two classes one column is enough; the other class has what is left to 1.

    Raises
    ------
    CohortError
        If a case has no reference class, a class of the truth has no column, or a column is of
        a class that no case of the truth has.
    """
    without = [case.id for case in cohort.cases if case.target is None]
    if without:
        raise CohortError(
            f"truth {cohort.name}: {len(without)} cases have no reference class, first "
            f"{without[:5]}; name its column with --target, or take these cases out"
        )
    true = tuple(dict.fromkeys(case.target or "" for case in cohort.cases))
    header = f"{predictions.path}, line 1"
    unknown = [name for name in predictions.classes if name not in true]
    if unknown:
        raise CohortError(
            f"{header}: no case of the truth is of class {unknown[0]!r}, as column "
            f"{_PREFIX}{unknown[0]} has it; expected classes {sorted(true)}"
        )
    absent = [name for name in true if name not in predictions.classes]
    if len(predictions.classes) == 1 and len(true) == 2:
        return (*predictions.classes, *absent)
    if absent:
        raise CohortError(
            f"{header}: no column {_PREFIX}{absent[0]} for class {absent[0]!r} of the truth; "
            f"expected columns {[_PREFIX + name for name in sorted(true)]}"
        )
    return predictions.classes


def find_outlines(
    folder: Path, cohort: Cohort, *, table: Path
) -> Mapping[str, Callable[[], Mask] | None]:
    """Find the predicted outline ``<case>.nii.gz`` of every case that has a reference one.

    Parameters
    ----------
    folder
        Where the outlines lie.
    cohort
        The truth.
    table
        Its table; ``labels.json`` beside it names the values of predicted outlines, too.

    Returns
    -------
    mapping
        Case to what reads its outline; None where there is none, which counts as missed.

    Raises
    ------
    CohortError
        If there is no such folder, no case has a reference outline, or an outline is of a case
        that is not in the truth or has no reference there.
    """
    if not folder.is_dir():
        raise CohortError(f"{folder}: no such folder; expected outlines CASE{_ENDING} in it")
    judged = {case.id: case for case in cohort.cases if case.outlined}
    if not judged:
        raise CohortError(f"truth {cohort.name}: no case has a mask to judge {folder} against")
    given = {path.name.removesuffix(_ENDING): path for path in sorted(folder.glob(f"*{_ENDING}"))}
    stray = sorted(set(given) - set(judged))
    if stray:
        known = any(case.id == stray[0] for case in cohort.cases)
        why = "has no mask in the truth" if known else "is not a case of the truth"
        raise CohortError(
            f"{given[stray[0]]}: {stray[0]!r} {why}, {cohort.name}; correct the name, or take "
            "the file out of the folder"
        )
    labels = named_labels(table.parent / "labels.json")
    return {
        name: partial(outline.read, given[name], labels=labels, study=case.load)
        if name in given
        else None
        for name, case in judged.items()
    }


def follow_up(cases: Sequence[Case]) -> tuple[list[float], list[bool]]:
    """Times and events of the truth's columns ``time`` and ``event``.

    Raises
    ------
    CohortError
        If a case lacks one, or it cannot be understood.
    """
    times, events = [], []
    for case in cases:
        time, event = case.covariates.get("time", ""), case.covariates.get("event", "")
        known = _EVENT.get(event.lower(), _EVENT.get(event.removesuffix(".0")))
        try:
            followed = float(time)
        except ValueError:
            followed = math.nan
        if known is None or not (math.isfinite(followed) and followed >= 0):
            raise CohortError(
                f"truth, case {case.id!r}: time {time!r} and event {event!r}; expected a time "
                "not below 0, and 1 where the event was seen, 0 where the patient was censored"
            )
        times.append(followed)
        events.append(known)
    return times, events


_EVENT = {"0": False, "1": True, "no": False, "yes": True, "false": False, "true": True}


def _probabilities(
    row: Mapping[str, str], classes: tuple[str, ...], where: str
) -> dict[str, float]:
    """Probabilities of a row, rescaled to sum to 1 exactly where they do but for rounding."""
    found = {name: _number(f"{_PREFIX}{name}", row[f"{_PREFIX}{name}"], where) for name in classes}
    wrong = [name for name, p in found.items() if not 0 <= p <= 1]
    if wrong:
        raise ContentError(
            f"{where}: {_PREFIX}{wrong[0]} is {found[wrong[0]]:g}; expected a probability from 0 "
            "to 1"
        )
    total = sum(found.values())
    if len(found) < 2:
        return found
    if abs(total - 1) > _ROUNDED * len(found) + 1e-9:
        raise ContentError(
            f"{where}: probabilities {list(found.values())} sum to {total:g}; expected 1"
        )
    return {name: p / total for name, p in found.items()}


def _further(before: PredictedCase, made: PredictedCase, where: str) -> PredictedCase:
    """A second row of a case: another time of its risk, or a mistake."""
    (time,) = made.risks or (math.nan,)
    again = any(time == other or math.isnan(other) for other in before.risks)
    if made.classes or math.isnan(time) or again or not before.risks:
        raise CohortError(
            f"{where}: case {made.case!r} stands on line {before.line}, too; expected each case "
            "once (of several arms keep one; of risks at several times each time once)"
        )
    if made.patient != before.patient:
        raise CohortError(
            f"{where}: case {made.case!r} is of patient {made.patient!r} here and of "
            f"{before.patient!r} on line {before.line}"
        )
    return PredictedCase(
        case=before.case,
        patient=before.patient,
        line=before.line,
        risks={**before.risks, **made.risks},
    )


def _number(name: str, cell: str, where: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise CohortError(
            f"{where}: {name} is {cell!r}; expected a number. Leave the whole row out of a case "
            "without an answer: it then counts as missed"
        )
    return number
