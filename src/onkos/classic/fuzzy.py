"""Fuzzy c-means, and a fuzzy rule classifier built on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onkos.classic.learning import Bools, Rows, softmax, squared_distances
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray

_CRISP = 1.4  # fuzziness of a class's clusters: with 2, clusters of noisy columns coincide


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clusters:
    """Fuzzy clusters: ``centres`` (clusters, columns), ``degrees`` (rows, clusters) of membership.

    ``objective`` is its value after each iteration; it never increases.
    """

    centres: FloatArray
    degrees: FloatArray
    objective: FloatArray


def fuzzy_c_means(
    x: FloatArray, centres: FloatArray, *, fuzziness: float = 2.0, rounds: int = 100
) -> Clusters:
    """Fuzzy c-means: each row has a degree of membership in every cluster; they sum to one.

    Parameters
    ----------
    x
        (rows, columns), finite.
    centres
        (clusters, columns): initial centres.
    fuzziness
        Exponent m, above 1; near 1 the clusters are crisp.
    rounds
        Maximum number of iterations; fewer on convergence of the centres.

    References
    ----------
    Bezdek JC. Pattern recognition with fuzzy objective function algorithms. Plenum 1981.
    doi:10.1007/978-1-4757-0450-1
    """
    if fuzziness <= 1 or not np.isfinite(x).all():
        raise ContentError(
            f"fuzziness {fuzziness}, rows of shape {x.shape}: expected above 1 and finite rows"
        )
    objective: list[float] = []
    for _ in range(rounds):
        square = squared_distances(x, centres)
        degrees = belonging(square, fuzziness)
        objective.append(float((degrees**fuzziness * square).sum()))
        share = degrees**fuzziness
        total = np.maximum(share.sum(axis=0), 1e-300)[:, None]
        moved = share.T @ x / total
        rest = np.abs(moved - centres).max() <= 1e-6 * max(float(np.abs(moved).max()), 1e-12)
        centres = moved
        if rest:
            break
    degrees = belonging(squared_distances(x, centres), fuzziness)
    return Clusters(centres=centres, degrees=degrees, objective=np.array(objective))


def belonging(square: FloatArray, fuzziness: float) -> FloatArray:
    """Degree of membership of each row in each cluster, from squared distances."""
    least = square.min(axis=-1, keepdims=True)
    ratio = (least + 1e-12) / (square + 1e-12)
    degree = ratio ** (1 / (fuzziness - 1))
    shares: FloatArray = degree / degree.sum(axis=-1, keepdims=True)
    return shares


def scattered(x: FloatArray, clusters: int, *, rng: np.random.Generator) -> FloatArray:
    """Initial centres by k-means++: rows drawn far from each other."""
    centres = x[[int(rng.integers(len(x)))]]
    while len(centres) < clusters:
        far = squared_distances(x, centres).min(axis=1)
        if far.sum() <= 0:
            return np.concatenate([centres, np.repeat(centres[-1:], clusters - len(centres), 0)])
        drawn = int(np.searchsorted(np.cumsum(far), rng.random() * far.sum()))
        centres = np.concatenate([centres, x[[min(drawn, len(x) - 1)]]])
    return centres


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FuzzyTable:
    """Takagi-Sugeno rules: IF each column is near ``centres`` (width ``widths``) THEN ``says``.

    ``centres`` and ``widths`` are (rules, columns), ``says`` the class probabilities of each
    rule, (rules, classes), positive.
    """

    centres: AnyArray
    widths: AnyArray
    says: AnyArray

    def __post_init__(self) -> None:
        if self.centres.shape != self.widths.shape or len(self.says) != len(self.centres):
            raise ContentError(f"{len(self.says)} rules: centres and widths do not fit")
        if not (self.widths > 0).all() or not (self.says > 0).all():
            raise ContentError("a width or a class probability of a rule is not positive")

    def log_scores(self, x: FloatArray) -> FloatArray:
        """Logarithm of the rules' class probabilities, weighted by their firing strength."""
        precision = 1 / self.widths**2
        square = x**2 @ precision.T - 2 * x @ (self.centres * precision).T
        square = square + (self.centres**2 * precision).sum(axis=1)
        holds = -np.maximum(square, 0.0) / (2 * x.shape[1])  # log geometric mean of the degrees
        highest = holds.max(axis=1, keepdims=True)  # far from all rules the nearest decides
        return np.asarray(np.log(np.exp(holds - highest) @ self.says))

    def used(self) -> Bools:
        """All columns."""
        return np.ones(self.centres.shape[1], dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzyRules:
    """Fuzzy rules from clusters of each class.

    The rows of each class are clustered by fuzzy c-means. Each cluster is one rule: its
    membership functions are Gaussian with the cluster's spread, its consequent are the class
    frequencies of the rows that belong to it.

    Parameters
    ----------
    rules
        Rules per class.
    sharpness
        The cluster's spread over the width of the membership functions.

    References
    ----------
    Takagi T, Sugeno M. Fuzzy identification of systems and its applications to modeling and
    control. IEEE Trans Syst Man Cybern 1985;15:116-132. doi:10.1109/TSMC.1985.6313399
    """

    rules: int = 3
    sharpness: float = 1.0

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> FuzzyTable:
        """Cluster each class and derive the rules."""
        centres, widths = [], []
        whole = np.maximum(rows.x.std(axis=0), 1e-6)
        for code in range(rows.classes):
            own = rows.x[rows.y == code]
            count = min(self.rules, len(own))
            start = scattered(own, count, rng=rng)
            found = fuzzy_c_means(own, start, fuzziness=_CRISP)
            share = found.degrees**_CRISP
            total = share.sum(axis=0)[:, None] + 1e-12
            square = share.T @ own**2 / total - (share.T @ own / total) ** 2
            spread = np.sqrt(np.maximum(square, (0.1 * whole) ** 2))
            centres.append(found.centres)
            widths.append(spread / self.sharpness)
        prior = np.bincount(rows.y, weights=rows.weight, minlength=rows.classes)
        count = sum(len(own) for own in centres)
        bare = FuzzyTable(
            centres=np.concatenate(centres),
            widths=np.concatenate(widths),
            says=np.eye(count) + 1e-12,
        )
        holds = softmax(bare.log_scores(rows.x))
        said = holds.T @ (rows.truth * rows.weight[:, None]) + prior / prior.sum()
        return FuzzyTable(
            centres=bare.centres,
            widths=bare.widths,
            says=said / said.sum(axis=1, keepdims=True),
        )
