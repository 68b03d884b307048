"""Which numbers a classifier rests on, measured on the cases that each fold left out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from onkos.arms.classify.arm import ClassifierModel, characterised, target_of
from onkos.arms.classify.sources import AsObserved
from onkos.classic.importance import (
    LeftOut,
    frequency,
    left_out_importance,
    mean_rises,
    stability,
)
from onkos.classic.table import FittedTable
from onkos.core.case import Case
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.reading import FeatureReliance, FoldImportance, FoldResult, Reliance
from onkos.stats.joint import over_repeats

MOST = 30  # features kept of a fold, and of an arm

_ANEW = "Features are learnt anew in every fold, so those of one fold are not those of another."
_SLOW = "Not measured in every fold: the member answers too slowly, or too many cases are left out."
_UNKNOWN = "Not measured: the folds were stored without it."


def fold_importance(
    model: ClassifierModel,
    train: Sequence[Case],
    test: Sequence[Case],
    *,
    rng: np.random.Generator,
) -> FoldImportance | None:
    """Measure what the left-out cases of a fold lose when a feature is shuffled.

    Only the 30 features that matter most are kept. None where the model uses no feature; a note
    in place of numbers where they cannot be had.
    """
    if not isinstance(model.fitted, FittedTable) or not model.used:
        return None
    if not isinstance(model.describer, AsObserved):
        return FoldImportance(note=_ANEW)
    found = left_out_importance(
        model.fitted,
        _table(model, test),
        [target_of(case) for case in test],
        among=lambda: _table(model, train),
        rng=rng,
    )
    if found is None:
        return FoldImportance(offered=len(model.names), note=_SLOW)
    return _kept(found, model.names)


def gathered(repeats: Sequence[Sequence[FoldResult]], *, seed: int) -> Reliance | None:
    """Put the folds of an arm together; None where it uses no features.

    Rises of a case are averaged over repeats, then over cases, with a bootstrap interval by
    patient. In a fold that does not use a feature, or in which it is not among the first 30, its
    rise counts as 0.
    """
    folds = [fold for repeat in repeats for fold in repeat]
    if not any(fold.used for fold in folds):
        return None
    notes = [fold.importance.note if fold.importance else _UNKNOWN for fold in folds if fold.used]
    notes = list(dict.fromkeys(note for note in notes if note))
    return Reliance(
        features=() if _ANEW in notes else _features(repeats, seed),
        stability=_stability(folds, anew=_ANEW in notes),
        note=" ".join(notes),
    )


def _table(model: ClassifierModel, cases: Sequence[Case]) -> FloatArray:
    return np.array([model.described(characterised(case)) for case in cases])


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


def _features(repeats: Sequence[Sequence[FoldResult]], seed: int) -> tuple[FeatureReliance, ...]:
    """Features of all folds with their mean rise, the most important first."""
    measured = [
        [fold for fold in repeat if fold.importance and fold.importance.features]
        for repeat in repeats
    ]
    together: Counter[str] = Counter()
    for fold in (fold for repeat in measured for fold in repeat):
        kept = fold.importance or FoldImportance()
        for name, count in zip(kept.features, kept.together, strict=True):
            together[name] = max(together[name], count)
    names = list(together)
    rows: dict[tuple[str, str], list[FloatArray]] = {}
    for fold in (fold for repeat in measured for fold in repeat):
        for score, rise in zip(fold.scores, _rises(fold, names), strict=True):
            rows.setdefault((score.case, score.patient), []).append(rise)
    if not rows:
        return ()
    table = np.array([np.mean(each, axis=0) for each in rows.values()])
    patients = np.unique([patient for _, patient in rows], return_inverse=True)[1]
    losses = mean_rises(table, patients.astype(np.int64), np.random.default_rng(seed))
    folds = [fold for repeat in repeats for fold in repeat]
    used = Counter(name for fold in folds for name in fold.used)
    made = [
        FeatureReliance(
            name=name,
            loss=over_repeats(loss, len(repeats)) if len(repeats) > 1 else loss,
            selected=frequency(used[name], len(folds)),
            together=together[name],
        )
        for name, loss in zip(names, losses, strict=True)
    ]
    made.sort(key=lambda one: (-one.loss.value, -one.selected.value, one.name))
    return tuple(made[:MOST])


def _rises(fold: FoldResult, names: Sequence[str]) -> FloatArray:
    """(cases, features): rises of a fold under the names of all folds, 0 where it has none."""
    kept = fold.importance or FoldImportance()
    place = {name: number for number, name in enumerate(names)}
    table = np.zeros((len(fold.scores), len(names)))
    for name, rise in zip(kept.features, kept.rises, strict=True):
        table[:, place[name]] = rise
    return table


def _stability(folds: Sequence[FoldResult], *, anew: bool) -> Estimate:
    """Stability of the sets of used features, where all folds chose from the same ones."""
    offered = {fold.importance.offered if fold.importance else 0 for fold in folds}
    names = {name: n for n, name in enumerate({name for fold in folds for name in fold.used})}
    if anew or len(offered) > 1 or len(names) > max(offered) or 0 in offered:
        why = "stability is not defined: the folds do not choose from the same features"
        return Estimate(value=math.nan, low=math.nan, high=math.nan, n=len(folds), method=why)
    used = np.zeros((len(folds), offered.pop()), dtype=np.bool_)
    for row, fold in enumerate(folds):
        used[row, [names[name] for name in fold.used]] = True
    return stability(used)
