"""ComBat: what it learns, what it keeps, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.classic.harmonise import fit_harmonisation, posterior
from onkos.core.errors import CohortError, ContentError


def scanners(rng, n=60, features=12):
    """Two scanners; age raises every feature, and the second scanner's patients are older."""
    site = np.arange(n) % 2
    age = 50 + 15 * site + 8 * rng.normal(size=n)
    truth = 0.1 * age[:, None] + rng.normal(size=(n, features))
    measured = truth * np.where(site[:, None] == 1, 1.4, 1.0) + 3.0 * site[:, None]
    return measured, [f"scanner {s}" for s in site], age[:, None], truth


def test_the_scanner_goes_and_the_covariates_effect_stays(rng):
    x, sites, age, _ = scanners(rng, n=400)
    found = fit_harmonisation(x, sites, covariates=age).apply(x, sites, covariates=age)
    site = np.arange(400) % 2
    design = np.column_stack([np.ones(400), site, age[:, 0]])
    before = np.linalg.lstsq(design, x, rcond=None)[0]
    after = np.linalg.lstsq(design, found, rcond=None)[0]
    assert np.abs(before[1]).mean() > 2
    assert np.abs(after[1]).max() < 0.5 * np.abs(before[1]).mean() / 2
    assert after[2] == pytest.approx(before[2], abs=0.03)


def test_new_rows_of_a_known_site_are_moved_by_what_training_said(rng):
    x, sites, _, _ = scanners(rng)
    fitted = fit_harmonisation(x[:40], sites[:40])
    together = fitted.apply(x[40:], sites[40:])
    alone = np.concatenate([fitted.apply(x[[n]], [sites[n]]) for n in range(40, 60)])
    np.testing.assert_array_equal(together, alone)


def test_empirical_bayes_satisfies_johnsons_equations(rng):
    rows = rng.normal(0.5, 1.3, size=(9, 40)) + rng.normal(0, 0.5, size=40)
    count = np.full(40, 9)
    mean, variance = posterior(rows, count)
    raw_mean, raw_variance = rows.mean(axis=0), rows.var(axis=0, ddof=1)
    tau2 = raw_mean.var(ddof=1)
    expected = (9 * tau2 * raw_mean + variance * raw_mean.mean()) / (9 * tau2 + variance)
    np.testing.assert_allclose(mean, expected, rtol=1e-6)
    v, s2 = raw_variance.mean(), raw_variance.var(ddof=1)
    shape, scale = v**2 / s2 + 2, v * (v**2 / s2 + 1)
    expected = (scale + ((rows - mean) ** 2).sum(axis=0) / 2) / (9 / 2 + shape - 1)
    np.testing.assert_allclose(variance, expected, rtol=1e-6)
    assert mean.var() < raw_mean.var()  # drawn towards what the site does to all features


def test_missing_values_stay_missing_and_do_not_matter_to_others(rng):
    x, sites, _, _ = scanners(rng)
    holes = x.copy()
    holes[3, 2] = np.nan
    one = fit_harmonisation(x, sites, shrink=False)
    two = fit_harmonisation(holes, sites, shrink=False)
    found = two.apply(holes, sites)
    assert np.isnan(found[3, 2])
    assert np.isnan(found).sum() == 1
    np.testing.assert_allclose(np.delete(two.shift, 2, axis=1), np.delete(one.shift, 2, axis=1))


def test_a_constant_feature_stays_finite(rng):
    x, sites, _, _ = scanners(rng)
    x[:, 0] = 4
    assert fit_harmonisation(x, sites).apply(x, sites)[:, 0] == pytest.approx(4)


def test_an_unknown_site_is_refused_by_name(rng):
    x, sites, _, _ = scanners(rng)
    with pytest.raises(CohortError, match="scanner 9"):
        fit_harmonisation(x, sites).apply(x[:1], ["scanner 9"])


def test_what_cannot_be_told_apart_is_refused(rng):
    x, sites, age, _ = scanners(rng)
    with pytest.raises(CohortError, match="one training case"):
        fit_harmonisation(x, ["elsewhere", *sites[1:]])
    site = np.array([s == "scanner 1" for s in sites], dtype=float)[:, None]
    with pytest.raises(CohortError, match="cannot be told"):
        fit_harmonisation(x, sites, covariates=site)
    with pytest.raises(ContentError, match="finite"):
        fit_harmonisation(x, sites, covariates=np.full_like(age, np.nan))
    with pytest.raises(ContentError, match="fitted with 1"):
        fit_harmonisation(x, sites, covariates=age).apply(x, sites)
