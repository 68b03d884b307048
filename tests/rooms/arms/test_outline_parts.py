"""Outlining with the classic members: learning, dividing and choosing, each by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from onkos.arms.description import Description
from onkos.arms.outline import OUTLINERS
from onkos.arms.outline.arm import _groups, _within
from onkos.arms.outline.division import Division, Patch, RefusedError
from onkos.arms.outline.tuning import Trial, choose, mean_dice
from onkos.arms.outline.unary import FittedUnary, Sample, fit_unary
from onkos.classic.members import MEMBERS
from onkos.classic.outliners import REGION_MEMBERS
from onkos.core.errors import CohortError, ContentError, ModelError

SPACING = (3.0, 1.0, 1.5)
SPATIAL = tuple(name for name, arm in OUTLINERS.items() if arm.division.member)
SHARES = np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.3, 0.2, 0.5]])


@dataclass(frozen=True)
class Refusing:
    """A method that never divides anything."""

    reason: Exception
    depth: float = 0.0

    def solve(self, scene, *, rng):
        raise self.reason


def refusing(reason: Exception) -> Division:
    member = replace(REGION_MEMBERS["graph-cut"], method=Refusing(reason))
    return Division(member=member)


@pytest.fixture
def lump(rng):
    """A core in oedema in two kinds of healthy tissue, in small blocks that are half sure."""
    shape = (12, 36, 30)
    axes = [(np.arange(n) - 0.45 * n) * s for n, s in zip(shape, SPACING, strict=True)]
    far = np.sqrt(sum(a**2 for a in np.meshgrid(*axes, indexing="ij")))
    truth = np.where(far < 6, 1, np.where(far < 11, 2, 0)).astype(np.uint8)
    values = np.array([[0.0, 3.0, -2.0], [0.0, 1.0, 3.0]])[:, truth]
    values[:, :, 18:] += np.where(truth[:, 18:] == 0, -1.5, 0.0)
    image = (values + 0.5 * rng.normal(size=values.shape)).astype(np.float32)
    k, j, i = np.indices(shape)
    regions = (1 + (k // 2 * 12 + j // 3) * 10 + i // 3).astype(np.int32)
    votes = np.stack([np.bincount(regions.ravel(), (truth == c).ravel())[1:] for c in range(3)])
    odds = 4 * votes.T / votes.sum(axis=0)[:, None] + rng.normal(size=(votes.shape[1], 3))
    shares = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    inside = np.ones(shape, dtype=bool)
    inside[:, 0] = False
    box = (slice(2, 14), slice(0, 36), slice(5, 35))
    patch = Patch(
        image=image,
        spacing_mm=SPACING,
        inside=inside,
        regions=regions,
        shares=shares,
        box=box,
        shape=(16, 36, 40),
    )
    return patch, truth


def dice(found, truth):
    return mean_dice(found, truth, np.bincount(truth.ravel(), minlength=3))


def fine(name):
    """Division of an arm without a lift, for probabilities that are as frequent as the truth."""
    return OUTLINERS[name].division.with_setting("lift", 1.0)


@pytest.mark.parametrize("name", SPATIAL)
def test_a_region_member_outlines_better_than_its_supervoxels_alone(name, lump):
    patch, truth = lump
    alone, _ = Division(lift=1.0).divided(patch, rng=np.random.default_rng(0))
    found, _ = fine(name).divided(patch, rng=np.random.default_rng(0))
    assert found.shape == truth.shape
    assert not found[~patch.inside].any()
    assert set(np.unique(found)) <= {0, 1, 2}
    assert dice(found, truth) > dice(alone, truth) + 0.02


@pytest.mark.parametrize("name", SPATIAL)
def test_kinds_of_healthy_tissue_are_one_class_in_the_end(name, lump):
    patch, truth = lump
    found, _ = replace(fine(name), healthy=3).divided(patch, rng=np.random.default_rng(0))
    assert set(np.unique(found)) <= {0, 1, 2}
    assert dice(found, truth) > 0.5


def test_seeds_keep_their_class_also_among_kinds_of_healthy_tissue(lump):
    patch, _ = lump
    sure = np.eye(3)[np.where(patch.shares.max(axis=1) > 0.7, patch.shares.argmax(axis=1), 0)]
    certain = replace(patch, shares=np.where(sure.argmax(axis=1)[:, None] > 0, sure, patch.shares))
    for healthy in (1, 2):
        division = replace(fine("outline-random-walker"), confidence=0.99, healthy=healthy)
        found, _ = division.divided(certain, rng=np.random.default_rng(0))
        for code in (1, 2):
            seeded = patch.inside & np.isin(patch.regions, 1 + np.flatnonzero(sure[:, code]))
            assert seeded.any()
            assert set(np.unique(found[seeded])) <= {0, code}  # 0 where an island went
            assert (found[seeded] == code).mean() > 0.6


def test_a_larger_lift_outlines_no_less(lump):
    patch, _ = lump
    last = np.zeros(patch.inside.shape, dtype=bool)
    whole = replace(patch, shares=np.repeat(patch.shares[:, :1], 3, axis=1))
    whole = replace(whole, shares=np.stack([whole.shares[:, 0], 1 - whole.shares[:, 0]], axis=1))
    for lift in (0.5, 1.0, 2.0, 4.0):
        member = replace(fine("outline-graph-cut"), lift=lift)
        found, _ = member.divided(whole, rng=np.random.default_rng(0))
        assert found.any()
        assert not (last & (found == 0)).any()
        last = found > 0


def test_nothing_is_outlined_where_no_supervoxel_is_probable_enough(lump):
    patch, _ = lump
    highest = 1 - patch.shares[:, 0].min()
    just, above = Division(least=highest), Division(least=highest + 1e-6)
    assert just.divided(patch, rng=np.random.default_rng(0))[0].any()
    assert not above.divided(patch, rng=np.random.default_rng(0))[0].any()


def test_labels_go_back_to_where_the_patch_was_cut(lump):
    patch, truth = lump
    whole = patch.whole(truth)
    assert whole.shape == (16, 36, 40)
    assert np.array_equal(whole[patch.box], truth)
    assert whole.sum() == truth.sum()


@pytest.mark.parametrize(
    "reason",
    [ContentError("x"), np.linalg.LinAlgError("x"), RuntimeError("singular"), ZeroDivisionError()],
)
def test_whatever_a_member_refuses_is_one_error(lump, reason):
    with pytest.raises(RefusedError, match="graph-cut: "):
        refusing(reason).divided(lump[0], rng=np.random.default_rng(0))


@pytest.mark.parametrize("name", OUTLINERS)
def test_settings_go_to_a_card_and_back(name):
    division = OUTLINERS[name].division
    plain = json.loads(json.dumps(division.to_plain()))
    member = division.member.name if division.member else ""
    assert Division.from_plain(member, plain) == division
    for setting, values in OUTLINERS[name].tuning.axes:
        for value in values:
            assert division.with_setting(setting, value).to_plain()[setting] == value


@pytest.mark.parametrize(("name", "value"), [("depth", 1.0), ("lift", "1"), ("lift", True)])
def test_settings_that_a_division_does_not_have_are_refused(name, value):
    with pytest.raises(ModelError, match=name):
        Division().with_setting(name, value)


def trial(patch, truth, patient, *, swap=False):
    labels = np.where(truth > 0, 3 - truth, 0).astype(np.uint8) if swap else truth
    counts = np.bincount(labels.ravel(), minlength=3)
    return Trial(patient=patient, patch=patch, truth=labels, counts=counts)


def test_the_setting_of_best_dice_is_chosen(lump):
    patch, truth = lump
    axes = (("lift", (0.01, 1.0, 50.0)), ("least", (0.0, 1.1)))
    chosen = choose(Division(lift=50.0), [trial(patch, truth, "a")], axes, seed=0, threads=1)
    assert chosen.division == Division(lift=1.0, least=0.0)
    assert chosen.patients == 1
    found, _ = chosen.division.divided(patch, rng=np.random.default_rng(0))
    assert chosen.dice == pytest.approx(dice(found, truth))


def test_patients_count_alike_however_many_scans_they_have(lump):
    """One patient with a tumour, one with many scans without: the mean is over the two."""
    patch, truth = lump
    none = np.zeros_like(truth)
    trials = [trial(patch, truth, "a"), *(trial(patch, none, "b") for _ in range(5))]
    chosen = choose(Division(lift=1.0), trials, (("least", (1.1,)),), seed=0, threads=2)
    found, _ = Division(lift=1.0).divided(patch, rng=np.random.default_rng(0))
    assert chosen.dice == pytest.approx(max(dice(found, truth) / 2, 0.5))
    assert chosen.division.least == (1.1 if dice(found, truth) < 1 else 0.0)
    assert chosen.patients == 2


def test_a_refusal_costs_the_whole_dice_and_an_impossible_scan_is_empty(lump):
    patch, truth = lump
    refused = choose(refusing(ContentError("x")), [trial(patch, truth, "a")], (), seed=0, threads=1)
    assert refused.dice == 0
    counts = np.array([100, 0, 0])
    empty = Trial(patient="a", patch=None, truth=truth[:0], counts=counts)
    assert choose(Division(), [empty], (), seed=0, threads=1).dice == 1
    missed = replace(empty, counts=np.array([90, 10, 0]))
    assert choose(Division(), [missed], (), seed=0, threads=1).dice == pytest.approx(1 / 3)


def test_probabilities_are_as_frequent_as_the_classes_not_as_the_rows(rng):
    """Features that say little, rows drawn evenly, healthy nine times as frequent."""
    samples = []
    for patient in range(6):
        classes = np.repeat([0, 1], 60).astype(np.uint8)
        table = rng.normal(size=(120, 3)).astype(np.float32)
        table[:, 0] += 0.5 * classes
        counts = np.array([900.0, 100.0, 0.0])
        samples.append(
            Sample(table=table, classes=classes, counts=counts, patient=f"{patient}", voxels=9)
        )
    unary = fit_unary(samples, MEMBERS["lda"], rng=rng)
    table = rng.normal(size=(4000, 3)).astype(np.float32)
    table[:400, 0] += 0.5
    shares = unary.probabilities(described_as(table))
    assert shares.sum(axis=1) == pytest.approx(np.ones(4000))
    assert not shares[:, 2].any()
    assert 0.06 < shares[:, 1].mean() < 0.15
    again = FittedUnary.from_arrays(unary.to_arrays())
    assert np.array_equal(again.probabilities(described_as(table)), shares)


def described_as(table):
    """Description that has nothing but a table."""
    nothing = np.zeros((table.shape[1], 1))
    return Description(
        regions=None,
        sizes=np.ones(len(table)),
        table=table,
        gain=nothing,
        level=nothing,
        contacts=None,
        opposite=np.full(len(table), -1),
    )


def test_tissue_without_a_row_to_learn_from_is_refused(rng):
    sample = Sample(
        table=rng.normal(size=(20, 2)).astype(np.float32),
        classes=np.zeros(20, dtype=np.uint8),
        counts=np.array([20.0, 0.0]),
        patient="a",
        voxels=9,
    )
    with pytest.raises(CohortError, match=r"\[40, 0\] supervoxels"):
        fit_unary([sample, replace(sample, patient="b")], MEMBERS["lda"], rng=rng)
    wider = replace(sample, table=np.zeros((20, 3), dtype=np.float32))
    with pytest.raises(CohortError, match="not equally many channels"):
        fit_unary([sample, wider], MEMBERS["lda"], rng=rng)


def test_scans_of_a_patient_are_left_out_together(rng):
    samples = [
        Sample(
            table=np.zeros((2, 2), dtype=np.float32),
            classes=np.zeros(2, dtype=np.uint8),
            counts=np.array([5.0, float(scan % 2)]),
            patient=f"p{patient}",
            voxels=100,
        )
        for scan in range(3)
        for patient in range(7)
    ]
    group = _groups(samples, 3, rng)
    by_patient = {one.patient: set() for one in samples}
    for one, its in zip(samples, group, strict=True):
        by_patient[one.patient].add(its)
    assert all(len(own) == 1 for own in by_patient.values())
    assert set(group) == {0, 1, 2}
    assert _groups([one for one in samples if one.patient in {"p0", "p1"}], 3, rng) == [0] * 6


@pytest.mark.parametrize(("voxels", "patients"), [(1, 1), (300, 1), (650, 2), (10_000, 4)])
def test_settings_are_tried_on_whole_patients_within_the_voxels(voxels, patients, rng):
    samples = [
        Sample(
            table=np.zeros((2, 2), dtype=np.float32),
            classes=np.zeros(2, dtype=np.uint8),
            counts=np.ones(2),
            patient=f"p{number % 4}",
            voxels=100,
        )
        for number in range(12)
    ]
    kept = _within(samples, voxels, rng)
    assert len({samples[n].patient for n in kept}) == patients
    assert len(kept) == 3 * patients
