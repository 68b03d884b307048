"""A classifier: a source of numbers and a classic member that learns from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from onkos.arms import store
from onkos.arms.classify.combat import FittedHarmonise, Harmonise
from onkos.arms.classify.memory import Memory
from onkos.arms.classify.prevalence import FittedPrevalence, Prevalence
from onkos.arms.classify.sources import Describer, Source, built
from onkos.classic.members import MEMBERS
from onkos.classic.table import FittedTable, Member
from onkos.core.card import Card
from onkos.core.case import Case
from onkos.core.errors import CohortError, ContentError, ModelError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.reading import Prediction
from onkos.core.source import PHANTOM
from onkos.core.study import Study
from onkos.core.version import __version__
from onkos.features.pictures import Description
from onkos.stats.classification import positive_class
from onkos.stats.operating import youden

CLASSIFY = "classify"
_LEARNT = "source."
_FITTED = "member."
_EVENED = "harmonise."


class Fitted(Protocol):
    """A fitted member."""

    @property
    def classes(self) -> AnyArray:
        """Names of the classes in the order of the probabilities."""
        ...

    @property
    def selected(self) -> Any:
        """(features,): which of them the probabilities depend on."""
        ...

    def probabilities(self, x: Any) -> FloatArray:
        """(cases, classes)."""
        ...

    def to_arrays(self) -> dict[str, AnyArray]:
        """Everything learnt, as arrays of numbers and text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """Arm: describe each study in numbers, learn classes from them.

    Parameters
    ----------
    name, family
        On the command line and in tables; ``trivial`` or ``classic``.
    source
        What a study is described by.
    member
        The method that learns; scaling, selection of features, imbalance and settings are
        chosen inside its fit, by folds of the training patients.
    memory
        Observations already made; arms of one comparison share it.
    harmonise
        How the numbers are made comparable between sites before the member sees them; None
        leaves them as they are. It is learnt on all training cases without their classes,
        those of the member's inner folds included: it stands outside the inner choice of
        settings, whose left-out patients have thus had a say in it.
    """

    name: str
    family: str
    source: Source
    member: Member | Prevalence
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)
    harmonise: Harmonise | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.harmonise is not None:
            self.harmonise.require_apart(self.source, self.name)

    def fit(self, cases: Sequence[Case], *, rng: np.random.Generator) -> ClassifierModel:
        """Learn from cases with a target.

        Raises
        ------
        CohortError
            If there are no cases, one has no target, or a class has fewer than two cases; if
            sites are to be harmonised, also if a case names no site, or a site has one case.
        """
        targets = [target_of(case) for case in cases]
        if not cases:
            raise CohortError("no cases to fit on; expected cases with a target")
        observed, studies = [], []
        for case in cases:
            study = characterised(case)
            studies.append(study)
            observed.append(self._observed(study, case))
        describer = self.source.learn(observed, rng=rng)
        table, names = _table([describer.describe(one) for one in observed], cases)
        evened = self._evened(table, names, studies)
        if evened is not None:
            table = evened.apply(table, studies)
        fitted = self.member.fit(table, targets, [case.patient for case in cases], rng=rng)
        card = _card(self, cases, studies[0], [str(name) for name in fitted.classes])
        return ClassifierModel(
            card=replace(card, threshold=_threshold(fitted)),
            source=self.source,
            describer=describer,
            names=names,
            fitted=fitted,
            memory=self.memory,
            evened=evened,
        )

    def _evened(
        self, table: FloatArray, names: Sequence[str], studies: Sequence[Study]
    ) -> FittedHarmonise | None:
        """What sites do to the numbers, where it is to be taken off."""
        if self.harmonise is None:
            return None
        try:
            return self.harmonise.fit(table, names, self.source, studies)
        except ContentError as error:
            raise CohortError(f"{self.name}: {error}") from error

    def _observed(self, study: Study, case: Case) -> Any:
        try:
            return _observation(self.source, study, self.memory)
        except ContentError as error:
            raise CohortError(f"case {case.id}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassifierModel:
    """A fitted :class:`Classifier`; ``names`` are those of the numbers it looks at.

    ``evened`` takes off what sites add to them, where the arm was asked to.
    """

    card: Card
    source: Source
    describer: Describer
    names: tuple[str, ...]
    fitted: Fitted
    memory: Memory = field(default_factory=Memory, repr=False)
    evened: FittedHarmonise | None = None

    def predict(self, study: Study) -> Prediction:
        """Give the probability of each class.

        Raises
        ------
        ModelError
            If the study lacks what the model looks at, or is of a site it does not know.
        """
        (answers,) = self.fitted.probabilities(self.described(study)[None])
        return Prediction(
            mask=None,
            reference=self.card.reference,
            classes=dict(zip(self.card.classes, answers.tolist(), strict=True)),
        )

    def described(self, study: Study) -> FloatArray:
        """Numbers of a study as the member gets them, (features,); errors as :meth:`predict`."""
        try:
            described = self.describer.describe(_observation(self.source, study, self.memory))
        except ContentError as error:
            raise ModelError(f"{self.card.arm}: {error}") from error
        if described.names != self.names:
            odd = sorted(set(described.names) ^ set(self.names))[:5]
            raise ModelError(
                f"study of {study.patient.id}: described by other numbers than the model was "
                f"fitted on ({odd}, ...); expected images of the roles {list(self.card.roles)}"
            )
        if self.evened is None:
            return described.values
        try:
            (row,) = self.evened.apply(described.values[None], [study])
        except CohortError as error:
            raise ModelError(f"{self.card.arm}: study of {study.patient.id}: {error}") from error
        except ContentError as error:
            raise ModelError(f"{self.card.arm}: {error}") from error
        found: FloatArray = row
        return found

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the numbers that the probabilities depend on."""
        return tuple(
            name for name, uses in zip(self.names, self.fitted.selected, strict=True) if uses
        )

    def with_card(self, card: Card) -> ClassifierModel:
        """Return the same model under another card."""
        return replace(self, card=card)

    def save(self, folder: Path) -> None:
        """Write ``card.json`` and ``weights.skops``."""
        weights: dict[str, Any] = {"names": np.array(self.names)}
        for prefix, part in ((_LEARNT, self.describer), (_FITTED, self.fitted)):
            weights |= {prefix + name: array for name, array in part.to_arrays().items()}
        if self.evened is not None:
            found = self.evened.to_arrays()
            weights |= {_EVENED + name: array for name, array in found.items()}
        store.save(folder, self.card, weights)


def from_weights(card: Card, weights: Mapping[str, Any], kinds: Mapping[str, Any]) -> Any:
    """Build the model from what :meth:`ClassifierModel.save` wrote; ``kinds`` are the sources."""
    source = built(card.settings["source"], card.settings["options"], kinds)

    def part(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): array
            for name, array in weights.items()
            if name.startswith(prefix)
        }

    of: Callable[[Mapping[str, Any]], Fitted] = (
        FittedTable.from_arrays
        if card.settings["member"] in MEMBERS
        else FittedPrevalence.from_arrays
    )
    asked = card.settings.get("harmonise")
    evened = None
    if asked is not None:
        evened = FittedHarmonise.from_arrays(Harmonise.from_plain(asked), part(_EVENED))
    return ClassifierModel(
        card=card,
        source=source,
        describer=source.learnt(part(_LEARNT)),
        names=tuple(str(name) for name in weights["names"]),
        fitted=of(part(_FITTED)),
        evened=evened,
    )


def target_of(case: Case) -> str:
    """Reference class of a case; :class:`CohortError` if it has none."""
    if not case.target:
        raise CohortError(f"case {case.id}: it has no target; give a target column")
    return case.target


def characterised(case: Case) -> Study:
    """Return the case's study, its outline given with it as what is to be characterised."""
    study = case.study
    if not case.outlined or study.masks:
        return study
    return replace(study, masks=(case.outline,))


def _threshold(fitted: Fitted) -> float | None:
    """Largest Youden index over training patients while they were left out; or None.

    Where there were no inner folds, or more classes than two, a case counts as its likeliest.
    """
    if not isinstance(fitted, FittedTable) or len(fitted.classes) != 2 or not fitted.choice.folds:
        return None
    positive = [str(name) for name in fitted.classes].index(
        positive_class([str(name) for name in fitted.classes])
    )
    truth = fitted.choice.rows == positive
    return float(youden(truth, fitted.choice.left_out[:, positive]).threshold)


def _observation(source: Source, study: Study, memory: Memory) -> Any:
    return memory.recall(f"{source.kind} {source.to_plain()}", study, source.observe)


def _table(
    described: Sequence[Description], cases: Sequence[Case]
) -> tuple[FloatArray, tuple[str, ...]]:
    """One row a case; all must be described by the same numbers."""
    names = described[0].names
    for one, case in zip(described, cases, strict=True):
        if one.names != names:
            odd = sorted(set(one.names) ^ set(names))[:5]
            raise CohortError(
                f"case {case.id}: described by other numbers than case {cases[0].id} "
                f"({odd}, ...); expected the same images and modality for every case"
            )
    return np.array([one.values for one in described]), names


def _card(arm: Classifier, cases: Sequence[Case], study: Study, classes: Sequence[str]) -> Card:
    roles = tuple(study.volumes)
    reference = roles[0] if roles else ""
    return Card(
        arm=arm.name,
        task=CLASSIFY,
        site="",
        modality=study.volumes[reference].modality if roles else "",
        roles=roles,
        reference=reference,
        tissues={},
        classes=tuple(classes),
        intended_use=(
            f"Telling {', '.join(classes)} apart in studies of the kinds it was fitted on, for "
            "research; not for diagnosis or treatment."
        ),
        cohort=", ".join(sorted({case.site for case in cases if case.site})),
        patients=len({case.patient for case in cases}),
        simulated=any(caveat.code == PHANTOM.code for caveat in study.all_caveats),
        settings={
            "source": arm.source.kind,
            "options": arm.source.to_plain(),
            "member": arm.member.name,
            **({"harmonise": arm.harmonise.to_plain()} if arm.harmonise else {}),
        },
        version=__version__,
    )
