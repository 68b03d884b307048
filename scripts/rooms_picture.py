"""Draw docs/pictures/rooms.svg: the rooms of src/onkos, one above the other.

Usage: python scripts/rooms_picture.py [--out FILE]

The rooms come from the layers in pyproject.toml that import-linter holds the code to; a test
compares the picture with them. Those in brackets are not there yet: their frames are dashed.
"""

from __future__ import annotations

import argparse
import tomllib
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURE = REPOSITORY / "docs" / "pictures" / "rooms.svg"

#: What each room holds, in a few words.
SAYS = {
    "cli": "commands, thin",
    "serve": "web service",
    "fit": "a method on a whole cohort",
    "evaluate": "finished predictions judged",
    "agree": "readers held against each other",
    "compare": "arms on the same folds",
    "read": "one patient's study",
    "predict": "a model on a cohort",
    "recipes": "published questions as files: cohort, arms, folds, the paper's figures",
    "report": "pages and figures of what was found; nothing is computed here",
    "judge": "one judge a task: predictions and truths in, metrics with intervals out",
    "work": "one arm on one fold: its key, how it is run and kept",
    "arms": "methods: preparation, features, learner; a folder a task",
    "clinic": "clinical rules: lesions, diameters, volumes",
    "features": "radiomics, descriptors, supervoxels",
    "classic": "the classic families of learners",
    "prep": "images made ready: head, orientation, grid, intensities",
    "stats": "arrays in, estimates out",
    "cohort": "cases, tables, splits, predictions",
    "phantom": "simulated patients",
    "io": "the only room that knows file formats",
    "core": "types and errors; numpy only",
}

WIDTH, HEIGHT, GAP, MARGIN = 920, 44, 8, 12
INK, QUIET, PAPER, EDGE = "#1b1f24", "#57606a", "#f4f6f8", "#8c959f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A package or module of the top level."""

    name: str
    planned: bool


def layers(project: Path = REPOSITORY / "pyproject.toml") -> list[list[Room]]:
    """Rooms by layer, the highest first; ``planned`` are those in brackets."""
    contracts = tomllib.loads(project.read_text())["tool"]["importlinter"]["contracts"]
    (found,) = [one["layers"] for one in contracts if one["type"] == "layers"]
    return [
        [Room(name=one.strip(" ()"), planned="(" in one) for one in layer.split("|")]
        for layer in found
    ]


def drawn(rows: list[list[Room]]) -> str:
    """The picture as SVG."""
    height = 2 * MARGIN + len(rows) * HEIGHT + (len(rows) - 1) * GAP
    boxes = "\n".join(_row(row, MARGIN + n * (HEIGHT + GAP)) for n, row in enumerate(rows))
    said = "; ".join(", ".join(room.name for room in row) for row in rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13">\n'
        f"<title>Rooms of Onkos; each imports only those below its line: {said}</title>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n{boxes}\n</svg>\n'
    )


def _row(row: list[Room], top: int) -> str:
    """One layer: its rooms side by side."""
    wide = (WIDTH - 2 * MARGIN - (len(row) - 1) * GAP) / len(row)
    return "\n".join(_box(room, MARGIN + n * (wide + GAP), top, wide) for n, room in enumerate(row))


def _box(room: Room, left: float, top: int, wide: float) -> str:
    """One room: its name and what it holds."""
    dashed = ' stroke-dasharray="5 4"' if room.planned else ""
    return (
        f'<rect x="{left:g}" y="{top}" width="{wide:g}" height="{HEIGHT}" rx="4" '
        f'fill="{PAPER}" stroke="{EDGE}"{dashed}/>\n'
        f'<text x="{left + 12:g}" y="{top + HEIGHT / 2 + 5:g}" fill="{QUIET}">'
        f'<tspan font-weight="600" fill="{INK}">{room.name}</tspan>'
        f'<tspan dx="14">{SAYS[room.name]}</tspan></text>'
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURE)
    out = parser.parse_args().out
    out.write_text(drawn(layers()))
    print(out)
