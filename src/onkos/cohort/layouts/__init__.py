"""Public data sets as they lie on disk: from a folder to a cohort."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from onkos.cohort.layouts.busi import busi
from onkos.core.case import Cohort

LAYOUTS: dict[str, Callable[[Path], Cohort]] = {
    "busi": busi,
}
