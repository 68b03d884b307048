"""Seconds and memory of maps of features (voxel-based extraction), beside PyRadiomics.

Run as ``python bench/maps.py [--json FILE] [--only CASE ...] [--alone]``; build the peer's
environment first with ``python bench/peers.py pyradiomics``. Cases are phantoms: smooth noise in
a ball of 7 or 270 thousand voxels, windows of 3 or 5 voxels a side, levels 25 wide. ``cm`` is the
25 co-occurrence features merged over directions, and PyRadiomics' GLCM class with
``weightingNorm="no_weighting"``, which is the same; ``all`` is stat, ih, cm, rlm, szm, ngt, ngl,
and its six classes. PyRadiomics works in batches of 1,000 voxels, as its manual advises where
memory is short; of the larger ball it is given the middle slices, a tenth of the voxels, and its
seconds are scaled by the number. Its memory is not. Each runs in a process of its own,
compilation and imports not counted. The values of both are compared where both have been asked
for the whole region.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from peers import ENVIRONMENTS
from timing import measured, report

WIDTH = 25.0
BALLS = {"7k": 24, "270k": 80}
CASES = {
    "7k cm 3": ("7k", "cm", 1),
    "7k cm 5": ("7k", "cm", 2),
    "7k all 3": ("7k", "all", 1),
    "270k cm 3": ("270k", "cm", 1),
    "270k all 3": ("270k", "all", 1),
}
FAMILIES = ("stat", "ih", "cm", "rlm", "szm", "ngt", "ngl")
CLASSES = ("firstorder", "glcm", "glrlm", "glszm", "ngtdm", "gldm")
BATCH = 1000
REPEATS = 3


def write_case(folder: Path, ball: str) -> dict[str, Any]:
    """Image, label map (k, j, i), and what of it the peer is given, as arrays."""
    import numpy as np
    from scipy import ndimage

    rng = np.random.default_rng(4)
    side = BALLS[ball] + 16
    away = np.indices((side,) * 3) - (side - 1) / 2
    labels = ((away**2).sum(axis=0) <= (BALLS[ball] / 2) ** 2).astype(np.uint8)
    image = ndimage.gaussian_filter(rng.normal(size=labels.shape), 1.0) * 600
    part = labels.copy()
    if ball != "7k":
        part[: side // 2 - 2] = part[side // 2 + 3 :] = 0
    np.save(folder / "image.npy", np.rint(image).astype(np.int16))
    np.save(folder / "labels.npy", labels)
    np.save(folder / "part.npy", part)
    return {"voxels": int(labels.sum()), "part": int(part.sum())}


def onkos(folder: Path, what: str, radius: int) -> None:
    import numpy as np

    from onkos.core.geometry import Geometry
    from onkos.core.mask import Mask
    from onkos.core.volume import Volume
    from onkos.features.radiomics import Settings
    from onkos.features.radiomics.maps import Window, maps

    settings = Settings(discretisation="width", bins=WIDTH, first_bin="multiple")
    image, labels = np.load(folder / "image.npy"), np.load(folder / "labels.npy")
    asked: Any = {
        "features": FAMILIES if what == "all" else (what,),
        "window": Window(radius=radius),
    }

    def given(image: Any, labels: Any) -> tuple[Volume, Mask]:
        grid = Geometry.upright(image.T.shape, spacing_mm=(1, 1, 1))
        return (
            Volume(data=image.T, geometry=grid, modality="CT", unit="1"),
            Mask(labels=labels.T, geometry=grid, names={1: "ball"}),
        )

    middle = (slice(len(image) // 2 - 3, len(image) // 2 + 3),) * 3
    maps(*given(image[middle].copy(), labels[middle].copy()), settings, **asked)  # compiled
    volume, mask = given(image, labels)

    def work() -> dict[str, Any]:
        made = maps(volume, mask, settings, **asked)
        for one in made.values():  # every map is laid out, and let go
            last = one
        return {"maps": len(made), "shape": list(last.data.shape)}

    report(work)
    made = maps(volume, mask, settings, **asked)["cm_contrast_3D_comb"]
    np.save(folder / "onkos.npy", made.data.T[labels > 0])


def pyradiomics(folder: Path, what: str, radius: int) -> None:
    import logging

    import numpy as np
    import SimpleITK

    sys.path.remove(str(Path(__file__).parent))  # a script there bears the package's name
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    extractor = RadiomicsFeatureExtractor(
        binWidth=WIDTH,
        additionalInfo=False,
        kernelRadius=radius,
        maskedKernel=True,
        voxelBatch=BATCH,
        initValue=float("nan"),
        weightingNorm="no_weighting",
    )
    extractor.disableAllFeatures()
    for name in CLASSES if what == "all" else ("glcm",):
        extractor.enableFeatureClassByName(name)
    image = SimpleITK.GetImageFromArray(np.load(folder / "image.npy"))
    part = np.load(folder / "part.npy")
    every = int(np.load(folder / "labels.npy").sum())
    found: dict[str, Any] = {}

    def work() -> dict[str, Any]:
        began = time.perf_counter()
        mask = SimpleITK.GetImageFromArray(part)
        found.update(extractor.execute(image, mask, voxelBased=True))
        seconds = (time.perf_counter() - began) * every / int(part.sum())
        return {"maps": len(found), "seconds": seconds}

    report(work)
    if every == int(part.sum()):
        values = SimpleITK.GetArrayFromImage(found["original_glcm_Contrast"])
        np.save(folder / "pyradiomics.npy", values[np.isfinite(values)])


CONTENDERS = {"onkos": onkos, "pyradiomics": pyradiomics}


def agreement(folder: Path) -> dict[str, Any]:
    """Greatest relative difference of the contrast at any voxel."""
    import numpy as np

    ours, theirs = np.load(folder / "onkos.npy"), np.load(folder / "pyradiomics.npy")
    return {"furthest": float((np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-6)).max())}


def compared(case: str, peers: tuple[str, ...]) -> dict[str, Any]:
    """Figures of both on one case."""
    ball, what, radius = CASES[case]
    with tempfile.TemporaryDirectory() as made:
        figures: dict[str, Any] = {"case": measured(__file__, "write", made, ball, repeats=1)}
        for name in ("onkos", *peers):
            ours = name == "onkos"
            python = sys.executable if ours else ENVIRONMENTS / name / "bin" / "python"
            repeats = REPEATS if ours else 1
            words = (made, what, str(radius))
            figures[name] = measured(__file__, name, *words, python=python, repeats=repeats)
            ratio = figures[name]["seconds"] / figures["onkos"]["seconds"]
            grown = figures[name]["peak_mb"] - figures[name]["imports_mb"]
            print(
                f"{case:12} {name:12} {figures[name]['seconds']:9.3f} s  {ratio:7.1f} x"
                f"  {figures[name]['maps']:3d} maps"
                f"  {figures[name]['peak_mb']:6.0f} MB, {grown:5.0f} MB more than before",
                flush=True,
            )
        if peers and ball == "7k":
            figures["agreement"] = measured(__file__, "agreement", made, repeats=1)
            print(f"{case:12} contrasts differ by {figures['agreement']['furthest']:.1e} at most")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--alone", action="store_true", help="without the peer")
    parser.add_argument("--once", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        name, folder, *rest = asked.once
        if name == "write":
            report(lambda: write_case(Path(folder), rest[0]))
        elif name == "agreement":
            report(lambda: agreement(Path(folder)))
        else:
            CONTENDERS[name](Path(folder), rest[0], int(rest[1]))
        return
    peers = () if asked.alone else ("pyradiomics",)
    figures = {case: compared(case, peers) for case in asked.only}
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
