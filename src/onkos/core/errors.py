"""Everything Onkos refuses, as one tree.

::

    OnkosError
    |-- GeometryError   where something is: spacing, orientation, gaps, unequal grids
    |-- ContentError    what something is: units, encodings, labels, missing attributes
    |-- CohortError     a table of cases that cannot be used as it stands
    |-- ModelError      a model folder that cannot be loaded, or does not fit the study
    `-- UsageError      a request that contradicts itself

Each message says what, where, what was expected and the remedy, in that order, in at most 300
printable characters (:func:`onkos.core.wording.brief`). The command line turns
:class:`UsageError` into exit code 2 and the others into exit code 3.
"""

from __future__ import annotations

from onkos.core.wording import brief


class OnkosError(Exception):
    """Base of all errors that are about the input, not about Onkos."""

    def __init__(self, message: str = "") -> None:
        super().__init__(brief(message))


class GeometryError(OnkosError):
    """The position, spacing or orientation of data cannot be trusted or does not fit."""


class ContentError(OnkosError):
    """The values, units or encoding of data cannot be trusted or are missing."""


class CohortError(OnkosError):
    """A cohort table is incomplete, contradictory or leaks between patients."""


class ModelError(OnkosError):
    """A model folder is damaged, unsafe, or not meant for this study."""


class UsageError(OnkosError):
    """The request itself is wrong: an unknown arm, too few patients for the folds."""
