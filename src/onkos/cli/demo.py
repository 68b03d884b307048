"""The whole of Onkos once, on simulated patients."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from onkos import arms
from onkos.cli import work
from onkos.cli.progress import progress
from onkos.cli.question import Question
from onkos.cohort.table import load_table
from onkos.compare import Plan
from onkos.core.case import Cohort
from onkos.io import export, intake, nifti
from onkos.io.whole import write_json, write_table
from onkos.phantom import brain
from onkos.read import read
from onkos.report import folder as folders

PATIENTS = 12
FOLDS = 3
ARM = "supervoxel-forest"
ARMS = (ARM, "intensity-forest", "trivial")
SETTINGS = brain.BrainPhantom(shape=(96, 112, 80))


def run_demo(out: Path, *, seed: int, console: Console) -> dict[str, Any]:
    """Simulate, compare, fit, read; everything lands in ``out`` and says phantom.

    Stopped half way, the same command goes on with the patients and folds that are missing.

    Returns
    -------
    dict
        Where the reading, the comparison, the model and the patient's DICOM lie, and the time.
    """
    began = time.perf_counter()
    console.print(f"{PATIENTS} patients to compare on, and a new one to read. All are phantom.")
    with progress(quiet=console.quiet) as track:
        cohort = simulate_cohort(_folder(out, seed), seed, track("Simulating patients (phantom)"))
        question = Question(
            arms=[arms.ARMS[name] for name in ARMS],
            cohort=cohort,
            plan=Plan(folds=FOLDS, seed=seed),
            where={"cohort": str(_folder(out, seed).absolute() / "cases.csv"), "target": "target"},
        )
        comparison = work.compare(question, out / "comparison", track)
        folders.write_comparison(out / "comparison", comparison, cohort)
        alone = replace(question, arms=question.arms[:1])
        model = work.fit(alone, out / "comparison", track, judged=comparison.arms[0])
        model.save(out / "model")
        update = track("Reading the new patient (phantom)")
        patient = brain.simulated(SETTINGS, seed=seed, number=PATIENTS + 1)
        export.series.write_study(out / "study", patient.study, attributes=patient.attributes)
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


def _folder(out: Path, seed: int) -> Path:
    """Of the simulated patients; its name holds the seed, so that others are never mixed in."""
    return out / "cohort" / f"phantom-gliomas-{seed}"


def simulate_cohort(folder: Path, seed: int, update: Callable[[int, int], None]) -> Cohort:
    """Simulate the patients as NIfTI files with a table, those that are not there yet."""
    rows = []
    for number in range(1, PATIENTS + 1):
        case = f"PHANTOM-{number:04d}"
        files = {role: f"{case}/{role}.nii.gz" for role in ("t1", "t1c", "t2", "flair", "mask")}
        if not all((folder / file).is_file() for file in files.values()):
            patient = brain.simulated(SETTINGS, seed=seed, number=number)
            for role, volume in patient.study.volumes.items():
                nifti.write_volume(folder / files[role], volume)
            nifti.write_mask(folder / files["mask"], patient.truth)
        rows.append({"case": case, "patient": case, **files, "simulated": "yes"})
        update(number, PATIENTS)
    write_table(folder / "cases.csv", rows)
    write_json(folder / "labels.json", {"core": [1], "oedema": [2]})
    return load_table(folder / "cases.csv")
