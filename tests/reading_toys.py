"""Readings of several readers, as tables and as masks, for the tests of agreement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.io import nifti

TILT = np.array([[0.9, -0.1, 0.0], [0.1, 0.9, 0.2], [0.0, -0.2, 0.95]])
GRID = Geometry.upright(
    (22, 19, 9),
    spacing_mm=(1.1, 0.9, 3.0),
    origin_mm=(-12.0, 30.0, 5.0),
    directions=np.linalg.qr(TILT)[0],
)


def write_long(path: Path, rows: Sequence[Sequence[object]], *, head: str) -> Path:
    """A table with a header."""
    lines = [head, *(",".join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rated_rows(
    data: Sequence[Sequence[object]], *, readers: str = "ABCDEFGH"
) -> list[tuple[str, str, object]]:
    """Rows (case, reader, rating) of cases by readers; None is left empty."""
    return [
        (f"P{case}", readers[at], "" if cell is None else cell)
        for case, row in enumerate(data, start=1)
        for at, cell in enumerate(row)
    ]


def ball(
    centre: Sequence[float], radius_mm: float, *, grid: Geometry = GRID, value: int = 1
) -> Mask:
    """A ball around an index."""
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    far = np.linalg.norm(grid.to_mm(index) - grid.to_mm(centre), axis=-1)
    labels = np.where(far <= radius_mm, value, 0).astype(np.uint8)
    return Mask(labels=labels, geometry=grid, names={value: f"label-{value}"})


def write_folders(root: Path, cases: dict[str, dict[str, Mask]]) -> list[Path]:
    """A folder a reader, ``CASE.nii.gz`` in it; gives the folders."""
    for case, of in cases.items():
        for reader, mask in of.items():
            nifti.write_mask(root / reader / f"{case}.nii.gz", mask)
    return sorted(path for path in root.iterdir() if path.is_dir())


def drawn(n: int, *, readers: str = "ABC", seed: int = 0) -> dict[str, dict[str, Mask]]:
    """Balls that readers draw a little differently."""
    rng = np.random.default_rng(seed)
    found = {}
    for case in range(n):
        centre = np.array([10.0, 9.0, 4.0]) + rng.normal(0, 0.5, 3)
        found[f"case{case}"] = {
            reader: ball(centre + rng.normal(0, 0.4, 3), 6 + rng.normal(0, 0.5))
            for reader in readers
        }
    return found
