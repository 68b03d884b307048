"""Seconds and peak memory of one simulated patient, each in a process of its own.

Run as ``python bench/phantom.py [--json FILE]``. Compilation by numba is done before and not
counted; it is paid once after an installation.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from onkos.phantom.brain import BrainPhantom, simulated

SIZES = {"full 240 x 240 x 155": BrainPhantom(), "small 96 x 96 x 60": BrainPhantom.small()}
REPEATS = 3


def once(size: str) -> dict[str, float]:
    simulated(BrainPhantom(shape=(24, 26, 18)), seed=0, number=1)
    began = time.perf_counter()
    simulated(SIZES[size], seed=1, number=1)
    seconds = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mb": peak_mb}


def apart(size: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--once", size], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--once", choices=SIZES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        print(json.dumps(once(asked.once)))
        return
    figures = {}
    for size in SIZES:
        runs = [apart(size) for _ in range(REPEATS)]
        figures[size] = {
            "seconds": min(run["seconds"] for run in runs),
            "peak_mb": max(run["peak_mb"] for run in runs),
        }
        print(f"{size:22} {figures[size]['seconds']:6.2f} s {figures[size]['peak_mb']:8.0f} MB")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
