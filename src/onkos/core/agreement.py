"""How far several readers agree, on categories, measurements or outlines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from onkos.core.estimate import Estimate
from onkos.core.reading import Provenance
from onkos.core.source import Caveat


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One number about readers.

    Parameters
    ----------
    key
        What it is, a stable word: ``fleiss_kappa``, ``icc_2_1``, ``dice``.
    estimate
        The number with its interval, n and method.
    readers
        Whom it is about: nobody named for all readers together, one, or a pair (a difference
        is the first minus the second).
    part
        Of what: a category, a tissue; empty for the whole.
    unit
        UCUM; ``1`` where it has none.
    """

    key: str
    estimate: Estimate
    readers: tuple[str, ...] = ()
    part: str = ""
    unit: str = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A case whose label deserves a second look.

    Parameters
    ----------
    rank
        From 1, the most doubtful.
    case
        Its name.
    score
        What it was ranked by, no probability of an error: ``measure`` says what it is.
    measure
        ``entropy_bit``, ``mean_disagreement``, ``spread`` (in the unit measured), or
        ``one_minus_dice``.
    readings
        Reader to what they said, in words; a reader who did not read it is not there.
    suspected
        Readers whose label is against the likeliest one.
    reason
        Why, in words.
    """

    rank: int
    case: str
    score: float
    measure: str
    readings: Mapping[str, str]
    reason: str
    suspected: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "readings", MappingProxyType(dict(self.readings)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementCase:
    """Single values of one case: they are observations and have no interval.

    Parameters
    ----------
    case, patient
        Which one.
    readers
        Readers who read it.
    values
        E.g. ``value:A`` (what reader A measured), ``volume_ml:A``, ``dice:A:B``.
    """

    case: str
    patient: str
    readers: tuple[str, ...]
    values: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusMask:
    """One outline made of those of several readers, as it was written.

    Parameters
    ----------
    case, method
        Of which case, how: ``majority``, ``staple`` or ``simple``.
    labels
        Value in the file to the name of the tissue.
    voxels
        Of each tissue.
    kept
        Readers that it rests on.
    """

    case: str
    method: str
    labels: Mapping[int, str]
    voxels: Mapping[str, int]
    kept: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("labels", "voxels"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Several readers held against each other, every number with its interval.

    Parameters
    ----------
    name
        What was given: a table, masks, folders.
    kind, scale
        ``ratings`` on a ``nominal`` or ``ordinal`` scale, ``measurements`` or ``outlines``.
    unit
        Of measurements, UCUM.
    categories
        Of ratings, in their order.
    readers, patients, cases
        Whom and what it is about; all cases count, those that few or none read too.
    repeats
        Most readings of one case by one reader.
    readings, missing
        Readings that are there, and pairs of case and reader without any.
    unread
        Reader to how many cases they did not read.
    complete
        Cases that every reader read.
    main
        Keys that the answer speaks of, the first one first.
    found
        Every number.
    review
        Cases to look at again, the most doubtful first.
    each
        Single values of every case.
    consensus
        Outlines that were made of all.
    """

    name: str
    kind: str
    readers: tuple[str, ...]
    patients: int
    cases: int
    repeats: int
    readings: int
    missing: int
    unread: Mapping[str, int]
    complete: int
    main: tuple[str, ...]
    found: tuple[Found, ...]
    review: tuple[Review, ...]
    caveats: tuple[Caveat, ...]
    provenance: Provenance
    scale: str = ""
    unit: str = ""
    categories: tuple[str, ...] = ()
    each: tuple[AgreementCase, ...] = ()
    consensus: tuple[ConsensusMask, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "unread", MappingProxyType(dict(self.unread)))

    def of(self, key: str, *readers: str, part: str = "") -> Estimate | None:
        """Estimate under a key about these readers (all together without one), if there is."""
        for one in self.found:
            if (one.key, one.readers, one.part) == (key, readers, part):
                return one.estimate
        return None
