"""Seconds and memory to open a CT series, and to write and read a large segmentation.

Run as ``python bench/dicom.py [--json FILE] [--slices 500] [--segments 100]``. Peers: SimpleITK,
plain pydicom and highdicom from this environment, dicom2nifti from its own (bench/peers.py).
The images are phantoms (noise). Every contender runs in a process of its own, best of three.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from peers import build
from timing import measured, report, row

SIDE = 512


def onkos_opens(folder: Path) -> None:
    from onkos.io.intake import open_study

    def work() -> dict[str, Any]:
        volume = open_study(folder).volume("ct")
        return _said(volume.data)

    report(work)


def simpleitk_opens(folder: Path) -> None:
    import SimpleITK

    def work() -> dict[str, Any]:
        reader = SimpleITK.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
        image = reader.Execute()  # holds the memory that the array looks at
        return _said(SimpleITK.GetArrayViewFromImage(image))

    report(work)


def pydicom_opens(folder: Path) -> None:
    import numpy as np
    import pydicom

    def work() -> dict[str, Any]:
        files = [pydicom.dcmread(path) for path in folder.iterdir()]
        first = np.array(files[0].ImageOrientationPatient, dtype=float)
        normal = np.cross(first[:3], first[3:])
        files.sort(key=lambda file: float(normal @ np.array(file.ImagePositionPatient, float)))
        stack = np.stack([file.pixel_array for file in files]).astype(np.float32)
        stack *= float(files[0].RescaleSlope)
        stack += float(files[0].RescaleIntercept)
        return _said(stack)

    report(work)


def dicom2nifti_opens(folder: Path) -> None:
    import dicom2nifti
    import numpy as np

    def work() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as made:
            target = str(Path(made) / "a.nii")
            found = dicom2nifti.dicom_series_to_nifti(str(folder), target, reorient_nifti=False)
            return _said(np.asanyarray(found["NII"].dataobj))

    report(work)


def onkos_segments(folder: Path, count: int) -> None:
    import numpy as np

    from onkos.core.mask import Mask
    from onkos.core.reading import Provenance
    from onkos.io import export, seg
    from onkos.io.intake import open_study

    study = open_study(folder)
    volume = study.volume("ct")
    names = {label: f"structure {label}" for label in range(1, count + 1)}
    mask = Mask(labels=balls(volume.geometry.shape, count), geometry=volume.geometry, names=names)
    provenance = Provenance(
        version="0", model="bench", weights_sha256="", inputs=(), settings={}, seed=0,
        created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip

    def work() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as made:
            path = Path(made) / "seg.dcm"
            export.seg.write(path, masks=[mask], volume=volume, study=study, provenance=provenance)
            (read,) = seg.read(path, [volume])
            size = path.stat().st_size
        return {"same": bool(np.array_equal(read.labels, mask.labels)), "file_mb": size / 1e6}

    report(work)


def highdicom_segments(folder: Path, count: int) -> None:
    import highdicom as hd
    import numpy as np
    import pydicom
    from pydicom.sr.codedict import codes

    files = sorted((pydicom.dcmread(path) for path in folder.iterdir()),
                   key=lambda file: float(file.ImagePositionPatient[2]))  # fmt: skip
    labels = np.ascontiguousarray(balls((SIDE, SIDE, len(files)), count).T)
    algorithm = hd.AlgorithmIdentificationSequence("bench", codes.DCM.ArtificialIntelligence, "0")
    described = [
        hd.seg.SegmentDescription(
            number, f"structure {number}", codes.SCT.Tissue, codes.SCT.Organ,
            hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC, algorithm_identification=algorithm,
        )
        for number in range(1, count + 1)
    ]  # fmt: skip

    def work() -> dict[str, Any]:
        made = hd.seg.Segmentation(
            files, labels, hd.seg.SegmentationTypeValues.BINARY, described, hd.UID(), 2,
            hd.UID(), 1, "bench", "bench", "0", "0",
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / "seg.dcm"
            made.save_as(path)
            read = hd.seg.segread(path).get_volume(combine_segments=True).array
            size = path.stat().st_size
        return {"same": int(np.count_nonzero(read)) == int(np.count_nonzero(labels)),
                "file_mb": size / 1e6}  # fmt: skip

    report(work)


def balls(shape: tuple[int, ...], count: int) -> Any:
    """Label map of ellipsoids side by side, each through a fifth of the slices."""
    import numpy as np

    rng = np.random.default_rng(0)
    labels = np.zeros(shape, dtype=np.uint8, order="F")
    across = int(np.ceil(np.sqrt(count)))
    side = shape[0] // across
    i, j = np.indices((side, side)) - (side - 1) / 2
    deep = max(2, shape[2] // 10)
    for number in range(count):
        centre = int(rng.integers(deep, shape[2] - deep))
        corner = (number % across * side, number // across * side)
        for k in range(centre - deep, centre + deep):
            inside = (i**2 + j**2) / (side / 2.2) ** 2 + ((k - centre) / deep) ** 2 < 1
            block = labels[corner[0] : corner[0] + side, corner[1] : corner[1] + side, k]
            block[inside] = number + 1
    return labels


def _said(values: Any) -> dict[str, Any]:
    """Mean and size, so that every value was touched and contenders can be compared."""
    import numpy as np

    return {"mean": float(np.sum(values, dtype=np.float64)) / values.size, "voxels": values.size}


OPENS = {
    "onkos": onkos_opens,
    "simpleitk": simpleitk_opens,
    "pydicom": pydicom_opens,
    "dicom2nifti": dicom2nifti_opens,
}
SEGMENTS = {"onkos-seg": onkos_segments, "highdicom-seg": highdicom_segments}


def write_phantom(folder: Path, slices: int) -> dict[str, Any]:
    """A CT of noise with the density of water."""
    import numpy as np

    from onkos.core.geometry import Geometry
    from onkos.core.source import PHANTOM
    from onkos.core.study import Patient, Study
    from onkos.core.volume import Volume
    from onkos.io.export.series import write_series

    shape = (SIDE, SIDE, slices)
    geometry = Geometry.upright(shape, spacing_mm=(0.7, 0.7, 1.0), origin_mm=(-180, -170, 40))
    data = np.random.default_rng(0).integers(-1000, 1000, size=shape, dtype=np.int16)
    volume = Volume(
        data=data, geometry=geometry, modality="CT", unit="[hnsf'U]", caveats=(PHANTOM,)
    )
    study = Study(patient=Patient(id="PHANTOM-1"), volumes={"ct": volume})
    write_series(folder, volume=volume, study=study, attributes={"SeriesDescription": "noise"})
    return {}


def once(name: str, folder: Path, count: int) -> None:
    """What a child process does."""
    if name == "write":
        report(lambda: write_phantom(folder, count))
    elif name in OPENS:
        OPENS[name](folder)
    else:
        SEGMENTS[name](folder, count)


def compared(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Every contender on the series in a folder, as a table and as figures."""
    figures: dict[str, Any] = {"slices": asked.slices, "open": {}, "segment": {}}
    print(f"Open {asked.slices} slices of {SIDE} x {SIDE} (phantom)")
    for name in OPENS:
        python = build(name) if name == "dicom2nifti" else sys.executable
        found = measured(__file__, name, str(folder), "0", python=python)
        figures["open"][name] = found
        print(row(name, found, f"mean {found['mean']:.4f}"), flush=True)
    print("Write and read a binary segmentation of the same size")
    counts = {"onkos-seg": asked.segments, "highdicom-seg": asked.peer_segments}
    for name, count in counts.items():
        repeats = 3 if name == "onkos-seg" else 1
        found = measured(__file__, name, str(folder), str(count), repeats=repeats)
        figures["segment"][name] = {"segments": count, **found}
        note = f"{count} segments, {found['file_mb']:.0f} MB, same: {found['same']}"
        print(row(name, found, note), flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--peer-segments", type=int, default=100, help="for highdicom")
    parser.add_argument("--once", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        name, folder, count = asked.once
        once(name, Path(folder), int(count))
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "ct"
        measured(__file__, "write", str(folder), str(asked.slices), repeats=1)
        figures = compared(folder, asked)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
