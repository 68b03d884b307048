"""Outlines that may overlap, laid into as few label maps as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onkos.core.geometry import AnyArray, Geometry
from onkos.core.mask import Mask
from onkos.core.source import Caveat


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Where a tissue is set on one slice: ``hit`` covers the rows of ``rows`` in full."""

    k: int
    rows: slice
    hit: AnyArray


@dataclass(frozen=True, slots=True, eq=False)
class Tissue:
    """One named outline: its label and its pixels by slice."""

    label: int
    name: str
    patches: Sequence[Patch]


def patch(k: int, hit: AnyArray) -> Patch | None:
    """Cut a slice of booleans (rows, columns) to the rows that hold any; None if none does."""
    rows = np.flatnonzero(hit.any(axis=1))
    if rows.size == 0:
        return None
    span = slice(int(rows[0]), int(rows[-1]) + 1)
    return Patch(k, span, hit[span])


def layered(
    tissues: Iterable[Tissue], geometry: Geometry, *, caveats: Sequence[Caveat], largest: int
) -> tuple[Mask, ...]:
    """Lay tissues into masks: each into the first one in which it covers nothing.

    ``largest`` is the largest label that will come; tissues, and what there is to say of them,
    may be made while they are laid. A mask carries the caveats of its own tissues.
    """
    kind = np.uint8 if largest < 256 else np.uint16
    layers: list[AnyArray] = []
    members: list[dict[int, str]] = []
    for tissue in tissues:
        free = (n for n, layer in enumerate(layers) if _is_free(layer, tissue))
        chosen = next(free, len(layers))
        if chosen == len(layers):
            layers.append(np.zeros(geometry.shape[::-1], dtype=kind))
            members.append({})
        for one in tissue.patches:
            layers[chosen][one.k, one.rows][one.hit] = tissue.label
        members[chosen][tissue.label] = tissue.name
    return tuple(
        Mask(labels=layer.T, geometry=geometry, names=names, caveats=_about(names, caveats))
        for layer, names in zip(layers, members, strict=True)
    )


def _about(names: Mapping[int, str], caveats: Sequence[Caveat]) -> tuple[Caveat, ...]:
    return tuple(one for one in caveats if one.region in ("", *names.values()))


def _is_free(layer: AnyArray, tissue: Tissue) -> bool:
    return not any(layer[one.k, one.rows][one.hit].any() for one in tissue.patches)
