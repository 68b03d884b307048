"""A tiny cohort and a tiny arm, for tests of what is built on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from onkos.core.card import Card
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.desk import PLAIN, Desk
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.protocols import Model
from onkos.core.reading import Prediction
from onkos.core.source import PHANTOM
from onkos.core.split import Fold
from onkos.core.study import Patient, Study
from onkos.core.task import Task
from onkos.core.volume import Volume

TISSUES = {1: "core", 2: "oedema"}


def blob(number: int) -> tuple[Study, Mask]:
    """Image with a bright ball (core) in a less bright one (oedema), oblique and off-centre."""
    rng = np.random.default_rng([77, number])
    turned = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, -1.0]])
    grid = Geometry.upright(
        (26, 22, 14), spacing_mm=(1.5, 1.8, 3.0), origin_mm=(31, -40, 88), directions=turned
    )
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    centre = grid.to_mm(np.array([13, 11, 7]) + rng.uniform(-1.5, 1.5, size=3))
    away = np.linalg.norm(grid.to_mm(index) - centre, axis=-1)
    radius = rng.uniform(5.0, 8.0)
    labels = np.where(away <= radius, 1, np.where(away <= 1.6 * radius, 2, 0)).astype(np.uint8)
    data = np.array([20.0, 100.0, 60.0])[labels] + rng.normal(0, 6, size=grid.shape)
    volume = Volume(data=data.astype(np.float32), geometry=grid, modality="MR", unit="1")
    study = Study(patient=Patient(id=f"P{number}"), volumes={"flair": volume}, caveats=(PHANTOM,))
    return study, Mask(labels=labels, geometry=grid, names=TISSUES)


def _study(number: int) -> Study:
    return blob(number)[0]


def _truth(number: int) -> Mask:
    return blob(number)[1]


def toy_cohort(patients: int = 6, *, cases_each: int = 1) -> Cohort:
    """Cohort of balls; several cases a patient if asked."""
    numbers = [(p, c) for p in range(patients) for c in range(cases_each)]
    cases = tuple(
        Case(
            id=f"case-{p}-{c}",
            patient=f"P{p}",
            load=partial(_study, p * 10 + c),
            truths=known_truths(outline=partial(_truth, p * 10 + c)),
        )
        for p, c in numbers
    )
    return Cohort(name="balls", cases=cases, fingerprint="balls-1", simulated=True)


@dataclass(frozen=True)
class ThresholdModel:
    """Outlines what is brighter than two learnt thresholds."""

    card: Card
    oedema: float
    core: float

    def predict(self, study: Study, *, desk: Desk = PLAIN) -> Prediction:
        volume = study.volume("flair")
        labels = np.where(volume.data > self.core, 1, np.where(volume.data > self.oedema, 2, 0))
        mask = Mask(labels=labels.astype(np.uint8), geometry=volume.geometry, names=TISSUES)
        return Prediction.outlined(mask, reference="flair", presence={"core": 0.9, "oedema": 0.8})

    def with_card(self, card: Card) -> Model:
        return replace(self, card=card)

    def save(self, folder: Path) -> None:
        raise NotImplementedError("a toy is not kept")


@dataclass(frozen=True)
class ThresholdArm:
    """Half-way between the mean values of the tissues; ``shift`` makes it worse on purpose."""

    name: str = "threshold"
    family: str = "classic"
    shift: float = 0.0

    @property
    def task(self) -> Task:
        return Task.SEGMENT

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"shift": self.shift}

    def require(self, cohort: Cohort, folds: Sequence[Fold]) -> None:
        del cohort, folds

    def fit(self, cases: Sequence[Case], *, rng: np.random.Generator, desk: Desk = PLAIN) -> Model:
        means = np.zeros(3)
        for case in cases:
            data, labels = case.study.volume("flair").data, case.outline.labels
            means += [data[labels == label].mean() / len(cases) for label in range(3)]
        card = Card(
            arm=self.name,
            task="segment",
            site="Brain",
            modality="MR",
            roles=("flair",),
            reference="flair",
            tissues=TISSUES,
            intended_use="Tests only.",
            cohort="balls",
            patients=len({case.patient for case in cases}),
            simulated=True,
            seed=0,
            version="0",
        )
        return ThresholdModel(
            card=card,
            oedema=(means[0] + means[2]) / 2 + self.shift,
            core=(means[1] + means[2]) / 2 + self.shift,
        )
