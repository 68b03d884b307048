"""Finished predictions judged: any model's, whoever made it, against cases with known answers."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from onkos.cohort.predictions import Outlines, Predictions, load_predictions, require_known
from onkos.core.case import Cohort
from onkos.core.comparison import Comparison, Evaluation, Predicted
from onkos.core.desk import Tell, silent
from onkos.core.errors import UsageError
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
        If the folder holds no comparison.
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
    asked = before.provenance.settings
    verdict = judge(
        models,
        cohort,
        tasks=tuple(Task(name) for name in asked["tasks"]),
        settings=settings or _settings(asked["judge"]),
        seed=before.provenance.seed or 0,
        tell=tell,
    )
    arms = tuple(
        replace(arm, judgement=judgement)
        for arm, judgement in zip(before.arms, verdict.judgements, strict=True)
    )
    return replace(before, arms=arms, tests=verdict.tests)


def kept_settings(folder: Path | str) -> Settings:
    """The settings that a comparison was judged with."""
    return _settings(
        results.load_comparison(Path(folder) / COMPARISON).provenance.settings["judge"]
    )


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


def _settings(plain: Mapping[str, Any]) -> Settings:
    """The settings a comparison was judged with."""
    return Settings(**{**plain, "by": tuple(plain["by"])})
