"""Multinomial logistic regression with lasso and ridge penalties."""

from __future__ import annotations

import numpy as np

from onkos.classic.learning import softmax
from onkos.core.geometry import FloatArray


def elastic_net(
    x: FloatArray,
    truth: FloatArray,
    weight: FloatArray,
    *,
    lasso: FloatArray,
    ridge: float,
    tolerance: float = 1e-4,
) -> tuple[FloatArray, FloatArray]:
    """Minimise mean log-loss + sum(lasso |w|) + ridge |w|^2 / 2; intercepts are free.

    Accelerated proximal gradient (FISTA) with restarts, until no optimality condition is
    violated by more than the tolerance (in units of the gradient), or 2,000 steps. scikit-learn's
    solvers have no penalty per column, and treat two classes otherwise than more.

    Parameters
    ----------
    x, truth, weight
        (rows, columns), (rows, classes) with 1 at the class, (rows,).
    lasso, ridge
        Penalties: one per column, and one for all.
    tolerance
        Largest violation allowed.

    Returns
    -------
    tuple
        Coefficients (columns, classes) and intercepts (classes,).

    References
    ----------
    Beck A, Teboulle M. A fast iterative shrinkage-thresholding algorithm. SIAM J Imaging Sci
    2009;2:183-202. doi:10.1137/080716542
    O'Donoghue B, Candes E. Adaptive restart for accelerated gradient schemes. Found Comput
    Math 2015;15:715-732. doi:10.1007/s10208-013-9150-3
    """
    design = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    share = weight / weight.sum()
    shrink = np.append(lasso, 0.0)[:, None]
    decay = np.append(np.full(x.shape[1], ridge), 0.0)[:, None]
    step = 1 / (0.5 * _largest(design * np.sqrt(share)[:, None]) + ridge)
    w = np.zeros((design.shape[1], truth.shape[1]))
    w[-1] = np.log(np.maximum(share @ truth, 1e-12))
    ahead, momentum = w, 1.0
    for _ in range(2000):
        gradient = design.T @ (share[:, None] * (softmax(design @ ahead) - truth)) + decay * ahead
        moved = ahead - step * gradient
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * shrink, 0.0)
        if np.abs(new - ahead).max() <= step * tolerance:
            w = new
            break
        if ((ahead - new) * (new - w)).sum() > 0:  # uphill: forget the momentum
            momentum = 1.0
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / faster * (new - w)
        w, momentum = new, faster
    return w[:-1], w[-1]


def strongest_penalty(x: FloatArray, truth: FloatArray, weight: FloatArray) -> float:
    """Smallest lasso penalty at which every coefficient is zero."""
    share = weight / weight.sum()
    return float(np.abs(x.T @ (share[:, None] * (truth - share @ truth))).max())


def _largest(a: FloatArray) -> float:
    """Largest eigenvalue of a' a."""
    gram = a @ a.T if a.shape[0] < a.shape[1] else a.T @ a
    return float(np.linalg.eigvalsh(gram)[-1])
