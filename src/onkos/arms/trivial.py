"""The arm every other one must beat: the largest bright blob on one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from onkos.arms import store
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

Counts = NDArray[np.int64]

NAME = "trivial"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrightBlob:
    """Arm without a method: voxels above one threshold on one channel, the largest piece of them.

    Fitting only chooses channel and threshold, those with the best mean Dice of the whole
    tumour in training. All of the blob is called by the name of the commonest tissue. Where
    nothing exceeds the threshold everything is healthy.

    Parameters
    ----------
    thresholds
        Candidates, in robust standard deviations above the patient's usual tissue.
    """

    thresholds: tuple[float, ...] = (0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)

    @property
    def name(self) -> str:
        """Name on the command line and in tables."""
        return NAME

    @property
    def family(self) -> str:
        """Of the trivial methods."""
        return "trivial"

    @property
    def task(self) -> Task:
        """Outlining."""
        return Task.SEGMENT

    @property
    def settings(self) -> Mapping[str, Any]:
        """Thresholds that are tried."""
        return dict(asdict(self))

    def require(self, cohort: Cohort, folds: Sequence[Fold]) -> None:
        """Refuse a case without a reference outline."""
        del folds
        require_outlines(cohort)

    def fit(
        self, cases: Sequence[Case], *, rng: np.random.Generator, desk: Desk = PLAIN
    ) -> BlobModel:
        """Choose channel and threshold; nothing is random.

        Raises
        ------
        CohortError
            If there are no cases, they share no image role, or one of them has no outline.
        """
        del rng
        training = TrainingSet.of(cases, desk)

        def tried(_number: int, case: Case, scan: Scan) -> tuple[list[list[float]], Counts]:
            truth = truth_on(scan, case.outline, training.names)
            dice = [
                [_dice(blob(scan, channel, threshold), truth > 0) for threshold in self.thresholds]
                for channel in range(scan.image.shape[-1])
            ]
            return dice, np.bincount(truth.ravel(), minlength=len(training.names) + 1)

        done = training.over(tried)
        mean = np.mean([dice for dice, _ in done], axis=0)
        voxels = np.sum([counted for _, counted in done], axis=0)
        channel, place = np.unravel_index(int(np.argmax(mean)), mean.shape)
        card = make_card(NAME, training, settings=self.settings)
        return BlobModel(
            card=card,
            channel=int(channel),
            threshold=self.thresholds[int(place)],
            tissue=1 + int(np.argmax(voxels[1:])),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlobModel:
    """A fitted :class:`BrightBlob`; the blob is called by the name of the ``tissue``-th tissue."""

    card: Card
    channel: int
    threshold: float
    tissue: int

    def predict(self, study: Study, *, desk: Desk = PLAIN) -> Prediction:
        """Outline the blob; a class is certain or absent, for the method knows no doubt."""
        del desk
        scan = prepare(study, self.card.roles, reference=self.card.reference)
        if self.channel >= scan.image.shape[-1]:
            raise ModelError(
                f"study of {study.patient.id}: {scan.image.shape[-1]} channels, the model uses "
                f"channel {self.channel + 1}; expected images of the kind it was fitted on"
            )
        found = blob(scan, self.channel, self.threshold)
        classes = found.astype(np.uint8) * np.uint8(self.tissue)
        names = self.card.tissues
        return Prediction.outlined(
            scan.outline(classes, names),
            reference=self.card.reference,
            presence={
                name: float(n == self.tissue and found.any())
                for n, name in enumerate(names.values(), start=1)
            },
            caveats=caveats(scan, classes),
        )

    def with_card(self, card: Card) -> BlobModel:
        """Return the same model under another card."""
        return replace(self, card=card)

    def save(self, folder: Path) -> None:
        """Write ``card.json`` and ``weights.skops``."""
        weights = {"channel": self.channel, "threshold": self.threshold, "tissue": self.tissue}
        store.save(folder, self.card, weights)


def from_weights(card: Card, weights: Mapping[str, Any]) -> BlobModel:
    """Build the model from what :meth:`BlobModel.save` wrote."""
    return BlobModel(
        card=card,
        channel=int(weights["channel"]),
        threshold=float(weights["threshold"]),
        tissue=int(weights["tissue"]),
    )


def blob(scan: Scan, channel: int, threshold: float) -> NDArray[np.bool_]:
    """Largest connected piece (6 neighbours) of the head above a threshold on one channel."""
    bright = scan.head & (scan.image[..., channel] > threshold)
    if not bright.any():
        return bright
    pieces = cc3d.connected_components(bright, connectivity=6)
    largest = 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    found: NDArray[np.bool_] = pieces == largest
    return found


def _dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    total = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 2 * int(np.count_nonzero(a & b)) / total if total else 1.0
