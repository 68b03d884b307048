"""Arms that tell classes apart: each a source of numbers with a classic member on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from onkos.arms.classify.arm import Classifier, ClassifierModel, from_weights
from onkos.arms.classify.combat import SUFFIX, Harmonise
from onkos.arms.classify.pictures import PictureDescriptors, Words
from onkos.arms.classify.prevalence import Prevalence
from onkos.arms.classify.several import POOLS, OfSeveral
from onkos.arms.classify.several import from_weights as several_from_weights
from onkos.arms.classify.sources import Facts, Nothing, Radiomics, Size, Source
from onkos.classic.members import MEMBERS, SHARES_SVM

__all__ = [
    "BUILT",
    "CLASSIFIERS",
    "FACTS",
    "KINDS",
    "SEVERAL",
    "SUFFIX",
    "Classifier",
    "ClassifierModel",
    "Harmonise",
    "build",
    "build_several",
    "can_be_harmonised",
    "facts_arm",
    "harmonised",
]


KINDS: dict[str, Any] = {
    "size": Size,
    "radiomics": Radiomics,
    "facts": Facts,
    "pictures": PictureDescriptors,
    "words": Words,
    "nothing": Nothing,
}

_ON: dict[str, Source] = {"radiomics": Radiomics(), "pictures": PictureDescriptors()}

CLASSIFIERS: dict[str, Classifier] = {
    "prevalence-only": Classifier(
        name="prevalence-only", family="trivial", source=Nothing(), member=Prevalence()
    ),
    "size-only": Classifier(
        name="size-only", family="trivial", source=Size(), member=MEMBERS["logistic"]
    ),
    "words-svm": Classifier(name="words-svm", family="classic", source=Words(), member=SHARES_SVM),
    **{
        f"{on}-{name}": Classifier(
            name=f"{on}-{name}", family="classic", source=source, member=member
        )
        for on, source in _ON.items()
        for name, member in MEMBERS.items()
    },
}

#: Arms on patients with several pictures: an arm on one, and how its answers are pooled.
SEVERAL: dict[str, OfSeveral] = {
    one.name: one
    for arm in CLASSIFIERS.values()
    if isinstance(arm.source, Words | PictureDescriptors)
    for one in (OfSeveral(arm=arm, pool=pool) for pool in POOLS)
}

#: Arms on columns of a table, which are made once the columns are known.
FACTS: tuple[str, ...] = tuple(f"facts-{name}" for name in MEMBERS)

_BY_SITE = tuple(
    name for name in (*CLASSIFIERS, *FACTS) if name.startswith(("radiomics-", "facts-"))
)

#: Arms whose models :data:`build` builds: those of a table's columns and harmonised ones too.
BUILT: tuple[str, ...] = (*CLASSIFIERS, *FACTS, *(f"{name}{SUFFIX}" for name in _BY_SITE))

build = partial(from_weights, kinds=KINDS)
build_several = partial(several_from_weights, build=build)


def can_be_harmonised(name: str) -> bool:
    """Tell whether an arm of that name describes studies by what scanners measure."""
    return name in _BY_SITE


def harmonised(arm: Classifier, harmonise: Harmonise) -> Classifier:
    """Return the arm with ComBat between sites, under its name with ``+combat``.

    Raises
    ------
    UsageError
        If the arm's numbers are not those of a scanner, or the site is among them.
    """
    return replace(arm, name=f"{arm.name}{SUFFIX}", harmonise=harmonise)


def facts_arm(name: str, facts: Sequence[Mapping[str, str]], columns: Sequence[str]) -> Classifier:
    """Arm ``facts-<member>`` on columns of the cohort's table; words as well as numbers."""
    member = MEMBERS[name.removeprefix("facts-")]
    source = Facts.among(facts, columns)
    return Classifier(name=name, family="classic", source=source, member=member)
