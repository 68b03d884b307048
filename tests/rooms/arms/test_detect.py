"""The trivial detector: in volumes and pictures, with points and boxes, saved and refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos import arms
from onkos.arms.detect.blobs import NAME, BrightestBlobs
from onkos.core.case import Cohort
from onkos.core.desk import PLAIN
from onkos.core.errors import CohortError, ModelError
from onkos.core.split import Fold
from onkos.core.task import Task
from spot_toys import RADIUS, spotted, spotted_cohort


def fitted(cohort):
    return BrightestBlobs().fit(cohort.cases, rng=np.random.default_rng(0))


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("boxes", [True, False])
def test_spots_are_found_where_they_are(axes, boxes):
    model = fitted(spotted_cohort(6, axes=axes, boxes=boxes))
    if boxes:
        assert model.radius == RADIUS
    study, truth = spotted(20, axes=axes)
    found = model.predict(study, desk=PLAIN).findings
    assert found.unit == truth.unit
    assert len(truth.marks) == 2
    best = sorted(found.marks, key=lambda mark: -mark.score)[:2]
    for lesion in truth.marks:
        assert min(np.linalg.norm(np.subtract(m.centre, lesion.centre)) for m in best) < RADIUS / 2
    assert all((len(mark.size) == axes) == boxes for mark in found.marks)


def test_training_cases_have_no_more_false_marks_than_asked():
    cohort = spotted_cohort(9)
    model = BrightestBlobs(false_per_case=2.0).fit(cohort.cases, rng=np.random.default_rng(0))
    marks = sum(len(model.predict(c.study).findings.marks) for c in cohort.cases)
    lesions = sum(len(case.lesions.marks) for case in cohort.cases)
    assert marks <= 2 * 9 + lesions


def test_a_saved_model_marks_the_same(tmp_path):
    model = fitted(spotted_cohort(6, boxes=True))
    model.save(tmp_path / "model")
    again = arms.load(tmp_path / "model")
    assert again.card.arm == NAME
    assert again.card.task == Task.DETECT
    study, _ = spotted(20)
    assert again.predict(study, desk=PLAIN).answers == model.predict(study, desk=PLAIN).answers


def test_what_it_cannot_learn_from_is_refused():
    arm, cohort = BrightestBlobs(), spotted_cohort(6)
    unknown = replace(cohort, cases=(*cohort.cases[:5], replace(cohort.cases[5], truths={})))
    with pytest.raises(CohortError, match="case-5"):
        arm.require(unknown, [])
    healthy = tuple(case for case in cohort.cases if not case.lesions.marks)
    with pytest.raises(CohortError, match="no training case has a lesion"):
        arm.require(cohort, [Fold(number=0, train=healthy, test=cohort.cases)])
    with pytest.raises(CohortError, match="no training case has a lesion"):
        arm.fit(Cohort(name="h", cases=healthy).cases, rng=np.random.default_rng(0))
    model = fitted(spotted_cohort(6, axes=3, boxes=True))
    with pytest.raises(ModelError, match="axes"):
        model.predict(spotted(2, axes=2)[0], desk=PLAIN)
