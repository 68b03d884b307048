"""Permutation importance of features, and the stability of their selection."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import norm

from onkos.classic.inner_folds import patient_folds, possible_folds
from onkos.classic.learning import Bools, IntArray, softmax
from onkos.classic.table import FittedTable, Member, checked
from onkos.core.errors import CohortError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.method import Method

_RESAMPLES = 2000
_SHUFFLES = 5
_ROWS = 120_000  # most permuted rows to predict: about 4 s with the slowest member
_MOST_ALONE = 200  # features permuted one by one; of more, correlated ones go together
_BLOCK = 2_000_000  # values in a block of permuted rows
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureImportance:
    """Importance of one feature.

    Parameters
    ----------
    feature
        Its column.
    loss
        Increase of the log-loss on left-out patients when its values are permuted.
    selected
        Fraction of the refits in which the member uses it.
    """

    feature: int
    loss: Estimate
    selected: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """Features of a member, the most important first, and how stable their choice is.

    ``stability`` is Nogueira's: 1 if every refit uses the same features, about 0 if they are
    chosen at random; not estimable where all refits use all features.
    """

    features: tuple[FeatureImportance, ...]
    stability: Estimate


def importance(
    member: Member,
    x: ArrayLike,
    y: Sequence[Any] | AnyArray,
    groups: Sequence[Hashable] | AnyArray,
    *,
    rng: np.random.Generator,
    folds: int = 5,
) -> Importance:
    """Estimate the importance of every feature of a table on patients left out of the fit.

    The member is fitted anew, with all its inner choices, on each fold's training patients; on
    the others each used feature is permuted five times. Of correlated features each may seem
    unimportant, since the others carry the same information.

    Parameters
    ----------
    member
        Which member.
    x, y, groups
        As for :meth:`Member.fit`.
    rng
        Of folds, fits and permutations.
    folds
        Outer folds by patient.

    Raises
    ------
    CohortError
        If a class has too few patients for two folds.

    References
    ----------
    Fisher A, Rudin C, Dominici F. All models are wrong, but many are useful. J Mach Learn Res
    2019;20:177. Nogueira S, Sechidis K, Brown G. On the stability of feature selection
    algorithms. J Mach Learn Res 2018;18:174.
    """
    table = checked(x)
    names, codes = np.unique(np.asarray(y), return_inverse=True)
    patients = np.unique(np.array([str(group) for group in groups]), return_inverse=True)[1]
    k = possible_folds(codes, patients, folds)
    if k < 2:
        raise CohortError(
            f"classes {names[:10].tolist()}: one of them has a single patient; importance needs "
            "two patients or more of each class"
        )
    fold = patient_folds(codes, patients, k, rng=rng)
    rise = np.zeros(table.shape)
    used = np.zeros((k, table.shape[1]), dtype=np.bool_)
    for number in range(k):
        train, test = fold != number, fold == number
        fitted = member.fit(table[train], codes[train], patients[train], rng=rng)
        used[number] = fitted.selected
        rise[test] = _rises(fitted, table[test], codes[test], rng)
    losses = mean_rises(rise, patients, rng)
    chosen = [frequency(int(n), k) for n in used.sum(axis=0)]
    features = [
        FeatureImportance(feature=column, loss=loss, selected=part)
        for column, (loss, part) in enumerate(zip(losses, chosen, strict=True))
    ]
    features.sort(key=lambda one: (-one.loss.value, -one.selected.value, one.feature))
    return Importance(features=tuple(features), stability=stability(used))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeftOut:
    """Increase of the log-loss of left-out cases when features are permuted.

    Parameters
    ----------
    features
        Columns of the table permuted together, one entry per group; most hold one column.
    rises
        (cases, groups): increase of each case's log-loss, mean over ``shuffles`` permutations.
    """

    features: tuple[IntArray, ...]
    rises: FloatArray
    shuffles: int


def left_out_importance(
    fitted: FittedTable,
    x: ArrayLike,
    y: Sequence[str],
    *,
    among: Callable[[], ArrayLike],
    rng: np.random.Generator,
    limit_s: float = 10.0,
) -> LeftOut | None:
    """Permutation importance of each used feature on cases that a fitted member has not seen.

    Nothing is refitted. Columns are prepared independently, so prepared values are permuted
    instead of raw ones, and all permutations are predicted in a few large blocks. With more
    than 200 used features, correlated ones are permuted together.

    Parameters
    ----------
    fitted
        The member.
    x, y
        (cases, features) and the class of each case; a class unknown to the member counts as
        no increase.
    among
        Gives (rows, features) of the training cases, from which correlated features are found;
        called only where there are too many features to permute one by one.
    rng
        Of the permutations.
    limit_s
        Time limit in seconds.

    Returns
    -------
    LeftOut or None
        None where the time limit is reached, or there are too many cases to permute.

    References
    ----------
    Fisher A, Rudin C, Dominici F. All models are wrong, but many are useful. J Mach Learn Res
    2019;20:177.
    """
    ready = fitted.preparation.transform(checked(x, features=fitted.features))
    columns = np.flatnonzero(fitted.learner.used())
    most = min(_MOST_ALONE, _ROWS // max(1, len(ready)))
    if most == 0:
        return None
    groups = [np.array([place]) for place in range(len(columns))]
    if len(columns) > most:
        training = fitted.preparation.transform(checked(among(), features=fitted.features))
        groups = _alike(training[:, columns], most)
    shuffles = int(np.clip(_ROWS // max(1, len(ready) * len(groups)), 1, _SHUFFLES))
    code = {str(name): place for place, name in enumerate(fitted.classes)}
    told = np.array([code.get(str(name), -1) for name in y])
    ends = time.perf_counter() + limit_s
    before = _log_loss(fitted, ready, told)
    rises = np.zeros((len(ready), len(groups)))
    a_block = max(1, _BLOCK // max(1, ready.size * shuffles))
    for start in range(0, len(groups), a_block):
        if time.perf_counter() > ends:
            return None
        some = groups[start : start + a_block]
        rows = np.tile(ready, (len(some) * shuffles, 1)).reshape(len(some), shuffles, *ready.shape)
        for place, group in enumerate(some):
            for turn in range(shuffles):
                order = rng.permutation(len(ready))
                rows[place, turn][:, columns[group]] = ready[np.ix_(order, columns[group])]
        after = _log_loss(
            fitted, rows.reshape(-1, ready.shape[1]), np.tile(told, rows[..., 0, 0].size)
        )
        rises[:, start : start + len(some)] = (
            after.reshape(len(some), shuffles, len(ready)).mean(axis=1) - before
        ).T
    kept = fitted.preparation.kept
    return LeftOut(
        features=tuple(kept[columns[group]] for group in groups), rises=rises, shuffles=shuffles
    )


def stability(used: Bools) -> Estimate:
    """Nogueira's stability: agreement of selected feature sets beyond chance.

    Parameters
    ----------
    used
        (refits, features).

    References
    ----------
    Nogueira S, Sechidis K, Brown G. On the stability of feature selection algorithms. J Mach
    Learn Res 2018;18:174.
    """
    refits, features = used.shape
    what = Method(
        what=f"Nogueira's stability over {refits} refits that share patients", by="normal interval"
    )
    share = float(used.mean())
    if refits < 2 or share in (0.0, 1.0):
        return Estimate(value=math.nan, low=math.nan, high=math.nan, n=refits, method=what)
    z = used.astype(np.float64)
    frequency = z.mean(axis=0)
    chance = share * (1 - share)
    value = (
        1 - float((frequency * (1 - frequency)).sum()) * refits / (refits - 1) / features / chance
    )
    sizes = z.sum(axis=1) / features
    own = (
        (z @ frequency) / features
        - sizes * share
        + value / 2 * (2 * share * sizes - sizes - share + 1)
    ) / chance
    error = math.sqrt(4 / refits**2 * float(((own - own.mean()) ** 2).sum()))
    reach = float(norm.ppf(0.975)) * error
    return Estimate(value=value, low=value - reach, high=value + reach, n=refits, method=what)


def _alike(ready: FloatArray, most: int) -> list[IntArray]:
    """Columns in at most so many groups, by average linkage on one less absolute correlation."""
    centred = ready - ready.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(length > 0, length, 1.0)
    apart = 1 - np.abs(np.clip(unit.T @ unit, -1, 1))
    np.fill_diagonal(apart, 0.0)
    tree = linkage(squareform((apart + apart.T) / 2, checks=False), method="average")
    group = fcluster(tree, most, criterion="maxclust")
    return [np.flatnonzero(group == number) for number in np.unique(group)]


def _log_loss(fitted: FittedTable, ready: FloatArray, told: IntArray) -> FloatArray:
    """(rows,): log-loss of prepared rows; 0 where the class was not in the training data."""
    scores = fitted.learner.log_scores(ready)
    shares = softmax(fitted.choice.calibration.log_probabilities(scores))
    own = shares[np.arange(len(ready)), np.maximum(told, 0)]
    loss: FloatArray = np.where(told >= 0, -np.log(np.maximum(own, _FLOOR)), 0.0)
    return loss


def _rises(fitted: FittedTable, x: FloatArray, y: IntArray, rng: np.random.Generator) -> FloatArray:
    """(cases, features): increase of each case's log-loss, mean over five permutations."""
    rows = np.arange(len(x))
    code = {int(name): column for column, name in enumerate(fitted.classes)}
    column = np.array([code[int(own)] for own in y])
    before = np.log(np.maximum(fitted.probabilities(x)[rows, column], _FLOOR))
    rise = np.zeros(x.shape)
    for feature in np.flatnonzero(fitted.selected):
        shuffled = x.copy()
        for _ in range(_SHUFFLES):
            shuffled[:, feature] = x[rng.permutation(len(x)), feature]
            after = np.log(np.maximum(fitted.probabilities(shuffled)[rows, column], _FLOOR))
            rise[:, feature] += (before - after) / _SHUFFLES
    return rise


def mean_rises(
    rise: FloatArray, patients: IntArray, rng: np.random.Generator
) -> tuple[Estimate, ...]:
    """Mean of each column with a bootstrap interval; all columns share the resamples."""
    count = int(patients.max()) + 1
    sums = np.zeros((count, rise.shape[1]))
    np.add.at(sums, patients, rise)
    cases = np.bincount(patients, minlength=count)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=_RESAMPLES)
    means = drawn @ sums / (drawn @ cases)[:, None]
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    values = rise.mean(axis=0)
    method = Method(
        what=f"mean rise of log-loss over {len(rise)} left-out cases",
        by="percentile bootstrap by patient",
        resamples=_RESAMPLES,
    )
    return tuple(
        Estimate(
            value=float(v),
            low=min(float(a), float(v)),
            high=max(float(b), float(v)),
            n=count,
            method=method,
        )
        for v, a, b in zip(values, low, high, strict=True)
    )


def frequency(hits: int, refits: int) -> Estimate:
    """Fraction of the refits that use a feature, with Wilson's interval."""
    z = float(norm.ppf(0.975))
    part = hits / refits
    centre = (part + z**2 / (2 * refits)) / (1 + z**2 / refits)
    half = z / (1 + z**2 / refits) * math.sqrt(part * (1 - part) / refits + z**2 / (4 * refits**2))
    return Estimate(
        value=part,
        low=max(0.0, min(centre - half, part)),
        high=min(1.0, max(centre + half, part)),
        n=refits,
        method=Method(
            what=f"part of {refits} refits",
            by="Wilson interval",
            notes=("refits share patients, so it is too narrow",),
        ),
    )
