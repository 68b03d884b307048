"""Predictions judged: every metric with its interval, by subgroup, and arms against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import numpy as np

from onkos.core.case import Cohort
from onkos.core.comparison import Predicted
from onkos.core.curve import Curve
from onkos.core.desk import Tell, silent
from onkos.core.errors import UsageError
from onkos.core.estimate import Estimate
from onkos.core.judgement import Interaction, Judgement, PairedTest
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.judge.classes import judge_classes
from onkos.judge.findings import judge_findings
from onkos.judge.grouping import Grouping, grouped, ordered
from onkos.judge.images import judge_images
from onkos.judge.measures import measure
from onkos.judge.outlines import judge_outlines
from onkos.judge.part import Judge, Part
from onkos.judge.prognosis import judge_risks
from onkos.judge.settings import DEFAULT, Settings
from onkos.stats.multiplicity import holm
from onkos.stats.resampling import IntArray
from onkos.stats.subgroups import subgroups

#: One judge a task.
JUDGES: Mapping[Task, Judge] = {
    Task.CLASSIFY: judge_classes,
    Task.SEGMENT: judge_outlines,
    Task.DETECT: judge_findings,
    Task.PROGNOSE: judge_risks,
    Task.RECONSTRUCT: judge_images,
}

FEW_PATIENTS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All models judged, what tells them apart, and what limits any conclusion."""

    judgements: tuple[Judgement, ...]
    tests: tuple[PairedTest, ...]
    caveats: tuple[Caveat, ...]


def judge(
    predicted: Sequence[Predicted],
    cohort: Cohort,
    *,
    tasks: Sequence[Task] = (),
    settings: Settings = DEFAULT,
    seed: int = 0,
    tell: Tell = silent,
) -> Verdict:
    """Judge the predictions of one model or of several against cases with known answers.

    Every case of the truth counts; one without a prediction counts as the worst there is. The
    same predictions and truth give the same numbers to the last digit, whoever asks.

    Parameters
    ----------
    predicted
        Each model's predictions.
    cohort
        The truth.
    tasks
        At what they are judged; all that the predictions answer if not given.
    settings
        Tolerance of surfaces, threshold of calls, and the like.
    seed
        Of the resampling.
    tell
        Called with (done, all, what).

    Raises
    ------
    UsageError
        If there is nothing to judge.
    CohortError, ContentError, GeometryError
        If predictions and truth do not fit together.
    """
    asked = tuple(tasks) or answered_tasks(predicted)
    if not asked:
        raise UsageError("nothing to judge: the predictions hold no answers")
    grouping = grouped(cohort, by=settings.by)
    parts = [
        [JUDGES[task](one, cohort, settings, seed, tell) for task in asked] for one in predicted
    ]
    judgements = tuple(_judgement(mine, cohort, grouping, tell) for mine in parts)
    return Verdict(
        judgements=judgements,
        tests=_tests([one.name for one in predicted], parts),
        caveats=(*general_caveats(cohort), *grouping.caveats),
    )


def answered_tasks(predicted: Sequence[Predicted]) -> tuple[Task, ...]:
    """Tasks that some prediction answers, in the order of :class:`Task`."""
    found = {
        task
        for one in predicted
        for repeat in one.repeats
        for answered in repeat
        for task in answered.answers
    }
    return tuple(task for task in Task if task in found)


def general_caveats(cohort: Cohort) -> tuple[Caveat, ...]:
    """What limits any conclusion from this cohort."""
    found = []
    n = len(cohort.patients)
    if cohort.simulated:
        text = "All patients are simulated (phantom): the figures say nothing about real ones."
        found.append(Caveat(code="phantom", text=text))
    if n < FEW_PATIENTS:
        text = f"Only {n} patients: intervals are wide, and may still be a little short."
        found.append(Caveat(code="few-patients", text=text))
    return tuple(found)


def _judgement(parts: Sequence[Part], cohort: Cohort, grouping: Grouping, tell: Tell) -> Judgement:
    """Put the tasks of one model together."""
    metrics: dict[str, Estimate] = {}
    curves: list[Curve] = []
    for number, part in enumerate(parts):
        tell(number, len(parts), f"Estimating at {part.task}")
        found = part.metrics()
        metrics |= found
        curves += part.curves(found)
    judged = tuple(one for part in parts for one in part.judged)
    unanswered = tuple(dict.fromkeys(one.case for one in judged if not one.answered))
    return Judgement(
        tasks=tuple(part.task for part in parts),
        main={part.task: part.main for part in parts},
        metrics=metrics,
        subgroups=_by_subgroup(parts, grouping),
        interactions=tuple(one for part in parts for one in _interactions(part, grouping)),
        curves=tuple(curves),
        cases=judged,
        unanswered=unanswered,
        spread={name: one for part in parts for name, one in part.spread().items()},
        caveats=(
            *_unanswered(unanswered, cohort),
            *_without_width(metrics),
            *(caveat for part in parts for caveat in part.caveats),
        ),
        classes=next((part.classes for part in parts if part.classes), ()),
        positive=next((part.positive for part in parts if part.positive), ""),
    )


def _unanswered(unanswered: Sequence[str], cohort: Cohort) -> list[Caveat]:
    if not unanswered:
        return []
    named = ", ".join(unanswered[:10]) + (", ..." if len(unanswered) > 10 else "")
    text = (
        f"{len(unanswered)} of {len(cohort.cases)} cases have no prediction and count as the "
        f"worst there is: {named}."
    )
    return [Caveat(code="unanswered", text=text)]


def _without_width(metrics: Mapping[str, Estimate]) -> list[Caveat]:
    """Say which intervals have shrunk to a point, as where every case has the same value."""
    shrunk = [name for name, one in metrics.items() if one.low == one.high and one.n]
    names = list(dict.fromkeys(measure(name).label for name in shrunk))
    if not names:
        return []
    named = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    text = (
        f"Intervals without width: {named}. These cases gave one value however they were "
        "resampled; that does not say how further cases would do."
    )
    return [Caveat(code="interval-without-width", text=text)]


def _by_subgroup(
    parts: Sequence[Part], grouping: Grouping
) -> dict[str, dict[str, dict[str, Estimate]]]:
    """The shown metrics of the cases of each subgroup."""
    found: dict[str, dict[str, dict[str, Estimate]]] = {}
    for column, labels in grouping.labels.items():
        found[column] = {}
        for value in ordered(set(labels.values())):
            metrics: dict[str, Estimate] = {}
            for part in parts:
                rows = np.flatnonzero([labels.get(case.id) == value for case in part.cases])
                if rows.size:
                    metrics |= part.of_subgroup(rows)
            found[column][value] = metrics
    return found


def _interactions(part: Part, grouping: Grouping) -> list[Interaction]:
    """Tests whether the main metric of a task differs between subgroups.

    Cases of no subgroup are left out of the test of that column.
    """
    made = []
    for column, labels in grouping.labels.items():
        rows = np.flatnonzero([case.id in labels for case in part.cases])
        named = [labels[part.cases[row].id] for row in rows.tolist()]
        if len(set(named)) < 2:
            continue
        (one,) = subgroups(partial(_main_among, part, rows), {column: named}).values()
        made.append(
            Interaction(
                column=column,
                metric=part.main,
                statistic=one.statistic,
                p=one.p,
                p_adjusted=one.p,
                method=one.method,
            )
        )
    return _adjusted(made)


def _main_among(part: Part, rows: IntArray, some: IntArray) -> Estimate:
    """The main metric of some of the rows."""
    return part.main_of(rows[some])


def _adjusted(made: list[Interaction]) -> list[Interaction]:
    """Allow for the number of columns looked at, by Holm."""
    tested = [n for n, one in enumerate(made) if np.isfinite(one.p)]
    adjusted = dict(zip(tested, holm([made[n].p for n in tested]), strict=True))
    return [replace(one, p_adjusted=adjusted.get(n, one.p)) for n, one in enumerate(made)]


def _tests(names: Sequence[str], parts: Sequence[Sequence[Part]]) -> tuple[PairedTest, ...]:
    """Paired tests of every pair of models on the metrics that decide, adjusted by Holm."""
    made = [
        (names[a], names[b], difference)
        for a, b in combinations(range(len(names)), 2)
        for mine, theirs in zip(parts[a], parts[b], strict=True)
        for difference in mine.against(theirs)
    ]
    adjusted = holm([difference.p for *_, difference in made])
    return tuple(
        PairedTest(
            a=a,
            b=b,
            metric=one.metric,
            difference=one.estimate,
            p=one.p,
            p_adjusted=p_adjusted,
        )
        for (a, b, one), p_adjusted in zip(made, adjusted, strict=True)
    )
