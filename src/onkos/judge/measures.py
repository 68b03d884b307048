"""Every metric that a judgement may hold: its name, its unit, and which way is better."""

from __future__ import annotations

import math
from collections.abc import Mapping

from onkos.core.errors import ContentError
from onkos.core.measure import Measure

_CHANCE_AREA = "0.5 chance, 1 perfect"
_CHANCE_ZERO = "0 chance, 1 perfect"
_NONE_PERFECT = "0 none, 1 perfect"
_ZERO_PERFECT = "0 perfect"

_OF_CLASSES = (
    Measure(key="auc", label="AUC", decides=True, meaning=_CHANCE_AREA),
    Measure(key="auc_macro", label="AUC, macro mean", meaning=_CHANCE_AREA),
    Measure(
        key="average_precision",
        label="Average precision",
        meaning="chance: the prevalence, 1 perfect",
    ),
    Measure(
        key="brier",
        label="Brier score",
        better="lower",
        decides=True,
        ideal=0.0,
        meaning=_ZERO_PERFECT,
    ),
    Measure(
        key="calibration_in_the_large",
        label="Calibration in the large",
        better="nearer",
        ideal=0.0,
        meaning="0 ideal, above 0: risk underestimated",
    ),
    Measure(
        key="calibration_slope",
        label="Calibration slope",
        better="nearer",
        meaning="1 ideal, below 1: too extreme",
    ),
    Measure(
        key="ece",
        label="Expected calibration error",
        better="lower",
        ideal=0.0,
        meaning=_ZERO_PERFECT,
    ),
    Measure(key="sensitivity", label="Sensitivity"),
    Measure(key="specificity", label="Specificity"),
    Measure(key="ppv", label="Positive predictive value"),
    Measure(key="npv", label="Negative predictive value"),
    Measure(
        key="odds_ratio",
        label="Diagnostic odds ratio",
        ideal=math.inf,
        meaning="1 chance, higher is better",
    ),
    Measure(key="accuracy", label="Accuracy"),
    Measure(key="balanced_accuracy", label="Balanced accuracy"),
    Measure(key="f1", label="F1"),
    Measure(key="f1_macro", label="F1, macro mean"),
    Measure(key="f1_micro", label="F1, micro mean"),
    Measure(key="f1_weighted", label="F1, weighted mean"),
    Measure(key="mcc", label="Matthews correlation", meaning=_CHANCE_ZERO),
    Measure(key="kappa", label="Cohen's kappa", meaning=_CHANCE_ZERO),
    Measure(key="net_benefit", label="Net benefit", meaning="0: no better than acting on nobody"),
    Measure(
        key="net_benefit_over_all",
        label="Net benefit over acting on all",
        meaning="above 0: better than acting on all",
    ),
)

_OF_OUTLINES = (
    Measure(key="dice", label="Dice", decides=True, meaning=_NONE_PERFECT),
    Measure(key="iou", label="IoU", meaning=_NONE_PERFECT),
    Measure(key="precision", label="Precision"),
    Measure(
        key="balanced_error",
        label="Balanced error rate",
        better="lower",
        ideal=0.0,
        meaning="0 perfect, 0.5 chance",
    ),
    Measure(
        key="volume_error_ml",
        label="Volume error",
        unit="ml",
        better="nearer",
        ideal=0.0,
        meaning="0 ideal, below 0: too small",
    ),
    Measure(
        key="absolute_volume_error_ml",
        label="Absolute volume error",
        unit="ml",
        better="lower",
        ideal=0.0,
        meaning=_ZERO_PERFECT,
    ),
    Measure(
        key="relative_volume_error",
        label="Relative volume error",
        better="nearer",
        ideal=0.0,
        meaning="0 ideal, −1 nothing found",
    ),
    Measure(key="surface_dice", label="Surface Dice", meaning=_NONE_PERFECT),
    Measure(
        key="hd95_mm", label="HD95", unit="mm", better="lower", ideal=0.0, meaning=_ZERO_PERFECT
    ),
    Measure(
        key="assd_mm", label="ASSD", unit="mm", better="lower", ideal=0.0, meaning=_ZERO_PERFECT
    ),
    Measure(key="lesion_recall", label="Lesion recall"),
    Measure(key="lesion_precision", label="Lesion precision"),
    Measure(key="lesion_f1", label="Lesion F1"),
    Measure(key="lesion_pq", label="Panoptic quality"),
)

_OF_DETECTION = (
    Measure(
        key="cpm",
        label="CPM",
        decides=True,
        meaning="mean sensitivity at 1/8 to 8 false marks a case, 1 perfect",
    ),
    Measure(key="lesion_sensitivity_at", label="Lesion sensitivity"),
    Measure(key="wafroc", label="Weighted AFROC area", meaning="1 perfect"),
    Measure(
        key="case_auc",
        label="AUC of cases by their highest mark",
        meaning=_CHANCE_AREA,
    ),
    Measure(key="froc_area", label="Area under the FROC curve", meaning="1 perfect"),
    Measure(key="ap", label="Average precision of marks", meaning="1 perfect"),
    Measure(key="ap_at", label="Average precision of marks", meaning="1 perfect"),
)

_OF_PROGNOSIS = (
    Measure(key="c_harrell", label="Harrell's C", decides=True, meaning=_CHANCE_AREA),
    Measure(key="c_uno", label="Uno's C", meaning=_CHANCE_AREA),
    Measure(key="auc_at", label="Dynamic AUC", meaning=_CHANCE_AREA),
    Measure(
        key="brier_at",
        label="Brier score",
        better="lower",
        ideal=0.0,
        meaning="0 perfect, 0.25 if one half is always predicted",
    ),
    Measure(
        key="integrated_brier",
        label="Integrated Brier score",
        better="lower",
        ideal=0.0,
        meaning=_ZERO_PERFECT,
    ),
    Measure(
        key="observed_to_expected_at",
        label="Observed over expected events",
        better="nearer",
        meaning="1 ideal, above 1: risk underestimated",
    ),
    Measure(
        key="calibration_slope_at",
        label="Calibration slope",
        better="nearer",
        meaning="1 ideal, below 1: too extreme",
    ),
)

_OF_IMAGES = (
    Measure(key="ssim", label="SSIM", decides=True, meaning="1 perfect"),
    Measure(key="psnr_db", label="PSNR", unit="dB", ideal=math.inf, meaning="higher is better"),
    Measure(
        key="nrmse",
        label="Normalised root mean square error",
        better="lower",
        ideal=0.0,
        meaning=_ZERO_PERFECT,
    ),
)

#: Key of a metric, without what follows its colon, to what it is.
MEASURES: Mapping[str, Measure] = {
    one.key: one
    for one in (*_OF_CLASSES, *_OF_OUTLINES, *_OF_DETECTION, *_OF_PROGNOSIS, *_OF_IMAGES)
}


def measure(metric: str) -> Measure:
    """Tell what a metric is, e.g. ``hd95_mm`` for ``hd95_mm:core``.

    Raises
    ------
    ContentError
        If the metric is not known: then nobody can say which of two values is better.
    """
    key = metric.partition(":")[0]
    if key not in MEASURES:
        raise ContentError(
            f"metric {metric!r}: not known, so which way is better is not known either; expected "
            f"one such as {', '.join(list(MEASURES)[:4])}. Judge the predictions again"
        )
    return MEASURES[key]
