"""An arm on single pictures made into one on patients with several: slices, views, lesions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from onkos.arms.classify.arm import Classifier, ClassifierModel, chosen_threshold
from onkos.classic.table import FittedTable
from onkos.core.answers import ClassProbabilities
from onkos.core.card import Card
from onkos.core.case import Case, Cohort, characterised, known_truths
from onkos.core.desk import PLAIN, Desk
from onkos.core.errors import CohortError, ModelError
from onkos.core.geometry import FloatArray
from onkos.core.reading import Prediction
from onkos.core.split import Fold
from onkos.core.study import Study
from onkos.core.task import Task
from onkos.stats.classification import positive_class

Pool = Literal["mean", "max", "weighted"]
POOLS: tuple[Pool, ...] = ("mean", "max", "weighted")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSeveral:
    """Arm: every picture of a case by itself, then one answer a case.

    Each training picture carries the class of its case (the weak labels of multiple-instance
    learning); folds stay those of patients.

    Parameters
    ----------
    arm
        The arm that looks at one picture.
    pool
        How the answers of a case's pictures become one: their ``mean``; the picture that is most
        surely of the positive class (``max``; of several classes the highest probability of
        each); or their mean ``weighted`` by how sure each picture is, 1 less its entropy.
    """

    arm: Classifier
    pool: Pool

    @property
    def name(self) -> str:
        """That of the arm with the pooling behind."""
        return f"{self.arm.name}+{self.pool}"

    @property
    def family(self) -> str:
        """That of the arm."""
        return self.arm.family

    @property
    def task(self) -> Task:
        """Telling classes apart."""
        return Task.CLASSIFY

    @property
    def settings(self) -> Mapping[str, Any]:
        """Those of the arm, and the pooling."""
        return {**self.arm.settings, "pool": self.pool}

    def require(self, cohort: Cohort, folds: Sequence[Fold]) -> None:
        """Refuse what the arm would refuse of any two pictures, e.g. one on both sides."""
        parts = {case.id: tuple(pictures_of(case)) for case in cohort.cases}

        def of(cases: Sequence[Case]) -> tuple[Case, ...]:
            return tuple(part for case in cases for part in parts[case.id])

        self.arm.require(
            replace(cohort, cases=of(cohort.cases)),
            [replace(fold, train=of(fold.train), test=of(fold.test)) for fold in folds],
        )

    def fit(
        self, cases: Sequence[Case], *, rng: np.random.Generator, desk: Desk = PLAIN
    ) -> SeveralModel:
        """Learn from all pictures of the cases.

        Raises
        ------
        CohortError
            If a case has no target or no picture, or as :meth:`Classifier.fit`.
        """
        parts = [part for case in cases for part in pictures_of(case)]
        owner = [n for n, case in enumerate(cases) for _ in pictures_of(case)]
        model = self.arm.fit(parts, rng=rng, desk=desk)
        card = replace(
            model.card,
            arm=self.name,
            settings={**model.card.settings, "pool": self.pool},
            patients=len({case.patient for case in cases}),
            threshold=_threshold(model, np.array(owner), cases, self.pool),
        )
        return SeveralModel(model=model, pool=self.pool, card=card)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeveralModel:
    """A fitted :class:`OfSeveral`."""

    model: ClassifierModel
    pool: Pool
    card: Card

    def predict(self, study: Study, *, desk: Desk = PLAIN) -> Prediction:
        """Give the probability of each class, from all pictures of the study.

        Raises
        ------
        ModelError
            If the study has no picture, or one that the arm cannot look at.
        """
        if not study.volumes:
            raise ModelError(f"study of {study.patient.id}: no picture; expected one or more")
        rows = []
        for role in study.volumes:
            said = self.model.predict(_single(study, role), desk=desk).probabilities
            if said is not None:
                rows.append([said.of[name] for name in self.card.classes])
        pooled = pooled_answer(np.array(rows), self.pool, self.card.classes)
        of = dict(zip(self.card.classes, pooled.tolist(), strict=True))
        answer = ClassProbabilities(of=of, threshold=self.card.threshold)
        return Prediction(answers={Task.CLASSIFY: answer})

    def with_card(self, card: Card) -> SeveralModel:
        """Return the same model under another card."""
        return replace(self, card=card)

    def save(self, folder: Path) -> None:
        """Write ``card.json`` and ``weights.skops``."""
        self.model.with_card(self.card).save(folder)


def from_weights(
    card: Card, weights: Mapping[str, Any], build: Callable[[Card, Mapping[str, Any]], Any]
) -> SeveralModel:
    """Build the model from what :meth:`SeveralModel.save` wrote; ``build`` builds the arm's."""
    pool = card.settings["pool"]
    if pool not in POOLS:
        raise ModelError(f"model card: pooling {pool!r}; expected one of {list(POOLS)}")
    inner = replace(card, arm=card.arm.removesuffix(f"+{pool}"))
    return SeveralModel(model=build(inner, weights), pool=pool, card=card)


def pictures_of(case: Case) -> list[Case]:
    """Each image of a case as a case of its own, of the same patient and class.

    Raises
    ------
    CohortError
        If there is none.
    """
    roles = case.glance.roles
    if not roles:
        raise CohortError(f"case {case.id}: no picture; expected one or more")
    return [
        Case(
            id=f"{case.id}/{role}",
            patient=case.patient,
            load=partial(_single_of, case, role),
            truths=known_truths(target=case.target),
            site=case.site,
            covariates=case.covariates,
        )
        for role in roles
    ]


def pooled_answer(answers: FloatArray, pool: Pool, classes: Sequence[str]) -> FloatArray:
    """One answer from those of several pictures, (pictures, classes) to (classes,)."""
    if pool == "mean":
        found: FloatArray = answers.mean(axis=0)
    elif pool == "max":
        highest = answers.max(axis=0)
        if len(classes) == 2:
            from_positive = list(classes).index(positive_class(classes))
            highest[1 - from_positive] = 1 - highest[from_positive]
        found = highest / highest.sum()
    else:
        bits = -(answers * np.log(np.clip(answers, 1e-12, None))).sum(axis=1)
        sure = 1 - bits / np.log(answers.shape[1])
        weights = sure if sure.sum() > 0 else np.ones(len(answers))
        found = np.average(answers, axis=0, weights=weights)
    return found


def _single(study: Study, role: str) -> Study:
    """The study with one of its images, and the outlines drawn on that grid."""
    volume = study.volumes[role]
    masks = tuple(one for one in study.masks if one.geometry.matches(volume.geometry))
    return replace(study, volumes={role: volume}, masks=masks)


def _single_of(case: Case, role: str) -> Study:
    return _single(characterised(case), role)


def _threshold(
    model: ClassifierModel, owner: Any, cases: Sequence[Case], pool: Pool
) -> float | None:
    """Threshold on pooled answers of training patients while they were left out; or None."""
    fitted = model.fitted
    if not isinstance(fitted, FittedTable) or not fitted.choice.folds:
        return None
    classes = [str(name) for name in fitted.classes]
    pooled = np.array(
        [
            pooled_answer(fitted.choice.left_out[owner == number], pool, classes)
            for number in range(len(cases))
        ]
    )
    return chosen_threshold([case.required_target for case in cases], pooled, classes)
