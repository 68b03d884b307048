"""A cohort as a table: ``cases.csv``, one row a case, paths relative to the table."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from onkos.cohort.marked import load_lesions
from onkos.core.answers import ObservedOutcome
from onkos.core.case import Case, Cohort, Glance, known_truths
from onkos.core.errors import CohortError
from onkos.core.mask import Mask
from onkos.core.source import PHANTOM
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume
from onkos.io import glimpse, intake, outline

_ROW = ("case", "patient")
_SIMULATED = "simulated"
_KNOWN = (*_ROW, "mask", "target", "site", "age", "sex", _SIMULATED)
_LABELS_FILE = "labels.json"
_LESIONS_FILE = "lesions.csv"
_ENDINGS = (".gz", ".nii", ".dcm", ".nrrd", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".zip")

_EVENT = {"0": False, "1": True, "no": False, "yes": True, "false": False, "true": True}

Labels = Mapping[str, tuple[int, ...]]


def load_table(path: Path, *, target: str = "target", images: bool = True) -> Cohort:
    """Read a cohort from ``cases.csv``.

    Columns: ``case``, ``patient``, one column an image role (``image``, or ``t1c``, ``flair``,
    ...), and optionally ``mask``, ``target``, ``site``, ``age``, ``sex`` and further
    covariates. A column is a role when it names files; a table may also have none, and then
    its covariates are all there is. An empty cell means: not there. A column ``simulated``
    with ``yes`` marks a phantom; everything made from it then says so. ``target`` is the
    column that holds the reference class; a case without one has no target. Without ``images``
    those need not be there: a table of outlines alone can be judged against.

    A file ``labels.json`` beside the table names the values of the masks, several values
    making one tissue if wanted: ``{"core": [1, 3, 4], "oedema": [2]}``. Without it every value
    keeps its number and is called ``label-<number>``, or ``tumour`` where there is only one.

    A file ``lesions.csv`` beside it lists the lesions of every case, see
    :func:`onkos.cohort.marked.load_lesions`.

    Raises
    ------
    CohortError
        If a column is missing, a case occurs twice, or a named file does not exist.
    """
    rows = _rows(path)
    if target != "target" and target not in rows[0]:
        raise CohortError(f"{path}: no column {target!r}; expected one of {list(rows[0])}")
    roles = _roles(rows, path, required=images)
    labels = named_labels(path.parent / _LABELS_FILE)
    digest = hashlib.sha256(path.read_bytes() + json.dumps(labels).encode())
    listed = path.parent / _LESIONS_FILE
    lesions = load_lesions(listed, [row["case"] for row in rows]) if listed.is_file() else {}
    digest.update(listed.read_bytes() if lesions else b"")
    cases = []
    for number, row in enumerate(rows, start=2):
        where = f"{path}, line {number}"
        files = {role: _file(row[role], path, where) for role in roles if row[role]}
        if images and roles and not files:
            raise CohortError(f"{where}: no image; expected a path in one of {roles}")
        mask = _file(row["mask"], path, where) if row.get("mask") else None
        not_facts = (*_ROW, *roles, "mask", target, _SIMULATED)
        facts = {name: value for name, value in row.items() if value and name not in not_facts}
        for file in (*files.values(), *([mask] if mask else [])):
            digest.update(_identity(file))
        load = partial(load_study, row["patient"], files, facts, simulated=_is_simulated(row))
        cases.append(
            Case(
                id=row["case"],
                patient=row["patient"],
                load=load,
                look=None if _is_folder(files) else partial(look_at, files, facts),
                truths=known_truths(
                    outline=partial(load_truth, mask, load, labels) if mask else None,
                    target=row.get(target) or None,
                    outcome=followed(row),
                    lesions=lesions.get(row["case"]),
                ),
                site=row.get("site", ""),
                covariates={name: value for name, value in facts.items() if name != "site"},
            )
        )
    return Cohort(
        name=path.absolute().parent.name,
        cases=tuple(cases),
        fingerprint=digest.hexdigest(),
        simulated=any(_is_simulated(row) for row in rows),
    )


def load_study(
    patient: str, images: Mapping[str, Path], facts: Mapping[str, str], *, simulated: bool
) -> Study:
    """Open the images of one row, each in its column's role; the other cells are its facts.

    A folder of plain pictures is several images, in roles of their own: ``image/slice-07``.
    """
    volumes: dict[str, Volume] = {}
    studies = []
    for role, path in images.items():
        study = intake.open_study(path)
        if _are_pictures(study):
            volumes |= {f"{role}/{name}": volume for name, volume in study.volumes.items()}
        else:
            volumes[role] = _one_volume(study, role, path)
        studies.append(study)
    return Study(
        patient=Patient(id=patient),
        date=studies[0].date if studies else None,
        volumes=volumes,
        caveats=tuple(
            dict.fromkeys(
                [
                    *([PHANTOM] if simulated else []),
                    *(c for study in studies for c in study.caveats),
                ]
            )
        ),
        uid=studies[0].uid if studies else "",
        facts=facts,
    )


def look_at(images: Mapping[str, Path], facts: Mapping[str, str]) -> Glance:
    """What is known of one row without reading pixels."""
    dimensions = {role: glimpse.dimensions(path) for role, path in images.items()}
    return Glance(
        roles=tuple(images),
        dimensions={role: known for role, known in dimensions.items() if known},
        facts=facts,
    )


def followed(row: Mapping[str, str]) -> ObservedOutcome | None:
    """Follow-up in the columns ``time`` and ``event``; None where they do not tell it."""
    event = _EVENT.get(row.get("event", "").lower().removesuffix(".0"))
    try:
        time = float(row.get("time", ""))
    except ValueError:
        return None
    if event is None or not (math.isfinite(time) and time >= 0):
        return None
    return ObservedOutcome(time=time, event=event)


def load_truth(path: Path, load: partial[Study], labels: Labels) -> Mask:
    """Open a reference outline; its values get the names the table's labels give them."""
    return outline.read(path, labels=labels, study=load)


def _rows(path: Path) -> list[dict[str, str]]:
    """Rows of the table, every cell stripped; refuses a table without its columns."""
    if not path.is_file():
        raise CohortError(f"{path}: no such table; expected a file cases.csv with {list(_ROW)}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            cells = [[cell.strip() for cell in row] for row in csv.reader(handle, strict=True)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CohortError(f"{path}: not a table of comma-separated UTF-8 text: {error}") from error
    header, *rows = [row for row in cells if any(row)] or [[]]
    missing = [name for name in _ROW if name not in header]
    if missing or len(set(header)) != len(header):
        raise CohortError(f"{path}: columns {header}; expected {list(_ROW)}, each column once")
    if not rows:
        raise CohortError(f"{path}: no cases")
    for number, cut in enumerate(rows, start=2):
        if len(cut) != len(header):
            raise CohortError(
                f"{path}, line {number}: {len(cut)} cells under {len(header)} columns; "
                "give each line as many commas as the first"
            )
    table = [dict(zip(header, row, strict=True)) for row in rows]
    for number, row in enumerate(table, start=2):
        if not row["case"] or not row["patient"]:
            raise CohortError(f"{path}, line {number}: case and patient must not be empty")
        if not set(row["case"]).isdisjoint("/\\\0") or row["case"] in (".", ".."):
            raise CohortError(
                f"{path}, line {number}: case {row['case']!r} cannot name a file; "
                "use letters, digits, '-' and '_'"
            )
    return table


def _roles(rows: list[dict[str, str]], path: Path, *, required: bool) -> tuple[str, ...]:
    """Columns that name files: the image roles, in the table's order; none without any image."""
    roles = tuple(
        name
        for name in rows[0]
        if name not in _KNOWN
        and any(row[name] and (path.parent / row[name]).exists() for row in rows)
    )
    meant = any(_looks_like_images(name, rows) for name in rows[0] if name not in _ROW)
    if required and meant and not roles:
        raise CohortError(
            f"{path}: none of the columns {list(rows[0])} names files that exist; expected "
            "'image' or one column a role (t1c, flair, ...), paths relative to the table"
        )
    return roles


def _looks_like_images(name: str, rows: list[dict[str, str]]) -> bool:
    """Whether a column that is no role was meant to name images, or outlines of them."""
    cells = [row[name] for row in rows if row[name]]
    return bool(cells) and (
        name == "image" or any("/" in cell or Path(cell).suffix in _ENDINGS for cell in cells)
    )


def _is_simulated(row: Mapping[str, str]) -> bool:
    """Whether a row is marked as a phantom."""
    return row.get(_SIMULATED, "").lower() in ("yes", "true", "1")


def named_labels(path: Path) -> Labels:
    """Names of mask values from ``labels.json``; empty without the file."""
    if not path.is_file():
        return {}
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        labels = {str(name): tuple(int(v) for v in values) for name, values in plain.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise CohortError(
            f'{path}: expected {{"core": [1, 4], "oedema": [2]}}, names to lists of values: {error}'
        ) from error
    values = [value for group in labels.values() for value in group]
    if len(set(values)) != len(values) or min(values, default=1) < 1:
        raise CohortError(f"{path}: values {values}; expected each value once, from 1 on")
    return labels


def _file(cell: str, table: Path, where: str) -> Path:
    """Path in a cell; refuses one that does not exist."""
    path = table.parent / cell
    if not path.exists():
        raise CohortError(f"{where}: {cell} does not exist beside the table; correct the path")
    return path


def _is_folder(files: Mapping[str, Path]) -> bool:
    """Whether only opening the images of a row tells which there are."""
    return any(path.is_dir() for path in files.values())


def _identity(path: Path) -> bytes:
    """What changes when a file or folder does: names, sizes and times."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    states = [(file, file.stat()) for file in files]
    return "".join(f"{file}|{s.st_size}|{s.st_mtime_ns}\n" for file, s in states).encode()


def _are_pictures(study: Study) -> bool:
    """Whether a study is a folder of several plain pictures, none of which is the one meant."""
    flat = all(volume.geometry.ndim == 2 for volume in study.volumes.values())
    return flat and len(study.volumes) > 1


def _one_volume(study: Study, role: str, path: Path) -> Volume:
    """Choose the volume meant: the one in that role, or the only one there is."""
    if role in study.volumes:
        return study.volumes[role]
    if len(study.volumes) == 1:
        return next(iter(study.volumes.values()))
    raise CohortError(
        f"{path}: holds images {sorted(study.volumes)}, none of them {role!r}; "
        "name the file or folder of that one series"
    )
