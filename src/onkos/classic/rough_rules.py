"""Rough-set rule classifier: several reducts, each a decision table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onkos.classic.learning import Bools, IntArray, Rows
from onkos.classic.rough import discretise, entropy_cuts, reduct
from onkos.classic.selection import relevance
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rules:
    """Decision rules over discretised columns.

    Parameters
    ----------
    cuts
        (cuts, columns), infinite where a column has fewer.
    attributes
        (rules, longest): columns in the condition of each rule, padded with -1.
    patterns
        (rules, longest): interval in which each of them must lie.
    counts
        (rules, classes): training weight of each class that matches the rule. With one class
        alone the rule is certain (its rows are in that class's lower approximation).
    reducts
        (rules,): number of the reduct each rule belongs to.
    prior
        (classes,): class frequencies.
    """

    cuts: AnyArray
    attributes: AnyArray
    patterns: AnyArray
    counts: AnyArray
    reducts: AnyArray
    prior: AnyArray

    def __post_init__(self) -> None:
        rules = len(self.counts)
        sound = (
            self.attributes.shape == self.patterns.shape
            and len(self.attributes) == len(self.reducts) == rules
            and self.attributes.max(initial=-1) < self.cuts.shape[1]
            and self.counts.shape[1:] == self.prior.shape
        )
        if not sound:
            raise ContentError(f"{rules} rules: attributes, patterns and counts do not fit")

    def log_scores(self, x: FloatArray) -> FloatArray:
        """Logarithm of the mean class probabilities over the reducts.

        Of each reduct the matching rule is used; where none matches, all those that differ by
        the fewest intervals.
        """
        intervals = discretise(x, self.cuts)
        total = np.zeros((len(x), len(self.prior)))
        numbers = np.unique(self.reducts)
        for number in numbers:
            own = self.reducts == number
            columns = self.attributes[own][0]
            columns = columns[columns >= 0]
            asked = intervals[:, columns]
            wanted = self.patterns[own][:, : len(columns)]
            patterns, back = np.unique(asked, axis=0, return_inverse=True)
            misses = np.abs(patterns[:, None, :] - wanted[None]).sum(axis=2)
            near = misses == misses.min(axis=1, keepdims=True)
            votes = near @ self.counts[own] + self.prior
            total += (votes / votes.sum(axis=1, keepdims=True))[back.reshape(-1)]
        return np.asarray(np.log(total / len(numbers)))

    def used(self) -> Bools:
        """Columns in the condition of some rule."""
        asked = np.zeros(self.cuts.shape[1], dtype=np.bool_)
        asked[self.attributes[self.attributes >= 0]] = True
        return asked


@dataclass(frozen=True, slots=True, kw_only=True)
class RoughRules:
    """Rough-set rules.

    Columns are discretised by entropy; several reducts are sought, each in a random subset of
    the columns and of the patients (dynamic reducts); each distinct pattern on a reduct is a
    rule, certain or possible.

    Parameters
    ----------
    reducts, most
        Number of reducts, and maximum number of attributes of each.
    intervals
        Maximum number of intervals of a column.
    purity
        Fraction of a block that must agree for it to count as certain in the search (variable
        precision).

    References
    ----------
    Pawlak Z. Rough sets: theoretical aspects of reasoning about data. Kluwer 1991.
    doi:10.1007/978-94-011-3534-4
    Bazan JG. A comparison of dynamic and non-dynamic rough set methods for extracting laws
    from decision tables. In: Rough sets in knowledge discovery 1998;321-365.
    """

    reducts: int = 24
    most: int = 3
    intervals: int = 4
    purity: float = 0.85

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Rules:
        """Discretise, find reducts, derive the rules."""
        cuts = self._cuts(rows)
        table = discretise(rows.x, cuts)
        order = np.argsort(-relevance(rows.x, rows.y), kind="stable")
        found = self._reducts(table, rows, order, rng)
        prior = np.bincount(rows.y, weights=rows.weight, minlength=rows.classes)
        longest = max(len(own) for own in found)
        parts: list[tuple[IntArray, IntArray, FloatArray, int]] = []
        for number, own in enumerate(found):
            patterns, block = np.unique(table[:, own], axis=0, return_inverse=True)
            counts = np.zeros((len(patterns), rows.classes))
            np.add.at(counts, (block.reshape(-1), rows.y), rows.weight)
            missing = ((0, 0), (0, longest - len(own)))
            columns = np.pad(np.tile(own, (len(patterns), 1)), missing, constant_values=-1)
            parts.append((columns, np.pad(patterns, missing), counts, number))
        return Rules(
            cuts=cuts,
            attributes=np.concatenate([part[0] for part in parts]),
            patterns=np.concatenate([part[1] for part in parts]),
            counts=np.concatenate([part[2] for part in parts]),
            reducts=np.repeat([part[3] for part in parts], [len(part[0]) for part in parts]),
            prior=prior / prior.sum(),
        )

    def _cuts(self, rows: Rows) -> FloatArray:
        """Cuts of each column by entropy, or the median where no cut separates the classes."""
        cuts = np.full((self.intervals - 1, rows.x.shape[1]), np.inf)
        for column, values in enumerate(rows.x.T):
            own = entropy_cuts(values, rows.y, most=self.intervals - 1)
            own = own if len(own) else np.array([np.median(values)])
            cuts[: len(own), column] = own
        return cuts

    def _reducts(
        self, table: IntArray, rows: Rows, order: IntArray, rng: np.random.Generator
    ) -> list[IntArray]:
        """Distinct reducts; the first among all columns and patients."""
        patients = np.unique(rows.groups)
        found: dict[tuple[int, ...], IntArray] = {}
        for number in range(self.reducts):
            among, drawn = order, np.ones(len(table), dtype=np.bool_)
            if number > 0:
                part = max(2, round(np.sqrt(len(order))))
                among = order[np.sort(rng.permutation(len(order))[:part])]
                half = rng.permutation(patients)[: max(1, round(0.7 * len(patients)))]
                drawn = np.isin(rows.groups, half)
            own = np.sort(
                reduct(table[drawn], rows.y[drawn], among[:40], most=self.most, purity=self.purity)
            )
            found.setdefault(tuple(own.tolist()), own)
        return list(found.values())
