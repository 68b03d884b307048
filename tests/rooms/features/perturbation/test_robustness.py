"""From values under perturbation to ICCs, grades, and the features to keep."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.features.perturbation import (
    Measured,
    Perturbation,
    Perturbations,
    Stability,
    judged,
    robust_features,
    robustness,
)
from onkos.features.radiomics import Settings
from toys import blob

#: Six targets, four judges: Shrout PE, Fleiss JL. Psychol Bull 1979;86:420-428, table 2.
SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]
TURNS = (Perturbation(), *(Perturbation(rotation_deg=d) for d in (-2.0, 2.0, 4.0)))


def regions(values, patients=None):
    """(regions, perturbations, features) as measured."""
    values = np.asarray(values, dtype=float)
    columns = tuple(f"stat_{n}" for n in range(values.shape[2]))
    names = patients or [f"P{n}" for n in range(len(values))]
    return [
        Measured(region="tumour", columns=columns, values=line, patient=name)
        for line, name in zip(values, names, strict=True)
    ]


def spread(rng, *, within, count=40, looks=4):
    """Values of regions that differ by 1, looked at with some error each."""
    centres = rng.normal(size=(count, 1, 1))
    return centres + rng.normal(size=(count, looks, len(within))) * np.array(within)


def test_the_icc_is_that_of_shrout_and_fleiss(rng):
    found = judged(regions(np.array(SHROUT_FLEISS)[..., None]), TURNS, rng=rng)
    (one,) = found.of()
    assert one.icc.value == pytest.approx(0.17, abs=0.005)
    assert (one.icc.low, one.icc.high) == pytest.approx((-0.13, 0.72), abs=0.005)
    assert one.perturbations == 4
    assert (one.regions, one.grade, one.unstable) == (6, "untold", "untold")
    assert found.caveats[0].code == "few-regions"
    assert robust_features(found) == ()


def test_grades_go_by_the_lower_end(rng):
    found = judged(regions(spread(rng, within=(0.1, 0.33, 0.6, 1.5))), TURNS, rng=rng)
    assert [one.grade for one in found.of()] == ["excellent", "good", "moderate", "poor"]
    assert [one.unstable for one in found.of()] == ["no", "no", "yes", "yes"]
    assert robust_features(found) == ("stat_0", "stat_1")
    strict = judged(regions(spread(rng, within=(0.1, 0.33))), TURNS, rng=rng, least=0.9)
    assert robust_features(strict) == ("stat_0",)
    assert all(one.icc.low <= one.icc.value <= one.icc.high for one in found.of())
    assert not found.caveats


def test_a_family_is_found_in_any_column():
    for column, family in (
        ("cm_contrast_3D_comb_ACUI", "cm"),
        ("loc_peak_loc_VJGA", "loc"),
        ("log_1.5mm_szm_gl_var_3D_BYLV", "szm"),
        ("wavelet_coif1_LLH_loc_peak_glob_0F91", "loc"),
        ("my_stat_ngl_lde_3D_SODN", "ngl"),
        ("else", "else"),
    ):
        one = Stability(
            feature=column,
            kind="chain",
            icc=Estimate(value=0.5, low=0.4, high=0.6, n=20, method=Method(what="x")),
            regions=20,
            left_out=0,
            perturbations=4,
            least=0.75,
        )
        assert one.family == family


def test_kinds_are_judged_by_themselves_and_chains_decide(rng):
    chain = Perturbation(rotation_deg=2.0, growth=0.1)
    variants = (*TURNS, Perturbation(noise=1.0), chain, chain)
    values = spread(rng, within=(0.1,), looks=7)
    values[:, 5:] += rng.normal(size=(40, 2, 1)) * 3
    found = judged(regions(values), variants, rng=rng)
    assert found.kinds == ("chain", "rotation", "noise")
    assert {kind: found.of(kind)[0].perturbations for kind in found.kinds} == {
        "chain": 3,
        "rotation": 4,
        "noise": 2,
    }
    assert robust_features(found) == ()
    assert robust_features(found, "rotation") == ("stat_0",)
    with pytest.raises(UsageError, match="expected one of chain, rotation, noise"):
        found.of("contour")


def test_regions_without_a_value_are_left_out_and_counted(rng):
    values = spread(rng, within=(0.1, 0.1, 0.1), count=14)
    values[:3, 2, 1] = math.nan
    values[:, 0, 2] = math.nan
    whole, some, none = judged(regions(values), TURNS, rng=rng).of()
    assert (whole.regions, whole.left_out, whole.note) == (14, 0, "")
    assert (some.regions, some.left_out) == (11, 3)
    assert some.note == "3 regions left out, undefined there"
    assert (none.regions, none.grade, none.unstable) == (0, "untold", "untold")
    assert none.note.startswith("fewer than 10 regions")
    assert math.isnan(none.icc.value)


def test_a_feature_that_never_varies_is_not_called_stable(rng):
    found = judged(regions(np.ones((20, 4, 1))), TURNS, rng=rng)
    (one,) = found.of()
    assert (one.grade, one.unstable, one.note) == ("untold", "untold", "no variation")
    assert robust_features(found) == ()


def test_several_regions_of_a_patient_are_resampled_together(rng):
    values = spread(rng, within=(0.3,), count=24)
    alone = judged(regions(values), TURNS, rng=rng)
    twins = judged(regions(values, [f"P{n // 2}" for n in range(24)]), TURNS, rng=rng)
    assert twins.of()[0].icc.value == pytest.approx(alone.of()[0].icc.value)
    assert twins.of()[0].icc.n == 12
    assert "bootstrap" in str(twins.of()[0].icc.method)
    assert "F distribution" in str(alone.of()[0].icc.method)
    few = judged(regions(values, [f"P{n // 12}" for n in range(24)]), TURNS, rng=rng)
    assert "regions-not-independent" in {caveat.code for caveat in few.caveats}
    one = judged(regions(values, ["P"] * 24), TURNS, rng=rng)
    assert "one-patient" in {caveat.code for caveat in one.caveats}


def test_what_cannot_be_judged_is_refused(rng):
    values = spread(rng, within=(0.1,))
    with pytest.raises(ContentError, match="no region at all"):
        judged([], TURNS, rng=rng)
    with pytest.raises(ContentError, match="different features or perturbations"):
        judged(regions(values), TURNS[:2], rng=rng)
    with pytest.raises(UsageError, match="between 0 and 1"):
        judged(regions(values), TURNS, rng=rng, least=1.5)
    with pytest.raises(ContentError, match="expected \\(perturbations, features\\)"):
        Measured(region="a", columns=("x",), values=np.zeros((2, 2)))


def test_looks_at_images_become_a_verdict_a_seed_reproduces():
    plan = Perturbations(noises=1, contours=1, growths=(-0.1, 0.1), chains=3)
    asked = Settings(families=("morph", "stat"))

    def looked(seed):
        looks = (
            (f"P{n}", study.volume("flair"), mask.select("core")) for n, (study, mask) in blobs
        )
        rng = np.random.default_rng(seed)
        return robustness(looks, asked, plan, rng=rng, least=0.5, threads=1)

    blobs = [(n, blob(n)) for n in range(12)]
    found = looked(5)
    assert found == looked(5)
    assert found != looked(6)
    assert found.kinds == ("chain", "rotation", "translation", "noise", "growth", "contour")
    assert {one.regions for one in found.of()} == {12}
    kept = robust_features(found)
    assert "morph_volume_RNU0" in kept
    assert "stat_skew_KE2A" not in kept
    assert [caveat.code for caveat in found.caveats] == ["fewer-than-advised"]
