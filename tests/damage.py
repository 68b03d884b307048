"""Damages that DICOM series meet, and what each must lead to."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from judge import Truth, Verdict, judge
from onkos.core.geometry import Geometry
from slices import decimal, noise, slices, write

NEEDED = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "RescaleSlope", "RescaleIntercept", "SliceThickness", "SpacingBetweenSlices",
    "FrameOfReferenceUID", "SeriesInstanceUID", "StudyInstanceUID", "SOPInstanceUID",
    "SOPClassUID", "Modality", "InstanceNumber", "PixelData", "PatientID",
)  # fmt: skip

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
    twin.PixelData = noise(twin, rng)
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
    keyword = NEEDED[_any(NEEDED, rng)]
    for one in datasets if rng.random() < 0.4 else [datasets[_any(datasets, rng)]]:
        if keyword in one:
            delattr(one, keyword)
    return datasets


def wrong_tag(datasets: list[Dataset], rng: np.random.Generator) -> list[Dataset]:
    """An attribute that scales or shapes the pixels is changed in one slice."""
    changes: tuple[tuple[str, Any], ...] = (
        ("Rows", datasets[0].Rows + 1),
        ("Columns", 65535),
        ("BitsStored", 9),
        ("BitsAllocated", 8),
        ("HighBit", 14),
        ("PixelRepresentation", 1 - datasets[0].PixelRepresentation),
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
        one.PixelData = noise(one, rng)
    return more


def truncated(paths: Sequence[Path], rng: np.random.Generator) -> None:
    """One file ends early."""
    path = paths[_any(paths, rng)]
    data = path.read_bytes()
    path.write_bytes(data[: int(rng.integers(len(data)))])


def flipped_header(paths: Sequence[Path], rng: np.random.Generator) -> None:
    """One to eight bits of one file's header are flipped."""
    path = paths[_any(paths, rng)]
    _flip(path, rng, 128, _pixels_at(path))


def flipped_pixels(paths: Sequence[Path], rng: np.random.Generator) -> None:
    """Bits of one file's pixels are flipped; no reader can know."""
    path = paths[_any(paths, rng)]
    _flip(path, rng, _pixels_at(path), path.stat().st_size)


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


def _pixels_at(path: Path) -> int:
    """Where the values of the pixels begin, after their tag, type and length."""
    data = path.read_bytes()
    at = data.rindex(b"\xe0\x7f\x10\x00")
    return at + (12 if data[at + 4 : at + 6] == b"OW" else 8)


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
    bits = (10, 12, 16)[int(rng.integers(3))]
    stored = {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": int(rng.integers(2))}
    sound = slices(geometry, rng, modality=("CT", "MR")[int(rng.integers(2))], **stored)
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
    ok = verdict.kind == "right" if must is None else bool(must & got)
    return verdict if ok else Verdict("wrong", f"{verdict.kind} {verdict.why}; expected {must}")
