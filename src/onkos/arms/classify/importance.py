"""What the left-out cases of a fold lose when a feature of the model tells them nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from onkos.arms.classify.sources import AsObserved
from onkos.classic.importance import LeftOut, left_out_importance
from onkos.classic.table import FittedTable
from onkos.core.case import Case, characterised
from onkos.core.comparison import LEARNT_ANEW, FoldImportance
from onkos.core.desk import Desk
from onkos.core.geometry import FloatArray

if TYPE_CHECKING:
    from onkos.arms.classify.arm import ClassifierModel

MOST = 30  # features kept of a fold

_SLOW = "Not measured in every fold: the member answers too slowly, or too many cases are left out."


def fold_importance(
    model: ClassifierModel,
    train: Sequence[Case],
    test: Sequence[Case],
    *,
    rng: np.random.Generator,
    desk: Desk,
) -> FoldImportance | None:
    """Measure what the left-out cases of a fold lose when a feature is shuffled.

    Only the 30 features that matter most are kept. None where the model uses no feature; a note
    in place of numbers where they cannot be had.
    """
    if not isinstance(model.fitted, FittedTable) or not model.used:
        return None
    if not isinstance(model.describer, AsObserved):
        return FoldImportance(note=LEARNT_ANEW)
    found = left_out_importance(
        model.fitted,
        _table(model, test, desk),
        [case.required_target for case in test],
        among=lambda: _table(model, train, desk),
        rng=rng,
    )
    if found is None:
        return FoldImportance(offered=len(model.names), note=_SLOW)
    return _kept(found, model.names)


def _table(model: ClassifierModel, cases: Sequence[Case], desk: Desk) -> FloatArray:
    return np.array([model.described(characterised(case), desk) for case in cases])


def _kept(found: LeftOut, names: Sequence[str]) -> FoldImportance:
    """The features that matter most, those of one group beside each other."""
    rows: list[tuple[str, tuple[float, ...], int]] = []
    for group in np.argsort(-found.rises.mean(axis=0), kind="stable"):
        members = found.features[int(group)]
        rise = tuple(float(f"{value:.5g}") for value in found.rises[:, group])
        rows += [(names[int(feature)], rise, len(members)) for feature in members]
        if len(rows) >= MOST:
            break
    rows = rows[:MOST]
    return FoldImportance(
        offered=len(names),
        features=tuple(name for name, _, _ in rows),
        rises=tuple(rise for _, rise, _ in rows),
        together=tuple(count for _, _, count in rows),
    )
