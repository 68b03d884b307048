"""Finished pieces of work on disk: predictions, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from onkos.core.answers import (
    Answer,
    ClassProbabilities,
    Findings,
    KeptImage,
    KeptOutline,
    ReconstructedImage,
    Risk,
)
from onkos.core.comparison import Answered, FoldResult
from onkos.core.errors import ContentError
from onkos.core.mask import Mask
from onkos.core.plain import from_plain, to_plain
from onkos.core.task import Task
from onkos.io import nifti
from onkos.io.results import read_json
from onkos.io.whole import write_json

_FOLD = "fold.json"
_PLAIN: Mapping[Task, type[Any]] = {
    Task.CLASSIFY: ClassProbabilities,
    Task.DETECT: Findings,
    Task.PROGNOSE: Risk,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A folder of finished folds, each in a folder of its own named by its key.

    The outlines and images of a fold are written first and ``fold.json`` last, so a fold is
    there as a whole or not at all; one that is damaged counts as not there.
    """

    root: Path

    def folder(self, key: str) -> Path:
        """Where the files of a fold lie."""
        return self.root / key

    def scratch(self, key: str) -> Path:
        """Where a fit may keep checkpoints until its fold is finished."""
        return self.root / key / "scratch"

    def begin(self, key: str) -> None:
        """Clear what a killed run left of a fold, but for its checkpoints."""
        for path in self.folder(key).glob("*"):
            if path != self.scratch(key):
                path.unlink()

    def take(self, key: str) -> FoldResult | None:
        """A finished fold; None where there is none, it failed, or it cannot be read."""
        folder = self.folder(key)
        try:
            plain = read_json(folder / _FOLD)
            answered = plain.pop("answered")
            found = from_plain(FoldResult, {**plain, "answered": []})
            kept = tuple(_answered(one, folder) for one in answered)
        except (ContentError, KeyError, TypeError, ValueError, AttributeError):
            return None
        return None if found.failed else replace(found, answered=kept)

    def keep(self, key: str, found: FoldResult) -> None:
        """Write a finished fold and give up its checkpoints."""
        folder = self.folder(key)
        plain = to_plain(replace(found, answered=()))
        plain["answered"] = [_plain(one) for one in found.answered]
        write_json(folder / _FOLD, plain)
        shutil.rmtree(self.scratch(key), ignore_errors=True)

    @staticmethod
    def outline(folder: Path, case: str, mask: Mask) -> KeptOutline:
        """Write the outline of a case and give what reads it back."""
        path = folder / f"{case}.nii.gz"
        nifti.write_mask(path, mask)
        return KeptOutline(load=partial(nifti.read_mask, path, names=dict(mask.names)))

    @staticmethod
    def image(folder: Path, case: str, made: ReconstructedImage) -> KeptImage:
        """Write the image made of a case as float32 and give what reads it back."""
        path = folder / f"image-{case}.nii.gz"
        volume = made.volume
        nifti.write_volume(path, replace(volume, data=volume.data.astype(np.float32)))
        load = partial(nifti.read, path, modality=volume.modality, unit=volume.unit)
        return KeptImage(load=load, role=made.role)


def _plain(one: Answered) -> dict[str, Any]:
    return {
        "case": one.case,
        "patient": one.patient,
        "fold": one.fold,
        "answers": {str(task): _plain_answer(answer) for task, answer in one.answers.items()},
    }


def _plain_answer(answer: Answer) -> Any:
    if isinstance(answer, KeptOutline):
        path, names = outline_file(answer)
        return {
            "file": path.name,
            "names": {str(label): name for label, name in names.items()},
            "presence": dict(answer.presence),
            "possible": answer.possible,
        }
    if isinstance(answer, KeptImage):
        path, said = image_file(answer)
        return {"file": path.name, "role": answer.role, **said}
    if isinstance(answer, ReconstructedImage):
        raise TypeError("an image is kept by its own file; write it before the fold")
    if isinstance(answer, Risk):
        return {"score": to_plain(answer.score), "by": [[t, p] for t, p in answer.by.items()]}
    return to_plain(answer)


def outline_file(answer: KeptOutline) -> tuple[Path, Mapping[int, str]]:
    """File of a kept outline, and the names of its values."""
    load = answer.load
    if not isinstance(load, partial):
        raise TypeError("this outline does not lie in a file of its own")
    return load.args[0], load.keywords["names"]


def image_file(answer: KeptImage) -> tuple[Path, dict[str, str]]:
    """File of a kept image, and the modality and unit of its values."""
    load = answer.load
    if not isinstance(load, partial):
        raise TypeError("this image does not lie in a file of its own")
    return load.args[0], {"modality": load.keywords["modality"], "unit": load.keywords["unit"]}


def _answered(plain: Mapping[str, Any], folder: Path) -> Answered:
    answers: dict[Task, Answer] = {}
    for name, value in plain["answers"].items():
        task = Task(name)
        if task is Task.SEGMENT:
            answers[task] = _outline(value, folder)
        elif task is Task.RECONSTRUCT:
            answers[task] = _image(value, folder)
        elif task is Task.PROGNOSE:
            answers[task] = Risk(
                score=from_plain(float, value["score"]),
                by={float(time): float(p) for time, p in value["by"]},
            )
        else:
            answers[task] = from_plain(_PLAIN[task], value)
    return Answered(
        case=str(plain["case"]),
        patient=str(plain["patient"]),
        fold=int(plain["fold"]),
        answers=answers,
    )


def _outline(plain: Mapping[str, Any], folder: Path) -> KeptOutline:
    path = folder / Path(str(plain["file"])).name
    if not path.is_file():
        raise ContentError(f"{path}: the outline of this fold is missing")
    names = {int(label): str(name) for label, name in plain["names"].items()}
    return KeptOutline(
        load=partial(nifti.read_mask, path, names=names),
        presence={str(name): float(p) for name, p in plain["presence"].items()},
        possible=None if plain["possible"] is None else int(plain["possible"]),
    )


def _image(plain: Mapping[str, Any], folder: Path) -> KeptImage:
    path = folder / Path(str(plain["file"])).name
    if not path.is_file():
        raise ContentError(f"{path}: the image of this fold is missing")
    load = partial(nifti.read, path, modality=str(plain["modality"]), unit=str(plain["unit"]))
    return KeptImage(load=load, role=str(plain["role"]))
