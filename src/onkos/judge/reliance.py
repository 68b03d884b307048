"""What an arm rests on, over all folds: importance of features, stability of their choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from onkos.classic.importance import (
    frequency,
    mean_rises,
    stability,
)
from onkos.core.comparison import (
    LEARNT_ANEW,
    FeatureReliance,
    FoldImportance,
    FoldResult,
    Reliance,
)
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.stats.estimates import undefined
from onkos.stats.joint import over_repeats

MOST = 30  # features kept of an arm

_UNKNOWN = "Not measured: the folds were stored without it."


def reliance(repeats: Sequence[Sequence[FoldResult]], *, seed: int) -> Reliance | None:
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
        features=() if LEARNT_ANEW in notes else _features(repeats, seed),
        stability=_stability(folds, anew=LEARNT_ANEW in notes),
        note=" ".join(notes),
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
        for one, rise in zip(fold.answered, _rises(fold, names), strict=True):
            rows.setdefault((one.case, one.patient), []).append(rise)
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
    table = np.zeros((len(fold.answered), len(names)))
    for name, rise in zip(kept.features, kept.rises, strict=True):
        table[:, place[name]] = rise
    return table


def _stability(folds: Sequence[FoldResult], *, anew: bool) -> Estimate:
    """Stability of the sets of used features, where all folds chose from the same ones."""
    offered = {fold.importance.offered if fold.importance else 0 for fold in folds}
    names = {name: n for n, name in enumerate({name for fold in folds for name in fold.used})}
    if anew or len(offered) > 1 or len(names) > max(offered) or 0 in offered:
        why = "the folds do not choose from the same features"
        return undefined("stability of the choice", why, n=len(folds))
    used = np.zeros((len(folds), offered.pop()), dtype=np.bool_)
    for row, fold in enumerate(folds):
        used[row, [names[name] for name in fold.used]] = True
    return stability(used)
