"""Predicted probabilities of an outcome, and the outcomes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import Clusters
from onkos.stats.survival.followup import yes_or_no


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """Predicted probabilities of a yes-or-no outcome, and the outcomes.

    Parameters
    ----------
    truth
        True (or 1) where the outcome happened, shape (cases,).
    probability
        Predicted probability of it, shape (cases,), finite, 0 to 1.
    groups
        The patient of each case where patients have several (lesions, visits); intervals then
        take patients, not cases, for independent. Without it each case is a patient.

    Raises
    ------
    ContentError
        If there is no case, a probability is not finite or not between 0 and 1, the truth holds
        anything but yes and no, or lengths differ.
    """

    truth: BoolArray
    probability: FloatArray
    groups: Sequence[Hashable] | None = None

    def __post_init__(self) -> None:
        probability = np.array(self.probability, dtype=np.float64)
        if probability.ndim != 1 or probability.size == 0:
            raise ContentError(
                f"probabilities of shape {probability.shape}: expected one a case, at least one"
            )
        bad = np.flatnonzero(~((probability >= 0) & (probability <= 1)))
        if bad.size:
            raise ContentError(
                f"probabilities at {bad[:5].tolist()} are {probability[bad[:5]].tolist()}: "
                "expected 0 to 1; a score has to be calibrated into a probability first"
            )
        truth = yes_or_no(self.truth, what="truth", shape=probability.shape)
        for array, name in ((truth, "truth"), (probability, "probability")):
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        _ = self.clusters

    @property
    def cases(self) -> int:
        """Number of cases."""
        return int(self.truth.size)

    @property
    def events(self) -> int:
        """Number of cases with the outcome."""
        return int(np.count_nonzero(self.truth))

    @property
    def clusters(self) -> Clusters:
        """Which cases belong to one patient."""
        return Clusters.of(self.cases, groups=self.groups)

    @property
    def patients(self) -> int:
        """Number of patients."""
        return self.clusters.count

    @property
    def words(self) -> str:
        """Events, cases, for the method of an estimate."""
        return f"{self.events} events in {self.cases} cases"

    @property
    def logits(self) -> FloatArray:
        """Log odds of the probabilities.

        Raises
        ------
        ContentError
            If a probability is exactly 0 or 1.
        """
        certain = np.flatnonzero((self.probability <= 0) | (self.probability >= 1))
        if certain.size:
            raise ContentError(
                f"probabilities at {certain[:5].tolist()} are exactly 0 or 1: their odds are "
                "infinite; say how sure the model can be at most, e.g. by clipping to 0.001 and "
                "0.999"
            )
        return np.log(self.probability) - np.log1p(-self.probability)

    def require_both(self) -> None:
        """Refuse a sample with one class only.

        Raises
        ------
        ContentError
            If the outcome happened in all cases, or in none.
        """
        if self.events in (0, self.cases):
            raise ContentError(
                f"{self.words}: expected cases with and without the outcome; calibration cannot "
                "be judged from one class"
            )
