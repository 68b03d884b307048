"""Where a classifier's numbers come from: the size of a lesion, its radiomics, known facts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np

from onkos.clinic.lesions import quantities
from onkos.core.errors import CohortError, ContentError, ModelError
from onkos.core.geometry import AnyArray
from onkos.core.mask import Mask
from onkos.core.study import Study
from onkos.features.pictures import Description, joined
from onkos.features.radiomics import Settings, radiomics

#: What stands for a missing value in a table, in small letters.
MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none", "missing", ".", "-", "?")

#: What a person reads as a number and a program does not: 3,2 or <0.1 or 45 %.
_NUMBER_LIKE = re.compile(r"[<>~]?=?\s*[-+]?\d+([.,]\d+)*\s*%?")

_LESION = "lesion"


class Describer(Protocol):
    """What a source has learnt from training patients: from an observation to numbers."""

    def describe(self, observation: Any) -> Description:
        """Give the same names for every study."""
        ...

    def to_arrays(self) -> dict[str, AnyArray]:
        """What was learnt, as arrays of numbers and text; empty where nothing was."""
        ...


class Source(Protocol):
    """A way to describe a study in numbers."""

    @property
    def kind(self) -> str:
        """Name of the way, stable, as stored on the card."""
        ...

    @property
    def slow(self) -> bool:
        """Whether what is observed is worth keeping."""
        ...

    @property
    def wants(self) -> str:
        """What data it looks at, in a few words."""
        ...

    def observe(self, study: Study) -> Any:
        """Do the part that depends on the study alone; where slow it is done once and kept."""
        ...

    def learn(self, observations: Sequence[Any], *, rng: np.random.Generator) -> Describer:
        """Learn what must come from training patients only, such as a vocabulary."""
        ...

    def learnt(self, arrays: Mapping[str, AnyArray]) -> Describer:
        """Build back what :meth:`learn` gave, from its arrays."""
        ...

    def to_plain(self) -> dict[str, Any]:
        """Settings for the card."""
        ...


@dataclass(frozen=True, slots=True)
class AsObserved:
    """Describer of a source that learns nothing: the observation is the description."""

    def describe(self, observation: Description) -> Description:
        """Return it as it is."""
        return observation

    def to_arrays(self) -> dict[str, AnyArray]:
        """Nothing was learnt."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Base of sources that learn nothing."""

    @property
    def slow(self) -> bool:
        """Quick enough to be observed anew."""
        return False

    def learn(self, observations: Sequence[Any], *, rng: np.random.Generator) -> Describer:
        """Nothing to learn."""
        del observations, rng
        return AsObserved()

    def learnt(self, arrays: Mapping[str, AnyArray]) -> Describer:
        """Nothing was learnt."""
        del arrays
        return AsObserved()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing(Fixed):
    """No look at the study at all, for the arm that only knows how frequent the classes are."""

    @property
    def wants(self) -> str:
        """What data it looks at."""
        return "a target column"

    @property
    def kind(self) -> str:
        """Stored on the card."""
        return "nothing"

    def observe(self, study: Study) -> Description:
        """Give one number that never changes."""
        del study
        return Description.of({"nothing": 0.0})

    def to_plain(self) -> dict[str, Any]:
        """No settings."""
        return {}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """From the card."""
        return cls(**plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size(Fixed):
    """How large the outlined lesion is: volume and diameters, or the area in a picture.

    What any method that claims to see more than size must beat. Logarithms, since sizes act by
    their ratio.
    """

    @property
    def wants(self) -> str:
        """What data it looks at."""
        return "an image or table with an outlined lesion"

    @property
    def kind(self) -> str:
        """Stored on the card."""
        return "size"

    def observe(self, study: Study) -> Description:
        """Measure the outline; :class:`ContentError` without one."""
        mask = lesion(study)
        if mask.geometry.ndim == 3:
            found = quantities(mask)
            sizes = {
                name: found[f"{name}:tumour"]
                for name in ("volume_ml", "long_axis_mm", "short_axis_mm")
            }
        else:
            known = mask.geometry.calibrated
            pixels = float(np.count_nonzero(mask.labels))
            sizes = {"area": pixels * (mask.geometry.pixel_mm2 if known else 1.0)}
        return Description.of({f"log_{name}": math.log(v) for name, v in sizes.items()})

    def to_plain(self) -> dict[str, Any]:
        """No settings."""
        return {}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """From the card."""
        return cls(**plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Radiomics(Fixed):
    """IBSI features of the outlined lesion in every image of the study.

    Parameters
    ----------
    settings
        Of the extraction.
    """

    settings: Settings = field(default_factory=Settings)

    @property
    def wants(self) -> str:
        """What data it looks at."""
        return "images with an outlined lesion"

    @property
    def slow(self) -> bool:
        """Features take long to extract."""
        return True

    @property
    def kind(self) -> str:
        """Stored on the card."""
        return "radiomics"

    def observe(self, study: Study) -> Description:
        """Extract; a feature undefined for this lesion is NaN, a missing value to the learner."""
        mask = lesion(study)
        roles = sorted(study.volumes)
        parts = []
        for role in roles:
            volume = study.volumes[role]
            if volume.channels > 1:
                raise ContentError(f"image {role!r}: radiomics need grey values, it has colours")
            table = radiomics(volume, mask.on(volume.geometry), self.settings)
            names = table.names if len(roles) == 1 else tuple(f"{role}:{n}" for n in table.names)
            parts.append(Description(names=names, values=table.values[0]))
        return joined(parts)

    def to_plain(self) -> dict[str, Any]:
        """Settings of the extraction."""
        return {"settings": self.settings.to_plain()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """From the card."""
        return cls(settings=Settings.from_plain(plain["settings"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(Fixed):
    """What is known of the patient besides the images: columns of the cohort's table.

    Parameters
    ----------
    columns
        Their names; numbers as they are, words as one column a word (``sex=F``).
    words
        For each column of words, the words it may hold, in order.
    """

    columns: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def wants(self) -> str:
        """What data it looks at."""
        return "columns of the table"

    @property
    def kind(self) -> str:
        """Stored on the card."""
        return "facts"

    def observe(self, study: Study) -> Description:
        """Read the facts; an empty or absent one is NaN.

        Raises
        ------
        ContentError
            If a value is neither a number nor a known word.
        """
        numbers: dict[str, float] = {}
        for column in self.columns:
            text = known_text(study.facts.get(column, ""))
            if column in self.words:
                known = self.words[column]
                if text and text not in known:
                    raise ContentError(
                        f"{column} of {study.patient.id}: {text!r}; expected one of {list(known)}"
                    )
                for word in known:
                    numbers[f"{column}={word}"] = float(text == word) if text else math.nan
            else:
                numbers[column] = _number(text, column, study.patient.id)
        return Description.of(numbers)

    def to_plain(self) -> dict[str, Any]:
        """Columns and words."""
        words = {name: list(known) for name, known in self.words.items()}
        return {"columns": list(self.columns), "words": words}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """From the card."""
        words = {name: tuple(known) for name, known in plain["words"].items()}
        return cls(columns=tuple(plain["columns"]), words=words)

    @classmethod
    def among(cls, studies: Sequence[Mapping[str, str]], columns: Sequence[str]) -> Self:
        """Facts of the named columns, numbers or words; what stands for a missing value is none.

        Raises
        ------
        CohortError
            If a column holds numbers and something else, e.g. ``<0.1`` or ``0,5``.
        """
        words = {}
        for column in columns:
            held = sorted({known_text(facts.get(column, "")) for facts in studies} - {""})
            others = [text for text in held if not _is_number(text)]
            meant = [text for text in others if _NUMBER_LIKE.fullmatch(text)]
            if meant or (others and len(others) < len(held)):
                raise CohortError(
                    f"column {column}: {len(held) - len(others)} different numbers, and "
                    f"{(meant or others)[:3]}; expected numbers, or words alone. Write a missing "
                    "value as an empty cell, decimals with a point, limits such as <0.1 as numbers"
                )
            if others:
                words[column] = tuple(held)
        return cls(columns=tuple(columns), words=words)


def lesion(study: Study) -> Mask:
    """Everything outlined with the study as one label.

    Raises
    ------
    ContentError
        If there is no outline, several on different grids, or an empty one.
    """
    if len(study.masks) != 1:
        raise ContentError(
            f"study of {study.patient.id}: {len(study.masks)} outlines; this method looks at one "
            "outlined lesion; give a mask column, or an outline beside the images"
        )
    mask = study.masks[0]
    labels = (mask.labels != 0).astype(np.uint8)
    if not labels.any():
        raise ContentError(f"study of {study.patient.id}: its outline is empty; outline the lesion")
    return Mask(labels=labels, geometry=mask.geometry, names={1: _LESION})


def built(kind: str, plain: Mapping[str, Any], kinds: Mapping[str, Any]) -> Source:
    """Build a source from a card; :class:`ModelError` if this version has none of its kind."""
    if kind not in kinds:
        raise ModelError(f"model card: source {kind!r}; this version has {sorted(kinds)}")
    try:
        source: Source = kinds[kind].from_plain(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"model card: settings of {kind!r} cannot be used: {error!r}") from error
    return source


def known_text(cell: str) -> str:
    """A cell's text; empty where it stands for a missing value (NA, N/A, nan, ., -)."""
    text = cell.strip()
    return "" if text.lower() in MISSING else text


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _number(text: str, column: str, patient: str) -> float:
    if not text:
        return math.nan
    if not _is_number(text):
        raise ContentError(f"{column} of {patient}: {text!r} is no finite number")
    return float(text)
