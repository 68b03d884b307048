"""Seconds and memory of reader studies as they grow: simulated (phantom) readings, no patients.

Usage: python bench/scale_readers.py [--largest] [--json FILE]

Every size runs in a process of its own: a table is written, read again and analysed by all
methods with all intervals, as ``onkos readers`` does; the peak is that process's. The last rows
are one detector's marks: CPM and wAFROC with 10,000 resamples of patients. Seconds are of the
processor and of the clock; what importing costs is not counted. ``--largest`` adds sizes that
take minutes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from onkos.cli.readers import analysed
from onkos.stats.afroc import afroc
from onkos.stats.froc import cpm
from onkos.stats.marks import Marks

READERS, MODALITIES = 5, 2
SIZES: dict[str, tuple[int, ...]] = {
    "ROC, cases": (1000, 5000, 20_000),
    "FROC, marks": (20_000, 100_000),
    "one detector, marks": (20_000, 100_000),
}
LARGEST: dict[str, tuple[int, ...]] = {"ROC, cases": (100_000,), "FROC, marks": (1_000_000,)}


def roc(folder: Path, cases: int) -> Callable[[], object]:
    """Five readers rate all cases in two modalities."""
    rng = np.random.default_rng(cases)
    truth, base = rng.uniform(size=cases) < 0.3, rng.normal(size=cases)
    path = folder / "ratings.csv"
    with path.open("w") as table:
        table.write("reader,modality,case,truth,rating\n")
        for reader, modality in np.ndindex(READERS, MODALITIES):
            score = base + rng.normal(size=cases) + truth * (1 + 0.4 * modality)
            table.writelines(
                f"R{reader},M{modality},{i},{int(truth[i])},{score[i]:.3f}\n" for i in range(cases)
            )
    return lambda: analysed(path, None, software="", seed=0).plain()


def froc(folder: Path, marks: int) -> Callable[[], object]:
    """Five readers mark lesions, up to three a case, in two modalities; about so many marks."""
    rng, cases = np.random.default_rng(marks), marks // 20
    lesions = np.where(rng.uniform(size=cases) < 0.4, rng.integers(1, 4, cases), 0)
    path, listed = folder / "marks.csv", folder / "lesions.csv"
    with path.open("w") as table:
        table.write("reader,modality,case,truth,mark,rating\n")
        for reader, modality in np.ndindex(READERS, MODALITIES):
            found = rng.binomial(lesions, 0.7 + 0.1 * modality)
            for mark, counts, shift in (("LL", found, 1.5), ("NL", rng.poisson(1.4, cases), 0.0)):
                of = np.repeat(np.arange(cases), counts)
                ratings = rng.normal(shift, size=len(of))
                table.writelines(
                    f"R{reader},M{modality},{i},{int(lesions[i] > 0)},{mark},{rating:.3f}\n"
                    for i, rating in zip(of, ratings, strict=True)
                )
    rows = [f"{case},{count}" for case, count in enumerate(lesions)]
    listed.write_text("\n".join(["case,lesions", *rows]) + "\n")
    return lambda: analysed(path, listed, software="", seed=0).plain()


def detector(folder: Path, count: int) -> Callable[[], object]:
    """One detector with so many marks, ten a case; a quarter of the cases has lesions."""
    del folder
    rng, cases = np.random.default_rng(count), count // 10
    lesion_case = np.repeat(np.arange(0, cases, 4), 2)
    false = count - len(lesion_case)
    marks = Marks(
        cases=tuple(range(cases)),
        patients=tuple(range(cases)),
        false_case=np.sort(rng.integers(0, cases, false)),
        false_score=rng.normal(size=false),
        lesion_case=lesion_case,
        lesion_score=np.where(
            rng.uniform(size=len(lesion_case)) < 0.8, rng.normal(2, size=len(lesion_case)), -np.inf
        ),
        lesion_weight=np.ones(len(lesion_case)),
    )

    def work() -> object:
        return cpm(marks, rng=rng), afroc(marks, "wAFROC", rng=rng)

    return work


WORK = {"ROC, cases": roc, "FROC, marks": froc, "one detector, marks": detector}


def once(what: str, size: int) -> dict[str, float]:
    """Measure one size in this process, after a small one that compiles."""
    with tempfile.TemporaryDirectory() as folder:
        WORK[what](Path(folder), 400)()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work = WORK[what](Path(folder), size)
        clock, processor = time.perf_counter(), time.process_time()
        work()
        return {
            "seconds": time.perf_counter() - clock,
            "processor_seconds": time.process_time() - processor,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "before_mb": before / 1024,
        }


def measured(what: str, size: int) -> dict[str, float]:
    """The same in a process of its own."""
    told = subprocess.run(
        [sys.executable, __file__, "--one", what, str(size)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(told.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", action="store_true", help="also sizes that take minutes")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(once(asked.one[0], int(asked.one[1]))))
        return
    figures = []
    print(f"{'phantom study':22}{'size':>10}{'clock s':>10}{'CPU s':>8}{'peak MB':>10}{'grown':>8}")
    for what, sizes in SIZES.items():
        for size in (*sizes, *(LARGEST.get(what, ()) if asked.largest else ())):
            found = measured(what, size)
            figures.append({"study": what, "size": size, **found})
            grown = found["peak_mb"] - found["before_mb"]
            print(
                f"{what:22}{size:10,}{found['seconds']:10.2f}{found['processor_seconds']:8.2f}"
                f"{found['peak_mb']:10.0f}{grown:8.0f}",
                flush=True,
            )
    if asked.json:
        asked.json.write_text(json.dumps({"simulated": True, "figures": figures}) + "\n")


if __name__ == "__main__":
    main()
