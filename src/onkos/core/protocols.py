"""What an arm and a fitted model must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from onkos.core.card import Card
from onkos.core.case import Case
from onkos.core.reading import Prediction
from onkos.core.study import Study


class Model(Protocol):
    """A fitted method. Loading one never runs code from its folder."""

    @property
    def card(self) -> Card:
        """What it is for, what it was fitted on, how well it did."""
        ...

    def predict(self, study: Study) -> Prediction:
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

    def fit(self, cases: Sequence[Case], *, rng: np.random.Generator) -> Model:
        """Learn from cases; what is learnt depends on these cases and the generator alone."""
        ...
