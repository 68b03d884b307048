"""MONAI#9095: what a mean HD95 says when 0, 50 or 90 of 100 lesions are missed.

The reported values are those of MONAI 1.6.1, published in the issue: a missed lesion's HD95 is
NaN there and is dropped from the mean. ``table`` gives them beside ours for the documentation.

References
----------
https://github.com/Project-MONAI/MONAI/issues/9095
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from onkos.core.estimate import Estimate
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.stats.aggregate import mean_with_misses
from onkos.stats.surfaces import diagonal_mm, surface_distances

Row = tuple[str, float, float, float]

LESIONS = 100
REPORTED = {0: (4.0, 100), 50: (4.0, 50), 90: (4.0, 10)}  # missed: HD95, cases averaged
GRID = Geometry.picture((64, 64), spacing_mm=(1.0, 1.0))


def square(*, moved: int = 0, there: bool = True) -> Mask:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[20 + moved : 28 + moved, 20:28] = there
    return Mask(labels=labels, geometry=GRID, names={1: "lesion"})


def table() -> list[tuple[int, float, int, Estimate]]:
    """Missed lesions, HD95 with misses dropped, cases averaged then, and our estimate."""
    found = []
    for missed in REPORTED:
        distances = [
            surface_distances(
                square(moved=4, there=case >= missed), square(), miss_mm=diagonal_mm(GRID)
            )
            for case in range(LESIONS)
        ]
        kept = [one.hd95 for one in distances if not one.missed]
        ours = mean_with_misses(
            [one.hd95 for one in distances],
            missed=[one.missed for one in distances],
            patients=range(LESIONS),
            rng=np.random.default_rng(9095),
        )
        found.append((missed, float(np.mean(kept)), len(kept), ours))
    return found


def rows(data_dir: Path | None = None) -> list[Row]:
    """Name, ours, reference, tolerance: what dropping the misses reports, as published."""
    return [
        row
        for missed, dropped, kept, _ in table()
        for row in (
            (f"HD95 with {missed} misses dropped", dropped, REPORTED[missed][0], 0.05),
            (f"cases averaged with {missed} missed", kept, REPORTED[missed][1], 0.0),
        )
    ]


def test_dropping_misses_reports_what_the_issue_says():
    wrong = [row for row in rows() if not abs(row[1] - row[2]) <= row[3]]
    assert not wrong, wrong


def test_our_mean_grows_with_every_miss_and_says_how_many():
    diagonal = math.hypot(63, 63)
    for missed, dropped, _, ours in table():
        expected = ((LESIONS - missed) * dropped + missed * diagonal) / LESIONS
        assert ours.value == pytest.approx(expected)
        assert (ours.n, ours.missed) == (LESIONS, missed)
        assert ours.low <= expected <= ours.high
        assert (f"{missed} of 100 cases missed" in str(ours.method)) == (missed > 0)
    assert table()[-1][3].low > table()[0][3].high
