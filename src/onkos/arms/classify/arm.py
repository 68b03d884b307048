"""A classifier: a source of numbers and a classic member that learns from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from onkos.arms import store
from onkos.arms.classify.combat import FittedHarmonise, Harmonise
from onkos.arms.classify.guard import require_no_leak, require_sites
from onkos.arms.classify.importance import fold_importance
from onkos.arms.classify.observation import observation
from onkos.arms.classify.prevalence import FittedPrevalence, Prevalence
from onkos.arms.classify.sources import Describer, Facts, Source, built
from onkos.classic.members import MEMBERS
from onkos.classic.table import FittedTable, Member
from onkos.core.answers import ClassProbabilities
from onkos.core.card import Card
from onkos.core.case import Case, Cohort, characterised
from onkos.core.code import settings_of
from onkos.core.comparison import FoldImportance
from onkos.core.desk import PLAIN, Desk
from onkos.core.errors import CohortError, ContentError, ModelError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.reading import Prediction
from onkos.core.source import PHANTOM
from onkos.core.split import Fold
from onkos.core.study import Study
from onkos.core.task import Task
from onkos.core.version import __version__
from onkos.features.pictures import Description
from onkos.stats.classification import positive_class
from onkos.stats.operating import youden

_LEARNT = "source."
_FITTED = "member."
_HARMONISED = "harmonise."


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
    harmonise: Harmonise | None = None

    def __post_init__(self) -> None:
        if self.harmonise is not None:
            self.harmonise.require_apart(self.source, self.name)

    @property
    def task(self) -> Task:
        """Telling classes apart."""
        return Task.CLASSIFY

    @property
    def settings(self) -> Mapping[str, Any]:
        """Source, member and harmonisation."""
        return {
            "source": self.source.kind,
            "options": self.source.to_plain(),
            "member": settings_of(self.member),
            **({"harmonise": self.harmonise.to_plain()} if self.harmonise else {}),
        }

    def require(self, cohort: Cohort, folds: Sequence[Fold]) -> None:
        """Refuse a case without a target, a leak between folds, a site that is not trained on."""
        for case in cohort.cases:
            _ = case.required_target  # refuses a case that has none
        require_sites(cohort, folds, self.harmonise)
        facts = self.source if isinstance(self.source, Facts) else None
        require_no_leak(cohort, folds, facts)

    def fit(
        self, cases: Sequence[Case], *, rng: np.random.Generator, desk: Desk = PLAIN
    ) -> ClassifierModel:
        """Learn from cases with a target.

        Raises
        ------
        CohortError
            If there are no cases, one has no target, or a class has fewer than two cases; if
            sites are to be harmonised, also if a case names no site, or a site has one case.
        """
        targets = [case.required_target for case in cases]
        if not cases:
            raise CohortError("no cases to fit on; expected cases with a target")
        observed, studies = [], []
        first = characterised(cases[0])
        for number, case in enumerate(cases, start=1):
            study = first if number == 1 else characterised(case)
            observed.append(self._observed(study, case, desk))
            studies.append(facts_alone(study))
            desk.tell(number, len(cases), f"describing studies ({self.source.kind})")
        desk.tell(0, 0, f"learning how to describe ({self.source.kind})")
        describer = self.source.learn(observed, rng=rng)
        table, names = _table([describer.describe(one) for one in observed], cases)
        harmonised = self._harmonised(table, names, studies)
        if harmonised is not None:
            table = harmonised.apply(table, studies)
        desk.tell(0, 0, f"fitting {self.member.name} on {len(names)} features")
        fitted = self.member.fit(table, targets, [case.patient for case in cases], rng=rng)
        card = _card(self, cases, first, [str(name) for name in fitted.classes])
        return ClassifierModel(
            card=replace(card, threshold=_threshold(fitted)),
            source=self.source,
            describer=describer,
            names=names,
            fitted=fitted,
            harmonised=harmonised,
        )

    def _harmonised(
        self, table: FloatArray, names: Sequence[str], studies: Sequence[Study]
    ) -> FittedHarmonise | None:
        """Fit ComBat between sites; None where it was not asked for."""
        if self.harmonise is None:
            return None
        try:
            return self.harmonise.fit(table, names, self.source, studies)
        except ContentError as error:
            raise CohortError(f"{self.name}: {error}") from error

    def _observed(self, study: Study, case: Case, desk: Desk) -> Any:
        try:
            return observation(self.source, study, desk)
        except ContentError as error:
            raise CohortError(f"case {case.id}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassifierModel:
    """A fitted :class:`Classifier`; ``names`` are those of the features it looks at.

    ``harmonised`` is the fitted ComBat; None where it was not asked for.
    """

    card: Card
    source: Source
    describer: Describer
    names: tuple[str, ...]
    fitted: Fitted
    harmonised: FittedHarmonise | None = None

    def predict(self, study: Study, *, desk: Desk = PLAIN) -> Prediction:
        """Give the probability of each class.

        Raises
        ------
        ModelError
            If the study lacks what the model looks at, or is of a site it does not know.
        """
        (answers,) = self.fitted.probabilities(self.described(study, desk)[None])
        said = ClassProbabilities(
            of=dict(zip(self.card.classes, answers.tolist(), strict=True)),
            threshold=self.card.threshold,
        )
        return Prediction(answers={Task.CLASSIFY: said})

    def described(self, study: Study, desk: Desk) -> FloatArray:
        """Features of a study as the member gets them, (features,); errors as :meth:`predict`."""
        try:
            described = self.describer.describe(observation(self.source, study, desk))
        except ContentError as error:
            raise ModelError(f"{self.card.arm}: {error}") from error
        if described.names != self.names:
            odd = sorted(set(described.names) ^ set(self.names))[:5]
            raise ModelError(
                f"study of {study.patient.id}: described by other numbers than the model was "
                f"fitted on ({odd}, ...); expected images of the roles {list(self.card.roles)}"
            )
        if self.harmonised is None:
            return described.values
        try:
            (row,) = self.harmonised.apply(described.values[None], [study])
        except CohortError as error:
            raise ModelError(f"{self.card.arm}: study of {study.patient.id}: {error}") from error
        except ContentError as error:
            raise ModelError(f"{self.card.arm}: {error}") from error
        found: FloatArray = row
        return found

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the features that the probabilities depend on."""
        return tuple(
            name for name, uses in zip(self.names, self.fitted.selected, strict=True) if uses
        )

    def importance(
        self, train: Sequence[Case], test: Sequence[Case], *, rng: np.random.Generator, desk: Desk
    ) -> FoldImportance | None:
        """What the left-out cases lose when a feature is shuffled; None where none is used."""
        return fold_importance(self, train, test, rng=rng, desk=desk)

    def with_card(self, card: Card) -> ClassifierModel:
        """Return the same model under another card."""
        return replace(self, card=card)

    def save(self, folder: Path) -> None:
        """Write ``card.json`` and ``weights.skops``."""
        weights: dict[str, Any] = {"names": np.array(self.names)}
        for prefix, part in ((_LEARNT, self.describer), (_FITTED, self.fitted)):
            weights |= {prefix + name: array for name, array in part.to_arrays().items()}
        if self.harmonised is not None:
            found = self.harmonised.to_arrays()
            weights |= {_HARMONISED + name: array for name, array in found.items()}
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
    harmonised = None
    if asked is not None:
        harmonised = FittedHarmonise.from_arrays(Harmonise.from_plain(asked), part(_HARMONISED))
    return ClassifierModel(
        card=card,
        source=source,
        describer=source.learnt(part(_LEARNT)),
        names=tuple(str(name) for name in weights["names"]),
        fitted=of(part(_FITTED)),
        harmonised=harmonised,
    )


def facts_alone(study: Study) -> Study:
    """The study without its pixels, so that a cohort of any size fits while a model is fitted."""
    return replace(study, volumes={}, masks=())


def _threshold(fitted: Fitted) -> float | None:
    """Threshold chosen on training patients while they were left out; None without inner folds."""
    if not isinstance(fitted, FittedTable) or not fitted.choice.folds:
        return None
    classes = [str(name) for name in fitted.classes]
    truth = [classes[number] for number in fitted.choice.rows]
    return chosen_threshold(truth, fitted.choice.left_out, classes)


def chosen_threshold(
    truth: Sequence[str], left_out: FloatArray, classes: Sequence[str]
) -> float | None:
    """Probability of the positive class with the largest Youden index; None of several classes."""
    if len(classes) != 2:
        return None
    positive = positive_class(classes)
    scores = left_out[:, list(classes).index(positive)]
    return float(youden(np.array([name == positive for name in truth]), scores).threshold)


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
        task=Task.CLASSIFY,
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
