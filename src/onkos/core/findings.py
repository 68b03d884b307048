"""What is found in a study: lesions and what is measured on them."""

from __future__ import annotations

from dataclasses import dataclass

from onkos.core.coding import Code
from onkos.core.mask import Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place in the patient, LPS mm."""

    mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box between two corners, LPS mm."""

    low_mm: tuple[float, float, float]
    high_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A straight line between two points of the patient, LPS mm: a diameter as drawn."""

    start_mm: tuple[float, float, float]
    end_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A number about a lesion.

    Parameters
    ----------
    concept
        What was measured.
    value
        The number, in ``ucum`` units.
    ucum
        UCUM unit, e.g. ``ml``, ``mm``.
    method
        How it was measured, and where its interval comes from.
    interval
        95 % interval (low, high); None only where nothing is known about the error, and the
        method then says so.
    tissue
        Which tissue of the lesion; empty for the whole.
    line
        The diameter as it would be drawn, if it is one.
    """

    concept: Code
    value: float
    ucum: str
    method: str
    interval: tuple[float, float] | None = None
    tissue: str = ""
    line: Segment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """One tumour, wherever it was outlined, boxed or only pointed at.

    ``where`` as a Mask lies on the grid of the image it was found on, cropped to the lesion; it
    is None where a report only names a segment of another object.
    ``uid`` is the tracking UID that follows the lesion through SEG, SR and follow-up.
    """

    id: str
    where: Mask | Box | Point | None
    kind: str
    site: str
    score: float | None = None
    measurements: tuple[Measurement, ...] = ()
    uid: str = ""
