"""Patients with known answers, to learn from and to be judged on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from types import MappingProxyType

from onkos.core.errors import CohortError
from onkos.core.mask import Mask
from onkos.core.study import Study


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One study with what is known about it.

    Parameters
    ----------
    id, patient
        The case and the patient it belongs to; a patient may have several cases.
    load
        Returns the study; called when it is needed and not kept, so a cohort of any size fits.
    load_truth
        Returns the reference outline; None where there is none.
    target
        Reference class, as text; None where there is none.
    site
        Where it was imaged.
    covariates
        Whatever else is known, e.g. age and sex, as text.
    """

    id: str
    patient: str
    load: Callable[[], Study]
    load_truth: Callable[[], Mask] | None = None
    target: str | None = None
    site: str = ""
    covariates: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", MappingProxyType(dict(self.covariates)))

    def __reduce__(self) -> tuple[Callable[[], Case], tuple[()]]:
        """Travel to another process; a read-only mapping cannot."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return partial(Case, **{**values, "covariates": dict(self.covariates)}), ()

    @property
    def study(self) -> Study:
        """The study, loaded afresh."""
        return self.load()

    @property
    def truth(self) -> Mask:
        """The reference outline, loaded afresh; :class:`CohortError` if there is none."""
        if self.load_truth is None:
            raise CohortError(f"case {self.id}: it has no reference outline; give a mask column")
        return self.load_truth()


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
        ids = [case.id for case in self.cases]
        twice = sorted({name for name in ids if ids.count(name) > 1}) if ids else []
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
