"""docs/golden-values.md says what the golden values are now."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "golden_table.py"


@pytest.fixture(scope="module")
def golden_table():
    spec = importlib.util.spec_from_file_location("golden_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["golden_table"] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["golden_table"]


def test_the_page_has_every_module_and_every_value_of_it_within_tolerance(golden_table):
    said = golden_table.counts(golden_table.PAGE.read_text())
    totals = [name for name, _ in said[: len(golden_table.names()) + 1]]
    assert totals == [*(f"`{name}`" for name in golden_table.names()), "all"]
    assert all(re.fullmatch(r"(\d+) of \1", count) for _, count in said), said


def test_a_value_off_or_not_a_number_is_told(golden_table):
    values = tuple(
        golden_table.Value(name=f"block {n}", ours=ours, reference=1.0, tolerance=0.1)
        for n, ours in enumerate((1.05, 1.2, float("nan")))
    )
    module = golden_table.Module(name="x", title="x", source="", values=values)
    text = golden_table.page([module])
    assert golden_table.counts(text) == [
        ("`x`", "1 of 3"),
        ("all", "1 of 3"),
        ("`block`", "1 of 3"),
    ]


@pytest.mark.data
@pytest.mark.slow
def test_every_value_is_within_tolerance_and_the_page_says_the_same_counts(data_dir, golden_table):
    modules = [golden_table.computed(name, data_dir) for name in golden_table.names()]
    off = [
        (module.name, value) for module in modules for value in module.values if not value.within
    ]
    assert not off, f"{len(off)} off: {off[:10]}"
    anew = golden_table.counts(golden_table.page(modules))
    assert anew == golden_table.counts(golden_table.PAGE.read_text()), (
        "docs/golden-values.md is stale: run python scripts/golden_table.py"
    )
