"""The verb read: lesions, measurements with intervals, caveats, provenance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos.compare import Plan, compare
from onkos.core.errors import ContentError
from onkos.io.results import load_reading, write_reading
from onkos.read import read, with_errors
from toys import ThresholdArm, blob, toy_cohort


@pytest.fixture(scope="module")
def model():
    cohort = toy_cohort(6)
    judged = compare(cohort, [ThresholdArm()], plan=Plan(folds=3)).arms[0]
    fitted = ThresholdArm().fit(cohort.cases, rng=np.random.default_rng(0))
    return with_errors(fitted, judged)


def test_a_ball_is_one_lesion_with_its_volume_in_the_interval(model):
    study, truth = blob(900)
    reading = read(model, study)
    lesion = reading.lesions[0]
    core = next(m for m in lesion.measurements if m.tissue == "core" and m.ucum == "ml")
    assert core.value == pytest.approx(truth.volumes_ml["core"], rel=0.1)
    assert core.interval is not None
    assert core.interval[0] <= core.value <= core.interval[1]
    assert "6 unseen patients" in core.method
    assert lesion.uid.startswith("2.25.")
    assert read(model, study).lesions[0].uid == lesion.uid


def test_caveats_of_study_and_model_reach_the_reading(model):
    study, _ = blob(900)
    assert [c.code for c in read(model, study).caveats if c.code == "phantom"] == ["phantom"]
    real = replace(study, caveats=())
    assert "phantom-model" in [c.code for c in read(model, real).caveats]
    bare = model.with_card(replace(model.card, errors={}))
    reading = read(bare, study)
    assert "no-error-model" in [c.code for c in reading.caveats]
    assert all(m.interval is None for lesion in reading.lesions for m in lesion.measurements)


def test_a_study_without_the_image_is_refused_by_role(model):
    study, _ = blob(900)
    with pytest.raises(ContentError, match="no image in the role 'flair'"):
        read(model, replace(study, volumes={"t2": study.volume("flair")}))


def test_reading_json_comes_back(model, tmp_path):
    reading = read(model, blob(900)[0])
    write_reading(tmp_path / "reading.json", reading)
    saved = load_reading(tmp_path / "reading.json")
    assert saved.patient == reading.study.patient.id
    assert [x.measurements for x in saved.lesions] == [x.measurements for x in reading.lesions]
    assert saved.caveats == reading.caveats
    assert saved.provenance == reading.provenance
