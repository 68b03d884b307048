"""Accuracy of the brain arms on real patients: BraTS 2013 in 3-D, TCGA low-grade glioma in 2-D.

Usage: ``python bench/brain_real.py --data DIR --json FILE [--part brats|lgg] [--arm NAME ...]``;
DIR holds ``brain-mri-brats2013`` and ``brain-mri-lgg-tcga`` (research only, not in this
repository; origin in their SOURCE.md). Every patient is outlined by a model that has not seen
any image of theirs.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image

from onkos.arms import ARMS
from onkos.cohort.splits import folds_by_patient
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume
from onkos.io.whole import write_json
from onkos.stats.bootstrap import bootstrap_mean
from onkos.stats.overlap import Overlap, overlap

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
MERGED = np.array([0, 1, 2, 1, 1], dtype=np.uint8)  # necrosis, non-enhancing, enhancing: core
SEED = 2018


def brats(data: Path) -> Cohort:
    """Three patients, T1c and FLAIR, 240 x 240 x 155 at 1 mm, brain only, standardised."""
    folders = sorted((data / "brain-mri-brats2013").glob("brats_*"))
    return Cohort(
        name="BraTS 2013",
        cases=tuple(
            Case(
                id=folder.name,
                patient=folder.name,
                load=partial(_brats_study, folder),
                truths=known_truths(outline=partial(_brats_truth, folder)),
            )
            for folder in folders
        ),
    )


def lgg(data: Path) -> Cohort:
    """Slices of 83 patients: one RGB picture (pre-contrast, FLAIR, post-contrast) is a case."""
    folder = data / "brain-mri-lgg-tcga"
    with (folder / "slices.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    cases = []
    for row in rows:
        name = f"{row['case']}_{row['slice']}"
        cases.append(
            Case(
                id=name,
                patient=row["case"],
                load=partial(_lgg_study, folder, row["case"], name),
                truths=known_truths(outline=partial(_lgg_truth, folder, name)),
            )
        )
    return Cohort(name="TCGA-LGG", cases=tuple(cases))


def judge(cohort: Cohort, name: str, *, folds: int, tissues: Sequence[str]) -> dict[str, Any]:
    """Fit on all folds but one, outline that one; a patient's images are counted together."""
    counts: dict[tuple[str, str], list[Overlap]] = defaultdict(list)
    fitting = predicting = 0.0
    for fold in folds_by_patient(cohort, folds, rng=np.random.default_rng(SEED)):
        began = time.perf_counter()
        model = ARMS[name].fit(fold.train, rng=np.random.default_rng([SEED, fold.number]))
        fitted = time.perf_counter()
        for case in fold.test:
            study = case.study
            outline = model.predict(study).mask
            first = next(iter(study.volumes.values()))
            head = first.data.reshape(*first.geometry.shape, -1).max(axis=-1) > first.data.min()
            for tissue in tissues:
                which = () if tissue == "whole" else (tissue,)
                found = overlap(outline, case.outline, *which, inside=head)
                counts[tissue, case.patient].append(found)
        fitting, predicting = fitting + fitted - began, predicting + time.perf_counter() - fitted
        sys.stderr.write(f"{cohort.name} {name}: fold {fold.number + 1} of {folds}\n")
    patients = cohort.patients
    return {
        "cohort": cohort.name,
        "arm": name,
        "patients": len(patients),
        "fit_seconds": round(fitting, 1),
        "predict_seconds": round(predicting, 1),
        "tissues": {
            tissue: _summary([_pooled(counts[tissue, patient]) for patient in patients])
            for tissue in tissues
        },
    }


def _summary(pooled: Sequence[Overlap]) -> dict[str, Any]:
    """Mean with 95 % interval over the patients that have the tissue, and each patient's Dice."""
    shown: dict[str, Any] = {"dice_of_each": [round(one.dice, 3) for one in pooled]}
    measures: dict[str, Callable[[Overlap], float]] = {
        "dice": lambda one: one.dice,
        "sensitivity": lambda one: one.sensitivity,
        "balanced_error": lambda one: one.balanced_error,
    }
    for measure, of in measures.items():
        values = [of(one) for one in pooled if one.present]
        groups = [str(n) for n in range(len(values))]
        shown[measure] = bootstrap_mean(
            values,
            groups=groups,
            rng=np.random.default_rng(SEED),
            level=0.95,
            missed=sum(one.missed for one in pooled),
        )
    return shown


def _pooled(parts: Sequence[Overlap]) -> Overlap:
    return Overlap(
        true_positive=sum(part.true_positive for part in parts),
        false_positive=sum(part.false_positive for part in parts),
        false_negative=sum(part.false_negative for part in parts),
        inside=sum(part.inside for part in parts),
        voxel_ml=None,
    )


@lru_cache(maxsize=3)
def _brats_study(folder: Path) -> Study:
    volumes = {}
    for role, file in (("t1c", "T1c"), ("flair", "Flair")):
        image = nib.load(folder / f"{file}_subtrMeanDivStd.nii.gz")
        data = np.asfortranarray(np.asarray(image.dataobj, dtype=np.float32))
        geometry = Geometry(shape=data.shape, affine=RAS_TO_LPS @ image.affine)
        volumes[role] = Volume(data=data, geometry=geometry, modality="MR", unit="1")
    return Study(patient=Patient(id=folder.name), volumes=volumes)


@lru_cache(maxsize=3)
def _brats_truth(folder: Path) -> Mask:
    image = nib.load(folder / "OTMultiClass.nii.gz")
    labels = MERGED[np.rint(np.asarray(image.dataobj)).astype(np.uint8)]
    geometry = Geometry(shape=labels.shape, affine=RAS_TO_LPS @ image.affine)
    return Mask(labels=labels, geometry=geometry, names={1: "core", 2: "oedema"})


def _lgg_study(folder: Path, patient: str, name: str) -> Study:
    pixels = np.asarray(Image.open(folder / "images" / f"{name}.png")).transpose(1, 0, 2)
    geometry = Geometry.picture(pixels.shape[:2])
    picture = Volume(data=pixels, geometry=geometry, modality="MR", unit="rgb")
    return Study(patient=Patient(id=patient), volumes={"image": picture})


def _lgg_truth(folder: Path, name: str) -> Mask:
    pixels = np.asarray(Image.open(folder / "masks" / f"{name}_mask.png").convert("L")).T
    labels = (pixels > 127).astype(np.uint8)
    return Mask(labels=labels, geometry=Geometry.picture(labels.shape), names={1: "tumour"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--part", choices=("brats", "lgg"), action="append")
    parser.add_argument("--arm", choices=sorted(ARMS), action="append")
    asked = parser.parse_args()
    results = []
    for part in asked.part or ("brats", "lgg"):
        cohort = brats(asked.data) if part == "brats" else lgg(asked.data)
        folds = len(cohort.patients) if part == "brats" else 5
        tissues = ("whole", "core", "oedema") if part == "brats" else ("whole",)
        for name in asked.arm or ARMS:
            result = judge(cohort, name, folds=folds, tissues=tissues)
            results.append(result)
            for tissue, summary in result["tissues"].items():
                sys.stdout.write(
                    f"{cohort.name:12} {name:18} {tissue:7} Dice {summary['dice']}  "
                    f"sensitivity {summary['sensitivity']}  "
                    f"balanced error {summary['balanced_error']}\n"
                )
            sys.stdout.write(f"{'':12} fit {result['fit_seconds']} s, all ")
            sys.stdout.write(f"predictions {result['predict_seconds']} s\n")
            sys.stdout.flush()
    if asked.json:
        write_json(asked.json, results)


if __name__ == "__main__":
    main()
