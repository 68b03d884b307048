"""Onkos: AI in tumour imaging, from a DICOM study to a defended answer.

Three verbs are the whole product: :func:`compare` methods, :func:`read` a study, follow a tumour.

Everything in ``__all__`` is imported when it is first used (PEP 562), so ``import onkos`` and the
help of the command line cost nothing of what they do not need.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from onkos.core.version import __version__

__all__ = [
    "ARMS",
    "Agreed",
    "Agreement",
    "Case",
    "Caveat",
    "Cohort",
    "CohortError",
    "Comparison",
    "ContentError",
    "Desk",
    "Estimate",
    "Evaluation",
    "Execution",
    "Geometry",
    "GeometryError",
    "Lesion",
    "Mask",
    "Measurement",
    "ModelError",
    "OnkosError",
    "Patient",
    "Plan",
    "Reading",
    "Settings",
    "Study",
    "Task",
    "Timeline",
    "UsageError",
    "Volume",
    "__version__",
    "agree",
    "compare",
    "evaluate",
    "fit",
    "judge_again",
    "load_cohort",
    "load_model",
    "open_path",
    "open_study",
    "predict",
    "read",
    "with_errors",
]

if TYPE_CHECKING:  # what type checkers and editors see; a test holds it against _HOMES
    from onkos.agree import Agreed, agree
    from onkos.arms import ARMS
    from onkos.arms import load as load_model
    from onkos.cohort.table import load_table as load_cohort
    from onkos.compare import Execution, Plan, compare
    from onkos.core.agreement import Agreement
    from onkos.core.case import Case, Cohort
    from onkos.core.comparison import Comparison, Evaluation
    from onkos.core.desk import Desk
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
    from onkos.core.reading import Reading
    from onkos.core.source import Caveat
    from onkos.core.study import Patient, Study, Timeline
    from onkos.core.task import Task
    from onkos.core.volume import Volume
    from onkos.evaluate import evaluate, judge_again
    from onkos.fit import fit
    from onkos.io.intake import open_path, open_study
    from onkos.judge import Settings
    from onkos.predict import predict
    from onkos.read import read, with_errors

#: Module and name of what is imported when it is first used.
_HOMES = {
    "ARMS": "onkos.arms:ARMS",
    "Agreed": "onkos.agree:Agreed",
    "Agreement": "onkos.core.agreement:Agreement",
    "Case": "onkos.core.case:Case",
    "Caveat": "onkos.core.source:Caveat",
    "Cohort": "onkos.core.case:Cohort",
    "CohortError": "onkos.core.errors:CohortError",
    "Comparison": "onkos.core.comparison:Comparison",
    "ContentError": "onkos.core.errors:ContentError",
    "Desk": "onkos.core.desk:Desk",
    "Estimate": "onkos.core.estimate:Estimate",
    "Evaluation": "onkos.core.comparison:Evaluation",
    "Execution": "onkos.compare:Execution",
    "Geometry": "onkos.core.geometry:Geometry",
    "GeometryError": "onkos.core.errors:GeometryError",
    "Lesion": "onkos.core.findings:Lesion",
    "Mask": "onkos.core.mask:Mask",
    "Measurement": "onkos.core.findings:Measurement",
    "ModelError": "onkos.core.errors:ModelError",
    "OnkosError": "onkos.core.errors:OnkosError",
    "Patient": "onkos.core.study:Patient",
    "Plan": "onkos.compare:Plan",
    "Reading": "onkos.core.reading:Reading",
    "Settings": "onkos.judge:Settings",
    "Study": "onkos.core.study:Study",
    "Task": "onkos.core.task:Task",
    "Timeline": "onkos.core.study:Timeline",
    "UsageError": "onkos.core.errors:UsageError",
    "Volume": "onkos.core.volume:Volume",
    "agree": "onkos.agree:agree",
    "compare": "onkos.compare:compare",
    "evaluate": "onkos.evaluate:evaluate",
    "fit": "onkos.fit:fit",
    "judge_again": "onkos.evaluate:judge_again",
    "load_cohort": "onkos.cohort.table:load_table",
    "load_model": "onkos.arms:load",
    "open_path": "onkos.io.intake:open_path",
    "open_study": "onkos.io.intake:open_study",
    "predict": "onkos.predict:predict",
    "read": "onkos.read:read",
    "with_errors": "onkos.read:with_errors",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used, and keep it."""
        if name not in _HOMES:
            raise AttributeError(f"module 'onkos' has no attribute {name!r}")
        home, _, there = _HOMES[name].partition(":")
        value = getattr(import_module(home), there)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """Public names, imported or not."""
        return sorted(__all__)


class _Package(ModuleType):
    """The package, in which ``onkos.compare`` is the verb even where its module came first.

    Python binds a module to its package once it is imported; that would put the module
    ``onkos.compare`` in the place of the function of the same name.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
