"""The outlines of several readers, looked at case by case."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from onkos.agree.consensus import Combined, Keep, block_around, combined
from onkos.agree.grids import named_alike, on_one_grid
from onkos.agree.part import Settings
from onkos.core.geometry import AnyArray
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.stats.overlap import region
from onkos.stats.surfaces import diagonal_mm, distances_between

PairOf = tuple[str, str]


@dataclass(slots=True, kw_only=True, eq=False)
class Tally:
    """What was found of each case, in the order of the cases."""

    cases: list[str] = field(default_factory=list)
    read: list[tuple[str, ...]] = field(default_factory=list)
    dice: list[dict[tuple[PairOf, str], float]] = field(default_factory=list)
    hd95: list[dict[PairOf, float]] = field(default_factory=list)
    empty: list[frozenset[str]] = field(default_factory=list)
    volumes: list[dict[str, float]] = field(default_factory=list)
    combined: list[Combined] = field(default_factory=list)
    boxed: list[list[Mask]] = field(default_factory=list)
    caveats: list[Caveat] = field(default_factory=list)

    @property
    def lost(self) -> list[bool]:
        """Cases in which some readers outlined something and others nothing."""
        return [0 < len(gone) < len(of) for gone, of in zip(self.empty, self.read, strict=True)]

    def whole(self, number: int) -> dict[PairOf, float]:
        """Dice of the whole outline of each two readers of one case."""
        return {pair: value for (pair, tissue), value in self.dice[number].items() if not tissue}


def look(
    tally: Tally,
    case: str,
    of: Mapping[str, Callable[[], Mask]],
    *,
    settings: Settings,
    keep: Keep,
) -> None:
    """Open the outlines of one case, compare each two, and make the consensus."""
    masks = named_alike(on_one_grid({name: read() for name, read in of.items()}, case=case))
    for name, mask in masks.items():
        tally.caveats += [
            Caveat(code=c.code, text=c.text, where=f"case {case}, reader {name}")
            for c in mask.caveats
        ]
    tally.cases.append(case)
    tally.read.append(tuple(masks))
    tally.empty.append(frozenset(name for name, mask in masks.items() if not mask.labels.any()))
    grid = next(iter(masks.values())).geometry
    measurable = grid.calibrated and grid.ndim == 3
    tally.volumes.append(
        {name: int((m.labels != 0).sum()) * grid.voxel_ml for name, m in masks.items()}
        if measurable
        else {}
    )
    dice, far = _compared(masks)
    tally.dice.append(dice)
    tally.hd95.append(far)
    tally.combined.append(
        combined(case, masks, settings=settings, keep=keep) if len(masks) > 1 else Combined()
    )
    tally.boxed.append(_boxed(list(masks.values())))


def _compared(
    masks: Mapping[str, Mask],
) -> tuple[dict[tuple[PairOf, str], float], dict[PairOf, float]]:
    """Dice of each two readers, of the whole and of each tissue that several name; their HD95."""
    grid = next(iter(masks.values())).geometry
    named = [name for mask in masks.values() for name in mask.names.values()]
    tissues = [name for name in dict.fromkeys(named) if named.count(name) > 1]
    parts = ["", *(tissues if len(set(named)) > 1 else [])]
    dice: dict[tuple[PairOf, str], float] = {}
    far: dict[PairOf, float] = {}
    for pair in itertools.combinations(masks, 2):
        one, other = masks[pair[0]], masks[pair[1]]
        for tissue in parts:
            names = (tissue,) if tissue else ()
            first, second = region(one, names), region(other, names)
            dice[pair, tissue] = _dice(first, second)
            if not tissue and grid.calibrated:
                far[pair] = _hd95(first, second, one)
    return dice, far


def _dice(first: AnyArray, second: AnyArray) -> float:
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


def _hd95(first: AnyArray, second: AnyArray, mask: Mask) -> float:
    """HD95 within the block that holds both, with a voxel around it."""
    either = first | second
    block = []
    for axis in range(either.ndim):
        hit = np.flatnonzero(either.any(axis=tuple(o for o in range(either.ndim) if o != axis)))
        if not hit.size:
            return 0.0
        block.append(slice(max(int(hit[0]) - 1, 0), int(hit[-1]) + 2))
    axes = mask.geometry.axes_mm
    cut = tuple(block)
    miss = diagonal_mm(mask.geometry) or 1.0
    return distances_between(first[cut], second[cut], axes_mm=axes, miss_mm=miss).hd95


def _boxed(readings: Sequence[Mask]) -> list[Mask]:
    """The outlines cut to the block around all of them, so that many cases fit in memory."""
    block = block_around(readings)
    return [] if block is None else [mask.crop(block) for mask in readings]
