"""Outlining with the classic members: the arm as a whole."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from onkos import arms
from onkos.arms.outline import OUTLINERS, Outliner
from onkos.arms.outline.division import patch_of
from onkos.arms.outline.tuning import Tuning
from onkos.classic.members import MEMBERS
from onkos.core.case import Case, known_truths
from onkos.core.desk import Desk
from onkos.core.errors import CohortError, ContentError, ModelError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume
from onkos.prep.scan import prepare
from rooms.arms.test_outline_parts import refusing
from rooms.arms.test_outlining import flipped
from scored import outlined


def quick(name: str) -> Outliner:
    """Arm that learns fast: a linear discriminant, few rows, one setting."""
    return replace(
        OUTLINERS[name],
        unary=replace(MEMBERS["lda"], candidates=MEMBERS["lda"].candidates[-1:], folds=2),
        rows=800,
        tuning=Tuning(axes=(("lift", (3.0, 8.0)),)),
    )


@pytest.fixture(scope="module")
def outliner(phantoms):
    """Hidden Markov field fitted on three phantoms."""
    arm = quick("outline-hidden-markov-field")
    return arm.fit(phantoms.cases[:3], rng=np.random.default_rng(4))


def test_the_arm_learns_the_phantom_and_its_card_says_what_was_chosen(outliner, phantoms):
    found = outlined(outliner, phantoms.cases[3])
    assert found.values["dice:tumour"] > 0.6
    settings = outliner.card.settings
    assert (settings["unary"], settings["member"]) == ("lda", "hidden-markov-field")
    assert settings["chosen_on"] == 3
    assert 0 < settings["dice_when_chosen"] <= 1
    assert settings["division"]["lift"] in (3.0, 8.0)


def test_saved_and_loaded_it_answers_alike_however_the_study_is_stored(
    outliner, phantoms, tmp_path
):
    outliner.save(tmp_path)
    loaded = arms.load(tmp_path)
    study = phantoms.cases[3].study
    other = replace(study, volumes={role: flipped(v) for role, v in study.volumes.items()})
    mine, its = outliner.predict(study), loaded.predict(other)
    assert mine.outline.mask.labels.any()
    assert np.array_equal(
        its.outline.mask.labels[::-1].transpose(0, 2, 1), mine.outline.mask.labels
    )
    assert dict(mine.outline.presence) == pytest.approx(dict(its.outline.presence))
    assert [one.code for one in mine.caveats] == [one.code for one in its.caveats]


def test_the_same_seed_gives_the_same_model_with_any_number_of_threads(outliner, phantoms):
    arm = quick("outline-hidden-markov-field")
    again = arm.fit(phantoms.cases[:3], rng=np.random.default_rng(4), desk=Desk(threads=1))
    assert np.array_equal(again.unary.shift, outliner.unary.shift)
    assert again.division == outliner.division
    study = phantoms.cases[3].study
    assert np.array_equal(
        again.predict(study).outline.mask.labels, outliner.predict(study).outline.mask.labels
    )


def test_a_member_that_refuses_leaves_an_empty_outline_and_says_why(outliner, phantoms):
    model = replace(outliner, division=refusing(ContentError("it does not like this one")))
    prediction = model.predict(phantoms.cases[3].study)
    assert not prediction.outline.mask.labels.any()
    said = {one.code: one.text for one in prediction.caveats}
    assert "it does not like this one" in said["method-refused"]
    assert "nothing-outlined" in said


def test_images_of_another_kind_are_refused(outliner, phantoms):
    study = phantoms.cases[3].study
    with pytest.raises(ModelError, match=r"\['t2'\] are missing"):
        outliner.predict(
            replace(study, volumes={r: v for r, v in study.volumes.items() if r != "t2"})
        )
    t2 = study.volumes["t2"]
    doubled = replace(t2, data=np.stack([t2.data, t2.data], axis=-1))
    with pytest.raises(ModelError, match="channels are not those"):
        outliner.predict(replace(study, volumes={**study.volumes, "t2": doubled}))


def test_two_patients_are_too_few_to_choose_and_one_to_learn(phantoms):
    arm = quick("outline-lda")
    model = arm.fit(phantoms.cases[:2], rng=np.random.default_rng(1))
    assert model.card.settings["chosen_on"] == 0
    codes = {one.code for one in model.predict(phantoms.cases[3].study).caveats}
    assert "settings-not-chosen" in codes
    with pytest.raises(CohortError, match="one patient"):
        arm.fit(phantoms.cases[:1], rng=np.random.default_rng(1))


def test_a_card_with_a_setting_of_another_method_is_refused(outliner, tmp_path):
    outliner.save(tmp_path)
    path = tmp_path / "card.json"
    card = json.loads(path.read_text())
    card["settings"]["division"]["pieces"] = 3
    path.write_text(json.dumps(card))
    with pytest.raises(ModelError, match="'pieces'"):
        arms.load(tmp_path)


def test_tumour_is_sought_only_where_it_is_possible(outliner, phantoms):
    study = phantoms.cases[3].study
    scan = prepare(study, outliner.card.roles, reference=outliner.card.reference)
    described = quick("outline-lda").described(scan, threads=1)
    shares = np.zeros((described.regions.count, 3))
    shares[:, 0] = 1
    assert patch_of(scan, described, shares) is None
    shares[4] = (0.5, 0.5, 0)
    patch = patch_of(scan, described, shares)
    assert patch is not None
    whole = patch.whole(patch.inside.astype(np.uint8))
    assert (whole[described.regions.labels == 5] == 1).all()
    assert not (whole.astype(bool) & ~scan.head).any()
    assert whole.sum() < scan.head.sum()


def picture_case(number: int) -> Case:
    """A bright lesion in a grey picture of unknown pixel size, as ultrasound comes."""
    rng = np.random.default_rng([9, number])
    grid = Geometry.picture((70, 58))
    i, j = np.indices(grid.shape)
    middle, radius = rng.uniform((25, 22), (45, 36)), rng.uniform(7, 11)
    lesion = (i - middle[0]) ** 2 + 1.6 * (j - middle[1]) ** 2 < radius**2
    data = np.where(lesion, 180.0, 90.0) + rng.normal(0, 25, size=grid.shape)
    data[:3] = data[-3:] = 0
    data[:, :3] = data[:, -3:] = 0
    volume = Volume(data=data.astype(np.float32), geometry=grid, modality="US", unit="1")
    study = Study(patient=Patient(id=f"P{number}"), volumes={"image": volume})
    truth = Mask(labels=lesion.astype(np.uint8), geometry=grid, names={1: "lesion"})
    return Case(
        id=f"c{number}",
        patient=f"P{number}",
        load=lambda: study,
        truths=known_truths(outline=lambda: truth),
    )


def test_pictures_of_unknown_pixel_size_are_outlined_and_the_card_claims_no_brain():
    cases = [picture_case(n) for n in range(6)]
    model = quick("outline-graph-cut").fit(cases[:5], rng=np.random.default_rng(2))
    assert outlined(model, cases[5]).values["dice:tumour"] > 0.7
    assert model.card.site == ""
    assert model.card.intended_use.startswith("Outlining of lesion on US images")
    assert model.predict(cases[5].study).outline.mask.geometry.shape == (70, 58)
