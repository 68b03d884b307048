"""Descriptors of one lesion in a volume: the classic set of lung nodules on CT."""

from __future__ import annotations

from onkos.features.lesion.morphology import morphology
from onkos.features.lesion.nodule import nodule

__all__ = ["morphology", "nodule"]
