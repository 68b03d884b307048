"""An outliner: a table member says what each supervoxel is, a region member divides the voxels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from onkos.arms import store
from onkos.arms.description import Description, describe
from onkos.arms.outline.division import Division, RefusedError, patch_of
from onkos.arms.outline.tuning import Chosen, Trial, Tuning, choose
from onkos.arms.outline.unary import FittedUnary, Sample, chosen, fit_unary, sampled
from onkos.arms.training import TrainingSet, caveats, make_card, require_outlines, truth_on
from onkos.classic.inner_folds import patient_folds
from onkos.classic.table import Member
from onkos.core.card import Card
from onkos.core.case import Case, Cohort
from onkos.core.code import settings_of
from onkos.core.desk import PLAIN, Desk
from onkos.core.errors import CohortError, ContentError, ModelError
from onkos.core.reading import Prediction
from onkos.core.source import Caveat
from onkos.core.split import Fold
from onkos.core.study import Study
from onkos.core.task import Task
from onkos.features.regions import votes
from onkos.features.supervoxels import Partition
from onkos.prep.scan import Scan, prepare

_UNARY = "unary."
_FEWEST = 3  # patients: below, none can be left out with two to learn from


@dataclass(frozen=True, slots=True, kw_only=True)
class Outliner:
    """Arm: supervoxels judged one by one, then the voxels near the tumour divided together.

    Each supervoxel of the head (or of the picture) is described by the intensities, contrasts,
    symmetry and depth of :func:`onkos.arms.description.describe` without textons. A table
    member learns on training patients how probable each tissue is in it. Where tumour is
    possible, and 10 mm around, a region member then divides the voxels by these probabilities
    and the image. Pixels of unknown size count as 1 mm.

    The table member chooses its own settings by inner folds of the patients. Those of the
    division are chosen by the mean Dice on training patients that the probabilities were not
    learnt from; with fewer than three patients the defaults stand and every outline says so.

    Parameters
    ----------
    name
        On the command line and in tables.
    unary
        The table member.
    division
        The region member and where the choice of settings starts.
    tuning
        What is tried.
    partition
        Supervoxels; the edge counts in pixels for a picture of unknown pixel size.
    rows
        Supervoxels the table member learns from, drawn evenly over patients and classes.
    """

    name: str
    unary: Member
    division: Division = field(default_factory=Division)
    tuning: Tuning = field(default_factory=Tuning)
    partition: Partition = field(default_factory=Partition)
    rows: int = 3000

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
        """Members, what is tried, supervoxels and rows."""
        found: dict[str, Any] = settings_of(self)
        return found

    def require(self, cohort: Cohort, folds: Sequence[Fold]) -> None:
        """Refuse a case without a reference outline."""
        del folds
        require_outlines(cohort)

    def fit(
        self, cases: Sequence[Case], *, rng: np.random.Generator, desk: Desk = PLAIN
    ) -> OutlinerModel:
        """Learn from cases with reference outlines.

        Raises
        ------
        CohortError
            If there are none or only of one patient, they share no image role, or one of them
            has no outline.
        """
        training = TrainingSet.of(cases, desk)
        names = training.names
        streams = rng.spawn(len(cases))

        def drawn(number: int, case: Case, scan: Scan) -> Sample:
            described = self.described(scan, threads=1)
            truth = truth_on(scan, case.outline, names)
            return sampled(
                described,
                votes(truth, described.regions, count=len(names) + 1),
                patient=case.patient,
                cases=len(cases),
                rows=self.rows,
                rng=streams[number],
            )

        samples = training.over(drawn)
        desk.tell(0, 0, "learning what each supervoxel is")
        unary = fit_unary(samples, self.unary, rng=rng)
        seed = int(rng.integers(2**31))
        trials = self._trials(training, samples, unary, rng)
        found = Chosen(division=self.division, dice=np.nan, patients=0)
        if trials:
            axes = self.tuning.axes
            found = choose(self.division, trials, axes, seed=seed, threads=desk.threads)
        card = make_card(
            self.name,
            training,
            settings={
                "unary": self.unary.name,
                "member": self.division.member.name if self.division.member else "",
                "division": found.division.to_plain(),
                "chosen_on": found.patients,
                "dice_when_chosen": found.dice if found.patients else None,
                "partition": asdict(self.partition),
                "rows": self.rows,
            },
        )
        return OutlinerModel(
            card=_for_what(card),
            unary=unary,
            division=found.division,
            partition=self.partition,
            seed=seed,
        )

    def described(self, scan: Scan, *, threads: int) -> Description:
        """Supervoxels of a scan and the table about them."""
        return describe(scan, partition=self.partition, textons=(), threads=threads)

    def _trials(
        self,
        training: TrainingSet,
        samples: Sequence[Sample],
        unary: FittedUnary,
        rng: np.random.Generator,
    ) -> list[Trial]:
        """Some training patients with probabilities that were not learnt from them.

        None where there are too few patients, or those left are not enough to learn from.
        """
        names = training.names
        group = _groups(samples, self.tuning.folds, rng)
        kept = _within(samples, self.tuning.voxels, rng)
        member = chosen(self.unary, unary)
        if len(set(group)) < 2:
            return []
        try:
            left_out = {
                number: fit_unary(
                    [one for one, its in zip(samples, group, strict=True) if its != number],
                    member,
                    rng=rng,
                )
                for number in sorted({group[n] for n in kept})
            }
        except (CohortError, ContentError):
            return []

        def tried(place: int, case: Case, scan: Scan) -> Trial:
            described = self.described(scan, threads=1)
            shares = left_out[group[kept[place]]].probabilities(described)
            patch = patch_of(scan, described, shares)
            truth = truth_on(scan, case.outline, names)
            return Trial(
                patient=case.patient,
                patch=patch,
                truth=np.ascontiguousarray(truth[patch.box]) if patch else truth[:0],
                counts=np.bincount(truth.ravel(), minlength=len(names) + 1),
            )

        return training.over(tried, among=kept, what="choosing settings")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutlinerModel:
    """A fitted :class:`Outliner`; ``seed`` is of what is random in the region member."""

    card: Card
    unary: FittedUnary
    division: Division
    partition: Partition
    seed: int

    def predict(self, study: Study, *, desk: Desk = PLAIN) -> Prediction:
        """Outline the tissues on the reference image's grid.

        Where the region member refuses, nothing is outlined and a caveat says why.

        Raises
        ------
        ModelError
            If an image the model needs is missing, is of another kind, or holds no head.
        """
        scan = prepare(study, self.card.roles, reference=self.card.reference)
        described = describe(scan, partition=self.partition, textons=(), threads=desk.threads)
        try:
            shares = self.unary.probabilities(described)
        except ContentError as error:
            raise ModelError(
                f"study of {study.patient.id}: {scan.image.shape[-1]} channels are not those the "
                f"model was fitted on; expected images of the same kind ({error})"
            ) from error
        classes, limits = self._divided(scan, described, shares)
        names = self.card.tissues
        return Prediction.outlined(
            scan.outline(classes, names),
            reference=self.card.reference,
            presence={
                name: float(shares[:, n].max()) for n, name in enumerate(names.values(), start=1)
            },
            caveats=(*caveats(scan, classes), *limits),
        )

    def with_card(self, card: Card) -> OutlinerModel:
        """Return the same model under another card."""
        return replace(self, card=card)

    def save(self, folder: Path) -> None:
        """Write ``card.json`` and ``weights.skops``."""
        arrays = {_UNARY + name: array for name, array in self.unary.to_arrays().items()}
        store.save(folder, self.card, {**arrays, "seed": np.array(self.seed)})

    def _divided(self, scan: Scan, described: Description, shares: Any) -> tuple[Any, list[Caveat]]:
        """Classes in the scan's box, and what limits them."""
        limits = []
        if not self.card.settings["chosen_on"]:
            text = (
                "The method's settings could not be chosen on the training patients, who were too "
                "few; its defaults were used."
            )
            limits.append(Caveat(code="settings-not-chosen", text=text))
        nothing = np.zeros(scan.head.shape, dtype=np.uint8)
        patch = patch_of(scan, described, shares)
        if patch is None:
            return nothing, limits
        try:
            rng = np.random.default_rng(self.seed)
            labels, settled = self.division.divided(patch, rng=rng)
        except RefusedError as reason:
            text = f"The method could not divide this image ({reason}); nothing is outlined."
            return nothing, [*limits, Caveat(code="method-refused", text=text)]
        if not settled:
            text = "The method stopped before it came to rest: the outline may lie a little off."
            limits.append(Caveat(code="not-settled", text=text))
        return patch.whole(labels), limits


def from_weights(card: Card, weights: Mapping[str, Any]) -> OutlinerModel:
    """Build the model from what :meth:`OutlinerModel.save` wrote and the card's settings."""
    settings = card.settings
    arrays = {
        name.removeprefix(_UNARY): array
        for name, array in weights.items()
        if name.startswith(_UNARY)
    }
    return OutlinerModel(
        card=card,
        unary=FittedUnary.from_arrays(arrays),
        division=Division.from_plain(settings["member"], settings["division"]),
        partition=Partition(**settings["partition"]),
        seed=int(weights["seed"]),
    )


def _groups(samples: Sequence[Sample], folds: int, rng: np.random.Generator) -> list[int]:
    """Group of each case, all of a patient in one; a single group where patients are too few."""
    patients = np.unique([one.patient for one in samples], return_inverse=True)[1]
    distinct = int(patients.max()) + 1
    if distinct < _FEWEST:
        return [0] * len(samples)
    rarest = np.array([int(np.flatnonzero(one.counts)[-1]) for one in samples])
    fold = patient_folds(rarest, patients, min(folds, distinct), rng=rng)
    return [int(one) for one in fold]


def _within(samples: Sequence[Sample], voxels: int, rng: np.random.Generator) -> list[int]:
    """Cases of patients drawn at random, as many as fit into so many voxels, at least one."""
    patients = sorted({one.patient for one in samples})
    total = 0
    kept: set[str] = set()
    for place in rng.permutation(len(patients)):
        own = sum(one.voxels for one in samples if one.patient == patients[place])
        if kept and total + own > voxels:
            break
        total += own
        kept.add(patients[place])
    return [n for n, one in enumerate(samples) if one.patient in kept]


def _for_what(card: Card) -> Card:
    """Card that claims no brain where images are not MR."""
    if card.modality == "MR":
        return card
    what = ", ".join(card.tissues.values())
    use = (
        f"Outlining of {what} on {card.modality} images of the kinds it was fitted on, for "
        "research; not for diagnosis or treatment."
    )
    return replace(card, site="", intended_use=use)
