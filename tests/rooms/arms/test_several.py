"""Arms on patients with several pictures: pooled, thresholded, saved and loaded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lesion_toys import picture
from onkos import arms
from onkos.arms.classify import CLASSIFIERS
from onkos.arms.classify.several import OfSeveral, pictures_of, pooled_answer
from onkos.cohort.table import load_table
from onkos.compare import Plan, compare
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import CohortError, ModelError
from onkos.core.study import Patient, Study
from scored import probabilities

TWO = ("benign", "malignant")


def patient(number: int, count: int = 3) -> Case:
    """A patient with some pictures, all of the class of the first."""
    drawn = [picture(number % 2 + 2 * (7 * number + n)) for n in range(count)]
    study = Study(
        patient=Patient(id=f"P{number}"),
        volumes={f"view-{n}": volume for n, (volume, _, _) in enumerate(drawn)},
    )
    return Case(
        id=f"c{number}",
        patient=f"P{number}",
        load=lambda: study,
        truths=known_truths(target=drawn[0][2]),
    )


COHORT = Cohort(
    name="views", cases=tuple(patient(n, 2 + n % 3) for n in range(18)), fingerprint="v"
)


def test_pooling_by_hand():
    answers = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    assert pooled_answer(answers, "mean", TWO) == pytest.approx([1.6 / 3, 1.4 / 3])
    assert pooled_answer(answers, "max", TWO) == pytest.approx([0.2, 0.8])
    sure = pooled_answer(answers, "weighted", TWO)
    even = 1 - np.array([0.468996, 0.721928, 1.0])  # 1 less the entropy in bits
    assert sure == pytest.approx(np.average(answers, axis=0, weights=even), abs=1e-5)
    unsure = np.full((2, 2), 0.5)
    assert pooled_answer(unsure, "weighted", TWO) == pytest.approx([0.5, 0.5])
    of_three = np.array([[0.8, 0.1, 0.1], [0.1, 0.6, 0.3]])
    assert pooled_answer(of_three, "max", ("a", "b", "c")).sum() == pytest.approx(1)


@pytest.mark.parametrize("pool", ["mean", "max", "weighted"])
def test_the_answer_of_a_case_is_pooled_from_its_pictures_saved_and_loaded(pool, tmp_path):
    arm = OfSeveral(arm=CLASSIFIERS["pictures-lda"], pool=pool)
    model = arm.fit(COHORT.cases[:14], rng=np.random.default_rng(2))
    assert model.card.arm == f"pictures-lda+{pool}"
    assert model.card.patients == 14
    assert 0 < model.card.threshold <= 1
    model.save(tmp_path)
    loaded = arms.load(tmp_path)
    for case in COHORT.cases[14:]:
        single = [probabilities(model.model, part) for part in pictures_of(case)]
        rows = np.array([[one[name] for name in TWO] for one in single])
        mine = probabilities(model, case)
        assert [mine[name] for name in TWO] == pytest.approx(pooled_answer(rows, pool, TWO))
        assert probabilities(loaded, case) == pytest.approx(mine, abs=1e-12)
    assert loaded.card.threshold == model.card.threshold


def test_a_patient_with_many_pictures_is_one_case_of_a_comparison():
    arm = OfSeveral(arm=CLASSIFIERS["pictures-lda"], pool="mean")
    made = compare(COHORT, [arm], plan=Plan(folds=2))
    assert len(made.arms[0].judgement.cases) == 18
    assert made.arms[0].metrics["auc"].n == 18
    assert made.arms[0].metrics["auc"].value > 0.7


def test_no_picture_is_refused():
    bare = replace(COHORT.cases[0], load=lambda: Study(patient=Patient(id="P0")))
    with pytest.raises(CohortError, match="no picture"):
        pictures_of(bare)
    arm = OfSeveral(arm=CLASSIFIERS["pictures-lda"], pool="mean")
    model = arm.fit(COHORT.cases[:10], rng=np.random.default_rng(2))
    with pytest.raises(ModelError, match="no picture"):
        model.predict(bare.study)


def test_a_folder_of_pictures_in_a_table_is_several_images(tmp_path):
    rows = ["case,patient,image,target"]
    for number in range(2):
        folder = tmp_path / f"p{number}"
        folder.mkdir()
        for view in range(3):
            Image.fromarray(np.asarray(picture(number)[0].data).T).save(folder / f"view{view}.png")
        rows.append(f"c{number},P{number},p{number},{'ab'[number]}")
    (tmp_path / "cases.csv").write_text("\n".join(rows))
    cohort = load_table(tmp_path / "cases.csv")
    study = cohort.cases[0].study
    assert len(study.volumes) == 3
    assert all(role.startswith("image/") for role in study.volumes)
    assert cohort.cases[0].glance.roles == tuple(study.volumes)
