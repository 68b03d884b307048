"""Sums over pairs from ranks, against the same pairs in a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos.stats.readers.assembly import assemble
from onkos.stats.readers.comparisons import RankScores, TableScores, better
from onkos.stats.readers.foms import WILCOXON, compared, values
from onkos.stats.readers.localisation import (
    AFROC,
    AFROC1,
    FROC_MERITS,
    WAFROC,
    WAFROC1,
    alroc,
    pcl,
)
from onkos.stats.readers.ratings import roc_study
from reader_toys import Rows, simulated


def as_table(scores: RankScores) -> TableScores:
    """The same scores, pair by pair."""

    def table(cell):
        won = better(scores.low[cell][:, None, None], scores.high[cell][None])
        return scores.low_weight[cell][:, None] * (won * scores.high_weight[cell]).sum(axis=2)

    return TableScores(table=table, shape=scores.low.shape[:2])


@pytest.fixture
def marked(rng):
    """An FROC study: three readers, unequal weights, one to three lesions, several marks."""
    rows, lesions = Rows(), {}
    for number in range(14):
        case, count = f"c{number}", number % 4
        lesions[case] = [1.0 + k for k in range(count)]
        for reader in "ABC":
            for _ in range(rng.integers(0, 3)):
                rows.add(case, count > 0, float(rng.integers(0, 5)), "NL", reader=reader)
            for lesion in np.flatnonzero(rng.random(count) < 0.7):
                rating = float(rng.integers(2, 7))
                rows.add(case, 1, rating, "LL", reader=reader, lesion=str(lesion + 1))
    return assemble(rows, lesions=lesions)


@pytest.mark.parametrize("fom", [AFROC, AFROC1, WAFROC, WAFROC1], ids=lambda fom: fom.name)
def test_ranks_give_what_all_pairs_give(marked, rng, fom):
    pairs = fom.pairs(marked)
    ranks, table = pairs.scores, as_table(pairs.scores)
    assert ranks.row_sums() == pytest.approx(table.row_sums())
    assert ranks.column_sums() == pytest.approx(table.column_sums())
    cells = list(np.ndindex(3, 1))
    assert ranks.products(cells, cells) == pytest.approx(table.products(cells, cells))
    places = rng.integers(0, len(pairs.rows), 6), rng.integers(0, len(pairs.columns), 6)
    assert ranks.of_pairs(*places) == pytest.approx(table.of_pairs(*places))
    left, right = rng.random((2, len(pairs.rows))), rng.random((2, len(pairs.columns)))
    found = ranks.totals((1, 0), left, right)
    assert found == pytest.approx(table.totals((1, 0), left, right))


MERITS = [fom for fom in FROC_MERITS.values() if fom.name not in ("MaxNLF", "ExpTrnsfmSp")]


@pytest.mark.parametrize("fom", MERITS, ids=lambda fom: fom.name)
def test_leaving_a_case_out_is_giving_it_no_weight(marked, fom):
    cases = np.arange(len(marked.cases))
    weights = 1.0 - np.eye(len(cases))
    assert fom.without(marked, cases) == pytest.approx(fom.over(marked, weights))


def test_leaving_a_case_out_of_an_lroc_curve_is_giving_it_no_weight(rng):
    rows = Rows()
    for number in range(16):
        for reader in "AB":
            place = "NL" if number % 2 else str(rng.choice(["LL", "LL_IL"]))
            rating = float(rng.integers(0, 6))
            rows.add(f"c{number}", number % 2 == 0, rating, place, reader=reader)
    study = assemble(rows)
    cases = np.arange(16)
    for fom in (alroc(1.0), pcl(0.3), WILCOXON):
        expected = fom.over(study, 1.0 - np.eye(16))
        assert fom.without(study, cases) == pytest.approx(expected)


def test_cases_that_were_not_read_score_nothing(rng):
    study = simulated(rng, levels=4)
    ratings = study.highest.copy()
    ratings[1, 0, 5:9] = np.nan
    gaps = compared(roc_study(ratings, study.truth), ratings)
    scores = gaps.scores
    assert scores.row_sums() == pytest.approx(as_table(scores).row_sums())
    assert (scores.row_sums()[1, 0][gaps.row_mass[1, 0] == 0] == 0).all()


def test_what_goes_with_a_case_is_all_its_pairs(marked):
    pairs = AFROC1.pairs(marked)
    score, row_mass, column_mass, total = pairs.by_case(len(marked.cases))
    by_table = replace(pairs, scores=as_table(pairs.scores)).by_case(len(marked.cases))
    assert score == pytest.approx(by_table[0])
    bottom = row_mass.sum(axis=-1) * column_mass.sum(axis=-1)
    assert total / bottom == pytest.approx(values(marked, AFROC1))
