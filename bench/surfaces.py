"""Seconds and memory of surface metrics on 512 x 512 x 200 masks.

Run as ``python bench/surfaces.py [--json FILE] [--case NAME ...]``. Peers, in an environment of
their own (bench/peers.py): MONAI (HD95 and ASSD; it needs two calls), SimpleITK (its Hausdorff
filter gives the maximum and a mean over whole regions, no percentile) and surface-distance (HD95,
means, surface Dice). Onkos is measured with boundary voxels, as MONAI has it, and with surfels,
as surface-distance has it; all its metrics come from one call. The masks are phantoms (ellipsoids):
``lesion`` is one of 40 mm, ``liver`` one of 210 mm, ``many`` are 30 lesions all over the volume and
``apart`` are two large ones that do not touch. Every contender runs in a process of its own with
one thread, best of ``--repeats``; imports and the making of the masks are not counted. The ratios
are of seconds and of seconds of processors, to ours on surfaces of the same kind.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

SHAPE, SPACING = (512, 512, 200), (0.75, 0.75, 1.5)
TOLERANCE_MM = 2.0
CASES = ("lesion", "liver", "many", "apart")


def masks(case: str) -> tuple[Any, Any]:
    """Phantom of a prediction and its truth."""
    import numpy as np

    rng = np.random.default_rng(0)
    solids = {
        "lesion": [((250, 260, 90), (27, 25, 13))],
        "liver": [((256, 256, 100), (140, 120, 70))],
        "many": [
            (tuple(rng.uniform(30, side - 30) for side in SHAPE), tuple(rng.uniform(5, 20, 3)))
            for _ in range(30)
        ],
        "apart": [((130, 256, 100), (90, 80, 60))],
    }[case]
    moved = np.array([240, 8, 4]) if case == "apart" else np.array([3, 2, 1])
    truth, prediction = (np.zeros(SHAPE, dtype=bool) for _ in range(2))
    for centre, radii in solids:
        fill(truth, np.array(centre), np.array(radii))
        fill(prediction, np.array(centre) + moved, np.array(radii) * [0.95, 1.04, 1.02])
    return prediction, truth


def fill(mask: Any, centre: Any, radii: Any) -> None:
    """Mark the voxels of an ellipsoid."""
    import numpy as np

    low = np.maximum(np.floor(centre - radii).astype(int), 0)
    high = np.minimum(np.ceil(centre + radii).astype(int) + 1, mask.shape)
    block = tuple(slice(*side) for side in zip(low, high, strict=True))
    axes = np.ogrid[block]
    away = sum(((axes[i] - centre[i]) / radii[i]) ** 2 for i in range(3))
    mask[block] |= away < 1


def onkos_measures(prediction: Any, truth: Any, surface: str) -> dict[str, float]:
    import numpy as np

    from onkos.stats.surfaces import distances_between

    found = distances_between(
        prediction, truth, axes_mm=np.diag(SPACING), miss_mm=1000.0, surface=surface
    )
    return {
        "hd": found.hd,
        "hd95": found.hd95,
        "assd": found.assd,
        "surface_dice": found.surface_dice(TOLERANCE_MM),
    }


def monai_measures(prediction: Any, truth: Any) -> dict[str, float]:
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

    ours, theirs = (torch.from_numpy(mask[None, None]) for mask in (prediction, truth))
    options = {"include_background": True, "spacing": SPACING}
    hd95 = compute_hausdorff_distance(ours, theirs, percentile=95, **options)
    assd = compute_average_surface_distance(ours, theirs, symmetric=True, **options)
    return {"hd95": hd95.item(), "assd": assd.item()}


def simpleitk_measures(prediction: Any, truth: Any) -> dict[str, float]:
    import SimpleITK as sitk  # noqa: N813

    images = []
    for mask in (prediction, truth):
        image = sitk.GetImageFromArray(mask.view("uint8"))
        image.SetSpacing(SPACING[::-1])
        images.append(image)
    distance = sitk.HausdorffDistanceImageFilter()
    distance.Execute(*images)
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*images)
    return {"hd": distance.GetHausdorffDistance(), "dice": overlap.GetDiceCoefficient()}


def surface_distance_measures(prediction: Any, truth: Any) -> dict[str, float]:
    import surface_distance

    found = surface_distance.compute_surface_distances(truth, prediction, SPACING)
    return {
        "hd95": surface_distance.compute_robust_hausdorff(found, 95),
        "surface_dice": surface_distance.compute_surface_dice_at_tolerance(found, TOLERANCE_MM),
    }


def once(name: str, folder: str) -> None:
    """Load the masks, import, and measure one contender."""
    import numpy as np

    from timing import report

    prediction, truth = (np.load(Path(folder) / f"{one}.npy") for one in ("prediction", "truth"))
    small = prediction[:8, :8, :8].copy()
    small[2:5, 2:5, 2:5] = True
    work = {
        "onkos voxels": lambda *pair: onkos_measures(*pair, "voxels"),
        "onkos surfels": lambda *pair: onkos_measures(*pair, "surfels"),
        "monai": monai_measures,
        "simpleitk": simpleitk_measures,
        "surface-dist": surface_distance_measures,
    }[name]
    work(small, small)  # imports
    report(lambda: work(prediction, truth))


def compared(case: str, repeats: int) -> dict[str, Any]:
    """Every contender on one phantom."""
    import numpy as np

    from peers import build
    from timing import measured, row

    peer = build("surfaces")
    contenders = {
        "onkos voxels": sys.executable,
        "monai": peer,
        "simpleitk": peer,
        "onkos surfels": sys.executable,
        "surface-dist": peer,
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, mask in zip(("prediction", "truth"), masks(case), strict=True):
            np.save(Path(folder) / f"{name}.npy", mask)
        found = {
            name: measured(__file__, name, folder, python=python, repeats=repeats)
            for name, python in contenders.items()
        }
    print(f"{case} (phantom)")
    for name, figures in found.items():
        ours = found["onkos surfels" if name == "surface-dist" else "onkos voxels"]
        ratio, work = (figures[key] / ours[key] for key in ("seconds", "cpu_seconds"))
        told = ", ".join(
            f"{metric} {figures[metric]:.3f}"
            for metric in ("hd", "hd95", "assd", "surface_dice", "dice")
            if metric in figures
        )
        print(row(name, figures, f"{ratio:5.1f} x, {work:.1f} x  {told}"))
        found[name] = {**figures, "ratio": ratio, "cpu_ratio": work}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--case", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--once", nargs=2, metavar=("NAME", "FOLDER"))
    chosen = parser.parse_args()
    if chosen.once:
        once(*chosen.once)
        return
    for variable in ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    found = {case: compared(case, chosen.repeats) for case in chosen.case}
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
