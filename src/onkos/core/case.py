"""Patients with known answers, to learn from and to be judged on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from types import MappingProxyType

from onkos.core.answers import Findings, ObservedOutcome
from onkos.core.errors import CohortError
from onkos.core.mask import Mask
from onkos.core.study import Study
from onkos.core.task import Task
from onkos.core.volume import Volume

#: A truth; outlines and images are loaded when they are needed.
Truth = str | Findings | ObservedOutcome | Callable[[], Mask] | Callable[[], Volume]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What is known of a case without reading its pixels.

    Parameters
    ----------
    roles
        Images it has.
    modality, dimensions
        Role to DICOM modality and to 2 or 3; without those that no header tells.
    facts
        What its table says of the patient.
    """

    roles: tuple[str, ...]
    modality: Mapping[str, str] = field(default_factory=dict)
    dimensions: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study) -> Glance:
        """What an opened study has."""
        return cls(
            roles=tuple(study.volumes),
            modality={role: volume.modality for role, volume in study.volumes.items()},
            dimensions={role: volume.geometry.ndim for role, volume in study.volumes.items()},
            facts=dict(study.facts),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One study with what is known about it.

    Parameters
    ----------
    id, patient
        The case and the patient it belongs to; a patient may have several cases.
    load
        Returns the study; called when it is needed and not kept, so a cohort of any size fits.
        A study may hold several images of one kind (slices, views) under roles of their own.
    truths
        Task to what is true: the name of a class, a function that loads the reference outline
        or image, the lesions that are there, the follow-up.
    look
        Returns a :class:`Glance` from headers alone; None where only opening the study tells.
    site
        Where it was imaged.
    covariates
        Whatever else is known, e.g. age and sex, as text.
    """

    id: str
    patient: str
    load: Callable[[], Study]
    truths: Mapping[Task, Truth] = field(default_factory=dict)
    look: Callable[[], Glance] | None = None
    site: str = ""
    covariates: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "truths", MappingProxyType(dict(self.truths)))
        object.__setattr__(self, "covariates", MappingProxyType(dict(self.covariates)))

    def __reduce__(self) -> tuple[Callable[[], Case], tuple[()]]:
        """Travel to another process; read-only mappings cannot."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        open_ = {name: dict(values[name]) for name in ("truths", "covariates")}
        return partial(Case, **{**values, **open_}), ()

    @property
    def study(self) -> Study:
        """The study, loaded afresh."""
        return self.load()

    @property
    def glance(self) -> Glance:
        """What is known without reading pixels, where the case's source allows it."""
        return self.look() if self.look else Glance.of(self.load())

    @property
    def outlined(self) -> bool:
        """Whether there is a reference outline."""
        return Task.SEGMENT in self.truths

    @property
    def outline(self) -> Mask:
        """The reference outline, loaded afresh; :class:`CohortError` if there is none."""
        found = self.truths.get(Task.SEGMENT)
        if not callable(found):
            raise CohortError(f"case {self.id}: it has no reference outline; give a mask column")
        mask = found()
        if not isinstance(mask, Mask):
            raise CohortError(f"case {self.id}: its reference outline is no mask")
        return mask

    @property
    def image(self) -> Volume:
        """The reference image, loaded afresh; :class:`CohortError` if there is none."""
        found = self.truths.get(Task.RECONSTRUCT)
        if not callable(found):
            raise CohortError(f"case {self.id}: it has no reference image; give a column of them")
        volume = found()
        if not isinstance(volume, Volume):
            raise CohortError(f"case {self.id}: its reference image is none")
        return volume

    @property
    def target(self) -> str | None:
        """The reference class; None where there is none."""
        found = self.truths.get(Task.CLASSIFY)
        return found if isinstance(found, str) else None

    @property
    def required_target(self) -> str:
        """The reference class; :class:`CohortError` if there is none."""
        if not self.target:
            raise CohortError(f"case {self.id}: it has no target; give a target column")
        return self.target

    @property
    def lesions(self) -> Findings | None:
        """The lesions that are there; None where nobody has listed them."""
        found = self.truths.get(Task.DETECT)
        return found if isinstance(found, Findings) else None

    @property
    def outcome(self) -> ObservedOutcome | None:
        """The follow-up; None where there is none."""
        found = self.truths.get(Task.PROGNOSE)
        return found if isinstance(found, ObservedOutcome) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Cases with distinct ids, which are only ever split by patient.

    ``fingerprint`` changes when the cases or their files do, so that stored results of other
    cases are never taken for theirs; ``simulated`` says that the patients are a phantom.
    """

    name: str
    cases: tuple[Case, ...]
    fingerprint: str = ""
    simulated: bool = False

    def __post_init__(self) -> None:
        twice = sorted(name for name, n in Counter(c.id for c in self.cases).items() if n > 1)
        if twice:
            raise CohortError(f"cohort {self.name}: case ids {twice[:5]} occur more than once")

    @property
    def patients(self) -> tuple[str, ...]:
        """Patients in order of first appearance."""
        return tuple(dict.fromkeys(case.patient for case in self.cases))

    def of(self, patients: Sequence[str]) -> tuple[Case, ...]:
        """All cases of the given patients."""
        wanted = set(patients)
        return tuple(case for case in self.cases if case.patient in wanted)


def characterised(case: Case) -> Study:
    """Return the case's study, its outline given with it as what is to be characterised."""
    study = case.study
    if not case.outlined or study.masks:
        return study
    return replace(study, masks=(case.outline,))


def known_truths(
    *,
    target: str | None = None,
    outline: Callable[[], Mask] | None = None,
    lesions: Findings | None = None,
    outcome: ObservedOutcome | None = None,
    image: Callable[[], Volume] | None = None,
) -> dict[Task, Truth]:
    """Truths of a case by task; what is not known is left out.

    Parameters
    ----------
    target, outline, lesions, outcome, image
        Reference class, reference outline, lesions that are there, follow-up, reference image.
    """
    given: dict[Task, Truth | None] = {
        Task.CLASSIFY: target or None,
        Task.SEGMENT: outline,
        Task.DETECT: lesions,
        Task.PROGNOSE: outcome,
        Task.RECONSTRUCT: image,
    }
    return {task: truth for task, truth in given.items() if truth is not None}
