"""The sheet every figure is drawn on: one style, reproducible SVG, n and misses in its head."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

from matplotlib import style
from matplotlib.figure import Figure

from onkos.report import words

INK, QUIET, LINE, WARN = "#1b1f24", "#555d66", "#d5dae0", "#8a5a00"
SQUARE, WIDE = (4.6, 4.6), (5.6, 4.2)
LONGEST_NAME = 32

_STYLE = {
    "svg.fonttype": "path",
    "svg.hashsalt": "onkos",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.unicode_minus": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 1.8,
}
_LOCK = threading.Lock()  # matplotlib's settings belong to the process
_NO_METADATA = {"Date": None, "Creator": None, "Type": None, "Format": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Whom a figure rests on; written on it.

    Parameters
    ----------
    n
        How many ``unit``.
    missed
        How many of them had no answer, or a target that was not found at all.
    unit
        What is counted, in the plural.
    phantom
        Whether they are simulated.
    """

    n: int
    missed: int = 0
    unit: str = "patients"
    phantom: bool = False

    def __str__(self) -> str:
        return f"n = {self.n} {self.unit}, {self.missed} missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure as SVG text, its title, and what it shows in words.

    The SVG has no style attribute and no style element, so it may stand in a page that forbids
    them, and its identifiers are its own, so several may stand in one page.
    """

    title: str
    about: str
    svg: str


@contextmanager
def sheet(size: tuple[float, float]) -> Iterator[Any]:
    """Give an empty figure of a size in inches, in the style of all figures.

    What is drawn in the block has that style whatever the user's own settings are, and leaves
    them as they were.
    """
    with _LOCK, style.context(["default", _STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # drawn as an empty box
        yield Figure(figsize=size, dpi=72, layout="constrained")  # SVG counts in points


def headed(axes: Any, sample: Sample) -> None:
    """Write n and misses above axes, and ``phantom`` where it is one."""
    axes.set_title(str(sample), loc="left", color=QUIET)
    if sample.phantom:
        axes.set_title("phantom", loc="right", color=WARN, fontweight="bold")


def square(axes: Any) -> None:
    """Both axes from 0 to 1, with a little air for lines that run along the edge."""
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), aspect="equal")
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    axes.set(xticks=ticks, yticks=ticks)


def finished(figure: Any, *, title: str, about: str, sample: Sample) -> Drawing:
    """Turn a figure into SVG text; to be called inside :func:`sheet`."""
    said = f"{title}. {about} {sample}{', simulated (phantom)' if sample.phantom else ''}."
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata=_NO_METADATA)
    return Drawing(title=title, about=said, svg=_standing_alone(stream.getvalue(), title, said))


def short(name: str) -> str:
    """Name cut to the room there is."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def leveled(level: float) -> str:
    """A confidence level, e.g. ``95 %``."""
    return f"{100 * level:.3g} %"


def listed(parts: list[str]) -> str:
    """Parts of a description."""
    return words.listed(parts)


def _standing_alone(svg: str, title: str, about: str) -> str:
    """Only the drawing: presentation attributes for styles, identifiers of its own, its words."""
    body = svg[svg.index("<svg ") :]
    head, _, rest = body.partition(">")
    for unwanted in (r"<!--.*?-->", r"<metadata>.*?</metadata>", r"<style[^>]*>.*?</style>"):
        rest = re.sub(unwanted, "", rest, flags=re.DOTALL)
    rest = re.sub(r"<defs>\s*</defs>", "", rest)
    rest = re.sub(r' style="([^"]*)"', _as_attributes, rest)
    own = "f" + hashlib.sha256((title + rest).encode()).hexdigest()[:10]
    rest = re.sub(r' id="([^"]+)"', rf' id="{own}-\1"', rest)
    rest = re.sub(r'href="#([^"]+)"', rf'href="#{own}-\1"', rest)
    rest = re.sub(r"url\(#([^)]+)\)", rf"url(#{own}-\1)", rest)
    box = re.search(r'viewBox="[^"]+"', head)
    view = box.group(0) if box else ""
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'class="figure" {view} role="img" aria-label="{escape(about)}" '
        'stroke-linejoin="round" stroke-linecap="butt">'
    )
    text = f"{opening}<title>{escape(title)}</title>{rest}"
    return "\n".join(line.strip() for line in text.splitlines() if line.strip()) + "\n"


def _as_attributes(found: re.Match[str]) -> str:
    """``style="fill: none; stroke: #000"`` as ``fill="none" stroke="#000"``."""
    pairs = [one.partition(":") for one in found.group(1).split(";") if one.strip()]
    return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in pairs)
