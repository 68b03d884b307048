"""A small ensemble of shallow neural networks, trained side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onkos.classic.learning import Bools, Rows, softmax
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray

Float32 = NDArray[np.float32]


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
    """Networks of one hidden layer, each learning from patients drawn with replacement.

    Parameters
    ----------
    hidden, nets
        Units of the hidden layer; networks whose probabilities are averaged.
    decay
        Weight decay, the penalty decay |w|^2 / 2 added to the mean log-loss.
    steps
        Steps of Adam, each over all rows.

    References
    ----------
    Rumelhart DE, Hinton GE, Williams RJ. Learning representations by back-propagating errors.
    Nature 1986;323:533-536. doi:10.1038/323533a0
    Kingma DP, Ba J. Adam: a method for stochastic optimization. ICLR 2015.
    doi:10.48550/arXiv.1412.6980
    """

    hidden: int = 12
    nets: int = 5
    decay: float = 0.03
    steps: int = 100

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Networks:
        """Train all networks side by side."""
        columns = rows.x.shape[1]
        sizes = ((columns, self.hidden), (1, self.hidden), (self.hidden, rows.classes))
        scale = (1 / np.sqrt(columns), 0.0, 1 / np.sqrt(self.hidden))
        values = [
            s * rng.normal(size=(self.nets, *size)) for s, size in zip(scale, sizes, strict=True)
        ]
        values.append(np.zeros((self.nets, 1, rows.classes)))
        values = [value.astype(np.float32) for value in values]
        share = self._shares(rows, rng)
        x, truth = rows.x.astype(np.float32), rows.truth.astype(np.float32)
        first = [np.zeros_like(value) for value in values]
        second = [np.zeros_like(value) for value in values]
        for step in range(1, self.steps + 1):
            rate = 0.03 * (1 + np.cos(np.pi * step / self.steps)) / 2
            for n, gradient in enumerate(self._gradients((x, truth, share), values)):
                first[n] = 0.9 * first[n] + 0.1 * gradient
                second[n] = 0.99 * second[n] + 0.01 * gradient**2
                even = np.sqrt(second[n] / (1 - 0.99**step)) + 1e-8
                values[n] = values[n] - rate * first[n] / (1 - 0.9**step) / even
        into, into_bias, out, out_bias = (value.astype(np.float64) for value in values)
        return Networks(into=into, into_bias=into_bias, out=out, out_bias=out_bias)

    def _shares(self, rows: Rows, rng: np.random.Generator) -> Float32:
        """(nets, rows, 1): weight of each row for each network, summing to one."""
        patients = np.unique(rows.groups, return_inverse=True)[1]
        count = int(patients.max()) + 1
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=self.nets)
        share = (drawn[:, patients] + 0.25) * rows.weight  # a quarter: no class is ever left out
        share /= share.sum(axis=1, keepdims=True)
        return np.asarray(share[..., None], dtype=np.float32)

    def _gradients(
        self, shown: tuple[Float32, Float32, Float32], values: list[Float32]
    ) -> tuple[Float32, Float32, Float32, Float32]:
        """Gradient of each of the values; arrays over all networks at once."""
        x, truth, share = shown
        into, into_bias, out, out_bias = values
        hidden = np.tanh(x @ into + into_bias)
        wrong = share * (softmax(hidden @ out + out_bias) - truth)
        back = (wrong @ out.transpose(0, 2, 1)) * (1 - hidden**2)
        return (
            x.T @ back + self.decay * into,
            back.sum(axis=1, keepdims=True),
            hidden.transpose(0, 2, 1) @ wrong + self.decay * out,
            wrong.sum(axis=1, keepdims=True),
        )
