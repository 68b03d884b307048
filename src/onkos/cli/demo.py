"""The whole of Onkos once, on simulated patients."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from onkos import arms
from onkos.cli import work
from onkos.io import intake, series
from onkos.phantom import brain
from onkos.read import read, with_errors
from onkos.report import folder as folders

PATIENTS = 12
FOLDS = 4
ARM = "supervoxel-forest"
ARMS = (ARM, "intensity-forest", "trivial")


def run_demo(out: Path, *, seed: int, console: Console) -> dict[str, Any]:
    """Simulate, compare, fit, read; everything lands in ``out`` and says phantom.

    Returns
    -------
    dict
        Where the reading, the comparison, the model and the patient's DICOM lie, and the time.
    """
    began = time.perf_counter()
    settings = brain.BrainPhantom(shape=(96, 112, 80))
    cohort = brain.cohort(PATIENTS, settings=settings, seed=seed)
    console.print(
        f"Simulating {PATIENTS} patients and a new one (phantom), comparing {len(ARMS)} arms"
    )
    plan = work.Plan(folds=FOLDS, seed=seed, folder=out / "comparison")
    with work.progress(quiet=console.quiet) as track:
        comparison = work.compare([arms.ARMS[name] for name in ARMS], cohort, plan, track)
        folders.write_comparison(out / "comparison", comparison)
        update = track(f"Fitting {ARM} on all {PATIENTS} patients")
        fitted = arms.ARMS[ARM].fit(cohort.cases, rng=np.random.default_rng(seed))
        model = with_errors(fitted, comparison.arms[0])
        model.save(out / "model")
        update(1, 1)
        update = track("Reading the new patient")
        patient = brain.simulate(settings, rng=np.random.default_rng([seed, PATIENTS + 1]))
        series.write_study(out / "study", patient.study)
        reading = read(arms.load(out / "model"), intake.open_study(out / "study"))
        folders.write_reading(out / "reading", reading)
        update(1, 1)
    return {
        "seconds": time.perf_counter() - began,
        "reading": str(out / "reading" / "report.html"),
        "comparison": str(out / "comparison" / "report.html"),
        "model": str(out / "model"),
        "study": str(out / "study"),
    }
