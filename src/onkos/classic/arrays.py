"""Fitted models as named arrays and back: numbers and text are stored, never code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from onkos.core.errors import ContentError, ModelError
from onkos.core.geometry import AnyArray

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_KINDS = "fiubU"  # floats, whole numbers, truth values and text


def packed(thing: Any, prefix: str) -> dict[str, AnyArray]:
    """Arrays of a dataclass whose fields are all arrays, each named ``prefix.field``."""
    return {f"{prefix}.{field.name}": getattr(thing, field.name) for field in fields(thing)}


def unpacked(cls: type[T], arrays: Mapping[str, Any], prefix: str) -> T:
    """Build the dataclass back.

    Raises
    ------
    ModelError
        If an array is missing or holds something else than numbers or text.
    """
    values = {}
    for field in fields(cls):
        values[field.name] = taken(arrays, f"{prefix}.{field.name}")
    try:
        return cls(**values)
    except (ContentError, ValueError, IndexError, TypeError) as error:
        raise ModelError(f"stored {prefix}: {error}; fit the model again") from error


def taken(arrays: Mapping[str, Any], name: str) -> AnyArray:
    """One stored array; :class:`ModelError` if it is missing or not of numbers or text."""
    value = arrays.get(name)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in _KINDS:
        found = "missing" if value is None else f"a {type(value).__name__}"
        raise ModelError(
            f"stored array {name!r}: {found}, expected numbers or text; fit the model again"
        )
    return value
