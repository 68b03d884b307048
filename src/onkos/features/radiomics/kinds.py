"""Type check of the values of a settings file against a dataclass."""

from __future__ import annotations

import types
import typing
from typing import Any, Literal

from onkos.core.errors import UsageError


def require_kind(owner: type, key: str, value: Any) -> None:
    """Refuse a value that does not fit the annotation of a dataclass's field.

    Raises
    ------
    UsageError
        With the value and what was expected.
    """
    hint = typing.get_type_hints(owner)[key]
    if not _fits(hint, value):
        raise UsageError(f"{key} = {value!r}: wrong type; expected {_named(hint)}")


def _fits(hint: Any, value: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return value in arguments
    if origin in (types.UnionType, typing.Union):
        return any(_fits(one, value) for one in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(arguments[0], item) for item in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint


def _named(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return " or ".join(str(one) for one in arguments)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_named(one) for one in arguments if one is not types.NoneType)
    if origin is tuple:
        return f"a list of {_named(arguments[0])}"
    words = {float: "a number", int: "a whole number", str: "a word", bool: "true or false"}
    return words.get(hint, str(hint))
