"""Metrics of an evaluation in words: their names, and what a number of them means."""

from __future__ import annotations

from onkos.report import words

_NAMES = {
    "auc": "AUC",
    "auc_macro": "AUC, macro mean",
    "average_precision": "Average precision",
    "brier": "Brier score",
    "calibration_in_the_large": "Calibration in the large",
    "calibration_slope": "Calibration slope",
    "ece": "Expected calibration error",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
    "balanced_accuracy": "Balanced accuracy",
    "odds_ratio": "Diagnostic odds ratio",
    "net_benefit": "Net benefit at threshold",
    "net_benefit_over_all": "Net benefit over acting on all, at threshold",
    "f1": "F1",
    "f1_macro": "F1, macro mean",
    "f1_micro": "F1, micro mean",
    "f1_weighted": "F1, weighted mean",
    "mcc": "Matthews correlation",
    "kappa": "Cohen's kappa",
    "dice": "Dice",
    "iou": "IoU",
    "volume_error_ml": "Volume error (ml)",
    "absolute_volume_error_ml": "Absolute volume error (ml)",
    "relative_volume_error": "Relative volume error",
    "surface_dice": "Surface Dice",
    "hd95_mm": "HD95 (mm)",
    "assd_mm": "ASSD (mm)",
    "lesion_recall": "Lesion recall",
    "lesion_precision": "Lesion precision",
    "lesion_f1": "Lesion F1",
    "lesion_pq": "Panoptic quality",
    "c_harrell": "Harrell's C",
    "c_uno": "Uno's C",
    "auc_at": "Dynamic AUC at time",
    "brier_at": "Brier score at time",
    "integrated_brier": "Integrated Brier score",
    "observed_to_expected_at": "Observed over expected at time",
    "calibration_slope_at": "Calibration slope at time",
}
_MEANT = {
    "auc": "0.5 chance, 1 perfect",
    "average_precision": "prevalence: chance, 1 perfect",
    "brier": "0 perfect",
    "brier_at": "0 perfect, 0.25 always one half",
    "integrated_brier": "0 perfect",
    "calibration_in_the_large": "0 right, above: too little predicted",
    "calibration_slope": "1 right, below: too extreme",
    "calibration_slope_at": "1 right, below: too extreme",
    "observed_to_expected_at": "1 right",
    "ece": "0 perfect",
    "odds_ratio": "1 chance, more is better",
    "net_benefit": "0: as acting on nobody",
    "net_benefit_over_all": "above 0: better than acting on all",
    "mcc": "0 chance, 1 perfect",
    "kappa": "0 chance, 1 perfect",
    "dice": "0 none, 1 perfect",
    "volume_error_ml": "0 right, below: too small",
    "relative_volume_error": "0 right, −1 a miss",
    "hd95_mm": "0 perfect",
    "assd_mm": "0 perfect",
    "c_harrell": "0.5 chance, 1 perfect",
    "c_uno": "0.5 chance, 1 perfect",
    "auc_at": "0.5 chance, 1 perfect",
}


def named(metric: str) -> str:
    """Name of a metric for people, e.g. ``HD95 (mm), core`` for ``hd95_mm:core``."""
    kind, _, of = metric.partition(":")
    if kind not in _NAMES:
        return words.metric(metric)
    joined = " " if _NAMES[kind].endswith((" threshold", " time")) else ", "
    return f"{_NAMES[kind]}{joined}{of}" if of else _NAMES[kind]


def meaning(metric: str) -> str:
    """What stands for chance and for perfect; empty where the name tells."""
    return _MEANT.get(metric.partition(":")[0], "")
