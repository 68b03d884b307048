"""DICOM series built slice by slice, the damages they meet, and an independent judge of both.

A phantom: noise, of no patient. Nothing here uses Onkos' own readers or writers.
"""

from __future__ import annotations

import copy
import hashlib
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.uid import MRImageStorage, PositronEmissionTomographyImageStorage, generate_uid

from onkos.core.errors import OnkosError
from onkos.core.geometry import Geometry
from onkos.core.volume import Volume
from onkos.io.intake import Intake, open_path

CLASSES = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "PT": PositronEmissionTomographyImageStorage,
}
ALWAYS = {"phantom"}  # the caveat of the undamaged series


def decimal(value: float) -> str:
    """Text for DICOM's DS, at most 16 characters."""
    return next(t for d in range(17, 0, -1) if len(t := f"{value:.{d}g}") <= 16)


def slices(
    geometry: Geometry,
    rng: np.random.Generator,
    *,
    modality: str = "CT",
    seed: str = "",
    **attributes: Any,
) -> list[Dataset]:
    """Slices of one series on a grid, in its order; keywords overrule what is told by default."""
    word = seed or str(rng.integers(1 << 62))
    uids = {name: generate_uid(entropy_srcs=[word, name]) for name in ("study", "series", "frame")}
    made = []
    for k in range(geometry.shape[2]):
        one = Dataset()
        one.SOPClassUID = CLASSES[modality]
        one.SOPInstanceUID = generate_uid(entropy_srcs=[word, str(k)])
        one.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        one.StudyDate, one.StudyTime, one.Modality = "20010203", "101500", modality
        one.SeriesDescription, one.QualityControlImage = "noise", "YES"
        one.PatientName, one.PatientID, one.PatientSex = "Phantom^Noise", "PHANTOM-1", "O"
        one.StudyInstanceUID, one.SeriesInstanceUID = uids["study"], uids["series"]
        one.FrameOfReferenceUID = uids["frame"]
        one.SeriesNumber, one.InstanceNumber, one.AcquisitionNumber = 7, k + 1, 1
        steps = geometry.spacing_mm
        one.SliceThickness = decimal(steps[2])
        one.SpacingBetweenSlices = decimal(steps[2])
        one.ImagePositionPatient = [decimal(x) for x in geometry.to_mm((0, 0, k))]
        one.ImageOrientationPatient = [decimal(x) for x in geometry.directions[:, :2].T.ravel()]
        one.PixelSpacing = [decimal(steps[1]), decimal(steps[0])]
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.Columns, one.Rows = geometry.shape[:2]
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
        if modality != "MR":
            one.RescaleSlope, one.RescaleIntercept = "1", "-1024" if modality == "CT" else "0"
        for keyword, value in attributes.items():
            setattr(one, keyword, value)
        limit = 1 << one.BitsStored
        pixels = rng.integers(0, limit, size=(one.Rows, one.Columns), dtype=np.uint16)
        one.PixelData = pixels.astype("<u2").tobytes()
        made.append(one)
    return made


def write(
    folder: Path, datasets: Sequence[Dataset], *, implicit: bool = False, prefix: str = ""
) -> list[Path]:
    """Write data sets under names that say nothing of their order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, one in enumerate(datasets):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = one.get("SOPClassUID", CTImageStorage)
        meta.MediaStorageSOPInstanceUID = one.get("SOPInstanceUID") or generate_uid()
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        word = f"{prefix}{number}{one.get('SOPInstanceUID', '')}"
        name = hashlib.sha256(word.encode()).hexdigest()[:12]
        file = FileDataset("", one, file_meta=meta, preamble=b"\0" * 128)
        file.save_as(folder / name, enforce_file_format=True)
        paths.append(folder / name)
    return paths


@dataclass
class Truth:
    """Where each slice really lies and what it holds, by its SOP Instance UID.

    ``values`` is None where damage to the pixels themselves cannot be seen by any reader; then
    what pydicom reads from the file counts.
    """

    affines: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, np.ndarray | None] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)

    def add(self, datasets: Sequence[Dataset]) -> None:
        """Remember sound slices; those of one call follow each other."""
        twins: dict[bytes, int] = {}
        for k, one in enumerate(datasets):
            uid = str(one.SOPInstanceUID)
            self.affines[uid] = placed(one)
            self.values[uid] = real(one)
            self.order[uid] = twins.setdefault(self.affines[uid].tobytes() + one.PixelData, k)

    def rename(self, sound: Sequence[Dataset], paths: Sequence[Path]) -> None:
        """Know the slices also by the UIDs that the damaged files now bear."""
        for one, path in zip(sound, paths, strict=True):
            now = _uid_in(path)
            for known in (self.affines, self.values, self.order):
                known[now] = known.pop(str(one.SOPInstanceUID))


def _uid_in(path: Path) -> str:
    """SOP Instance UID as pydicom reads it now; the path where it cannot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(pydicom.dcmread(path, force=True).get("SOPInstanceUID") or path)
        except Exception:  # noqa: BLE001 - whatever a damaged file does to pydicom
            return str(path)


def placed(one: Dataset) -> np.ndarray:
    """(3, 3): one step along i, one along j, and the first voxel, in LPS mm."""
    cosines = np.array([float(x) for x in one.ImageOrientationPatient])
    down, along = (float(x) for x in one.PixelSpacing)
    corner = np.array([float(x) for x in one.ImagePositionPatient])
    return np.stack([cosines[:3] * along, cosines[3:] * down, corner], axis=1)


def real(one: Dataset) -> np.ndarray:
    """Real values of a slice, (columns, rows)."""
    kind = "<i2" if one.PixelRepresentation else "<u2"
    stored = np.frombuffer(one.PixelData, dtype=kind).reshape(one.Rows, one.Columns)
    slope, intercept = one.get("RescaleSlope", 1), one.get("RescaleIntercept", 0)
    return (stored.astype(np.float64) * float(slope) + float(intercept)).T


@dataclass(frozen=True)
class Verdict:
    """``right``, ``caveat``, ``refused``, ``wrong`` or ``traceback``, and why."""

    kind: str
    why: str = ""


def judge(path: Path, truth: Truth, *, blind_pixels: bool = False) -> Verdict:
    """Open a path and say whether the outcome is one that a user may trust.

    Parameters
    ----------
    path
        What to open.
    truth
        What the sound slices are.
    blind_pixels
        Whether pixels were changed in a way no reader can notice.
    """
    try:
        found = open_path(path)
    except OnkosError as error:
        return Verdict("refused", str(error))
    except Exception as error:  # noqa: BLE001 - any other is the failure looked for
        ours = [f for f in traceback.extract_tb(error.__traceback__) if "onkos" in f.filename]
        where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "test"
        return Verdict("traceback", f"{where}: {type(error).__name__}: {error}")
    caveats = {c.code for study in found.studies for c in study.all_caveats} - ALWAYS
    if not any(study.volumes for study in found.studies):
        if not found.refused:
            return Verdict("wrong", "nothing opened and nothing refused")
        return Verdict("refused", found.refused[0].reason)
    for about, what in _mistakes(found, truth, blind_pixels=blind_pixels):
        if not caveats & EXCUSES[about]:
            return Verdict("wrong", f"{what}; caveats: {sorted(caveats)}")
    return Verdict("caveat", ", ".join(sorted(caveats))) if caveats else Verdict("right")


Mistake = tuple[str, str]

#: Caveats that tell of a difference from the truth, by what differs.
EXCUSES = {
    "study": {"study-contradiction", "study-of-several-patients", "no-patient-id"},
    "slices": {"files-refused", "instance-numbers-missing", "mixed-orientations"},
    "place": {"uneven-spacing", "mixed-orientations", "spacing-contradiction", "single-slice"},
    "values": {"rescale-varies", "unknown-unit", "not-finite"},
    "instance": {"no-instance-uid"},
}


def _mistakes(found: Intake, truth: Truth, *, blind_pixels: bool) -> list[Mistake]:
    """Everything in which what was opened differs from the truth."""
    wrong: list[Mistake] = []
    seen: set[str] = set()
    for study in found.studies:
        if (study.patient.id, str(study.date)) != ("PHANTOM-1", "2001-02-03"):
            wrong.append(("study", f"study of {study.patient.id!r} on {study.date}"))
        for volume in study.volumes.values():
            wrong += _of_volume(volume, truth, blind_pixels=blind_pixels)
            seen |= {instance.uid for instance in volume.source.instances}
    held = {truth.order[uid] for uid in seen if uid in truth.order}
    lost = sorted(set(truth.order.values()) - held)
    inner = [k for k in lost if held and min(held) < k < max(held)]
    return [*wrong, ("slices", f"slices {inner} are not there")] if inner else wrong


def _of_volume(volume: Volume, truth: Truth, *, blind_pixels: bool) -> list[Mistake]:
    affine = volume.geometry.affine
    between = float(np.linalg.norm(affine[:3, 2]))
    wrong: list[Mistake] = []
    for k, instance in enumerate(volume.source.instances):
        if instance.uid not in truth.affines:
            wrong.append(("instance", f"plane {k} is of the unknown instance {instance.uid!r}"))
            continue
        expected = truth.affines[instance.uid]
        corners = [(0, 0), (volume.geometry.shape[0] - 1, 0), (0, volume.geometry.shape[1] - 1)]
        for i, j in corners:
            here = affine @ (i, j, k, 1)
            there = expected @ (i, j, 1)
            finest = min(np.linalg.norm(expected[:, 0]), np.linalg.norm(expected[:, 1]))
            allowed = 0.02 * between + 0.11 * finest + 2.5e-3 * finest * max(i, j) + 0.02
            off = float(np.linalg.norm(here[:3] - there))
            if off > allowed:
                wrong.append(("place", f"plane {k} lies {off:.3g} mm off at ({i}, {j})"))
        values = truth.values[instance.uid]
        if not blind_pixels and values is not None:
            plane = np.asarray(volume.data[..., k], dtype=np.float64)
            if plane.shape != values.shape or np.abs(plane - values).max() > 1e-3 * np.ptp(values):
                wrong.append(("values", f"plane {k} has other values"))
    return wrong


Damage = Callable[[list[Dataset], np.random.Generator], list[Dataset]]
ByteDamage = Callable[[Sequence[Path], np.random.Generator], None]


def _inner(datasets: Sequence[Dataset], rng: np.random.Generator) -> int:
    return int(rng.integers(1, len(datasets) - 1))


def _any(datasets: Sequence[Any], rng: np.random.Generator) -> int:
    return int(rng.integers(len(datasets)))


def none(datasets: list[Dataset], _rng: np.random.Generator) -> list[Dataset]:
    """Nothing."""
    return datasets


def reversed_order(datasets: list[Dataset], _rng: np.random.Generator) -> list[Dataset]:
    """Files and instance numbers run against the positions."""
    for number, one in enumerate(reversed(datasets), start=1):
        one.InstanceNumber = number
    return datasets[::-1]


def gap(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """One or two slices between others are missing."""
    at = _inner(datasets, rng)
    return datasets[:at] + datasets[min(at + int(rng.integers(1, 3)), len(datasets) - 1) :]


def every_second(datasets: list[Dataset], _rng: np.random.Generator) -> list[Dataset]:
    """Every second slice is missing."""
    return datasets[::2]


def begins_late(datasets: list[Dataset], _rng: np.random.Generator) -> list[Dataset]:
    """The first slices are missing."""
    return datasets[2:]


def tilted(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """Each slice is shifted further down its columns, as by a gantry tilt."""
    step = float(rng.uniform(0.05, 0.5)) * float(datasets[0].SliceThickness)
    for k, one in enumerate(datasets):
        _shift(one, down=k * step)
    return datasets


def shifted(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """One slice is shifted within its plane."""
    one = datasets[_inner(datasets, rng)]
    _shift(one, down=float(rng.uniform(0.5, 20.0)) * float(one.PixelSpacing[0]))
    return datasets


def uneven(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """One slice is out of its place along the normal."""
    one = datasets[_any(datasets, rng)]
    _shift(one, across=float(rng.uniform(0.03, 0.9)) * float(one.SliceThickness))
    return datasets


def copied(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """One slice is there twice, under one UID or two."""
    twin = copy.deepcopy(datasets[_any(datasets, rng)])
    if rng.random() < 0.5:
        twin.SOPInstanceUID = generate_uid(entropy_srcs=["twin", str(twin.SOPInstanceUID)])
    return [*datasets, twin]


def crowded(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """Another picture at the place of one slice."""
    twin = copy.deepcopy(datasets[_any(datasets, rng)])
    if rng.random() < 0.5:
        twin.SOPInstanceUID = generate_uid(entropy_srcs=["other", str(twin.SOPInstanceUID)])
    twin.PixelData = bytes(reversed(twin.PixelData))[: len(twin.PixelData)]
    twin.PixelData = (np.frombuffer(twin.PixelData, "<u2") & 4095).astype("<u2").tobytes()
    return [*datasets, twin]


def second_phase(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """The same places once more at another time, told by an attribute."""
    keyword = ("AcquisitionNumber", "EchoTime", "TemporalPositionIdentifier")[_any("abc", rng)]
    later = _again(datasets, rng, "later")
    for first, second in zip(datasets, later, strict=True):
        setattr(first, keyword, "1")
        setattr(second, keyword, "2")
    return [*datasets, *later]


def broken_phase(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """A second phase that lacks a slice."""
    both = second_phase(datasets, rng)
    del both[len(datasets) + _any(datasets, rng)]
    return both


def other_orientation(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """Slices of another orientation in the same series, as localisers are."""
    more = _again(datasets, rng, "turned")[:3]
    for k, one in enumerate(more):
        cosines = [float(x) for x in one.ImageOrientationPatient]
        across = np.cross(cosines[:3], cosines[3:])
        one.ImageOrientationPatient = [decimal(x) for x in (*cosines[3:], *across)]
        corner = np.array([float(x) for x in datasets[0].ImagePositionPatient])
        place = corner + k * 5.0 * np.array(cosines[:3])
        one.ImagePositionPatient = [decimal(x) for x in place]
        one.SliceThickness, one.SpacingBetweenSlices = "5", "5"
    return [*datasets, *more]


def other_spacing(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """A second stack of other pixels in the same series."""
    more = _again(datasets, rng, "finer")
    for one in more:
        one.PixelSpacing = [decimal(float(x) * 0.7) for x in one.PixelSpacing]
    return [*datasets, *more]


def other_frame(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """Some slices in another frame of reference."""
    for one in datasets[_inner(datasets, rng) :]:
        one.FrameOfReferenceUID = "1.2.826.0.1.3680043.10.1"
    return datasets


def other_patient(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """One slice of another patient in the series."""
    datasets[_any(datasets, rng)].PatientID = "PHANTOM-2"
    return datasets


def wrong_between(datasets: list[Dataset], _rng: np.random.Generator) -> list[Dataset]:
    """SpacingBetweenSlices contradicts the positions."""
    for one in datasets:
        one.SpacingBetweenSlices = decimal(float(one.SpacingBetweenSlices) * 1.7)
    return datasets


def wrong_spacing(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """PixelSpacing of one slice is another, or none at all."""
    one = datasets[_any(datasets, rng)]
    factor = (0.0, -1.0, 0.1, 1.03, 2.0)[_any("abcde", rng)]
    one.PixelSpacing = [decimal(float(x) * factor) for x in one.PixelSpacing]
    return datasets


def missing_tag(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """An attribute is missing in one slice, or in all."""
    keywords = (
        "ImagePositionPatient ImageOrientationPatient PixelSpacing Rows Columns BitsAllocated "
        "BitsStored HighBit PixelRepresentation SamplesPerPixel RescaleSlope RescaleIntercept "
        "SliceThickness SpacingBetweenSlices FrameOfReferenceUID SeriesInstanceUID "
        "StudyInstanceUID SOPInstanceUID Modality InstanceNumber PixelData SOPClassUID PatientID"
    ).split()
    keyword = keywords[_any(keywords, rng)]
    for one in datasets if rng.random() < 0.4 else [datasets[_any(datasets, rng)]]:
        if keyword in one:
            delattr(one, keyword)
    return datasets


def wrong_tag(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """An attribute that scales or shapes the pixels is changed in one slice."""
    changes: tuple[tuple[str, Any], ...] = (
        ("Rows", datasets[0].Rows + 1),
        ("Columns", 65535),
        ("BitsStored", 10),
        ("BitsAllocated", 8),
        ("HighBit", 15),
        ("PixelRepresentation", 1),
        ("SamplesPerPixel", 3),
        ("RescaleSlope", "2"),
        ("RescaleSlope", "0"),
        ("RescaleIntercept", "-1000"),
        ("RescaleIntercept", "1e29"),
        ("PhotometricInterpretation", "MONOCHROME1"),
        ("ImageOrientationPatient", ["1", "0", "0", "1", "0", "0"]),
        ("ImageOrientationPatient", ["1", "0", "0", "0", "1"]),
        ("ImagePositionPatient", ["0", "0", "1e400"]),
        ("StudyDate", "19990101"),
    )
    keyword, value = changes[_any(changes, rng)]
    setattr(datasets[_any(datasets, rng)], keyword, value)
    return datasets


def _shift(one: Dataset, *, down: float = 0.0, across: float = 0.0) -> None:
    cosines = np.array([float(x) for x in one.ImageOrientationPatient])
    corner = np.array([float(x) for x in one.ImagePositionPatient])
    place = corner + down * cosines[3:] + across * np.cross(cosines[:3], cosines[3:])
    one.ImagePositionPatient = [decimal(x) for x in place]


def _again(datasets: Sequence[Dataset], rng: np.random.Generator, word: str) -> list[Dataset]:
    """The same slices with other pixels and UIDs."""
    more = copy.deepcopy(list(datasets))
    for k, one in enumerate(more):
        one.SOPInstanceUID = generate_uid(entropy_srcs=[word, str(one.SOPInstanceUID)])
        one.InstanceNumber = len(datasets) + k + 1
        stored = rng.integers(0, 1 << one.BitsStored, size=len(one.PixelData) // 2)
        one.PixelData = stored.astype("<u2").tobytes()
    return more


def truncated(paths: Sequence[Path], rng: np.random.Generator) -> None:
    """One file ends early."""
    path = paths[_any(paths, rng)]
    data = path.read_bytes()
    path.write_bytes(data[: int(rng.integers(len(data)))])


def flipped_header(paths: Sequence[Path], rng: np.random.Generator) -> None:
    """One to eight bits of one file's header are flipped."""
    path = paths[_any(paths, rng)]
    end = path.read_bytes().rindex(b"\xe0\x7f\x10\x00") + 12
    _flip(path, rng, 128, end)


def flipped_pixels(paths: Sequence[Path], rng: np.random.Generator) -> None:
    """Bits of one file's pixels are flipped; no reader can know."""
    path = paths[_any(paths, rng)]
    _flip(path, rng, path.read_bytes().rindex(b"\xe0\x7f\x10\x00") + 12, path.stat().st_size)


def zeroed(paths: Sequence[Path], rng: np.random.Generator) -> None:
    """A block of one file's header is zero, as after a failed copy."""
    path = paths[_any(paths, rng)]
    data = bytearray(path.read_bytes())
    end = data.rindex(b"\xe0\x7f\x10\x00")
    start = int(rng.integers(end))
    data[start : min(end, start + 64)] = bytes(min(end, start + 64) - start)
    path.write_bytes(data)


def replaced(paths: Sequence[Path], rng: np.random.Generator) -> None:
    """One file is text, or empty, or noise."""
    texts = (b"", b"<html>404 not found</html>\n" * 9, rng.bytes(999), b"\0" * 128 + b"DICM")
    paths[_any(paths, rng)].write_bytes(texts[_any(texts, rng)])


def _flip(path: Path, rng: np.random.Generator, start: int, end: int) -> None:
    data = bytearray(path.read_bytes())
    for at in rng.integers(start, end, size=int(rng.integers(1, 9))):
        data[at] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)


#: Damages to what the headers say, by name.
DAMAGES: dict[str, Damage] = {
    damage.__name__: damage
    for damage in (
        none, reversed_order, gap, every_second, begins_late, tilted, shifted, uneven, copied,
        crowded, second_phase, broken_phase, other_orientation, other_spacing, other_frame,
        other_patient, wrong_between, wrong_spacing, missing_tag, wrong_tag,
    )
}  # fmt: skip
#: Damages to the files themselves.
BYTE_DAMAGES: dict[str, ByteDamage] = {
    damage.__name__: damage
    for damage in (truncated, flipped_header, flipped_pixels, zeroed, replaced)
}
#: Damages after which the files say truly where the slices lie: positions rule.
TRUE_PLACES = {
    "none", "reversed_order", "tilted", "copied", "crowded", "second_phase", "broken_phase",
    "other_orientation", "other_spacing",
}  # fmt: skip
#: What each must lead to, where only one outcome is right; None: opened without a caveat.
MUST: dict[str, set[str] | None] = {
    "none": None,
    "reversed_order": None,
    "gap": {"refused"},
    "every_second": {"instance-numbers-missing"},
    "begins_late": {"instance-numbers-missing"},
    "tilted": {"gantry-tilt"},
    "shifted": {"refused"},
    "copied": {"duplicate-slices"},
    "crowded": {"refused"},
    "second_phase": {"several-phases"},
    "broken_phase": {"refused"},
    "other_orientation": {"mixed-orientations"},
    "other_spacing": {"mixed-orientations"},
    "other_frame": {"refused"},
    "other_patient": {"refused"},
    "wrong_between": {"spacing-contradiction"},
}


def trial(folder: Path, name: str, geometry: Geometry, rng: np.random.Generator) -> Verdict:
    """Build a series, damage it, open it and judge what came of it."""
    sound = slices(geometry, rng, modality=("CT", "MR")[int(rng.integers(2))])
    truth = Truth()
    if name in BYTE_DAMAGES:
        truth.add(sound)
        paths = write(folder, sound, implicit=bool(rng.random() < 0.3))
        BYTE_DAMAGES[name](paths, rng)
        truth.rename(sound, paths)
    else:
        original = copy.deepcopy(sound)
        damaged = DAMAGES[name](sound, rng)
        truth.add(original)
        if name in TRUE_PLACES:
            truth = Truth()
            truth.add(damaged)
        write(folder, damaged, implicit=bool(rng.random() < 0.3))
    verdict = judge(folder, truth, blind_pixels=name == "flipped_pixels")
    return _as_it_must(name, verdict)


def _as_it_must(name: str, verdict: Verdict) -> Verdict:
    """Call an outcome wrong where only another one is right."""
    if name not in MUST or verdict.kind in ("wrong", "traceback"):
        return verdict
    must = MUST[name]
    got = {verdict.kind} if verdict.kind != "caveat" else set(verdict.why.split(", "))
    if must is None:
        ok = verdict.kind == "right"
    else:
        ok = bool(must & got)
    return verdict if ok else Verdict("wrong", f"{verdict.kind} {verdict.why}; expected {must}")
