"""Core values as plain JSON-able ones, and back."""

from __future__ import annotations

import dataclasses
import datetime
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

import numpy as np

from onkos.core.card import Card
from onkos.core.errors import ContentError, ModelError

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Turn a core value into dicts, lists, text and numbers; NaN and infinity become None.

    Arrays are refused on purpose: pixels do not belong into JSON.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {
            _text(str(getattr(key, "value", key))): to_plain(item) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} has no plain form")


def _text(value: str) -> str:
    """Text that can be written as UTF-8: what was no text in a file's name becomes an escape."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def from_plain(kind: type[T], plain: Any) -> T:
    """Build a core value from what :func:`to_plain` made of it; None stands for NaN.

    Only the types named in the dataclass are built, whatever the data say.

    Raises
    ------
    ContentError
        If a field is missing, unknown or of the wrong kind; the message names it.
    """
    built: T = _build(kind, plain, kind.__name__)
    return built


def card_from_plain(plain: Any) -> Card:
    """Build a model card from its JSON form; :class:`ModelError` if it is not one."""
    try:
        return from_plain(Card, plain)
    except ContentError as error:
        raise ModelError(f"card.json is not a model card: {error}; fit the model again") from error


def _build(kind: Any, plain: Any, where: str) -> Any:
    if kind is Any:
        return plain
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, plain, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _build_union(arguments, plain, where)
    if origin is tuple and isinstance(plain, list):
        kinds = arguments if arguments[-1] is not Ellipsis else (arguments[0],) * len(plain)
        if len(kinds) == len(plain):
            parts = zip(kinds, plain, strict=True)
            return tuple(_build(k, item, f"{where}[{n}]") for n, (k, item) in enumerate(parts))
    if origin is Mapping and isinstance(plain, dict):
        return {
            _key(arguments[0], key, where): _build(arguments[1], item, f"{where}.{key}")
            for key, item in plain.items()
        }
    if kind is float and (plain is None or isinstance(plain, int | float)):
        return math.nan if plain is None else float(plain)
    if kind in (str, bool, int) and type(plain) is kind:
        return plain
    if isinstance(kind, type) and issubclass(kind, Enum) and plain in [one.value for one in kind]:
        return kind(plain)
    if origin is typing.Literal and plain in typing.get_args(kind):
        return plain
    raise ContentError(f"{where}: expected {kind}, found {type(plain).__name__}")


def _build_dataclass(kind: Any, plain: Any, where: str) -> Any:
    if not isinstance(plain, dict):
        raise ContentError(f"{where}: expected an object, found {type(plain).__name__}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(plain) - set(hints))
    required = {f.name for f in dataclasses.fields(kind) if _is_required(f)}
    missing = sorted(required - set(plain))
    if unknown or missing:
        raise ContentError(f"{where}: unknown fields {unknown}, missing fields {missing}")
    return kind(**{key: _build(hints[key], item, f"{where}.{key}") for key, item in plain.items()})


def _build_union(kinds: tuple[Any, ...], plain: Any, where: str) -> Any:
    if plain is None and types.NoneType in kinds:
        return None
    for kind in kinds:
        try:
            return _build(kind, plain, where)
        except ContentError:
            continue
    raise ContentError(f"{where}: fits none of {kinds}")


def _key(kind: Any, key: str, where: str) -> Any:
    try:
        return kind(key)
    except ValueError as error:
        raise ContentError(f"{where}: key {key!r} is not of type {kind.__name__}") from error


def _is_required(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing
