"""Compute every golden value anew and write docs/golden-values.md: ours beside the published.

Usage: python scripts/golden_table.py [--data DIR] [--out FILE]

Every module of tests/golden with a function ``rows(data_dir)`` takes part; a row is a name, our
value, the reference and the tolerance. Ends with exit code 1 if a value is off.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
GOLDEN = REPOSITORY / "tests" / "golden"
PAGE = REPOSITORY / "docs" / "golden-values.md"
DATA = Path(os.environ.get("ONKOS_DATA", REPOSITORY.parent / "shared" / "data"))
BLOCKS = 15  # with more first words than these a module is one block
EXAMPLES = 4
#: Where the references come from, for modules whose docstring does not say.
SOURCES = {
    "agreement": "irrCAC, krippendorff and pingouin (values of their tests); Shrout PE, Fleiss JL. "
    "Psychol Bull 1979;86:420-428, doi:10.1037/0033-2909.86.2.420; Bland JM, Altman DG. Lancet "
    "1986;327:307-310, doi:10.1016/S0140-6736(86)90837-8",
    "decision_curve": "dcurves <https://github.com/ddsjoberg/dcurves>, commit 2362730; calibration "
    "from statsmodels",
    "delong": "pROC <https://github.com/xrobin/pROC>, commit ee2877e; doi:10.1186/1471-2105-12-77",
    "froc_detection": "MONAI <https://github.com/Project-MONAI/MONAI>, commit d388d1c; picai_eval "
    "<https://github.com/DIAGNijmegen/picai_eval>, commit 81d6067; RJafroc "
    "<https://github.com/dpc10ster/RJafroc>, commit 44b0e39",
    "ibsi1": "Zwanenburg A et al. Radiology 2020;295:328-338, doi:10.1148/radiol.2020191145",
    "independent_or": "a second implementation, written for this comparison; not published",
    "iowa": "OR-DBM MRMC 2.51, print-outs kept in RJafroc <https://github.com/dpc10ster/RJafroc>, "
    "commit 44b0e39",
    "mrmcaov": "MRMCaov <https://github.com/brian-j-smith/MRMCaov>, commit d79e49b",
    "pyradiomics": "van Griethuysen JJM et al. Cancer Res 2017;77:e104-e107, "
    "doi:10.1158/0008-5472.CAN-17-0339; the package's baseline files",
    "rjafroc": "RJafroc <https://github.com/dpc10ster/RJafroc>, commit 44b0e39",
    "single_curve": "MRMCaov <https://github.com/brian-j-smith/MRMCaov>, commit d79e49b",
    "staple": "SimpleITK 2.5.7, and the fixed point of the algorithm; Warfield SK et al. IEEE "
    "Trans Med Imaging 2004;23:903-921, doi:10.1109/TMI.2004.828354",
    "survival": "scikit-survival <https://github.com/sebp/scikit-survival>, commit 0d71616; "
    "lifelines <https://github.com/CamDavidsonPilon/lifelines>, commit ad023a0",
    "viper": "iMRMC <https://github.com/DIDSR/iMRMC>, commit 4f8b8d0",
}
#: References nobody has published: counted, but no value of them is shown.
UNPUBLISHED = ("independent_or",)

INTRODUCTION = """# Golden values

Every published or independently computed number that Onkos is held to, computed anew by
`python scripts/golden_table.py`; a test makes this table again and fails if a value is off or this
page says other counts. A value is within tolerance when it differs from the reference by no more
than the digits that were printed allow, or by what its test gives a reason for. The last column of
a block is the largest difference as a part of its own tolerance. What a module leaves out of its
reference is named there with the reason.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One number of ours beside its reference."""

    name: str
    ours: float
    reference: float
    tolerance: float

    @property
    def difference(self) -> float:
        """How far apart the two are."""
        return abs(self.ours - self.reference)

    @property
    def within(self) -> bool:
        """Whether ours is near enough; NaN never is."""
        return self.difference <= self.tolerance

    @property
    def part(self) -> float:
        """Difference as a part of the tolerance."""
        if self.difference == 0:
            return 0.0
        return self.difference / self.tolerance if self.tolerance else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """All values of one module of tests/golden."""

    name: str
    title: str
    source: str
    values: tuple[Value, ...]

    def blocks(self) -> dict[str, list[Value]]:
        """Values by the first word of their name."""
        found: dict[str, list[Value]] = {}
        for value in self.values:
            found.setdefault(re.split(r"[ .,:]", value.name)[0], []).append(value)
        return found if len(found) <= BLOCKS else {"all": list(self.values)}

    def examples(self) -> list[Value]:
        """A few values spread over the module, and the one that is furthest off."""
        if self.name in UNPUBLISHED:
            return []
        step = max(1, len(self.values) // EXAMPLES)
        worst = max(self.values, key=lambda value: value.part)
        spread = [value for value in self.values[::step] if value != worst]
        return [*spread[:EXAMPLES], worst]


def names() -> list[str]:
    """Modules that have rows, without their prefix."""
    return [
        path.stem.removeprefix("test_")
        for path in sorted(GOLDEN.glob("test_*.py"))
        if re.search(r"^def rows\(", path.read_text(), re.MULTILINE)
    ]


def computed(name: str, data_dir: Path) -> Module:
    """Compute all values of one module."""
    if str(GOLDEN.parent) not in sys.path:
        sys.path.insert(0, str(GOLDEN.parent))
    module = importlib.import_module(f"golden.test_{name}")
    told = (module.__doc__ or "").strip()
    cited = told.partition("References\n----------\n")[2]
    return Module(
        name=name,
        title=told.splitlines()[0].rstrip("."),
        source=" ".join((cited or SOURCES.get(name, "")).split()).rstrip("."),
        values=tuple(
            Value(name=row[0], ours=float(row[1]), reference=float(row[2]), tolerance=float(row[3]))
            for row in module.rows(data_dir)
        ),
    )


def page(modules: Sequence[Module]) -> str:
    """The whole page."""
    parts = [INTRODUCTION, _table(["module", "within tolerance"], _totals(modules))]
    for module in modules:
        parts.append(f"## {module.title}\n\n`tests/golden/test_{module.name}.py`. {_cited(module)}")
        head = ["block", "within tolerance", "largest difference", "tolerance", "part of it"]
        parts.append(_table(head, [_block(name, vs) for name, vs in module.blocks().items()]))
        examples = [_example(value) for value in module.examples()]
        if examples:
            parts.append(_table(["example", "ours", "reference", "difference"], examples))
    return "\n".join(parts)


def counts(text: str) -> list[tuple[str, str]]:
    """What a page says of each module and block: its name and "n of n"."""
    return re.findall(r"^\| ([^|]+?) \| (\d+ of \d+) \|", text, re.MULTILINE)


def _totals(modules: Sequence[Module]) -> list[list[str]]:
    everything = [value for module in modules for value in module.values]
    rows = [[f"`{module.name}`", _within(module.values)] for module in modules]
    return [*rows, ["all", _within(everything)]]


def _within(values: Sequence[Value]) -> str:
    return f"{sum(value.within for value in values)} of {len(values)}"


def _block(name: str, values: list[Value]) -> list[str]:
    least, most = (f(value.tolerance for value in values) for f in (min, max))
    tolerance = f"{least:.2g}" if f"{least:.2g}" == f"{most:.2g}" else f"{least:.2g} to {most:.2g}"
    largest = max(value.difference for value in values)
    part = max(value.part for value in values)
    return [f"`{name}`", _within(values), _small(largest), tolerance, f"{part:.2g}"]


def _example(value: Value) -> list[str]:
    shown = [f"{number:.10g}" for number in (value.ours, value.reference)]
    return [value.name.replace("|", "/"), *shown, _small(value.difference)]


def _small(difference: float) -> str:
    return f"{difference:.1e}" if difference else "0"


def _cited(module: Module) -> str:
    return f"Reference: {module.source}.\n" if module.source else "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> int:
    """Write the page and tell the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real data")
    parser.add_argument("--out", type=Path, default=PAGE)
    asked = parser.parse_args()
    modules = [computed(name, asked.data) for name in names()]
    asked.out.write_text(page(modules))
    for module in modules:
        print(f"{module.name:20} {_within(module.values)}")
    return 0 if all(value.within for module in modules for value in module.values) else 1


if __name__ == "__main__":
    sys.exit(main())
