"""What a model says of a study, and what Onkos makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from onkos.core.answers import Answer, ClassProbabilities, Findings, Outline
from onkos.core.estimate import Estimate
from onkos.core.findings import Lesion
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.core.study import Study
from onkos.core.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How a result came to be, enough to make it again.

    ``inputs`` are the series UIDs (or digests of files without one) that were read;
    ``weights_sha256`` is empty where no model was used.
    """

    version: str
    model: str
    weights_sha256: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Any]
    seed: int | None
    created: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A model's answers for one study, before anything is measured on them.

    Parameters
    ----------
    answers
        Task to answer: a model may outline, mark and classify at once.
    caveats
        What the model noticed, e.g. a missing channel.
    """

    answers: Mapping[Task, Answer]
    caveats: tuple[Caveat, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "answers", MappingProxyType(dict(self.answers)))

    @classmethod
    def outlined(
        cls,
        mask: Mask,
        *,
        reference: str,
        presence: Mapping[str, float] = MappingProxyType({}),
        caveats: tuple[Caveat, ...] = (),
    ) -> Prediction:
        """Answer of a model that outlines; see :class:`onkos.core.answers.Outline`."""
        outline = Outline(mask=mask, reference=reference, presence=presence)
        return cls(answers={Task.SEGMENT: outline}, caveats=caveats)

    @property
    def outline(self) -> Outline | None:
        """What was outlined; None where the model does not outline."""
        found = self.answers.get(Task.SEGMENT)
        return found if isinstance(found, Outline) else None

    @property
    def probabilities(self) -> ClassProbabilities | None:
        """Probabilities of classes; None where the model tells none apart."""
        found = self.answers.get(Task.CLASSIFY)
        return found if isinstance(found, ClassProbabilities) else None

    @property
    def findings(self) -> Findings | None:
        """Marked lesions; None where the model marks none."""
        found = self.answers.get(Task.DETECT)
        return found if isinstance(found, Findings) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The one source of SEG, RTSTRUCT, SR and the report.

    Parameters
    ----------
    study
        What was read.
    reference
        Role of the image the lesions were outlined on.
    mask
        All outlined tissue on that image's grid; None if nothing is outlined.
    lesions
        Each separate tumour, largest first, with its measurements.
    classes, stage
        Probabilities of classes with their intervals, and the stage, where the model gives them.
    caveats
        All that limits the answer: of the study, the images, the model and the outlines.
    card
        The model card, as written on disk.
    provenance
        How it was made.
    """

    study: Study
    reference: str
    mask: Mask | None
    lesions: tuple[Lesion, ...]
    classes: Mapping[str, Estimate]
    stage: str | None
    caveats: tuple[Caveat, ...]
    card: Mapping[str, Any]
    provenance: Provenance
