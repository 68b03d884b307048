"""Features of one image or of a whole cohort, as a table; what was finished is kept."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from onkos.core.case import Case, Cohort
from onkos.core.code import code_digest
from onkos.core.errors import CohortError, ContentError, GeometryError, UsageError
from onkos.core.mask import Mask
from onkos.core.plain import to_plain
from onkos.core.source import Caveat
from onkos.core.study import Study
from onkos.core.version import __version__
from onkos.core.volume import Volume
from onkos.features.radiomics import Settings, radiomics
from onkos.features.radiomics.pyradiomics import (
    Difference,
    Translation,
    is_parameters,
    translate,
)
from onkos.io import intake, outline, results
from onkos.io.tables import Cell
from onkos.io.whole import write_json

_KEPT = 0.98  # of an outline's volume, below which an image does not hold it

Row = dict[str, Cell]
Refusal = dict[str, str]
Answer = tuple[list[Row], list[Refusal]]
Run = Callable[[Callable[[Case], Answer], Iterable[Case]], Iterable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings of a file, and what was translated if it was PyRadiomics'."""

    settings: Settings
    translation: Translation | None = None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What differs from PyRadiomics; none where the settings are ours."""
        return () if self.translation is None else self.translation.differences


def load(path: Path | None) -> Loaded:
    """Settings of the extraction from TOML, JSON or YAML, ours or PyRadiomics'.

    The defaults without a file.

    Raises
    ------
    UsageError
        If the file is none of them, or a key or value is unknown or cannot be followed.
    """
    if path is None:
        return Loaded(settings=Settings())
    plain = _plain(path)
    try:
        if not is_parameters(plain):
            return Loaded(settings=Settings.from_plain(plain))
        made = translate(plain)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    return Loaded(settings=made.settings, translation=made)


def load_settings(path: Path | None) -> Settings:
    """Settings of a file of ours; the defaults without one.

    Raises
    ------
    UsageError
        As :func:`load`, and for a parameter file of PyRadiomics, whose differences would be lost.
    """
    loaded = load(path)
    if loaded.translation is not None:
        raise UsageError(
            f"{path}: parameters of PyRadiomics; expected settings of ours. `onkos features` "
            "translates them, tells what differs, and writes TABLE.settings.json to use here"
        )
    return loaded.settings


def write_translation(loaded: Loaded, table: Path) -> tuple[Path, ...]:
    """Keep beside a table what PyRadiomics' parameters became; nothing for settings of ours."""
    made = loaded.translation
    if made is None:
        return ()
    settings = table.with_suffix(".settings.json")
    told = table.with_suffix(".pyradiomics.json")
    write_json(settings, made.settings.to_plain())
    write_json(told, {"columns": dict(made.columns), "differences": to_plain(made.differences)})
    return settings, told


def _plain(path: Path) -> dict[str, Any]:
    """Table of a file by its suffix."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() in (".yaml", ".yml"):
            plain = yaml.safe_load(text)
        else:
            plain = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: no settings as TOML, JSON or YAML: {error}") from error
    if not isinstance(plain, dict):
        raise UsageError(f"{path}: holds {type(plain).__name__}; expected a table of settings")
    return plain


def of_image(image: Path, mask: Path, settings: Settings) -> list[Row]:
    """Features of every region of a mask in an image.

    The mask may be NIfTI, NRRD, DICOM SEG or RTSTRUCT; structures that overlap are rows like
    any others.

    Raises
    ------
    ContentError
        If the image holds several series, or the mask holds no region.
    """
    volume, masks = opened(image, mask)
    rows = [row for one in masks for row in _rows(volume, one, settings)]
    if not rows:
        raise ContentError(f"{mask}: holds no region; expected an outline")
    return rows


def opened(image: Path, outlines: Path) -> tuple[Volume, Sequence[Mask]]:
    """Open an image and all outlines of a file: NIfTI, NRRD, DICOM SEG or RTSTRUCT.

    Raises
    ------
    ContentError
        If the image holds several series, or a file is damaged.
    """
    study = intake.open_study(image)
    if len(study.volumes) != 1:
        raise ContentError(
            f"{image}: holds images {sorted(study.volumes)}; expected one, name its own folder"
        )
    (volume,) = study.volumes.values()
    if outlines.is_dir() or outlines.suffix.lower() in ("", ".dcm"):
        return volume, intake.read_masks(outlines, (volume,))
    return volume, [outline.read(outlines, labels={}, study=lambda: study)]


def of_cohort(
    cohort: Cohort,
    settings: Settings,
    kept: Path,
    progress: Callable[[int, int], None],
    *,
    run: Run = map,
) -> tuple[list[Row], list[Refusal]]:
    """Features of every region of every image of every case, and which cases were refused.

    What a case gave is kept in a folder as soon as it is there, so a killed run goes on; it
    counts for the same files, settings and code only.

    Parameters
    ----------
    cohort
        Cases with outlines.
    settings
        Of the extraction.
    kept
        Folder for finished cases.
    progress
        Called after each case with (finished, all).
    run
        ``map``, or the ``map`` of an executor.
    """
    said = json.dumps([settings.hash, cohort.fingerprint, code_digest(_part)])
    key = hashlib.sha256(said.encode()).hexdigest()[:16]
    rows: list[Row] = []
    refused: list[Refusal] = []
    work = partial(_attempt, settings=settings, kept=kept, key=key)
    for number, (found, refusal) in enumerate(run(work, cohort.cases), start=1):
        rows += found
        refused += refusal
        progress(number, len(cohort.cases))
    return rows, refused


@contextmanager
def running(processes: int) -> Iterator[Run]:
    """Give a ``map`` over so many processes; a stop ends those that wait.

    Raises
    ------
    UsageError
        If they are fewer than one.
    """
    if processes < 1:
        raise UsageError(f"{processes} processes: expected 1 or more")
    if processes == 1:
        yield map
        return
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def _attempt(case: Case, *, settings: Settings, kept: Path, key: str) -> Answer:
    """Rows of a case, or why it was refused."""
    try:
        return _part(kept / f"{case.id}-{key}.json", case, settings), []
    except (CohortError, ContentError, GeometryError) as error:
        refusal = {"case": case.id, "error": type(error).__name__, "reason": str(error)}
        return [], [refusal]


def _part(part: Path, case: Case, settings: Settings) -> list[Row]:
    """Rows of a case: those kept, else those extracted now."""
    try:
        stored: list[dict[str, Cell | None]] = results.read_json(part)
        return [{k: float("nan") if v is None else v for k, v in row.items()} for row in stored]
    except ContentError:
        pass
    study, truth = case.study, case.outline
    _require_grid(study, truth)
    rows: list[Row] = []
    for role, volume in study.volumes.items():
        head: Row = {"case": case.id, "patient": case.patient, "role": role}
        found = _rows(volume, _brought(truth, volume), settings)
        rows += [head | row for row in found]
    if not rows:
        raise ContentError("its outline holds no region; outline it, or leave the case out")
    write_json(part, rows)
    return rows


def _require_grid(study: Study, truth: Mask) -> None:
    """Refuse an outline on a grid that none of the case's images has: it may lie anywhere.

    Raises
    ------
    GeometryError
        With both grids.
    """
    grids = [volume.geometry for volume in study.volumes.values()]
    if grids and not any(grid.matches(truth.geometry) for grid in grids):
        raise GeometryError(
            f"its outline lies on a grid of {truth.geometry}, its images on "
            f"{' and '.join(dict.fromkeys(str(grid) for grid in grids))}; draw it on one of the "
            "images, or resample it there first"
        )


def _brought(truth: Mask, volume: Volume) -> Mask:
    """The outline on the grid of another image, with a caveat where that does not hold it."""
    mask = truth.on(volume.geometry)
    if volume.geometry.matches(truth.geometry) or truth.geometry.ndim == 2:
        return mask
    before, after = (
        float(np.count_nonzero(one.labels)) * one.geometry.voxel_ml for one in (truth, mask)
    )
    if after >= _KEPT * before:
        return mask
    text = (
        f"Of {before:.3g} ml outlined, {after:.3g} ml lie within this image; features are those of "
        "that part."
    )
    return replace(mask, caveats=(*mask.caveats, Caveat(code="outline-cut", text=text)))


def _rows(volume: Volume, mask: Mask, settings: Settings) -> list[Row]:
    """One row a region: its name, its features, how and with what they were made."""
    table = radiomics(volume, mask, settings)
    made: dict[str, Any] = {"settings": settings.hash[:16], "onkos": __version__}
    return [
        {
            "label": label,
            **dict(zip(table.columns, values.tolist(), strict=True)),
            **made,
            "caveats": "; ".join(
                str(caveat)
                for caveat in dict.fromkeys(
                    (*mask.caveats_of(label), *table.caveats.get(label, ()))
                )
            ),
        }
        for label, values in zip(table.labels, table.values, strict=True)
    ]
