"""Cox's model: against scikit-survival, the jackknife and brute force; what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from onkos.core.errors import ContentError, UsageError
from onkos.stats.survival.cox import CoxOptions, cox
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.hazards import proportional_hazards
from onkos.stats.survival.partial import partial_likelihood
from onkos.stats.survival.power import TwoArmStudy

NAMES = ["age", "volume"]


def study(rng, n, beta=(0.5, -0.3)):
    x = rng.normal((60.0, 5.0), size=(n, 2))
    true = rng.exponential(np.exp(-(x - [60.0, 5.0]) @ np.array(beta)))
    lost = rng.uniform(0, 3, n)
    return FollowUp(time=np.ceil(np.minimum(true, lost) * 10), event=true <= lost), x


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_agrees_with_scikit_survival(ties, rng):
    follow, x = study(rng, 150)
    theirs = CoxPHSurvivalAnalysis(ties=ties).fit(x, Surv.from_arrays(follow.event, follow.time))
    ours = cox(follow, x, names=NAMES, options=CoxOptions(ties=ties))
    assert ours.coefficients == pytest.approx(theirs.coef_, rel=1e-6)
    times = [2.0, 5.0, 9.0]
    # their survival loses digits with covariates far from zero: (1 - 1e-14) to a power of 1e13
    hazard = [[curve(t) for t in times] for curve in theirs.predict_cumulative_hazard_function(x)]
    assert ours.survival(x, times) == pytest.approx(np.exp(-np.array(hazard)), rel=1e-5)


def test_the_information_is_the_second_derivative_of_the_likelihood(rng):
    follow, x = study(rng, 80)
    fit = cox(follow, x, names=NAMES)
    step, bent = 1e-3, []
    for axis in np.eye(2) * step:
        near = [
            partial_likelihood(fit.patients, fit.coefficients + k * axis).log_likelihood
            for k in (-1, 0, 1)
        ]
        bent.append(-(near[0] - 2 * near[1] + near[2]) / step**2)
    assert np.diag(fit.partial.information) == pytest.approx(bent, rel=1e-4)


def test_robust_errors_are_those_of_the_jackknife():
    rng = np.random.default_rng(6)
    follow, x = study(rng, 200)
    fit = cox(follow, x, names=NAMES, options=CoxOptions(robust=True))
    keep = ~np.eye(200, dtype=bool)
    without = [cox(follow.where(k), x[k], names=NAMES).coefficients for k in keep]
    jackknife = np.sqrt(((fit.coefficients - np.array(without)) ** 2).sum(axis=0))
    assert fit.standard_errors == pytest.approx(jackknife, rel=0.05)
    assert "sandwich" in str(fit.hazard_ratios[0].method)


def test_intervals_hold_the_true_log_hazard_ratio():
    rng, held = np.random.default_rng(7), 0
    for _ in range(300):
        found = cox(*study(rng, 100), names=NAMES).log_hazard_ratios[0]
        held += found.low <= 0.5 <= found.high
    assert 0.92 <= held / 300 <= 0.98


def test_hazard_ratios_are_estimates_with_patients_and_events(rng):
    follow, x = study(rng, 100)
    ratio = cox(follow, x, names=NAMES).hazard_ratios[0]
    assert ratio.low < ratio.value < ratio.high
    assert ratio.n == 100
    assert f"{follow.events} events" in str(ratio.method)


def test_strata_have_baselines_of_their_own(rng):
    follow, x = study(rng, 200)
    site = ["a", "b"] * 100
    fit = cox(follow, x, names=NAMES, strata=site)
    first, second = (fit.survival(x[:1], [5.0], stratum=s)[0, 0] for s in "ab")
    assert first != second
    with pytest.raises(UsageError, match="stratum 'c'"):
        fit.survival(x, [5.0], stratum="c")


def test_survival_beyond_the_follow_up_is_refused(rng):
    follow, x = study(rng, 60)
    with pytest.raises(UsageError, match="longest follow-up"):
        cox(follow, x, names=NAMES).survival(x, [1e6])


def test_what_has_no_fit_is_refused(rng):
    follow, x = study(rng, 60)
    with pytest.raises(ContentError, match=r"\['age'\] do not vary"):
        cox(follow, np.column_stack([np.ones(60), x[:, 1]]), names=NAMES)
    with pytest.raises(ContentError, match="follow from each other"):
        cox(follow, np.column_stack([x[:, 0], 2 * x[:, 0] + 1]), names=NAMES)
    with pytest.raises(ContentError, match="without a single event"):
        cox(FollowUp(time=follow.time, event=np.zeros(60)), x, names=NAMES)
    with pytest.raises(ContentError, match="has no maximum"):
        cox(
            FollowUp(time=np.arange(1.0, 61), event=np.ones(60)),
            -np.arange(60.0)[:, None],
            names=["order"],
        )
    with pytest.raises(ContentError, match=r"patients \[3\] is not finite"):
        cox(follow, np.where(np.arange(60)[:, None] == 3, np.nan, x), names=NAMES)
    with pytest.raises(ContentError, match="with 1 names"):
        cox(follow, x, names=["age"])
    with pytest.raises(UsageError, match="ties 'exact'"):
        CoxOptions(ties="exact")
    with pytest.raises(UsageError, match="ridge -1"):
        CoxOptions(ridge=-1)


def test_the_check_of_proportional_hazards_is_the_score_test_of_a_drift():
    """Against a brute-force second derivative of the likelihood with a covariate x * g(t)."""
    rng = np.random.default_rng(11)
    follow, x = study(rng, 60)
    fit = cox(follow, x, names=NAMES, options=CoxOptions(ties="breslow"))
    events = np.flatnonzero(follow.event)
    hour = follow.time - follow.time[events].mean()

    def likelihood(beta, drift):
        total = 0.0
        for i in events:
            at = np.flatnonzero(follow.time >= follow.time[i])
            eta = x[at] @ (beta + drift * np.array([hour[i], 0.0]))
            own = x[i] @ (beta + drift * np.array([hour[i], 0.0]))
            total += own - np.log(np.sum(np.exp(eta - eta.max()))) - eta.max()
        return total

    def at(a, b, c):
        return likelihood(fit.coefficients + np.array([a, b]), c)

    h = np.array([1e-3, 1e-3, 1e-4])
    units = np.diag(h)
    hessian = np.array(
        [
            [(at(*(u + v)) - at(*(u - v)) - at(*(v - u)) + at(*(-u - v))) for v in units]
            for u in units
        ]
    ) / (4 * np.outer(h, h))
    slope = (at(0, 0, h[2]) - at(0, 0, -h[2])) / (2 * h[2])
    left = -hessian[2, 2] + hessian[2, :2] @ np.linalg.solve(hessian[:2, :2], hessian[:2, 2])
    found = proportional_hazards(fit, clock="identity")
    assert found.statistic[0] == pytest.approx(slope**2 / left, rel=1e-3)


def test_a_drifting_hazard_ratio_is_found_and_a_constant_one_is_not():
    rng = np.random.default_rng(12)
    x = rng.integers(0, 2, 600).astype(float)
    early = rng.exponential(np.where(x == 1, 0.5, 2.0))
    time = np.where(early < 1, early, 1 + rng.exponential(np.where(x == 1, 2.0, 0.5)))
    fit = cox(FollowUp(time=time, event=np.ones(600)), x[:, None], names=["arm"])
    for clock in ("km", "rank", "identity", "log"):
        assert proportional_hazards(fit, clock=clock).p[0] < 1e-4
    p = [proportional_hazards(cox(*study(rng, 80), names=NAMES)).overall_p for _ in range(200)]
    assert 0.015 <= np.mean(np.array(p) < 0.05) <= 0.1
    with pytest.raises(UsageError, match="clock 'days'"):
        proportional_hazards(fit, clock="days")


def test_scaled_residuals_scatter_about_the_coefficient(rng):
    found = proportional_hazards(cox(*study(rng, 300), names=NAMES))
    assert found.residuals.shape == (found.times.size, 2)
    assert np.isfinite(found.residuals).all()
    assert found.events >= found.times.size


def test_power_grows_with_patients_and_is_alpha_half_without_a_difference():
    few, many = (
        TwoArmStudy(
            experimental=n, control=n, experimental_share=0.6, control_share=0.6, hazard_ratio=0.6
        ).power
        for n in (40, 160)
    )
    assert few < 0.5 < many
    none = TwoArmStudy(
        experimental=50, control=50, experimental_share=0.5, control_share=0.5, hazard_ratio=1.0
    )
    assert none.power == pytest.approx(0.025)
    with pytest.raises(UsageError, match="positive"):
        TwoArmStudy(
            experimental=50,
            control=50,
            experimental_share=0.0,
            control_share=0.0,
            hazard_ratio=math.nan,
        )
