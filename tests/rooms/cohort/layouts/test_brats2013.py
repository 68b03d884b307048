"""BraTS 2013 as DeepMedic gives it."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.cohort.layouts import LAYOUTS
from onkos.core.errors import CohortError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.io import nifti

GRID = Geometry(shape=(6, 5, 4), affine=np.diag([1.0, -1.0, 1.0, 1.0]))


def write(folder, rng):
    for name in ("T1c", "Flair"):
        data = rng.normal(size=GRID.shape).astype(np.float32)
        volume = Volume(data=data, geometry=GRID, modality="MR", unit="1")
        nifti.write_volume(folder / f"{name}_subtrMeanDivStd.nii.gz", volume)
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[0, 0, :4] = (1, 2, 3, 4)
    mask = Mask(labels=labels, geometry=GRID, names={n: str(n) for n in (1, 2, 3, 4)})
    nifti.write_mask(folder / "OTMultiClass.nii.gz", mask)


def test_patients_of_both_parts_with_core_and_oedema(tmp_path, rng):
    root = tmp_path / "brats2015TrainingData"
    write(root / "train" / "brats_2013_pat9001_1", rng)
    write(root / "test" / "brats_2013_pat9002_1", rng)
    cohort = LAYOUTS["brats2013"](tmp_path)
    assert cohort.patients == ("brats_2013_pat9001_1", "brats_2013_pat9002_1")
    case = cohort.cases[0]
    assert list(case.study.volumes) == ["t1c", "flair"]
    assert case.outline.counts == {"core": 3, "oedema": 1}
    assert all(v.geometry.matches(case.outline.geometry) for v in case.study.volumes.values())


def test_a_patient_lacking_a_file_or_no_patient_is_refused(tmp_path, rng):
    with pytest.raises(CohortError, match="brain-mri-brats2013"):
        LAYOUTS["brats2013"](tmp_path)
    patient = tmp_path / "brain-mri-brats2013" / "brats_2013_pat9001_1"
    write(patient, rng)
    (patient / "Flair_subtrMeanDivStd.nii.gz").unlink()
    with pytest.raises(CohortError, match="Flair_subtrMeanDivStd"):
        LAYOUTS["brats2013"](tmp_path)
