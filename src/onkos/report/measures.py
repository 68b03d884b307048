"""Metrics in words: their names as the field says them, and what a number of them means."""

from __future__ import annotations

from onkos.judge.measures import MEASURES

_PLACES = {
    "net_benefit": "at threshold {}",
    "net_benefit_over_all": "at threshold {}",
    "lesion_sensitivity_at": "at {} false marks a case",
    "ap_at": "at {}",
    "auc_at": "at time {}",
    "brier_at": "at time {}",
    "observed_to_expected_at": "at time {}",
    "calibration_slope_at": "at time {}",
}


def named(metric: str) -> str:
    """Name of a metric for people, e.g. ``HD95 (mm), core`` for ``hd95_mm:core``."""
    key, _, of = metric.partition(":")
    known = MEASURES.get(key)
    if known is None:
        name = key.replace("_", " ").capitalize()
    else:
        name = f"{known.label} ({known.unit})" if known.unit else known.label
    if not of:
        return name
    return f"{name} {_PLACES[key].format(of)}" if key in _PLACES else f"{name}, {of}"


def meaning(metric: str) -> str:
    """What stands for chance and for perfect; empty where the name tells."""
    known = MEASURES.get(metric.partition(":")[0])
    return known.meaning if known else ""
