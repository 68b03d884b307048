"""What commands have in common: the desk they work at, and the work over a whole cohort."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs

from onkos.arms import load
from onkos.cli.progress import Track, Update
from onkos.cli.question import Question
from onkos.cohort.written import write_predictions
from onkos.compare import Execution, judged, kept_predictions
from onkos.core.case import Cohort
from onkos.core.comparison import ArmResult, Comparison
from onkos.core.desk import Desk
from onkos.core.errors import UsageError
from onkos.core.plain import to_plain
from onkos.core.protocols import Model
from onkos.core.study import Study
from onkos.fit import fit as fit_arm
from onkos.predict import predict as apply_model
from onkos.work.cache import DiskCache
from onkos.work.executor import Executor, Processes, Serial

_FOLDS = ".folds"


def desk(update: Update) -> Desk:
    """Where a command works: two threads or as many as there are, features kept for other runs."""
    root = platformdirs.user_cache_path("onkos") / "features"
    return Desk(threads=min(8, os.cpu_count() or 2), cache=DiskCache(root=root), tell=update)


def execution(out: Path, update: Update, *, processes: int = 1) -> Execution:
    """How a comparison is run: finished folds are kept in its folder."""
    executor: Executor = Processes(count=processes) if processes > 1 else Serial()
    return Execution(store=out / _FOLDS, executor=executor, desk=desk(update))


def compare(question: Question, out: Path, track: Track, *, processes: int = 1) -> Comparison:
    """Compare arms with progress; what they predicted is written beside the result."""
    update = track(f"Comparing {len(question.arms)} arms")
    how = execution(out, update, processes=processes)
    cohort, plan = question.cohort, question.plan
    with kept_predictions(cohort, question.arms, plan=plan, execution=how) as made:
        comparison = judged(made, cohort, plan=plan, execution=how)
        write_predictions(out, made.predicted(), cohort)
    return question.asked_by(comparison)


def fit(question: Question, out: Path, track: Track, *, judged: ArmResult | None = None) -> Model:
    """Fit the arm asked for, with its errors on unseen patients."""
    (arm,) = question.arms
    update = track(f"Fitting {arm.name}")
    how = execution(out, update)
    return fit_arm(arm, question.cohort, plan=question.plan, execution=how, judged=judged)


def predict(model: Path, cohort: Cohort, out: Path, track: Track) -> dict[str, Any]:
    """Predict every case; refused ones are listed and do not stop the others."""
    fitted = load(model)
    update = track(f"Predicting {len(cohort.cases)} cases")
    made = apply_model(fitted, cohort, folder=out / _FOLDS / "predict", desk=desk(update))
    write_predictions(out, [made.predicted], cohort)
    return {
        "predictions": str(out / "predictions.csv"),
        "masks": str(out / "masks"),
        "predicted": len(made.predicted.repeats[0]),
        "refused": to_plain(made.refused),
    }


def with_roles(study: Study, roles: Sequence[str]) -> Study:
    """Put series into roles as asked, e.g. ``t1c=1.2.840...``."""
    volumes = dict(study.volumes)
    for asked in roles:
        role, _, uid = asked.partition("=")
        fits = [
            volume
            for volume in study.volumes.values()
            if volume.source and volume.source.series_uid == uid
        ]
        if len(fits) != 1:
            raise UsageError(f"--role {asked}: {len(fits)} images of series {uid!r}; expected one")
        volumes[role] = fits[0]
    return replace(study, volumes=volumes)
