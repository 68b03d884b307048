"""Onkos: AI in tumour imaging, from a DICOM study to a defended answer.

Three verbs are the whole product: :func:`compare` methods, :func:`read` a study, follow a tumour.
"""

from __future__ import annotations

from onkos.arms import ARMS
from onkos.arms import load as load_model
from onkos.cohort.table import load_table as load_cohort
from onkos.compare import Execution, Plan, compare
from onkos.core.case import Case, Cohort
from onkos.core.errors import (
    CohortError,
    ContentError,
    GeometryError,
    ModelError,
    OnkosError,
    UsageError,
)
from onkos.core.estimate import Estimate
from onkos.core.findings import Lesion, Measurement
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.comparison import Comparison
from onkos.core.reading import Reading
from onkos.core.source import Caveat
from onkos.core.study import Patient, Study, Timeline
from onkos.core.version import __version__
from onkos.core.volume import Volume
from onkos.io.intake import open_path, open_study
from onkos.read import read, with_errors

__all__ = [
    "ARMS",
    "Case",
    "Caveat",
    "Cohort",
    "CohortError",
    "Comparison",
    "ContentError",
    "Estimate",
    "Execution",
    "Geometry",
    "GeometryError",
    "Lesion",
    "Mask",
    "Measurement",
    "ModelError",
    "OnkosError",
    "Patient",
    "Reading",
    "Study",
    "Timeline",
    "UsageError",
    "Volume",
    "__version__",
    "compare",
    "load_cohort",
    "load_model",
    "open_path",
    "open_study",
    "read",
    "with_errors",
]
