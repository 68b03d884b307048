"""What a source observes of a study, kept so that no study is described twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from onkos.arms.classify.sources import Source
from onkos.core.code import code_digest
from onkos.core.desk import Desk
from onkos.core.geometry import AnyArray
from onkos.core.study import Study
from onkos.features.pictures import Description

_NAMES, _VALUES, _ARRAY = "names", "values", "array"


def observation(source: Source, study: Study, desk: Desk) -> Any:
    """Observe a study, or take up what was observed of the same pixels in the same way.

    The key holds the way of looking, the code that looks, and all that is looked at.
    """
    if not source.slow:
        return source.observe(study)
    key = f"{source.kind} {source.to_plain()} {code_digest(source)} {digest(study)}"
    return _unpacked(desk.cache.recall(key, lambda: _packed(source.observe(study))))


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


def _packed(observed: Description | AnyArray) -> dict[str, AnyArray]:
    if isinstance(observed, Description):
        return {_NAMES: np.array(observed.names), _VALUES: observed.values}
    return {_ARRAY: observed}


def _unpacked(arrays: Mapping[str, AnyArray]) -> Description | AnyArray:
    if _ARRAY in arrays:
        return arrays[_ARRAY]
    names = tuple(str(name) for name in arrays[_NAMES])
    return Description(names=names, values=arrays[_VALUES])
