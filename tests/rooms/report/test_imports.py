"""The report computes nothing: what it may know of the rooms below it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from onkos.report import figures

ROOM = Path(figures.__file__).parents[1]
READER_STUDIES = ("readers.py", "agreement.py")  # pages of results that are no judgement
MAY = {"folder.py": {"onkos.clinic.lesions"}}  # lesions of a saved reading get their outlines back
DATA = "onkos.judge.measures"


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize(
    "path",
    sorted(p for p in ROOM.rglob("*.py") if p.parent != ROOM or p.name not in READER_STUDIES),
    ids=lambda path: str(path.relative_to(ROOM)),
)
def test_no_module_computes_statistics_or_parses_prose(path):
    rooms = ("onkos.stats", "onkos.arms", "onkos.clinic", "onkos.judge", "onkos.classic")
    computing = {
        name for name in imported(path) if name.startswith(rooms) and name != DATA
    } - MAY.get(path.name, set())
    assert computing == set()
    assert "re" not in imported(path) or path.name == "sheet.py"  # SVG text, not prose
