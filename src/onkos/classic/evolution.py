"""Feature selection by a genetic algorithm, then a linear discriminant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onkos.classic.inner_folds import patient_folds
from onkos.classic.learning import Bools, IntArray, Rows, log_softmax
from onkos.classic.linear import Discriminant, Linear
from onkos.core.geometry import FloatArray

_SHRINK = 0.1  # shrinkage of the covariance towards a sphere in the fitness


@dataclass(frozen=True, slots=True, kw_only=True)
class Evolution:
    """A genetic algorithm chooses features, a linear discriminant learns from them.

    The fitness of a feature set is its log-loss on left-out patients plus a penalty on its size.

    Parameters
    ----------
    population, generations
        Number of feature sets in a generation, and number of generations.
    price
        Penalty per feature: reduction of log-loss that a further feature must bring.

    References
    ----------
    Siedlecki W, Sklansky J. A note on genetic algorithms for large-scale feature selection.
    Pattern Recognit Lett 1989;10:335-347. doi:10.1016/0167-8655(89)90037-8
    """

    population: int = 24
    generations: int = 15
    price: float = 0.002

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Linear:
        """Evolve sets of features, then learn from the best."""
        fold = patient_folds(rows.y, rows.groups, 3, rng=rng)
        judge = _Judge.of(rows, fold, self.price)
        best = self._evolved(judge, rows.x.shape[1], rng)
        part = Rows(
            x=rows.x[:, best],
            y=rows.y,
            weight=rows.weight,
            groups=rows.groups,
            classes=rows.classes,
        )
        found = Discriminant().fit(part, rng=rng)
        coefficients = np.zeros((rows.x.shape[1], rows.classes))
        coefficients[best] = found.coefficients
        return Linear(coefficients=coefficients, intercepts=found.intercepts)

    def _evolved(self, judge: _Judge, columns: int, rng: np.random.Generator) -> Bools:
        """Return the best feature set of the last generation (the best two always survive)."""
        alive = rng.random((self.population, columns)) < min(0.5, 8 / columns)
        alive[np.arange(self.population), rng.integers(columns, size=self.population)] = True
        known: dict[bytes, float] = {}
        for _ in range(self.generations):
            costs = np.array([judge.cost(one, known) for one in alive])
            elite = alive[np.argsort(costs, kind="stable")[:2]]
            rivals = rng.integers(self.population, size=(2, self.population, 2))
            winners = np.where(
                costs[rivals[..., 0]] <= costs[rivals[..., 1]], rivals[..., 0], rivals[..., 1]
            )
            mixed = rng.random(alive.shape) < 0.5
            children = np.where(mixed, alive[winners[0]], alive[winners[1]])
            children ^= rng.random(alive.shape) < 1 / columns
            empty = ~children.any(axis=1)
            children[empty] = alive[winners[0]][empty]
            alive = np.concatenate([elite, children[2:]])
        costs = np.array([judge.cost(one, known) for one in alive])
        best: Bools = alive[int(np.argmin(costs))]
        return best


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judge:
    """Fitness of feature sets: class means and scatter of each fold, computed once."""

    rows: Rows
    tests: tuple[IntArray, ...]
    means: tuple[FloatArray, ...]
    scatters: tuple[FloatArray, ...]
    priors: tuple[FloatArray, ...]
    price: float

    @classmethod
    def of(cls, rows: Rows, fold: IntArray, price: float) -> _Judge:
        means, scatters, priors, tests = [], [], [], []
        for number in np.unique(fold):
            train = fold != number
            share = rows.truth[train] * rows.weight[train, None]
            total = np.maximum(share.sum(axis=0), 1e-12)
            own = share.T @ rows.x[train] / total[:, None]
            apart = (rows.x[train] - own[rows.y[train]]) * np.sqrt(rows.weight[train, None])
            means.append(own)
            scatters.append(apart.T @ apart / total.sum())
            priors.append(np.log(total / total.sum()))
            tests.append(np.flatnonzero(~train))
        return cls(
            rows=rows,
            tests=tuple(tests),
            means=tuple(means),
            scatters=tuple(scatters),
            priors=tuple(priors),
            price=price,
        )

    def cost(self, chosen: Bools, known: dict[bytes, float]) -> float:
        """Log-loss on left-out patients plus the penalty on the number of features."""
        key = chosen.tobytes()
        if key not in known:
            columns = np.flatnonzero(chosen)
            loss = sum(self._loss(fold, columns) for fold in range(len(self.tests)))
            known[key] = loss / float(self.rows.weight.sum()) + self.price * len(columns)
        return known[key]

    def _loss(self, fold: int, columns: IntArray) -> float:
        scatter = self.scatters[fold][np.ix_(columns, columns)]
        means = self.means[fold][:, columns]
        sphere = max(float(np.trace(scatter)) / len(columns), 1e-9)
        shrunk = (1 - _SHRINK) * scatter + _SHRINK * sphere * np.eye(len(columns))
        coefficients = np.linalg.solve(shrunk, means.T)
        offsets = self.priors[fold] - (means.T * coefficients).sum(axis=0) / 2
        test = self.tests[fold]
        logs = log_softmax(self.rows.x[np.ix_(test, columns)] @ coefficients + offsets)
        own = logs[np.arange(len(test)), self.rows.y[test]]
        return -float((self.rows.weight[test] * np.maximum(own, -7.0)).sum())
