"""The least a classifier can do: say of every patient how frequent each class was in training."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from onkos.classic.arrays import taken
from onkos.core.errors import CohortError
from onkos.core.geometry import AnyArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevalence:
    """Member that looks at nothing; its AUC is one half whatever the cohort."""

    name: str = "prevalence"

    def fit(
        self,
        x: ArrayLike,
        y: Sequence[Any],
        groups: Sequence[Hashable],
        *,
        rng: np.random.Generator,
    ) -> FittedPrevalence:
        """Count the classes, each patient counting once however many cases there are."""
        del rng
        names, codes = np.unique(np.asarray(y, dtype=str), return_inverse=True)
        if len(names) < 2:
            raise CohortError(f"classes {names.tolist()}: expected two or more")
        patients = np.unique(np.array([str(g) for g in groups]), return_inverse=True)[1]
        weight = 1 / np.bincount(patients)[patients]
        shares = np.bincount(codes, weights=weight) / weight.sum()
        return FittedPrevalence(classes=names, shares=shares, features=np.shape(x)[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedPrevalence:
    """Classes and their shares of the training patients."""

    classes: AnyArray
    shares: FloatArray
    features: int

    @property
    def selected(self) -> AnyArray:
        """It depends on no feature."""
        return np.zeros(self.features, dtype=np.bool_)

    def probabilities(self, x: ArrayLike) -> FloatArray:
        """Return the same shares for every case, (cases, classes)."""
        return np.tile(self.shares, (len(np.asarray(x)), 1))

    def to_arrays(self) -> dict[str, AnyArray]:
        """Everything as arrays."""
        features = np.array(self.features)
        return {"classes": self.classes, "shares": self.shares, "features": features}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Build it back; :class:`ModelError` if an array is missing."""
        return cls(
            classes=taken(arrays, "classes"),
            shares=taken(arrays, "shares"),
            features=int(taken(arrays, "features")),
        )
