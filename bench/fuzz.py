"""Damage small DICOM series in every way known and count what opening them leads to.

With them come inputs as peers' users reported them: tables, palettes, units, clocks, contours.

Run as ``python bench/fuzz.py [--count 2000] [--seed 0] [--json FILE]``. Ends with exit code 1 if
any outcome is silently wrong or an unforeseen exception. The series are phantoms (noise).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from onkos.core.geometry import Geometry

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import strange
from damage import BYTE_DAMAGES, DAMAGES, trial

KINDS = ("right", "caveat", "refused", "wrong", "traceback")
HEADINGS = ("opened right", "with caveat", "refused", "silently wrong", "traceback")
NAMES = (*DAMAGES, *BYTE_DAMAGES, *strange.KINDS)
OFTEN = ("flipped_header", "zeroed", "wrong_tag", "missing_tag", "truncated")  # most varied


def awkward(rng: np.random.Generator) -> Geometry:
    """Unequal sides and steps, any direction, off-centre, half of them mirrored."""
    turned = Rotation.random(rng=rng).as_matrix() * rng.choice([-1.0, 1.0], size=3)
    return Geometry.upright(
        [int(side) for side in rng.integers(5, 12, size=3)],
        spacing_mm=rng.uniform(0.4, 4.0, size=3),
        origin_mm=rng.uniform(-300.0, 300.0, size=3),
        directions=turned,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write the counts here")
    asked = parser.parse_args()
    warnings.simplefilter("error")
    names = (*NAMES, *OFTEN, *OFTEN)
    counts: Counter[tuple[str, str]] = Counter()
    failures = []
    began = time.perf_counter()
    for number in range(asked.count):
        rng = np.random.default_rng([asked.seed, number])
        name = names[number % len(names)]
        with tempfile.TemporaryDirectory() as folder:
            if name in strange.KINDS:
                verdict = strange.trial(Path(folder), name, rng)
            else:
                verdict = trial(Path(folder), name, awkward(rng), rng)
        counts[name, verdict.kind] += 1
        if verdict.kind in ("wrong", "traceback"):
            failures.append({"number": number, "damage": name, "why": verdict.why})
            print(f"{number} {name}: {verdict.kind}: {verdict.why}")
    show(counts)
    print(f"{asked.count} inputs in {time.perf_counter() - began:.0f} s")
    if asked.json:
        table = {name: {kind: counts[name, kind] for kind in KINDS} for name in NAMES}
        figures = {"seed": asked.seed, "count": asked.count, "table": table, "failures": failures}
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if failures else 0


def show(counts: Counter[tuple[str, str]]) -> None:
    print(f"{'damage':21}" + "".join(f"{heading:>15}" for heading in HEADINGS))
    for name in NAMES:
        print(f"{name:21}" + "".join(f"{counts[name, kind]:15}" for kind in KINDS))
    sums = (sum(counts[name, kind] for name in NAMES) for kind in KINDS)
    print(f"{'together':21}" + "".join(f"{total:15}" for total in sums))


if __name__ == "__main__":
    sys.exit(main())
