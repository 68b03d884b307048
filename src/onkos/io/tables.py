"""Tables of numbers and text as files: CSV for people, Parquet for size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow
from pyarrow import parquet

from onkos.core.errors import UsageError
from onkos.io.whole import write_table, written_whole

Cell = str | float | int
ENDINGS = (".csv", ".parquet")


def write(path: Path, rows: Sequence[Mapping[str, Cell]]) -> None:
    """Write rows to ``.csv`` or ``.parquet``, whole or not at all.

    Numbers keep all their digits; one that does not exist is an empty cell, null in Parquet.

    Raises
    ------
    UsageError
        If the path ends otherwise.
    """
    require_known(path)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".csv":
        header = dict.fromkeys(columns, "")
        write_table(path, [header | {n: _text(v) for n, v in row.items()} for row in rows])
        return
    held = {name: [_known(row.get(name)) for row in rows] for name in columns}
    with written_whole(path) as temporary:
        parquet.write_table(pyarrow.table(held), temporary)


def require_known(path: Path) -> None:
    """Refuse a path that no table can be written to, before any work is done for it."""
    if path.suffix not in ENDINGS:
        raise UsageError(f"{path}: expected a table's name, ending in one of {', '.join(ENDINGS)}")


def _text(value: Cell) -> str:
    return "" if isinstance(value, float) and math.isnan(value) else str(value)


def _known(value: Cell | None) -> Cell | None:
    return None if isinstance(value, float) and math.isnan(value) else value
