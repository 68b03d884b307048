"""docs/api: every public name and every module of the rooms it covers stands there, and once."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import onkos

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PAGES = {path: path.read_text() for path in DOCS.rglob("*.md") if "_build" not in path.parts}
NAMED = Counter(
    name for text in PAGES.values() for name in re.findall(r"^\.\. auto\w+:: (\S+)", text, re.M)
)
COVERED = ("core", "stats", "clinic")
#: What other modules are made of, and nobody calls by itself.
WITHIN = {
    "core.plain", "core.sampling", "core.version", "stats.agreement.measurements",
    "stats.agreement.resample", "stats.consensus.confusion", "stats.consensus.patterns",
    "stats.elements", "stats.nearest", "stats.survival.ipcw", "stats.survival.kernels",
    "stats.survival.partial",
}  # fmt: skip


def test_every_public_name_stands_in_the_table():
    table = (DOCS / "api" / "index.md").read_text()
    assert set(re.findall(r"`onkos\.(\w+)`", table)) == set(onkos.__all__)


def test_every_module_of_the_covered_rooms_stands_on_one_page():
    rooms = REPOSITORY / "src" / "onkos"
    modules = {
        ".".join(path.relative_to(rooms).with_suffix("").parts)
        for room in COVERED
        for path in (rooms / room).rglob("*.py")
        if path.name != "__init__.py"
    }
    missing = {one for one in modules - WITHIN if NAMED[f"onkos.{one}"] != 1}
    assert missing == set(), "give each of them a line on a page of docs/api"
    assert modules >= WITHIN


def test_what_a_page_names_exists_and_is_described_once():
    for name, times in NAMED.items():
        assert times == 1, name
        home, _, last = name.rpartition(".")
        assert hasattr(import_module(home), last) or import_module(name), name


def test_every_page_is_reached_from_the_index():
    listed = {DOCS / "index.md"}
    for page in [DOCS / "index.md", DOCS / "api" / "index.md"]:
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```", PAGES[page], re.M | re.S):
            names = [line for line in tree.splitlines() if line and not line.startswith(":")]
            listed |= {page.parent / f"{name}.md" for name in names}
    assert {page for page in PAGES if "examples" not in page.parts} == {
        page for page in listed if "examples" not in page.parts
    }
