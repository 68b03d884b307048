"""What a page shows of each task; a new task adds one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from onkos.core.task import Task
from onkos.report.parts.classes import CLASSES
from onkos.report.parts.detection import DETECTION
from onkos.report.parts.outlines import OUTLINES
from onkos.report.parts.part import Drawn, Part, sample_of
from onkos.report.parts.prognosis import PROGNOSIS
from onkos.report.parts.reconstruction import RECONSTRUCTION

PARTS: Mapping[Task, Part] = {
    Task.CLASSIFY: CLASSES,
    Task.SEGMENT: OUTLINES,
    Task.DETECT: DETECTION,
    Task.PROGNOSE: PROGNOSIS,
    Task.RECONSTRUCT: RECONSTRUCTION,
}

__all__ = ["PARTS", "Drawn", "Part", "sample_of"]
