"""Calibration of probabilities (Platt, temperature scaling) on patients left out of the fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from onkos.classic.learning import IntArray, log_softmax
from onkos.core.geometry import AnyArray, FloatArray

_PRIOR = 1.0  # weight, in cases, of the prior that scores are calibrated already
_SLOPES = (1e-2, 50.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """A positive slope and one bias per class; with two classes this is Platt scaling.

    The slope is positive, so the ranking of cases (and with two classes the AUC) is unchanged.
    """

    slope: AnyArray
    bias: AnyArray

    def log_probabilities(self, log_scores: FloatArray) -> FloatArray:
        """Logarithm of the calibrated probabilities."""
        return log_softmax(self.slope * log_scores + self.bias)


def fit_calibration(log_scores: FloatArray, y: IntArray) -> Calibration:
    """Fit slope and biases to out-of-fold scores by maximum likelihood with a weak prior.

    Parameters
    ----------
    log_scores
        (cases, classes), from learners that had not seen the case's patient.
    y
        Number of each case's class.

    References
    ----------
    Platt J. Probabilistic outputs for support vector machines. Adv Large Margin Classif
    1999;61-74. Guo C et al. On calibration of modern neural networks. ICML 2017.
    doi:10.48550/arXiv.1706.04599
    """
    classes = log_scores.shape[1]
    truth = np.eye(classes)[y]
    scores = log_softmax(log_scores)

    def cost(values: FloatArray) -> tuple[float, FloatArray]:
        slope, bias = np.exp(values[0]), values[1:]
        logs = log_softmax(slope * scores + bias)
        wrong = np.exp(logs) - truth
        gradient = np.concatenate([[slope * (wrong * scores).sum()], wrong.sum(axis=0)])
        total = -(truth * logs).sum() + _PRIOR * (values**2).sum() / 2
        return float(total), gradient + _PRIOR * values

    bounds = [tuple(np.log(_SLOPES)), *([(-20.0, 20.0)] * classes)]
    found = minimize(cost, np.zeros(classes + 1), jac=True, method="L-BFGS-B", bounds=bounds)
    return Calibration(slope=np.array(np.exp(found.x[0])), bias=found.x[1:])
