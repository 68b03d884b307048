"""Calibration of predicted probabilities."""

from onkos.stats.calibration.bins import (
    Bins,
    ReliabilityBin,
    expected_calibration_error,
    reliability_curve,
)
from onkos.stats.calibration.brier import MurphyParts, brier, brier_difference
from onkos.stats.calibration.forecast import Forecast
from onkos.stats.calibration.goodness import GoodnessOfFit, hosmer_lemeshow, spiegelhalter
from onkos.stats.calibration.line import CalibrationLine, calibration_line, in_the_large

__all__ = [
    "Bins",
    "CalibrationLine",
    "Forecast",
    "GoodnessOfFit",
    "MurphyParts",
    "ReliabilityBin",
    "brier",
    "brier_difference",
    "calibration_line",
    "expected_calibration_error",
    "hosmer_lemeshow",
    "in_the_large",
    "reliability_curve",
    "spiegelhalter",
]
