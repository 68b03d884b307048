"""A small ensemble of shallow neural networks, trained by scikit-learn, kept as plain arrays."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from onkos.classic.learning import Bools, Rows, softmax
from onkos.classic.linear import both
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Networks:
    """Networks of one hidden layer.

    Parameters
    ----------
    into, into_bias, out, out_bias
        (nets, columns, hidden), (nets, 1, hidden), (nets, hidden, classes), (nets, 1, classes).
    """

    into: AnyArray
    into_bias: AnyArray
    out: AnyArray
    out_bias: AnyArray

    def __post_init__(self) -> None:
        nets, _, hidden = self.into.shape
        classes = self.out.shape[-1]
        expected = ((nets, 1, hidden), (nets, hidden, classes), (nets, 1, classes))
        if (self.into_bias.shape, self.out.shape, self.out_bias.shape) != expected:
            raise ContentError(f"networks {self.into.shape} and {self.out.shape} do not fit")

    def log_scores(self, x: FloatArray) -> FloatArray:
        """Logarithm of the mean probability over the networks."""
        parts = [self._mean(x[start : start + 4096]) for start in range(0, len(x), 4096)]
        classes = self.out.shape[-1]
        return np.log(np.concatenate(parts) if parts else np.empty((0, classes)))

    def _mean(self, x: FloatArray) -> FloatArray:
        hidden = np.tanh(x @ self.into + self.into_bias)
        mean: FloatArray = softmax(hidden @ self.out + self.out_bias).mean(axis=0)
        return np.maximum(mean, 1e-12)

    def used(self) -> Bools:
        """All columns."""
        return np.ones(self.into.shape[1], dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Perceptrons:
    """Ensemble of networks with one hidden layer, each fitted to a bootstrap of the patients.

    Parameters
    ----------
    hidden, nets
        Units of the hidden layer; networks whose probabilities are averaged.
    decay
        Weight decay, the penalty decay |w|^2 / 2 added to the mean log-loss.
    steps
        Maximum number of L-BFGS iterations.

    References
    ----------
    Rumelhart DE, Hinton GE, Williams RJ. Learning representations by back-propagating errors.
    Nature 1986;323:533-536. doi:10.1038/323533a0
    Liu DC, Nocedal J. On the limited memory BFGS method for large scale optimization. Math
    Program 1989;45:503-528. doi:10.1007/BF01589116
    """

    hidden: int = 12
    nets: int = 5
    decay: float = 0.03
    steps: int = 100

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Networks:
        """Train each network on its own draw of patients."""
        found = [self._trained(rows, share, rng) for share in self._shares(rows, rng)]
        out = [both(model.coefs_[1].T).T for model in found]
        out_bias = [both(model.intercepts_[1][:, None]).T for model in found]
        return Networks(
            into=np.stack([model.coefs_[0] for model in found]),
            into_bias=np.stack([model.intercepts_[0][None] for model in found]),
            out=np.stack(out),
            out_bias=np.stack(out_bias),
        )

    def _trained(self, rows: Rows, share: FloatArray, rng: np.random.Generator) -> MLPClassifier:
        """One network; ``share`` is the weight of each row, summing to one."""
        model = MLPClassifier(
            (self.hidden,),
            activation="tanh",
            solver="lbfgs",
            alpha=self.decay,
            max_iter=self.steps,
            random_state=int(rng.integers(2**31)),
        )
        with warnings.catch_warnings():  # stopping early is part of the method
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(rows.x, rows.y, sample_weight=share)

    def _shares(self, rows: Rows, rng: np.random.Generator) -> FloatArray:
        """(nets, rows): weight of each row for each network, summing to one."""
        patients = np.unique(rows.groups, return_inverse=True)[1]
        count = int(patients.max()) + 1
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=self.nets)
        share = (drawn[:, patients] + 0.25) * rows.weight  # a quarter: no class is ever left out
        normed: FloatArray = share / share.sum(axis=1, keepdims=True)
        return normed
