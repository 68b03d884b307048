"""What every figure keeps: reproducible, self-contained SVG with n, misses and its words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pytest

import onkos.report.figures as room
from onkos.report.figures.sheet import Sample

SAMPLE = Sample(n=40, missed=3)


def test_the_same_input_gives_the_same_bytes_whatever_the_users_settings(draw):
    first = draw(SAMPLE, "one")
    with mpl.rc_context({"font.size": 25, "axes.facecolor": "red", "svg.fonttype": "none"}):
        before = dict(mpl.rcParams)
        second = draw(SAMPLE, "one")
        assert dict(mpl.rcParams) == before
    assert second == first


def test_a_figure_is_svg_that_a_strict_page_may_hold(draw, elements):
    made = draw(SAMPLE, "one")
    found = elements(made.svg)
    root = found[0]
    assert root.tag.endswith("}svg")
    assert root.get("viewBox")
    tags = {element.tag.rpartition("}")[2] for element in found}
    assert tags.isdisjoint({"style", "script", "metadata", "text", "foreignObject"})
    for element in found:
        assert "style" not in element.attrib
        for name, value in element.attrib.items():
            if name.endswith("href"):
                assert value.startswith(("#", "data:"))
    assert "<!--" not in made.svg
    assert "Date" not in made.svg


def test_every_reference_within_a_figure_finds_its_target(draw):
    made = draw(SAMPLE, "one")
    ids = re.findall(r' id="([^"]+)"', made.svg)
    assert len(ids) == len(set(ids))
    used = re.findall(r'href="#([^"]+)"', made.svg) + re.findall(r"url\(#([^)]+)\)", made.svg)
    assert used
    assert set(used) <= set(ids)


def test_two_figures_share_no_identifier(drawing):
    a, b = drawing("roc"), drawing("froc")
    mine, theirs = (set(re.findall(r' id="([^"]+)"', one.svg)) for one in (a, b))
    assert mine.isdisjoint(theirs)


def test_n_misses_and_phantom_are_drawn_and_said(draw, elements):
    plain = draw(SAMPLE, "one")
    fewer = draw(replace(SAMPLE, missed=2), "one")
    phantom = draw(replace(SAMPLE, phantom=True), "one")
    assert "n = 40 patients, 3 missed" in plain.about
    assert _shapes(plain.svg) != _shapes(fewer.svg)
    assert _shapes(phantom.svg) != _shapes(plain.svg)
    assert "phantom" in phantom.about
    assert "phantom" not in plain.about
    assert elements(plain.svg)[0].get("aria-label") == plain.about


@pytest.mark.parametrize("name", ["cost $x$ \\frac", '<b>&"it\'s"', "腫瘍", "n" * 80])
def test_any_name_can_be_drawn(draw, name, elements):
    assert len(elements(draw(SAMPLE, name).svg)) > 20


def test_nothing_touches_the_global_state_of_pyplot():
    for path in Path(room.__file__).parent.glob("*.py"):
        assert "pyplot" not in path.read_text(encoding="utf-8")


def _shapes(svg: str) -> list[str]:
    """What is drawn, without the words about it and the names it gives itself."""
    return re.findall(r"f[0-9a-f]{10}-(DejaVuSans[^\"]*)", svg)
