"""Covariances of figures of merit over cases: four ways, one truth."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.readers.assembly import assemble
from onkos.stats.readers.covariance import bootstrap, delong, jackknife, unbiased
from onkos.stats.readers.foms import WILCOXON, sensitivity, values
from onkos.stats.readers.localisation import AFROC
from onkos.stats.readers.ratings import roc_study
from reader_toys import Rows, simulated


def test_the_jackknife_leaves_each_case_out_in_turn(rng):
    study = simulated(rng, levels=5)
    without = np.array(
        [
            values(
                roc_study(np.delete(study.highest, c, axis=2), np.delete(study.truth, c)), WILCOXON
            )
            for c in range(40)
        ]
    ).reshape(40, -1)
    expected = np.cov(without.T, ddof=0) * 39
    found = jackknife(study, WILCOXON)
    assert found.matrix.reshape(8, 8) == pytest.approx(expected, abs=1e-14)
    assert found.cases == 40


def test_only_cases_that_enter_are_left_out(rng):
    assert jackknife(simulated(rng), sensitivity(1.0)).cases == 20


def test_delong_of_one_reader_is_the_textbook_formula(rng):
    study = simulated(rng, shape=(1, 1, 30))
    low, high = study.highest[0, 0, ~study.truth], study.highest[0, 0, study.truth]
    wins = (low[:, None] < high) + 0.5 * (low[:, None] == high)
    expected = wins.mean(axis=1).var(ddof=1) / 15 + wins.mean(axis=0).var(ddof=1) / 15
    assert delong(study, WILCOXON).matrix.item() == pytest.approx(expected, abs=1e-14)


def test_the_unbiased_estimate_is_right_on_average_where_delong_is_too_large():
    rng, truth = np.random.default_rng(5), np.arange(12) % 2
    areas, exact, delongs = [], [], []
    for _ in range(2000):
        study = roc_study(rng.normal(1.2 * truth, 1)[None, None], truth)
        areas.append(values(study, WILCOXON).item())
        exact.append(unbiased(study, WILCOXON).matrix.item())
        delongs.append(delong(study, WILCOXON).matrix.item())
    variance = np.var(areas, ddof=1)
    noise = variance * (2 / 2000) ** 0.5 + np.std(exact) / 2000**0.5
    assert np.mean(exact) == pytest.approx(variance, abs=3 * noise)
    assert np.mean(delongs) > np.mean(exact) + 3 * noise / 2


def test_bootstrap_and_delong_agree_on_many_cases(rng):
    study = simulated(rng, shape=(3, 2, 200))
    drawn = bootstrap(study, WILCOXON, rng=np.random.default_rng(1), resamples=4000)
    scale = np.einsum("rmrm->rm", drawn.matrix).mean()
    assert drawn.matrix == pytest.approx(delong(study, WILCOXON).matrix, abs=0.12 * scale)


def test_the_same_rng_gives_the_same_bootstrap(rng):
    study = simulated(rng)
    one, two = (
        bootstrap(study, WILCOXON, rng=np.random.default_rng(3), resamples=50) for _ in range(2)
    )
    np.testing.assert_array_equal(one.matrix, two.matrix)


def nested(rng):
    """Two readers with cases of their own."""
    whole = simulated(rng, shape=(2, 2, 40))
    ratings = whole.highest.copy()
    ratings[0, :, 20:], ratings[1, :, :20] = np.nan, np.nan
    return roc_study(ratings, whole.truth)


@pytest.mark.parametrize("method", [jackknife, delong, unbiased])
def test_readings_without_a_common_case_do_not_covary(rng, method):
    matrix = method(nested(rng), WILCOXON).matrix
    assert (matrix[0, :, 1] == 0).all()
    assert (matrix[0, 0, 0, 0] > 0) & (matrix[1, 0, 1, 1] > 0)


def test_delong_of_nested_cases_is_that_of_each_reader_alone(rng):
    study = nested(rng)
    whole = delong(study, WILCOXON).matrix
    for r in (0, 1):
        alone = delong(study.part(readers=[r]), WILCOXON).matrix
        assert whole[r, :, r] == pytest.approx(alone[0, :, 0], abs=1e-15)


def test_readings_missing_here_and_there_are_refused(rng):
    ratings = simulated(rng).highest.copy()
    ratings[0, 0, 0] = np.nan
    with pytest.raises(ContentError, match="some readings are missing"):
        delong(roc_study(ratings, np.arange(40) % 2), WILCOXON)


def test_a_reader_without_a_modality_is_refused(rng):
    ratings = simulated(rng).highest.copy()
    ratings[2, 1] = np.nan
    with pytest.raises(ContentError, match="reader 3 did not read in modality 2"):
        jackknife(roc_study(ratings, np.arange(40) % 2), WILCOXON)


def test_too_few_cases_of_a_class_are_refused():
    study = roc_study([[[1.0, 2.0, 3.0]]], [0, 0, 1])
    for method in (jackknife, delong, unbiased):
        with pytest.raises(ContentError, match="two"):
            method(study, WILCOXON)


@pytest.mark.parametrize("method", [jackknife, delong, unbiased])
def test_memory_does_not_grow_with_the_pairs_of_cases(rng, method):
    study = simulated(rng, shape=(2, 2, 4000), levels=50)  # 4 million pairs a cell
    method(study, WILCOXON)
    tracemalloc.start()
    try:
        method(study, WILCOXON)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16e6  # one table of pairs has 32 MB, four cells 128


def test_delong_refuses_what_is_no_mean_over_pairs():
    rows = Rows().add("n", 0, 2.0, "NL").add("a", 1, 3.0, "LL")
    study = assemble(rows, lesions={"n": [], "m": [], "a": [1, 1], "b": [1]})
    with pytest.raises(ContentError, match="AFROC: DeLong needs a mean over pairs"):
        delong(study, AFROC)
