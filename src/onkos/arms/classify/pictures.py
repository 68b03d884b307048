"""Sources for plain pictures: descriptors of texture and shape, and bags of visual words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from onkos.arms.classify.sources import Describer, Fixed, lesion
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray
from onkos.core.mask import Mask
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.features.pictures import (
    Description,
    Vocabulary,
    bag_of_words,
    binary_patterns,
    cooccurrence,
    dense_keypoints,
    gradients,
    joined,
    learn_vocabulary,
    mammographic_mass,
    ultrasound_lesion,
    waves,
)

_DESCRIPTORS_A_WORD = 8
_OUTLINED = {"US": ultrasound_lesion, "MG": mammographic_mass}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureDescriptors(Fixed):
    """Gradients, binary patterns, co-occurrence and Gabor waves of a picture.

    Where the lesion is outlined they are taken of it and its surroundings, and on ultrasound
    and mammograms the descriptors in BI-RADS' terms are added.
    """

    @property
    def wants(self) -> str:
        """What data it looks at."""
        return "plain pictures, with or without an outline"

    @property
    def slow(self) -> bool:
        """Descriptors take long to compute."""
        return True

    @property
    def kind(self) -> str:
        """Stored on the card."""
        return "pictures"

    def observe(self, study: Study) -> Description:
        """Describe the picture."""
        picture, mask = pictured(study)
        parts = [make(picture, mask) for make in (gradients, binary_patterns, cooccurrence, waves)]
        if mask is not None and picture.modality in _OUTLINED:
            parts.append(_OUTLINED[picture.modality](picture, mask))
        return joined(parts)

    def to_plain(self) -> dict[str, Any]:
        """No settings."""
        return {}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """From the card."""
        return cls(**plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Bag of visual words: SIFT descriptors on a grid, words learnt on training patients.

    The rival of Wang X 2017 (prostate, T2): shares of the words in the whole picture, or in the
    outlined lesion where there is an outline.

    Parameters
    ----------
    count
        Words of the vocabulary at most; fewer where there are under eight descriptors a word.
    side
        Pixels along the shorter side that every picture is scaled to first.
    step, sizes
        Pixels between grid points, and sides of the windows described.
    neighbours
        Words that share a descriptor (soft assignment).

    References
    ----------
    Wang X et al. Searching for prostate cancer by fully automated magnetic resonance imaging
    classification: deep learning versus non-deep learning. Sci Rep 2017;7:15415.
    doi:10.1038/s41598-017-15720-y
    """

    count: int = 1000
    side: int = 256
    step: int = 12
    sizes: tuple[float, ...] = (32.0, 48.0, 72.0)
    neighbours: int = 5

    @property
    def wants(self) -> str:
        """What data it looks at."""
        return "plain pictures, with or without an outline"

    @property
    def slow(self) -> bool:
        """Descriptors take long to compute."""
        return True

    @property
    def kind(self) -> str:
        """Stored on the card."""
        return "words"

    def observe(self, study: Study) -> AnyArray:
        """Find SIFT descriptors (n, 128) on the grid."""
        picture, mask = pictured(study)
        found = dense_keypoints(picture, mask, step=self.step, sizes=self.sizes, side=self.side)
        return found.descriptors

    def learn(self, observations: Sequence[Any], *, rng: np.random.Generator) -> Describer:
        """Learn the vocabulary, smaller where there is little to learn it from."""
        found = sum(len(one) for one in observations)
        count = min(self.count, max(2, found // _DESCRIPTORS_A_WORD))
        return _Bags(
            vocabulary=learn_vocabulary(observations, count=count, rng=rng),
            neighbours=self.neighbours,
        )

    def learnt(self, arrays: Mapping[str, AnyArray]) -> Describer:
        """Build the vocabulary back."""
        return _Bags(vocabulary=Vocabulary.from_arrays(arrays), neighbours=self.neighbours)

    def to_plain(self) -> dict[str, Any]:
        """All settings."""
        return {**asdict(self), "sizes": list(self.sizes)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """From the card."""
        return cls(**{**plain, "sizes": tuple(plain["sizes"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bags:
    """Describer by a vocabulary; square roots, so that distances are Hellinger's."""

    vocabulary: Vocabulary
    neighbours: int

    def describe(self, observation: AnyArray) -> Description:
        """Shares of the words."""
        bag = bag_of_words(observation, self.vocabulary, neighbours=self.neighbours)
        return Description(names=bag.names, values=np.sqrt(bag.values))

    def to_arrays(self) -> dict[str, AnyArray]:
        """The vocabulary."""
        return self.vocabulary.to_arrays()


def pictured(study: Study) -> tuple[Volume, Mask | None]:
    """The study's one picture, with its outline where it has one.

    Raises
    ------
    ContentError
        If there is not exactly one image, or it is no picture.
    """
    if len(study.volumes) != 1:
        raise ContentError(
            f"study of {study.patient.id}: images {sorted(study.volumes)}; this method looks at "
            "one picture, name it in the column 'image'"
        )
    (picture,) = study.volumes.values()
    if picture.geometry.ndim != 2:
        raise ContentError(
            f"study of {study.patient.id}: its image has three axes; this method looks at plain "
            "pictures. Use a radiomics arm, or give one slice"
        )
    return picture, lesion(study) if study.masks else None
