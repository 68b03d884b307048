"""One outline made of several readers', and each reader against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.agree.part import Settings
from onkos.core.agreement import ConsensusMask
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.stats.consensus.majority import majority_vote
from onkos.stats.consensus.simple import simple
from onkos.stats.consensus.staple import staple
from onkos.stats.consensus.staple_labels import staple_labels

Keep = Callable[[str, str, Mask], None]

_MARGIN = 5  # voxels around all outlines that STAPLE looks at
_LEAST_FOR_SIMPLE = 3
UNION = "union of all tissues"
_DOUBTS = {
    "no-majority": "Voxels on which votes are tied are left out of the majority vote; with two "
    "readers these are all on which they differ.",
    "nothing-outlined": "No reader outlined anything: the consensus is empty.",
    "no-staple": "No STAPLE: the readers outlined all of the grid, or no doubt is left anywhere.",
    "not-converged": "STAPLE's iteration did not settle; do not use its outline as it stands.",
    "upside-down": "By STAPLE a reader was right less often than a coin: the readers do not "
    "outline one thing, and the consensus means little.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """What a case gave: masks that were written, STAPLE's view of each reader, doubts."""

    masks: tuple[ConsensusMask, ...] = ()
    sensitivity: Mapping[str, Estimate] | None = None
    specificity: Mapping[str, Estimate] | None = None
    caveats: tuple[Caveat, ...] = ()


def combined(case: str, masks: Mapping[str, Mask], *, settings: Settings, keep: Keep) -> Combined:
    """Make the consensus outlines of one case, hand each to ``keep``, and judge the readers.

    With several tissues majority vote and STAPLE label each voxel; the readers are judged, and
    SIMPLE is made, on the union of all tissues.
    """
    readers, readings = tuple(masks), list(masks.values())
    region, labels = block_around(readings), _values(readings)
    vote = majority_vote(readings)
    written = [_written(case, "majority", (vote.mask, labels), readers, keep)]
    doubts = [_doubt("no-majority", case)] if vote.undecided else []
    if region is None:
        doubts.append(_doubt("nothing-outlined", case))
        return Combined(masks=tuple(written), caveats=tuple(doubts))
    within = None
    if settings.within == "box":
        within = np.zeros(readings[0].geometry.shape, dtype=bool)
        within[region] = True
    try:
        judged = staple(readings, within=within)
        made = staple_labels(readings, within=within) if len(labels) > 1 else judged
    except ContentError:
        doubts.append(_doubt("no-staple", case))
        return Combined(masks=tuple(written), caveats=tuple(doubts))
    fused = (_renamed(made.mask, labels), labels)
    written.append(_written(case, "staple", fused, readers, keep))
    if len(readings) >= _LEAST_FOR_SIMPLE:
        chosen = simple(readings, within=within)
        union = {1: UNION} if len(labels) > 1 else labels
        kept = tuple(readers[at] for at in chosen.kept)
        fused = (_renamed(chosen.mask, union), union)
        written.append(_written(case, "simple", fused, kept, keep))
    if not (judged.converged and made.converged):
        doubts.append(_doubt("not-converged", case))
    if judged.upside_down:
        doubts.append(_doubt("upside-down", case))
    return Combined(
        masks=tuple(written),
        sensitivity=dict(zip(readers, judged.sensitivity, strict=True)),
        specificity=dict(zip(readers, judged.specificity, strict=True)),
        caveats=tuple(doubts),
    )


def _doubt(code: str, case: str) -> Caveat:
    return Caveat(code=code, text=_DOUBTS[code], where=case)


def block_around(readings: Sequence[Mask]) -> tuple[slice, ...] | None:
    """Block around all outlines, with a margin of voxels; None where nobody outlined anything."""
    blocks = [block for reading in readings if (block := reading.bounds()) is not None]
    if not blocks:
        return None
    grid: Geometry = readings[0].geometry
    return tuple(
        slice(
            max(min(block[axis].start for block in blocks) - _MARGIN, 0),
            min(max(block[axis].stop for block in blocks) + _MARGIN, side),
        )
        for axis, side in enumerate(grid.shape)
    )


def _values(readings: Sequence[Mask]) -> dict[int, str]:
    """Value of each tissue in what is written: the readers' own where they agree on it."""
    names = list(dict.fromkeys(name for reading in readings for name in reading.names.values()))
    own = {
        name: {label for reading in readings for label, n in reading.names.items() if n == name}
        for name in names
    }
    taken = [label for labels in own.values() for label in labels]
    if len(taken) == len(names):
        return {next(iter(own[name])): name for name in names}
    return dict(enumerate(names, start=1))


def _renamed(mask: Mask, labels: Mapping[int, str]) -> Mask:
    """Outline of one region under the name and value it is written with."""
    if len(labels) != 1:
        return mask
    (value, name), *_ = labels.items()
    filled = np.where(mask.labels != 0, value, 0).astype(np.uint8 if value < 256 else np.uint16)
    return replace(mask, labels=filled, names={value: name})


def _written(
    case: str, method: str, fused: tuple[Mask, Mapping[int, str]], kept: tuple[str, ...], keep: Keep
) -> ConsensusMask:
    """Hand an outline on with the values it is to have, and note what it holds."""
    mask, labels = fused
    table = np.zeros(int(mask.labels.max(initial=0)) + 1, dtype=np.uint16)
    value_of = {name: value for value, name in labels.items()}
    for label, name in mask.names.items():
        if label < len(table):
            table[label] = value_of[name]
    small = np.uint8 if max(labels, default=0) < 256 else np.uint16
    final = Mask(
        labels=table.astype(small)[mask.labels], geometry=mask.geometry, names=dict(labels)
    )
    keep(case, method, final)
    return ConsensusMask(case=case, method=method, labels=labels, voxels=final.counts, kept=kept)
