"""Arms that tell classes apart: learnt, saved, loaded, refused by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lesion_toys import case_of, nodule, picture
from onkos import arms
from onkos.arms.classify import CLASSIFIERS, Classifier, facts_arm
from onkos.arms.classify.observation import digest, observation
from onkos.arms.classify.sources import Facts, Radiomics, Size
from onkos.classic.members import MEMBERS
from onkos.core.case import characterised
from onkos.core.desk import Desk
from onkos.core.errors import CohortError, ContentError, ModelError
from onkos.core.study import Patient, Study
from onkos.features.radiomics import Settings
from onkos.work.cache import DiskCache
from scored import probabilities

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
    return {
        name: CLASSIFIERS[name].fit(cases[:18], rng=np.random.default_rng(2))
        for name, cases in WANTED.items()
    }


@pytest.mark.parametrize("name", list(WANTED))
def test_probabilities_are_those_of_the_model_saved_and_loaded(fitted, tmp_path, name):
    fitted[name].save(tmp_path / "model")
    loaded = arms.load(tmp_path / "model")
    for case in WANTED[name][18:]:
        mine, its = probabilities(fitted[name], case), probabilities(loaded, case)
        assert its == pytest.approx(mine, abs=1e-12)
        assert sum(mine.values()) == pytest.approx(1)
    assert loaded.card.classes == ("benign", "malignant")
    assert loaded.card.task == "classify"


@pytest.mark.parametrize("name", ["size-only", "pictures-logistic", "radiomics-lda"])
def test_what_can_be_learnt_is_learnt(fitted, name):
    right = [probabilities(fitted[name], c)[c.required_target] > 0.5 for c in WANTED[name][18:]]
    assert sum(right) >= 5
    assert fitted[name].used


def test_prevalence_knows_nothing_but_how_frequent_the_classes_are(fitted):
    answers = {tuple(probabilities(fitted["prevalence-only"], c).items()) for c in PICTURES}
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
    assert probabilities(model, NODULES[20]).keys() == {"benign", "malignant"}


def test_what_is_missing_is_refused_by_name(fitted):
    bare = [case_of(n, nodule, outlined=False) for n in range(4)]
    with pytest.raises(CohortError, match=r"case case-0: .*0 outlines"):
        CLASSIFIERS["size-only"].fit(bare, rng=np.random.default_rng(0))
    with pytest.raises(ModelError, match=r"radiomics-lda: .*0 outlines"):
        fitted["radiomics-lda"].predict(bare[0].study)
    with pytest.raises(CohortError, match="no target"):
        CLASSIFIERS["size-only"].fit([replace(NODULES[0], truths={})], rng=np.random.default_rng(0))
    with pytest.raises(CohortError, match="three axes"):
        CLASSIFIERS["pictures-lda"].fit(NODULES[:4], rng=np.random.default_rng(0))


def test_a_study_is_described_once_whoever_asks(tmp_path):
    seen = []

    class Counting(Radiomics):
        def observe(self, study):
            seen.append(study.patient.id)
            return super().observe(study)

    source = Counting(settings=Settings(families=("stat",)))
    arm = Classifier(name="mine", family="classic", source=source, member=MEMBERS["logistic"])
    desk = Desk(cache=DiskCache(root=tmp_path))
    arm.fit(NODULES[:10], rng=np.random.default_rng(0), desk=desk)
    again = Desk(cache=DiskCache(root=tmp_path))
    arm.fit(NODULES[:10], rng=np.random.default_rng(0), desk=again)
    kept = observation(source, characterised(NODULES[3]), again)
    assert sorted(seen) == sorted(f"P{n}" for n in range(10))
    fresh = source.observe(characterised(NODULES[3]))
    assert kept.names == fresh.names
    np.testing.assert_array_equal(kept.values, fresh.values)


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
