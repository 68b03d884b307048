"""Core values as plain JSON-able ones, and model cards back from them."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from onkos.core.card import Card, ErrorModel
from onkos.core.errors import ModelError
from onkos.core.estimate import Estimate


def to_plain(value: Any) -> Any:
    """Turn a core value into dicts, lists, text and numbers; NaN and infinity become None.

    Arrays are refused on purpose: pixels do not belong into JSON.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime.date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} has no plain form")


def card_from_plain(plain: Mapping[str, Any]) -> Card:
    """Build a model card from its JSON form.

    Raises
    ------
    ModelError
        If a field is missing, unknown or of the wrong kind.
    """
    known = {f.name for f in dataclasses.fields(Card)}
    unknown = sorted(set(plain) - known)
    if unknown:
        raise ModelError(f"card.json: unknown fields {unknown}; expected {sorted(known)}")
    try:
        fields = dict(plain)
        fields["roles"] = tuple(fields["roles"])
        fields["tissues"] = {int(label): name for label, name in fields["tissues"].items()}
        fields["estimates"] = {
            name: estimate_from_plain(item) for name, item in fields.get("estimates", {}).items()
        }
        fields["errors"] = {
            name: ErrorModel(**item) for name, item in fields.get("errors", {}).items()
        }
        return Card(**fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"card.json is not a model card: {error}; fit the model again") from error


def estimate_from_plain(plain: Mapping[str, Any]) -> Estimate:
    """Build an estimate from its JSON form; None stands for NaN."""
    numbers = {
        key: math.nan if plain[key] is None else float(plain[key])
        for key in ("value", "low", "high")
    }
    return Estimate(**{**plain, **numbers})
