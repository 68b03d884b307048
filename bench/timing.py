"""Measure a piece of work in a process of its own: wall seconds and peak memory.

A benchmark script calls :func:`measured` for each contender; that starts the script again with
``--once NAME`` and further words, where it does the work and ends with :func:`report`. Imports are
not counted in the seconds; memory is the most that the whole process held, and ``imports_mb`` is
how much of it was there before the work. The measuring script itself must stay small: a child
counts its parent's memory as its own until it is larger.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

REPEATS = 3


def report(work: Callable[[], dict[str, Any]]) -> None:
    """Do the work and tell seconds and peak memory, with what the work says, on one line."""
    imports_mb = _peak_mb()
    began, worked = time.perf_counter(), time.process_time()
    said = work()
    told = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - worked,
        "peak_mb": _peak_mb(),
        "imports_mb": imports_mb,
    }
    print(json.dumps({**told, **said}))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(
    script: str,
    name: str,
    *words: str,
    python: Path | str = sys.executable,
    repeats: int = REPEATS,
) -> dict[str, Any]:
    """Best of several runs: least seconds, with the most memory that any of them took."""
    runs = [_once([str(python), script, "--once", name, *words]) for _ in range(repeats)]
    best = min(runs, key=lambda run: run["seconds"])
    return {**best, "peak_mb": max(run["peak_mb"] for run in runs), "runs": repeats}


def _once(command: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def row(name: str, figures: dict[str, Any], note: str = "") -> str:
    """One line of a table."""
    return (
        f"{name:14} {figures['seconds']:7.2f} s ({figures['cpu_seconds']:.2f} s of processors) "
        f"{figures['peak_mb']:6.0f} MB ({figures['imports_mb']:.0f} MB of it imports)  {note}"
    )
