"""Arms that tell classes apart: learnt, saved, loaded, refused by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos import arms
from onkos.arms.classify import CLASSIFIERS, Classifier, facts_arm, remembering
from onkos.arms.classify.memory import Memory, digest
from onkos.arms.classify.sources import Facts, Radiomics, Size
from onkos.arms.scoring import score
from onkos.classic.members import MEMBERS
from onkos.core.case import Case
from onkos.core.errors import CohortError, ContentError, ModelError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume
from onkos.features.radiomics import Settings


def picture(number: int) -> tuple[Volume, Mask, str]:
    """Ultrasound-like picture: malignant lesions are larger and rougher."""
    rng = np.random.default_rng([3, number])
    malignant = number % 2 == 1
    grid = Geometry.picture((72, 60))
    i, j = np.indices(grid.shape)
    radius = rng.uniform(12, 17) if malignant else rng.uniform(8, 13)
    inside = (i - 36) ** 2 + (1.3 * (j - 30)) ** 2 < radius**2
    grain = rng.normal(0, 25 if malignant else 8, size=grid.shape)
    data = np.clip(np.where(inside, 60, 130) + grain, 0, 255).astype(np.uint8)
    volume = Volume(data=data, geometry=grid, modality="US", unit="1")
    mask = Mask(labels=inside.astype(np.uint8), geometry=grid, names={1: "lesion"})
    return volume, mask, "malignant" if malignant else "benign"


def nodule(number: int) -> tuple[Volume, Mask, str]:
    """Oblique CT volume with a ball: malignant ones larger and less even."""
    rng = np.random.default_rng([5, number])
    malignant = number % 2 == 1
    turned = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, -1.0]])
    grid = Geometry.upright(
        (18, 16, 11), spacing_mm=(0.8, 0.7, 1.6), origin_mm=(-90, 31, 8), directions=turned
    )
    place = grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    centre = grid.to_mm(np.array([9.0, 8.0, 5.0]))
    radius = rng.uniform(3.4, 4.6) if malignant else rng.uniform(2.4, 3.8)
    inside = np.linalg.norm(place - centre, axis=-1) < radius
    grain = rng.normal(0, 120 if malignant else 40, size=grid.shape)
    data = (np.where(inside, 20.0, -820.0) + grain).astype(np.float32)
    volume = Volume(data=data, geometry=grid, modality="CT", unit="[hnsf'U]")
    mask = Mask(labels=inside.astype(np.uint8), geometry=grid, names={1: "nodule"})
    return volume, mask, "malignant" if malignant else "benign"


def case_of(number: int, make, *, outlined: bool = True) -> Case:
    volume, mask, target = make(number)
    facts = {"psa": f"{number + 0.5}", "sex": "F" if number % 3 else "M"}
    study = Study(patient=Patient(id=f"P{number}"), volumes={"image": volume}, facts=facts)
    return Case(
        id=f"case-{number}",
        patient=f"P{number}",
        load=lambda: study,
        load_truth=(lambda: mask) if outlined else None,
        target=target,
    )


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
