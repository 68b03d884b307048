"""Predicted outlines judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.case import Case, Cohort
from onkos.core.errors import ContentError, GeometryError
from onkos.core.estimate import Estimate
from onkos.core.evaluation import JudgedCase
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.evaluate.part import LEVEL, Metrics, Part, Settings
from onkos.report import figures
from onkos.report.figures import Drawing, Sample, Spread
from onkos.stats.aggregate import mean_with_misses
from onkos.stats.lesions import LesionRule, match_lesions
from onkos.stats.overlap import overlap
from onkos.stats.resampling import IntArray
from onkos.stats.surfaces import diagonal_mm, surface_distances

WHOLE = "tumour"
Done = Callable[[int, int], None]

_SHOWN = {"dice": "Dice", "surface_dice": "Surface Dice", "hd95_mm": "HD95 (mm)"}
_NOTHING = ("dice", "iou", "sensitivity", "precision", "surface_dice")
_NO_LESION = ("lesion_recall", "lesion_precision", "lesion_f1", "lesion_pq")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A predicted and a reference outline whose values have the same names."""

    prediction: Mask | None
    truth: Mask


def part(
    cohort: Cohort,
    outlines: Mapping[str, Callable[[], Mask] | None],
    settings: Settings,
    *,
    seed: int,
    done: Done,
) -> Part:
    """Judge predicted outlines against the reference ones, tissue by tissue and as a whole.

    A case without an outline counts as the worst there is: Dice 0, distances as long as the
    grid's diagonal, no lesion found.

    Raises
    ------
    GeometryError
        If an outline does not lie on the grid of its reference.
    ContentError
        If an outline cannot be read.
    """
    cases = tuple(case for case in cohort.cases if case.id in outlines)
    plain = _plain_values(cases, outlines)
    tissues: dict[str, None] = {}
    judged = []
    for number, case in enumerate(cases, start=1):
        pair = _pair(case, outlines[case.id], plain=plain)
        names = () if plain == "one" else _names(pair)
        tissues |= dict.fromkeys(names)
        judged.append(_judged(case, pair, names, settings))
        done(number, len(cases))
    whole = tuple(_completed(one, tuple(tissues)) for one in judged)
    return Part(
        task="segmentation",
        cases=cases,
        main=f"dice:{WHOLE}",
        measured=lambda rows: _mean(f"dice:{WHOLE}", [whole[row] for row in rows], settings, seed),
        measure=lambda rows: _means([whole[row] for row in rows], settings, seed),
        draw=lambda sample, metrics: _drawn(whole, sample, metrics),
        judged=whole,
        caveats=_caveats(whole, len(cohort.cases) - len(cases)),
    )
