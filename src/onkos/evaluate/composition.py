"""Predictions judged against a cohort: every metric with its interval, overall and by subgroup."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from onkos.cohort.predictions import Predictions, require_known
from onkos.core.case import Cohort
from onkos.core.errors import UsageError
from onkos.core.evaluation import Evaluation, Interaction
from onkos.core.mask import Mask
from onkos.core.reading import Provenance
from onkos.core.source import Caveat
from onkos.core.version import __version__
from onkos.evaluate import classes, outlines, survival
from onkos.evaluate.part import LEVEL, Metrics, Part, Settings
from onkos.report.figures import Drawing, Sample
from onkos.stats.subgroups import age_groups, subgroups

_AGE_EDGES = (40.0, 65.0)
_MOST_SUBGROUPS = 8
_FOLLOW_UP = ("time", "event")
_UNKNOWN = "not known"
DEFAULT = Settings()

Outlines = Mapping[str, Callable[[], Mask] | None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """An evaluation and the figures of its report."""

    evaluation: Evaluation
    drawings: tuple[Drawing, ...]


def evaluate(
    predictions: Predictions,
    cohort: Cohort,
    *,
    masks: Outlines | None = None,
    settings: Settings = DEFAULT,
    seed: int = 0,
    done: Callable[[int, int], None] = lambda _finished, _total: None,
) -> Evaluated:
    """Judge finished predictions against cases with known answers.

    Whatever the predictions hold is judged: probabilities of classes against ``target``, risks
    against ``time`` and ``event``, outlines against ``mask``. Every case of the truth counts; one
    without a prediction counts as the worst there is, and is listed.

    Parameters
    ----------
    predictions
        As read by :func:`onkos.cohort.predictions.load_predictions`.
    cohort
        The truth.
    masks
        Predicted outlines, as found by :func:`onkos.cohort.predictions.find_outlines`.
    settings
        Tolerance of surfaces, threshold of calls, and the like.
    seed
        Of the resampling.
    done
        Called after each outline with (finished, all).

    Returns
    -------
    Evaluated
        Metrics with 95 % intervals by patient, the same by subgroup (site, sex, age and every
        other column of few values), tests whether the main metric differs between them.

    Raises
    ------
    UsageError
        If there is nothing to judge.
    CohortError, ContentError, GeometryError
        If predictions and truth do not fit together; the sentence names the line or the case.
    """
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    require_known(predictions, cohort)
    parts, caveats = _parts(predictions, cohort, masks, settings, seed=seed, done=done)
    unanswered = tuple(
        dict.fromkeys(one.case for part in parts for one in part.judged if not one.answered)
    )
    metrics: Metrics = {}
    drawings: list[Drawing] = []
    for part in parts:
        found = part.measure(part.everyone)
        metrics |= found
        drawings += part.draw(_sample(part, cohort), found)
    attributes = _attributes(cohort)
    evaluation = Evaluation(
        predictions=predictions.path.name,
        cohort=cohort.name,
        tasks=tuple(part.task for part in parts),
        simulated=cohort.simulated,
        patients=len(cohort.patients),
        cases=len(cohort.cases),
        metrics=metrics,
        subgroups=_by_subgroup(parts, attributes),
        interactions=tuple(one for part in parts for one in _interactions(part, attributes)),
        unanswered=unanswered,
        judged=tuple(one for part in parts for one in part.judged),
        caveats=(*_general(cohort, unanswered), *caveats),
        provenance=Provenance(
            version=__version__,
            model="",
            weights_sha256="",
            inputs=(predictions.sha256, cohort.fingerprint),
            settings={**asdict(settings), "level": LEVEL},
            seed=seed,
            created=started,
        ),
        classes=next((part.classes for part in parts if part.classes), ()),
        positive=next((part.positive for part in parts if part.positive), ""),
        main={part.task: part.main for part in parts},
    )
    return Evaluated(evaluation=evaluation, drawings=tuple(drawings))


def _parts(
    predictions: Predictions,
    cohort: Cohort,
    masks: Outlines | None,
    settings: Settings,
    *,
    seed: int,
    done: Callable[[int, int], None],
) -> tuple[list[Part], list[Caveat]]:
    """Every task there is something for."""
    found: list[Part] = []
    caveats: list[Caveat] = []
    targets = any(case.target is not None for case in cohort.cases)
    if predictions.classes and (targets or masks is None):
        found.append(classes.part(predictions, cohort, settings, seed=seed))
    elif predictions.classes:
        text = "The truth has no reference classes: the predicted probabilities are not judged."
        caveats.append(Caveat(code="no-classes", text=text))
    if predictions.surviving:
        found.append(survival.part(predictions, cohort, seed=seed))
    if masks is not None:
        found.append(outlines.part(cohort, masks, settings, seed=seed, done=done))
    if not found:
        raise UsageError(
            f"{predictions.path}: no columns p_CLASS and no column risk; give them, or a folder "
            "of outlines with --masks"
        )
    return found, [*caveats, *(caveat for part in found for caveat in part.caveats)]


def _sample(part: Part, cohort: Cohort) -> Sample:
    patients = len({case.patient for case in part.cases})
    return Sample(n=patients, missed=part.missed, phantom=cohort.simulated)


def _attributes(cohort: Cohort) -> dict[str, dict[str, str]]:
    """Column to case to value, of columns with two to eight values."""
    columns = dict.fromkeys(name for case in cohort.cases for name in case.covariates)
    found = {"site": {case.id: case.site for case in cohort.cases}}
    found |= {
        name: {case.id: case.covariates.get(name, "") for case in cohort.cases}
        for name in columns
        if name not in _FOLLOW_UP
    }
    if "age" in found:
        found["age"] = _ages(found["age"])
    told = {
        name: {case: value or _UNKNOWN for case, value in values.items()}
        for name, values in found.items()
    }
    return {
        name: values
        for name, values in told.items()
        if 2 <= len(set(values.values())) <= _MOST_SUBGROUPS
    }


def _ages(values: Mapping[str, str]) -> dict[str, str]:
    """Age groups in years; what is no number is not known."""
    years = {}
    for case, text in values.items():
        try:
            years[case] = float(text)
        except ValueError:
            years[case] = math.nan
    known = {case: age for case, age in years.items() if math.isfinite(age)}
    named = dict(zip(known, age_groups(list(known.values()), edges=_AGE_EDGES), strict=True))
    return {case: named.get(case, "") for case in values}


def _by_subgroup(
    parts: Sequence[Part], attributes: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, Metrics]]:
    """All metrics of the cases of each subgroup."""
    found: dict[str, dict[str, Metrics]] = {}
    for column, values in attributes.items():
        found[column] = {}
        for value in sorted(set(values.values()), key=_ordered):
            metrics: Metrics = {}
            for part in parts:
                rows = np.flatnonzero([values[case.id] == value for case in part.cases])
                if rows.size:
                    metrics |= part.measure(rows)
            found[column][value] = metrics
    return found


def _ordered(value: str) -> tuple[bool, int, str]:
    """Values in order, the unknown last, ages from young to old."""
    return value == _UNKNOWN, {"<": 0, ">": 2}.get(value[:1], 1), value


def _interactions(part: Part, attributes: Mapping[str, Mapping[str, str]]) -> list[Interaction]:
    """Tests whether the main metric of a task differs between subgroups."""
    labels = {
        column: [values[case.id] for case in part.cases] for column, values in attributes.items()
    }
    if not labels:
        return []
    return [
        Interaction(
            column=column,
            metric=part.main,
            statistic=one.statistic,
            p=one.p,
            p_adjusted=one.p_adjusted,
            method=one.method,
        )
        for column, one in subgroups(part.measured, labels).items()
    ]


def _general(cohort: Cohort, unanswered: Sequence[str]) -> list[Caveat]:
    """What limits any conclusion from this cohort."""
    found = []
    if cohort.simulated:
        text = "All patients are simulated (phantom): the figures say nothing about real ones."
        found.append(Caveat(code="phantom", text=text))
    if unanswered:
        named = ", ".join(unanswered[:10]) + (", ..." if len(unanswered) > 10 else "")
        text = (
            f"{len(unanswered)} of {len(cohort.cases)} cases have no prediction and count as the "
            f"worst there is: {named}."
        )
        found.append(Caveat(code="unanswered", text=text))
    n = len(cohort.patients)
    if n < 30:
        text = f"Only {n} patients: intervals are wide, and percentile bootstrap is a little short."
        found.append(Caveat(code="few-patients", text=text))
    return found
