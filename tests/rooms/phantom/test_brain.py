"""Cohorts, settings, and what the images of a whole head look like in numbers."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import UsageError
from onkos.phantom.brain import BrainPhantom, Change, cohort, follow_up, simulated

TINY = BrainPhantom(shape=(60, 66, 44))


def test_a_patient_does_not_depend_on_the_size_of_the_cohort() -> None:
    few, many = cohort(2, settings=TINY, seed=5), cohort(40, settings=TINY, seed=5)
    assert [case.id for case in few.cases] == ["PHANTOM-0001", "PHANTOM-0002"]
    one, other = few.cases[1].study, many.cases[1].study
    assert one.uid == other.uid
    np.testing.assert_array_equal(one.volumes["flair"].data, other.volumes["flair"].data)
    assert few.simulated
    assert few.fingerprint != many.fingerprint


def test_a_case_has_its_own_truth() -> None:
    case = cohort(3, settings=TINY, seed=5).cases[2]
    truth = case.outline
    assert truth.geometry == case.study.volumes["t1c"].geometry
    assert dict(truth.names) == {1: "core", 2: "oedema"}
    np.testing.assert_array_equal(truth.labels, simulated(TINY, seed=5, number=3).truth.labels)


def test_grids_differ_and_are_awkward() -> None:
    grids = [simulated(TINY, seed=2, number=n).truth.geometry for n in range(1, 9)]
    assert len({grid.spacing_mm for grid in grids}) == len(grids)
    assert len({grid.orientation for grid in grids}) > 1
    for grid in grids:
        assert len(set(grid.spacing_mm)) == 3
        assert not grid.is_sheared
        assert np.linalg.det(grid.directions) == pytest.approx(1.0)
        assert np.abs(grid.directions).max() < 0.99999


def test_images_show_what_a_glioma_shows() -> None:
    quiet = BrainPhantom(shape=(80, 84, 60), bias=0.0, snr=(200.0, 201.0))
    patient = next(
        made
        for made in (simulated(quiet, seed=3, number=n) for n in range(1, 12))
        if min(made.detail.counts.values()) > 60
    )
    seen = {
        role: {
            name: float(np.median(volume.data[patient.detail.where(name)]))
            for name in patient.detail.names.values()
        }
        | {"all": float(np.median(volume.data[volume.data > 200]))}
        for role, volume in patient.study.volumes.items()
    }
    assert seen["t1c"]["enhancing"] > 1.3 * seen["t1"]["enhancing"] * (
        seen["t1c"]["oedema"] / seen["t1"]["oedema"]
    )
    assert seen["t1c"]["enhancing"] > seen["t1c"]["necrosis"]
    assert seen["flair"]["oedema"] > seen["flair"]["all"]
    assert seen["t2"]["necrosis"] > seen["t2"]["oedema"] > seen["t2"]["all"]


def test_air_around_the_head_is_rayleigh() -> None:
    even = BrainPhantom(shape=(60, 66, 44), snr=(4.0, 4.01))
    volume = simulated(even, seed=1, number=1).study.volumes["t1"]
    corner = volume.data[:5, :5, :].astype(np.float64)
    assert corner.mean() / corner.std() == pytest.approx(1.913, rel=0.05)


def test_a_skull_stripped_head_is_empty_outside() -> None:
    whole = simulated(TINY, seed=4, number=1).study.volumes["t1"].data
    bare = (
        simulated(BrainPhantom(shape=TINY.shape, skull_stripped=True), seed=4, number=1)
        .study.volumes["t1"]
        .data
    )
    np.testing.assert_array_equal(bare[bare > 0], whole[bare > 0])
    assert 0.1 < (bare > 0).mean() < 0.35


@pytest.mark.parametrize(
    "asked",
    [{"shape": (4, 60, 60)}, {"snr": (0.0, 1.0)}, {"bias": -0.1}, {"field_t": 0.35}],
    ids=str,
)
def test_impossible_settings_are_refused(asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        BrainPhantom(**asked)


def test_impossible_changes_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(UsageError, match="negative"):
        Change(core=-0.1)
    with pytest.raises(UsageError, match="at least 1"):
        follow_up(simulated(TINY, seed=4, number=1), change=Change(), days=0, rng=rng)
    with pytest.raises(UsageError, match="at least 1"):
        cohort(0, settings=TINY, seed=1)
