"""docs/statistics.md: every example runs and prints what the page says, and so does its table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from golden.test_missed_lesions import table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "statistics.md"
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
