"""mini-MIAS: digitised mammograms, each lesion with a circle round it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from onkos.cohort.layouts.alike import joined
from onkos.cohort.layouts.folder import cohort_of, file_in, found
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import CohortError, ContentError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume
from onkos.io import picture

SETS = ("breast-mammo-mias", "all-mias")
_TABLE = "Info.txt"
_SIDE, _PIXEL_MM = 1024, 0.2  # of the published pictures, whose coordinates the table gives
_SMALLEST_MM = 1.0  # radius of a circle that is described
_ROW = re.compile(
    r"(?P<film>mdb(?P<number>\d{3}))\s+(?P<tissue>[FGD])\s+(?P<kind>[A-Z]{4})"
    r"(?:\s+(?P<severity>[BM]))?(?:\s+(?P<x>\d+)\s+(?P<y>\d+)\s+(?P<radius>\d+))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Film:
    """What the table says of a film, all its lesions together."""

    number: int
    tissue: str
    severity: str
    circles: tuple[tuple[int, int, int], ...]

    @property
    def widest_mm(self) -> float:
        """Radius of the largest circle; 0 without one."""
        return _PIXEL_MM * max((radius for _, _, radius in self.circles), default=0)

    @property
    def woman(self) -> str:
        """Films are numbered in pairs, odd and even, of one woman."""
        return f"woman-{(self.number + 1) // 2:03d}"


def mias(data: Path) -> Cohort:
    """Normal and abnormal mammograms, whole films.

    Target: whether anything is marked on the film, benign or malignant. A patient is a woman,
    whose two films are numbered odd and even, and women of whom two films are nearly equal count
    as one; a case is a film. Pictures of any size that show
    the whole square film are taken, ``images_512/*.png`` or the published ``*.pgm``. Research
    only (MIAS licence agreement).

    Raises
    ------
    CohortError
        If the folder, its table ``Info.txt`` or all pictures are missing, or a film is not in
        the table.

    References
    ----------
    Suckling J et al. The Mammographic Image Analysis Society digital mammogram database.
    Excerpta Medica International Congress Series 1994;1069:375-378 (has no DOI).
    """
    folder = found(data, *SETS, holds=_TABLE)
    cases = [
        _case(path, film, target="abnormal" if film.severity else "normal")
        for path, film in _films(folder)
    ]
    return cohort_of(joined(cases), name=SETS[0], folder=folder)


def mias_severity(data: Path) -> Cohort:
    """Benign and malignant findings on the films of :func:`mias`, each within its circle.

    Target: the severity in the table; malignant where a film has both. The outline is the
    circle of the table, or several: it tells where and how large, nothing of the shape. Films
    whose finding has no circle (widespread calcifications), or only one of less than 1 mm
    radius (``mdb212``), which holds too few pixels to describe, are left out.

    Raises
    ------
    CohortError
        As :func:`mias`.
    """
    folder = found(data, *SETS, holds=_TABLE)
    cases = [
        _case(path, film, target={"B": "benign", "M": "malignant"}[film.severity], outlined=True)
        for path, film in _films(folder)
        if film.severity and film.widest_mm >= _SMALLEST_MM
    ]
    return cohort_of(joined(cases), name=f"{SETS[0]}-severity", folder=folder)


def _films(folder: Path) -> Iterator[tuple[Path, _Film]]:
    """Pictures with what the table says of them."""
    table = _table(file_in(folder, _TABLE))
    paths = [*sorted((folder / "images_512").glob("mdb*.png")), *sorted(folder.glob("mdb*.pgm"))]
    for path in paths:
        if path.stem not in table:
            raise CohortError(f"{path}: a film that {_TABLE} does not list; get the set whole")
        yield path, table[path.stem]


def _table(path: Path) -> Mapping[str, _Film]:
    rows = defaultdict(list)
    for line in path.read_text(encoding="latin-1").splitlines():
        if match := _ROW.match(line.strip()):
            rows[match["film"]].append(match)
    return {
        film: _Film(
            number=int(found[0]["number"]),
            tissue=found[0]["tissue"],
            severity=max(row["severity"] or "" for row in found),
            circles=tuple((int(r["x"]), int(r["y"]), int(r["radius"])) for r in found if r["x"]),
        )
        for film, found in rows.items()
    }


def _case(path: Path, film: _Film, *, target: str, outlined: bool = False) -> Case:
    facts = {"tissue": film.tissue}
    return Case(
        id=path.stem,
        patient=film.woman,
        load=partial(_study, path, film.woman, facts),
        truths=known_truths(
            outline=partial(_circles, path, film.circles) if outlined else None, target=target
        ),
        covariates=facts,
    )


def _study(path: Path, woman: str, facts: Mapping[str, str]) -> Study:
    return Study(patient=Patient(id=woman), volumes={"image": _picture(path)}, facts=facts)


def _picture(path: Path) -> Volume:
    """Read the film; its pixel size follows from that of the published 1024 x 1024."""
    volume = picture.read(path, modality="MG")
    wide, high = volume.geometry.shape
    if wide != high:
        raise ContentError(f"{path}: {wide} x {high} pixels; expected the whole square film")
    step = _PIXEL_MM * _SIDE / wide
    return replace(volume, geometry=Geometry.picture((wide, high), spacing_mm=(step, step)))


def _circles(path: Path, circles: Sequence[tuple[int, int, int]]) -> Mask:
    """Circles of a film; the table counts y from the bottom."""
    geometry = _picture(path).geometry
    scale = geometry.shape[0] / _SIDE
    i, j = np.ogrid[: geometry.shape[0], : geometry.shape[1]]
    inside = np.zeros(geometry.shape, dtype=bool)
    for x, y, radius in circles:
        far = np.hypot(i - x * scale, j - (_SIDE - y) * scale)
        inside |= far <= max(radius * scale, 1.0)
    return Mask(labels=inside, geometry=geometry, names={1: "finding"})
