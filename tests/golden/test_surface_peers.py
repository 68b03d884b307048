"""Distances between surfaces as MONAI 1.6.1 and surface-distance 0.1 report them.

The reference values were computed with those packages on the masks made here. MONAI works in
single precision, and so does the rank at which it interpolates a percentile: of n distances its
HD95 is off by up to n * 6e-8 of the gap between two of them. What a missed lesion costs stands in
``test_missed_lesions.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from onkos.stats.surfaces import distances_between

Row = tuple[str, float, float, float]

SINGLE = 1e-6  # relative
RANK = 5e-5  # mm: at most 620 distances, gaps of at most 1.3 mm
DOUBLE = 1e-9
TOLERANCES = (0.5, 1.0, 2.0)

# shape, spacing, (centre, radii) of the prediction and of the truth
MASKS = {
    "ellipsoids": (
        (31, 26, 15),
        (0.7, 0.9, 2.5),
        ((14.2, 12.1, 7.3), (11, 8, 5)),
        ((16.0, 11.4, 6.6), (9.5, 9.2, 4.4)),
    ),
    "far apart": (
        (31, 26, 15),
        (0.7, 0.9, 2.5),
        ((6.2, 6.1, 3.3), (5, 4, 3)),
        ((24.0, 19.4, 10.6), (4.5, 5.2, 3.4)),
    ),
    "cut by the edge": (
        (20, 17, 9),
        (1.3, 0.8, 3.0),
        ((2.2, 3.1, 1.3), (9, 7, 4)),
        ((4.0, 1.4, 2.6), (8.5, 8.2, 3.4)),
    ),
    "picture": ((40, 33), (0.4, 1.1), ((17.2, 14.1), (12, 9)), ((20.0, 16.4), (13.5, 7.2))),
}
MONAI = {  # hd, hd95, assd
    "ellipsoids": (5.0, 3.7918412685394287, 1.2010388374328613),
    "far apart": (25.44130516052246, 24.484094619750977, 19.652694702148438),
    "cut by the edge": (3.969886541366577, 3.0, 0.5782660245895386),
    "picture": (4.4721360206604, 4.400000095367432, 1.552418828010559),
}
SURFACE_DISTANCE = {  # hd95, hd, surface Dice at the tolerances, mean from truth, mean to truth
    "ellipsoids": (2.8, 5.0, 0.4251588836285517, 0.6656900991802499, 0.8496807965606991,
                   0.7053637855305684, 1.003747778713203),
    "far apart": (23.790964671488208, 25.44130499797524, 0.0, 0.0, 0.0,
                  18.877517056551007, 18.113683643480147),
    "cut by the edge": (2.6, 3.9698866482558417, 0.7199707881966554, 0.8372255562999678,
                        0.936550916593343, 0.47140548191978, 0.3278312983990034),
    "picture": (4.4, 4.47213595499958, 0.36544562657635427, 0.4332434209186378,
                0.8108761596665393, 1.111839056169036, 1.4952498824566118),
}  # fmt: skip


def ellipsoid(shape: tuple[int, ...], centre: tuple[float, ...], radii: tuple[float, ...]):
    away = [
        ((index - middle) / radius) ** 2
        for index, middle, radius in zip(np.indices(shape), centre, radii, strict=True)
    ]
    return np.sum(away, axis=0) < 1


def rows(data_dir: Path | None = None) -> list[Row]:
    """Name, ours, reference, tolerance."""
    found: list[Row] = []
    for name, (shape, spacing, *solids) in MASKS.items():
        prediction, truth = (ellipsoid(shape, *solid) for solid in solids)
        axes = np.diag(spacing)
        voxels = distances_between(prediction, truth, axes_mm=axes, miss_mm=100.0)
        ours = {"hd": voxels.hd, "hd95": voxels.hd95, "assd": voxels.assd}
        found += [
            (
                f"{name}: {metric}, MONAI",
                value,
                reference,
                RANK if metric == "hd95" else SINGLE * reference,
            )
            for (metric, value), reference in zip(ours.items(), MONAI[name], strict=True)
        ]
        cells = distances_between(prediction, truth, axes_mm=axes, miss_mm=100.0, surface="surfels")
        read = {
            "hd95": cells.hd95,
            "hd": cells.hd,
            **{f"surface Dice at {mm} mm": cells.surface_dice(mm) for mm in TOLERANCES},
            "mean from truth": np.average(cells.to_prediction_mm, weights=cells.truth_areas),
            "mean to truth": np.average(cells.to_truth_mm, weights=cells.prediction_areas),
        }
        found += [
            (f"{name}: {metric}, surface-distance", float(value), reference, DOUBLE)
            for (metric, value), reference in zip(read.items(), SURFACE_DISTANCE[name], strict=True)
        ]
    return found


def test_peers_distances_are_reproduced():
    found = rows()
    assert len(found) == 40
    wrong = [row for row in found if not abs(row[1] - row[2]) <= row[3]]
    assert not wrong, wrong
