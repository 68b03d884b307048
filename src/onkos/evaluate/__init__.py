"""Judging finished predictions: any model's, whoever made it, against cases with known answers."""

from onkos.evaluate.composition import Evaluated, evaluate
from onkos.evaluate.part import Settings

__all__ = ["Evaluated", "Settings", "evaluate"]
