"""Ratings, their gaps, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import CohortError, ContentError, UsageError
from onkos.stats.agreement.chance import fleiss_kappa
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.agreement.weights import agreement_weights, weights_of_disagreement


def test_gaps_and_names_are_told_apart():
    ratings = Ratings.of([["a", None], [None, None], ["b", "a"]], patients=["p", "q", "p"])
    assert ratings.categories == ("a", "b")
    assert ratings.codes.tolist() == [[0, -1], [1, 0]]
    assert ratings.rows.tolist() == [0, 2]
    assert (ratings.cases, ratings.n, ratings.readers) == (2, 1, 2)


def test_a_long_list_equals_the_table_whatever_its_order(rng):
    values = rng.integers(1, 4, size=(7, 3))
    triples = [(case, reader, values[case, reader].item()) for case, reader in np.ndindex(7, 3)]
    shuffled = [triples[at] for at in rng.permutation(len(triples))]
    ours, table = fleiss_kappa(Ratings.long(shuffled)), fleiss_kappa(Ratings.of(values))
    assert ours.estimate.value == pytest.approx(table.estimate.value)


def test_a_table_of_two_readers_is_its_cases():
    table = [[3, 1], [2, 4]]
    cases = [[1, 1]] * 3 + [[1, 2]] + [[2, 1]] * 2 + [[2, 2]] * 4
    counted, told = fleiss_kappa(Ratings.table(table)), fleiss_kappa(Ratings.of(cases))
    assert counted.estimate.value == pytest.approx(told.estimate.value)
    assert counted.estimate.n == told.estimate.n == 10


def test_a_case_rated_twice_by_one_reader_is_refused():
    with pytest.raises(CohortError, match="case 'c' was rated twice by reader 1"):
        Ratings.long([("c", 1, 3), ("c", 1, 4)])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[1, None], [2, None]], r"readers \[1\] gave no rating"),
        ([[1, "a"], [2, "b"]], "mix numbers and names"),
        ([[1, float("inf")], [2, 1]], "infinity"),
        ([1, 2, 3], "expected \\(cases, readers\\)"),
    ],
)
def test_ratings_that_cannot_be_used_are_refused(values, words):
    with pytest.raises(ContentError, match=words):
        Ratings.of(values)


def test_categories_that_are_given_bind():
    with pytest.raises(ContentError, match=r"\[4\] are not among the categories"):
        Ratings.of([[1, 4]], categories=(1, 2, 3))
    with pytest.raises(ContentError, match="each once"):
        Ratings.of([[1, 1]], categories=(1, 1))
    with pytest.raises(ContentError, match="for 2 columns"):
        Ratings.table([[1, 0], [0, 1]], categories=("a", "b", "c"))


@pytest.mark.parametrize("counts", [[[1, 0.5], [0, 1]], [[0, 0], [0, 0]], [[1, -1], [0, 1]]])
def test_counts_are_whole_and_not_all_nothing(counts):
    with pytest.raises(ContentError, match="whole numbers"):
        Ratings.table(counts)


def test_a_table_must_be_square_and_patients_fit():
    with pytest.raises(ContentError, match="as many rows as columns"):
        Ratings.table([[1, 2, 3], [4, 5, 6]])
    with pytest.raises(ContentError, match="1 patients for 2 cases"):
        Ratings.of([[1, 2], [2, 2]], patients=["p"])


def test_weights_of_the_books_worked_scale():
    assert agreement_weights((1, 2, 3), "linear")[0].tolist() == [1, 0.5, 0]
    assert agreement_weights((1, 2, 3), "quadratic")[0].tolist() == [1, 0.75, 0]
    assert agreement_weights(("a", "b", "c"), "ordinal")[0] == pytest.approx([1, 2 / 3, 0])
    assert agreement_weights((0, 1), "ratio").tolist() == [[1, 0], [0, 1]]
    assert weights_of_disagreement([[0, 2], [2, 0]]).tolist() == [[1, 0], [0, 1]]


def test_weights_that_are_none_are_refused():
    with pytest.raises(UsageError, match="expected one of identity, linear"):
        agreement_weights((1, 2), "cubic")
    with pytest.raises(ContentError, match="symmetric"):
        agreement_weights((1, 2), [[1, 0.2], [0.1, 1]])
    with pytest.raises(ContentError, match="shape"):
        agreement_weights((1, 2), [[1.0]])
    with pytest.raises(ContentError, match="below 0"):
        agreement_weights((-1, 2), "ratio")
    with pytest.raises(ContentError, match="something above 0"):
        weights_of_disagreement([[0, 0], [0, 0]])
