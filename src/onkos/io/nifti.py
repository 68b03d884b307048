"""NIfTI files in and out. The turn between NIfTI's RAS and DICOM's LPS is made here alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.openers import ImageOpener
from nibabel.spatialimages import HeaderDataError

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import AnyArray, FloatArray, Geometry
from onkos.core.mask import Mask, label_counts
from onkos.core.source import Caveat
from onkos.core.volume import Volume
from onkos.io.damage import refusing
from onkos.io.whole import written_whole

SUFFIXES = (".nii", ".nii.gz")

_TURN = np.diag([-1.0, -1.0, 1.0, 1.0])  # RAS to LPS and back
_MM_OF_UNIT = {"mm": 1.0, "meter": 1000.0, "micron": 0.001, "unknown": 1.0}
_AGREE_MM = 0.1
_AGREE_SIZE = 0.01  # part of a voxel's size
_STATISTICS = range(2, 25)  # intent codes: correlation, t, F, z, chi-squared, ..., p-values
_VECTORS = (1004, 1005, 1006, 1007, 1008, 1009, 1010, 2003, 2004)  # matrices, vectors, colours


def read(path: Path, *, modality: str = "", unit: str = "1") -> Volume:
    """Read a NIfTI image of two or three axes.

    The s-form places it where it is set, else the q-form. Values are scaled as the header says
    and keep their type where it says nothing.

    Raises
    ------
    ContentError
        If the file is damaged, has a time axis or holds colours or complex numbers.
    GeometryError
        If its matrix is not one.
    """
    data, geometry, caveats = _load(path)
    if data.dtype.kind == "f" and not np.isfinite(data).all():
        text = f"{path.name}: some values are not numbers; they are kept as they are."
        caveats = (*caveats, Caveat(code="not-finite", text=text))
    return Volume(data=data, geometry=geometry, modality=modality, unit=unit, caveats=caveats)


def read_mask(path: Path, names: Mapping[int, str] | None) -> Mask:
    """Read a NIfTI label map; without names each value n is called ``label-n``.

    Raises
    ------
    ContentError
        If the values are not whole numbers from 0 on, or one of them has no name.
    """
    data, geometry, caveats = _load(path)
    return Mask(
        labels=(labels := as_labels(data, str(path))),
        geometry=geometry,
        names=named(labels, names),
        caveats=caveats,
    )


def write_volume(path: Path, volume: Volume) -> None:
    """Write an image, whole or not at all, with its matrix as s-form and q-form."""
    if volume.channels > 1:
        raise ContentError(f"{path}: a colour image has no place in NIfTI; write it as a picture")
    _write(path, volume.data, volume.geometry)


def write_mask(path: Path, mask: Mask) -> None:
    """Write a label map, whole or not at all; its names are not kept by NIfTI."""
    _write(path, mask.labels, mask.geometry)


def as_labels(data: AnyArray, where: str) -> AnyArray:
    """Values as the smallest unsigned integers that hold them; refuses what is no label map."""
    if data.dtype.kind not in "uif" or not np.isfinite(data).all():
        raise ContentError(f"{where}: values of type {data.dtype} are not labels")
    low, high = (data.min(), data.max()) if data.size else (0, 0)
    if low < 0 or high > 65535:
        raise ContentError(f"{where}: values from {low} to {high}; expected labels 0 to 65535")
    labels = data.astype(np.uint8 if high < 256 else np.uint16)
    if data.dtype.kind == "f" and not np.array_equal(labels, data):
        raise ContentError(f"{where}: values are not whole numbers; threshold the map first")
    return labels


def named(labels: AnyArray, names: Mapping[int, str] | None) -> Mapping[int, str]:
    """Names as given, or ``label-n`` for every value that occurs."""
    if names is not None:
        return names
    return {label: f"label-{label}" for label in sorted(label_counts(labels))}


def _load(path: Path) -> tuple[AnyArray, Geometry, tuple[Caveat, ...]]:
    """Values, without a last axis of length one beyond the third, their grid, and doubts."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    with refusing(path, ImageFileError, HeaderDataError, what="NIfTI file"):
        image = nib.load(path, mmap=False)  # the file may change or go after it was read
        data = np.asanyarray(image.dataobj)
        while data.ndim > 3 and data.shape[-1] == 1:
            data = data[..., 0]
        if data.ndim not in (2, 3) or data.dtype.kind not in "uif":
            raise ContentError(
                f"{path}: array of shape {data.shape} and type {data.dtype}; expected grey values "
                "on two or three axes. Split a time series into its images first"
            )
        geometry, caveats = _geometry(image, data.shape, path)
        caveats = (*caveats, *_meaning(image, path))
    return data, geometry, caveats


def _meaning(image: Any, path: Path) -> tuple[Caveat, ...]:
    """What the header says of the values: intent, and a scale that is none."""
    header = image.header
    if "intent_code" not in header:
        return ()
    code = int(header["intent_code"])
    if code in _VECTORS:
        raise ContentError(
            f"{path}: its values are parts of vectors, matrices or colours (intent code {code}); "
            "expected grey values or labels. Export a map of one number a voxel"
        )
    found = []
    if code in _STATISTICS:
        name = str(header.get_intent()[0])
        text = f"{path.name}: its values are a statistic ({name}), not what was measured."
        found.append(Caveat(code="statistic", text=text))
    with ImageOpener(str(path)) as file:
        raw = type(header).from_fileobj(file, check=False)
    slope, intercept = float(raw["scl_slope"]), float(raw["scl_inter"])
    if not slope and intercept and np.isfinite(intercept):
        text = (
            f"{path.name}: scl_inter is {intercept:g} and scl_slope 0, which means no scaling; "
            "values are as stored."
        )
        found.append(Caveat(code="no-slope", text=text))
    return tuple(found)


def _geometry(
    image: Any, shape: tuple[int, ...], path: Path
) -> tuple[Geometry, tuple[Caveat, ...]]:
    """Grid of an image in LPS mm, and what is doubtful about it."""
    header = image.header
    unit = _unit_of_length(header, path)
    scale = _MM_OF_UNIT[unit]
    if len(shape) == 2:
        spacing = [float(step) * scale for step in header.get_zooms()[:2]]
        return Geometry.picture(shape, spacing_mm=None if unit == "unknown" else spacing), ()
    affine = _TURN @ image.affine
    affine[:3] *= scale
    try:
        geometry = Geometry(shape=shape, affine=affine)
    except GeometryError as error:
        raise GeometryError(f"{path}: {error}; export it again with its orientation") from error
    return geometry, _doubts(image, geometry, scale, path)


def _unit_of_length(header: Any, path: Path) -> str:
    if not hasattr(header, "get_xyzt_units"):
        return "mm"
    try:
        return str(header.get_xyzt_units()[0])
    except KeyError as error:
        raise GeometryError(
            f"{path}: xyzt_units is {int(header['xyzt_units'])}, no unit of length; expected mm, "
            "metre or micrometre. Export it again"
        ) from error


def _doubts(image: Any, geometry: Geometry, scale: float, path: Path) -> tuple[Caveat, ...]:
    """Caveats on an orientation that is missing or contradicts itself."""
    header = image.header
    if not hasattr(header, "get_sform"):
        return ()
    if not int(header["sform_code"]) and not int(header["qform_code"]):
        text = f"{path.name}: neither s-form nor q-form is set, so which side is left is not known."
        return (Caveat(code="orientation-unknown", text=text),)
    if int(header["sform_code"]) and int(header["qform_code"]):
        other = _TURN @ header.get_qform()
        other[:3] *= scale
        if not geometry.matches(_like(geometry, other), tolerance_mm=_AGREE_MM):
            text = f"{path.name}: s-form and q-form disagree; the s-form is used."
            return (Caveat(code="forms-disagree", text=text),)
    stated = np.abs(np.array(header.get_zooms()[:3], dtype=np.float64)) * scale
    used = np.array(geometry.spacing_mm)
    if int(header["sform_code"]) and (np.abs(stated / used - 1) > _AGREE_SIZE).any():
        told = (" x ".join(f"{step:.4g}" for step in steps) for steps in (stated, used))
        text = (
            f"{path.name}: pixdim says voxels of {next(told)} mm, the s-form {next(told)} mm; the "
            "s-form is used."
        )
        return (Caveat(code="spacing-contradiction", text=text),)
    return ()


def _like(geometry: Geometry, affine: FloatArray) -> Geometry:
    return Geometry(shape=geometry.shape, affine=affine)


def _write(path: Path, data: AnyArray, geometry: Geometry) -> None:
    """Write an array on its grid; a sheared grid has an s-form only."""
    stored = data.astype(np.uint8) if data.dtype == bool else data
    if geometry.ndim == 2:
        steps = geometry.spacing_mm if geometry.calibrated else (1.0, 1.0)
        image = nib.Nifti1Image(stored, np.diag([-steps[0], -steps[1], 1.0, 1.0]))
        image.header.set_zooms(steps)
        image.header.set_xyzt_units("mm" if geometry.calibrated else "unknown")
    else:
        affine = _TURN @ geometry.affine
        image = nib.Nifti1Image(stored, affine)
        image.set_sform(affine, code=1)
        image.set_qform(
            None if geometry.is_sheared else affine, code=0 if geometry.is_sheared else 1
        )
        image.header.set_xyzt_units("mm")
    with written_whole(path) as temporary:
        nib.save(image, temporary)
