"""A result as a folder: everything a reading or a comparison leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from onkos.clinic.lesions import separate
from onkos.core.case import Cohort
from onkos.core.comparison import Comparison
from onkos.core.errors import ContentError
from onkos.core.findings import Lesion
from onkos.core.mask import Mask
from onkos.core.reading import Reading
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.io import export, intake, nifti, results
from onkos.io.whole import write_text
from onkos.report import comparison as comparison_page
from onkos.report import gallery
from onkos.report import reading as reading_page

_GALLERY = "gallery.json"


def write_reading(folder: Path, reading: Reading) -> tuple[Path, ...]:
    """Write ``reading.json``, the outline, the structured report and ``report.html``.

    From a DICOM study the outline is written as ``seg.dcm`` and ``rtstruct.dcm`` and the
    measurements as ``sr.dcm``; from other files, and from a single picture, the outline is
    written as ``mask.nii.gz``, since these objects must name the slices they were drawn on.

    Returns
    -------
    tuple of Path
        What was written, the report last.
    """
    written = [folder / "reading.json"]
    results.write_reading(written[0], reading)
    written += _write_outline(folder, reading)
    page = folder / "report.html"
    write_text(page, reading_page.render(reading))
    return (*written, page)


def write_comparison(
    folder: Path, comparison: Comparison, cohort: Cohort | None = None
) -> tuple[Path, ...]:
    """Write ``comparison.json`` and ``report.html``.

    With the cohort at hand the cases that every arm gets wrong are drawn from its images and
    their pictures kept in ``gallery.json``.

    Returns
    -------
    tuple of Path
        What was written, the report last.
    """
    written = [folder / "comparison.json"]
    results.write_comparison(written[0], comparison)
    if cohort is not None:
        written.append(folder / _GALLERY)
        gallery.write(written[-1], gallery.drawn(comparison, cohort))
    return (*written, _write_page(folder, comparison))


def rewrite_comparison(folder: Path) -> Path:
    """Make ``report.html`` again from ``comparison.json`` and the pictures kept beside it.

    Raises
    ------
    ContentError
        If the folder holds no comparison, or a file of it is damaged.
    """
    return _write_page(folder, results.load_comparison(folder / "comparison.json"))


def load_reading(folder: Path, study: Study) -> Reading:
    """Take up a reading from its folder and the study it was made of.

    Raises
    ------
    ContentError
        If the folder holds no reading, or the study is another one.
    """
    saved = results.load_reading(folder / "reading.json")
    if (saved.patient, saved.study_uid) != (study.patient.id, study.uid):
        raise ContentError(
            f"{folder}: reading of patient {saved.patient}, study {saved.study_uid}; the study "
            f"given is of {study.patient.id}, {study.uid}. Give the study that was read"
        )
    names = {int(label): str(name) for label, name in saved.card["tissues"].items()}
    mask = _read_outline(folder, study.volume(saved.reference), names)
    return Reading(
        study=study,
        reference=saved.reference,
        mask=mask,
        lesions=_placed(saved.lesions, mask),
        classes=saved.classes,
        stage=saved.stage,
        caveats=saved.caveats,
        card=saved.card,
        provenance=saved.provenance,
    )


def _write_page(folder: Path, comparison: Comparison) -> Path:
    """Write the page of a comparison, with the pictures that the folder keeps."""
    page = folder / "report.html"
    shots = gallery.load(folder / _GALLERY, comparison)
    write_text(page, comparison_page.render(comparison, shots))
    return page


def _write_outline(folder: Path, reading: Reading) -> list[Path]:
    """Outline and measurements in the formats the study allows."""
    volume = reading.study.volume(reading.reference)
    if reading.mask is None:
        return []
    if volume.source is None or volume.geometry.ndim == 2:
        path = folder / "mask.nii.gz"
        nifti.write_mask(path, reading.mask)
        return [path]
    masks, study, provenance = [reading.mask], reading.study, reading.provenance
    paths = [folder / name for name in ("seg.dcm", "rtstruct.dcm", "sr.dcm")]
    outline = export.seg.write(
        paths[0], masks=masks, volume=volume, study=study, provenance=provenance
    )
    export.rtstruct.write(paths[1], masks=masks, volume=volume, study=study, provenance=provenance)
    export.sr.write(paths[2], reading=reading, outline=outline)
    return paths


def _read_outline(folder: Path, volume: Volume, names: Mapping[int, str]) -> Mask | None:
    """Find the outline of a saved reading: SEG, else NIfTI, else none."""
    if (folder / "seg.dcm").is_file():
        masks = intake.read_masks(folder / "seg.dcm", (volume,))
        return masks[0] if masks else None
    if (folder / "mask.nii.gz").is_file():
        return nifti.read_mask(folder / "mask.nii.gz", names=names)
    return None


def _placed(lesions: tuple[Lesion, ...], mask: Mask | None) -> tuple[Lesion, ...]:
    """Give saved lesions their outlines back; the order of separation is the saved order."""
    parts = separate(mask)[0] if mask is not None else ()
    if len(parts) != len(lesions):
        raise ContentError(
            f"the reading lists {len(lesions)} lesions, its outline holds {len(parts)}; "
            "the folder was changed since. Read the study again"
        )
    return tuple(replace(lesion, where=part) for lesion, part in zip(lesions, parts, strict=True))
