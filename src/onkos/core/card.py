"""The card a model carries: what it is for and how well it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onkos.core.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorModel:
    """How far a measurement lay from the truth on patients the model had not seen.

    The logarithm of (true / measured) over ``n`` patients: its mean and standard deviation.
    An interval for a new patient is the prediction interval of a normal sample of that size.
    """

    mean_log_ratio: float
    sd_log_ratio: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Model card, stored as ``card.json`` beside the weights.

    Parameters
    ----------
    arm, task, site, modality
        Which arm made it, and for what: e.g. ``supervoxel-forest``, ``segment``, ``brain``, ``MR``.
    roles
        Images it was fitted on, in the order of its channels.
    reference
        Role whose grid the answer lies on.
    tissues
        Label to name of what it outlines.
    classes, threshold
        Names of what it tells apart, empty for one that outlines; and, of two classes, the
        probability of the positive one from which a case is called positive, chosen on
        training patients the model had not seen.
    intended_use
        One sentence; the report repeats it.
    cohort, patients, simulated
        Training cohort, how many patients, and whether they were a phantom.
    estimates
        Metrics on patients it had not seen.
    errors
        Measurement ("volume_ml:core", "long_axis_mm:tumour") to its error on unseen patients.
    settings, seed, version, weights_sha256
        What is needed to make it again; the digest also guards the weights on disk.
    """

    arm: str
    task: str
    site: str
    modality: str
    roles: tuple[str, ...]
    reference: str
    tissues: Mapping[int, str]
    intended_use: str
    cohort: str
    patients: int
    simulated: bool
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    errors: Mapping[str, ErrorModel] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    threshold: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    version: str = ""
    weights_sha256: str = ""
