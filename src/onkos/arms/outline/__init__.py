"""Arms that outline with the classic members: what is what, and where it ends."""

from __future__ import annotations

from dataclasses import replace

from onkos.arms.outline.arm import Outliner, OutlinerModel, from_weights
from onkos.arms.outline.division import Division
from onkos.arms.outline.tuning import Axes, Tuning
from onkos.classic.members import MEMBERS
from onkos.classic.outliners import REGION_MEMBERS
from onkos.classic.table import Member

__all__ = ["OUTLINERS", "Outliner", "OutlinerModel", "from_weights"]

_UNARY = "extra-trees"
_ALONE = ("naive-bayes", "svm", "knn", "lda", "mlp", "random-forest", "logistic", _UNARY)

_OF_ALL: Axes = (("lift", (3.0, 1.0, 6.0, 12.0)), ("least", (0.0, 0.5, 0.8)))

_OF: dict[str, Axes] = {
    "fuzzy-c-means": (("trust", (1.0, 3.0)), ("lean", (2.0, 6.0)), ("healthy", (1, 3))),
    "hidden-markov-field": (
        ("rounds", (40,)),
        ("trust", (1.0, 3.0)),
        ("smoothing", (0.4, 0.8)),
        ("healthy", (1, 3)),
    ),
    "normalised-cut": (("pieces", (80, 24, 200)), ("contrast", (3.0, 1.0))),
    "label-propagation": (("give_way", (0.7, 0.3, 0.9)), ("contrast", (2.0, 4.0))),
    "random-walker": (("stop", (0.1, 0.02, 0.5)), ("confidence", (2.0, 0.9))),
    "graph-cut": (("smoothing", (1.5, 0.7, 3.0)), ("contrast", (1.0, 4.0))),
    "conditional-random-field": (("alike", (3.0, 1.0)), ("near", (3.0, 1.0))),
    "level-set": (("smoothing_mm", (0.5, 2.0)), ("look", (0.3, 0.0))),
}


def _affordable(name: str) -> Member:
    """Table member with three inner folds: it is fitted several times a training set."""
    return replace(MEMBERS[name], folds=3)


def _start(name: str) -> Division:
    """Where the choice of settings starts: the first value of each."""
    division = Division(member=REGION_MEMBERS[name])
    for setting, values in _OF[name]:
        division = division.with_setting(setting, values[0])
    return division


OUTLINERS: dict[str, Outliner] = {
    **{
        f"outline-{name}": Outliner(
            name=f"outline-{name}",
            unary=_affordable(_UNARY),
            division=_start(name),
            tuning=Tuning(axes=(*_OF_ALL, *axes)),
        )
        for name, axes in _OF.items()
    },
    **{
        f"outline-{name}": Outliner(
            name=f"outline-{name}", unary=_affordable(name), tuning=Tuning(axes=_OF_ALL)
        )
        for name in _ALONE
    },
}
