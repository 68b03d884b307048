"""Finished predictions judged: any model's, whoever made it, against cases with known answers."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from onkos.cohort.predictions import Outlines, Predictions, load_predictions, require_known
from onkos.core.case import Cohort
from onkos.core.comparison import Comparison, Evaluation, Predicted
from onkos.core.desk import Tell, silent
from onkos.core.errors import ContentError, UsageError
from onkos.core.plain import from_plain
from onkos.core.reading import Provenance
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.core.version import __version__
from onkos.io import results
from onkos.judge import JUDGES, Settings, judge
from onkos.judge.composition import answered_tasks
from onkos.judge.settings import DEFAULT, LEVEL

COMPARISON = "comparison.json"


def evaluate(
    predictions: Predictions | Path | str,
    cohort: Cohort,
    *,
    masks: Outlines | None = None,
    settings: Settings = DEFAULT,
    seed: int = 0,
    tell: Tell = silent,
) -> Evaluation:
    """Judge the finished predictions of one model against cases with known answers.

    Whatever the predictions hold is judged: probabilities of classes, outlines, marked lesions,
    risks. Every case of the truth counts; one without a prediction counts as the worst there
    is, and is listed.

    Parameters
    ----------
    predictions
        A table, or as read by :func:`onkos.cohort.predictions.load_predictions`.
    cohort
        The truth.
    masks
        Predicted outlines, as found by :func:`onkos.cohort.predictions.find_outlines`.
    settings
        Tolerance of surfaces, threshold of calls, and the like.
    seed
        Of the resampling.
    tell
        Called with (done, all, what).

    Returns
    -------
    Evaluation
        Metrics with 95 % intervals by patient, the same by subgroup, tests whether the main
        metric differs between them.

    Raises
    ------
    UsageError
        If there is nothing to judge, or the table is of several models.
    CohortError, ContentError, GeometryError
        If predictions and truth do not fit together; the sentence names the line or the case.
    """
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    table = predictions if isinstance(predictions, Predictions) else load_predictions(predictions)
    require_known(table, cohort)
    models = table.predicted(masks)
    if len(models) > 1:
        raise UsageError(
            f"{table.path}: predictions of {len(models)} models, "
            f"{[one.name for one in models][:8]}; give the folder of the comparison, or a table "
            "of one of them"
        )
    tasks, caveats = judged_tasks(models[0], cohort)
    verdict = judge(models, cohort, tasks=tasks, settings=settings, seed=seed, tell=tell)
    (judgement,) = verdict.judgements
    return Evaluation(
        predictions=table.path.name,
        cohort=cohort.name,
        simulated=cohort.simulated,
        patients=len(cohort.patients),
        cases=len(cohort.cases),
        judgement=judgement,
        caveats=(*verdict.caveats, *judgement.caveats, *caveats),
        provenance=Provenance(
            version=__version__,
            model="",
            weights_sha256="",
            inputs=(table.sha256, cohort.fingerprint),
            settings={**asdict(settings), "by": list(settings.by), "level": LEVEL},
            seed=seed,
            created=started,
        ),
    )


def judge_again(
    folder: Path | str, cohort: Cohort, *, settings: Settings | None = None, tell: Tell = silent
) -> Comparison:
    """Judge again what a comparison kept: every arm, every metric, without fitting anything.

    With the settings of the comparison every number is the same to the last digit.

    Parameters
    ----------
    folder
        As written by ``onkos compare``.
    cohort
        The same cases.
    settings
        Others than the comparison's, e.g. another tolerance; None keeps them.
    tell
        Called with (done, all, what).

    Raises
    ------
    ContentError
        If the folder holds no comparison, or one that does not tell how it was judged.
    CohortError, GeometryError
        If predictions and truth do not fit together.
    """
    folder = Path(folder)
    before = results.load_comparison(folder / COMPARISON)
    table = load_predictions(folder)
    require_known(table, cohort)
    named = {one.name: one for one in table.predicted()}
    nothing = tuple(() for _ in range(before.repeats))
    models = [named.get(arm.name, Predicted(name=arm.name, repeats=nothing)) for arm in before.arms]
    asked = _terms(before, folder)
    verdict = judge(
        models,
        cohort,
        tasks=asked.tasks,
        settings=settings or asked.judge,
        seed=before.provenance.seed or 0,
        tell=tell,
    )
    arms = tuple(
        replace(arm, judgement=judgement)
        for arm, judgement in zip(before.arms, verdict.judgements, strict=True)
    )
    return replace(before, arms=arms, tests=verdict.tests)


def kept_settings(folder: Path | str) -> Settings:
    """The settings that a comparison was judged with; :class:`ContentError` if it tells none."""
    return _terms(results.load_comparison(Path(folder) / COMPARISON), Path(folder)).judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a comparison was asked to judge, and how."""

    tasks: tuple[Task, ...]
    judge: Settings


def _terms(before: Comparison, folder: Path) -> Terms:
    told = before.provenance.settings
    try:
        return from_plain(Terms, {name: told.get(name) for name in ("tasks", "judge")})
    except (ContentError, UsageError) as error:
        raise ContentError(
            f"{folder / COMPARISON}: its provenance does not tell how it was judged: {error}. "
            "Compare again, or judge its predictions.csv with --truth"
        ) from error


def judged_tasks(predicted: Predicted, cohort: Cohort) -> tuple[tuple[Task, ...], list[Caveat]]:
    """Tasks that are answered and have a truth, and what is left unjudged.

    A task whose truth is nowhere in the cohort is left out where another one can be judged.

    Raises
    ------
    UsageError
        If nothing is answered.
    """
    answered = answered_tasks([predicted])
    if not answered:
        raise UsageError(
            f"{predicted.name}: no columns p_CLASS, no column risk and no detections; give them, "
            "or a folder of outlines with --masks"
        )
    known = [
        task
        for task in answered
        if task in JUDGES and any(task in case.truths for case in cohort.cases)
    ]
    left = [task for task in answered if task not in known] if known else []
    caveats = [
        Caveat(
            code=f"no-truth-to-{task}",
            text=f"The predictions answer the task {task}, of which the truth knows nothing: "
            "not judged.",
        )
        for task in left
    ]
    return tuple(known or answered), caveats
