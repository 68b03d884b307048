"""What an arm and a fitted model must be able to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from onkos.core.card import Card
from onkos.core.case import Case, Cohort
from onkos.core.comparison import FoldImportance
from onkos.core.desk import Desk
from onkos.core.reading import Prediction
from onkos.core.split import Fold
from onkos.core.study import Study
from onkos.core.task import Task


class Model(Protocol):
    """A fitted method. Loading one never runs code from its folder."""

    @property
    def card(self) -> Card:
        """What it is for, what it was fitted on, how well it did."""
        ...

    def predict(self, study: Study, *, desk: Desk) -> Prediction:
        """Answer for one study; refuses a study it was not made for with a ModelError."""
        ...

    def with_card(self, card: Card) -> Model:
        """Return the same model under another card, e.g. with its errors on unseen patients."""
        ...

    def save(self, folder: Path) -> None:
        """Write ``card.json`` and the weights, whole or not at all."""
        ...


class Arm(Protocol):
    """A method that can be fitted: preparation, features or net, and learner."""

    @property
    def name(self) -> str:
        """Name on the command line and in tables."""
        ...

    @property
    def family(self) -> str:
        """``trivial``, ``classic`` or ``deep``."""
        ...

    @property
    def task(self) -> Task:
        """What it answers."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What changes an outcome and nothing else, as plain data."""
        ...

    def require(self, cohort: Cohort, folds: Sequence[Fold]) -> None:
        """Refuse, before anything runs, a cohort or folds that it cannot learn from.

        Raises
        ------
        CohortError, UsageError
            Leaks, a site that no training patient is from, too few of a class.
        """
        ...

    def fit(self, cases: Sequence[Case], *, rng: np.random.Generator, desk: Desk) -> Model:
        """Learn from cases; what is learnt depends on these cases and the generator alone."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A model that tells what it rests on: an exhibit that an arm may offer."""

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the features that its answers depend on."""
        ...

    def importance(
        self,
        train: Sequence[Case],
        test: Sequence[Case],
        *,
        rng: np.random.Generator,
        desk: Desk,
    ) -> FoldImportance | None:
        """What the left-out cases lose when a feature tells them nothing."""
        ...
