"""The detector every other one must beat: the brightest blobs of an image, two axes or three."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy import ndimage

from onkos.arms import store
from onkos.core.answers import Finding, Findings, Unit
from onkos.core.card import Card
from onkos.core.case import Case, Cohort
from onkos.core.desk import PLAIN, Desk
from onkos.core.errors import CohortError, ModelError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.reading import Prediction
from onkos.core.source import PHANTOM
from onkos.core.split import Fold
from onkos.core.study import Study
from onkos.core.task import Task
from onkos.core.version import __version__
from onkos.core.volume import Volume

NAME = "brightest-blobs"

_INTENDED_USE = (
    "The least a detector can do, to compare others with, for research; not for patients."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrightestBlobs:
    """Arm without a method: local maxima of a smoothed image above a learnt brightness.

    Fitting learns the radius and the threshold. The radius is the median half width of the
    training boxes; of points the candidate whose maxima find most lesions. The threshold is the
    lowest at which training cases have no more false marks each than asked. Brightness is told
    in robust standard deviations above the image's median.

    Parameters
    ----------
    radii
        Candidates, in the unit of the points (millimetres, or pixels).
    within
        How far a mark may lie from a lesion that is a point, in the same unit.
    false_per_case
        False marks that training cases have on average at the threshold.
    most
        Marks of one image at most.
    """

    radii: tuple[float, ...] = (2.0, 4.0, 8.0)
    within: float = 10.0
    false_per_case: float = 8.0
    most: int = 50

    @property
    def name(self) -> str:
        """Name on the command line and in tables."""
        return NAME

    @property
    def family(self) -> Literal["trivial"]:
        """Of the trivial methods."""
        return "trivial"

    @property
    def task(self) -> Task:
        """Finding lesions."""
        return Task.DETECT

    @property
    def settings(self) -> Mapping[str, Any]:
        """Candidates and limits."""
        return dict(asdict(self))

    def require(self, cohort: Cohort, folds: Sequence[Fold]) -> None:
        """Refuse a case of which it is not known what lesions it has, and folds without any."""
        without = [case.id for case in cohort.cases if case.lesions is None]
        if without:
            raise CohortError(
                f"{len(without)} cases without known lesions, first {without[:5]}; give "
                "lesions.csv beside the table, a row without a centre for a case that has none"
            )
        for fold in folds:
            if not any(_lesions(case) for case in fold.train):
                raise CohortError(
                    f"fold {fold.number + 1}: no training case has a lesion; ask for fewer folds"
                )

    def fit(
        self, cases: Sequence[Case], *, rng: np.random.Generator, desk: Desk = PLAIN
    ) -> BlobsModel:
        """Learn radius and threshold; nothing is random.

        Raises
        ------
        CohortError
            If no case has a lesion, or the cases share no image role.
        """
        del rng
        every = [lesion for case in cases for lesion in _lesions(case)]
        if not every:
            raise CohortError("no training case has a lesion; give cases that have some")
        unit = next(c.lesions.unit for c in cases if c.lesions is not None and c.lesions.marks)
        widths = [lesion.size for lesion in every if lesion.size]
        size = tuple(float(w) for w in np.median(widths, axis=0)) if widths else ()
        radii = (float(np.mean(size)) / 2,) if size else self.radii
        first = cases[0].study
        role = _common_role(cases, first)
        tried: list[list[tuple[float, bool]]] = [[] for _ in radii]
        found = np.zeros(len(radii))
        for number, case in enumerate(cases):
            volume = (first if number == 0 else case.study).volume(role)
            for place, radius in enumerate(radii):
                marks = _blobs(volume, radius, unit, self.most)
                hits = [_hit(mark, _lesions(case), self.within) for mark in marks]
                tried[place] += [(m.score, bool(h)) for m, h in zip(marks, hits, strict=True)]
                found[place] += len(set().union(*hits))
            desk.tell(number + 1, len(cases), "looking for blobs")
        best = int(np.argmax(found))
        card = _card(cases, first, role, settings=self.settings)
        return BlobsModel(
            card=card,
            radius=radii[best],
            threshold=_threshold(tried[best], self.false_per_case * len(cases)),
            unit=unit,
            size=size,
            most=self.most,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlobsModel:
    """A fitted :class:`BrightestBlobs`; ``size`` of its boxes, empty where it marks points."""

    card: Card
    radius: float
    threshold: float
    unit: Unit
    size: tuple[float, ...]
    most: int

    def predict(self, study: Study, *, desk: Desk = PLAIN) -> Prediction:
        """Mark the blobs.

        Raises
        ------
        ModelError
            If the image has another number of axes than the training images.
        """
        del desk
        volume = study.volume(self.card.reference)
        if self.size and len(self.size) != volume.geometry.ndim:
            raise ModelError(
                f"study of {study.patient.id}: an image of {volume.geometry.ndim} axes, the model "
                f"marks boxes of {len(self.size)}; expected images of the kind it was fitted on"
            )
        blobs = _blobs(volume, self.radius, self.unit, self.most)
        marks = tuple(
            replace(mark, size=self.size) for mark in blobs if mark.score >= self.threshold
        )
        return Prediction(answers={Task.DETECT: Findings(marks=marks, unit=self.unit)})

    def with_card(self, card: Card) -> BlobsModel:
        """Return the same model under another card."""
        return replace(self, card=card)

    def save(self, folder: Path) -> None:
        """Write ``card.json`` and ``weights.skops``."""
        weights = {
            "radius": self.radius,
            "threshold": self.threshold,
            "unit": self.unit,
            "size": list(self.size),
            "most": self.most,
        }
        store.save(folder, self.card, weights)


def from_weights(card: Card, weights: Mapping[str, Any]) -> BlobsModel:
    """Build the model from what :meth:`BlobsModel.save` wrote."""
    return BlobsModel(
        card=card,
        radius=float(weights["radius"]),
        threshold=float(weights["threshold"]),
        unit="px" if weights["unit"] == "px" else "mm",
        size=tuple(float(width) for width in weights["size"]),
        most=int(weights["most"]),
    )


def _blobs(volume: Volume, radius: float, unit: Unit, most: int) -> list[Finding]:
    """Local maxima of the smoothed image, the brightest first."""
    grey = np.asarray(volume.data, dtype=np.float32)
    if volume.channels > 1:
        grey = grey.mean(axis=-1, dtype=np.float32)
    grey = np.nan_to_num(grey, nan=float(np.nanmin(grey)))
    geometry = volume.geometry
    steps = np.asarray(geometry.spacing_mm) if unit == "mm" else np.ones(geometry.ndim)
    smooth = ndimage.gaussian_filter(grey, radius / np.sqrt(geometry.ndim) / steps)
    score = _standardised(smooth)
    reach = tuple(2 * int(np.ceil(radius / step)) + 1 for step in steps)
    peaks = np.argwhere((score == ndimage.maximum_filter(score, size=reach)) & (score > 0))
    order = np.argsort(-score[tuple(peaks.T)], kind="stable")[:most]
    index = peaks[order]
    places = geometry.to_mm(index) if unit == "mm" else index.astype(np.float64)
    return [
        Finding(centre=tuple(place.tolist()), score=float(score[tuple(at)]))
        for place, at in zip(places, index, strict=True)
    ]


def _standardised(smooth: AnyArray) -> FloatArray:
    """Brightness in robust standard deviations above the median; all 0 of a flat image."""
    median = float(np.median(smooth))
    spread = 1.4826 * float(np.median(np.abs(smooth - median))) or float(smooth.std())
    found: FloatArray = np.asarray((smooth - median) / (spread or 1.0), dtype=np.float64)
    return found


def _hit(mark: Finding, lesions: Sequence[Finding], within: float) -> set[tuple[float, ...]]:
    """Centres of the lesions that a mark lies in, or near."""
    found = set()
    for lesion in lesions:
        apart = np.abs(np.subtract(mark.centre, lesion.centre))
        inside = (apart <= np.array(lesion.size) / 2).all() if lesion.size else False
        if inside or (not lesion.size and np.linalg.norm(apart) <= within):
            found.add((*lesion.centre, *lesion.size))
    return found


def _threshold(tried: Sequence[tuple[float, bool]], allowed: float) -> float:
    """Lowest score at which no more marks than allowed are false."""
    false = sorted((score for score, hit in tried if not hit), reverse=True)
    if len(false) <= allowed:
        return 0.0
    return float(np.nextafter(false[int(allowed)], np.inf))


def _lesions(case: Case) -> tuple[Finding, ...]:
    return case.lesions.marks if case.lesions is not None else ()


def _common_role(cases: Sequence[Case], first: Study) -> str:
    """The first image that every case has."""
    others = [set(case.glance.roles) for case in cases[1:]]
    for role in first.volumes:
        if all(role in roles for roles in others):
            return role
    raise CohortError(f"the cases share none of the images {list(first.volumes)}; expected one")


def _card(cases: Sequence[Case], study: Study, role: str, *, settings: Mapping[str, Any]) -> Card:
    return Card(
        arm=NAME,
        task=Task.DETECT,
        site="",
        modality=study.volume(role).modality,
        roles=(role,),
        reference=role,
        tissues={},
        intended_use=_INTENDED_USE,
        cohort=", ".join(sorted({case.site for case in cases if case.site})),
        patients=len({case.patient for case in cases}),
        simulated=any(caveat.code == PHANTOM.code for caveat in study.all_caveats),
        settings=dict(settings),
        version=__version__,
    )
