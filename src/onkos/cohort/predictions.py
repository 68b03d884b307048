"""Finished predictions as a table, and as a folder of outlines, matched with their cohort."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from onkos.cohort.kept import kept_image, kept_outline
from onkos.cohort.marked import is_detections, load_findings
from onkos.cohort.ratings import rows_under
from onkos.cohort.table import named_labels
from onkos.core.answers import (
    Answer,
    ClassProbabilities,
    Findings,
    KeptImage,
    KeptOutline,
    Risk,
)
from onkos.core.case import Cohort
from onkos.core.comparison import Answered, Predicted
from onkos.core.errors import CohortError, ContentError
from onkos.core.mask import Mask
from onkos.core.task import Task
from onkos.io import outline

PREDICTIONS, DETECTIONS = "predictions.csv", "detections.csv"

_NEEDED = ("case", "patient")
_PREFIX = "p_"
_ROUNDED = 0.005  # probabilities written with two decimals
_EXACT = 1e-9
_ENDINGS = (".nii.gz", ".nii")

Outlines = Mapping[str, Callable[[], Mask] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedCase:
    """What one model predicted of one case.

    Parameters
    ----------
    case, patient
        Which one.
    line
        Of the table where it stands (first).
    arm, repeat, fold
        Which model, in which draw of the folds (from 0), held out in which fold (from 0).
    classes, threshold
        Probability of each class, summing to 1; of one class alone where only it is given. And
        the probability from which the model calls the positive class.
    risks
        Time to predicted risk; the time is NaN where the table tells none.
    outlined, imaged
        Its outline, and the image made of it, where the table names a file.
    """

    case: str
    patient: str
    line: int
    arm: str = ""
    repeat: int = 0
    fold: int = 0
    classes: Mapping[str, float] = field(default_factory=dict)
    threshold: float | None = None
    risks: Mapping[float, float] = field(default_factory=dict)
    outlined: KeptOutline | None = None
    imaged: KeptImage | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", MappingProxyType(dict(self.classes)))
        object.__setattr__(self, "risks", MappingProxyType(dict(self.risks)))

    @property
    def answers(self) -> dict[Task, Answer]:
        """The same by task."""
        found: dict[Task, Answer] = {}
        if self.classes:
            said = ClassProbabilities(of=self.classes, threshold=self.threshold)
            found[Task.CLASSIFY] = said
        if self.risks:
            scored = [risk for time, risk in self.risks.items() if math.isnan(time)]
            by = {time: risk for time, risk in self.risks.items() if not math.isnan(time)}
            found[Task.PROGNOSE] = Risk(score=scored[0] if scored else math.nan, by=by)
        if self.outlined is not None:
            found[Task.SEGMENT] = self.outlined
        if self.imaged is not None:
            found[Task.RECONSTRUCT] = self.imaged
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """A table of predictions.

    Parameters
    ----------
    path
        Where it was read from.
    rows
        Every case of every model and repeat, in the order of the table.
    marks
        Lesions marked, by model, repeat and case; None without a table of them.
    sha256
        Of the file.
    """

    path: Path
    rows: tuple[PredictedCase, ...]
    sha256: str
    marks: Mapping[tuple[str, int, str], Findings] | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        """Models, in order of first appearance; one of no name is named by the file."""
        return tuple(dict.fromkeys(one.arm for one in self.rows))

    def predicted(self, outlines: Outlines | None = None) -> tuple[Predicted, ...]:
        """Predictions of each model, ready to be judged.

        Parameters
        ----------
        outlines
            Outlines in a folder of their own, as :func:`find_outlines` finds them, where the
            table is of one model and names no files.
        """
        return tuple(self._of(arm, outlines) for arm in self.arms or ("",))

    def _of(self, arm: str, outlines: Outlines | None) -> Predicted:
        mine = [one for one in self.rows if one.arm == arm]
        repeats = sorted({one.repeat for one in mine}) or [0]
        return Predicted(
            name=arm or self.path.name,
            repeats=tuple(
                tuple(
                    _with_outlines(
                        [self._answered(one) for one in mine if one.repeat == repeat], outlines
                    )
                )
                for repeat in repeats
            ),
        )

    def _answered(self, one: PredictedCase) -> Answered:
        answers = one.answers
        found = (self.marks or {}).get((one.arm, one.repeat, one.case))
        if found is not None:
            answers[Task.DETECT] = found
        return Answered(case=one.case, patient=one.patient, fold=one.fold, answers=answers)


def load_predictions(path: Path | str) -> Predictions:
    """Read a table of predictions, comma-separated UTF-8, plain or ``.gz``, or a result folder.

    Columns: ``case``, ``patient`` and ``p_<class>`` for every class (for two one is enough), with
    ``threshold`` where the model calls a case positive from another probability than 0.5; or
    ``risk`` (higher: an earlier event), with a column ``time`` beside it the probability of the
    event by that time, and a case has one row for each time; or ``mask``, the file of an outline,
    relative to the table. Several models stand under each other with a column ``arm``, several
    draws of the folds with ``repeat``, and ``fold`` tells where a case was held out. Further
    columns are left alone. A case that got no answer is left out: it counts as missed. A folder has
    ``predictions.csv`` and ``detections.csv``, also read alone: :mod:`onkos.cohort.marked`.

    Raises
    ------
    CohortError
        If a column is missing, a case stands twice, or a cell holds no number, with its line.
    ContentError
        If a probability is not between 0 and 1 or those of a case do not sum to 1, with its
        line.
    """
    path = Path(path)
    table = path / PREDICTIONS if path.is_dir() else path
    header, rows = rows_under(table, _NEEDED)
    classes = tuple(name.removeprefix(_PREFIX) for name in header if name.startswith(_PREFIX))
    alone = not (path.is_dir() or classes) and is_detections(header)
    found: dict[tuple[str, int, str], PredictedCase] = {}
    for line, row in rows:
        where = f"{table}, line {line}"
        made = _case(row, classes, line=line, table=table)
        key = made.arm, made.repeat, made.case
        before = found.get(key)
        further = _same_case if alone else _further
        found[key] = made if before is None else further(before, made, where)
    marks = table if alone else path / DETECTIONS if path.is_dir() else None
    return Predictions(
        path=table,
        rows=tuple(found.values()),
        sha256=hashlib.sha256(table.read_bytes()).hexdigest(),
        marks=load_findings(marks) if marks is not None and marks.is_file() else None,
    )


def require_known(predictions: Predictions, cohort: Cohort) -> None:
    """Refuse predictions of cases that the truth does not have, or of another patient.

    Raises
    ------
    CohortError
        With the line of the first such prediction.
    """
    patients = {case.id: case.patient for case in cohort.cases}
    for made in predictions.rows:
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


def find_outlines(folder: Path, cohort: Cohort, *, table: Path) -> Outlines:
    """Find the predicted outline ``<case>.nii.gz`` of every case with a reference one.

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
        raise CohortError(f"{folder}: no such folder; expected outlines CASE.nii.gz in it")
    judged = {case.id: case for case in cohort.cases if case.outlined}
    if not judged:
        raise CohortError(f"truth {cohort.name}: no case has a mask to judge {folder} against")
    given = {}
    for path in sorted(folder.iterdir()):
        ending = next((end for end in _ENDINGS if path.name.endswith(end)), None)
        if ending is not None:
            given[path.name.removesuffix(ending)] = path
    if not given:
        raise CohortError(
            f"{folder}: no outline in it; expected CASE.nii.gz (or CASE.nii) for each case, e.g. "
            f"{next(iter(judged))}.nii.gz"
        )
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


def _case(
    row: Mapping[str, str], classes: tuple[str, ...], *, line: int, table: Path
) -> PredictedCase:
    """One row of the table."""
    where = f"{table}, line {line}"
    if not row["case"] or not row["patient"]:
        raise CohortError(f"{where}: case and patient must not be empty")
    time = _number("time", row["time"], where) if row.get("time") else math.nan
    given = [name for name in classes if row[f"{_PREFIX}{name}"]]
    threshold = row.get("threshold", "")
    return PredictedCase(
        case=row["case"],
        patient=row["patient"],
        line=line,
        arm=row.get("arm", ""),
        repeat=_counted("repeat", row, where),
        fold=_counted("fold", row, where),
        classes=_probabilities(row, classes, where) if given or "arm" not in row else {},
        threshold=_number("threshold", threshold, where) if threshold else None,
        risks={time: _number("risk", row["risk"], where)} if row.get("risk") else {},
        outlined=kept_outline(row, table, where) if row.get("mask") else None,
        imaged=kept_image(row, table, where) if row.get("image_role") else None,
    )


def _counted(name: str, row: Mapping[str, str], where: str) -> int:
    """A number that counts from 1 in tables and from 0 here; 0 where it is not given."""
    text = row.get(name, "")
    if not text:
        return 0
    number = _number(name, text, where)
    if number < 1 or number != int(number):
        raise CohortError(f"{where}: {name} is {text!r}; expected a whole number from 1 on")
    return int(number) - 1


def _with_outlines(answered: list[Answered], outlines: Outlines | None) -> list[Answered]:
    """Put the outlines of a folder beside what the table says, or alone."""
    if outlines is None:
        return answered
    known = {one.case: one for one in answered}
    made = []
    for case, load in outlines.items():
        before = known.pop(case, Answered(case=case, patient="", answers={}))
        if load is None:
            made.append(before)
        else:
            kept = KeptOutline(load=load)
            made.append(replace(before, answers={**before.answers, Task.SEGMENT: kept}))
    return [one for one in [*made, *known.values()] if one.answers]


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
    if abs(total - 1) <= _EXACT:
        return found
    return {name: p / total for name, p in found.items()}


def _further(before: PredictedCase, made: PredictedCase, where: str) -> PredictedCase:
    """A second row of a case: another time of its risk, or a mistake."""
    (time,) = made.risks or (math.nan,)
    again = any(time == other or math.isnan(other) for other in before.risks)
    if made.classes or math.isnan(time) or again or not before.risks:
        raise CohortError(
            f"{where}: case {made.case!r} stands on line {before.line}, too; expected each case "
            "once for each arm and repeat (of risks at several times each time once)"
        )
    return replace(_same_case(before, made, where), risks={**before.risks, **made.risks})


def _same_case(before: PredictedCase, made: PredictedCase, where: str) -> PredictedCase:
    """Another row of a case, e.g. a further mark: of the same patient, from the same fold."""
    if made.patient != before.patient or made.fold != before.fold:
        raise CohortError(
            f"{where}: case {made.case!r} is of patient {made.patient!r}, fold {made.fold + 1} "
            f"here and of {before.patient!r}, fold {before.fold + 1} on line {before.line}"
        )
    return before


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
