"""Small reader studies made up for tests."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from onkos.stats.readers.ratings import ReaderStudy, roc_study


def simulated(
    rng: np.random.Generator,
    *,
    shape: tuple[int, int, int] = (4, 2, 40),
    difference: float = 0.0,
    levels: int | None = None,
) -> ReaderStudy:
    """Simulate ratings with reader, case and interaction effects; half of the cases abnormal."""
    readers, modalities, cases = shape
    truth = np.arange(cases) % 2
    skill = 1.2 + difference * np.arange(modalities) + 0.2 * rng.normal(size=(readers, 1))
    ratings = (
        skill[..., None] * truth
        + 0.6 * rng.normal(size=cases)
        + 0.4 * rng.normal(size=(modalities, cases))
        + 0.5 * rng.normal(size=(readers, 1, cases))
        + 0.6 * rng.normal(size=shape)
    )
    if levels:
        ratings = np.clip(np.round(ratings), 0, levels - 1)
    return roc_study(ratings, truth)


@dataclass
class Rows:
    """A long table, filled row by row."""

    reader: list[str] = field(default_factory=list)
    modality: list[str] = field(default_factory=list)
    case: list[str] = field(default_factory=list)
    truth: list[bool] = field(default_factory=list)
    rating: list[float] = field(default_factory=list)
    mark: list[str] = field(default_factory=list)
    lesion: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(
        self,
        case: str,
        truth: int,
        rating: float,
        mark: str = "",
        *,
        reader: str = "A",
        lesion: str = "",
        seconds: float = np.nan,
    ) -> Rows:
        """Add a row of modality M."""
        self.reader.append(reader)
        self.modality.append("M")
        self.case.append(case)
        self.truth.append(bool(truth))
        self.rating.append(rating)
        self.mark.append(mark)
        self.lesion.append(lesion)
        self.seconds.append(seconds)
        return self
