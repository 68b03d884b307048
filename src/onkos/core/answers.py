"""Truths and answers of each task: what is known of a case, and what a model says of it.

============  ============================  ==============================
task          truth                         answer
============  ============================  ==============================
classify      name of the class             :class:`ClassProbabilities`
segment       :class:`Mask`                 :class:`Outline`
detect        :class:`Findings`             :class:`Findings` with scores
prognose      :class:`ObservedOutcome`      :class:`Risk`
reconstruct   :class:`Volume`               :class:`ReconstructedImage`
============  ============================  ==============================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from onkos.core.errors import ContentError
from onkos.core.mask import Mask
from onkos.core.volume import Volume

Unit = Literal["mm", "px"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassProbabilities:
    """Probability of each class.

    Parameters
    ----------
    of
        Class to its probability; they sum to 1.
    threshold
        Of two classes, the probability of the positive one from which the model calls a case
        positive, chosen on training patients; None where the likelier class is meant.
    """

    of: Mapping[str, float]
    threshold: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", dict(self.of))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outline:
    """Outlined tissue.

    Parameters
    ----------
    mask
        On the grid of the study's image in the role ``reference``.
    reference
        That role.
    presence
        Tissue to the highest probability of it anywhere in the study, as the model gives it.
    """

    mask: Mask
    reference: str
    presence: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "presence", MappingProxyType(dict(self.presence)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptOutline:
    """Outlined tissue that lies on disk, on the grid of the reference outline.

    Parameters
    ----------
    load
        Returns the mask; called when it is judged and not kept.
    presence
        As of an :class:`Outline`.
    possible
        Voxels that could have been outlined at all: those that are no plain background, or are
        outlined or true; None where the image was not at hand.
    """

    load: Callable[[], Mask]
    presence: Mapping[str, float] = field(default_factory=dict)
    possible: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "presence", dict(self.presence))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A lesion marked by a point or a box, in two dimensions or three.

    Parameters
    ----------
    centre
        (x, y) or (x, y, z): LPS millimetres, or the pixel indices of a picture whose pixel size
        is not known (column, row).
    size
        Full widths of a box along the same axes; empty for a point.
    score
        How sure the model is, higher is surer; 1 for a truth.
    kind
        Class of the lesion; empty where there is only one.

    Raises
    ------
    ContentError
        If the numbers of axes differ, a number is not finite or a width is not positive.
    """

    centre: tuple[float, ...]
    size: tuple[float, ...] = ()
    score: float = 1.0
    kind: str = ""

    def __post_init__(self) -> None:
        if len(self.centre) not in (2, 3) or len(self.size) not in (0, len(self.centre)):
            raise ContentError(
                f"finding at {self.centre} of size {self.size}: expected two or three coordinates "
                "and as many widths, or none"
            )
        if not all(math.isfinite(one) for one in (*self.centre, *self.size, self.score)):
            raise ContentError(f"finding at {self.centre}, score {self.score}: not all finite")
        if any(width <= 0 for width in self.size):
            raise ContentError(f"finding at {self.centre}: box of size {self.size}, expected > 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Lesions of one case, as marked by a model or as they are; ``unit`` of all coordinates."""

    marks: tuple[Finding, ...] = ()
    unit: Unit = "mm"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedOutcome:
    """Follow-up of a patient: time until the event, or until last seen without it."""

    time: float
    event: bool

    def __post_init__(self) -> None:
        if not (math.isfinite(self.time) and self.time >= 0):
            raise ContentError(f"follow-up of {self.time}: expected a time of 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Foretold risk of the event.

    Parameters
    ----------
    score
        Orders patients: higher means an earlier event; NaN where ``by`` says it all.
    by
        Time to the probability that the event has come by then; empty where the score is on a
        scale of its own.
    """

    score: float = math.nan
    by: Mapping[float, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by", dict(self.by))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReconstructedImage:
    """An image made by a model, e.g. at the quality of a full dose; ``role`` names what it is."""

    volume: Volume
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptImage:
    """An image made by a model that lies on disk; ``load`` reads it, ``role`` names what it is."""

    load: Callable[[], Volume]
    role: str = ""


Answer = (
    ClassProbabilities | Outline | KeptOutline | Findings | Risk | ReconstructedImage | KeptImage
)
