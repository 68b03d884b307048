"""A piece of work: one arm on one fold, fitted, applied to the cases it has not seen, kept."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from onkos.core.answers import Answer, KeptOutline, Outline, ReconstructedImage
from onkos.core.case import Case, characterised
from onkos.core.code import code_digest
from onkos.core.comparison import Answered, FoldResult
from onkos.core.desk import Desk
from onkos.core.errors import OnkosError
from onkos.core.geometry import AnyArray
from onkos.core.mask import Mask
from onkos.core.protocols import Arm, Explains, Model
from onkos.core.split import Fold
from onkos.core.study import Study
from onkos.core.task import Task
from onkos.work.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One arm on one fold: the unit that is run, stored and resumed.

    ``cohort`` is the fingerprint of the cases; ``repeat`` counts the draws of the folds from 0.
    """

    arm: Arm
    fold: Fold
    seed: int
    cohort: str
    repeat: int = 0

    @property
    def key(self) -> str:
        """Name under which the outcome is kept: changes with whatever could change the outcome.

        That is the arm's settings, the code that decides and the libraries that compute, the
        cases and their files, the split and the seed; neither threads nor device.
        """
        said: dict[str, Any] = {
            "arm": self.arm.name,
            "settings": self.arm.settings,
            "code": code_digest(self.arm, run, *_loaders(self.fold)),
            "cohort": self.cohort,
            "train": [case.id for case in self.fold.train],
            "test": [case.id for case in self.fold.test],
            "fold": self.fold.number,
            "repeat": self.repeat,
            "seed": self.seed,
        }
        text = json.dumps(said, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def stream(self) -> np.random.Generator:
        """Random stream of its own, in every repeat."""
        entropy = [self.seed, self.fold.number]
        if self.repeat == 0:
            return np.random.default_rng(entropy)
        return np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(self.repeat,)))


def _loaders(fold: Fold) -> list[object]:
    """What opens the first training case and its truths: code that decides, too."""
    first = (fold.train or fold.test)[0]
    return [first.load, *(truth for truth in first.truths.values() if callable(truth))]


def run(piece: Piece, store: Store, desk: Desk) -> FoldResult:
    """Fit one arm on one fold's training patients, apply it to the others, keep the outcome.

    What refuses the input ends this fold only: it is then kept as failed, with the reason, and
    its cases count as unanswered.
    """
    store.begin(piece.key)
    desk = replace(desk, scratch=store.scratch(piece.key))
    try:
        found = _answered(piece, store, desk)
    except OnkosError as error:
        found = failed(piece, str(error))
    store.keep(piece.key, found)
    return found


def failed(piece: Piece, why: str) -> FoldResult:
    """A fold that could not be run: its cases have no answers, and it says why."""
    fold = piece.fold
    return FoldResult(
        answered=tuple(
            Answered(case=case.id, patient=case.patient, fold=fold.number, answers={})
            for case in fold.test
        ),
        fit_seconds=0.0,
        predict_seconds=0.0,
        failed=why,
    )


def _answered(piece: Piece, store: Store, desk: Desk) -> FoldResult:
    rng = piece.stream()
    began = time.perf_counter()
    model = piece.arm.fit(piece.fold.train, rng=rng, desk=desk)
    fitted = time.perf_counter()
    done = []
    for number, case in enumerate(piece.fold.test, start=1):
        folder = store.folder(piece.key)
        done.append(answered(model, case, folder, fold=piece.fold.number, desk=desk))
        desk.tell(number, len(piece.fold.test), "predicting")
    found = FoldResult(
        answered=tuple(done),
        fit_seconds=fitted - began,
        predict_seconds=time.perf_counter() - fitted,
    )
    if not isinstance(model, Explains):
        return found
    importance = model.importance(piece.fold.train, piece.fold.test, rng=rng, desk=desk)
    return replace(found, used=model.used, importance=importance)


def answered(model: Model, case: Case, folder: Path, *, fold: int, desk: Desk) -> Answered:
    """Apply a model to one case; an outline goes to disk on its reference's grid, an image, too."""
    study = characterised(case) if model.card.task == Task.CLASSIFY else case.study
    prediction = model.predict(study, desk=desk)
    answers: dict[Task, Answer] = {}
    for task, answer in prediction.answers.items():
        if isinstance(answer, Outline):
            answers[task] = _kept(answer, case, study, folder)
        elif isinstance(answer, ReconstructedImage):
            answers[task] = Store.image(folder, case.id, answer)
        else:
            answers[task] = answer
    return Answered(case=case.id, patient=case.patient, fold=fold, answers=answers)


def _kept(outline: Outline, case: Case, study: Study, folder: Path) -> KeptOutline:
    mask = outline.mask
    possible = None
    if case.outlined:
        truth = case.outline
        mask = mask.on(truth.geometry)
        possible = _possible(study, outline.reference, mask, truth)
    kept = Store.outline(folder, case.id, mask)
    return replace(kept, presence=outline.presence, possible=possible)


def _possible(study: Study, reference: str, mask: Mask, truth: Mask) -> int | None:
    """Voxels that are not plain background: those that differ from the image's corner value."""
    volume = study.volume(reference)
    if volume.channels > 1 or not volume.geometry.matches(truth.geometry):
        return None
    differs: AnyArray = volume.data != volume.data.flat[0]
    return int(np.count_nonzero(differs | (mask.labels != 0) | (truth.labels != 0)))
