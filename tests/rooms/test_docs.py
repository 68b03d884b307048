"""The pages: examples print what is said, names exist, pictures and notebooks are in order."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

from golden.test_missed_lesions import table

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
PAGE = ROOT / "docs" / "statistics.md"
TEXT = PAGE.read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", TEXT, re.M | re.S)
TITLES = [re.search(r"from onkos\.stats\.(\S+)", code)[1] for code, _ in EXAMPLES]


@pytest.mark.parametrize(("code", "said"), EXAMPLES, ids=TITLES)
def test_the_example_prints_what_the_page_says(code, said, capsys):
    assert said, "an example shows its output"
    exec(compile(code, str(PAGE), "exec"), {})  # noqa: S102 - our own page
    assert capsys.readouterr().out == said


def test_the_page_has_an_example_for_each_part():
    assert TEXT.count("```python") == len(EXAMPLES) == 14


def test_the_table_of_missed_lesions_is_computed():
    said = re.findall(r"^\| (\d+) \| ([\d.]+) \| (\d+) \| (.+?) \| (\d+) \| (\d+) \|$", TEXT, re.M)
    made = [
        (str(missed), f"{dropped:.1f}", str(kept), str(ours), str(ours.n), str(ours.missed))
        for missed, dropped, kept, ours in table()
    ]
    assert said == made


def test_every_module_and_function_the_page_names_exists():
    for name in re.findall(r"^\| [^|]+ \| (`.+?) \|", TEXT, re.M):
        for word in re.findall(r"`([\w.]+)`", name):
            assert _is_there(word), word


def _is_there(word: str) -> bool:
    room = PAGE.parents[1] / "src" / "onkos" / "stats"
    parts = word.split(".")
    if (path := room.joinpath(*parts)).is_dir() or path.with_suffix(".py").is_file():
        return True
    module = room.joinpath(*parts[:-1]).with_suffix(".py")
    return module.is_file() and bool(
        re.search(rf"^(?:def|class) {parts[-1]}\b", module.read_text(), re.M)
    )


def test_the_picture_of_the_rooms_is_that_of_the_layers():
    spec = importlib.util.spec_from_file_location(
        "rooms_picture", ROOT / "scripts/rooms_picture.py"
    )
    script = importlib.util.module_from_spec(spec)
    sys.modules["rooms_picture"] = script  # its dataclasses look themselves up
    try:
        spec.loader.exec_module(script)
        rows = script.layers()
        assert script.drawn(rows) == script.PICTURE.read_text(), "run scripts/rooms_picture.py"
    finally:
        del sys.modules["rooms_picture"]
    planned = {room.name for row in rows for room in row if room.planned}
    rooms = {path.stem for path in (ROOT / "src" / "onkos").iterdir() if path.stem[0] != "_"}
    assert {room.name for row in rows for room in row} - planned == rooms - {"py"}


def test_the_page_on_architecture_names_what_is_there():
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.partition("## Types")[2].partition("## What goes where")[0]
    source = "\n".join(p.read_text() for p in (ROOT / "src" / "onkos" / "core").glob("*.py"))
    for row in re.findall(r"^\| (`[A-Z].+?) \|", table, re.M):
        for name in re.findall(r"`(\w+)`", row):
            assert re.search(rf"^class {name}\b", source, re.M), name
    for name in re.findall(r"`((?:\w+/)+)`", text.partition("## What goes where")[2]):
        assert (ROOT / "src" / "onkos" / name).is_dir(), name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_short_clean_and_says_phantom(path):
    book = json.loads(path.read_text())
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    cells = book["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    prose = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert "phantom" in prose
    assert cells[0]["source"][0].startswith("# ")
    assert "## Where to go next" in "".join(cells[-1]["source"])
    for page in re.findall(r"\]\(([\w./-]+\.md)", prose):
        assert (ROOT / "docs" / "examples" / page).resolve().is_file(), page
    for other in re.findall(r"\]\(([\w-]+\.ipynb)\)", prose):
        assert (path.parent / other).is_file(), other


def test_all_five_notebooks_are_there():
    assert [path.stem for path in NOTEBOOKS] == [
        "compare", "open_a_study", "radiomics", "read_and_report", "reader_study"
    ]  # fmt: skip


@pytest.mark.parametrize("stem", ["open_a_study", "reader_study"])
def test_a_notebook_runs_from_the_first_cell_to_the_last(stem, tmp_path, monkeypatch, capsys):
    """The others are run when the pages are built; these are quick."""
    monkeypatch.chdir(tmp_path)
    book = json.loads((ROOT / "examples" / f"{stem}.ipynb").read_text())
    names: dict[str, object] = {}
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            code = compile("".join(cell["source"]), f"{stem}, {cell['id']}", "exec")
            exec(code, names)  # noqa: S102 - our own notebook
    assert "phantom" in capsys.readouterr().out
