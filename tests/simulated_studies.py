"""Simulated studies whose true answer is known: does the interval hold it?

Each study is a function of a generator and the number of resamples that gives an Estimate and
the true value. Shared by ``tests/laws/test_coverage.py`` and ``bench/coverage.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, norm

from onkos.core.estimate import Estimate
from onkos.stats.bootstrap import Resampling, bootstrap_mean
from onkos.stats.clustered import clustered_auc, clustered_paired_test
from onkos.stats.delong import auc, paired_test, unpaired_test
from onkos.stats.operating import odds_ratio, odds_ratio_difference
from onkos.stats.proportions import clopper_pearson, clustered_proportion, wilson
from onkos.stats.roc import bootstrap_auc, bootstrap_auc_difference

Study = Callable[[np.random.Generator, Resampling], tuple[Estimate, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many intervals held the truth, and on which side the others missed it."""

    held: int
    below: int
    above: int

    @property
    def studies(self) -> int:
        return self.held + self.below + self.above

    @property
    def share(self) -> float:
        return self.held / self.studies


def covered(study: Study, *, studies: int, seed: int, resamples: int = 1000) -> Coverage:
    """Simulate studies; ``below`` counts intervals that lie wholly below the truth."""
    below = above = 0
    plan = Resampling(resamples=resamples, threads=1)
    for number in range(studies):
        found, truth = study(np.random.default_rng([seed, number]), plan)
        below += found.high < truth
        above += found.low > truth
    return Coverage(held=studies - below - above, below=below, above=above)


def bounds(studies: int, *, nominal: float = 0.95, z: float = 3.3) -> tuple[float, float]:
    """Where the share held may lie for honest intervals: Wilson's at one in a thousand."""
    found = wilson(round(nominal * studies), studies, level=1 - 2 * float(norm.sf(z)))
    return found.low, found.high


def _scores(rng, positives: int, negatives: int, area: float, correlation: float = 0.5):
    """Two readings of each case by the equal-variance binormal model, both of one area."""
    truth = np.repeat([True, False], [positives, negatives])
    shared, own = rng.normal(size=len(truth)), rng.normal(size=(2, len(truth)))
    noise = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own
    return truth, noise + truth * math.sqrt(2) * norm.ppf(area)


def _auc_delong(positives: int, negatives: int, area: float) -> Study:
    def study(rng, _plan):
        truth, scores = _scores(rng, positives, negatives, area)
        return auc(truth, scores[0]), area

    return study


def _auc_bootstrap(positives: int, negatives: int, area: float) -> Study:
    def study(rng, plan):
        truth, scores = _scores(rng, positives, negatives, area)
        return bootstrap_auc(truth, scores[0], rng=rng, plan=plan), area

    return study


def _ordinal(rng, _plan):
    """Five categories: the true area is that of the categories."""
    cuts, shift = np.array([-0.5, 0.3, 0.9, 1.6]), 1.3
    truth, scores = _scores(rng, 40, 60, float(norm.cdf(shift / math.sqrt(2))))
    low = np.diff(norm.cdf(np.concatenate([[-np.inf], cuts, [np.inf]])))
    high = np.diff(norm.cdf(np.concatenate([[-np.inf], cuts, [np.inf]]) - shift))
    area = sum(high[k] * (low[:k].sum() + low[k] / 2) for k in range(5))
    return auc(truth, np.searchsorted(cuts, scores[0])), float(area)


def _paired(rng, _plan):
    truth, scores = _scores(rng, 40, 60, 0.8)
    return paired_test(truth, *scores).difference, 0.0


def _unpaired(rng, _plan):
    first, second = _scores(rng, 30, 40, 0.8), _scores(rng, 50, 40, 0.8)
    return unpaired_test((first[0], first[1][0]), (second[0], second[1][0])).difference, 0.0


def _paired_bootstrap(rng, plan):
    truth, scores = _scores(rng, 40, 60, 0.8)
    return bootstrap_auc_difference(truth, *scores, rng=rng, plan=plan), 0.0


def lesions(rng, patients: int = 60):
    """One to four lesions a patient, correlated in truth and in score (two methods)."""
    sizes = rng.integers(1, 5, size=patients)
    groups = np.repeat(np.arange(patients), sizes)
    lean = rng.normal(size=patients)[groups]
    truth = lean + rng.normal(size=len(groups)) > 0
    level = rng.normal(size=patients)[groups]
    noise = 0.7 * level + math.sqrt(0.51) * rng.normal(size=(2, len(groups)))
    return truth, noise + truth * 1.2, groups.tolist()


LESION_AREA = float(norm.cdf(1.2 / math.sqrt(2)))


def _clustered_auc(rng, _plan):
    truth, scores, groups = lesions(rng)
    return clustered_auc(truth, scores[0], groups=groups), LESION_AREA


def _clustered_bootstrap(rng, plan):
    truth, scores, groups = lesions(rng)
    return bootstrap_auc(truth, scores[0], groups=groups, rng=rng, plan=plan), LESION_AREA


def _clustered_paired(rng, _plan):
    truth, scores, groups = lesions(rng)
    return clustered_paired_test(truth, *scores, groups=groups).difference, 0.0


def _dice(patients: int, missed: float) -> Study:
    def study(rng, _plan):
        values = rng.beta(8, 2, size=patients)
        values[rng.random(patients) < missed] = 0
        return bootstrap_mean(values, groups=range(patients), rng=rng), 0.8 * (1 - missed)

    return study


def _dice_oflesions(rng, _plan):
    """Several lesions a patient, all of a patient outlined about as well."""
    sizes = np.full(40, 3)
    mean = np.repeat(rng.beta(16, 4, size=40), sizes)
    values = rng.beta(10 * mean, 10 * (1 - mean))
    return bootstrap_mean(values, groups=np.repeat(range(40), sizes).tolist(), rng=rng), 0.8


def _wilson(rng, _plan):
    share = rng.uniform(0.5, 0.95)
    return wilson(int(rng.binomial(60, share)), 60), float(share)


def _clopper_pearson(rng, _plan):
    share = rng.uniform(0.5, 0.95)
    return clopper_pearson(int(rng.binomial(60, share)), 60), float(share)


def _clustered_proportion(rng, _plan):
    share = rng.uniform(0.5, 0.9)
    sizes = rng.integers(1, 6, size=40)
    of_patient = beta.rvs(6 * share, 6 * (1 - share), size=40, random_state=rng)
    hits = rng.random(sizes.sum()) < np.repeat(of_patient, sizes)
    return clustered_proportion(hits, groups=np.repeat(range(40), sizes).tolist()), float(share)


def _odds_ratio(rng, _plan):
    truth = np.repeat([True, False], [80, 120])
    called = rng.random(200) < np.where(truth, 0.8, 0.25)
    return odds_ratio(truth, called), (0.8 / 0.2) / (0.25 / 0.75)


def _odds_ratio_difference(rng, _plan):
    """Both methods call from correlated readings at thresholds that make them equally good."""
    truth, scores = _scores(rng, 80, 120, 0.85)
    first, second = scores > 0.8
    return odds_ratio_difference(truth, first, second).difference, 0.0


def _odds_ratio_difference_unequal(rng, _plan):
    truth, scores = _scores(rng, 80, 120, 0.85)
    first, second = scores[0] > 0.8, scores[1] > 0.3
    shift = math.sqrt(2) * norm.ppf(0.85)

    def log_odds(threshold: float) -> float:
        hit, alarm = norm.sf(threshold - shift), norm.sf(threshold)
        return math.log(hit / (1 - hit)) - math.log(alarm / (1 - alarm))

    return odds_ratio_difference(truth, first, second).difference, log_odds(0.8) - log_odds(0.3)


STUDIES: dict[str, Study] = {
    "AUC 0.8, DeLong, 25 + 40": _auc_delong(25, 40, 0.8),
    "AUC 0.95, DeLong, 30 + 30": _auc_delong(30, 30, 0.95),
    "AUC, DeLong, five categories, 40 + 60": _ordinal,
    "AUC 0.8, bootstrap, 25 + 40": _auc_bootstrap(25, 40, 0.8),
    "AUC 0.9, bootstrap, 50 + 50": _auc_bootstrap(50, 50, 0.9),
    "AUC difference, DeLong, paired": _paired,
    "AUC difference, DeLong, unpaired": _unpaired,
    "AUC difference, bootstrap, paired": _paired_bootstrap,
    "AUC of lesions, Obuchowski, 60 patients": _clustered_auc,
    "AUC of lesions, bootstrap, 60 patients": _clustered_bootstrap,
    "AUC difference of lesions, Obuchowski": _clustered_paired,
    "Dice mean, 20 patients": _dice(20, 0.0),
    "Dice mean, 50 patients": _dice(50, 0.0),
    "Dice mean, 100 patients, 8 % missed": _dice(100, 0.08),
    "Dice mean of lesions, 40 patients": _dice_oflesions,
    "proportion, Wilson, 60": _wilson,
    "proportion of lesions, 40 patients": _clustered_proportion,
    "odds ratio, 80 + 120": _odds_ratio,
    "odds ratio difference, equal": _odds_ratio_difference,
    "odds ratio difference, unequal": _odds_ratio_difference_unequal,
}

# Few patients, rare misses, exact intervals: shown by the bench, nothing is required of them.
HARD: dict[str, Study] = {
    "Dice mean, 10 patients": _dice(10, 0.0),
    "Dice mean, 20 patients, 8 % missed": _dice(20, 0.08),
    "Dice mean, 50 patients, 8 % missed": _dice(50, 0.08),
    "AUC 0.95, bootstrap, 15 + 15": _auc_bootstrap(15, 15, 0.95),
    "proportion, Clopper-Pearson, 60": _clopper_pearson,
}
