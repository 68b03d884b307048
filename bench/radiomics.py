"""Seconds and memory of radiomic features from arrays in memory, beside three peers.

Run as ``python bench/radiomics.py [--json FILE] [--only CASE ...] [--peers NAME ...]``; build the
peers' environments first with ``python bench/peers.py pyradiomics flash-radiomics mirp``. Cases
are phantoms: smooth noise in a ball of 7 thousand, 270 thousand or 1.8 million voxels, and 1,000
small balls in one label map. Levels are 25 wide; nothing is interpolated. Ours are the whole
IBSI-1 set, 3-D merged (local peaks and spatial correlation included, which PyRadiomics and
flash-radiomics do not have); theirs is what each computes in 3-D when asked for everything. A
tool without a call for many labels is called once a label, for 10 of the 1,000, and its seconds
scaled. Each runs in a process of its own, compilation and imports not counted.
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

CASES = {"7k": 24, "270k": 80, "1.8M": 151, "1000 small": 0}
PEERS = ("pyradiomics", "flash-radiomics", "mirp")
WIDTH = 25.0
OF_A_THOUSAND = 10  # regions that a peer is asked for, one call each
REPEATS = {"7k": 5, "270k": 3}  # best of so many; else 3 for ours, 1 for a peer


def write_case(folder: Path, case: str) -> dict[str, Any]:
    """Image and label map (k, j, i) as arrays."""
    import numpy as np
    from scipy import ndimage

    rng = np.random.default_rng(4)
    across = CASES[case]
    if across:
        side = across + 16
        away = np.indices((side,) * 3) - (side - 1) / 2
        labels = ((away**2).sum(axis=0) <= (across / 2) ** 2).astype(np.uint16)
    else:
        side = 160
        labels = np.zeros((side,) * 3, dtype=np.uint16)
        for n, place in enumerate(np.ndindex(10, 10, 10)):
            radius = rng.uniform(3.0, 6.5)
            away = np.indices((16,) * 3) - 7.5 + rng.uniform(-1, 1, 3)[:, None, None, None]
            block = tuple(slice(16 * a, 16 * a + 16) for a in place)
            labels[block][(away**2).sum(axis=0) <= radius**2] = n + 1
    image = ndimage.gaussian_filter(rng.normal(size=labels.shape), 1.0) * 600
    np.save(folder / "image.npy", np.rint(image).astype(np.int16))
    np.save(folder / "labels.npy", labels)
    return {"voxels": int((labels > 0).sum())}


def read(folder: Path) -> tuple[Any, Any, list[int]]:
    import numpy as np

    labels = np.load(folder / "labels.npy")
    return np.load(folder / "image.npy"), labels, list(range(1, int(labels.max()) + 1))


def onkos(folder: Path) -> None:
    import numpy as np

    from onkos.core.geometry import Geometry
    from onkos.core.mask import Mask
    from onkos.core.volume import Volume
    from onkos.features.radiomics import Settings, radiomics

    settings = Settings(discretisation="width", bins=WIDTH)

    def given(image: Any, labels: Any) -> tuple[Volume, Mask]:
        grid = Geometry.upright(image.T.shape, spacing_mm=(1, 1, 1))
        names = {int(n): str(n) for n in np.unique(labels[labels > 0])}
        return (
            Volume(data=image.T, geometry=grid, modality="CT", unit="1"),
            Mask(labels=labels.T, geometry=grid, names=names),
        )

    image, labels, _ = read(folder)
    for side in (12, 48):  # all pairs and Fourier space: whatever is compiled is loaded
        part = image[:side, :side, :side].copy()
        inner = np.zeros_like(part, dtype=labels.dtype)
        inner[3:-3, 3:-3, 3:-3] = 1
        radiomics(*given(part, inner), settings)
    volume, mask = given(image, labels)

    def work() -> dict[str, Any]:
        table = radiomics(volume, mask, settings)
        return {"features": len(table.names), "mean": float(table.column("stat_mean")[0])}

    report(work)


def pyradiomics(folder: Path) -> None:
    import logging

    import SimpleITK

    sys.path.remove(str(Path(__file__).parent))  # this script bears the package's name
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    extractor = RadiomicsFeatureExtractor(binWidth=WIDTH, additionalInfo=False)
    extractor.enableAllFeatures()
    _each_label(folder, SimpleITK, lambda image, mask, n: extractor.execute(image, mask, label=n))


def flash_radiomics(folder: Path) -> None:
    import SimpleITK
    from flash_radiomics import RadiomicsFeatureExtractor

    extractor = RadiomicsFeatureExtractor(
        backend="cpu", binWidth=WIDTH, distances=[1], hdf5OutputDirectory=str(folder / "out")
    )
    _each_label(folder, SimpleITK, lambda image, mask, n: extractor.execute(image, mask, label=n))


def _each_label(folder: Path, sitk: Any, extract: Any) -> None:
    image, labels, wanted = read(folder)
    pictures = sitk.GetImageFromArray(image), sitk.GetImageFromArray(labels)

    def work() -> dict[str, Any]:
        some = wanted[:OF_A_THOUSAND]
        began = time.perf_counter()
        found = [extract(*pictures, n) for n in some]
        spent = time.perf_counter() - began
        means = [value for name, value in found[0].items() if name.endswith("firstorder_Mean")]
        return {
            "features": len(found[0]),
            "mean": float(means[0]),
            "seconds": spent * len(wanted) / len(some),
        }

    report(work)


def mirp(folder: Path) -> None:
    import numpy as np
    from mirp import extract_features

    image, labels, wanted = read(folder)
    some = wanted[:OF_A_THOUSAND]

    def one(label: int) -> Any:
        (table,) = extract_features(
            image=image,
            mask=(labels == label).astype(np.uint8),
            base_discretisation_method="fixed_bin_size",
            base_discretisation_bin_width=WIDTH,
            resegmentation_intensity_range=[float(image.min()), float(image.max())],
            base_feature_families="all",
            glcm_spatial_method="3d_volume_merge",
            glrlm_spatial_method="3d_volume_merge",
            num_cpus=1,
        )
        return table

    def work() -> dict[str, Any]:
        began = time.perf_counter()
        tables = [one(label) for label in some]
        spent = time.perf_counter() - began
        return {
            "features": tables[0].shape[1],
            "mean": float(tables[0]["stat_mean"].iloc[0]),
            "seconds": spent * len(wanted) / len(some),
        }

    report(work)


def bandwidth() -> float:
    """Bytes a second that one thread copies (read and write), best of five."""
    import numpy as np

    source = np.ones(1 << 25, dtype=np.float32)
    target = np.empty_like(source)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - began)
    return 2 * source.nbytes / best


CONTENDERS = {
    "onkos": onkos,
    "pyradiomics": pyradiomics,
    "flash-radiomics": flash_radiomics,
    "mirp": mirp,
}


def compared(case: str, peers: list[str]) -> dict[str, Any]:
    """Figures of all contenders on one case, in turn so that a busy machine is busy for all."""
    with tempfile.TemporaryDirectory() as made:
        figures: dict[str, Any] = {"case": measured(__file__, "write", made, case, repeats=1)}
        for name in ("onkos", *peers):
            repeats = REPEATS.get(case, 3 if name == "onkos" else 1)
            if name == "onkos":
                figures[name] = measured(__file__, name, made, repeats=repeats)
            else:
                python = ENVIRONMENTS / name / "bin" / "python"
                figures[name] = measured(__file__, name, made, python=python, repeats=repeats)
            ratio = figures[name]["seconds"] / figures["onkos"]["seconds"]
            grown = figures[name]["peak_mb"] - figures[name]["imports_mb"]
            print(
                f"{case:10} {name:16} {figures[name]['seconds']:8.3f} s  {ratio:6.1f} x"
                f"  {figures[name]['cpu_seconds']:8.3f} s of processors"
                f"  {figures[name]['peak_mb']:6.0f} MB, {grown:5.0f} MB more than before",
                flush=True,
            )
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--once", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        name, folder, *rest = asked.once
        if name == "write":
            report(lambda: write_case(Path(folder), rest[0]))
        elif name == "bandwidth":
            report(lambda: {"bytes_per_second": bandwidth()})
        else:
            CONTENDERS[name](Path(folder))
        return
    copied = measured(__file__, "bandwidth", ".", repeats=1)["bytes_per_second"]
    print(f"one thread copies {copied / 1e9:.1f} GB/s")
    figures = {case: compared(case, asked.peers) for case in asked.only}
    for case in figures:
        if across := CASES[case]:
            floor = (across**3) * (2 + 2) / copied
            ours = figures[case]["onkos"]
            grown = (ours["peak_mb"] - ours["imports_mb"]) * (1 << 20) / (across**3 * (8 + 1))
            print(
                f"{case}: one reading of image and labels takes {1000 * floor:.2f} ms, ours is "
                f"{ours['seconds'] / floor:.0f} times that; memory grew by {grown:.1f} times the "
                "cropped region (numbers of 8 bytes and a mask of 1)"
            )
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
