"""The private header of Siemens (CSA): names and their values, as text."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from onkos.core.errors import ContentError

_SECOND = b"SV10"  # how the second version of the header begins
_TAG, _ITEM = struct.Struct("<64si4s3i"), struct.Struct("<4i")
_MOST_TAGS = 2000


def csa_values(data: bytes) -> Mapping[str, tuple[str, ...]]:
    """Every name in a CSA header with its values.

    Raises
    ------
    ContentError
        If it is none, or leads beyond its end.
    """
    second = data[:4] == _SECOND
    at = 8 if second else 0
    found: dict[str, tuple[str, ...]] = {}
    base = 0
    try:
        count = struct.unpack_from("<I", data, at)[0]
        if not 0 < count <= _MOST_TAGS:
            raise ContentError(f"a CSA header of {count} names; expected 1 to {_MOST_TAGS}")
        at += 8
        for number in range(count):
            name, used, _, _, items, _ = _TAG.unpack_from(data, at)
            at += _TAG.size
            base = base if number else items
            values = []
            for _ in range(items):
                first, length, _, _ = _ITEM.unpack_from(data, at)
                at += _ITEM.size
                length = length if second else first - base
                if length < 0 or at + length > len(data):
                    break
                values.append(_text(data[at : at + length]))
                at += (length + 3) // 4 * 4
            found[_text(name)] = tuple(values[: used or len(values)])
    except struct.error as error:
        raise ContentError("a CSA header that ends before its last name") from error
    return found


def _text(value: bytes) -> str:
    return value.split(b"\0")[0].decode("latin-1").strip()
