"""The first verb: which method answers my tumour question, and the proof of it."""

from __future__ import annotations

import datetime
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from onkos.arms import judging, subgrouping
from onkos.arms.classify import Classifier, ClassifierModel, remembering
from onkos.arms.classify.guard import require_no_leak, require_sites
from onkos.arms.classify.reliance import fold_importance, gathered
from onkos.arms.scoring import score
from onkos.cohort.splits import Fold, repeated_folds
from onkos.core.case import Cohort
from onkos.core.errors import UsageError
from onkos.core.protocols import Arm
from onkos.core.reading import ArmResult, Comparison, FoldResult, Provenance
from onkos.core.source import Caveat
from onkos.core.version import __version__
from onkos.io import results
from onkos.io.whole import write_json
from onkos.stats.classification import positive_class


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One arm on one fold: the unit that is run, stored and resumed."""

    arm: Arm
    fold: Fold
    seed: int
    key: str
    repeat: int = 0


Run = Callable[[Callable[[Task], FoldResult], Iterable[Task]], Iterable[FoldResult]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How the tasks of a comparison are run.

    Parameters
    ----------
    store
        Folder for finished tasks: an interrupted comparison goes on where it stopped.
    run
        ``map``, or the ``map`` of an executor.
    done
        Called after each task with (finished, all, what).
    """

    store: Path | None = None
    run: Run = map
    done: Callable[[int, int, str], None] = lambda _finished, _total, _what: None


def compare(
    cohort: Cohort,
    arms: Sequence[Arm],
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    execution: Execution = Execution(),
) -> Comparison:
    """Judge several arms on the same folds of a cohort, by patient, with intervals and tests.

    Parameters
    ----------
    cohort
        Cases with reference outlines, or with targets for arms that tell classes apart.
    arms
        The methods; those that are never fitted on a case are judged on it.
    folds
        Number of folds; patients never stand on both sides of one.
    repeats
        How often the folds are drawn anew. Each metric and each difference is then the mean of
        its values in the repeats; intervals and tests draw patients with all their repeats,
        which are no further patients. The first repeat is the split without repeats.
    seed
        Of the split, of every fit and of the resampling.
    execution
        Where finished tasks are kept, how they are run and who is told.

    Returns
    -------
    Comparison
        Every metric as an Estimate over patients, paired tests of the main ones (Dice; AUC and
        Brier's score) adjusted by Holm; of repeats also how far they spread.

    Raises
    ------
    UsageError
        If an arm stands twice, there are too few patients for the folds, some arms outline
        and others tell classes apart, or a fold leaves out a site that a harmonised arm would
        not know.
    CohortError
        If a case has no reference outline, or no target.
    """
    if not arms or len({arm.name for arm in arms}) != len(arms):
        raise UsageError(f"arms {[arm.name for arm in arms]}: expected at least one, each once")
    if len({isinstance(arm, Classifier) for arm in arms}) > 1:
        raise UsageError(
            f"arms {[arm.name for arm in arms]}: some outline and some tell classes apart; "
            "compare each kind by itself"
        )
    arms = remembering(arms)
    classifiers = [arm for arm in arms if isinstance(arm, Classifier)]
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    splits = repeated_folds(cohort, folds, repeats=repeats, seed=seed)
    if classifiers:
        every = [fold for split in splits for fold in split]
        require_sites(cohort, every, classifiers)
        require_no_leak(cohort, every, classifiers)
    tasks = [
        Task(
            arm=arm, fold=fold, seed=seed, repeat=repeat, key=_key(cohort, arm, fold, seed, repeat)
        )
        for arm in arms
        for repeat, split in enumerate(splits)
        for fold in split
    ]
    outcomes: dict[str, FoldResult] = {}
    for number, (task, outcome) in enumerate(_run_all(tasks, execution), start=1):
        outcomes[task.key] = outcome
        execution.done(number, len(tasks), _named(task, repeats))
    grouping = subgrouping.grouped(cohort)
    judged = tuple(
        _judge(
            arm,
            [
                [outcomes[task.key] for task in tasks if task.arm is arm and task.repeat == repeat]
                for repeat in range(repeats)
            ],
            grouping,
            seed,
        )
        for arm in arms
    )
    classes = tuple(dict.fromkeys(name for s in judged[0].scores for name in s.classes))
    return Comparison(
        cohort=cohort.name,
        simulated=cohort.simulated,
        patients=len(cohort.patients),
        cases=len(cohort.cases),
        folds=folds,
        arms=judged,
        tests=judging.tests(judged, seed=seed),
        caveats=(*_caveats(cohort), *grouping.caveats),
        provenance=Provenance(
            version=__version__,
            model="",
            weights_sha256="",
            inputs=(cohort.fingerprint,),
            settings=_settings(arms, folds, repeats),
            seed=seed,
            created=started,
        ),
        classes=classes,
        positive=positive_class(classes) if classes else "",
        repeats=repeats,
    )


def run_task(task: Task) -> FoldResult:
    """Fit one arm on one fold's training patients and score it on the others."""
    rng = _stream(task)
    began = time.perf_counter()
    model = task.arm.fit(task.fold.train, rng=rng)
    fitted = time.perf_counter()
    scores = tuple(score(model, case, fold=task.fold.number) for case in task.fold.test)
    found = FoldResult(
        scores=scores, fit_seconds=fitted - began, predict_seconds=time.perf_counter() - fitted
    )
    if not isinstance(model, ClassifierModel):
        return found
    importance = fold_importance(model, task.fold.train, task.fold.test, rng=rng)
    return replace(found, used=model.used, importance=importance)


def _stream(task: Task) -> np.random.Generator:
    """Random stream of a task, its own in every repeat."""
    if task.repeat == 0:
        return np.random.default_rng([task.seed, task.fold.number])
    entropy = [task.seed, task.fold.number]
    return np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(task.repeat,)))


def _named(task: Task, repeats: int) -> str:
    of_repeat = f", repeat {task.repeat + 1}" if repeats > 1 else ""
    return f"{task.arm.name}{of_repeat}, fold {task.fold.number + 1}"


def _settings(arms: Sequence[Arm], folds: int, repeats: int) -> dict[str, Any]:
    """What was asked; what stands at its default is left out."""
    harmonised = {
        arm.name: arm.harmonise.to_plain()
        for arm in arms
        if isinstance(arm, Classifier) and arm.harmonise
    }
    return {
        "folds": folds,
        **({"repeats": repeats} if repeats > 1 else {}),
        "arms": [arm.name for arm in arms],
        "level": judging.LEVEL,
        **({"harmonise": harmonised} if harmonised else {}),
    }


def _run_all(tasks: Sequence[Task], execution: Execution) -> Iterator[tuple[Task, FoldResult]]:
    """Yield every task with its outcome: the stored ones first, then the others as they end."""
    store = execution.store
    waiting = []
    for task in tasks:
        stored = results.load_fold(store / f"{task.key}.json") if store else None
        if stored is None:
            waiting.append(task)
        else:
            yield task, stored
    for task, outcome in zip(waiting, execution.run(run_task, waiting), strict=True):
        if store:
            write_json(store / f"{task.key}.json", outcome)
        yield task, outcome


def _key(cohort: Cohort, arm: Arm, fold: Fold, seed: int, repeat: int) -> str:
    """Name of a task's stored outcome: changes with whatever could change the outcome."""
    said: dict[str, Any] = {
        "version": __version__,
        "cohort": cohort.fingerprint,
        "arm": repr(arm),
        "train": [case.id for case in fold.train],
        "test": [case.id for case in fold.test],
        "fold": fold.number,
        "seed": seed,
    }
    if repeat:
        said["repeat"] = repeat
    if isinstance(arm, Classifier) and arm.harmonise:
        said["harmonise"] = arm.harmonise.to_plain()
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def _judge(
    arm: Arm, repeats: Sequence[Sequence[FoldResult]], grouping: subgrouping.Grouping, seed: int
) -> ArmResult:
    """Gather an arm's folds into metrics with intervals by patient, of all and of subgroups."""
    outcomes = [outcome for repeat in repeats for outcome in repeat]
    scores, *repeated = (
        tuple(score for outcome in repeat for score in outcome.scores) for repeat in repeats
    )
    used = Counter(name for outcome in outcomes for name in outcome.used)
    return ArmResult(
        name=arm.name,
        family=arm.family,
        metrics=judging.metrics([scores, *repeated], seed=seed),
        scores=scores,
        fit_seconds=sum(outcome.fit_seconds for outcome in outcomes),
        predict_seconds=sum(outcome.predict_seconds for outcome in outcomes),
        used={name: n / len(outcomes) for name, n in used.most_common()},
        subgroups=subgrouping.by_subgroup(scores, grouping.labels, seed=seed, repeated=repeated),
        repeated=tuple(repeated),
        spread=judging.spreads([scores, *repeated]),
        reliance=gathered(repeats, seed=seed),
    )


def _caveats(cohort: Cohort) -> tuple[Caveat, ...]:
    """What limits any conclusion from this cohort."""
    found = []
    n = len(cohort.patients)
    if cohort.simulated:
        text = "All patients are simulated (phantom): the figures say nothing about real ones."
        found.append(Caveat(code="phantom", text=text))
    if n < 30:
        text = f"Only {n} patients: intervals are wide, and may still be a little short."
        found.append(Caveat(code="few-patients", text=text))
    return tuple(found)
