"""Permutation tests: sign flips, swapped methods, permuted labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from onkos.core.errors import ContentError, UsageError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.method import Method
from onkos.stats.resampling import Clusters, numbered

PERMUTATIONS = 10_000
EXACT_UP_TO = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationTest:
    """What a permutation test returns.

    Parameters
    ----------
    statistic
        The statistic as observed.
    p
        Share of the permutations that are at least as far from no effect, the observed order
        counted among them.
    n
        Patients.
    method
        What was permuted, and how often.
    """

    statistic: float
    p: float
    n: int
    method: Method


def sign_flip_p(sums: FloatArray, *, rng: np.random.Generator) -> float:
    """Two-sided p that patients' differences are symmetric about zero.

    Exact (all flips) up to 16 patients, 10,000 random flips above; with n patients it cannot be
    below 2 / 2^n.

    Parameters
    ----------
    sums
        Sum of each patient's differences, shape (patients,).
    """
    n = len(sums)
    if n == 0:
        raise ContentError("no patients to test; expected at least one difference")
    if not np.isfinite(sums).all():
        raise ContentError("differences are not finite; say what such a case costs first")
    seen = abs(sums.sum()) * (1 - 1e-12)
    if n <= EXACT_UP_TO:
        bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return float(np.mean(np.abs((1 - 2 * bits) @ sums) >= seen))
    beyond = 0
    block = max(1, 4_000_000 // n)
    for start in range(0, PERMUTATIONS, block):
        size = (min(block, PERMUTATIONS - start), n)
        signs = rng.integers(0, 2, size=size) * 2 - 1
        beyond += int(np.sum(np.abs(signs @ sums) >= seen))
    return (beyond + 1) / (PERMUTATIONS + 1)


def swap_test(
    statistic: Callable[[AnyArray], float],
    first: AnyArray,
    second: AnyArray,
    *,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    permutations: int = PERMUTATIONS,
) -> PermutationTest:
    """Test whether two methods applied to the same patients are exchangeable.

    The two results of a patient are swapped, all of their cases together. The statistic is
    that of one method (an AUC, a mean); the test statistic is its difference. Scores on
    different scales must be brought to one scale first (ranks within each method, say).

    Parameters
    ----------
    statistic
        Takes the results of all cases in their order.
    first, second
        Results of the two methods, cases along the first axis.

    Raises
    ------
    ContentError
        If the two do not have the same cases.

    References
    ----------
    Bandos AI, Rockette HE, Gur D. A permutation test sensitive to differences in areas for
    comparing ROC curves from a paired design. Stat Med 2005;24:2873-2893. doi:10.1002/sim.2149
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape:
        raise ContentError(f"paired test: shapes {a.shape} and {b.shape}; expected the same cases")
    clusters = Clusters.of(len(a), groups=groups)
    wide = (slice(None), *(None,) * (a.ndim - 1))

    def difference(swapped: AnyArray) -> float:
        mixed = swapped[clusters.of_case][wide]
        return statistic(np.where(mixed, b, a)) - statistic(np.where(mixed, a, b))

    seen = difference(np.zeros(clusters.count, dtype=bool))
    drawn = [
        difference(rng.integers(0, 2, size=clusters.count).astype(bool))
        for _ in range(_checked(permutations))
    ]
    return PermutationTest(
        statistic=seen,
        p=_share(drawn, seen, two_sided=True),
        n=clusters.count,
        method=_permuted("patients' methods swapped", permutations),
    )


def label_test(
    statistic: Callable[[AnyArray], float],
    labels: Sequence[Hashable],
    *,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    strata: Sequence[Hashable] | None = None,
    permutations: int = PERMUTATIONS,
) -> PermutationTest:
    """Test whether a label of patients (site, scanner, sex) matters to a statistic.

    Labels are permuted among patients, within strata where given. Large values of the
    statistic speak for an effect.

    Parameters
    ----------
    statistic
        Takes the number of each case's label, shape (cases,), labels numbered in order of
        first appearance.

    Raises
    ------
    ContentError
        If a patient has two labels.
    """
    number = numbered(labels)
    clusters = Clusters.of(len(number), groups=groups, strata=strata)
    of_cluster = np.zeros(clusters.count, dtype=np.intp)
    of_cluster[clusters.of_case] = number
    if (of_cluster[clusters.of_case] != number).any():
        raise ContentError("a patient has two labels; labels are permuted among patients")
    seen = statistic(number)
    drawn = []
    for _ in range(_checked(permutations)):
        shuffled = np.lexsort((rng.random(clusters.count), clusters.stratum))
        drawn.append(statistic(of_cluster[shuffled][clusters.of_case]))
    return PermutationTest(
        statistic=seen,
        p=_share(drawn, seen, two_sided=False),
        n=clusters.count,
        method=_permuted("labels permuted among patients", permutations),
    )


def _permuted(what: str, permutations: int) -> Method:
    return Method(what="permutation test", by=what, resamples=permutations)


def _checked(permutations: int) -> int:
    if permutations < 19:
        raise UsageError(f"{permutations} permutations cannot give p < 0.05; ask for more")
    return permutations


def _share(drawn: Sequence[float], seen: float, *, two_sided: bool) -> float:
    """P-value, the observed order counted as one of the permutations."""
    values = np.asarray(drawn, dtype=np.float64)
    if math.isnan(seen) or np.isnan(values).any():
        lost = int(np.isnan(values).sum())
        raise ContentError(
            f"the statistic is not defined on {lost} of {len(values)} permutations; merge labels "
            "with few patients"
        )
    if two_sided:
        values, seen = np.abs(values), abs(seen)
    return (int(np.sum(values >= seen - 1e-12 * abs(seen))) + 1) / (len(values) + 1)
