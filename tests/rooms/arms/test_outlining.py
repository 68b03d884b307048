"""What every outlining arm must do: the same answer saved, loaded, flipped; refusals by name."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from onkos import arms
from onkos.arms.supervoxel import without_islands
from onkos.core.case import known_truths
from onkos.core.errors import CohortError, ModelError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.plain import to_plain
from onkos.core.volume import Volume
from scored import outlined

NAMES = ("supervoxel-forest", "intensity-forest", "trivial")


def flipped(volume: Volume) -> Volume:
    """Same image, stored with its first axis reversed and the last two exchanged."""
    grid = volume.geometry
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (grid.shape[0] - 1)
    affine[:3, 0] *= -1
    affine = affine[:, [0, 2, 1, 3]]
    data = volume.data[::-1].transpose(0, 2, 1)
    return replace(volume, data=data, geometry=Geometry(affine=affine, shape=data.shape))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_saved_and_loaded_answers_alike(models, phantoms, tmp_path, name):
    models[name].save(tmp_path / "model")
    loaded = arms.load(tmp_path / "model")
    study = phantoms.cases[3].study
    mine, its = models[name].predict(study), loaded.predict(study)
    assert mine.outline.mask.labels.any()
    assert np.array_equal(mine.outline.mask.labels, its.outline.mask.labels)
    assert dict(mine.outline.presence) == dict(its.outline.presence)
    assert loaded.card.weights_sha256
    assert to_plain(replace(loaded.card, weights_sha256="")) == to_plain(models[name].card)


@pytest.mark.parametrize("name", NAMES)
def test_storage_order_does_not_matter(models, phantoms, name):
    study = phantoms.cases[3].study
    other = replace(study, volumes={role: flipped(v) for role, v in study.volumes.items()})
    mine, its = models[name].predict(study).outline.mask, models[name].predict(other).outline.mask
    assert np.array_equal(its.labels[::-1].transpose(0, 2, 1), mine.labels)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_model(phantoms, models, name):
    again = arms.ARMS[name].fit(phantoms.cases[:3], rng=np.random.default_rng(4))
    study = phantoms.cases[3].study
    assert np.array_equal(
        again.predict(study).outline.mask.labels, models[name].predict(study).outline.mask.labels
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_image_is_refused_by_name(models, phantoms, name):
    study = phantoms.cases[3].study
    less = replace(study, volumes={r: v for r, v in study.volumes.items() if r != "t2"})
    with pytest.raises(ModelError, match=r"\['t2'\] are missing"):
        models[name].predict(less)


@pytest.mark.parametrize("name", NAMES)
def test_no_cases_and_no_outlines_are_refused(phantoms, name):
    with pytest.raises(CohortError, match="no cases"):
        arms.ARMS[name].fit([], rng=np.random.default_rng(0))
    bare = [replace(case, truths=known_truths(outline=None)) for case in phantoms.cases[:2]]
    with pytest.raises(CohortError, match="no reference outline"):
        arms.ARMS[name].fit(bare, rng=np.random.default_rng(0))


def test_fitting_works_with_the_channels_at_hand(phantoms):
    """Two of the four images: the arm takes whatever is present."""
    roles = ("t1c", "flair")

    def fewer(case):
        study = case.study
        less = replace(study, volumes={role: study.volumes[role] for role in roles})
        return replace(case, load=lambda: less)

    few = [fewer(case) for case in phantoms.cases]
    model = arms.ARMS["supervoxel-forest"].fit(few[:3], rng=np.random.default_rng(1))
    assert model.card.roles == roles
    assert outlined(model, few[3]).values["dice:tumour"] > 0.5


def test_the_supervoxel_forest_learns_the_phantom(models, phantoms):
    mine = outlined(models["supervoxel-forest"], phantoms.cases[3])
    assert mine.values["dice:tumour"] > 0.6
    assert mine.values["sensitivity:tumour"] > 0.5
    assert set(mine.measured) == set(mine.true)


def test_exchanged_weights_are_refused(models, tmp_path):
    models["trivial"].save(tmp_path / "a")
    models["intensity-forest"].save(tmp_path / "b")
    (tmp_path / "a" / "weights.skops").write_bytes((tmp_path / "b" / "weights.skops").read_bytes())
    with pytest.raises(ModelError, match=r"not those of card\.json"):
        arms.load(tmp_path / "a")


def test_an_unknown_arm_is_refused(models, tmp_path):
    models["trivial"].save(tmp_path)
    card = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps({**card, "arm": "oracle"}))
    with pytest.raises(ModelError, match="made by the arm 'oracle'"):
        arms.load(tmp_path)


def test_islands_far_smaller_than_the_largest_piece_go():
    classes = np.zeros((9, 12, 14), dtype=np.uint8)
    classes[1:8, 2:9, 2:9] = 2
    classes[1, 11, 12:14] = 1
    kept = without_islands(classes)
    assert kept.sum() == 2 * 7**3
    assert not without_islands(np.zeros_like(classes)).any()


def test_nothing_to_find_and_nothing_found_is_no_miss(models, phantoms):
    case = phantoms.cases[3]
    empty = Mask(
        labels=np.zeros_like(case.outline.labels), geometry=case.outline.geometry, names={1: "core"}
    )
    scored = outlined(
        models["trivial"], replace(case, truths=known_truths(outline=lambda: empty)), fold=2
    )
    assert scored.missed == ()
    assert scored.fold == 2
