"""Names of cases and readers: their order, and two spellings of what may be one."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DIGITS = re.compile(r"([0-9]+)")


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, numbers within them by size: ``P2`` before ``P10``."""
    return tuple(sorted(set(names), key=_natural))


def alike(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of names that differ only by leading zeros, capitals, ``.0`` or blanks."""
    seen: dict[str, str] = {}
    found = []
    for name in ordered(names):
        before = seen.setdefault(_spelling(name), name)
        if before != name:
            found.append((before, name))
    return found


def _spelling(name: str) -> str:
    """What is left of a name when zeros that lead, capitals, blanks and ``.0`` are taken away."""
    bare = re.sub(r"[\s_-]+", "", name.casefold())
    bare = re.sub(r"^([0-9]+)\.0+$", r"\1", bare)
    return _DIGITS.sub(lambda found: found[0].lstrip("0") or "0", bare)


def _natural(name: str) -> tuple[tuple[int | str, ...], str]:
    parts = _DIGITS.split(name.casefold())
    return tuple(int(part) if n % 2 else part for n, part in enumerate(parts)), name
