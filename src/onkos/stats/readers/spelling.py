"""Names that a spreadsheet has robbed of their leading zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Protocol

from onkos.core.errors import ContentError

_LISTED = "the list of lesions"


class Named(Protocol):
    """Columns that say who read what in which case, all of one length."""

    @property
    def reader(self) -> Sequence[str]:
        """Who read."""

    @property
    def modality(self) -> Sequence[str]:
        """What was read: film or monitor, alone or with the software."""

    @property
    def case(self) -> Sequence[str]:
        """Which case."""


def require_spelled_alike(readings: Named, lesions: Mapping[str, Sequence[float]] | None) -> None:
    """Refuse cases, readers and modalities whose names differ by leading zeros only.

    Such names come from one file that went through a spreadsheet: 007 and 7 would count as two
    cases, each read by some of the readers. Where one reader rated both in one modality they
    are two cases indeed.

    Raises
    ------
    ContentError
        If names differ so; the message says which, and whose.
    """
    for what, column in (("reader", readings.reader), ("modality", readings.modality)):
        for names in _alike(dict.fromkeys(column)):
            raise ContentError(
                f"{what} {names[0]} and {what} {names[1]} differ by leading zeros only; write the "
                "name alike in every row"
            )
    suspects = _alike(dict.fromkeys([*readings.case, *(lesions or {})]))
    if not suspects:
        return
    seen: dict[str, dict[str, None]] = {name: {} for names in suspects for name in names}
    for name, reader, modality in zip(
        readings.case, readings.reader, readings.modality, strict=True
    ):
        if name in seen:
            seen[name][f"reader {reader}, modality {modality}"] = None
    for name in lesions or {}:
        if name in seen:
            seen[name][_LISTED] = None
    clashes = [
        pair
        for names in suspects
        for pair in combinations(names, 2)
        if not seen[pair[0]].keys() & seen[pair[1]].keys()
    ]
    if clashes:
        one, other = clashes[0]
        whose = [next(iter(seen[name])) for name in (one, other)]
        raise ContentError(
            f"{len(clashes)} case names differ by leading zeros only: {one} ({whose[0]}) and "
            f"{other} ({whose[1]}) would count as two cases; write every case alike in all rows "
            "(a spreadsheet may have dropped the zeros)"
        )


def _alike(names: Mapping[str, None]) -> list[list[str]]:
    """Groups of names that are one number with and without leading zeros."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if name.isascii() and name.isdigit():
            groups.setdefault(name.lstrip("0") or "0", []).append(name)
    return [group for group in groups.values() if len(group) > 1]
