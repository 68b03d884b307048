"""The first verb: which method answers my tumour question, and the proof of it."""

from __future__ import annotations

import datetime
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from onkos.cohort.splits import repeated_folds
from onkos.core.case import Cohort
from onkos.core.comparison import ArmResult, Comparison, FoldResult, Predicted
from onkos.core.desk import PLAIN, Desk
from onkos.core.errors import CohortError, UsageError
from onkos.core.judgement import Judgement
from onkos.core.protocols import Arm
from onkos.core.reading import Provenance
from onkos.core.source import Caveat
from onkos.core.version import __version__
from onkos.judge import Settings, judge
from onkos.judge.reliance import reliance
from onkos.judge.settings import LEVEL
from onkos.work.executor import Executor, Serial
from onkos.work.piece import Piece
from onkos.work.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How the work of a comparison is done; none of it changes a result.

    Parameters
    ----------
    store
        Folder for finished folds: an interrupted comparison goes on where it stopped. Without
        one they are kept until the comparison is over.
    executor
        Who runs the folds: this process, or several.
    desk
        Device, threads, cache, and whom to tell of progress.
    """

    store: Path | None = None
    executor: Executor = field(default_factory=Serial)
    desk: Desk = PLAIN


HERE = Execution()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a cohort is split and judged.

    Parameters
    ----------
    folds
        Number of folds; patients never stand on both sides of one.
    repeats
        How often the folds are drawn anew. Each metric and each difference is then the mean of
        its values in the repeats; intervals and tests draw patients with all their repeats,
        which are no further patients. The first repeat is the split without repeats.
    seed
        Of the split, of every fit and of the resampling.
    settings
        What has to be decided before predictions can be judged.
    """

    folds: int = 5
    repeats: int = 1
    seed: int = 0
    settings: Settings = field(default_factory=Settings)


FIVE_FOLDS = Plan()


def compare(
    cohort: Cohort,
    arms: Sequence[Arm],
    *,
    plan: Plan = FIVE_FOLDS,
    execution: Execution = HERE,
) -> Comparison:
    """Judge several arms on the same folds of a cohort, by patient, with intervals and tests.

    Parameters
    ----------
    cohort
        Cases with the truth that the arms' task needs.
    arms
        The methods; those that are never fitted on a case are judged on it.
    plan
        How the cohort is split and judged.
    execution
        Where finished folds are kept, who runs them and who is told.

    Returns
    -------
    Comparison
        Every metric as an Estimate over patients, paired tests of those that decide, adjusted
        by Holm; of repeats also how far they spread.

    Raises
    ------
    UsageError
        If an arm stands twice, arms are of different tasks, there are too few patients for the
        folds, or an arm refuses the cohort or the folds.
    CohortError
        If a case lacks the truth, or every fold of an arm failed.
    """
    with kept_predictions(cohort, arms, plan=plan, execution=execution) as made:
        return judged(made, cohort, plan=plan, execution=execution)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finished:
    """What all folds of all arms gave, not judged yet; outlines lie where they were kept."""

    arms: tuple[Arm, ...]
    outcomes: Mapping[str, tuple[tuple[FoldResult, ...], ...]]
    started: str

    def predicted(self) -> tuple[Predicted, ...]:
        """Predictions of each arm, ready to be judged."""
        return tuple(
            Predicted(
                name=arm.name,
                repeats=tuple(
                    tuple(one for outcome in repeat for one in outcome.answered)
                    for repeat in self.outcomes[arm.name]
                ),
            )
            for arm in self.arms
        )


@contextmanager
def kept_predictions(
    cohort: Cohort, arms: Sequence[Arm], *, plan: Plan, execution: Execution
) -> Iterator[Finished]:
    """Run every arm on every fold and give what they predicted; errors as :func:`compare`."""
    _require_one_task(arms)
    splits = repeated_folds(cohort, plan.folds, repeats=plan.repeats, seed=plan.seed)
    for arm in arms:
        arm.require(cohort, [fold for split in splits for fold in split])
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    pieces = [
        Piece(arm=arm, fold=fold, seed=plan.seed, cohort=cohort.fingerprint, repeat=repeat)
        for arm in arms
        for repeat, split in enumerate(splits)
        for fold in split
    ]
    with _store(execution) as store:
        outcomes = _run_all(pieces, store, execution)
        _require_some(arms, outcomes)
        yield Finished(
            arms=tuple(arms),
            outcomes={
                arm.name: tuple(
                    tuple(outcomes[arm.name, repeat, fold.number] for fold in split)
                    for repeat, split in enumerate(splits)
                )
                for arm in arms
            },
            started=started,
        )


def judged(made: Finished, cohort: Cohort, *, plan: Plan, execution: Execution) -> Comparison:
    """Judge what the folds predicted, all arms on the same cases."""
    task = made.arms[0].task
    verdict = judge(
        made.predicted(),
        cohort,
        tasks=(task,),
        settings=plan.settings,
        seed=plan.seed,
        tell=execution.desk.tell,
    )
    arms = tuple(
        _result(arm, made.outcomes[arm.name], judgement, plan.seed)
        for arm, judgement in zip(made.arms, verdict.judgements, strict=True)
    )
    return Comparison(
        cohort=cohort.name,
        simulated=cohort.simulated,
        patients=len(cohort.patients),
        cases=len(cohort.cases),
        folds=plan.folds,
        arms=arms,
        tests=verdict.tests,
        caveats=(*verdict.caveats, *_shared(arms), *_failed(arms)),
        provenance=Provenance(
            version=__version__,
            model="",
            weights_sha256="",
            inputs=(cohort.fingerprint,),
            settings=_settings(made.arms, plan),
            seed=plan.seed,
            created=made.started,
        ),
        repeats=plan.repeats,
    )


def _require_one_task(arms: Sequence[Arm]) -> None:
    names = [arm.name for arm in arms]
    if not arms or len(set(names)) != len(names):
        raise UsageError(f"arms {names}: expected at least one, each once")
    tasks = {arm.name: str(arm.task) for arm in arms}
    if len(set(tasks.values())) > 1:
        raise UsageError(
            f"arms of different tasks, {tasks}: compare the arms of each task by themselves"
        )


@contextmanager
def _store(execution: Execution) -> Iterator[Store]:
    """Where folds are kept: the folder asked for, or one that goes with the comparison."""
    if execution.store is not None:
        yield Store(root=execution.store)
        return
    with tempfile.TemporaryDirectory(prefix="onkos-folds-") as folder:
        yield Store(root=Path(folder))


def _run_all(
    pieces: Sequence[Piece], store: Store, execution: Execution
) -> dict[tuple[str, int, int], FoldResult]:
    """Outcome of every arm, repeat and fold: those kept, then the others as they end."""
    found: dict[tuple[str, int, int], FoldResult] = {}
    waiting = []
    for piece in pieces:
        kept = store.take(piece.key)
        if kept is None:
            waiting.append(piece)
        else:
            found[_place(piece)] = kept
    tell = execution.desk.tell
    tell(len(found), len(pieces), "taken up" if found else "starting")
    inner = replace(
        execution.desk,
        tell=lambda done, total, what: tell(
            len(found), len(pieces), f"{what} {done}/{total}" if total else what
        ),
    )
    for piece, outcome in execution.executor.results(waiting, store, inner):
        found[_place(piece)] = outcome
        of_repeat = f", repeat {piece.repeat + 1}" if piece.repeat else ""
        tell(len(found), len(pieces), f"{piece.arm.name}{of_repeat}, fold {piece.fold.number + 1}")
    return found


def _require_some(arms: Sequence[Arm], outcomes: Mapping[tuple[str, int, int], FoldResult]) -> None:
    """Refuse where an arm could not be run on any fold: there is nothing to judge."""
    for arm in arms:
        mine = [outcome for (name, _, _), outcome in outcomes.items() if name == arm.name]
        if all(outcome.failed for outcome in mine):
            raise CohortError(f"{arm.name} failed on every fold: {mine[0].failed}")


def _place(piece: Piece) -> tuple[str, int, int]:
    return piece.arm.name, piece.repeat, piece.fold.number


def _result(
    arm: Arm, repeats: Sequence[Sequence[FoldResult]], judgement: Judgement, seed: int
) -> ArmResult:
    """One arm: its judgement, its times and what it rests on."""
    outcomes = [outcome for repeat in repeats for outcome in repeat]
    used = Counter(name for outcome in outcomes for name in outcome.used)
    return ArmResult(
        name=arm.name,
        family=arm.family,
        judgement=judgement,
        fit_seconds=sum(outcome.fit_seconds for outcome in outcomes),
        predict_seconds=sum(outcome.predict_seconds for outcome in outcomes),
        used={name: n / len(outcomes) for name, n in used.most_common()},
        reliance=reliance(repeats, seed=seed),
        failed=tuple(
            f"repeat {r + 1}, fold {f + 1}: {outcome.failed}"
            if len(repeats) > 1
            else f"fold {f + 1}: {outcome.failed}"
            for r, repeat in enumerate(repeats)
            for f, outcome in enumerate(repeat)
            if outcome.failed
        ),
    )


def _shared(arms: Sequence[ArmResult]) -> tuple[Caveat, ...]:
    """Caveats that every arm's judgement has."""
    first, *others = (arm.judgement.caveats for arm in arms)
    return tuple(one for one in first if all(one in other for other in others))


def _failed(arms: Sequence[ArmResult]) -> tuple[Caveat, ...]:
    """Folds that could not be run."""
    return tuple(
        Caveat(
            code="failed-folds",
            text=f"{len(arm.failed)} folds failed; their cases count as the worst there is. "
            f"First: {arm.failed[0]}",
            where=arm.name,
        )
        for arm in arms
        if arm.failed
    )


def _settings(arms: Sequence[Arm], plan: Plan) -> dict[str, Any]:
    """What was asked; what stands at its default is left out."""
    harmonised = {
        arm.name: arm.settings["harmonise"] for arm in arms if arm.settings.get("harmonise")
    }
    return {
        "folds": plan.folds,
        **({"repeats": plan.repeats} if plan.repeats > 1 else {}),
        "arms": [arm.name for arm in arms],
        "tasks": [str(arms[0].task)],
        "judge": {**asdict(plan.settings), "by": list(plan.settings.by)},
        "level": LEVEL,
        **({"harmonise": harmonised} if harmonised else {}),
    }
