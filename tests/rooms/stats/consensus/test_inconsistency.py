"""Cases to look at again, ranked, with the reason in words."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from onkos.core.errors import CohortError, ContentError
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.consensus.inconsistency import disagreements, suspicious_labels


def test_readers_at_odds_are_ranked_by_entropy_and_told():
    ratings = Ratings.of([[1, 1, 1], [None, None, None], [1, 1, 2], [1, 2, 3], [5, None, None]])
    found = disagreements(ratings, cases=list("abcde"))
    assert [one.case for one in found] == ["d", "c"]
    assert found[0].score == pytest.approx(np.log2(3))
    assert found[1].reason == (
        "readers disagree: 2 of 3 say 1, 1 of 3 say 2; entropy of the votes 0.92 bit"
    )


def test_with_weights_far_apart_ranks_above_near():
    ratings = Ratings.of([[1, 2], [1, 5], [3, 3]], categories=(1, 2, 3, 4, 5))
    assert [x.case for x in disagreements(ratings, cases=["near", "far", "same"])] == [
        "near",
        "far",
    ]
    weighted = disagreements(ratings, cases=["near", "far", "same"], weights="quadratic")
    assert [x.case for x in weighted] == ["far", "near"]
    assert weighted[0].score == pytest.approx(0.5)


def test_labels_that_were_swapped_come_first(rng):
    truth = np.repeat([0, 1, 2], 100)
    features = rng.normal(size=(300, 2)) + np.array([[0, 0], [4, 0], [0, 4]])[truth]
    swapped = rng.choice(300, size=15, replace=False)
    labels = truth.copy()
    labels[swapped] = (labels[swapped] + 1) % 3
    p = cross_val_predict(LogisticRegression(), features, labels, cv=5, method="predict_proba")
    found = suspicious_labels(
        labels.tolist(), p, classes=[0, 1, 2], cases=list(range(300)), rng=rng
    )
    first = {one.case for one in found.cases[:15]}
    assert len(first & set(swapped.tolist())) >= 12
    assert found.share.low <= 15 / 300 <= found.share.high
    assert [one.rank for one in found.cases] == list(range(1, len(found.cases) + 1))
    assert found.counted.sum() == 300
    assert "a model that has not seen it says" in found.cases[0].reason


def test_a_class_the_model_is_shy_of_is_not_called_wrong(rng):
    """Rare class: its probability never passes one half, but is high for its own."""
    labels = ["common"] * 8 + ["rare"] * 2
    p = np.array([[0.95, 0.05]] * 8 + [[0.6, 0.4], [0.55, 0.45]])
    found = suspicious_labels(labels, p, classes=["common", "rare"], cases=list(range(10)), rng=rng)
    assert found.cases == ()
    assert found.share.value == 0


def test_what_cannot_be_ranked_is_refused(rng):
    ratings = Ratings.of([[1, 2], [2, 2]])
    with pytest.raises(CohortError, match="occur twice"):
        disagreements(ratings, cases=["a", "a"])
    with pytest.raises(ContentError, match="1 names for 2 cases"):
        disagreements(ratings, cases=["a"])
    with pytest.raises(ContentError, match="do not name cases"):
        disagreements(Ratings.table([[1, 2], [3, 4]]), cases=list("abcd"))
    good = np.full((2, 2), 0.5)
    with pytest.raises(ContentError, match="classes \\['c'\\] have no case"):
        suspicious_labels(["a", "a"], good, classes=["a", "c"], cases=[1, 2], rng=rng)
    with pytest.raises(ContentError, match="none missing"):
        suspicious_labels(["a", "c"], good * np.nan, classes=["a", "c"], cases=[1, 2], rng=rng)
    with pytest.raises(ContentError, match="of shape"):
        suspicious_labels(["a", "c"], good[:1], classes=["a", "c"], cases=[1, 2], rng=rng)
    with pytest.raises(CohortError, match="occur twice"):
        suspicious_labels(["a", "c"], good, classes=["a", "c"], cases=[1, 1], rng=rng)
