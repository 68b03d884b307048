"""Made images judged against reference ones: structural similarity, PSNR, error, in the body."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onkos.core.answers import KeptImage, ReconstructedImage
from onkos.core.case import Case, Cohort
from onkos.core.comparison import Answered, Predicted
from onkos.core.curve import Curve
from onkos.core.desk import Tell
from onkos.core.errors import CohortError, ContentError, GeometryError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.judgement import JudgedCase, Spread
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.core.volume import Volume
from onkos.judge.part import BoolArray, Difference, Metrics
from onkos.judge.settings import LEVEL, Settings
from onkos.stats import joint
from onkos.stats.aggregate import mean_with_misses
from onkos.stats.bootstrap import paired_difference
from onkos.stats.estimates import noted
from onkos.stats.fidelity import body, nrmse, psnr_db, ssim
from onkos.stats.resampling import IntArray

KINDS = ("ssim", "psnr_db", "nrmse")
PERFECT_DB = 100.0  # of an image equal to its reference, in place of infinity
_IN_THE_BODY = (
    "inside the body of the reference (above -500 HU, or Otsu's threshold); data range of each "
    "case: that of its reference there"
)
_WINDOW = "Gaussian window of 11 pixels, sigma 1.5, slice by slice along the last axis"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedImages:
    """Made images against the reference ones; ``values`` (repeats, cases, kinds)."""

    cases: tuple[Case, ...]
    values: FloatArray
    lost: BoolArray
    folds: IntArray
    ranges: tuple[float, ...]
    unjudged: int
    seed: int
    classes: tuple[str, ...] = ()
    positive: str = ""

    @property
    def task(self) -> Task:
        """Making an image."""
        return Task.RECONSTRUCT

    @property
    def main(self) -> str:
        """Structural similarity."""
        return "ssim"

    @property
    def judged(self) -> tuple[JudgedCase, ...]:
        """Every case of the first repeat, with the data range it was judged by."""
        return tuple(
            JudgedCase(
                case=case.id,
                patient=case.patient,
                task=self.task,
                fold=int(self.folds[row]),
                answered=not self.lost[row],
                values={
                    **dict(zip(KINDS, self.values[0, row].tolist(), strict=True)),
                    "data_range": self.ranges[row],
                },
            )
            for row, case in enumerate(self.cases)
        )

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Cases without a reference; what likeness does not say."""
        text = (
            "Likeness to a reference does not say that lesions are still seen; judge a reader or "
            "a detector on the made images, too."
        )
        found = [Caveat(code="likeness-only", text=text)]
        if self.unjudged:
            text = f"{self.unjudged} cases have no reference image and are not judged on images."
            found.append(Caveat(code="no-reference", text=text))
        return tuple(found)

    def metrics(self) -> Metrics:
        """Mean of every metric over patients, cases without an answer counted in."""
        return self._means(np.arange(len(self.cases)))

    def of_subgroup(self, rows: IntArray) -> Metrics:
        """The same of a subgroup."""
        return self._means(rows)

    def main_of(self, rows: IntArray) -> Estimate:
        """Structural similarity of some cases."""
        return self._mean("ssim", rows)

    def curves(self, metrics: Metrics) -> tuple[Curve, ...]:
        """None: figures show the values of single cases."""
        del metrics
        return ()

    def spread(self) -> Mapping[str, Spread]:
        """Structural similarity in each repeat."""
        if len(self.values) < 2:
            return {}
        return {"ssim": joint.spread(self.values[:, :, 0].mean(axis=1).tolist())}

    def against(self, other: JudgedImages) -> Sequence[Difference]:
        """Paired differences of every metric."""
        made = []
        for column, kind in enumerate(KINDS):
            difference, p = paired_difference(
                self.values[:, :, column].mean(axis=0),
                other.values[:, :, column].mean(axis=0),
                groups=[case.patient for case in self.cases],
                rng=np.random.default_rng(self.seed),
                level=LEVEL,
            )
            if len(self.values) > 1:
                difference = joint.over_repeats(difference, len(self.values))
            made.append(Difference(metric=kind, estimate=noted(difference, _IN_THE_BODY), p=p))
        return made

    def _means(self, rows: IntArray) -> Metrics:
        return {kind: self._mean(kind, rows) for kind in KINDS}

    def _mean(self, kind: str, rows: IntArray) -> Estimate:
        values = self.values[:, rows, KINDS.index(kind)]
        patients = [self.cases[row].patient for row in rows.tolist()]
        rng = np.random.default_rng(self.seed)
        gone = self.lost[rows]
        if len(values) > 1:
            who = {p for p, lost in zip(patients, gone, strict=True) if lost}
            found = joint.joint_means(
                values, patients=patients, rng=rng, level=LEVEL, missed=len(who)
            )
        else:
            found = mean_with_misses(
                values[0], missed=gone, patients=patients, rng=rng, level=LEVEL
            )
        lost = f"{int(gone.sum())} cases without an image count as the worst" if gone.any() else ""
        return noted(found, _IN_THE_BODY, _WINDOW if kind == "ssim" else "", lost)


def judge_images(
    predicted: Predicted, cohort: Cohort, settings: Settings, seed: int, tell: Tell
) -> JudgedImages:
    """Judge made images against the reference ones.

    A case without an image counts as the worst there is: as like as noise (0), as wrong as the
    whole data range (0 dB, an error of 1).

    Raises
    ------
    CohortError
        If no case has a reference image, or none an image.
    GeometryError
        If an image does not lie on the grid of its reference.
    ContentError
        If an image cannot be read, is of another unit, or holds values that are not finite.
    """
    del settings
    cases = tuple(case for case in cohort.cases if Task.RECONSTRUCT in case.truths)
    if not cases:
        raise CohortError(f"truth {cohort.name}: no case has a reference image; give them")
    places = [{one.case: one for one in repeat} for repeat in predicted.repeats]
    values = np.empty((len(places), len(cases), len(KINDS)))
    lost, ranges = np.zeros(len(cases), dtype=bool), []
    for number, case in enumerate(cases):
        truth = case.image
        inside = body(truth.data, unit=truth.unit)
        ranges.append(float(np.ptp(truth.data[inside])))
        for repeat, place in enumerate(places):
            made = _image(place.get(case.id))
            lost[number] |= made is None
            values[repeat, number] = _values(case, made, truth, inside, ranges[-1])
        tell(number + 1, len(cases), f"Judging images of {predicted.name}")
    if lost.all():
        raise CohortError(f"{predicted.name}: no case of the truth has an image made of it")
    folds = [places[0][case.id].fold if case.id in places[0] else 0 for case in cases]
    return JudgedImages(
        cases=cases,
        values=values,
        lost=lost,
        folds=np.array(folds, dtype=np.intp),
        ranges=tuple(ranges),
        unjudged=len(cohort.cases) - len(cases),
        seed=seed,
    )


def _image(answered: Answered | None) -> Volume | None:
    said = answered.answers.get(Task.RECONSTRUCT) if answered else None
    if isinstance(said, KeptImage):
        return said.load()
    return said.volume if isinstance(said, ReconstructedImage) else None


def _values(
    case: Case, made: Volume | None, truth: Volume, inside: BoolArray, data_range: float
) -> tuple[float, float, float]:
    """Every kind; the worst of a case without an image."""
    if made is None:
        return 0.0, 0.0, 1.0
    if not made.geometry.matches(truth.geometry):
        raise GeometryError(
            f"case {case.id}: its image lies on a grid of {made.geometry}, its reference on one of "
            f"{truth.geometry}; bring the image onto the grid of the reference first"
        )
    if made.unit != truth.unit:
        raise ContentError(
            f"case {case.id}: its image is in {made.unit!r}, its reference in {truth.unit!r}; "
            "bring both to one unit"
        )
    try:
        alike = ssim(made.data, truth.data, data_range=data_range, mask=inside)
        ratio = psnr_db(made.data, truth.data, data_range=data_range, mask=inside)
        error = nrmse(made.data, truth.data, data_range=data_range, mask=inside)
    except ContentError as why:
        raise ContentError(f"case {case.id}: {why}") from why
    return alike, PERFECT_DB if math.isinf(ratio) else min(ratio, PERFECT_DB), error
