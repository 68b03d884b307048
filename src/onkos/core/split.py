"""One split of a cohort into cases to learn from and cases to be judged on."""

from __future__ import annotations

from dataclasses import dataclass

from onkos.core.case import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Which cases to learn from and which to be judged on; patients do not overlap."""

    number: int
    train: tuple[Case, ...]
    test: tuple[Case, ...]
