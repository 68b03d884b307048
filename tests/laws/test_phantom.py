"""What holds for every simulated patient, whatever its seed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onkos.phantom.brain import BrainPhantom, Change, PhantomPatient, follow_up, simulated

TINY = BrainPhantom(shape=(60, 66, 44))
SEEDS = st.integers(0, 2**31)
FEW = settings(max_examples=3)


@lru_cache(maxsize=8)
def tiny(seed: int) -> PhantomPatient:
    return simulated(TINY, seed=seed, number=1)


@FEW
@given(SEEDS)
def test_a_seed_is_a_patient(seed: int) -> None:
    once, again = tiny(seed), simulated(TINY, seed=seed, number=1)
    other = simulated(TINY, seed=seed, number=2)
    assert once.study.uid == again.study.uid != other.study.uid
    assert once.study.volumes["t1"].geometry == again.study.volumes["t1"].geometry
    for role, volume in once.study.volumes.items():
        np.testing.assert_array_equal(volume.data, again.study.volumes[role].data)
    np.testing.assert_array_equal(once.truth.labels, again.truth.labels)
    assert not np.array_equal(once.truth.labels, other.truth.labels)


@FEW
@given(SEEDS)
def test_everything_says_phantom(seed: int) -> None:
    patient = tiny(seed)
    study = patient.study
    words = (study.patient.id, study.patient.name, study.description)
    assert all("phantom" in word.lower() for word in words)
    assert "phantom" in {caveat.code for caveat in study.all_caveats}
    assert "phantom" in {caveat.code for caveat in patient.truth.caveats}
    assert all("phantom" in made["SeriesDescription"] for made in patient.attributes.values())


@FEW
@given(SEEDS)
def test_the_outline_lies_inside_the_brain(seed: int) -> None:
    patient = tiny(seed)
    stripped = simulated(BrainPhantom(shape=TINY.shape, skull_stripped=True), seed=seed, number=1)
    np.testing.assert_array_equal(patient.truth.labels, stripped.truth.labels)
    brain = stripped.study.volumes["t2"].data > 0
    assert brain.mean() < 0.35
    assert not np.any((patient.truth.labels > 0) & ~brain)


@FEW
@given(SEEDS)
def test_the_detail_adds_up_to_the_outline(seed: int) -> None:
    patient = tiny(seed)
    core = patient.detail.where("necrosis", "enhancing", "non-enhancing")
    np.testing.assert_array_equal(core, patient.truth.where("core"))
    np.testing.assert_array_equal(patient.detail.where("oedema"), patient.truth.where("oedema"))


@FEW
@given(SEEDS)
def test_the_outline_has_the_volume_that_is_there(seed: int) -> None:
    patient = tiny(seed)
    on_grid = patient.truth.volumes_ml
    for tissue, share in (("core", 0.10), ("oedema", 0.18)):
        truly = patient.volumes_ml[tissue]
        assert on_grid[tissue] == pytest.approx(truly, rel=share, abs=0.5)


@settings(max_examples=5)
@given(SEEDS, st.floats(0.4, 1.8), st.floats(0.5, 1.3), st.floats(0.5, 1.0))
def test_a_follow_up_has_changed_as_asked(
    seed: int, core: float, oedema: float, necrosis: float
) -> None:
    before = tiny(seed % 3)
    change = Change(core=core, oedema=oedema, necrosis=min(necrosis, core))
    after = follow_up(before, change=change, rng=np.random.default_rng(seed))
    asked = {"core": change.core, "oedema": change.oedema, "necrosis": change.necrosis}
    for tissue, factor in asked.items():
        wanted = factor * before.volumes_ml[tissue]
        assert after.volumes_ml[tissue] == pytest.approx(wanted, rel=0.01, abs=0.05)
    assert after.truth.volumes_ml["core"] == pytest.approx(
        core * before.volumes_ml["core"], rel=0.10, abs=0.5
    )
    assert after.study.patient == before.study.patient
    assert not after.truth.geometry.matches(before.truth.geometry)
    assert after.study.uid != before.study.uid


def test_a_tumour_that_is_gone_leaves_no_outline() -> None:
    gone = Change(core=0.0, oedema=0.0, necrosis=0.0)
    after = follow_up(tiny(1), change=gone, rng=np.random.default_rng(4))
    assert after.truth.volumes_ml == {"core": 0.0, "oedema": 0.0}


def test_without_change_only_the_scan_is_new() -> None:
    before = tiny(2)
    after = follow_up(before, change=Change(), rng=np.random.default_rng(7))
    assert after.volumes_ml == pytest.approx(before.volumes_ml, rel=1e-6)
    for tissue, volume_ml in before.truth.volumes_ml.items():
        assert after.truth.volumes_ml[tissue] == pytest.approx(volume_ml, rel=0.04, abs=0.3)
    assert not np.array_equal(after.study.volumes["t1"].data, before.study.volumes["t1"].data)
