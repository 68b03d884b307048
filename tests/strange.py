"""Files as peers' users reported them: what changes the meaning of a number or a place.

Each kind writes one input into a folder and returns what is true of it: a check that says what is
wrong with what was opened (empty if nothing), and the caveats that would tell of it. Phantoms all.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import tifffile
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from judge import ALWAYS, Verdict
from onkos.core.errors import OnkosError
from onkos.core.geometry import Geometry
from onkos.io.intake import Intake, open_path
from slices import real, slices, structures, write

Check = Callable[[Intake], str]
Kind = Callable[[Path, np.random.Generator], tuple[Check, set[str]]]

GRID = Geometry.upright((24, 30, 7), spacing_mm=(1.5, 2.0, 3.0), origin_mm=(-20.0, 31.0, 7.0))
HALF_LIFE, DOSE, WEIGHT = 6586.2, 3.7e8, 80.0
CLOSED = "CLOSED_PLANAR"


def _only(found: Intake) -> np.ndarray:
    (volume,) = found.studies[0].volumes.values()
    return np.asarray(volume.data, dtype=np.float64)


def _values(expected: np.ndarray) -> Check:
    def check(found: Intake) -> str:
        got = _only(found)
        if got.shape != expected.shape:
            return f"shape {got.shape}, expected {expected.shape}"
        off = float(np.abs(got - expected).max())
        return "" if off <= 1e-4 * max(1.0, np.abs(expected).max()) else f"values off by {off:.4g}"

    return check


def modality_lut(folder: Path, rng: np.random.Generator) -> tuple[Check, set[str]]:
    """A table, rising or falling, turns stored values into real ones."""
    made = slices(GRID, rng)
    first = int(rng.integers(0, 50))
    table = rng.integers(0, 65536, size=4096)
    lut = Dataset()
    lut.add_new(0x00283002, "US", [4096, first, 16])
    lut.ModalityLUTType = str(rng.choice(["HU", "OD", "US"]))
    lut.add_new(0x00283006, "OW", table.astype("<u2").tobytes())
    planes = []
    for one in made:
        del one.RescaleSlope, one.RescaleIntercept
        one.ModalityLUTSequence = [lut]
        planes.append(table[np.clip(real(one).astype(int) - first, 0, 4095)])
    write(folder, made)
    return _values(np.stack(planes, axis=-1)), set()


def padding(folder: Path, rng: np.random.Generator) -> tuple[Check, set[str]]:
    """Part of the values is padding, by a value or a range, as signed or unsigned numbers."""
    made = slices(GRID, rng, BitsStored=16, HighBit=15, PixelRepresentation=1)
    low = int(rng.integers(-3000, -1000))
    for one in made:
        stored = np.where(rng.random(one.Rows * one.Columns) < 0.3, low, 40)
        one.PixelData = stored.astype("<i2").tobytes()
        one.add_new(0x00280120, *(("US", low % 65536) if rng.random() < 0.5 else ("SS", low)))
    write(folder, made)
    return lambda _found: "padding is not told", {"padding"}


def units_of_nrrd(folder: Path, rng: np.random.Generator) -> tuple[Check, set[str]]:
    """Lengths in another unit than millimetres."""
    unit, by = (("um", 1e-3), ("cm", 10.0), ("m", 1e3), ("nm", 1e-6))[int(rng.integers(4))]
    steps = rng.uniform(0.3, 4.0, size=3)
    told = " ".join(
        f"({','.join(f'{steps[a] / by:.9g}' if a == b else '0' for b in range(3))})"
        for a in range(3)
    )
    folder.mkdir(exist_ok=True)
    head = (
        "NRRD0005\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 6 5 4\n"
        f"space directions: {told}\nspace origin: (0,0,0)\nspace units: "
        f'"{unit}" "{unit}" "{unit}"\nendian: little\nencoding: raw\n\n'
    )
    data = np.arange(120, dtype="<i2").tobytes()
    (folder / "image.nrrd").write_bytes(head.encode() + data)
    return _spacing(steps), set()


def _spacing(steps: np.ndarray) -> Check:
    def check(found: Intake) -> str:
        (volume,) = found.studies[0].volumes.values()
        got = np.array(volume.geometry.spacing_mm)
        return "" if np.allclose(got, steps, rtol=1e-5) else f"spacing {got}, expected {steps}"

    return check


def forms_of_nifti(folder: Path, rng: np.random.Generator) -> tuple[Check, set[str]]:
    """Units of metres or micrometres, and a size of voxels that may contradict the s-form."""
    unit, by = (("mm", 1.0), ("meter", 1e3), ("micron", 1e-3))[int(rng.integers(3))]
    steps = rng.uniform(0.3, 4.0, size=3)
    folder.mkdir(exist_ok=True)
    image = nib.Nifti1Image(np.zeros((6, 5, 4), np.int16), np.diag([*(steps / by), 1]))
    image.header.set_xyzt_units(unit)
    path = folder / "image.nii"
    nib.save(image, path)
    if rng.random() < 0.5:
        raw = bytearray(path.read_bytes())
        raw[80:92] = np.array(3 * steps / by, "<f4").tobytes()
        path.write_bytes(raw)
        return lambda _found: "the contradiction is not told", {"spacing-contradiction"}
    return _spacing(steps), set()


def pet_clocks(folder: Path, rng: np.random.Generator) -> tuple[Check, set[str]]:
    """A scan an hour after injection whose clocks were changed in one of many ways."""
    agent = Dataset()
    agent.RadionuclideTotalDose, agent.RadionuclideHalfLife = str(DOSE), str(HALF_LIFE)
    agent.RadiopharmaceuticalStartTime = "090000"
    changes: dict[str, object] = {}
    way = int(rng.integers(9))
    if way == 1:
        changes["SeriesTime"] = "000000"
    elif way == 2:
        agent.RadiopharmaceuticalStartTime = "000000"
    elif way == 3:
        agent.RadionuclideTotalDose = str(DOSE / float(rng.choice([1e3, 1e6, 3.7e7])))
    elif way == 4:
        changes["PatientWeight"] = str(WEIGHT * 1000)
    elif way == 5:
        agent.RadionuclideHalfLife, agent.Radiopharmaceutical = (
            "109.77",
            "FDG -- fluorodeoxyglucose",
        )
    elif way == 6:
        agent.RadiopharmaceuticalStartDateTime = "20010203083000"
    elif way == 7:
        agent.RadiopharmaceuticalStartTime = f"1{int(rng.integers(1, 9))}3000"
    elif way == 8:
        changes["AcquisitionTime"] = "190000"
    made = slices(
        GRID, rng, modality="PT", Units="BQML", DecayCorrection="START", RescaleSlope="1.5",
        CorrectedImage=["DECY", "ATTN"], PatientWeight=str(WEIGHT), SeriesDate="20010203",
        SeriesTime="100000", AcquisitionDate="20010203", AcquisitionTime="100000",
        RadiopharmaceuticalInformationSequence=[agent],
    )  # fmt: skip
    for one in made:
        for keyword, value in changes.items():
            setattr(one, keyword, value)
    write(folder, made)
    left = DOSE * 2 ** (-3600 / HALF_LIFE)
    planes = [real(one) * WEIGHT * 1000 / left for one in made]
    return _values(np.stack(planes, axis=-1)), {"no-suv"}


Ring = list[tuple[float, float]]


def _square(low: int, high: int) -> Ring:
    a, b = low - 0.5, high - 0.5
    return [(a, a), (b, a), (b, b), (a, b)]


def contours(folder: Path, rng: np.random.Generator) -> tuple[Check, set[str]]:
    """A square outlined on several slices, with one of the faults that outlines have."""
    low, high = int(rng.integers(2, 8)), int(rng.integers(12, 20))
    ring = _square(low, high)
    turned = ring[::-1] if rng.random() < 0.5 else ring[2:] + ring[:2]
    moved = [(x + 4, y) for x, y in ring]
    one, inner = (high - low) ** 2, (high - low - 4) ** 2
    rest = [(k, CLOSED, ring) for k in (1, 3)]
    faults: tuple[tuple[list[tuple[int, str, Ring]], int, str], ...] = (
        ([(2, CLOSED, ring)], 3 * one, ""),
        ([(2, CLOSED, ring), (2, CLOSED, turned)], 3 * one, "doubled-contours"),
        ([(5, CLOSED, ring)], 3 * one, "outline-gaps"),
        ([(2, CLOSED, ring), (4, "POINT", [(10, 10)])], 3 * one, "open-contours"),
        ([(2, CLOSED, ring + ring)], 3 * one, "doubled-contours"),
        ([(2, CLOSED, ring), (2, CLOSED, moved)], 3 * one + 4 * (high - low), "crossing-contours"),
        ([(2, CLOSED, ring), (2, CLOSED, _square(low + 2, high - 2))], 3 * one - inner, ""),
    )
    more, expected, code = faults[int(rng.integers(len(faults)))]
    number = int(rng.choice([1, 7, 65536, 2**31 - 1]))
    images = slices(GRID, rng)
    write(folder, images)
    made = structures(images, [(number, "GTV", [*rest, *more])])
    write(folder, [made], prefix="rt", implicit=True)

    def check(found: Intake) -> str:
        if not found.studies[0].masks:
            return ""  # refused by name
        (mask,) = found.studies[0].masks
        told = {caveat.code for caveat in mask.caveats_of("GTV")}
        if mask.counts != {"GTV": expected}:
            return f"{mask.counts}, expected {expected}"
        return "" if not code or code in told else f"nothing told of {code}"

    return check, set()


def palettes(folder: Path, rng: np.random.Generator) -> tuple[Check, set[str]]:
    """A picture in TIFF whose palette is filled with 8 or 16 bits, turned or not."""
    colours = rng.integers(0, 256, size=(3, 256)).astype(np.uint16)
    indices = rng.integers(0, 256, size=(6, 9)).astype(np.uint8)
    by = int(rng.choice([1, 256]))
    folder.mkdir(exist_ok=True)
    orientation = int(rng.choice([1, 3]))
    tifffile.imwrite(
        folder / "image.tif", indices, photometric="palette", colormap=colours * np.uint16(by),
        extratags=[(274, 3, 1, orientation, True)],
    )  # fmt: skip
    upright = indices if orientation == 1 else indices[::-1, ::-1]
    return _values(colours[:, upright].transpose(2, 1, 0).astype(float)), set()


def mosaics(folder: Path, rng: np.random.Generator) -> tuple[Check, set[str]]:
    """A Siemens mosaic without the private header that tells how its slices follow."""
    (one,) = slices(GRID.crop((0, 0, 0), (24, 30, 1)), rng, modality="MR")
    one.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    one.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 4)
    write(folder, [one])
    return lambda _found: "a mosaic opened as one slice", set()


def kinds_of_image(folder: Path, rng: np.random.Generator) -> tuple[Check, set[str]]:
    """Computed, captured and complex images, and attributes that only flag."""
    changes: tuple[tuple[str, object, str], ...] = (
        ("ImageType", ["DERIVED", "SECONDARY", "AXIAL", "MIP"], "projection-image"),
        ("ImageType", ["DERIVED", "SECONDARY", "MPR"], "reformatted"),
        ("ConversionType", "WSD", "secondary-capture"),
        ("SpatialLocationsPreserved", "NO", "places-not-preserved"),
        ("AnatomicalOrientationType", "QUADRUPED", "quadruped"),
        ("LongitudinalTemporalInformationModified", "REMOVED", "dates-changed"),
        ("PixelPresentation", "COLOR", "colour-overlay"),
        ("PresentationLUTShape", "INVERSE", "greys-contradiction"),
        ("LossyImageCompression", "01", "lossy"),
    )
    keyword, value, code = changes[int(rng.integers(len(changes)))]
    write(folder, slices(GRID, rng, **{keyword: value}))
    return lambda _found: f"{keyword} is not told", {code}


def sizes_of_projections(folder: Path, rng: np.random.Generator) -> tuple[Check, set[str]]:
    """A radiograph whose pixel size may be that at the detector."""
    (one,) = slices(GRID.crop((0, 0, 0), (24, 30, 1)), rng)
    one.SOPClassUID, one.Modality = "1.2.840.10008.5.1.4.1.1.1.1", str(rng.choice(["DX", "CR"]))
    del one.ImagePositionPatient, one.ImageOrientationPatient
    one.SeriesInstanceUID = generate_uid()
    if rng.random() < 0.5:
        one.ImagerPixelSpacing = one.PixelSpacing
    write(folder, [one])
    return lambda _found: "nothing told of where lengths hold", {"projected-size"}


#: Kinds by name.
KINDS: dict[str, Kind] = {
    kind.__name__: kind
    for kind in (
        modality_lut, padding, units_of_nrrd, forms_of_nifti, pet_clocks, contours, palettes,
        mosaics, kinds_of_image, sizes_of_projections,
    )
}  # fmt: skip


def trial(folder: Path, name: str, rng: np.random.Generator) -> Verdict:
    """Write one input of a kind, open it and judge what came of it."""
    check, told = KINDS[name](folder, rng)
    try:
        found = open_path(folder)
        caveats = {c.code for study in found.studies for c in study.all_caveats} - ALWAYS
        if not found.studies:
            return Verdict("refused", found.refused[0].reason)
        wrong = "" if told & caveats else check(found)
    except OnkosError as error:
        return Verdict("refused", str(error))
    except Exception:  # noqa: BLE001 - any other is the failure looked for
        return Verdict("traceback", traceback.format_exc(limit=-2))
    if wrong:
        return Verdict("wrong", f"{wrong}; caveats: {sorted(caveats)}")
    return Verdict("caveat", ", ".join(sorted(caveats))) if caveats else Verdict("right")
