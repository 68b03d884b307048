"""A random forest on the intensities of single voxels: what texture and regions must improve on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from onkos.arms import store
from onkos.arms.forest import shares_of
from onkos.arms.training import TrainingSet, caveats, make_card, require_outlines, truth_on
from onkos.core.card import Card
from onkos.core.case import Case, Cohort
from onkos.core.desk import PLAIN, Desk
from onkos.core.errors import ModelError
from onkos.core.reading import Prediction
from onkos.core.split import Fold
from onkos.core.study import Study
from onkos.core.task import Task
from onkos.prep.scan import Scan, prepare

Float32 = NDArray[np.float32]
Bytes = NDArray[np.uint8]

NAME = "intensity-forest"
_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensityForest:
    """Arm: each voxel by its own standardised intensities in all channels, nothing else.

    Parameters
    ----------
    trees, leaf
        Trees of the forest and fewest voxels a leaf.
    samples
        Voxels drawn from each case, all of the head being equally likely.
    """

    trees: int = 40
    leaf: int = 20
    samples: int = 20_000

    @property
    def name(self) -> str:
        """Name on the command line and in tables."""
        return NAME

    @property
    def family(self) -> str:
        """Of the classic methods."""
        return "classic"

    @property
    def task(self) -> Task:
        """Outlining."""
        return Task.SEGMENT

    @property
    def settings(self) -> Mapping[str, Any]:
        """Size of the forest and of the sample."""
        return dict(asdict(self))

    def require(self, cohort: Cohort, folds: Sequence[Fold]) -> None:
        """Refuse a case without a reference outline."""
        del folds
        require_outlines(cohort)

    def fit(
        self, cases: Sequence[Case], *, rng: np.random.Generator, desk: Desk = PLAIN
    ) -> IntensityModel:
        """Learn from cases with reference outlines.

        Raises
        ------
        CohortError
            If there are no cases, they share no image role, or one of them has no outline.
        """
        training = TrainingSet.of(cases, desk)
        streams = rng.spawn(len(cases))

        def sampled(number: int, case: Case, scan: Scan) -> tuple[Float32, Bytes]:
            inside = np.flatnonzero(scan.head)
            size = min(self.samples, len(inside))
            picked = streams[number].choice(inside, size=size, replace=False)
            values = scan.image.reshape(-1, scan.image.shape[-1])[picked]
            return values, truth_on(scan, case.outline, training.names).ravel()[picked]

        done = training.over(sampled)
        desk.tell(0, 0, "growing the forest")
        values = np.concatenate([some for some, _ in done])
        truths = np.concatenate([some for _, some in done])
        forest = RandomForestClassifier(
            n_estimators=self.trees,
            min_samples_leaf=self.leaf,
            n_jobs=desk.threads,
            random_state=int(rng.integers(2**31)),
        )
        forest.fit(values, truths).set_params(n_jobs=1)  # from here on threads share rows
        card = make_card(NAME, training, settings=self.settings)
        return IntensityModel(card=card, forest=forest)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IntensityModel:
    """A fitted :class:`IntensityForest`."""

    card: Card
    forest: Any

    def predict(self, study: Study, *, desk: Desk = PLAIN) -> Prediction:
        """Outline the tissues on the reference image's grid.

        Raises
        ------
        ModelError
            If an image the model needs is missing or holds no head.
        """
        scan = prepare(study, self.card.roles, reference=self.card.reference)
        if scan.image.shape[-1] != self.forest.n_features_in_:
            raise ModelError(
                f"study of {study.patient.id}: {scan.image.shape[-1]} channels, the model was "
                f"fitted on {self.forest.n_features_in_}; expected images of the same kind"
            )
        values = scan.image[scan.head]
        found = np.zeros(len(values), dtype=np.uint8)
        names = self.card.tissues
        highest = np.zeros(len(names) + 1)
        for start in range(0, len(values), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            shares = shares_of(self.forest, values[some], len(highest), desk.threads)
            found[some] = shares.argmax(axis=1)
            highest = np.maximum(highest, shares.max(axis=0))
        classes: NDArray[np.uint8] = np.zeros(scan.head.shape, dtype=np.uint8)
        classes[scan.head] = found
        return Prediction.outlined(
            scan.outline(classes, names),
            reference=self.card.reference,
            presence={name: float(highest[n]) for n, name in enumerate(names.values(), start=1)},
            caveats=caveats(scan, classes),
        )

    def with_card(self, card: Card) -> IntensityModel:
        """Return the same model under another card."""
        return replace(self, card=card)

    def save(self, folder: Path) -> None:
        """Write ``card.json`` and ``weights.skops``."""
        store.save(folder, self.card, {"forest": self.forest})


def from_weights(card: Card, weights: Mapping[str, Any]) -> IntensityModel:
    """Build the model from what :meth:`IntensityModel.save` wrote."""
    return IntensityModel(card=card, forest=weights["forest"])
