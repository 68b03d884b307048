"""Files that are written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from onkos.core.plain import to_plain


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it there if the block ends well.

    A killed or failed block leaves what stood at ``path`` before as it was. The temporary name
    keeps the suffixes of ``path``, for libraries that choose a format by them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    suffixes = "".join(path.suffixes)
    handle, name = tempfile.mkstemp(prefix=".onkos-", suffix=suffixes, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a core value or plain data as JSON, whole or not at all."""
    text = json.dumps(to_plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_table(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write rows as comma-separated text with a header, whole or not at all.

    The columns are those of all rows, in order of first appearance; what a row lacks is empty.
    """
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
