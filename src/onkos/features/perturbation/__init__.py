"""Robustness of features to perturbation of position, noise and outline."""

from onkos.features.perturbation.measure import Measured, measured
from onkos.features.perturbation.perturb import Perturbed, perturbed
from onkos.features.perturbation.plan import Perturbation, Perturbations
from onkos.features.perturbation.robustness import (
    Robustness,
    Stability,
    judged,
    robust_features,
    robustness,
)

__all__ = [
    "Measured",
    "Perturbation",
    "Perturbations",
    "Perturbed",
    "Robustness",
    "Stability",
    "judged",
    "measured",
    "perturbed",
    "robust_features",
    "robustness",
]
