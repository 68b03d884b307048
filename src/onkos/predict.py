"""Apply a fitted model to every case of a cohort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from onkos.core.case import Cohort
from onkos.core.comparison import Answered, Predicted
from onkos.core.desk import PLAIN, Desk
from onkos.core.errors import ModelError, OnkosError
from onkos.core.protocols import Model
from onkos.work.piece import answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A case that the model would not answer, and why."""

    case: str
    error: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Predictions of a model, and the cases it refused."""

    predicted: Predicted
    refused: tuple[Refused, ...]


def require_columns(model: Model, cohort: Cohort) -> None:
    """Refuse a cohort that lacks a column which the model looks at: it is not a missing value.

    Raises
    ------
    ModelError
        If no case has anything in one of these columns.
    """
    options = model.card.settings.get("options", {})
    needed = options.get("columns", ()) if isinstance(options, Mapping) else ()
    known = {name for case in cohort.cases for name in case.covariates}
    lacking = [name for name in needed if name not in known]
    if lacking:
        raise ModelError(
            f"{model.card.arm}: the model needs columns {lacking}, which no case of "
            f"{cohort.name} has; it has {sorted(known)[:20]}. Give them the names they had when "
            "the model was fitted"
        )


def predict(model: Model, cohort: Cohort, *, folder: Path | str, desk: Desk = PLAIN) -> Applied:
    """Apply a model to every case; refused ones are listed and do not stop the others.

    Parameters
    ----------
    model
        A fitted model.
    cohort
        The cases; their truth is not looked at, but for an outline that a classifier is to
        characterise.
    folder
        Where outlines are kept.
    desk
        Threads, cache, and whom to tell of progress.
    """
    require_columns(model, cohort)
    done: list[Answered] = []
    refused = []
    for number, case in enumerate(cohort.cases, start=1):
        try:
            done.append(answered(model, case, Path(folder), fold=0, desk=desk))
        except OnkosError as error:
            refused.append(Refused(case=case.id, error=type(error).__name__, reason=str(error)))
        desk.tell(number, len(cohort.cases), "predicting")
    return Applied(
        predicted=Predicted(name=model.card.arm, repeats=(tuple(done),)), refused=tuple(refused)
    )
