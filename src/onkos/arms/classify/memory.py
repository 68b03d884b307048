"""What was observed of a study is kept, so that arms and folds do not look twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from onkos.core.study import Study

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Observations by what was looked at and how; it lives as long as one comparison."""

    kept: dict[tuple[str, str], object] = field(default_factory=dict)

    def recall(self, how: str, study: Study, observe: Callable[[Study], T]) -> T:
        """Observation of a study, made only once for each way ``how`` of looking."""
        key = how, digest(study)
        if key not in self.kept:
            self.kept[key] = observe(study)
        found: T = self.kept[key]  # type: ignore[assignment]  # what `observe` of `how` returned
        return found


def digest(study: Study) -> str:
    """SHA-256 over all that a classifier may look at: images, outlines, grids and facts."""
    state = hashlib.sha256(repr(sorted(study.facts.items())).encode())
    for role in sorted(study.volumes):
        volume = study.volumes[role]
        state.update(f"{role} {volume.unit} {volume.data.shape} {volume.data.dtype}".encode())
        state.update(volume.geometry.affine.tobytes())
        state.update(np.ascontiguousarray(volume.data).view(np.uint8).data)
    for mask in study.masks:
        state.update(f"{dict(mask.names)} {mask.labels.shape} {mask.labels.dtype}".encode())
        state.update(mask.geometry.affine.tobytes())
        state.update(np.ascontiguousarray(mask.labels).view(np.uint8).data)
    return state.hexdigest()
