"""Arms that tell classes apart: learnt, saved, loaded, refused by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lesion_toys import case_of, nodule, picture
from onkos import arms
from onkos.arms.classify import CLASSIFIERS, Classifier, facts_arm, remembering
from onkos.arms.classify.memory import Memory, digest
from onkos.arms.classify.sources import Facts, Radiomics, Size
from onkos.arms.scoring import score
from onkos.classic.members import MEMBERS
from onkos.core.errors import CohortError, ContentError, ModelError
from onkos.core.study import Patient, Study
from onkos.features.radiomics import Settings

PICTURES = [case_of(n, picture) for n in range(24)]
NODULES = [case_of(n, nodule) for n in range(24)]
WANTED = {
    "prevalence-only": PICTURES,
    "size-only": NODULES,
    "pictures-logistic": PICTURES,
    "words-svm": PICTURES,
    "radiomics-lda": NODULES,
}


@pytest.fixture(scope="module")
def fitted():
    """Models fitted on the first 18 cases."""
    memory = Memory()
    return {
        name: replace(CLASSIFIERS[name], memory=memory).fit(
            cases[:18], rng=np.random.default_rng(2)
        )
        for name, cases in WANTED.items()
    }


@pytest.mark.parametrize("name", list(WANTED))
def test_probabilities_are_those_of_the_model_saved_and_loaded(fitted, tmp_path, name):
    fitted[name].save(tmp_path / "model")
    loaded = arms.load(tmp_path / "model")
    for case in WANTED[name][18:]:
        mine, its = score(fitted[name], case, fold=0), score(loaded, case, fold=0)
        assert dict(its.classes) == pytest.approx(dict(mine.classes), abs=1e-12)
        assert sum(mine.classes.values()) == pytest.approx(1)
        assert mine.target == case.target
    assert loaded.card.classes == ("benign", "malignant")
    assert loaded.card.task == "classify"


@pytest.mark.parametrize("name", ["size-only", "pictures-logistic", "radiomics-lda"])
def test_what_can_be_learnt_is_learnt(fitted, name):
    scores = [score(fitted[name], case, fold=0) for case in WANTED[name][18:]]
    right = [one.classes[one.target] > 0.5 for one in scores]
    assert sum(right) >= 5
    assert fitted[name].used


def test_prevalence_knows_nothing_but_how_frequent_the_classes_are(fitted):
    answers = {tuple(score(fitted["prevalence-only"], c, fold=0).classes.items()) for c in PICTURES}
    assert answers == {(("benign", 0.5), ("malignant", 0.5))}
    assert fitted["prevalence-only"].used == ()


def test_size_is_the_logarithm_of_volume_and_diameters():
    volume, mask, _ = nodule(3)
    found = Size().observe(Study(patient=Patient(id="P"), volumes={"ct": volume}, masks=(mask,)))
    assert found["log_volume_ml"] == pytest.approx(np.log(mask.volumes_ml["nodule"]))
    assert found.names == ("log_volume_ml", "log_long_axis_mm", "log_short_axis_mm")


def test_radiomics_are_taken_of_every_image():
    volume, mask, _ = nodule(1)
    settings = Settings(families=("stat",))
    one = Study(patient=Patient(id="P"), volumes={"ct": volume}, masks=(mask,))
    two = replace(one, volumes={"ct": volume, "pet": volume})
    single, double = (Radiomics(settings=settings).observe(study) for study in (one, two))
    assert len(double.names) == 2 * len(single.names)
    assert double.names[0] == f"ct:{single.names[0]}"


def test_facts_are_numbers_and_words_and_may_be_missing(rng):
    arm = facts_arm("facts-logistic", [c.study.facts for c in NODULES], ("psa", "sex"))
    assert isinstance(arm.source, Facts)
    study = replace(NODULES[0].study, facts={"psa": "", "sex": "M"})
    found = arm.source.observe(study)
    assert found.names == ("psa", "sex=F", "sex=M")
    np.testing.assert_array_equal(found.values, [np.nan, 0, 1])
    with pytest.raises(ContentError, match="expected one of"):
        arm.source.observe(replace(study, facts={"sex": "unknown"}))
    model = arm.fit(NODULES[:18], rng=rng)
    assert model.predict(NODULES[20].study).classes.keys() == {"benign", "malignant"}


def test_what_is_missing_is_refused_by_name(fitted):
    bare = [case_of(n, nodule, outlined=False) for n in range(4)]
    with pytest.raises(CohortError, match=r"case case-0: .*0 outlines"):
        CLASSIFIERS["size-only"].fit(bare, rng=np.random.default_rng(0))
    with pytest.raises(ModelError, match=r"radiomics-lda: .*0 outlines"):
        fitted["radiomics-lda"].predict(bare[0].study)
    with pytest.raises(CohortError, match="no target"):
        CLASSIFIERS["size-only"].fit(
            [replace(NODULES[0], target=None)], rng=np.random.default_rng(0)
        )
    with pytest.raises(CohortError, match="three axes"):
        CLASSIFIERS["pictures-lda"].fit(NODULES[:4], rng=np.random.default_rng(0))


def test_a_study_is_looked_at_once():
    seen = []

    class Counting(Size):
        def observe(self, study):
            seen.append(study.patient.id)
            return super().observe(study)

    arm = Classifier(
        name="size-only", family="trivial", source=Counting(), member=MEMBERS["logistic"]
    )
    (first, second) = remembering([arm, replace(arm, name="again")])
    first.fit(NODULES[:10], rng=np.random.default_rng(0))
    model = second.fit(NODULES[:10], rng=np.random.default_rng(0))
    score(model, NODULES[3], fold=0)
    assert sorted(seen) == sorted(f"P{n}" for n in range(10))


def test_the_digest_of_a_study_changes_with_all_that_is_looked_at():
    volume, mask, _ = nodule(2)
    study = Study(patient=Patient(id="P"), volumes={"ct": volume}, masks=(mask,))
    changed = volume.data.copy()
    changed[0, 0, 0] += 1
    others = [
        replace(study, volumes={"ct": replace(volume, data=changed)}),
        replace(study, volumes={"pet": volume}),
        replace(study, masks=()),
        replace(study, facts={"age": "61"}),
    ]
    assert len({digest(one) for one in [study, *others]}) == 5
    assert digest(study) == digest(replace(study, description="another day"))
