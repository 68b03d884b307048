"""Supervoxels, textons and a random forest: core and oedema after Soltaninejad 2018."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from onkos.arms import store
from onkos.arms.description import Description, describe
from onkos.arms.forest import Growth, RegionForest, decided, fit_forest, smoothed
from onkos.arms.training import TrainingSet, caveats, make_card, require_outlines, truth_on
from onkos.core.card import Card
from onkos.core.case import Case, Cohort
from onkos.core.desk import PLAIN, Desk
from onkos.core.errors import ModelError
from onkos.core.reading import Prediction
from onkos.core.split import Fold
from onkos.core.study import Study
from onkos.core.task import Task
from onkos.features.gabor import GaborBank
from onkos.features.regions import votes
from onkos.features.supervoxels import Partition
from onkos.features.textons import Textons, learn_textons, sample_responses
from onkos.prep.scan import Scan, prepare

FloatArray = NDArray[np.float64]

NAME = "supervoxel-forest"
_TEXTON_CASES = 8
_TEXTON_SAMPLES = 20_000  # voxels a channel in all
_ISLAND = 0.05  # of the largest piece: smaller ones are dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervoxelForest:
    """Arm: texture and intensity of supervoxels, judged by random forests.

    From the paper: three-dimensional supervoxels over all MR channels together, first-order
    statistics and histograms of textons (Gabor bank, k-means on training patients only) of
    each supervoxel and channel, a random forest into healthy and the tissues. Added:
    neighbourhood, symmetry and depth as features and training under several contrasts
    (``description``), a second forest that sees the first ones' answers around and thresholds
    of the patient's own (``forest``), smoothing over neighbours, and the removal of small
    islands.

    Parameters
    ----------
    partition
        Supervoxels; the edge counts in pixels for a picture of unknown pixel size.
    bank, textons, energy
        The filters, how many textons a channel, and the part of the responses' variance that
        the short cut to them must hold.
    growth
        The forests.

    References
    ----------
    Soltaninejad M et al. Comput Methods Programs Biomed 2018;157:69-84.
    doi:10.1016/j.cmpb.2018.01.003
    """

    partition: Partition = field(default_factory=Partition)
    bank: GaborBank = field(default_factory=GaborBank)
    textons: int = 16
    energy: float = 0.93
    growth: Growth = field(default_factory=Growth)

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
        """Supervoxels, textons and forest."""
        return dict(asdict(self))

    def require(self, cohort: Cohort, folds: Sequence[Fold]) -> None:
        """Refuse a case without a reference outline."""
        del folds
        require_outlines(cohort)

    def fit(
        self, cases: Sequence[Case], *, rng: np.random.Generator, desk: Desk = PLAIN
    ) -> SupervoxelModel:
        """Learn from cases with reference outlines.

        Raises
        ------
        CohortError
            If there are none, they share no image role, or one of them has no outline.
        """
        training = TrainingSet.of(cases, desk)
        dictionaries = self._learn_textons(training, rng)

        def described(_number: int, case: Case, scan: Scan) -> tuple[Description, FloatArray]:
            one = self.described(scan, dictionaries, threads=1)
            truth = truth_on(scan, case.outline, training.names)
            return one, votes(truth, one.regions, count=len(training.names) + 1)

        done = training.over(described)
        desk.tell(0, 0, "growing the forest")
        forest = fit_forest(
            [one for one, _ in done],
            [counted for _, counted in done],
            [case.patient for case in cases],
            growth=self.growth,
            rng=rng,
            threads=desk.threads,
        )
        card = make_card(NAME, training, settings=self.settings)
        return SupervoxelModel(card=card, arm=self, dictionaries=dictionaries, forest=forest)

    def described(
        self, scan: Scan, dictionaries: tuple[Textons, ...], *, threads: int
    ) -> Description:
        """Supervoxels of a scan and the table about them."""
        return describe(scan, partition=self.partition, textons=dictionaries, threads=threads)

    def _learn_textons(
        self, training: TrainingSet, rng: np.random.Generator
    ) -> tuple[Textons, ...]:
        """One dictionary a channel, from some voxels of some of the cases."""
        chosen = rng.permutation(len(training.cases))[:_TEXTON_CASES]
        few = sorted(int(n) for n in chosen)
        streams = rng.spawn(len(few))

        def sampled(number: int, _case: Case, scan: Scan) -> list[FloatArray]:
            inside = np.flatnonzero(scan.head)
            wanted = min(len(inside), _TEXTON_SAMPLES // len(few))
            picked = streams[number].choice(inside, size=wanted)
            places = np.column_stack(np.unravel_index(picked, scan.head.shape))
            return [
                sample_responses(channel, places, bank=self.bank, spacing_mm=scan.spacing_mm)
                for channel in np.moveaxis(scan.image, -1, 0)
            ]

        gathered = training.over(sampled, among=few, what="sampling textons")
        return tuple(
            learn_textons(
                np.concatenate(responses),
                bank=self.bank,
                count=self.textons,
                energy=self.energy,
                rng=rng,
            )
            for responses in zip(*gathered, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SupervoxelModel:
    """A fitted :class:`SupervoxelForest`."""

    card: Card
    arm: SupervoxelForest
    dictionaries: tuple[Textons, ...]
    forest: RegionForest

    def predict(self, study: Study, *, desk: Desk = PLAIN) -> Prediction:
        """Outline the tissues on the reference image's grid.

        Raises
        ------
        ModelError
            If an image the model needs is missing or holds no head.
        """
        scan = prepare(study, self.card.roles, reference=self.card.reference)
        if scan.image.shape[-1] != len(self.dictionaries):
            raise ModelError(
                f"study of {study.patient.id}: {scan.image.shape[-1]} channels, the model was "
                f"fitted on {len(self.dictionaries)}; expected images of the same kind"
            )
        threads = desk.threads
        described = self.arm.described(scan, self.dictionaries, threads=threads)
        answers = smoothed(described, self.forest.probabilities(described, threads=threads))
        chosen = decided(described, answers)
        classes = np.concatenate([np.zeros(1, np.uint8), chosen])[described.regions.labels]
        classes = without_islands(classes)
        names = self.card.tissues
        return Prediction.outlined(
            scan.outline(classes, names),
            reference=self.card.reference,
            presence={
                name: float(answers[:, n].max()) for n, name in enumerate(names.values(), start=1)
            },
            caveats=caveats(scan, classes),
        )

    def with_card(self, card: Card) -> SupervoxelModel:
        """Return the same model under another card."""
        return replace(self, card=card)

    def save(self, folder: Path) -> None:
        """Write ``card.json`` and ``weights.skops``."""
        weights = {
            "first": list(self.forest.first),
            "second": self.forest.second,
            "classes": self.forest.classes,
            "textons": [
                {"basis": one.basis, "centres": one.centres, "energy": one.energy}
                for one in self.dictionaries
            ],
        }
        store.save(folder, self.card, weights)


def without_islands(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Classes without connected pieces (26 neighbours) below a part of the largest one."""
    pieces, n = cc3d.connected_components(classes != 0, connectivity=26, return_N=True)
    if n < 2:
        return classes
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    kept = sizes >= _ISLAND * sizes.max()
    return np.where(kept[pieces], classes, 0).astype(np.uint8)


def from_weights(card: Card, weights: Mapping[str, Any]) -> SupervoxelModel:
    """Build the model from what :meth:`SupervoxelModel.save` wrote and the card's settings."""
    plain = dict(card.settings)
    bank = GaborBank(
        **{name: _as_tuple(value) for name, value in plain.pop("bank").items()},
    )
    arm = SupervoxelForest(
        partition=Partition(**plain.pop("partition")),
        growth=Growth(**plain.pop("growth")),
        bank=bank,
        **plain,
    )
    dictionaries = tuple(Textons(bank=bank, **one) for one in weights["textons"])
    forest = RegionForest(
        first=tuple(weights["first"]),
        second=weights["second"],
        classes=int(weights["classes"]),
    )
    return SupervoxelModel(card=card, arm=arm, dictionaries=dictionaries, forest=forest)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
